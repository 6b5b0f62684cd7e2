"""The `poisson` surface: near the true one, without membranes, facing the camera."""

from __future__ import annotations

import numpy as np
import pytest

from bench.score import f_score, in_mid_air, sample_surface, truth
from recon.errors import BadInput
from recon.settings import PoissonSettings
from recon.stages.surface_poisson import make_poisson
from recon.types import Mesh
from tests.scenes import (
    WHOLE,
    camera_of,
    depth_of,
    face_cross,
    faces_camera,
    frozen,
    nearest,
    off_the_room,
    photo_of,
    plane,
    room,
    sphere,
    step,
)

CAMERA = camera_of(160, 120, 140.0)
PHOTO = photo_of(CAMERA)


def share_facing(mesh: Mesh) -> float:
    """Share of the area that winds towards the camera."""
    size = np.linalg.norm(face_cross(mesh.vertices, mesh.faces), axis=1)
    return float(size[faces_camera(mesh.vertices, mesh.faces)].sum() / size.sum())


def poisson(z: np.ndarray, depth: int = 7) -> Mesh:
    return make_poisson(PHOTO, WHOLE, depth_of(z), CAMERA, PoissonSettings(depth=depth))


def test_a_sphere_s_surface_lies_on_the_sphere() -> None:
    z = sphere(CAMERA)
    mesh = poisson(z)
    points = sample_surface(mesh.vertices, mesh.faces, 20_000)
    off = np.abs(np.linalg.norm(points - (0, 0, 3), axis=1) - 1)
    assert np.median(off) < 0.002
    assert np.quantile(off, 0.95) < 0.012
    assert off.max() < 0.06
    assert f_score(points, truth(z, CAMERA), 0.01)[0] > 0.97
    assert faces_camera(mesh.vertices, mesh.faces).mean() > 0.99


@pytest.mark.parametrize("normal", [(0, 0, -1), (0.5, 0.3, -1)])
def test_a_plane_stays_a_plane(normal: tuple[float, float, float]) -> None:
    mesh = poisson(plane(CAMERA, normal))
    n = np.array(normal) / np.linalg.norm(normal)
    off = np.abs(mesh.vertices @ n + 2)
    assert np.quantile(off, 0.98) < 0.004
    assert off.max() < 0.03
    np.testing.assert_allclose(
        [mesh.uv.min(axis=0), mesh.uv.max(axis=0)], [[0, 0], [1, 1]], atol=0.02
    )  # reaches the photo's border


def test_a_step_has_no_membrane() -> None:
    z = step(CAMERA, 70, 1.0, 2.0)
    mesh = poisson(z)
    points = sample_surface(mesh.vertices, mesh.faces, 20_000)
    assert in_mid_air(points, truth(z, CAMERA)) <= 0.01
    level = np.minimum(np.abs(points[:, 2] - 1), np.abs(points[:, 2] - 2) / 2)
    assert (level < 0.02).mean() > 0.99


def test_a_room_is_whole_and_without_membranes() -> None:
    z = room(CAMERA)
    mesh = poisson(z)
    points = sample_surface(mesh.vertices, mesh.faces, 40_000)
    off = off_the_room(points)
    assert np.median(off) < 0.003
    assert (off > 0.05).mean() <= 0.001  # 1 % of the room's depth
    f, precision, recall = f_score(points, truth(z, CAMERA), 0.01)
    assert f > 0.99
    assert min(precision, recall) > 0.985
    assert share_facing(mesh) > 0.995


def test_nothing_stands_where_nothing_was_seen() -> None:
    """Every vertex projects to within one step of a sample and lies within the trim of its depth."""
    z = nearest(sphere(CAMERA, (-0.4, 0, 3), 0.6), sphere(CAMERA, (0.8, 0.2, 4), 0.7))
    mesh = poisson(z)
    seen = mesh.vertices[:, :2] / mesh.vertices[:, 2:] * CAMERA.focal + (80, 60)
    columns, rows = np.floor(seen).astype(int).T
    around = np.pad(z, 2, constant_values=np.nan)
    gap = np.full(len(seen), np.inf)
    for i in range(5):
        for j in range(5):
            there = around[np.clip(rows + i, 0, 123), np.clip(columns + j, 0, 163)]
            gap = np.fmin(gap, np.abs(mesh.vertices[:, 2] - there) / there)
    assert (gap <= PoissonSettings().trim * 1.001).mean() > 0.99  # the outline is cut between vertices
    assert gap.max() <= PoissonSettings().trim * 1.5


def test_a_deeper_octree_has_more_and_closer_faces() -> None:
    z = sphere(CAMERA)
    coarse, fine = poisson(z, 5), poisson(z, 7)
    assert len(fine.faces) > 2 * len(coarse.faces)
    errors = [
        np.abs(np.linalg.norm(sample_surface(m.vertices, m.faces, 9000) - (0, 0, 3), axis=1) - 1).mean()
        for m in (coarse, fine)
    ]
    assert errors[1] < 0.75 * errors[0]


def test_depth_in_other_units_gives_the_same_shape() -> None:
    z = room(CAMERA)
    one, thousand = poisson(z, 6), poisson(frozen(z * np.float32(1000)), 6)
    assert len(thousand.faces) == pytest.approx(len(one.faces), rel=0.02)
    here, there = (sample_surface(m.vertices, m.faces, 9000) for m in (one, thousand))
    assert f_score(there / 1000, truth(z, CAMERA), 0.01)[0] == pytest.approx(
        f_score(here, truth(z, CAMERA), 0.01)[0], abs=0.01
    )


def test_too_few_points_are_told() -> None:
    z = np.full((120, 160), np.nan, np.float32)
    z[50:56, 50:56] = 2
    with pytest.raises(BadInput, match="too few for a surface"):
        poisson(frozen(z))
