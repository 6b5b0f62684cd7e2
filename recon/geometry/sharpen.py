"""Depth edges where the photo's edges are.

A network's depth crosses a step in a ramp many pixels wide, and a measured one may be displaced against the photo. A ramp
is told from a slope by what lies beside it: no surface's own slope explains it. Inside the band of ramps every sample is on
the near or on the far side; the photo decides which, by the guided filter of the near side's mask, and the sample takes the
disparity of the nearest sample outside the band on its side. Everything is decided at a bounded size, and the decision's
linear function of the photo's colours is carried to full size (recon.geometry.guided).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.geometry.fill import nearest_filled
from recon.geometry.guided import GuidedFilter

WORK_SAMPLES = 250_000
"""Samples at which near and far are decided: 13 % of a photo is band, all of it is looked at."""
TOLERANCE = 0.05
"""Jump of disparity, in parts of the larger one, from which a ramp is considered of."""
UNEXPLAINED = 0.6
"""Share of a jump that neither side's slope explains where it is a ramp and no slope."""
RAMP = 0.012
"""Width over which a ramp's jump is taken, in parts of the photo's longer side."""
SURE = 0.05
"""A sample that differs from its side by less than this part of the step stays as it is."""
WINDOW = 0.02
"""Half width of the filter's windows in the same unit."""
REGULARISATION = 1e-4
"""Variance of colour (0..1) from which the photo's structure is followed."""
ROUNDS = 3
TILE = 256
"""Rows and columns of the full photo at a time; most tiles have no step."""


def sharpened(
    inverse: Float32[ndarray, "h w"], rgb: UInt8[ndarray, "h w 3"], tolerance: float = TOLERANCE, noise: float = 0.0
) -> Float32[ndarray, "h w"]:
    """Disparity 1/z with its steps where the photo's are; NaN stays where it is. The same array where no ramp is.

    noise: a change of disparity that means nothing. What lies outside the band of ramps keeps its value, and inside no
    value is new: minimum and maximum stay.
    """
    size, small = _at_work(inverse)
    small = nearest_filled(small)
    reach = max(2, round(RAMP * max(size)))
    if np.isnan(small).all() or min(size) < 6 * reach + 1:
        return inverse
    core = ramps(small, reach, tolerance, noise)
    band = core | ramps(small, 2 * reach, tolerance, noise)
    if not band.any():
        return inverse
    near, far, mask = _sides(small, band, reach)
    guide = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA).astype(np.float32).transpose(2, 0, 1) / 255
    slope, offset = _decision(mask, core, GuidedFilter(guide, max(2, round(WINDOW * max(size))), REGULARISATION))
    # the band's inside is known where both sides have values
    known = (core | (band & (mask != 0.5))) & ~np.isnan(near) & ~np.isnan(far)
    # the foot of a wide ramp is on the side that it lies on
    side = np.where(core, np.float32(0), np.where(mask > 0.5, np.float32(4), np.float32(-4)))
    maps = [*slope, offset, side, np.nan_to_num(near), np.nan_to_num(far), known]
    return _at_full_size(inverse, rgb, [each.astype(np.float32, copy=False) for each in maps])


def ramps(
    inverse: Float32[ndarray, "h w"], reach: int, tolerance: float = TOLERANCE, noise: float = 0.0
) -> Bool[ndarray, "h w"]:
    """Samples within a jump over `reach` samples of a row or column that neither side's slope explains."""
    across = _row_ramps(inverse, reach, tolerance, noise)
    return across | _row_ramps(np.ascontiguousarray(inverse.T), reach, tolerance, noise).T


def fitting(inverse: Float32[ndarray, "h w"], rgb: UInt8[ndarray, "h w 3"]) -> float:
    """How many times more the photo changes at the steps of disparity than beside them; inf where there are no steps."""
    size, small = _at_work(inverse)
    there = ~np.isnan(small)
    cut = np.zeros(small.shape, np.uint8)
    with np.errstate(invalid="ignore"):
        for axis in (0, 1):
            low, high = (np.delete(small, end, axis) for end in (-1, 0))
            jump = np.abs(high - low) > TOLERANCE * np.maximum(high, low)
            pads = [(0, 0), (0, 0)]
            for side in ((0, 1), (1, 0)):
                pads[axis] = side
                cut |= np.pad(jump, pads).astype(np.uint8)
    if not cut.any():
        return math.inf
    grey = cv2.cvtColor(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    change = np.hypot(cv2.Scharr(grey, cv2.CV_32F, 1, 0), cv2.Scharr(grey, cv2.CV_32F, 0, 1))
    distance = cv2.distanceTransform(1 - cut, cv2.DIST_L2, 5)
    beside = there & (distance >= 2) & (distance <= max(4, RAMP * max(size)))
    return float(change[cut > 0].mean()) / max(float(change[beside].mean()), 1e-3) if beside.any() else math.inf


def _at_work(inverse: Float32[ndarray, "h w"]) -> tuple[tuple[int, int], Float32[ndarray, "a b"]]:
    """(width, height) at which things are decided, and every such sample's own disparity."""
    height, width = inverse.shape
    scale = min(1.0, (WORK_SAMPLES / inverse.size) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return size, cv2.resize(inverse, size, interpolation=cv2.INTER_NEAREST)


def _row_ramps(inverse: Float32[ndarray, "h w"], reach: int, tolerance: float, noise: float) -> Bool[ndarray, "h w"]:
    wide = cv2.copyMakeBorder(inverse, 0, 0, reach, reach, cv2.BORDER_REPLICATE)
    rise = wide[:, reach:] - wide[:, :-reach]
    before, jump, after = rise[:, : -2 * reach], rise[:, reach:-reach], rise[:, 2 * reach :]
    larger = np.maximum(inverse[:, reach:], inverse[:, :-reach])
    unexplained = np.minimum(np.abs(jump - before), np.abs(jump - after))
    size = np.abs(jump)
    found = (size > tolerance * larger + noise) & (unexplained > UNEXPLAINED * size)
    out = np.zeros(inverse.shape, np.uint8)
    out[:, :-reach] = found
    # a jump from x to x + reach marks all between: spread to the right
    kernel = np.ones((1, reach + 1), np.uint8)
    return cv2.dilate(out, kernel, anchor=(reach, 0)).astype(bool)


def _sides(
    small: Float32[ndarray, "h w"], band: Bool[ndarray, "h w"], reach: int
) -> tuple[Float32[ndarray, "h w"], Float32[ndarray, "h w"], Float32[ndarray, "h w"]]:
    """Disparity of the near and of the far side at every sample of the band, and which side each sample was on (1 is near,
    ½ where there is no step)."""
    window = np.ones((2 * reach + 1,) * 2, np.uint8)
    high, low = cv2.dilate(small, window), cv2.erode(small, window)
    level = high - low <= TOLERANCE / 2 * high
    mask = np.where(level, np.float32(0.5), (small > (high + low) / 2).astype(np.float32))
    near = _nearest(small, ~band & (mask == 1), 2.0 * reach)
    far = _nearest(small, ~band & (mask == 0), 2.0 * reach)
    # what is thinner than the band has no sample outside it
    return np.where(np.isnan(near), high, near), np.where(np.isnan(far), low, far), mask


def _nearest(values: Float32[ndarray, "h w"], source: Bool[ndarray, "h w"], limit: float) -> Float32[ndarray, "h w"]:
    """The nearest source's value, NaN where none is within the limit."""
    return nearest_filled(np.where(source, values, np.float32(np.nan)), limit)


def _decision(
    mask: Float32[ndarray, "h w"], band: Bool[ndarray, "h w"], guided: GuidedFilter
) -> tuple[Float32[ndarray, "c h w"], Float32[ndarray, "h w"]]:
    """The near side's mask as a linear function of the photo's colours around each sample."""
    for _ in range(ROUNDS - 1):
        mask = np.where(band, (guided(mask) > 0.5).astype(np.float32), mask)
    steady = cv2.medianBlur((mask * 2).astype(np.uint8), 5).astype(np.float32) / 2
    return guided.coefficients(np.where(band, steady, mask))


def _at_full_size(
    inverse: Float32[ndarray, "h w"], rgb: UInt8[ndarray, "h w 3"], maps: list[Float32[ndarray, "a b"]]
) -> Float32[ndarray, "h w"]:
    """The decision and its values carried to the full photo, tile by tile. maps: slopes for red, green and blue, offset,
    what a ramp's foot adds to it, near, far, and where they are known."""
    out = inverse.copy()
    for top in range(0, inverse.shape[0], TILE):
        for left in range(0, inverse.shape[1], TILE):
            tile = np.s_[top : top + TILE, left : left + TILE]
            _decide(out[tile], rgb[tile], maps, (top, left), inverse.shape)
    return out


def _decide(
    tile: Float32[ndarray, "h w"],
    rgb: UInt8[ndarray, "h w 3"],
    maps: list[Float32[ndarray, "a b"]],
    corner: tuple[int, int],
    size: tuple[int, ...],
) -> None:
    """Set a tile of the full disparity."""
    (top, left), (rows, columns) = corner, maps[0].shape
    across, down = columns / size[1], rows / size[0]
    place = np.array([[across, 0, (left + 0.5) * across - 0.5], [0, down, (top + 0.5) * down - 0.5]])

    def here(values: Float32[ndarray, "a b"]) -> Float32[ndarray, "h w"]:
        flags, border = cv2.WARP_INVERSE_MAP | cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
        return np.asarray(cv2.warpAffine(values, place, tile.shape[::-1], flags=flags, borderMode=border))

    known = here(maps[-1]) > 0.5
    if not known.any():
        return
    red, green, blue, offset, foot, near, far = (here(each)[known] for each in maps[:-1])
    colour = rgb[known].astype(np.float32) / 255
    nearer = red * colour[:, 0] + green * colour[:, 1] + blue * colour[:, 2] + offset + foot > 0.5
    own, side = tile[known], np.where(nearer, near, far)
    with np.errstate(invalid="ignore"):
        tile[known] = np.where(np.abs(own - side) > SURE * np.abs(near - far), side, own)
