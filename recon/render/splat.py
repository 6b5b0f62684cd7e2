"""Points with features made into pictures of features: discs of a few pixels, the nearest ones blended front to back.

The renderer of Make-It-3D's second stage (Tang et al. 2023, section 3.3, after Wiles et al. 2020, "SynSin"): at several
scales, so that the coarse ones have no holes where the points are sparse.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from recon.render.raster import to_camera
from recon.render.visibility import NEAR, expand_counts


@dataclass(frozen=True)
class PixelSplats:
    """Pairs of a pixel and a point on it, k of them, ordered by pixel and from front to back. pixel: row·width + column;
    weight: the share of the pixel's value that is the point's, with a gradient to its position; size: (height, width)."""

    pixel: Int64[Tensor, " k"]
    point: Int64[Tensor, " k"]
    weight: Float[Tensor, " k"]
    size: tuple[int, int]


def alpha_of(distance: Float[Tensor, "*n"], radius: float) -> Float[Tensor, "*n"]:
    """Opacity at a distance from a point's centre: nearly 1 there, 0.68 at the rim of its disc."""
    return 1 - (0.1 * (distance / radius).square()).clamp(1e-3, 1).sqrt()


def splat(
    points: Float[Tensor, "n 3"],
    c2w: Float[Tensor, "3 4"],
    focal: float,
    size: tuple[int, int],
    radius: float = 2.0,
    layers: int = 8,
) -> PixelSplats:
    """Which points a camera sees at which pixel, and how strongly. radius: of a disc in pixels, which reaches the pixels
    whose centre is nearer; layers: points per pixel, the nearest ones."""
    x, y, z = to_camera(points, c2w).unbind(1)
    column, row = focal * x / z + (size[1] - 1) / 2, focal * y / z + (size[0] - 1) / 2
    pixel, point = _pairs(column.detach(), row.detach(), z.detach(), size, radius, layers)
    across, down = column[point] - pixel % size[1], row[point] - pixel // size[1]
    # The square root of 0 has no gradient; alpha is constant there anyhow.
    alpha = alpha_of((across.square() + down.square()).clamp_min(1e-12).sqrt(), radius)
    first = torch.ones_like(pixel, dtype=torch.bool)
    first[1:] = pixel[1:] != pixel[:-1]
    return PixelSplats(pixel, point, alpha * _transmittance(alpha, first, layers), size)


@torch.no_grad()
def _pairs(
    column: Float[Tensor, " n"],
    row: Float[Tensor, " n"],
    z: Float[Tensor, " n"],
    size: tuple[int, int],
    radius: float,
    layers: int,
) -> tuple[Int64[Tensor, " k"], Int64[Tensor, " k"]]:
    """(pixel, point) of every pixel's nearest points, ordered by pixel and depth."""
    height, width = size
    order = torch.where(z > NEAR, z, torch.inf).argsort(stable=True)[: int((z > NEAR).sum())]
    column, row = column[order], row[order]
    top = (row - radius).ceil().clamp(0, height)
    rows = ((row + radius).floor().clamp_max(height - 1) - top + 1).clamp_min(0).long()
    item, down = expand_counts(rows)
    down = down + top[item].long()
    reach = (radius**2 - (down - row[item]).square()).clamp_min(0).sqrt()
    left = (column[item] - reach).ceil().clamp(0, width)
    columns = ((column[item] + reach).floor().clamp_max(width - 1) - left + 1).clamp_min(0).long()
    span, right = expand_counts(columns)
    pixel = down[span] * width + right + left.long()[span]
    key = (pixel << 32 | item[span]).sort().values  # points are numbered by depth
    pixel = key >> 32
    kept = torch.ones_like(pixel, dtype=torch.bool)
    kept[layers:] = pixel[layers:] != pixel[:-layers]
    return pixel[kept], order[key[kept] & 0xFFFFFFFF]


def _transmittance(alpha: Float[Tensor, " k"], first: Bool[Tensor, " k"], layers: int) -> Float[Tensor, " k"]:
    """What the points before each one of its pixel let through: the product of their 1 − alpha."""
    start = torch.where(first, torch.arange(len(alpha), device=alpha.device), 0).cummax(0).values
    through, total = 1 - alpha, torch.ones_like(alpha)
    place = torch.arange(len(alpha), device=alpha.device)
    for back in range(1, layers):
        before = place - back
        total = total * torch.where(before >= start, through[before.clamp_min(0)], 1.0)
    return total


def composite(splats: PixelSplats, features: Float[Tensor, "n c"]) -> Float[Tensor, "h w c+1"]:
    """The picture of the points' features, and their opacity as the last channel."""
    height, width = splats.size
    ones = features.new_ones(len(splats.point), 1)
    values = torch.cat([features.index_select(0, splats.point), ones], 1) * splats.weight[:, None]
    blank = values.new_zeros(height * width, values.shape[1])
    return blank.index_add(0, splats.pixel, values).view(height, width, -1)
