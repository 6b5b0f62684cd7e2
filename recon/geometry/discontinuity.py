"""Where a depth map breaks: cuts between neighbouring samples, and flying samples snapped to a side.

A plane's disparity 1/z is linear in the image, so a steep but straight run of depth is one surface seen at a grazing
angle, while a jump that neither side's slope explains is a step from one surface to another.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

STEP = 0.015
"""Relative depth jump between neighbours from which a break is considered of: small enough for
a depth camera's quantisation far away, large enough for its noise near by."""
GRAZING_DEG = 88.0
"""Surfaces seen at a more grazing angle than this are not connected: their texture would be one smeared pixel."""

RIM = 2.5
"""How much steeper a surface's last step before its silhouette may be than the one before: √1 − √0 to √2 − √1 is 2.4 on
anything round."""


def depth_cuts(
    z: Float32[ndarray, "h w"],
    footprint: float,
    noise: float = 0.0,
    step: float = STEP,
    grazing_deg: float = GRAZING_DEG,
) -> tuple[Bool[ndarray, "h w-1"], Bool[ndarray, "h-1 w"]]:
    """Between which horizontal and vertical neighbours the surface breaks (also where either has no depth).

    footprint: width of one sample at depth 1. noise: change of disparity 1/z that means nothing (a network's error is
    even in disparity, so that far away it moves depth a lot).
    """
    slope = math.tan(math.radians(grazing_deg)) * footprint
    horizontal = _row_cuts(z, step, slope, noise)
    vertical = _row_cuts(np.ascontiguousarray(z.T), step, slope, noise).T
    return horizontal, np.ascontiguousarray(vertical)


def _row_cuts(z: Float32[ndarray, "h w"], step: float, slope: float, noise: float) -> Bool[ndarray, "h w-1"]:
    with np.errstate(invalid="ignore", divide="ignore"):
        near = np.fmin(z[:, 1:], z[:, :-1])
        jump = np.abs(z[:, 1:] - z[:, :-1]) / near
        if noise:
            jump -= np.float32(noise) * np.fmax(z[:, 1:], z[:, :-1])
        broken = ~(jump <= max(slope, step))
        doubtful = (jump > step) & ~broken
        if doubtful.any():
            broken |= doubtful & ~_continues(z)
    return broken


def _continues(z: Float32[ndarray, "h w"]) -> Bool[ndarray, "h w-1"]:
    """Whether one side's slope of disparity explains at least half of the change between two neighbours."""
    change = np.diff(1 / z, axis=1)
    before = np.pad(change, ((0, 0), (1, 0)), constant_values=np.nan)[:, :-1]
    after = np.pad(change, ((0, 0), (0, 1)), constant_values=np.nan)[:, 1:]
    unexplained = np.fmin(np.abs(change - before), np.abs(change - after))
    return unexplained < 0.5 * np.abs(change)


def snap_flying_pixels(z: Float32[ndarray, "h w"], step: float = STEP) -> Float32[ndarray, "h w"]:
    """Move each flying sample to the nearer side of the step that it hangs in.

    A flying sample lies strictly between its two neighbours in a row or column, these differ by more than `step`,
    beyond them both sides are level, and neither side's slope leads to it: a ramp one sample wide, which no surface
    makes but blurred depth does.
    """
    out = _snap_rows(z, step)
    return np.ascontiguousarray(_snap_rows(np.ascontiguousarray(out.T), step).T)


def _snap_rows(z: Float32[ndarray, "h w"], step: float) -> Float32[ndarray, "h w"]:
    if z.shape[1] < 5:
        return z
    far_left, left, middle, right, far_right = (z[:, i : z.shape[1] - 4 + i] for i in range(5))
    with np.errstate(invalid="ignore"):
        rise = np.abs(right - left)
        flying = rise > step * np.fmin(left, right)
        rows, columns = np.nonzero(flying)
        far_left, left, middle, right, far_right = (
            a[rows, columns] for a in (far_left, left, middle, right, far_right)
        )
        rise = rise[rows, columns]
        between = (middle - left) * (right - middle) > 0
        left_slope, right_slope = np.abs(left - far_left), np.abs(far_right - right)
        level = np.maximum(left_slope, right_slope) < 0.25 * rise
        own = (np.abs(middle - left) <= RIM * left_slope) | (np.abs(right - middle) <= RIM * right_slope)
        chosen = between & level & ~own
    out = z.copy()
    nearer = np.where(np.abs(middle - left) < np.abs(middle - right), left, right)
    out[rows[chosen], columns[chosen] + 2] = nearer[chosen]
    return out
