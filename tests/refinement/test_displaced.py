"""A mesh that is moved stays closed, keeps its shape and its thin parts, and loses steps that no network has meant."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from recon.geometry.closed import is_closed
from recon.geometry.edge_split import split_long_edges
from recon.refinement.stages.displaced_mesh import DisplacedMesh, prepared
from recon.render.large_steps import Preconditioner, UniformAdam, combinatorial_laplacian, faired
from recon.render.raster import face_normals
from recon.render.topology import edges_of
from tests.render import shapes


def longest_edge(vertices: np.ndarray, faces: np.ndarray) -> float:
    """Of a mesh."""
    corners = vertices[faces]
    return float(np.linalg.norm(corners - np.roll(corners, -1, axis=1), axis=2).max())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**16), st.floats(0.1, 1.0))
@example(0, 1 - 2.0**-53)  # between two float32 numbers
def test_long_edges_are_cut_and_nothing_else_changes(seed: int, share: float) -> None:
    vertices, faces = (part.numpy() for part in shapes.ball(2))
    stretch = np.random.default_rng(seed).uniform(0.2, 5, 3).astype(np.float32)
    vertices, faces = vertices * stretch, faces.astype(np.int32)
    longest = share * longest_edge(vertices, faces)
    found, triangles = split_long_edges(vertices, faces, longest)
    assert is_closed(triangles)
    assert longest_edge(found, triangles) <= longest
    np.testing.assert_array_equal(found[: len(vertices)], vertices)
    before, after = (
        shapes.signed_volume(torch.from_numpy(v), torch.from_numpy(f).long())
        for v, f in ((vertices, faces), (found, triangles))
    )
    assert after == pytest.approx(before, rel=1e-4)


def test_a_mesh_without_long_edges_stays_as_it_was() -> None:
    vertices, faces = (part.numpy() for part in shapes.ball(1))
    found, triangles = split_long_edges(vertices, faces.astype(np.int32), 10.0)
    np.testing.assert_array_equal(found, vertices)
    np.testing.assert_array_equal(triangles, faces)


def test_latent_and_vertices_are_one_and_gradients_are_those_of_the_system() -> None:
    vertices, faces = shapes.ball(2)
    made = Preconditioner(faces, len(vertices), 6.0)
    latent = made.latent(vertices)
    torch.testing.assert_close(made(latent), vertices, atol=1e-5, rtol=0)
    dense = torch.from_numpy(combinatorial_laplacian(faces, len(vertices)).toarray())
    system = torch.eye(len(vertices), dtype=torch.float64) + 6 * dense
    wanted = torch.randn(len(vertices), 3, generator=torch.Generator().manual_seed(0))
    leaf = latent.clone().requires_grad_()
    (made(leaf) * wanted).sum().backward()
    assert leaf.grad is not None
    torch.testing.assert_close(leaf.grad.double(), torch.linalg.solve(system, wanted.double()), atol=1e-5, rtol=0)


def test_fairing_keeps_a_wave_by_the_closed_form() -> None:
    """Along a tube of hexagons, as on any regular mesh, the Laplacian's own waves are known."""
    around, along = 24, 48
    j, i = torch.meshgrid(torch.arange(along), torch.arange(around), indexing="ij")
    index = (j * around + i).flatten()
    right, down = (j * around + (i + 1) % around).flatten(), ((j + 1) % along * around + i).flatten()
    both = ((j + 1) % along * around + (i + 1) % around).flatten()
    faces = torch.cat([torch.stack([index, right, both], 1), torch.stack([index, both, down], 1)])
    wave = torch.cos(2 * torch.pi * 4 * j.flatten() / along)
    vertices = torch.stack([wave, torch.zeros_like(wave), torch.zeros_like(wave)], 1)
    eigenvalue = 4 * (1 - np.cos(2 * np.pi * 4 / along))  # two edges along, two aslant
    found = faired(vertices, faces, torch.full((len(wave),), 2.0), 30.0)
    lost = (1 - 1 / (1 + 15 * eigenvalue**2)) ** 2
    torch.testing.assert_close(found[:, 0], (1 - lost) * wave, atol=1e-4, rtol=0)


def test_uniform_adam_moves_by_the_gradient_and_the_other_one_by_its_sign() -> None:
    moved = []
    for uniform in (True, False):
        place = torch.nn.Parameter(torch.zeros(2, 3))
        adam = UniformAdam([{"params": [place], "uniform": uniform}], lr=0.1)
        place.grad = torch.tensor([[1.0, 0.1, 0.0], [0.0, 0.0, -0.01]])
        adam.step()
        moved.append(place.detach())
    torch.testing.assert_close(moved[0], -0.1 * place.grad, atol=1e-6, rtol=0)
    torch.testing.assert_close(moved[1], -0.1 * place.grad.sign(), atol=1e-6, rtol=0)


def rough_ball() -> tuple[torch.Tensor, torch.Tensor]:
    """A ball with steps of a third of an edge, as a lattice of samples leaves them."""
    vertices, faces = shapes.ball(4, 1.0)
    step = 0.015
    return (vertices / step).round() * step, faces


def roughness(vertices: torch.Tensor, faces: torch.Tensor) -> float:
    """Mean angle between the normals of neighbouring faces, in degrees."""
    normals = face_normals(vertices, faces)
    one, other = edges_of(faces).inner.unbind(1)
    return float(torch.rad2deg((normals[one] * normals[other]).sum(1).clamp(-1, 1).acos()).mean())


def test_steps_are_smoothed_away_and_the_ball_stays() -> None:
    vertices, faces = rough_ball()
    found, triangles = prepared(vertices, faces, torch.tensor([0.0, 0.0, -4.0]))
    assert roughness(found, triangles) < 0.5 * roughness(vertices, faces)
    assert (found.norm(dim=1) - 1).abs().mean() < 0.005
    assert is_closed(triangles.int().numpy())


def test_a_thin_rod_stays_a_rod() -> None:
    """Six edges round, which fairing without regard to width makes a third thinner."""
    vertices, faces = shapes.ball(2)
    rod = vertices * torch.tensor([0.15, 0.15, 3.0])
    found, triangles = prepared(rod, faces)
    assert shapes.signed_volume(found, triangles) > 0.85 * shapes.signed_volume(rod, faces)


def test_a_displaced_mesh_is_kept_and_wears_its_colours_where_it_is_nearest() -> None:
    vertices, faces = shapes.ball(3, 1.0)
    colour = (vertices + 1) / 2
    mesh = DisplacedMesh(vertices, faces, colour, 6.0)
    again = DisplacedMesh.of_state(mesh.state_dict(), 6.0)
    assert torch.equal(mesh.vertices(), again.vertices()) and torch.equal(mesh.colour, again.colour)
    points = 1.05 * vertices[:50]
    torch.testing.assert_close(mesh.colours_at(points), colour[:50], atol=0.02, rtol=0)
    places, triangles = mesh.final()
    assert torch.equal(triangles, faces) and len(places.unique(dim=0)) == len(places)
