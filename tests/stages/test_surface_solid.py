"""The `solid` surface: closed, wound outwards, of the right size."""

from __future__ import annotations

import math

import numpy as np
import pytest
import trimesh

from recon.errors import BadInput
from recon.settings import SolidSettings
from recon.stages.surface_solid import make_solid
from recon.types import Mask, Mesh
from tests.scenes import (  # fmt: skip
    WHOLE,
    box,
    camera_of,
    depth_of,
    frozen,
    is_closed,
    nearest,
    photo_of,
    plane,
    room,
    seen_depth,
    sphere,
    volume,
)

CAMERA = camera_of(120, 90, 100.0)
PHOTO = photo_of(CAMERA)


def subject(inside: np.ndarray) -> Mask:
    return Mask(frozen(inside), "file")


def solid_volume(mesh: Mesh) -> float:
    whole = mesh.welded()
    return float(volume(whole.vertices, whole.faces))


def check_solid(mesh: Mesh) -> None:
    assert ((mesh.uv >= 0) & (mesh.uv <= 1)).all()
    mesh = mesh.welded()
    assert is_closed(mesh.faces)
    found = trimesh.Trimesh(mesh.vertices, mesh.faces, process=False)
    assert found.is_watertight
    assert found.is_winding_consistent
    assert found.is_volume
    assert solid_volume(mesh) > 0
    assert all(part.volume > 0 for part in found.split(only_watertight=False))
    assert np.isfinite(mesh.vertices).all()
    assert mesh.vertices[:, 2].min() > 0


def test_a_ball_from_afar_becomes_a_ball() -> None:
    far = camera_of(120, 90, 1080.0)
    z = sphere(far, (0, 0, 30))
    mesh = make_solid(PHOTO, subject(~np.isnan(z)), depth_of(z), far)
    check_solid(mesh)
    # the rim's own depth lies between the last samples and the true silhouette, so the halves meet a little early
    assert 0.8 < solid_volume(mesh) / (4 / 3 * math.pi) < 1.02
    np.testing.assert_allclose(mesh.vertices.min(axis=0), [-1, -1, 29], atol=0.02)
    np.testing.assert_allclose(mesh.vertices.max(axis=0), [1, 1, 30.9], atol=0.15)


def test_a_ball_near_by_is_closed_behind_its_silhouette() -> None:
    """Seen from three radii away, a ball shows less than its half; the back bulges by the silhouette's radius."""
    z = sphere(CAMERA)
    mesh = make_solid(PHOTO, subject(~np.isnan(z)), depth_of(z), CAMERA)
    check_solid(mesh)
    silhouette = math.sqrt(1 - 1 / 9)
    cap = math.pi * (2 / 3) ** 2 * (3 - 2 / 3) / 3
    exact = cap + 2 / 3 * math.pi * silhouette**3
    assert solid_volume(mesh) == pytest.approx(exact, rel=0.15)
    assert mesh.vertices[:, 2].min() == pytest.approx(2, abs=0.01)
    assert mesh.vertices[:, 2].max() == pytest.approx(3 - 1 / 3 + silhouette, rel=0.08)
    front = z < 2.6
    off = np.abs(seen_depth(mesh, CAMERA) / z - 1)[front]  # rays through vertices may slip through to the back
    assert np.quantile(off, 0.95) < 0.004


def test_the_front_is_the_depth_whatever_the_subject() -> None:
    z = nearest(box(CAMERA, (-0.9, -0.5, 3), (0.3, 0.6, 4)), sphere(CAMERA, (0.5, 0, 3.4), 0.6))
    mesh = make_solid(PHOTO, subject(~np.isnan(z)), depth_of(z), CAMERA)
    check_solid(mesh)
    seen = seen_depth(mesh, CAMERA)
    known = ~np.isnan(z)
    assert (np.abs(seen / z - 1)[known] < 0.02).mean() > 0.95
    assert np.isfinite(seen[known]).mean() > 0.99


@pytest.mark.parametrize("seed", range(6))
def test_ragged_masks_with_holes_pinches_and_threads_are_closed(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inside = np.zeros((90, 120), bool)
    inside[20:70, 20:100] = np.kron(rng.random((25, 40)) < 0.75, np.ones((2, 2))).astype(bool)
    inside[45, 5:110] = True  # one sample wide
    inside[5:85, 60] = True
    z = room(CAMERA)
    holed = np.where(rng.random(z.shape) < 0.02, np.float32(np.nan), z)
    check_solid(make_solid(PHOTO, subject(inside), depth_of(frozen(holed)), CAMERA))


@pytest.mark.parametrize("limit", [10**6, 1500])
def test_a_scene_becomes_a_relief_with_a_flat_base(limit: int) -> None:
    z = room(CAMERA)
    settings = SolidSettings(max_samples=limit)
    mesh = make_solid(PHOTO, WHOLE, depth_of(z), CAMERA, settings)
    check_solid(mesh)
    half = len(mesh.vertices) // 2
    front, base = mesh.vertices[:half], mesh.vertices[half:]
    assert np.ptp(base[:, 2]) == 0
    assert base[0, 2] == pytest.approx(5 + settings.base * (5 - z.min()), rel=1e-3)
    assert front[:, 2].max() <= 5.0001
    np.testing.assert_allclose(
        front[:, :2] / front[:, 2:], base[:, :2] / base[:, 2:], atol=1e-6
    )  # walls along the rays
    solid_angle = 1.2 * 0.9
    exact = solid_angle * (base[0, 2] ** 3 - (np.minimum(z, 5.0) ** 3).mean()) / 3  # ∫ z² dz over each pixel's pyramid
    assert solid_volume(mesh) == pytest.approx(exact, rel=0.01 if limit > z.size else 0.03)


def test_a_slab_s_volume_is_exact() -> None:
    mesh = make_solid(PHOTO, WHOLE, depth_of(plane(CAMERA)), CAMERA)
    floor = 2 + 0.08 * 0.05 * 2
    assert solid_volume(mesh) == pytest.approx(1.2 * 0.9 * (floor**3 - 8) / 3, rel=1e-3)


def test_sky_is_put_at_the_far_end() -> None:
    z = np.array(room(CAMERA))
    z[:30] = np.nan
    mesh = make_solid(PHOTO, WHOLE, depth_of(frozen(z)), CAMERA)
    check_solid(mesh)
    seen = seen_depth(mesh, CAMERA)
    np.testing.assert_allclose(seen[:28], 5, rtol=1e-3)
    base = mesh.vertices[len(mesh.vertices) // 2 :, 2]
    assert np.ptp(base) == 0
    assert base[0] > np.nanmax(z)


def test_specks_apart_from_the_subject_are_left_out() -> None:
    z = sphere(CAMERA)
    inside = ~np.isnan(z)
    inside[3:5, 3:5] = True
    mesh = make_solid(PHOTO, subject(inside), depth_of(frozen(np.where(np.isnan(z), 3, z))), CAMERA)
    assert mesh.welded().to_trimesh().body_count == 1


def test_nothing_to_make_a_solid_of_is_told() -> None:
    nothing = depth_of(frozen(np.full((90, 120), np.nan, np.float32)))
    with pytest.raises(BadInput, match="no surface is left"):
        make_solid(PHOTO, WHOLE, nothing, CAMERA)
