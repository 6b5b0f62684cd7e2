"""NeRFs as they are usually written in PyTorch: every ray is sampled densely, nothing is skipped. What
bench.volume_rendering measures against; nothing else uses it.

`Frequency` is the network of Mildenhall et al. 2020 at half its depth and width, without view directions. `RowGrid` is a
hash grid of the same size as ours, looked up the customary way: 64-bit rows of all levels at once, indexed by a tensor.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recon.render.cameras import Rays
from recon.render.hashgrid import FEATURES, GridShape

SAMPLES = 64
"""Per ray, as in the reference's coarse network."""


class Frequency(nn.Module):
    """Positional encoding of 8 octaves and four layers of 128: points to (density, colour)."""

    def __init__(self, octaves: int = 8, hidden: int = 128) -> None:
        super().__init__()
        self.octaves = octaves
        layers: list[nn.Module] = [nn.Linear(3 + 6 * octaves, hidden), nn.ReLU()]
        for _ in range(3):
            layers += [nn.Linear(hidden, hidden), nn.ReLU()]
        self.network = nn.Sequential(*layers, nn.Linear(hidden, 4))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Density (n,) and colour (n, 3) of points (n, 3)."""
        waves = [f(2**octave * x) for octave in range(self.octaves) for f in (torch.sin, torch.cos)]
        out = self.network(torch.cat([x, *waves], -1))
        return nn.functional.softplus(out[:, 0]), out[:, 1:].sigmoid()


class RowGrid(nn.Module):
    """A multiresolution hash grid and a small network, in plain indexing."""

    def __init__(self, shape: GridShape, hidden: int) -> None:
        super().__init__()
        self.shape = shape
        self.table = nn.Parameter((torch.rand(sum(shape.sizes), FEATURES) * 2 - 1) * 1e-4)
        self.network = nn.Sequential(nn.Linear(shape.width, hidden), nn.ReLU(), nn.Linear(hidden, 4))
        scales, resolutions, sizes = (torch.tensor(v) for v in (shape.scales, shape.resolutions, shape.sizes))
        self.scales, self.resolutions, self.sizes = scales, resolutions, sizes
        self.starts = sizes.cumsum(0) - sizes
        self.offsets = torch.tensor([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Density (n,) and colour (n, 3) of points (n, 3)."""
        place = ((x + 1) / 2).clamp(0, 1)[:, None] * self.scales[:, None] + 0.5  # (n, levels, 3)
        base = place.floor()
        u = (place - base)[:, :, None]
        corner = base.long()[:, :, None] + self.offsets  # (n, levels, 8, 3)
        weight = torch.where(self.offsets.bool(), u, 1 - u).prod(-1)
        side = self.resolutions[:, None]
        dense = corner[..., 0] + corner[..., 1] * side + corner[..., 2] * side**2
        hashed = corner[..., 0] ^ (corner[..., 1] * 2654435761) ^ (corner[..., 2] * 805459861)
        row = torch.where(side**3 <= self.sizes[:, None], dense, hashed) % self.sizes[:, None]
        features = (self.table[row + self.starts[:, None]] * weight[..., None]).sum(2).flatten(1)
        out = self.network(features)
        return out[:, 0].exp(), out[:, 1:].sigmoid()


def render_nerf(field: nn.Module, rays: Rays, background: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Colours (n, 3) of rays with SAMPLES stratified samples across the unit ball's box of distances."""
    centre = -(rays.origins * rays.directions).sum(1, keepdim=True)
    jitter = 0.5 if generator is None else torch.rand(len(rays), SAMPLES, generator=generator)
    t = centre - 1 + (torch.arange(SAMPLES) + jitter) * (2 / SAMPLES)
    points = rays.origins[:, None] + t[..., None] * rays.directions[:, None]
    density, colour = field(points.flatten(0, 1))
    alpha = 1 - torch.exp(-density.view(t.shape) * (2 / SAMPLES))
    clear = torch.cumprod(torch.cat((torch.ones_like(alpha[:, :1]), 1 - alpha + 1e-10), 1), 1)[:, :-1]
    weight = alpha * clear
    seen = (weight[..., None] * colour.view(*t.shape, 3)).sum(1)
    return seen + (1 - weight.sum(1, keepdim=True)) * background
