"""Splats of surfaces: their shapes, and that nothing is seen through them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recon.geometry.splats import OVERLAP, STEEPEST, quaternions, seen_discs, triangle_discs
from tests.scenes import camera_of, frozen, pixel_grid, plane, points_of
from tests.splats import angles, covariances, leaks, rotations, thinnest_axes

CAMERA = camera_of(40, 30, 60.0)
TILTED = ((0, 0, -1), (1, 0, -1), (0.3, -2, -1), (-0.7, 0.7, -1))


def random_rotations(seed: int, count: int) -> np.ndarray:
    q = np.random.default_rng(seed).normal(size=(count, 4))
    return rotations(q / np.linalg.norm(q, axis=1, keepdims=True)).astype(np.float32)


def discs_of_plane(normal: tuple[float, float, float]) -> tuple:
    points = points_of(plane(CAMERA, normal, 2.0), CAMERA).reshape(-1, 3)
    unit = np.float32(normal) / np.float32(np.linalg.norm(normal))
    width = points[:, 2] / np.float32(CAMERA.focal)
    grey = np.full(points.shape, 128, np.uint8)
    return seen_discs(frozen(points), frozen(np.tile(unit, (len(points), 1))), frozen(width), frozen(grey)), unit


@given(st.integers(0, 10**6))
def test_quaternions_give_their_rotations_back(seed: int) -> None:
    turned = random_rotations(seed, 20)
    found = quaternions(turned)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(rotations(found), turned, atol=2e-6)


def test_quaternions_of_half_turns_are_exact() -> None:
    """Where the trace is −1 the usual formula divides by nothing."""
    turned = np.array([np.diag(d) for d in ([1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1])], np.float32)
    np.testing.assert_array_equal(np.abs(quaternions(turned)), np.eye(4))


@pytest.mark.parametrize("normal", TILTED)
def test_a_disc_lies_in_its_surface_and_stretches_along_the_tilt(normal: tuple[float, float, float]) -> None:
    splats, unit = discs_of_plane(normal)
    assert angles(thinnest_axes(splats), np.tile(unit, (len(splats.centres), 1))).max() < 0.05
    sight = splats.centres / np.linalg.norm(splats.centres, axis=1, keepdims=True)
    cos = np.abs(sight @ unit)
    width = OVERLAP * splats.centres[:, 2] / CAMERA.focal
    sizes = np.sqrt(np.linalg.eigvalsh(covariances(splats)))
    np.testing.assert_allclose(sizes[:, 1], width, rtol=1e-4)
    np.testing.assert_allclose(sizes[:, 2], width / cos, rtol=1e-4)
    longest = np.linalg.eigh(covariances(splats))[1][:, :, 2]
    tilt = sight - (sight @ unit)[:, None] * unit
    tilted = cos < 0.98
    assert angles(longest[tilted], tilt[tilted]).max(initial=0) < 0.5
    assert (splats.opacity == np.float32(0.98)).all()


@pytest.mark.parametrize("normal", TILTED)
def test_a_sheet_of_discs_lets_less_than_two_per_cent_through(normal: tuple[float, float, float]) -> None:
    splats, unit = discs_of_plane(normal)
    u, v = (line[5:-5, 5:-5].ravel() + np.random.default_rng(1).uniform(-0.5, 0.5, line[5:-5, 5:-5].size)
            for line in pixel_grid(CAMERA))  # fmt: skip
    ray = np.stack([(u - CAMERA.cx) / CAMERA.focal, (v - CAMERA.cy) / CAMERA.focal, np.ones_like(u)], axis=1)
    places = ray * (-2.0 / (ray @ unit))[:, None]
    across = np.cross(unit, [0, 1, 0])
    across /= np.linalg.norm(across)
    assert leaks(splats, places, across, np.cross(unit, across)).max() < 0.02


def test_a_rim_and_what_has_no_normal_face_the_camera_as_round_discs() -> None:
    points = np.float32([[0, 0, 2], [1, 0, 2], [0, 0, 2]])
    steep = np.float32([1, 0, -0.5 / STEEPEST])
    normals = np.stack([steep / np.linalg.norm(steep), np.zeros(3), [0, 0, -1]]).astype(np.float32)
    splats = seen_discs(points, normals, np.float32([0.1, 0.2, 0.1]), np.zeros((3, 3), np.uint8))
    assert angles(thinnest_axes(splats), points)[:2].max() < 0.05
    np.testing.assert_allclose(splats.scales[:, 0], splats.scales[:, 1], rtol=1e-6)
    assert splats.scales[:, 0].max() < 0.2


def test_alpha_is_the_opacity() -> None:
    points, normals = np.float32([[0, 0, 2]] * 3), np.float32([[0, 0, -1]] * 3)
    splats = seen_discs(points, normals, np.ones(3, np.float32), np.zeros((3, 3), np.uint8), np.float32([0, 0.5, 1]))
    np.testing.assert_allclose(splats.opacity, [0, 0.49, 0.98], atol=1e-6)


def test_a_triangles_disc_has_the_triangles_own_covariance_widened() -> None:
    """Against the covariance of points thrown evenly into it."""
    triangles = np.random.default_rng(3).normal(size=(5, 3, 3)).astype(np.float32)
    splats = triangle_discs(frozen(triangles), np.zeros((5, 3), np.uint8))
    a, b = np.random.default_rng(4).random((2, 200_000))
    a, b = np.where(a + b > 1, 1 - a, a), np.where(a + b > 1, 1 - b, b)
    for triangle, found, centre in zip(triangles, covariances(splats), splats.centres, strict=True):
        thrown = triangle[0] + np.outer(a, triangle[1] - triangle[0]) + np.outer(b, triangle[2] - triangle[0])
        np.testing.assert_allclose(centre, thrown.mean(axis=0), atol=0.01)
        flat = np.cov(thrown.T) * 12 * OVERLAP**2
        normal = np.cross(triangle[1] - triangle[0], triangle[2] - triangle[0])
        normal /= np.linalg.norm(normal)
        seen = np.eye(3) - np.outer(normal, normal)  # but for its thickness
        np.testing.assert_allclose(seen @ found @ seen, flat, atol=0.02 * flat.max())


def test_triangles_of_a_plane_let_less_than_two_per_cent_through() -> None:
    corners = np.stack([*np.mgrid[:13, :13], np.zeros((13, 13))], axis=2).astype(np.float32)
    a, b, c, d = corners[:-1, :-1], corners[1:, :-1], corners[:-1, 1:], corners[1:, 1:]
    triangles = np.concatenate([np.stack(t, axis=2).reshape(-1, 3, 3) for t in ((a, b, d), (a, d, c))])
    splats = triangle_discs(triangles, np.zeros((len(triangles), 3), np.uint8))
    places = np.zeros((300, 3))
    places[:, :2] = np.random.default_rng(5).uniform(4, 8, (300, 2))
    assert leaks(splats, places, np.array([1.0, 0, 0]), np.array([0, 1.0, 0])).max() < 0.02


def test_a_closed_surface_keeps_its_splats_finite_where_triangles_are_slivers() -> None:
    sliver = np.float32([[[0, 0, 1], [1, 0, 1], [0.5, 1e-6, 1]]])
    splats = triangle_discs(sliver, np.zeros((1, 3), np.uint8))
    assert all(np.isfinite(values).all() for values in vars(splats).values())
    assert splats.scales.min() >= np.float32(1e-7)
