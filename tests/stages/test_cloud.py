"""Point clouds: every pixel in its place with its colour and normal, spikes gone, voxels thinned."""

from __future__ import annotations

import numpy as np
import pytest

from recon.errors import BadInput
from recon.geometry.camera import project
from recon.stages.cloud import make_cloud
from tests.scenes import camera_of, depth_of, frozen, photo_of, pixel_grid, plane, points_of, room, sphere

CAMERA = camera_of(120, 90, 100.0)
PHOTO = photo_of(CAMERA)


def test_every_pixel_of_a_plane_is_a_point_with_its_colour_and_normal() -> None:
    z = plane(CAMERA, (0.3, 0.2, -1))
    cloud = make_cloud(PHOTO, depth_of(z), CAMERA, 10**6)
    np.testing.assert_array_equal(cloud.positions, points_of(z, CAMERA).reshape(-1, 3))
    np.testing.assert_array_equal(cloud.colors, PHOTO.rgb.reshape(-1, 3))
    normal = np.array([0.3, 0.2, -1]) / np.linalg.norm([0.3, 0.2, -1])
    np.testing.assert_allclose(cloud.normals, np.broadcast_to(normal, cloud.normals.shape), atol=5e-4)


@pytest.mark.parametrize("limit", [10**6, 3000, 700])
def test_points_project_to_pixel_centres_of_their_own_colour(limit: int) -> None:
    cloud = make_cloud(PHOTO, depth_of(room(CAMERA)), CAMERA, limit)
    assert 0.6 * min(limit, 120 * 90) < len(cloud.positions) <= 1.1 * limit
    pixels = project(cloud.positions, CAMERA)
    np.testing.assert_allclose(pixels % 1, 0.5, atol=1e-3)
    columns, rows = pixels.astype(int).T
    np.testing.assert_array_equal(cloud.colors, PHOTO.rgb[rows, columns])
    np.testing.assert_allclose(cloud.positions[:, 2], room(CAMERA)[rows, columns])


def test_normals_face_the_camera() -> None:
    cloud = make_cloud(PHOTO, depth_of(sphere(CAMERA)), CAMERA, 10**6)
    facing = (cloud.positions * cloud.normals).sum(axis=1)
    assert (facing <= 0).all()
    assert (facing < 0).mean() > 0.99


def test_spikes_are_no_points_and_holes_neither() -> None:
    z = np.array(plane(CAMERA))
    z[10, 10], z[40, 60], z[70, 20:24] = 9, 0.5, np.nan
    cloud = make_cloud(PHOTO, depth_of(frozen(z)), CAMERA, 10**6)
    assert len(cloud.positions) == z.size - 6
    assert (cloud.positions[:, 2] == 2).all()


@pytest.mark.parametrize("size", [0.05, 0.2, 1.0])
def test_voxels_thin_to_points_of_the_full_cloud_one_each(size: float) -> None:
    whole = make_cloud(PHOTO, depth_of(room(CAMERA)), CAMERA, 10**6)
    thin = make_cloud(PHOTO, depth_of(room(CAMERA)), CAMERA, 10**6, size)
    cells = np.floor((whole.positions - whole.positions.min(axis=0)) / size).astype(int)
    first = np.sort(np.unique(cells, axis=0, return_index=True)[1])
    for found, expected in (
        (thin.positions, whole.positions),
        (thin.colors, whole.colors),
        (thin.normals, whole.normals),
    ):
        np.testing.assert_array_equal(found, expected[first])


def test_a_plain_back_projection_is_what_it_says() -> None:
    u, v = pixel_grid(CAMERA)
    z = room(CAMERA)
    np.testing.assert_allclose(points_of(z, CAMERA)[..., 0], (u - 60) * z / 100, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(points_of(z, CAMERA)[..., 1], (v - 45) * z / 100, rtol=1e-5, atol=1e-6)


def test_no_points_left_is_told() -> None:
    with pytest.raises(BadInput, match="no point is left"):
        make_cloud(PHOTO, depth_of(frozen(np.full((90, 120), np.nan, np.float32))), CAMERA, 10**6)
