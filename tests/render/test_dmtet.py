"""Marching tetrahedra: closed surfaces whatever the field, the right ones where it is a distance."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.dmtet import EDGES, _case, marching_tetrahedra, on_border, tetrahedral_lattice
from tests.render.shapes import euler_characteristic, is_closed, signed_volume

LAW = settings(max_examples=20, deadline=None, derandomize=True)
RADIUS = 0.7


def test_a_sphere_is_closed_and_right_to_second_order() -> None:
    errors = []
    for resolution in (16, 32, 64):
        places = tetrahedral_lattice(resolution)
        surface = marching_tetrahedra(RADIUS - places.norm(dim=1), places, resolution)
        away = (surface.vertices.norm(dim=1) - RADIUS).abs().max().item()
        volume = signed_volume(surface.vertices, surface.faces)
        assert volume > 0
        errors.append((away, abs(volume / (4 / 3 * math.pi * RADIUS**3) - 1)))
        assert is_closed(surface.faces)
        assert euler_characteristic(surface.faces) == 2
        assert surface.faces.unique().numel() == len(surface.vertices)
    for (away, volume), (finer, less) in pairwise(errors):
        assert away / finer == pytest.approx(4, rel=0.15)
        assert volume / less == pytest.approx(4, rel=0.05)
    assert errors[-1][0] < 2e-4
    assert errors[-1][1] < 6e-4


@LAW
@given(st.integers(0, 9999), st.integers(2, 9), st.floats(0.0, 1.0))
def test_any_field_gives_a_closed_surface_with_its_inside_inside(seed: int, resolution: int, level: float) -> None:
    """White noise, zeros among it, to the very border; positions moved by up to a quarter of a cube."""
    rng = torch.Generator().manual_seed(seed)
    places = tetrahedral_lattice(resolution)
    field = torch.rand(len(places), generator=rng) - level
    field[torch.rand(len(places), generator=rng) < 0.1] = 0.0
    moved = places + (torch.rand(places.shape, generator=rng) - 0.5) * 0.5 / resolution / math.sqrt(3)
    surface = marching_tetrahedra(field, moved, resolution)
    assert is_closed(surface.faces)
    assert surface.vertices.isfinite().all()
    inside = (field > 0) & ~on_border(resolution)
    volume = signed_volume(surface.vertices, surface.faces)
    assert volume >= -1e-6
    assert (volume > 1e-9) == bool(inside.any())
    assert inside[surface.edges[:, 0]].all()
    assert not inside[surface.edges[:, 1]].any()


@pytest.mark.parametrize("normal", [(1.0, 0, 0), (0, -1.0, 0), (0.3, 0.5, -0.8), (-1.0, -1, 1)])
def test_a_plane_is_exact_and_faces_outwards(normal: tuple[float, float, float]) -> None:
    """Linear interpolation of a linear field; an open surface that ends at the lattice's border."""
    out = torch.nn.functional.normalize(torch.tensor(normal), dim=0)
    places = tetrahedral_lattice(8)
    surface = marching_tetrahedra(0.123 - places @ out, places, 8, closed=False)
    torch.testing.assert_close(surface.vertices @ out, torch.full((len(surface.vertices),), 0.123), atol=1e-6, rtol=0)
    a, b, c = surface.vertices[surface.faces].unbind(1)
    area = torch.linalg.cross(b - a, c - a)
    torch.testing.assert_close(area, (area @ out)[:, None] * out, atol=1e-6, rtol=0)
    assert (area @ out >= -1e-9).all()


@pytest.mark.parametrize("case", range(16))
def test_every_case_parts_the_corners_of_a_tetrahedron(case: int) -> None:
    """All edges between inside and outside are used, no other, and the triangles look away from the inside."""
    corners = torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    inside = [bool(case >> i & 1) for i in range(4)]
    crossed = {i for i, (a, b) in enumerate(EDGES) if inside[a] != inside[b]}
    assert {edge for triangle in _case(case) for edge in triangle} == crossed
    for triangle in _case(case):
        a, b, c = (corners[list(EDGES[edge])].mean(0) for edge in triangle)
        normal = torch.linalg.cross(b - a, c - a)
        for corner, within in zip(corners, inside, strict=True):
            assert ((corner - a) @ normal < 0) == within


def test_gradients_of_field_and_positions() -> None:
    places = tetrahedral_lattice(3).double()
    field = 0.6 - places.norm(dim=1) + 0.05 * torch.sin(9 * places[:, 0])

    def vertices(f: torch.Tensor, p: torch.Tensor) -> torch.Tensor:
        return marching_tetrahedra(f, p, 3).vertices

    inputs = field.clone().requires_grad_(), places.clone().requires_grad_()
    assert torch.autograd.gradcheck(vertices, inputs, fast_mode=True)


def test_a_field_finds_a_sphere_by_the_gradients_of_its_surface() -> None:
    places = tetrahedral_lattice(12)
    field = (0.45 - places.abs().amax(1)).requires_grad_()  # a cube
    descent = torch.optim.Adam([field], lr=0.01)
    for _ in range(60):
        surface = marching_tetrahedra(field, places, 12)
        loss = (surface.vertices.norm(dim=1) - RADIUS).square().mean()
        descent.zero_grad()
        loss.backward()
        descent.step()
    assert loss < 2e-4  # 0.02 at first
    assert euler_characteristic(surface.faces) == 2


def test_nothing_inside_is_an_empty_mesh() -> None:
    places = tetrahedral_lattice(4)
    surface = marching_tetrahedra(-torch.ones(len(places)), places, 4)
    assert surface.vertices.shape == surface.faces.shape == (0, 3)
