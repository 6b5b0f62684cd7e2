"""Sparse depth maps, such as a laser scanner's projected into a photo, made dense enough to be a surface."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

DENSE = 0.6
"""Share of valid pixels around a valid one from which a map is dense: its gaps are then real ones."""
WINDOW = 9
REACH = 8
"""Gaps are bridged over at most this many samples."""


def densified(z: Float32[ndarray, "h w"], footprint: float, step: float = 0.1) -> Float32[ndarray, "h w"]:
    """The map itself if it is dense; else with the gaps between its samples filled.

    Triangles of the samples' Delaunay triangulation are filled linearly in disparity (exact on planes) where their
    corners lie at most 2·REACH apart and belong to one surface (relative range of depth below `step` or a slope that
    a grazing surface has); other gaps take the nearest sample's depth, over at most 2 samples.
    """
    valid = ~np.isnan(z)
    if not valid.any() or _density(valid) >= DENSE:
        return z
    from scipy.interpolate import LinearNDInterpolator

    rows, columns = np.nonzero(valid)
    if len(rows) < 4:
        return z
    places = np.column_stack([columns, rows]).astype(np.float64)
    inverse = 1 / z[rows, columns].astype(np.float64)
    linear = LinearNDInterpolator(places, np.column_stack([inverse, np.zeros_like(inverse)]))
    simplices = linear.tri.simplices
    corner = inverse[simplices]
    span = places[simplices]
    longest = np.max([np.hypot(*(span[:, i] - span[:, i - 1]).T) for i in range(3)], axis=0)
    whole = (corner.max(axis=1) / corner.min(axis=1) < 1 + step) & (longest <= 2 * REACH)
    gap_rows, gap_columns = np.nonzero(~valid & _within(valid, REACH))
    where = np.column_stack([gap_columns, gap_rows]).astype(np.float64)
    triangle = linear.tri.find_simplex(where)
    fillable = (triangle >= 0) & whole[triangle]
    out = z.copy()
    out[gap_rows[fillable], gap_columns[fillable]] = 1 / linear(where[fillable])[:, 0]
    return out


def _density(valid: Bool[ndarray, "h w"]) -> float:
    return float(cv2.blur(valid.astype(np.float32), (WINDOW, WINDOW))[valid].mean())


def _within(valid: Bool[ndarray, "h w"], reach: int) -> Bool[ndarray, "h w"]:
    distance = cv2.distanceTransform((~valid).astype(np.uint8), cv2.DIST_L2, 3)
    return distance <= reach
