"""A mesh that is never anything but the zero of a function, so that it stays closed and does not cut itself.

What is fitted is an offset on a coarser grid than the lattice of tetrahedra: Adam moves everything that it is given about
as far, and where that were the lattice's own vertices, each would go its own way and the surface would become terraces of a
cell.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from recon.render.dmtet import LatticeSurface, marching_tetrahedra, on_border, tetrahedral_lattice

COARSER = 2
"""Cells of the lattice along an axis in one of the offset's grid."""
APART = 1e-3
"""Of a cube's edge: how far a final surface keeps from the lattice's vertices, where it would shrink faces to points."""


class TetrahedralMesh(nn.Module):
    """A mesh as the zero of a signed distance, positive inside: `distance`, as it began, and `offset` [z, y, x] laid over
    it, which is fitted; least: what their sum may not fall below, no bound if None."""

    distance: Tensor
    least: Tensor
    positions: Tensor

    def __init__(
        self, distance: Float[Tensor, " n"], resolution: int, least: Float[Tensor, " n"] | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("distance", distance.clone())
        self.register_buffer("least", torch.full_like(distance, -torch.inf) if least is None else least)
        self.resolution = resolution
        nodes = (resolution // COARSER + 1,) * 3
        self.offset = nn.Parameter(torch.zeros(nodes, device=distance.device))
        self.register_buffer("positions", tetrahedral_lattice(resolution).to(distance.device), persistent=False)

    def total(self) -> Float[Tensor, " n"]:
        """The signed distance as it is now, at the lattice's vertices."""
        places = self.positions[None, None, None]
        moved = F.grid_sample(self.offset[None, None], places, padding_mode="border", align_corners=True)
        return torch.maximum(self.distance + moved.flatten(), self.least)

    def surface(self) -> LatticeSurface:
        """The mesh, with gradients."""
        return marching_tetrahedra(self.total(), self.positions, self.resolution)

    @torch.no_grad()
    def final(self) -> LatticeSurface:
        """The mesh with no two vertices in one place."""
        return marching_tetrahedra(apart_from_lattice(self.total(), self.resolution), self.positions, self.resolution)


def apart_from_lattice(distance: Float[Tensor, " n"], resolution: int) -> Float[Tensor, " n"]:
    """A signed distance at the lattice's vertices of which none is so near to 0 that vertices of the surface fall
    together."""
    least = APART * 2 / resolution
    inside = (distance > 0) & ~on_border(resolution).to(distance.device)
    return torch.where(inside, distance.clamp_min(least), distance.clamp_max(-least))
