"""Sparse depth maps, such as a laser scanner's projected into a photo, made dense enough to be a surface."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from recon.geometry.discontinuity import STEP

DENSE = 0.6
"""Share of valid pixels around a valid one from which a map is dense: its gaps are then real ones."""
WINDOW = 9
REACH = 8.0
"""Gaps are bridged by triangles whose sides are at most this many samples long."""


def is_sparse(z: Float32[ndarray, "h w"]) -> bool:
    """Whether the valid samples stand so far apart that a gap between them says nothing."""
    valid = (~np.isnan(z)).view(np.uint8)
    count = np.count_nonzero(valid)
    if count in (0, z.size):
        return False
    around = cv2.boxFilter(valid, cv2.CV_16U, (WINDOW, WINDOW), normalize=False)
    return cv2.mean(around, valid)[0] < DENSE * WINDOW**2


def densified(z: Float32[ndarray, "h w"], step: float = STEP) -> Float32[ndarray, "h w"]:
    """A sparse map with the gaps between its samples filled.

    Triangles of the samples' Delaunay triangulation are filled linearly in disparity (exact on planes) where their
    corners lie at most REACH apart and differ by less than `step` of their depth; all other gaps stay.
    """
    from scipy.interpolate import LinearNDInterpolator
    from scipy.spatial import QhullError

    valid = ~np.isnan(z)
    rows, columns = np.nonzero(valid)
    places = np.column_stack([columns, rows]).astype(np.float64)
    if len(rows) < 4 or np.linalg.matrix_rank(places - places[0]) < 2:
        return z
    inverse = 1 / z[rows, columns].astype(np.float64)
    try:
        linear = LinearNDInterpolator(places, inverse)
    except QhullError:  # all samples on one line: there is nothing between them
        return z
    simplices = linear.tri.simplices
    corner, span = inverse[simplices], places[simplices]
    longest = np.max([np.hypot(*(span[:, i] - span[:, i - 1]).T) for i in range(3)], axis=0)
    whole = (corner.max(axis=1) / corner.min(axis=1) < 1 + step) & (longest <= REACH)
    distance = cv2.distanceTransform((~valid).astype(np.uint8), cv2.DIST_L2, 3)
    gap_rows, gap_columns = np.nonzero(~valid & (distance <= REACH))
    where = np.column_stack([gap_columns, gap_rows]).astype(np.float64)
    triangle = linear.tri.find_simplex(where)
    fillable = (triangle >= 0) & whole[triangle]
    out = z.copy()
    out[gap_rows[fillable], gap_columns[fillable]] = 1 / linear(where[fillable])
    return out
