"""Normals from the grid: exact on planes, radial on spheres, never across a cut, always towards the camera."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.discontinuity import depth_cuts
from recon.geometry.normals import lattice_normals, unit
from tests.scenes import camera_of, frozen, lattice_of, nearest, plane, points_of, room, sphere

LAW = settings(max_examples=25, deadline=None, derandomize=True)


def normals_of(z: np.ndarray, camera: object, reach: int = 1, stride: int = 1) -> np.ndarray:
    lattice = lattice_of(z, camera, stride)
    return lattice_normals(lattice.points(), *depth_cuts(lattice.z, lattice.footprint), reach)


@LAW
@given(st.floats(0, 6.28), st.floats(0, 50), st.sampled_from([1, 2, 3]), st.sampled_from([1, 2, 4]))
def test_a_plane_has_its_own_normal_everywhere(around: float, tilt: float, reach: int, stride: int) -> None:
    t = math.radians(tilt)
    normal = np.array([math.sin(t) * math.cos(around), math.sin(t) * math.sin(around), -math.cos(t)])
    camera = camera_of(40, 32, 60.0)
    found = normals_of(plane(camera, normal), camera, reach, stride)
    np.testing.assert_allclose(found, np.broadcast_to(normal, found.shape), atol=2e-4)


@pytest.mark.parametrize("reach", [1, 2])
def test_a_sphere_s_normals_are_radial(reach: int) -> None:
    camera = camera_of(240, 180, 220.0)
    z = sphere(camera, (0.2, 0.1, 3), 0.9)
    points = points_of(z, camera)
    found = normals_of(z, camera, reach)
    radial = (points - np.array([0.2, 0.1, 3])) / 0.9
    facing = -(radial * points).sum(-1) / np.linalg.norm(points, axis=-1)
    steady = facing > 0.35  # not within 20° of the silhouette
    angle = np.degrees(np.arccos(np.clip((found * radial).sum(-1)[steady], -1, 1)))
    assert np.quantile(angle, 0.99) < 2.5 * reach
    assert angle.mean() < 0.5 * reach


@LAW
@given(st.integers(0, 999), st.sampled_from([1, 2]))
def test_normals_are_of_length_1_or_0_and_face_the_camera_on_any_map(seed: int, reach: int) -> None:
    rng = np.random.default_rng(seed)
    camera = camera_of(16, 12, 20.0)
    z = rng.uniform(1, 1.3, (12, 16)).astype(np.float32)
    z[rng.random(z.shape) < 0.1] = np.nan
    found = normals_of(frozen(z), camera, reach)
    length = np.linalg.norm(found, axis=-1)
    assert (np.isclose(length, 1, atol=1e-5) | (length == 0)).all()
    if reach == 1:
        valid = ~np.isnan(z)
        assert ((found * points_of(z, camera)).sum(-1)[valid] <= 0).all()


@pytest.mark.parametrize("reach", [1, 2])
def test_nothing_leaks_across_a_step(reach: int) -> None:
    camera = camera_of()
    front, back = plane(camera, (0.4, 0.2, -1), 1.0), plane(camera, (-0.3, 0.1, -1), 3.0)
    left = np.arange(96) < 50
    found = normals_of(frozen(np.where(left, front, back)), camera, reach)
    for normal, side in (((0.4, 0.2, -1), left), ((-0.3, 0.1, -1), ~left)):
        exact = np.array(normal) / np.linalg.norm(normal)
        np.testing.assert_allclose(found[:, side], np.broadcast_to(exact, found[:, side].shape), atol=2e-4)


def test_a_room_s_walls_have_the_axes_as_normals() -> None:
    camera = camera_of(192, 144, 150.0)
    z = room(camera)
    found = normals_of(z, camera)
    points = points_of(z, camera)
    assert ((found * points).sum(-1) <= 0).all()
    assert (found != 0).any(-1).mean() > 0.99
    for axis, place, sign in ((0, 2.0, -1), (0, -2.2, 1), (1, 1.2, -1), (1, -1.5, 1), (2, 5.0, -1)):
        on_wall = np.abs(points[..., axis] - place) < 1e-4
        right = found[on_wall][:, axis] * sign > 1 - 1e-5
        assert right.mean() > 0.95  # all but the samples along an edge of the room


def test_a_lone_sample_has_no_normal() -> None:
    camera = camera_of(9, 9)
    z = np.full((9, 9), np.nan, np.float32)
    z[4, 4] = 1
    assert not normals_of(z, camera).any()


def test_unit_is_a_projection() -> None:
    vectors = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    vectors[3], vectors[4] = 0, np.nan
    once = unit(frozen(vectors))
    np.testing.assert_allclose(unit(once), once, atol=1e-7)
    assert not once[3:5].any()
    np.testing.assert_allclose(np.cross(once, vectors)[:3], 0, atol=1e-6)


def test_a_closed_wall_of_nearest_surfaces_keeps_each_its_own_normal() -> None:
    camera = camera_of(120, 90, 100.0)
    wall = plane(camera, (0, 0, -1), 5.0)
    z = nearest(sphere(camera, (0, 0, 3), 0.8), wall)
    found = normals_of(z, camera)
    behind = (z == wall)[..., None]
    np.testing.assert_allclose(np.where(behind, found - (0, 0, -1), 0), 0, atol=2e-4)
