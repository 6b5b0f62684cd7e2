"""Texture from the photo: coordinates by projection, colours by pixel, no background at the silhouette."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.camera import project
from recon.stages.photo_texture import FRINGE, colors_at, textured_by_photo, without_fringe
from recon.types import Mask, Mesh, Photo
from tests.scenes import WHOLE, camera_of, frozen, photo_of, pixel_grid, points_of, room

LAW = settings(max_examples=25, deadline=None, derandomize=True)
CAMERA = camera_of(40, 30, 35.0)
PHOTO = photo_of(CAMERA)


def numbered(height: int, width: int) -> Photo:
    """A photo whose colours name their pixels."""
    rows, columns = np.mgrid[:height, :width].astype(np.uint8)
    return Photo(frozen(np.stack([rows, columns, rows ^ columns], axis=-1)))


def test_a_vertex_at_a_pixel_has_its_place_and_its_colour() -> None:
    vertices = points_of(room(CAMERA), CAMERA).reshape(-1, 3)
    mesh = textured_by_photo(Mesh(vertices, np.array([[0, 1, 2]], np.int32)), PHOTO, WHOLE, CAMERA)
    u, v = pixel_grid(CAMERA)
    np.testing.assert_allclose(mesh.uv, np.stack([u.ravel() / 40, v.ravel() / 30], axis=1), atol=1e-6)
    np.testing.assert_array_equal(mesh.colors, PHOTO.rgb.reshape(-1, 3))
    np.testing.assert_array_equal(mesh.texture, PHOTO.rgb)


def test_known_pixels_are_used_as_they_are_and_the_uv_stay_in_the_picture() -> None:
    pixels = np.array([[0, 0], [40, 30], [-3, 50], [12.5, 7.5]], np.float32)
    mesh = textured_by_photo(
        Mesh(np.ones((4, 3), np.float32), np.array([[0, 1, 2]], np.int32)), PHOTO, WHOLE, CAMERA, pixels
    )
    np.testing.assert_allclose(mesh.uv, [[0, 0], [1, 1], [0, 1], [12.5 / 40, 7.5 / 30]], atol=1e-6)
    np.testing.assert_array_equal(mesh.colors, PHOTO.rgb[[0, 29, 29, 7], [0, 39, 0, 12]])


@LAW
@given(st.integers(0, 999))
def test_the_uv_are_the_projection_over_the_size(seed: int) -> None:
    vertices = np.random.default_rng(seed).uniform([-0.5, -0.4, 1], [0.5, 0.4, 4], (20, 3)).astype(np.float32)
    mesh = textured_by_photo(Mesh(vertices, np.array([[0, 1, 2]], np.int32)), PHOTO, WHOLE, CAMERA)
    np.testing.assert_allclose(mesh.uv * (40, 30), np.clip(project(vertices, CAMERA), 0, (40, 30)), atol=1e-4)


def test_each_position_takes_the_pixel_that_holds_it() -> None:
    picture = numbered(9, 11).rgb
    places = np.random.default_rng(0).uniform(0, (11, 9), (200, 2)).astype(np.float32)
    for (u, v), found in zip(places, colors_at(picture, places), strict=True):
        assert tuple(found[:2]) == (int(v), int(u))


def eroded(inside: np.ndarray) -> np.ndarray:
    """Pixels whose whole window of ± the fringe within the photo is inside."""
    height, width = inside.shape
    rim = 1 + round(FRINGE * max(inside.shape))
    out = np.zeros_like(inside)
    for i in range(height):
        for j in range(width):
            window = inside[max(0, i - rim) : i + rim + 1, max(0, j - rim) : j + rim + 1]
            out[i, j] = window.all()
    return out


@LAW
@given(st.integers(0, 999), st.integers(3, 9))
def test_outside_the_core_stands_the_nearest_colour_of_the_core(seed: int, radius: int) -> None:
    rng = np.random.default_rng(seed)
    photo = numbered(24, 32)
    i, j = np.mgrid[:24, :32]
    inside = np.hypot(i - rng.integers(0, 24), j - rng.integers(0, 32)) < radius
    inside |= np.hypot(i - rng.integers(0, 24), j - rng.integers(0, 32)) < radius
    core = eroded(inside)
    core = core if core.any() else inside
    found = without_fringe(photo, Mask(frozen(inside), "file"))
    np.testing.assert_array_equal(found[core], photo.rgb[core])
    rows, columns = found[..., 0].astype(int), found[..., 1].astype(int)
    assert core[rows, columns].all()
    away = np.hypot(rows - i, columns - j)
    known = np.argwhere(core)
    nearest = np.sqrt(((np.argwhere(np.ones_like(core))[:, None] - known) ** 2).sum(-1).min(1)).reshape(core.shape)
    assert (away <= 1.05 * nearest + 1e-6).all()  # OpenCV's distance is a chamfer, right to a few percent


def test_a_scene_s_texture_is_the_photo_itself() -> None:
    assert without_fringe(PHOTO, WHOLE) is PHOTO.rgb


@pytest.mark.parametrize("width", [1, 2])
def test_a_subject_thinner_than_its_fringe_keeps_its_colours(width: int) -> None:
    inside = np.zeros((24, 32), bool)
    inside[:, 10 : 10 + width] = True
    found = without_fringe(numbered(24, 32), Mask(frozen(inside), "file"))
    assert set(np.unique(found[..., 1])) == set(range(10, 10 + width))
