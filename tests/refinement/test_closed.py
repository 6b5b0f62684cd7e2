"""What is written of a refined mesh is closed when it is read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from recon.io.write import write_mesh
from recon.refinement.progress import Reporter
from recon.refinement.texture import _fewer, textured
from recon.render.dmtet import LatticeSurface, apart_from_lattice, marching_tetrahedra, tetrahedral_lattice
from recon.types import Mesh
from tests.refinement import toy
from tests.render import shapes


def marched(distance: torch.Tensor, resolution: int, apart: bool = True) -> LatticeSurface:
    """The surface of a distance on the lattice; apart: off its vertices."""
    places = tetrahedral_lattice(resolution)
    return marching_tetrahedra(apart_from_lattice(distance, resolution) if apart else distance, places, resolution)


def doughnut(resolution: int = 24, noise: float = 0.0, apart: bool = True) -> LatticeSurface:
    """A ring of the radii 0.5 and 0.2; every fourth distance is almost or exactly 0, where vertices would fall together."""
    x, y, z = tetrahedral_lattice(resolution).T
    distance = 0.2 - torch.hypot(torch.hypot(x, y) - 0.5, z)
    rng = torch.Generator().manual_seed(0)
    distance = distance + noise * torch.randn(len(distance), generator=rng)
    near = (distance.abs() < 0.05) & (torch.rand(len(distance), generator=rng) < 0.25)
    tiny = 1e-9 * torch.randn(len(distance), generator=rng) * (torch.rand(len(distance), generator=rng) < 0.5)
    return marched(torch.where(near, tiny, distance), resolution, apart)


@pytest.fixture(scope="module")
def ring() -> Mesh:
    """A refined ring of 3000 faces before the toy camera."""
    surface = doughnut()
    subject = toy.subject()
    grey = (lambda points: torch.full_like(points, 0.5), surface.vertices, surface.faces)
    return textured(subject.reference, subject.frame, *grey, toy.TEXTURE, Reporter())


@pytest.mark.parametrize("name", ["m.ply", "m.stl", "m.glb", "m.obj"])
def test_a_refined_file_is_closed_when_it_is_read(name: str, ring: Mesh, tmp_path: Path) -> None:
    write_mesh(ring, tmp_path / name)
    read = trimesh.load(tmp_path / name, force="mesh")
    if name in ("m.glb", "m.obj"):  # the texture's cuts are theirs
        assert read.visual.uv is not None
        assert len(read.vertices) > ring.source.max() + 1  # type: ignore[union-attr]
        read.merge_vertices(merge_tex=True, merge_norm=True)
    assert read.is_watertight
    assert read.is_winding_consistent
    assert read.euler_number == shapes.euler_characteristic(doughnut().faces)
    assert read.body_count == 1
    radius = toy.subject().frame.radius
    if name == "m.stl":  # its longest side is 100 mm
        radius *= 100 / np.ptp(ring.vertices, axis=0).max()
    assert abs(read.volume / (2 * np.pi**2 * 0.5 * 0.2**2 * radius**3) - 1) < 0.1
    assert len(read.faces) <= toy.TEXTURE.faces


def test_a_file_without_texture_has_no_vertex_twice(ring: Mesh, tmp_path: Path) -> None:
    write_mesh(ring, tmp_path / "m.ply")
    raw = trimesh.load(tmp_path / "m.ply", process=False)
    assert ring.source is not None
    assert ring.colors is not None
    assert len(raw.vertices) == ring.source.max() + 1 < len(ring.vertices)
    assert raw.is_watertight
    np.testing.assert_array_equal(np.asarray(raw.visual.vertex_colors)[ring.source, :3], ring.colors)
    welded = ring.welded()
    np.testing.assert_array_equal(welded.vertices[welded.faces], ring.vertices[ring.faces])
    assert welded.welded() is welded


@pytest.mark.parametrize("count", [3000, 900, 120])
def test_fewer_faces_leave_a_closed_mesh_closed(count: int) -> None:
    whole = doughnut(24, 2e-3)
    vertices, faces = _fewer(whole.vertices, whole.faces, count)
    assert len(faces) <= count + 2
    assert shapes.is_closed(faces)
    assert shapes.euler_characteristic(faces) == shapes.euler_characteristic(whole.faces)
    volume = shapes.signed_volume(vertices, faces)
    assert abs(volume / shapes.signed_volume(whole.vertices, whole.faces) - 1) < (0.02 if count > 500 else 0.15)


def test_no_two_vertices_of_the_final_surface_lie_in_one_place() -> None:
    loose, final = doughnut(apart=False), doughnut()
    apart = [len(np.unique(s.vertices.numpy(), axis=0)) == len(s.vertices) for s in (loose, final)]
    assert apart == [False, True]
    assert shapes.is_closed(final.faces)
    assert len(final.faces) > 1000


def test_the_surface_is_closed_even_where_it_reaches_the_border() -> None:
    full = marched(torch.ones(len(tetrahedral_lattice(6))), 6)
    assert shapes.is_closed(full.faces)
    assert len(np.unique(full.vertices.numpy(), axis=0)) == len(full.vertices)
    assert (2 * 5 / 6) ** 3 < shapes.signed_volume(full.vertices, full.faces) < 8  # the border itself is outside
