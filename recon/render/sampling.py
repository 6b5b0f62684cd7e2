"""Where rays cross a ball or a box, and the random numbers by which samples are shifted along them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .cameras import Rays


def ball_span(rays: Rays, radius: float = 1.0) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Distances at which rays enter and leave the ball around the origin, not behind their origins; equal on a miss."""
    middle = -(rays.origins * rays.directions).sum(1)
    nearest = rays.origins + middle[:, None] * rays.directions
    half = (radius**2 - (nearest**2).sum(1)).clamp_min(0).sqrt()
    return (middle - half).clamp_min(0), (middle + half).clamp_min(0)


def box_span(
    rays: Rays, low: Float[Tensor, " 3"], high: Float[Tensor, " 3"]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """The same for an axis-aligned box (slab method); on a miss the second is not beyond the first."""
    inverse = 1 / torch.where(rays.directions == 0, 1e-12, rays.directions)
    a, b = (low - rays.origins) * inverse, (high - rays.origins) * inverse
    return torch.minimum(a, b).amax(1).clamp_min(0), torch.maximum(a, b).amin(1).clamp_min(0)


def uniform(shape: torch.Size, like: Float[Tensor, ...], generator: torch.Generator) -> Float[Tensor, ...]:
    """Uniform numbers of the generator, with the type and on the device of `like`; the same on every device."""
    return torch.rand(shape, generator=generator, dtype=like.dtype, device=generator.device).to(like.device)
