"""Fewer samples of a sheet where it shows least: a quadtree whose blocks of 2×2 join while all in them is much alike.

Each join saves three samples, whatever its size, and costs a squared error: of colour, and of distance from the block's
plane. The cheapest joins are made first, a block's before that of the block around it, until the budget is met. A joined
sample is a little wider than its block, so that no gap opens between discs of several sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8
from numpy import ndarray

from recon.geometry.layers import Sheet
from recon.geometry.normals import unit

LEVELS = 5
"""The largest block has 32×32 samples."""
FLATNESS = 0.25
"""Contrast that a distance of one sample's width from the block's plane counts as: what 15° of a turn shift it by."""
OUT_OF_PLANE = 1.0
"""Block widths from the block's plane beyond which its parts are no one surface."""
WIDENED = 1.15
"""Width of a joined sample in parts of its block's: where blocks of several sizes meet, 5 % would shine through."""
MOST_SPREAD = 8.0
"""Block widths that the depth of its parts may differ by, where there is no normal to tell a step from a slope."""


@dataclass(frozen=True)
class Surfels:
    """Surface elements: samples of sheets, some larger than others. width: across the line of sight, in the unit of
    lengths; sheet: the number of each one's."""

    points: Float32[ndarray, "n 3"]
    normals: Float32[ndarray, "n 3"]
    width: Float32[ndarray, " n"]
    colors: UInt8[ndarray, "n 3"]
    alpha: Float32[ndarray, " n"]
    sheet: Int64[ndarray, " n"]


@dataclass(frozen=True)
class _Level:
    """Blocks of one size. values: point, normal, colour in 0..1, alpha; width: of a block; there: whether all in it is one
    surface; cost: of joining it, its parts' included."""

    values: Float32[ndarray, "h w 10"]
    width: Float32[ndarray, "h w"]
    there: Bool[ndarray, "h w"]
    cost: Float32[ndarray, "h w"]


def thinned_sheets(sheets: Sequence[Sheet], most: int) -> Surfels:
    """The valid samples of sheets, joined until they are `most` together, or nothing is left that may be joined."""
    pyramids = [_pyramid(sheet) for sheet in sheets]
    blocks = [level for pyramid in pyramids for level in pyramid[1:]]
    count = sum(int(sheet.valid.sum()) for sheet in sheets)
    chosen = iter(_chosen(blocks, max(0, -(-(count - most) // 3))))
    leaves = [list(_leaves(pyramid, [next(chosen) for _ in pyramid[1:]])) for pyramid in pyramids]
    counts = [sum(len(width) for _, width in each) for each in leaves]
    return _surfels(list(chain(*leaves)), np.repeat(np.arange(len(sheets)), counts))


def _pyramid(sheet: Sheet) -> list[_Level]:
    """The samples, and the blocks of ever larger size."""
    shades = sheet.colors.astype(np.float32) / np.float32(255)
    values = np.concatenate([np.nan_to_num(sheet.points), sheet.normals, shades, sheet.alpha[..., None]], axis=2)
    width = values[..., 2] * np.float32(sheet.pitch)
    levels = [_Level(values, width, sheet.valid, np.zeros(width.shape, np.float32))]
    while len(levels) <= LEVELS and min(levels[-1].there.shape) > 1:
        levels.append(_blocks(levels[-1], 4.0 ** (len(levels) - 1)))
    return levels


def _blocks(level: _Level, samples: float) -> _Level:
    """Blocks of 2×2 of a level; an odd last row or column joins nothing. samples: in each of its blocks."""
    parts, widths, there, costs = map(_quarters, (level.values, level.width, level.there, level.cost))
    values = sum(parts[1:], parts[0]) * np.float32(0.25)
    normal = unit(values[..., 3:6])
    values[..., 3:6] = normal
    width = sum(widths[1:], widths[0]) / 2
    off = [np.einsum("hwi,hwi->hw", part[..., :3] - values[..., :3], normal) for part in parts]
    spread = [np.abs(part[..., 2] - values[..., 2]) for part in parts]
    shade = sum(_squares(part[..., 6:] - values[..., 6:]) for part in parts)
    whole = np.logical_and.reduce(there)
    whole &= np.maximum.reduce([np.abs(each) for each in off]) <= OUT_OF_PLANE * width
    whole &= np.maximum.reduce(spread) <= MOST_SPREAD * width
    with np.errstate(divide="ignore", invalid="ignore"):
        bend = sum(np.square(each) for each in off) * np.square(FLATNESS * 2 * np.float32(samples**0.5) / width)
        own = np.float32(samples) * (shade + bend)
    cost = np.where(whole, np.maximum(own, np.maximum.reduce(costs)), np.float32(np.inf))
    return _Level(values, width, whole, cost.astype(np.float32))


def _quarters(picture: np.ndarray) -> list[np.ndarray]:
    """The four parts of each block of 2×2, nothing copied."""
    height, width = picture.shape[0] // 2 * 2, picture.shape[1] // 2 * 2
    return [picture[i:height:2, j:width:2] for i in (0, 1) for j in (0, 1)]


def _squares(rows: np.ndarray) -> np.ndarray:
    return np.einsum("hwc,hwc->hw", rows, rows)


def _chosen(levels: list[_Level], joins: int) -> list[np.ndarray]:
    """Which blocks of each level are joined: the cheapest ones. A block never costs less than those in it, which come
    before it, so that none is joined without them."""
    costs = np.concatenate([level.cost.ravel() for level in levels] or [np.zeros(0)])
    order = np.argsort(costs, kind="stable")[:joins]
    chosen = np.zeros(len(costs), bool)
    chosen[order[np.isfinite(costs[order])]] = True
    ends = np.cumsum([level.cost.size for level in levels])[:-1]
    return [part.reshape(level.cost.shape) for part, level in zip(np.split(chosen, ends), levels, strict=True)]


def _leaves(levels: list[_Level], chosen: list[np.ndarray]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Values and widths of blocks that are joined, and of valid samples, which are in no larger joined block."""
    for level, joined, above in zip(levels, [levels[0].there, *chosen], [*chosen, None], strict=True):
        free = joined.copy()
        if above is not None:
            rows, columns = 2 * above.shape[0], 2 * above.shape[1]
            free[:rows, :columns] &= ~np.repeat(np.repeat(above, 2, axis=0), 2, axis=1)
        yield level.values[free], level.width[free] * np.float32(1 if level is levels[0] else WIDENED)


def _surfels(leaves: list[tuple[np.ndarray, np.ndarray]], sheet: np.ndarray) -> Surfels:
    flat, width = (np.concatenate(parts) for parts in zip(*leaves, strict=True))
    colors = np.rint(flat[:, 6:9] * 255).astype(np.uint8)
    points, normals = np.ascontiguousarray(flat[:, :3]), np.ascontiguousarray(flat[:, 3:6])
    return Surfels(points, normals, width, colors, np.ascontiguousarray(flat[:, 9]), sheet)
