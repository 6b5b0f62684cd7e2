"""A function on the lattice of tetrahedra without what is finer than it and would show as a pattern of its cells."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

SMOOTH = 0.7
"""Cells: standard deviation of the Gaussian."""


@torch.no_grad()
def smoothed(values: Float[Tensor, " n"], resolution: int, spread: float = SMOOTH) -> Float[Tensor, " n"]:
    """Values at the vertices of `tetrahedral_lattice(resolution)` blurred by a Gaussian of `spread` cells, constant beyond
    its border. What is linear stays as it is, but near the border."""
    corners = (resolution + 1) ** 3
    parts = (values[:corners], resolution + 1), (values[corners:], resolution)
    return torch.cat([_blurred(part.view((side,) * 3), spread).flatten() for part, side in parts])


def _blurred(volume: Float[Tensor, "n n n"], spread: float) -> Float[Tensor, "n n n"]:
    reach = max(1, round(3 * spread))
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=volume.device) / spread) ** 2)
    weights = weights / weights.sum()
    out = volume[None, None]
    for _ in range(3):  # along the last axis, then the axes turn
        out = F.conv3d(F.pad(out, (reach, reach, 0, 0, 0, 0), mode="replicate"), weights.view(1, 1, 1, 1, -1))
        out = out.permute(0, 1, 4, 2, 3)
    return out[0, 0]
