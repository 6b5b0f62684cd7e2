"""Volume rendering: densities and colours along rays to pixels (Max 1995; Mildenhall et al. 2020, eq. 3).

Density is per unit of distance. An interval of length d is seen with alpha = 1 - exp(-density·d); its weight is alpha times
the transmittance T = exp(-sum of density·d before it). `packed` intervals are a flat list that holds for each ray of a
batch, in the batch's order, its intervals from near to far, and `ray`, whose each one is.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

Shading = Literal["albedo", "lambertian", "textureless"]


class Rendered(NamedTuple):
    """What rays see. `distance` is the mean one of what was seen, 0 where nothing was; `normal` is of length <= opacity."""

    colour: Float[Tensor, "n 3"]
    opacity: Float[Tensor, " n"]
    distance: Float[Tensor, " n"]
    normal: Float[Tensor, "n 3"] | None = None


def packed_weights(
    density: Float[Tensor, " m"],
    length: Float[Tensor, " m"],
    ray: Int64[Tensor, " m"],
    before: Float[Tensor, " n"],
) -> tuple[Float[Tensor, " m"], Float[Tensor, " n"]]:
    """Weights of packed intervals that lie behind the optical depth `before` of each ray, and the optical depth behind
    them. Sums run in double precision, for one sum runs over all rays."""
    depth = density * length
    total = depth.double().cumsum(0)
    exclusive = total - depth
    first = torch.ones_like(ray, dtype=torch.bool)
    first[1:] = ray[1:] != ray[:-1]
    start = first.nonzero().squeeze(1)
    group = first.cumsum(0) - 1
    exclusive = (exclusive - exclusive.index_select(0, start).index_select(0, group)).to(depth.dtype)
    weights = (-exclusive - before.index_select(0, ray)).exp() * -torch.expm1(-depth)
    return weights, sum_by_ray(depth, ray, before)


def sum_by_ray(
    values: Float[Tensor, " m"], ray: Int64[Tensor, " m"], start: Float[Tensor, " n"]
) -> Float[Tensor, " n"]:
    """`start` plus the sum of each ray's values."""
    return start.index_add(0, ray, values)


def columns_by_ray(
    weights: Float[Tensor, " m"], values: Float[Tensor, "m c"], ray: Int64[Tensor, " m"], count: int
) -> Float[Tensor, "n c"]:
    """Weighted sum of each ray's values. Column by column: one-dimensional sums are tens of times as fast on a CPU."""
    zero = weights.new_zeros(count)
    return torch.stack([sum_by_ray(weights * column, ray, zero) for column in values.unbind(1)], 1)


def composite_over(
    colour: Float[Tensor, "n 3"], opacity: Float[Tensor, " n"], background: Float[Tensor, "#n 3"]
) -> Float[Tensor, "n 3"]:
    """Premultiplied colour over a background."""
    return colour + (1 - opacity)[:, None] * background


def mean_distance(weighted: Float[Tensor, " n"], opacity: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Sum of weight·distance to the mean distance of what was seen; its gradient is finite where nothing was."""
    return weighted / opacity.clamp_min(1e-6)


def shade(
    albedo: Float[Tensor, "n 3"],
    normal: Float[Tensor, "n 3"] | None,
    light: Float[Tensor, "#n 3"] | None,
    shading: Shading = "albedo",
    ambient: float = 0.1,
) -> Float[Tensor, "n 3"]:
    """Colour of points under a white light from the unit direction `light` (from the point to the light).

    Albedo alone; Lambertian, albedo·(ambient + (1 - ambient)·max(0, n·l)) (DreamFusion, eq. 7 with its published 0.1 and
    0.9); or that light on white matter, which shows the shape alone.
    """
    if shading == "albedo":
        return albedo
    if normal is None or light is None:
        raise ValueError(f"{shading} shading needs normals and a light")
    lit = ambient + (1 - ambient) * (normal * light).sum(1, keepdim=True).clamp_min(0)
    return lit.expand(-1, 3) if shading == "textureless" else albedo * lit
