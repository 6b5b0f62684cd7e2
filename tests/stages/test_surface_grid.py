"""The `grid` surface, from depth map to textured mesh."""

from __future__ import annotations

import numpy as np
import pytest

from recon.errors import BadInput
from recon.settings import GridSettings
from recon.stages.surface_grid import cleaned_lattice, make_grid
from tests.scenes import (
    WHOLE,
    area,
    camera_of,
    depth_of,
    faces_camera,
    frozen,
    photo_of,
    plane,
    room,
    seen_depth,
    sphere,
    step,
)

CAMERA = camera_of(120, 90, 100.0)
PHOTO = photo_of(CAMERA)


def test_seen_from_its_camera_the_mesh_is_the_depth_map() -> None:
    mesh = make_grid(PHOTO, WHOLE, depth_of(room(CAMERA)), CAMERA)
    error = np.abs(seen_depth(mesh, CAMERA) / room(CAMERA) - 1)
    assert (error < 0.01).mean() > 0.985
    assert np.median(error) < 2e-4
    assert np.isfinite(error).mean() > 0.997
    assert faces_camera(mesh.vertices, mesh.faces).all()


def test_texture_and_colours_are_the_photo_s() -> None:
    mesh = make_grid(PHOTO, WHOLE, depth_of(room(CAMERA)), CAMERA)
    places = mesh.vertices[:, :2] / mesh.vertices[:, 2:] * CAMERA.focal + (60, 45)
    np.testing.assert_allclose(mesh.uv * (120, 90), places, atol=2e-3)
    np.testing.assert_array_equal(mesh.texture, PHOTO.rgb)


def test_spikes_and_specks_leave_no_trace() -> None:
    z = np.array(plane(CAMERA))
    z[20, 30], z[50:52, 60] = 0.4, 0.7
    mesh = make_grid(PHOTO, WHOLE, depth_of(frozen(z)), CAMERA)
    np.testing.assert_array_equal(mesh.vertices[:, 2], 2)
    assert len(mesh.faces) == 2 * z.size


def test_a_blurred_step_becomes_two_clean_sides() -> None:
    z = np.array(step(CAMERA, 50, 1.0, 2.0))
    z[:, 50] = 1.4
    mesh = make_grid(PHOTO, WHOLE, depth_of(frozen(z)), CAMERA)
    assert set(mesh.vertices[:, 2]) == {1.0, 2.0}
    np.testing.assert_allclose(mesh.vertices[mesh.vertices[:, 2] == 1, 0].max(), (51 - 60) / 100, atol=1e-6)


@pytest.mark.parametrize("limit", [10**6, 2000, 300])
def test_the_number_of_samples_is_limited_and_the_area_kept(limit: int) -> None:
    mesh = make_grid(PHOTO, WHOLE, depth_of(plane(CAMERA)), CAMERA, GridSettings(max_samples=limit))
    assert len(mesh.faces) <= 2.2 * limit
    assert area(mesh.vertices, mesh.faces) == pytest.approx(1.2 * 0.9 * 4, rel=1e-5)
    assert mesh.texture.shape == (90, 120, 3)


def test_sparse_depth_is_joined() -> None:
    z = np.where(np.random.default_rng(0).random((90, 120)) < 0.2, plane(CAMERA, (0.2, 0.1, -1)), np.float32(np.nan))
    mesh = make_grid(PHOTO, WHOLE, depth_of(frozen(z)), CAMERA)
    assert len(mesh.faces) > 1.7 * z.size
    assert np.isfinite(mesh.vertices).all()


def test_cleaning_keeps_a_clean_map() -> None:
    for z in (plane(CAMERA, (0.4, 0.1, -1)), plane(CAMERA, (0, -1, 0.3), 0.5)):
        np.testing.assert_array_equal(cleaned_lattice(depth_of(z), CAMERA, 10**6).z, z)
    ball = sphere(CAMERA)
    cleaned = cleaned_lattice(depth_of(ball), CAMERA, 10**6).z
    kept = ~np.isnan(cleaned)
    np.testing.assert_array_equal(kept, ~np.isnan(ball))
    assert (cleaned[kept] != ball[kept]).mean() < 0.006  # tips of the round silhouette
    np.testing.assert_allclose(cleaned[kept], ball[kept], rtol=0.08)


def test_no_surface_is_told() -> None:
    with pytest.raises(BadInput, match="no connected surface"):
        make_grid(PHOTO, WHOLE, depth_of(frozen(np.full((90, 120), np.nan, np.float32))), CAMERA)
