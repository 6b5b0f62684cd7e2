"""Decimation: as few faces as asked for, still on the surface, still textured by the photo."""

from __future__ import annotations

import numpy as np
import pytest

from recon.geometry.camera import project
from recon.geometry.decimation import OPEN3D_FACES
from recon.stages.decimate import decimate
from recon.stages.surface_grid import make_grid
from recon.stages.surface_solid import make_solid
from recon.types import Mesh
from tests.scenes import (
    WHOLE,
    area,
    camera_of,
    depth_of,
    faces_camera,
    frozen,
    is_closed,
    photo_of,
    plane,
    room,
    sphere,
    volume,
)

CAMERA = camera_of(120, 90, 100.0)
PHOTO = photo_of(CAMERA)


def grid(z: np.ndarray) -> Mesh:
    mesh = make_grid(PHOTO, WHOLE, depth_of(z), CAMERA)
    return mesh.with_(vertices=frozen(mesh.vertices), faces=frozen(mesh.faces))


@pytest.mark.parametrize("target", [20, 200, 3000])
def test_a_plane_keeps_its_place_and_its_area(target: int) -> None:
    normal = np.array([0.3, 0.2, -1]) / np.linalg.norm([0.3, 0.2, -1])
    whole = grid(plane(CAMERA, normal))
    small = decimate(whole, target, PHOTO, WHOLE, CAMERA)
    assert 4 <= len(small.faces) <= 1.05 * target
    np.testing.assert_allclose(small.vertices @ normal, -2, atol=1e-4)
    assert area(small.vertices, small.faces) == pytest.approx(area(whole.vertices, whole.faces), rel=0.01)
    assert faces_camera(small.vertices, small.faces).all()


@pytest.mark.parametrize(("target", "tolerance"), [(300, 0.01), (2000, 0.002)])
def test_a_sphere_stays_a_sphere(target: int, tolerance: float) -> None:
    small = decimate(grid(sphere(CAMERA)), target, PHOTO, WHOLE, CAMERA)
    assert 0.9 * target <= len(small.faces) <= 1.05 * target
    off = np.abs(np.linalg.norm(small.vertices - (0, 0, 3), axis=1) - 1)
    assert np.median(off) < tolerance
    assert off.max() < 0.05


def test_texture_coordinates_are_projected_anew() -> None:
    small = decimate(grid(sphere(CAMERA)), 500, PHOTO, WHOLE, CAMERA)
    np.testing.assert_allclose(small.uv * (120, 90), project(small.vertices, CAMERA), atol=1e-3)
    columns, rows = project(small.vertices, CAMERA).astype(int).T
    np.testing.assert_array_equal(small.colors, PHOTO.rgb[rows, columns])
    np.testing.assert_array_equal(small.texture, PHOTO.rgb)


@pytest.mark.parametrize("target", [200, 3000])
def test_a_solid_stays_closed_and_keeps_its_volume(target: int) -> None:
    whole = make_solid(PHOTO, WHOLE, depth_of(room(CAMERA)), CAMERA)
    small = decimate(whole, target, PHOTO, WHOLE, CAMERA)
    assert len(small.faces) <= 1.05 * target
    assert is_closed(small.faces)
    assert volume(small.vertices, small.faces) == pytest.approx(volume(whole.vertices, whole.faces), rel=0.02)


def test_a_large_mesh_goes_through_both_steps() -> None:
    camera = camera_of(360, 260, 300.0)
    photo = photo_of(camera)
    whole = make_grid(photo, WHOLE, depth_of(sphere(camera)), camera)
    assert len(whole.faces) > OPEN3D_FACES
    small = decimate(whole, 5000, photo, WHOLE, camera)
    assert 4500 <= len(small.faces) <= 5250
    off = np.abs(np.linalg.norm(small.vertices - (0, 0, 3), axis=1) - 1)
    assert np.quantile(off, 0.95) < 0.01


def test_a_mesh_that_is_small_enough_is_given_back() -> None:
    whole = grid(plane(CAMERA))
    assert decimate(whole, len(whole.faces), PHOTO, WHOLE, CAMERA) is whole
