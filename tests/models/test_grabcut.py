"""Laws of the segmenter without weights, and its figures on real photos where they are at hand."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recon.geometry.silhouette import sharpen
from recon.models.grabcut import GrabCut
from recon.protocols import Segmenter

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def iou(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / (a | b).sum())


def ground(height: int, width: int, tilt: float, level: float = 150) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.stack([level + tilt * x, level + tilt * y, level + 20 - tilt * x * y], axis=-1)


def disc(height: int, width: int, cx: float, cy: float, radius: float) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.asarray((x - cx) ** 2 + (y - cy) ** 2 < radius**2)


def paint(background: np.ndarray, inside: np.ndarray, colour: tuple[int, int, int], noise: float = 0) -> np.ndarray:
    rgb = np.where(inside[..., None], np.array(colour, float), background)
    rgb = rgb + np.random.default_rng(0).normal(0, noise, rgb.shape)
    return np.clip(rgb, 0, 255).astype(np.uint8)


@settings(max_examples=25, deadline=None)
@given(
    tilt=st.sampled_from([0.0, 15.0, 40.0]),
    cx=st.floats(0.35, 0.65),
    cy=st.floats(0.35, 0.65),
    radius=st.floats(0.12, 0.3),
    colour=st.sampled_from([(220, 60, 40), (30, 40, 60), (60, 200, 90)]),
    noise=st.sampled_from([0.0, 5.0]),
)
def test_a_disc_on_a_plain_or_shaded_ground(
    tilt: float, cx: float, cy: float, radius: float, colour: tuple[int, int, int], noise: float
) -> None:
    height, width = 300, 400
    inside = disc(height, width, cx * width, cy * height, radius * height)
    mask = GrabCut().segment(paint(ground(height, width, tilt), inside, colour, noise))
    assert mask is not None and mask.shape == inside.shape and mask.dtype == bool
    assert iou(mask, inside) > 0.95


def test_same_photo_same_mask_and_the_photo_is_left_alone() -> None:
    inside = disc(240, 320, 150, 130, 70)
    rgb = paint(ground(240, 320, 20), inside, (200, 80, 60), 6)
    rgb.flags.writeable = False
    cv2.setRNGSeed(1)
    first = GrabCut().segment(rgb)
    cv2.setRNGSeed(2)
    second = GrabCut().segment(rgb)
    assert isinstance(GrabCut(), Segmenter) and first is not None
    np.testing.assert_array_equal(first, second)


def test_a_ring_keeps_its_hole_and_a_pale_spot_is_filled() -> None:
    ring = disc(300, 400, 200, 150, 90) & ~disc(300, 400, 200, 150, 40)
    mask = GrabCut().segment(paint(ground(300, 400, 10), ring, (200, 40, 40)))
    assert mask is not None and not mask[150, 200] and iou(mask, ring) > 0.93
    thing = disc(300, 400, 200, 150, 90)
    rgb = paint(ground(300, 400, 0), thing, (200, 40, 40))
    rgb[disc(300, 400, 190, 140, 4)] = 150, 150, 170
    mask = GrabCut().segment(rgb)
    assert mask is not None and mask[140, 190]


def test_a_coarse_probability_is_drawn_to_the_edges() -> None:
    """From a 48-px blur that is off by a few pixels, on a ground too busy for the border prior."""
    height, width = 300, 400
    y, x = np.mgrid[:height, :width]
    busy = np.stack([120 + 40 * np.sin(x / 9), 130 + 40 * np.cos(y / 7), 90 + 30 * np.sin((x + y) / 5)], axis=-1)
    inside = disc(height, width, 210, 150, 80)
    rgb = paint(busy, inside, (230, 60, 210), 5)
    assert GrabCut().segment(rgb) is None
    blurred = cv2.GaussianBlur(disc(height, width, 205, 155, 74).astype(np.float32), (0, 0), 12)
    coarse = cv2.resize(blurred, (64, 48), interpolation=cv2.INTER_AREA)
    before = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
    after = sharpen(rgb, coarse)
    assert after is not None and iou(before, inside) < 0.9 and iou(after, inside) > 0.97
    assert sharpen(rgb, np.zeros((48, 64), np.float32)) is None
    assert sharpen(rgb, np.ones((48, 64), np.float32)) is None


def test_a_thing_cut_by_the_bottom_edge() -> None:
    inside = disc(300, 400, 200, 290, 120)
    mask = GrabCut().segment(paint(ground(300, 400, 10), inside, (40, 60, 150)))
    assert mask is not None and iou(mask, inside) > 0.95


def test_bars_around_the_picture() -> None:
    inside = disc(300, 300, 150, 160, 60)
    rgb = paint(ground(300, 300, 10), inside, (220, 200, 60))
    rgb[:, :40] = rgb[:, 260:] = 0
    mask = GrabCut().segment(rgb)
    assert mask is not None and iou(mask, inside) > 0.95


@pytest.mark.parametrize(
    "case", ["noise", "blank", "shaded", "speck", "fills the photo", "two halves", "stripes", "many things", "tiny"]
)
def test_no_single_subject(case: str) -> None:
    height, width = 300, 400
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:height, :width]
    plain = ground(height, width, 0)
    nothing = np.zeros((height, width), bool)
    pictures = {
        "noise": rng.integers(0, 256, (height, width, 3)).astype(np.uint8),
        "blank": paint(plain, nothing, (0, 0, 0)),
        "shaded": paint(ground(height, width, 60), nothing, (0, 0, 0), 3),
        "speck": paint(plain, disc(height, width, 200, 150, 12), (200, 0, 0)),
        "fills the photo": paint(plain, disc(height, width, 200, 150, 230), (200, 0, 0)),
        "two halves": paint(plain, x > 200, (200, 0, 0)),
        "stripes": paint(plain, (x // 20) % 2 == 0, (200, 0, 0)),
        "many things": paint(plain, (x % 100 - 50) ** 2 + (y % 100 - 50) ** 2 < 900, (200, 0, 0)),
        "tiny": paint(ground(10, 10, 0), disc(10, 10, 5, 5, 3), (200, 0, 0)),
    }
    assert GrabCut().segment(pictures[case]) is None


def test_large_photos_take_little_time() -> None:
    """Bounds with room for a busy machine; on a quiet core of 2026 12 MP take 0.14 s and 640x480 0.06 s."""
    small = paint(ground(480, 640, 20), disc(480, 640, 300, 240, 120), (200, 80, 60), 4)
    for rgb, bound in ((small, 0.4), (cv2.resize(small, (4000, 3000)), 1.6)):
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            assert GrabCut().segment(rgb) is not None
            seconds.append(time.perf_counter() - start)
        assert min(seconds) < bound


needs_data = pytest.mark.skipif(not DATA.is_dir(), reason="the open data beside the checkout is absent")

# Measured 2026-11-20 with OpenCV 5.0 by this very loop: lowest IoU over the four grounds. The white robot on white
# (0.86) is the hard one: its head has the ground's colour.
LEAST_IOU = {
    "rf15_banana/image_rgba.png": 0.93,
    "rf15_teddy_bear/image_rgba.png": 0.93,
    "triposr_chair.png": 0.95,
    "triposr_flamingo.png": 0.90,
    "triposr_hamburger.png": 0.95,
    "triposr_horse.png": 0.95,
    "triposr_robot.png": 0.83,
    "zero123_taxi.png": 0.97,
}


@needs_data
@pytest.mark.parametrize("name", LEAST_IOU)
def test_real_things_on_plain_grounds(name: str) -> None:
    rgba = np.asarray(Image.open(DATA / "objects" / name).convert("RGBA"))
    height, width = rgba.shape[:2]
    alpha = rgba[..., 3:] / 255.0
    y, x = np.mgrid[:height, :width] / max(height, width)
    noisy = np.array([90, 130, 200.0]) + np.random.default_rng(0).normal(0, 4, (height, width, 3))
    grounds = (255.0, 128.0, np.stack([230 - 60 * y, 220 - 50 * y - 20 * x, 235 - 40 * x], axis=-1), noisy)
    for below in grounds:
        rgb = np.clip(rgba[..., :3] * alpha + below * (1 - alpha), 0, 255).astype(np.uint8)
        mask = GrabCut().segment(rgb)
        assert mask is not None and iou(mask, rgba[..., 3] > 127) > LEAST_IOU[name]


@needs_data
@pytest.mark.parametrize(("name", "least"), [("rf15_banana", 0.85), ("rf15_teddy_bear", 0.87)])
def test_real_photos_of_things(name: str, least: float) -> None:
    folder = DATA / "objects" / name
    mask = GrabCut().segment(np.asarray(Image.open(folder / "image.png").convert("RGB")))
    assert mask is not None and iou(mask, np.asarray(Image.open(folder / "mask.png").convert("L")) > 127) > least


@needs_data
def test_real_scenes_have_no_subject() -> None:
    """25 of 25, measured 2026-11-20."""
    files = [*DATA.glob("scenes/*.[jp][pn]g"), *DATA.glob("rgbd/*/rgb.*")]
    found = [file for file in files if GrabCut().segment(np.asarray(Image.open(file).convert("RGB"))) is not None]
    assert len(files) >= 20 and not found
