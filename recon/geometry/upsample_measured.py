"""A measured depth map at the photo's resolution: smooth between its samples, and as sharp as the photo at its steps.

Where the four samples around a pixel lie on one surface, disparity between them is linear (exact on planes). Where a step
runs through them the pixel belongs to one side: that of the sample which is near and looks like it (Kopf et al. 2007,
"Joint bilateral upsampling", equation 3), and the other side is left out.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, UInt8
from numpy import ndarray

from recon.geometry.discontinuity import depth_cuts

LIKENESS = 20.0
"""Standard deviation of colour within one surface, in grey levels."""
LEAST = 0.05
"""Weight of the farthest of the four samples: colour alone may decide for it."""
CHUNK = 1 << 18
"""Pixels at a time."""


def upsample_measured(
    z: Float32[ndarray, "a b"], rgb: UInt8[ndarray, "h w 3"], footprint: float
) -> Float32[ndarray, "h w"]:
    """Depth `z` at the photo's size; NaN is no surface. footprint: width of one of its samples at depth 1."""
    (height, width), size = rgb.shape[:2], z.shape[::-1]
    inverse = 1 / z
    linear = np.nan_to_num(inverse).astype(np.float32)
    out: Float32[ndarray, "h w"] = cv2.resize(linear, (width, height), interpolation=cv2.INTER_LINEAR)
    across, down = depth_cuts(z, footprint)
    # of each 2×2 samples: top, bottom, left, right
    sides = np.stack([across[:-1], across[1:], down[:, :-1], down[:, 1:]])
    row, column = _cells(height, z.shape[0]), _cells(width, z.shape[1])
    broken = np.logical_or.reduce(sides)
    y, x = np.nonzero(broken[np.ix_(row[0], column[0])])
    colours = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    for start in range(0, len(y), CHUNK):
        i, j = y[start : start + CHUNK], x[start : start + CHUNK]
        r, c, fr, fc = row[0][i], column[0][j], row[1][i], column[1][j]
        corners = (np.stack([r, r, r + 1, r + 1]), np.stack([c, c + 1, c, c + 1]))
        near = np.stack([(1 - fr) * (1 - fc), (1 - fr) * fc, fr * (1 - fc), fr * fc])
        apart = ((colours[corners] - rgb[i, j].astype(np.float32)) ** 2).mean(axis=-1)
        best = np.argmax((LEAST + near) * np.exp(-apart / (2 * LIKENESS**2)), axis=0)
        out[i, j] = _one_side(inverse[corners], near, best, np.logical_not(sides[:, r, c]))
    with np.errstate(divide="ignore"):
        return (1 / out).astype(np.float32)


def _cells(full: int, small: int) -> tuple[Int64[ndarray, " n"], Float32[ndarray, " n"]]:
    """For each pixel along a side the sample before its middle, and how far it lies from that to the next one, 0 to 1."""
    place = np.clip((np.arange(full) + 0.5) * small / full - 0.5, 0, small - 1)
    first = np.minimum(place.astype(np.int64), small - 2)
    return first, (place - first).astype(np.float32)


def _one_side(
    values: Float32[ndarray, "4 n"],
    near: Float32[ndarray, "4 n"],
    best: Int64[ndarray, " n"],
    joined: Bool[ndarray, "4 n"],
) -> Float32[ndarray, " n"]:
    """The mean of those samples that hang together with the best one along the cell's sides, weighted by nearness."""
    top, bottom, left, right = joined
    around = [top | (left & bottom & right), bottom | (left & top & right), left | (top & right & bottom),
              right | (top & left & bottom)]  # fmt: skip
    one, falling, rising = np.ones_like(top), (top & right) | (left & bottom), (top & left) | (right & bottom)
    table = np.stack([
        np.stack([one, around[0], around[2], falling]), np.stack([around[0], one, rising, around[3]]),
        np.stack([around[2], rising, one, around[1]]), np.stack([falling, around[3], around[1], one]),
    ])  # fmt: skip
    same = table[best, :, np.arange(len(best))].T
    weight = np.where(same, near + np.float32(1e-6), np.float32(0))
    mean = (weight * np.where(same, values, 0)).sum(axis=0) / weight.sum(axis=0)
    return mean.astype(np.float32)
