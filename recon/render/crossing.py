"""Pictures of a field by equally many samples on each ray's way through the cube from −1 to 1.

This is how feed-forward reconstructors render (LRM, TripoSR): a step's opacity comes from its share of the ray's whole way,
not from its length, so that a crossing of the cube is as opaque aslant as along an axis. `march` renders by lengths.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .cameras import Pinhole, Rays
from .fields import Field
from .march import RenderedView
from .volume import composite_over

SAMPLES = 128
WALL = 1 - 1e-3
"""Half the cube's side for rays: at its very walls a field may end."""
SHORTEST = 0.01
"""Ways through the cube that are shorter show nothing, in TripoSR's renderer in its own unit."""
CROSSING = 2.0
"""The length of a crossing along an axis, by which a density per unit of length is one per crossing."""
CHUNK = 2**20
"""Samples that are looked at once."""


@torch.no_grad()
def render_crossings(
    field: Field, camera: Pinhole, background: Float[Tensor, " 3"], samples: int = SAMPLES, shortest: float = SHORTEST
) -> RenderedView:
    """A camera's whole picture of a field, without gradients. shortest: in the world's unit."""
    rays = camera.rays()
    size = max(1, CHUNK // samples)
    parts = [_crossed(field, rays[first : first + size], samples, shortest) for first in range(0, len(rays), size)]
    colour, opacity, depth = (torch.cat(each).to(background.device) for each in zip(*parts, strict=True))
    shape = (camera.height, camera.width)
    depth = torch.where(opacity >= 0.5, depth / opacity.clamp_min(1e-6), torch.nan)
    return RenderedView(
        composite_over(colour, opacity, background[None]).view(*shape, 3), opacity.view(shape), depth.view(shape)
    )


def _crossed(field: Field, rays: Rays, samples: int, shortest: float) -> tuple[Tensor, Tensor, Tensor]:
    """(colour that is not divided by opacity, opacity, opacity times depth) of rays."""
    near, far = _way(rays)
    hit = (far - near > shortest).nonzero().squeeze(1)
    colour, opacity, depth = rays.origins.new_zeros(len(rays), 3), *rays.origins.new_zeros(2, len(rays))
    if not len(hit):
        return colour, opacity, depth
    share = (torch.arange(samples, device=near.device) + 0.5) / samples
    middle = near[hit, None] * (1 - share) + far[hit, None] * share
    points = rays.origins[hit, None] + middle[..., None] * rays.directions[hit, None]
    density, albedo, _ = field(points.view(-1, 3))
    optical = CROSSING / samples * density.view(len(hit), samples)
    before = torch.cat([torch.zeros_like(optical[:, :1]), optical[:, :-1].cumsum(1)], 1)  # no difference: both may be ∞
    passed = (-before).exp()
    weight = -torch.expm1(-optical) * passed
    colour[hit] = (weight[..., None] * albedo.view(len(hit), samples, 3)).sum(1)
    opacity[hit] = weight.sum(1)
    depth[hit] = (weight * middle).sum(1) * rays.forward[hit]
    return colour, opacity, depth


def _way(rays: Rays) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Where rays enter the cube and leave it; they leave before they enter where they miss it (slabs: Kay and Kajiya
    1986)."""
    along = torch.where(rays.directions.abs() < 1e-6, torch.full_like(rays.directions, 1e-6), rays.directions)
    ends = torch.stack([(WALL - rays.origins) / along, (-WALL - rays.origins) / along])
    return ends.amin(0).amax(1).clamp_min(0), ends.amax(0).amin(1)
