"""A parallax film begins with the photo and loops; what is behind everything has the photo's colour."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import get_args

import cv2
import numpy as np
import pytest
from PIL import Image

from recon.geometry.camera import back_project
from recon.io.film import FPS, PICTURE_FPS
from recon.io.offscreen import BACKGROUND, OffscreenRenderer
from recon.io.parallax import ground_of, write_parallax
from recon.settings import ParallaxPath
from recon.types import Camera, Mask, Mesh, Photo
from tests.scenes import camera_of, frozen

PATHS = get_args(ParallaxPath)
GROUND = (40, 90, 160)


def picture(camera: Camera) -> np.ndarray:
    """Smooth colours that tell every place, with a dark bar that is higher on the left."""
    v, u = np.mgrid[: camera.height, : camera.width] + 0.5
    rgb = np.stack([255 * u / camera.width, 255 * v / camera.height, np.full_like(u, 120)], axis=-1)
    rgb[(v < 0.5 * camera.height) & (u < 0.3 * camera.width)] = 30
    return rgb.astype(np.uint8)


def sheet(camera: Camera, near: float = 2.0, far: float = 6.0) -> Mesh:
    """The picture, every pixel's corner at its place in space: near on the left."""
    v, u = np.mgrid[: camera.height + 1, : camera.width + 1].astype(np.float32)
    z = np.where(u < camera.width / 2, np.float32(near), np.float32(far))
    vertices = np.stack([(u - camera.cx) / camera.focal * z, (v - camera.cy) / camera.focal * z, z], axis=-1)
    uv = np.stack([u / camera.width, v / camera.height], axis=-1).reshape(-1, 2)
    at = np.arange(u.size).reshape(u.shape)
    a, b, c, d = (part.ravel() for part in (at[:-1, :-1], at[:-1, 1:], at[1:, :-1], at[1:, 1:]))
    faces = np.concatenate([np.column_stack([a, c, d]), np.column_stack([a, d, b])]).astype(np.int32)
    return Mesh(frozen(vertices.reshape(-1, 3)), frozen(faces), uv=frozen(uv), texture=frozen(picture(camera)))


def frames_of(path: Path) -> list[np.ndarray]:
    video = cv2.VideoCapture(str(path))
    frames = []
    while (got := video.read())[0]:
        frames.append(np.ascontiguousarray(got[1][..., ::-1]))
    video.release()
    return frames


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recon.io.parallax.TURNTABLE_SIDE", 160)


@pytest.mark.parametrize(
    "camera",
    [camera_of(120, 90, 100.0), Camera(90, 120, 110.0, 20.0, 75.0, "user")],
    ids=["wide", "tall with its principal point aside"],
)
@pytest.mark.parametrize("way", PATHS)
def test_it_begins_with_the_photo_and_loops(tmp_path: Path, way: ParallaxPath, camera: Camera) -> None:
    write_parallax(sheet(camera), camera, tmp_path / "p.mp4", way, ground=GROUND, seconds=0.5)
    frames = frames_of(tmp_path / "p.mp4")
    assert len(frames) == FPS // 2
    height, width = frames[0].shape[:2]
    photo = cv2.resize(picture(camera), (width, height), interpolation=cv2.INTER_LINEAR).astype(float)
    inner = np.s_[4:-4, 4:-4]
    assert np.abs(frames[0] - photo)[inner].mean() < 4  # of 255, through H.264
    steps = [np.abs(a.astype(float) - b).mean() for a, b in pairwise([*frames, frames[0]])]
    assert steps[-1] <= 1.5 * max(steps[:-1])
    assert max(np.abs(frame - photo).mean() for frame in frames) > 5  # something happens
    white = max((frame.min(axis=-1) > 235).mean() for frame in frames)
    assert white < 0.001  # nothing flashes


@pytest.mark.parametrize("ending", [".gif", ".webp"])
def test_pictures_that_move(tmp_path: Path, ending: str) -> None:
    camera = camera_of(120, 90, 100.0)
    write_parallax(sheet(camera), camera, tmp_path / f"p{ending}", ground=GROUND, seconds=0.8)
    with Image.open(tmp_path / f"p{ending}") as film:
        film.load()
        assert (film.n_frames, film.info["loop"], film.info["duration"]) == (8, 0, 1000 // PICTURE_FPS)


def test_a_renderer_s_principal_point_is_the_camera_s() -> None:
    """A grey square that the camera sees around one pixel is drawn there, whichever way the middle lies."""
    camera = Camera(160, 120, 100.0, 40.0, 95.0, "user")
    v, u = np.array([30, 30, 50, 50], np.float32), np.array([100, 120, 100, 120], np.float32)
    square = back_project(u, v, np.full(4, 2.0, np.float32), camera)
    mesh = Mesh(frozen(square), frozen(np.array([[0, 2, 3], [0, 3, 1]], np.int32)),
                frozen(np.full((4, 3), 128, np.uint8)))  # fmt: skip
    with OffscreenRenderer(mesh, camera, 160) as renderer:
        renderer.use_principal_point(camera)
        drawn = renderer.render(np.zeros(3), np.array([0.0, 0.0, -1.0]))
    seen = np.argwhere(np.abs(drawn.astype(int) - 128).max(axis=-1) < 30)
    np.testing.assert_allclose(seen.min(axis=0), [30, 100], atol=1)
    np.testing.assert_allclose(seen.max(axis=0), [50, 120], atol=1)


def test_the_ground_is_the_border_s_colour_without_the_subject() -> None:
    rgb = np.full((40, 60, 3), GROUND, np.uint8)
    rgb[20:, 10:50] = (250, 10, 10)  # the subject touches the lower border
    inside = np.zeros((40, 60), bool)
    inside[20:, 10:50] = True
    photo = Photo(frozen(rgb))
    assert ground_of(photo, Mask(frozen(inside), "user")) == GROUND
    assert ground_of(photo, Mask(None, "none")) == GROUND  # a median: the subject has less than half of the border
    assert ground_of(photo, Mask(frozen(np.ones((40, 60), bool)), "user")) == BACKGROUND
