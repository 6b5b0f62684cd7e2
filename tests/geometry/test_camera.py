"""Pinhole cameras: inverses and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.camera import back_project, centred_camera, focal_from_35mm, focal_from_fov, project, scaled_camera
from tests.scenes import camera_of, pixel_grid, rays

LAW = settings(max_examples=40, deadline=None, derandomize=True)
side = st.integers(16, 8000)


@LAW
@given(side, side, st.floats(0.2, 5), st.floats(1e-2, 1e4))
def test_projection_undoes_back_projection(width: int, height: int, focal: float, z: float) -> None:
    camera = centred_camera(width, height, focal * width, "user")
    rng = np.random.default_rng(width)
    u, v = (rng.uniform(0, n, 50).astype(np.float32) for n in (width, height))
    depth = (z * rng.uniform(0.5, 2, 50)).astype(np.float32)
    found = project(back_project(u, v, depth, camera), camera)
    np.testing.assert_allclose(found, np.stack([u, v], 1), rtol=0, atol=2e-6 * max(width, height))


def test_back_projection_of_depth_1_is_the_ray_and_nan_stays_nan() -> None:
    camera = camera_of(31, 17, 23.0)
    u, v = pixel_grid(camera)
    points = back_project(u, v, np.ones_like(u), camera)
    np.testing.assert_allclose(points, rays(camera), atol=1e-6)
    assert np.isnan(back_project(u, v, np.full_like(u, np.nan), camera)).all()


def test_the_principal_point_lies_straight_ahead() -> None:
    camera = camera_of(40, 30, 35.0)
    at = [np.array([x], np.float32) for x in (20.0, 15.0, 7.0)]
    np.testing.assert_array_equal(back_project(*at, camera), [[0, 0, 7]])


@LAW
@given(st.floats(1, 170), side, side)
def test_focal_length_and_field_of_view_are_inverse(fov: float, width: int, height: int) -> None:
    camera = centred_camera(width, height, focal_from_fov(fov, width), "user")
    assert camera.fov_x == pytest.approx(fov, rel=1e-9)
    assert focal_from_fov(camera.fov_x, width) == pytest.approx(camera.focal, rel=1e-9)


def test_known_fields_of_view() -> None:
    assert focal_from_fov(90.0, 200) == pytest.approx(100)
    assert focal_from_fov(60.0, 200) == pytest.approx(100 * np.sqrt(3))


@LAW
@given(st.floats(8, 800), st.integers(10, 2000))
def test_35mm_focal_length_on_a_3_to_2_photo_is_the_film_s_own(focal: float, unit: int) -> None:
    width, height = 3 * unit, 2 * unit
    assert focal_from_35mm(focal, width, height) == pytest.approx(focal * width / 36, rel=1e-12)
    assert focal_from_35mm(focal, height, width) == focal_from_35mm(focal, width, height)


@LAW
@given(side, side, st.floats(8, 800))
def test_35mm_focal_length_gives_the_film_s_diagonal_field_of_view(width: int, height: int, focal: float) -> None:
    pixels = focal_from_35mm(focal, width, height)
    film = 2 * np.arctan(np.hypot(36, 24) / 2 / focal)
    assert 2 * np.arctan(np.hypot(width, height) / 2 / pixels) == pytest.approx(film, rel=1e-12)


@LAW
@given(st.integers(2, 400), st.integers(2, 400), st.integers(1, 9), st.integers(1, 9))
def test_a_scaled_camera_sees_the_same_rays(width: int, height: int, of: int, to: int) -> None:
    camera = camera_of(width * of, height * of, 0.9 * width * of)
    small = scaled_camera(camera, width * to, height * to)
    assert small.fov_x == pytest.approx(camera.fov_x, rel=1e-12)
    u, v = np.random.default_rng(0).uniform(0, 1, (2, 20)).astype(np.float32)
    one = np.ones_like(u)
    here = back_project(u * np.float32(camera.width), v * np.float32(camera.height), one, camera)
    there = back_project(u * np.float32(small.width), v * np.float32(small.height), one, small)
    np.testing.assert_allclose(here, there, atol=3e-6 * max(1, height / width))
    assert small.source == camera.source
