"""Where along a ray to look.

`edges` (n, s + 1) are increasing distances; interval i lies between edges i and i + 1. `weights` (n, s) belong to the
intervals: together they are a histogram along the ray.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .cameras import Rays

PADDING = 0.01
"""Added to the weights of a histogram, so that empty space keeps being looked at (Mip-NeRF, eq. 18)."""


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


def stratified(
    near: Float[Tensor, " n"], far: Float[Tensor, " n"], count: int, generator: torch.Generator | None = None
) -> Float[Tensor, "n edges"]:
    """`count` + 1 edges from near to far: equal intervals, or with a generator each edge drawn between the midpoints of
    its neighbours."""
    unit = torch.linspace(0, 1, count + 1, dtype=near.dtype, device=near.device).expand(len(near), -1)
    if generator is not None:
        middle = (unit[:, 1:] + unit[:, :-1]) / 2
        low, high = torch.cat((unit[:, :1], middle), 1), torch.cat((middle, unit[:, -1:]), 1)
        unit = low + (high - low) * uniform(unit.shape, near, generator)
    return near[:, None] + (far - near)[:, None] * unit


def inverse_cdf(
    edges: Float[Tensor, "n edges"], weights: Float[Tensor, "n s"], u: Float[Tensor, "n k"]
) -> Float[Tensor, "n k"]:
    """The exact inverse of the piecewise linear distribution function of a histogram, at u in 0..1.

    A histogram without weight counts as uniform in its intervals. Not differentiated: where one looks is no parameter.
    """
    with torch.no_grad():
        weights = torch.where(weights.sum(1, keepdim=True) > 0, weights, 1.0)
        total = weights.cumsum(1)
        cdf = torch.cat((torch.zeros_like(total[:, :1]), total / total[:, -1:]), 1)
        cdf[:, -1] = 1.0
        u = u.clamp(0, 1 - torch.finfo(u.dtype).eps)  # at 1 an empty last interval would be taken
        # the last edge with cdf <= u is the left one: intervals without weight are skipped
        right = torch.searchsorted(cdf.contiguous(), u.contiguous(), right=True).clamp(1, weights.shape[1])
        c0, c1 = cdf.gather(1, right - 1), cdf.gather(1, right)
        t0, t1 = edges.gather(1, right - 1), edges.gather(1, right)
        share = torch.where(c1 > c0, (u - c0) / (c1 - c0).clamp_min(torch.finfo(u.dtype).tiny), 1.0)
        return t0 + (t1 - t0) * share.clamp(0, 1)


def resample(
    edges: Float[Tensor, "n edges"],
    weights: Float[Tensor, "n s"],
    count: int,
    generator: torch.Generator | None = None,
    padding: float = PADDING,
    blur: bool = True,
) -> Float[Tensor, "n new"]:
    """`count` + 1 sorted edges distributed as the histogram, padded and blurred (Mip-NeRF, section 3.1).

    Without a generator they stand at equal steps of probability; with one, each is drawn within its step.
    """
    weights = (blurred(weights) if blur else weights) + padding
    steps = torch.linspace(0, 1, count + 1, dtype=edges.dtype, device=edges.device).expand(edges.shape[0], -1)
    if generator is not None:
        steps = (steps * (count / (count + 1)) + uniform(steps.shape, edges, generator) / (count + 1)).clamp(max=1)
    return inverse_cdf(edges, weights, steps)


def blurred(weights: Float[Tensor, "n s"]) -> Float[Tensor, "n s"]:
    """Maximum over pairs of neighbours, then their mean: an upper envelope one interval wider (Mip-NeRF, eq. 18)."""
    padded = torch.cat((weights[:, :1], weights, weights[:, -1:]), 1)
    peaks = torch.maximum(padded[:, :-1], padded[:, 1:])
    return (peaks[:, :-1] + peaks[:, 1:]) / 2


def uniform(shape: torch.Size, like: Tensor, generator: torch.Generator) -> Tensor:
    """Uniform numbers of the generator, with the type and on the device of `like`; the same on every device."""
    return torch.rand(shape, generator=generator, dtype=like.dtype, device=generator.device).to(like.device)
