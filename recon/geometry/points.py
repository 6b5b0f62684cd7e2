"""Statistical outlier removal and voxel thinning, with sizes relative to the pixel footprint z/f.

On an organised cloud a point's neighbours are its image's, so both cost O(N) and need no tree.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray


def depth_outliers(
    z: Float32[ndarray, "h w"], footprint: float, neighbours: int = 8, std_ratio: float = 4.0
) -> Bool[ndarray, "h w"]:
    """Samples whose depth stands far from their neighbours'.

    Like Open3D's `remove_statistical_outlier`, but each distance is measured in footprints (so that far and near parts
    are judged alike), the neighbours are those of the smallest image window that holds about `neighbours` samples, the
    distance is that to the nearest quarter of them (a sample on an edge has half its neighbours on the other side), and
    mean and deviation are robust: median and 1.4826 MAD of the logarithm.

    footprint: width of one sample at depth 1.
    """
    valid = ~np.isnan(z)
    if valid.sum() <= neighbours:
        return np.zeros_like(valid)
    distance = _neighbour_distance(z, valid, footprint, neighbours)
    score = np.log(distance[valid])
    middle = np.median(score)
    spread = 1.4826 * np.median(np.abs(score - middle))
    limit = np.exp(middle + std_ratio * max(spread, 0.25))
    return valid & ~(distance <= limit)


def _neighbour_distance(
    z: Float32[ndarray, "h w"], valid: Bool[ndarray, "h w"], footprint: float, neighbours: int
) -> Float32[ndarray, "h w"]:
    """Mean distance in footprints to the nearest `neighbours`/4 of a sample's image neighbours; inf where alone."""
    radius = _window_radius(valid, neighbours)
    nearest = max(1, neighbours // 4)
    best = [np.full(z.shape, np.float32(np.inf)) for _ in range(nearest)]
    for di, dj in _ring_offsets(radius, neighbours):
        gap = np.float32(np.hypot(di, dj))
        rise = np.abs(_shifted(z, di, dj) - z) / (z * np.float32(footprint))
        candidate = np.sqrt(rise * rise + gap * gap)
        candidate[np.isnan(candidate)] = np.inf
        for k in range(nearest):
            best[k], candidate = np.minimum(best[k], candidate), np.maximum(best[k], candidate)
    return np.mean(best, axis=0)


def _window_radius(valid: Bool[ndarray, "h w"], neighbours: int) -> int:
    """Radius of the square window that holds about `neighbours` valid samples where there are any."""
    density = cv2.blur(valid.astype(np.float32), (9, 9))[valid].mean()
    side = np.sqrt((neighbours + 1) / max(float(density), 1e-3))
    return int(np.clip(np.ceil((side - 1) / 2), 1, 6))


def _ring_offsets(radius: int, neighbours: int) -> list[tuple[int, int]]:
    """Offsets of a window without its centre, near ones first; all of them for the 3×3 window."""
    offsets = [(i, j) for i in range(-radius, radius + 1) for j in range(-radius, radius + 1) if (i, j) != (0, 0)]
    return sorted(offsets, key=lambda o: o[0] ** 2 + o[1] ** 2)


def _shifted(z: Float32[ndarray, "h w"], di: int, dj: int) -> Float32[ndarray, "h w"]:
    """out[i, j] = z[i + di, j + dj], NaN outside."""
    out = np.full_like(z, np.nan)
    height, width = z.shape
    to = (slice(max(0, -di), height - max(0, di)), slice(max(0, -dj), width - max(0, dj)))
    of = (slice(max(0, di), height + min(0, di)), slice(max(0, dj), width + min(0, dj)))
    out[to] = z[of]
    return out


def voxel_representatives(positions: Float32[ndarray, "n 3"], size: float) -> Int64[ndarray, " k"]:
    """Indices of one point per occupied voxel of edge `size`: the first in order of input.

    A representative keeps its own colour, normal and pixel, which an average would not.
    """
    cell = np.floor((positions - positions.min(axis=0)) / size).astype(np.int64)
    extent = cell.max(axis=0) + 1
    if np.prod(extent.astype(np.float64)) > 2**62:  # beyond one int64 key: voxels far smaller than the points' spacing
        return np.sort(np.unique(cell, axis=0, return_index=True)[1])
    key = (cell[:, 0] * extent[1] + cell[:, 1]) * extent[2] + cell[:, 2]
    return np.sort(np.unique(key, return_index=True)[1])
