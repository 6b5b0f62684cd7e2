"""Other libraries' objects keep every vertex, face, coordinate and colour."""

from __future__ import annotations

import numpy as np
import pytest

from recon.types import Mesh, PointCloud
from tests.scenes import frozen

RNG = np.random.default_rng(0)
VERTICES = frozen(RNG.normal(size=(6, 3)).astype(np.float32))
FACES = frozen(np.array([[0, 1, 2], [2, 1, 3], [4, 5, 0]], np.int32))
COLORS = frozen(RNG.integers(0, 256, (6, 3), dtype=np.uint8))
UV = frozen(RNG.uniform(0, 1, (6, 2)).astype(np.float32))
PICTURE = frozen(RNG.integers(0, 256, (8, 10, 3), dtype=np.uint8))
PLAIN = Mesh(VERTICES, FACES)
COLOURED = PLAIN.with_(colors=COLORS)
TEXTURED = COLOURED.with_(uv=UV, texture=PICTURE)
FLIPPED = np.column_stack([UV[:, 0], 1 - UV[:, 1]])


@pytest.mark.parametrize("mesh", [PLAIN, COLOURED, TEXTURED], ids=["plain", "coloured", "textured"])
def test_every_library_keeps_vertices_and_faces(mesh: Mesh) -> None:
    there = mesh.to_trimesh()
    np.testing.assert_array_equal(there.vertices, VERTICES)
    np.testing.assert_array_equal(there.faces, FACES)
    there = mesh.to_open3d()
    np.testing.assert_array_equal(np.asarray(there.vertices), VERTICES)
    np.testing.assert_array_equal(np.asarray(there.triangles), FACES)
    there = mesh.to_pyvista()
    np.testing.assert_array_equal(there.points, VERTICES)
    np.testing.assert_array_equal(there.regular_faces, FACES)


def test_trimesh_gets_the_texture_with_v_up() -> None:
    visual = TEXTURED.to_trimesh().visual
    np.testing.assert_allclose(visual.uv, FLIPPED, atol=1e-7)
    np.testing.assert_array_equal(np.asarray(visual.material.image), PICTURE)


def test_trimesh_s_own_lookup_finds_the_photo_s_pixel() -> None:
    columns, rows = np.array([0, 9, 3, 5, 8, 1]), np.array([0, 7, 2, 6, 1, 4])
    uv = np.column_stack([(columns + 0.5) / 10, (rows + 0.5) / 8]).astype(np.float32)
    found = TEXTURED.with_(uv=uv).to_trimesh().visual.to_color().vertex_colors
    np.testing.assert_array_equal(found[:, :3], PICTURE[rows, columns])


def test_without_a_texture_trimesh_gets_the_vertex_colours() -> None:
    np.testing.assert_array_equal(COLOURED.to_trimesh().visual.vertex_colors[:, :3], COLORS)


def test_open3d_gets_the_colours() -> None:
    np.testing.assert_array_equal(np.rint(np.asarray(COLOURED.to_open3d().vertex_colors) * 255), COLORS)
    assert not PLAIN.to_open3d().has_vertex_colors()


def test_pyvista_gets_colours_and_coordinates() -> None:
    there = TEXTURED.to_pyvista()
    np.testing.assert_array_equal(there.point_data["rgb"], COLORS)
    np.testing.assert_allclose(there.active_texture_coordinates, FLIPPED, atol=1e-7)
    assert "rgb" not in PLAIN.to_pyvista().point_data


@pytest.mark.parametrize("normals", [None, VERTICES], ids=["without normals", "with normals"])
def test_a_cloud_keeps_points_colours_and_normals(normals: np.ndarray | None) -> None:
    there = PointCloud(VERTICES, COLORS, normals).to_open3d()
    np.testing.assert_array_equal(np.asarray(there.points), VERTICES)
    np.testing.assert_array_equal(np.rint(np.asarray(there.colors) * 255), COLORS)
    assert there.has_normals() == (normals is not None)
    if normals is not None:
        np.testing.assert_array_equal(np.asarray(there.normals), normals)
