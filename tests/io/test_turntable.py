"""Previews and turntables: the right size, the right colours, a loop that closes."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
import trimesh
from PIL import Image

from recon.io.film import FPS, PICTURE_FPS
from recon.io.turntable import LIFT_DEG, SWING_DEG, turntable_angles, write_preview, write_turntable
from recon.types import Camera, Mesh
from tests.scenes import camera_of, frozen

CAMERA = camera_of(120, 90, 100.0)
RED, GREEN = (220, 20, 20), (20, 200, 20)
BACKGROUND = (242, 242, 240)


def poster(depth: float = 3.0, textured: bool = True) -> Mesh:
    """A square 2 wide before the camera: its texture, or its vertices, red on the left and green on the right."""
    x, y = np.meshgrid(np.linspace(-1, 1, 3), np.linspace(-1, 1, 3))
    vertices = np.column_stack([x.ravel(), y.ravel(), np.full(9, depth)]).astype(np.float32)
    faces = []
    for i in (0, 1, 3, 4):
        faces += [[i, i + 3, i + 4], [i, i + 4, i + 1]]
    picture = np.full((64, 64, 3), RED, np.uint8)
    picture[:, 32:] = GREEN
    colors = np.where(x.ravel()[:, None] <= 0, np.uint8(RED), np.uint8(GREEN))
    uv = np.column_stack([x.ravel() / 2 + 0.5, y.ravel() / 2 + 0.5]).astype(np.float32)
    mesh = Mesh(frozen(vertices), frozen(np.array(faces, np.int32)), frozen(colors))
    return mesh.with_(uv=frozen(uv), texture=frozen(picture)) if textured else mesh


def like(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.abs(picture.astype(int) - colour).max(axis=-1) < 40


def test_a_preview_shows_red_on_the_left_and_green_on_the_right(tmp_path: Path) -> None:
    write_preview(poster(), CAMERA, tmp_path / "p.png", closed=False)
    picture = np.asarray(Image.open(tmp_path / "p.png"))
    assert picture.shape == (720, 960, 3)
    red, green, ground = like(picture, RED), like(picture, GREEN), like(picture, BACKGROUND)
    assert (red | green | ground).mean() > 0.97
    assert min(red.mean(), green.mean(), ground.mean()) > 0.1
    assert np.nonzero(red)[1].max() <= np.nonzero(green)[1].min() + 6
    middle = np.nonzero(red | green)[0].mean() / 720  # upright: the poster's middle is the picture's
    assert 0.4 < middle < 0.6


def test_up_is_up(tmp_path: Path) -> None:
    mesh = poster()
    turned = np.ascontiguousarray(mesh.texture.swapaxes(0, 1))
    write_preview(mesh.with_(texture=turned), CAMERA, tmp_path / "p.png", closed=False)
    picture = np.asarray(Image.open(tmp_path / "p.png"))
    assert np.nonzero(like(picture, RED))[0].mean() < np.nonzero(like(picture, GREEN))[0].mean() - 100


def test_without_a_texture_the_vertex_colours_are_shown(tmp_path: Path) -> None:
    write_preview(poster(textured=False), CAMERA, tmp_path / "p.png", closed=True)
    picture = np.asarray(Image.open(tmp_path / "p.png"))
    red, green = like(picture, RED), like(picture, GREEN)
    assert min(red.mean(), green.mean()) > 0.04
    assert np.nonzero(red)[1].mean() < np.nonzero(green)[1].mean()


@pytest.mark.parametrize("behind", [0.3, 2.0, 12.0], ids=["flat", "as deep as wide", "a street"])
def test_a_closed_model_fills_its_preview(tmp_path: Path, behind: float) -> None:
    """What a relief is: the photo's frustum between two depths, however far they are from each other."""
    box = trimesh.creation.box(extents=(2, 2, 1))
    z = np.where(box.vertices[:, 2] < 0, 2.0, 2.0 + behind)
    vertices = np.column_stack([box.vertices[:, :2] * np.array([0.6, 0.45]) * z[:, None], z]).astype(np.float32)
    colors = np.tile(np.uint8(RED), (8, 1))
    write_preview(
        Mesh(frozen(vertices), frozen(box.faces.astype(np.int32)), frozen(colors)), CAMERA, tmp_path / "p.png", True
    )
    red = like(np.asarray(Image.open(tmp_path / "p.png")), RED)
    rows, columns = np.nonzero(red.any(axis=1))[0], np.nonzero(red.any(axis=0))[0]
    air = np.array([[columns.min(), 959 - columns.max()], [rows.min(), 719 - rows.max()]])
    share = air.sum(axis=1) / (960, 720)
    assert (air > 0).all() and share.min() < 0.1  # whole, and not far away
    assert np.ptp(air[share.argmin()]) < 4  # in the middle


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("count", [8, 30, 72])
def test_a_turn_is_even_and_comes_back_to_where_it_began(count: int, closed: bool) -> None:
    angles = np.array(list(turntable_angles(count, closed)))
    assert len(angles) == count
    around = np.vstack([angles, angles[:1] + ([[360, 0]] if closed else [[0, 0]])])
    steps = np.linalg.norm(np.diff(around, axis=0), axis=1)
    if closed:
        np.testing.assert_allclose(steps, 360 / count)
        np.testing.assert_array_equal(angles[:, 1], LIFT_DEG)
    else:
        assert steps.max() <= 2 * np.pi / count * SWING_DEG
        assert np.abs(angles[:, 0]).max() <= SWING_DEG
        np.testing.assert_allclose(((angles / (SWING_DEG, LIFT_DEG)) ** 2).sum(axis=1), 1)


def check_loop(frames: list[np.ndarray]) -> None:
    """The step from the last frame to the first is like the others, and the model does move."""
    steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise([*frames, frames[0]])]
    assert min(steps) > 0
    assert steps[-1] <= 1.5 * max(steps[:-1])


@pytest.mark.parametrize("camera", [CAMERA, camera_of(70, 101, 90.0)], ids=["wide", "tall"])
def test_an_mp4_has_every_frame_and_loops(tmp_path: Path, camera: Camera) -> None:
    write_turntable(poster(), camera, tmp_path / "t.mp4", closed=False, seconds=0.5)
    video = cv2.VideoCapture(str(tmp_path / "t.mp4"))
    codec = int(video.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    assert (video.get(cv2.CAP_PROP_FPS), codec) == (FPS, b"h264")
    frames = []
    while (got := video.read())[0]:
        frames.append(np.ascontiguousarray(got[1][..., ::-1]))
    video.release()
    height, width = frames[0].shape[:2]
    assert max(width, height) == 640
    assert width / height == pytest.approx(camera.width / camera.height, abs=0.01)
    assert len(frames) == FPS // 2
    check_loop(frames)
    assert all(min(like(f, RED).mean(), like(f, GREEN).mean()) > 0.05 for f in frames)
    assert [path.name for path in tmp_path.iterdir()] == ["t.mp4"]


def test_a_gif_has_every_frame_and_loops_for_ever(tmp_path: Path) -> None:
    write_turntable(poster(), CAMERA, tmp_path / "t.gif", closed=True, seconds=1.2)
    with Image.open(tmp_path / "t.gif") as gif:
        assert gif.n_frames == round(1.2 * PICTURE_FPS)
        assert gif.info["loop"] == 0
        assert gif.info["duration"] == 1000 // PICTURE_FPS
        frames = []
        for i in range(gif.n_frames):
            gif.seek(i)
            frames.append(np.asarray(gif.convert("RGB")))
    check_loop(frames)
    assert like(frames[0], RED).mean() > 0.05
