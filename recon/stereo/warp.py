"""The view of another eye: a picture warped forward, each pixel along its row by its own shift.

Only the shift is splatted, to whole target pixels; its gaps are filled from the background's side, and then the picture is
sampled once, with a cubic kernel, at `target + shift`: one resampling, no cracks, sub-pixel steps. A shift s moves what is
at x to x − s, as a right eye sees it; the left eye's view is the mirror image of that.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.geometry.row_splat import EMPTY, splatted
from recon.geometry.runs import columns_of, runs
from recon.settings import Eyes
from recon.threads import count

BAND = 64
"""Rows that are warped together: what they need stays in the processor's cache."""
STEP = 1.0
"""Pixels of shift between neighbours in the view from which one hides the other, and their border is smoothed."""
CARRIED = 4
"""Rows above and below from which carried-on background takes its colour too: it costs nothing and is worth 0.2 dB on real
pairs, where a single row's end makes a streak."""


@dataclass(frozen=True)
class EyeView:
    """One eye's picture. rgb: sRGB; invented: where the photo does not show what this eye sees, and its background was
    carried on."""

    rgb: UInt8[ndarray, "h w 3"]
    invented: Bool[ndarray, "h w"]


def left_view(rgb: UInt8[ndarray, "h w 3"], shift: Float32[ndarray, "h w"]) -> EyeView:
    """What a left eye sees: the pixel at x lies at x + shift, and what is nearer has the greater shift. The mirror image of
    `right_view`, to the bit."""
    mirrored = right_view(_flipped(rgb), _flipped(shift))
    return EyeView(_flipped(mirrored.rgb), np.ascontiguousarray(mirrored.invented[:, ::-1]))


def right_view(rgb: UInt8[ndarray, "h w 3"], shift: Float32[ndarray, "h w"]) -> EyeView:
    """What a right eye sees: the pixel at x lies at x − shift, and what is nearer has the greater shift. The shift is in
    pixels and finite."""
    seen, landed, gaps = np.empty_like(rgb), np.empty_like(shift), np.empty(shift.shape, bool)
    bands = [slice(top, top + BAND) for top in range(0, len(shift), BAND)]

    def warp(rows: slice) -> None:
        seen[rows], landed[rows], gaps[rows] = _warped_rows(rgb[rows], shift[rows])

    if count() == 1 or len(bands) == 1:
        for rows in bands:
            warp(rows)
    else:
        with ThreadPoolExecutor(count()) as pool:
            list(pool.map(warp, bands))
    _blend_gaps(seen, gaps)
    _smooth_steps(seen, landed)
    return EyeView(seen, gaps)


def pair_of(
    rgb: UInt8[ndarray, "h w 3"], disparity: Float32[ndarray, "h w"], eyes: Eyes = "both"
) -> tuple[EyeView, EyeView]:
    """The left and the right eye's views of a picture whose disparity x_left − x_right is given in pixels, positive in
    front of the screen. eyes: `both` go half of the way each, else the one that keeps the picture, to the bit."""
    own = EyeView(rgb, np.zeros(disparity.shape, bool))
    if not disparity.any():
        return own, own
    if eyes == "left":
        return own, right_view(rgb, disparity)
    if eyes == "right":
        return left_view(rgb, disparity), own
    half = disparity / np.float32(2)
    return left_view(rgb, half), right_view(rgb, half)


def _flipped(values: ndarray) -> ndarray:
    return np.asarray(cv2.flip(values, 1))


def _without_cracks(landed: Float32[ndarray, "h w"], shift: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """The same with cracks one pixel wide closed: those of a surface that is stretched, which is known by that what a
    closed one takes from the picture belongs to it. A gap beside a thin pole would take the pole."""
    closed = np.asarray(cv2.morphologyEx(landed, cv2.MORPH_CLOSE, np.ones((1, 3), np.uint8)))
    rows, columns = np.nonzero(closed != landed)
    value = closed[rows, columns]
    place = np.clip(np.rint(columns + value), 0, shift.shape[1] - 1).astype(np.int64)
    other = np.abs(shift[rows, place] - value) > STEP
    closed[rows[other], columns[other]] = landed[rows[other], columns[other]]
    return closed


def _warped_rows(
    rgb: UInt8[ndarray, "h w 3"], shift: Float32[ndarray, "h w"]
) -> tuple[UInt8[ndarray, "h w 3"], Float32[ndarray, "h w"], Bool[ndarray, "h w"]]:
    """The right eye's view of some rows, the shift of what is seen there, EMPTY within the picture's gaps, and all gaps."""
    landed = _without_cracks(splatted(shift), shift)
    source = landed + np.arange(shift.shape[1], dtype=np.float32)
    gaps = landed == EMPTY
    if gaps.any():
        _fill(source, landed, gaps)
    rows = np.repeat(np.arange(len(shift), dtype=np.float32)[:, None], shift.shape[1], axis=1)
    return cv2.remap(rgb, source, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT), landed, gaps


def _fill(source: Float32[ndarray, "h w"], landed: Float32[ndarray, "h w"], gaps: Bool[ndarray, "h w"]) -> None:
    """Give each gap, in place, the place in the picture that the end of its farther side has. A gap at the picture's border
    goes on beyond the picture where its neighbour comes from the border, and has its shift."""
    width = gaps.shape[1]
    row, first, end = runs(gaps)
    has_left, has_right = first > 0, end < width
    left, right = landed[row, np.maximum(first - 1, 0)], landed[row, np.minimum(end, width - 1)]
    side = np.where(has_right & (~has_left | (right <= left)), np.minimum(end, width - 1), np.maximum(first - 1, 0))
    place, shift = source[row, side], landed[row, side]
    beyond = (has_left ^ has_right) & ((place <= 1) | (place >= width - 2))
    lost = ~(has_left | has_right)
    place, shift = np.where(lost, 0, place), np.where(lost, 0, shift)
    which, columns = columns_of(first, end)
    goes_on = (beyond | lost)[which]
    source[row[which], columns] = np.where(goes_on, columns + shift[which], place[which])
    landed[row[which], columns] = np.where(goes_on, shift[which], EMPTY)


def _blend_gaps(seen: UInt8[ndarray, "h w 3"], gaps: Bool[ndarray, "h w"]) -> None:
    """Average, in place, each filled pixel with the filled ones above and below."""
    width, flat, colours = gaps.shape[1], gaps.reshape(-1), seen.reshape(-1, 3)
    places = np.flatnonzero(flat)
    if not len(places):
        return
    total, weight = np.zeros((len(places), 3), np.uint16), np.zeros((len(places), 1), np.uint16)
    for offset in range(-CARRIED, CARRIED + 1):
        near = places + offset * width
        near = np.where((near >= 0) & (near < flat.size), near, places)
        filled = flat.take(near)[:, None].astype(np.uint16)
        total += colours.take(near, axis=0) * filled
        weight += filled
    colours[places] = ((total + weight // 2) // weight).astype(np.uint8)


def _smooth_steps(seen: UInt8[ndarray, "h w 3"], landed: Float32[ndarray, "h w"]) -> None:
    """Smooth, in place and along rows, the pixels on both sides of where one surface ends before another: the warp cuts
    them off at whole pixels."""
    beside, width = np.zeros(landed.shape, bool), landed.shape[1]
    step = np.abs(landed[:, 1:] - landed[:, :-1]) > STEP
    beside[:, 1:] |= step
    beside[:, :-1] |= step
    places, colours = np.flatnonzero(beside), seen.reshape(-1, 3)
    column = places % width
    left, right = places - (column > 0), places + (column < width - 1)
    total = 2 * colours.take(places, axis=0).astype(np.uint16) + 2
    total += colours.take(left, axis=0)
    total += colours.take(right, axis=0)
    colours[places] = (total >> 2).astype(np.uint8)
