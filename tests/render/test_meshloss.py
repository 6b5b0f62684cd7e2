"""Edges, Laplacian and normal consistency on shapes whose values are known."""

from __future__ import annotations

import math

import pytest
import torch
import trimesh

from recon.render.meshloss import laplacian, normal_loss
from recon.render.topology import edges_of
from tests.render.shapes import ball, crate, ring, turned

SIMPLEX = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
SIMPLEX_FACES = torch.tensor([[0, 1, 2], [0, 3, 1], [0, 2, 3], [1, 3, 2]])


def sheet(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """A flat square of 2·count² right triangles."""
    number = torch.arange((count + 1) ** 2).view(count + 1, count + 1)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
    x, y = torch.meshgrid(torch.arange(count + 1.0), torch.arange(count + 1.0), indexing="ij")
    faces = torch.cat([torch.stack(t, -1).view(-1, 3) for t in ((a, b, c), (a, c, d))])
    return torch.stack([x, y, 0 * x], -1).view(-1, 3), faces


@pytest.mark.parametrize("shape", [ball, crate, ring, lambda: sheet(5)])
def test_edges_are_those_of_a_mesh_library(shape) -> None:
    vertices, faces = shape()
    edges = edges_of(faces)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    assert {tuple(e) for e in edges.ends.tolist()} == {tuple(e) for e in mesh.edges_unique.tolist()}
    assert len(edges.ends) == len(mesh.edges_unique)
    assert {frozenset(pair) for pair in edges.inner.tolist()} == {frozenset(p) for p in mesh.face_adjacency.tolist()}
    for ends, beside, opposite in zip(edges.ends.tolist(), edges.faces.tolist(), edges.opposite.tolist(), strict=True):
        for face, third in zip(beside, opposite, strict=True):
            assert face < 0 or {*ends, third} == set(faces[face].tolist())
        assert beside[1] >= 0 or opposite[0] == opposite[1]


def test_the_laplacian_of_a_regular_simplex_points_to_its_middle() -> None:
    edges = edges_of(SIMPLEX_FACES)
    torch.testing.assert_close(laplacian(SIMPLEX, edges), -4 / 3 * SIMPLEX)


def test_a_flat_sheet_has_neither_inside_it() -> None:
    vertices, faces = sheet(6)
    edges = edges_of(faces)
    inner = ((vertices[:, :2] > 0) & (vertices[:, :2] < 6)).all(1)
    torch.testing.assert_close(laplacian(vertices, edges)[inner], torch.zeros(int(inner.sum()), 3), atol=1e-6, rtol=0)
    assert normal_loss(vertices, faces, edges).item() == pytest.approx(0, abs=1e-6)


def test_normals_of_a_cube_and_of_a_simplex() -> None:
    """12 of a cube's 18 edges are right angles; a regular simplex's outer normals meet at cosine −1/3."""
    vertices, faces = crate()
    assert normal_loss(vertices, faces, edges_of(faces)).item() == pytest.approx(12 / 18)
    assert normal_loss(SIMPLEX, SIMPLEX_FACES, edges_of(SIMPLEX_FACES)).item() == pytest.approx(4 / 3)


def test_a_finer_sphere_is_smoother_by_the_square_of_its_edges() -> None:
    values = []
    for level in (2, 3, 4):
        vertices, faces = ball(level)
        values.append(normal_loss(vertices, faces, edges_of(faces)).item())
    assert values[0] / values[1] == pytest.approx(4, rel=0.05)
    assert values[1] / values[2] == pytest.approx(4, rel=0.05)


def test_neither_minds_where_the_mesh_is_and_the_laplacian_has_a_unit() -> None:
    vertices, faces = ring()
    edges = edges_of(faces)
    moved = 2 * vertices @ turned(0.3, 1.1) + torch.tensor([1.0, 2, 3])
    assert normal_loss(moved, faces, edges).item() == pytest.approx(
        normal_loss(vertices, faces, edges).item(), rel=1e-3
    )
    torch.testing.assert_close(
        laplacian(moved, edges), 2 * laplacian(vertices, edges) @ turned(0.3, 1.1), atol=1e-5, rtol=0
    )


def test_gradients() -> None:
    vertices = SIMPLEX.double().requires_grad_()
    edges = edges_of(SIMPLEX_FACES)
    assert torch.autograd.gradcheck(lambda x: laplacian(x, edges), (vertices,))
    assert torch.autograd.gradcheck(lambda x: normal_loss(x + x**2 / 9, SIMPLEX_FACES, edges), (vertices,))


def test_a_face_without_area_has_finite_gradients() -> None:
    vertices = torch.tensor([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [1, 1, 0]], requires_grad=True)
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    loss = normal_loss(vertices, faces, edges_of(faces))
    loss.backward()
    assert math.isfinite(loss.item())
    assert vertices.grad.isfinite().all()


def test_an_empty_mesh_is_smooth() -> None:
    vertices, faces = torch.zeros(0, 3, requires_grad=True), torch.zeros(0, 3, dtype=torch.int64)
    edges = edges_of(faces)
    assert len(edges.ends) == len(edges.inner) == 0
    total = laplacian(vertices, edges).sum() + normal_loss(vertices, faces, edges)
    assert total == 0
    total.backward()


def test_a_vertex_without_neighbours_stays() -> None:
    vertices = torch.cat([SIMPLEX, torch.full((1, 3), 9.0)])
    assert (laplacian(vertices, edges_of(SIMPLEX_FACES))[4] == 0).all()
