"""Runs of a mask along rows: gaps in a view, holes in a depth map."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int64
from numpy import ndarray


def runs(mask: Bool[ndarray, "h w"]) -> tuple[Int64[ndarray, " n"], Int64[ndarray, " n"], Int64[ndarray, " n"]]:
    """(row, first column, column after the last) of each run of True, in reading order."""
    height, width = mask.shape
    edges = np.zeros((height, width + 1), np.int8)
    edges[:, :width] = mask
    edges[:, 1:] -= mask
    starts, ends = np.flatnonzero(edges.reshape(-1) == 1), np.flatnonzero(edges.reshape(-1) == -1)
    row = starts // (width + 1)
    return row, starts - row * (width + 1), ends - row * (width + 1)


def columns_of(
    first: Int64[ndarray, " n"], end: Int64[ndarray, " n"]
) -> tuple[Int64[ndarray, " m"], Int64[ndarray, " m"]]:
    """(number of the run, column) of every pixel of the runs."""
    length = end - first
    which = np.repeat(np.arange(len(first)), length)
    return which, np.arange(len(which)) - np.repeat(np.cumsum(length) - length, length) + first[which]


def filled_from_lower(values: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """NaN replaced by the lower of the two values at its run's ends in the row, by the lowest of all where a whole row is
    NaN. Of inverse depth that is what lies behind: what a camera does not see beside a thing belongs to its background."""
    holes = np.isnan(values)
    if not holes.any():
        return values
    out, width = values.copy(), values.shape[1]
    row, first, end = runs(holes)
    left = np.where(first > 0, values[row, np.maximum(first - 1, 0)], np.inf)
    right = np.where(end < width, values[row, np.minimum(end, width - 1)], np.inf)
    lower = np.minimum(left, right)
    which, columns = columns_of(first, end)
    out[row[which], columns] = np.where(np.isinf(lower), np.nanmin(values), lower)[which]
    return out
