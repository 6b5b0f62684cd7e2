"""The pieces together: shapes found from pictures of them alone, by the gradients of rasteriser and marching tetrahedra."""

from __future__ import annotations

import torch

from recon.render.antialias import antialias
from recon.render.dmtet import marching_tetrahedra, tetrahedral_lattice
from recon.render.meshloss import laplacian
from recon.render.raster import interpolate, rasterise, scatter
from recon.render.topology import Edges, edges_of
from tests.render.shapes import ball, camera, is_closed, signed_volume

FOCAL, SIZE = 60.0, (48, 48)
AROUND = [camera(2.6, x, y) for x, y in ((0.0, 0.0), (0.0, 1.57), (1.57, 0.0), (0.6, 0.8), (-0.6, 2.4), (0.6, 3.9))]
RADII = torch.tensor([0.9, 0.5, 0.7])


def shown(vertices: torch.Tensor, faces: torch.Tensor, edges: Edges, c2w: torch.Tensor) -> torch.Tensor:
    """Coverage, and the places on the surface as colours."""
    seen = rasterise(vertices, faces, c2w, FOCAL, SIZE)
    places = interpolate(vertices, seen)
    return antialias(scatter(torch.cat([torch.ones_like(places[:, :1]), places], 1), seen), seen, edges)


def targets() -> list[torch.Tensor]:
    vertices, faces = ball(4, 1.0)
    return [shown(vertices * RADII, faces, edges_of(faces), c2w) for c2w in AROUND]


def test_a_ball_becomes_the_ellipsoid_whose_silhouettes_it_is_shown() -> None:
    wanted = targets()
    vertices, faces = ball(3, 0.6)
    edges = edges_of(faces)
    vertices.requires_grad_()
    descent = torch.optim.Adam([vertices], lr=0.02)
    for step in range(90):
        view = step % len(AROUND)
        off = shown(vertices, faces, edges, AROUND[view])[..., 0] - wanted[view][..., 0]
        loss = off.square().mean() + 5 * laplacian(vertices, edges).square().sum() / len(vertices)
        descent.zero_grad()
        loss.backward()
        descent.step()
    for c2w, target in zip(AROUND, wanted, strict=True):
        found = shown(vertices, faces, edges, c2w)[..., 0]
        overlap = torch.minimum(found, target[..., 0]).sum() / torch.maximum(found, target[..., 0]).sum()
        assert overlap > 0.95  # 0.58 to 0.81 at first


def test_a_field_on_tetrahedra_finds_it_too_and_stays_closed() -> None:
    wanted = targets()
    places = tetrahedral_lattice(12)
    field = (0.55 - places.norm(dim=1)).requires_grad_()
    descent = torch.optim.Adam([field], lr=0.01)
    for step in range(120):
        surface = marching_tetrahedra(field, places, 12)
        view, edges = step % len(AROUND), edges_of(surface.faces)
        found = shown(surface.vertices, surface.faces, edges, AROUND[view])
        loss = (found - wanted[view]).square().mean()
        loss = loss + 0.5 * laplacian(surface.vertices, edges).square().sum() / len(surface.vertices)
        descent.zero_grad()
        loss.backward()
        descent.step()
    assert is_closed(surface.faces)
    away = ((surface.vertices.detach() / RADII).norm(dim=1) - 1).abs()
    assert away.mean() < 0.06  # a third of a lattice step; 0.17 at first
    volume = 4 / 3 * torch.pi * float(RADII.prod())
    assert abs(signed_volume(surface.vertices.detach(), surface.faces) / volume - 1) < 0.1
