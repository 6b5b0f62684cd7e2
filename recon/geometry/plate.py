"""The plate: what a step hides, carried on under its near side.

Seen from a camera that has moved sideways by b, a step from disparity n to disparity q opens to a width of f·b·(n − q)
pixels of the photo on its near side: the plate's reach. Within it the plate lies in the plane (disparity is linear on
planes) of the nearest far sample whose step reaches so far, behind the front everywhere. It is one sheet
without cuts, half as fine as the front, and as far as it is needed it is larger than the photo.

All maps here are of disparity, in cells: two by two samples of the front's lattice, padded outwards.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64
from numpy import ndarray

from recon.geometry.fill import nearest_filled

BEHIND = 0.015
"""How far the plate lies behind the front, in parts of its disparity: far enough for a 24-bit depth buffer."""
SEAM = 0.002
"""The same where the plate comes out from under the front on the far side."""
SLOPE_WINDOW = 8
"""Cells around a step over which the far side's slope is averaged."""
FARTHEST = 0.8
"""The plate is not farther than this part of the far side's first percentile of disparity: a plane seen at a grazing angle
would run to infinity."""
CLASSES = 8
"""Octaves of the steps' heights, each with its own distance transform: a low step near by ends no high one's reach."""
SMOOTH = 9
OVERLAP = 2
"""Cells by which the plate reaches under the far side, so that no gap opens at the seam."""
LEAST_PAD, WIDEST_PAD = 0.1, 0.5
"""Of the photo's longer side: how far the plate reaches over the photo's border, where a step's reach does."""
HOLE = 0.1
"""Of the photo's longer side: how far into a hole of a measured map its rim is carried on."""


@dataclass(frozen=True)
class Steps:
    """The far samples at depth steps. row, column: in the front's lattice; height: n − q, the largest of its
    steps; value: its own disparity."""

    row: Int64[ndarray, " n"]
    column: Int64[ndarray, " n"]
    height: Float32[ndarray, " n"]
    value: Float32[ndarray, " n"]

    def of(self, chosen: Bool[ndarray, " n"]) -> Steps:
        """Some of them."""
        return Steps(self.row[chosen], self.column[chosen], self.height[chosen], self.value[chosen])


@dataclass(frozen=True)
class Plate:
    """inverse: disparity in cells, NaN where there is no plate; hidden: what of it a step or a hole needs, the rest is
    seam; source: the cell (row, column) of the far sample that each is carried on from; top, left: how many cells of
    padding lie above and left of the photo."""

    inverse: Float32[ndarray, "h w"]
    hidden: Bool[ndarray, "h w"]
    source: Int32[ndarray, "2 h w"]
    top: int
    left: int


def depth_steps(
    inverse: Float32[ndarray, "h w"], cut_h: Bool[ndarray, "h a"], cut_v: Bool[ndarray, "b w"]
) -> tuple[Steps, Bool[ndarray, "h w"]]:
    """The far samples at all cuts between two samples that are there, and the near samples at them."""
    highest = np.zeros(inverse.shape, np.float32)
    near = np.zeros(inverse.shape, bool)
    with np.errstate(invalid="ignore"):
        for cut, axis in ((cut_h, 1), (cut_v, 0)):
            a, b = (slice(None),) * axis, (slice(None),) * axis
            first, second = (*a, slice(None, -1)), (*b, slice(1, None))
            rise = np.where(cut, inverse[second] - inverse[first], 0)
            highest[first] = np.fmax(highest[first], rise)
            highest[second] = np.fmax(highest[second], -rise)
            near[second] |= rise > 0
            near[first] |= rise < 0
    row, column = np.nonzero(highest > 0)
    return Steps(row, column, highest[row, column], inverse[row, column]), near


def cells(inverse: Float32[ndarray, "h w"]) -> tuple[Float32[ndarray, "a b"], Float32[ndarray, "a b"]]:
    """The farthest disparity of every two by two samples, inf where none is; and what a plate is to lie behind there: the
    same, or the nearest where a thing is so thin that no cell beside is all its own."""
    height, width = inverse.shape
    even = np.pad(inverse, ((0, height % 2), (0, width % 2)), mode="edge")
    four = [even[i::2, j::2] for i in (0, 1) for j in (0, 1)]
    low, high = (take(take(four[0], four[1]), take(four[2], four[3])) for take in (np.fmin, np.fmax))
    low = np.where(np.isnan(low), np.float32(np.inf), low)
    thin = cv2.dilate(low, np.ones((3, 3), np.uint8)) < high * np.float32(1 - BEHIND)
    return low, np.where(thin, high, low)


def make_plate(
    inverse: Float32[ndarray, "h w"],
    steps: Steps,
    sky: Steps,
    hole: Bool[ndarray, "h w"],
    shown: Bool[ndarray, "h w"],
    slope: tuple[Float32[ndarray, "h w"], Float32[ndarray, "h w"]],
    reach: float,
    floor: float,
) -> Plate | None:
    """The plate of a front, None where no step reaches one cell far.

    inverse: of the front's lattice, NaN where there is none; sky: its samples of sky at steps: under the near side of these
    the sky goes on, and no plate is; hole: samples that a measured map lacks; shown: where a plate
    may be; slope: of the far side along rows and columns, per cell; reach: cells that a step opens per unit of disparity;
    floor: the least disparity that the plate may have.
    """
    kept = steps.of(steps.height * np.float32(reach) >= 1)
    longest = max(inverse.shape) / 2
    rim = _hole_rim(inverse, hole)
    if not len(kept.row) and not len(rim[0]):
        return None
    pads = _pads(kept, inverse.shape, reach, longest)
    top, bottom, left, right = pads
    front, most = (np.pad(each, ((top, bottom), (left, right)), mode="edge") for each in cells(inverse))
    gap = np.pad(_all_of(hole), ((top, bottom), (left, right)))
    allowed = np.pad(~_all_of(~shown), ((top, bottom), (left, right)), mode="edge")
    planes = _Planes(front.shape, slope, inverse, top, left, floor)
    beside = _beside_photo(front.shape, pads, longest)
    front, most = (np.where(beside, np.float32(np.inf), each) for each in (front, most))
    nearest = most * np.float32(1 - BEHIND)
    for members, limit in by_height(kept, reach):
        planes.offer(kept.row[members], kept.column[members], limit, nearest, allowed & ~gap)
    for members, limit in by_height(sky, reach):
        planes.leave_open(sky.row[members], sky.column[members], limit)
    if len(rim[0]):
        planes.offer(*rim, HOLE * longest, np.where(gap, np.float32(np.inf), 0), allowed)
    hidden = planes.source[0] >= 0
    if not hidden.any():
        return None
    return planes.finished(front, most, hidden, allowed)


class _Planes:
    """For every cell the nearest far sample whose plane lies behind the front there."""

    def __init__(
        self,
        shape: tuple[int, int],
        slope: tuple[Float32[ndarray, "h w"], Float32[ndarray, "h w"]],
        inverse: Float32[ndarray, "h w"],
        top: int,
        left: int,
        floor: float,
    ) -> None:
        self.slope, self.inverse, self.top, self.left, self.floor = slope, inverse, top, left, np.float32(floor)
        self.row, self.column = np.mgrid[: shape[0], : shape[1]].astype(np.int32)
        self.distance = np.full(shape, np.float32(np.inf))
        self.source = np.full((2, *shape), -1, np.int32)
        self.plane = np.zeros((3, *shape), np.float32)

    def offer(
        self,
        row: Int64[ndarray, " n"],
        column: Int64[ndarray, " n"],
        limit: float,
        nearest: Float32[ndarray, "h w"],
        allowed: Bool[ndarray, "h w"],
    ) -> None:
        """Samples of the front's lattice whose planes reach `limit` cells far, where they are behind `nearest`."""
        i, j = self._cells(row, column)
        planes = self._planes_at(row, column)
        distance, label = _distances(self.distance.shape, i, j)
        number = np.zeros(int(label.max()) + 1, np.int32)
        number[label[i, j]] = np.arange(len(i))
        here = np.nonzero((distance <= limit) & (distance < self.distance) & allowed)
        chosen = number[label[here]]
        value = self._value(planes[:, chosen], here)
        better = value < nearest[here]
        at = here[0][better], here[1][better]
        chosen = chosen[better]
        self.distance[at] = distance[at]
        self.source[:, at[0], at[1]] = np.stack([i[chosen], j[chosen]])
        self.plane[:, at[0], at[1]] = planes[:, chosen]

    def leave_open(self, row: Int64[ndarray, " n"], column: Int64[ndarray, " n"], limit: float) -> None:
        """Samples around which, as far as `limit` cells, nothing is where they are the nearest."""
        distance, _ = _distances(self.distance.shape, *self._cells(row, column))
        nearer = (distance <= limit) & (distance < self.distance)
        self.distance[nearer] = distance[nearer]
        self.source[:, nearer] = -1

    def _cells(
        self, row: Int64[ndarray, " n"], column: Int64[ndarray, " n"]
    ) -> tuple[Int64[ndarray, " n"], Int64[ndarray, " n"]]:
        return row // 2 + self.top, column // 2 + self.left

    def _planes_at(self, row: Int64[ndarray, " n"], column: Int64[ndarray, " n"]) -> Float32[ndarray, "3 n"]:
        """Value at the padded map's first cell, and slopes per cell, of the planes through samples."""
        across, down = self.slope[0][row, column], self.slope[1][row, column]
        x, y = column / np.float32(2) - np.float32(0.25) + self.left, row / np.float32(2) - np.float32(0.25) + self.top
        first = self.inverse[row, column] - across * x.astype(np.float32) - down * y.astype(np.float32)
        return np.stack([first, across, down]).astype(np.float32)

    def _value(self, plane: Float32[ndarray, "3 n"], at: tuple[ndarray, ...]) -> Float32[ndarray, " n"]:
        value = plane[0] + plane[1] * at[1].astype(np.float32) + plane[2] * at[0].astype(np.float32)
        return np.maximum(value, self.floor)

    def finished(
        self,
        front: Float32[ndarray, "h w"],
        most: Float32[ndarray, "h w"],
        hidden: Bool[ndarray, "h w"],
        allowed: Bool[ndarray, "h w"],
    ) -> Plate:
        """Planes blended with their neighbours', carried on over the seam, and put behind the front. front, most: as
        `cells` tells them."""
        _, label = _distances(hidden.shape, *np.nonzero(hidden))
        ring = cv2.dilate(hidden.astype(np.uint8), np.ones((2 * OVERLAP + 1,) * 2, np.uint8)).astype(bool) & allowed
        lookup = np.zeros((2, int(label.max()) + 1), np.int32)
        lookup[:, label[hidden]] = np.nonzero(hidden)
        i, j = lookup[:, label]
        weight = cv2.blur(ring.astype(np.float32), (SMOOTH, SMOOTH))
        blended = [
            cv2.blur(np.where(ring, plane[i, j], 0), (SMOOTH, SMOOTH)) / np.maximum(weight, 1e-6)
            for plane in self.plane
        ]
        value = blended[0] + blended[1] * self.column + blended[2] * self.row
        behind = np.where(hidden & (most <= front), np.float32(1 - BEHIND), np.float32(1 - SEAM))
        value = np.minimum(np.maximum(value, self.floor), front * behind)
        source = self.source[:, i, j]
        return Plate(np.where(ring, value, np.float32(np.nan)).astype(np.float32), hidden, source, self.top, self.left)


def _distances(
    shape: tuple[int, ...], row: Int64[ndarray, " n"], column: Int64[ndarray, " n"]
) -> tuple[Float32[ndarray, "h w"], Int32[ndarray, "h w"]]:
    """Distance of every cell to the nearest of some, and that one's label."""
    empty = np.ones(shape, np.uint8)
    empty[row, column] = 0
    distance, label = cv2.distanceTransformWithLabels(empty, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    return distance, label


def reached(steps: Steps, shape: tuple[int, int], top: int, left: int, reach: float) -> Bool[ndarray, "h w"]:
    """Cells that are uncovered by steps."""
    out = np.zeros(shape, bool)
    for members, limit in by_height(steps, reach):
        distance, _ = _distances(shape, steps.row[members] // 2 + top, steps.column[members] // 2 + left)
        out |= distance <= limit
    return out


def far_slopes(
    inverse: Float32[ndarray, "h w"],
    cut_h: Bool[ndarray, "h a"],
    cut_v: Bool[ndarray, "b w"],
    far_side: Bool[ndarray, "h w"],
) -> tuple[Float32[ndarray, "h w"], Float32[ndarray, "h w"]]:
    """Mean change of disparity per cell along rows and columns, over the far side's samples around each."""
    out = []
    for cut, axis in ((cut_h, 1), (cut_v, 0)):
        both = np.logical_and(*(np.delete(far_side, end, axis) for end in (0, -1))) & ~cut
        change = np.where(both, np.diff(inverse, axis=axis), 0).astype(np.float32)
        after = [(0, 0), (0, 0)]
        after[axis] = (0, 1)
        size = (4 * SLOPE_WINDOW + 1,) * 2
        sums = cv2.blur(np.pad(change, after), size)
        count = cv2.blur(np.pad(both, after).astype(np.float32), size)
        out.append((2 * sums / np.maximum(count, 1e-3)).astype(np.float32))
    return out[0], out[1]


def by_height(steps: Steps, reach: float) -> list[tuple[Bool[ndarray, " n"], float]]:
    """The steps in octaves of their height, and how many cells each octave reaches at most."""
    if not len(steps.row):
        return []
    octave = np.floor(np.log2(steps.height)).astype(int)
    octave = np.maximum(octave, octave.max() - CLASSES + 1)
    return [(octave == each, float(steps.height[octave == each].max()) * reach + 1) for each in np.unique(octave)]


def _pads(steps: Steps, shape: tuple[int, int], reach: float, longest: float) -> tuple[int, int, int, int]:
    """Cells above, below, left and right of the photo that steps reach, at most WIDEST_PAD, and at least LEAST_PAD
    where any."""
    least, most = math.ceil(LEAST_PAD * longest), math.ceil(WIDEST_PAD * longest)
    far = steps.height * np.float32(reach)
    beyond = (
        far - steps.row / 2,
        far - (shape[0] - steps.row) / 2,
        far - steps.column / 2,
        far - (shape[1] - steps.column) / 2,
    )
    top, bottom, left, right = (
        int(np.clip(math.ceil(float(each.max())), least, most)) if len(each) and each.max() > 0 else 0
        for each in beyond
    )
    return top, bottom, left, right


def _beside_photo(shape: tuple[int, ...], pads: tuple[int, int, int, int], longest: float) -> Bool[ndarray, "h w"]:
    """The strip around the photo that is uncovered on the far side of steps, too: seen from aside, what is near ends
    higher or lower than what is far."""
    top, bottom, left, right = pads
    out = np.ones(shape, bool)
    out[top : shape[0] - bottom, left : shape[1] - right] = False
    wide = math.ceil(LEAST_PAD * longest)
    rows, columns = (
        slice(max(top - wide, 0), shape[0] - max(bottom - wide, 0)),
        slice(max(left - wide, 0), shape[1] - max(right - wide, 0)),
    )
    strip = np.zeros(shape, bool)
    strip[rows, columns] = True
    return out & strip


def _hole_rim(
    inverse: Float32[ndarray, "h w"], hole: Bool[ndarray, "h w"]
) -> tuple[Int64[ndarray, " n"], Int64[ndarray, " n"]]:
    """The samples around holes that are on the far side of their hole: what a depth camera lacks lies in the shadow of
    what is near."""
    if not hole.any():
        none = np.zeros(0, np.int64)
        return none, none
    _, label = cv2.connectedComponents(hole.astype(np.uint8), connectivity=8)
    around = cv2.dilate(label.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    row, column = np.nonzero((around > 0) & ~hole & ~np.isnan(inverse))
    piece, value = around[row, column], inverse[row, column]
    mean = np.bincount(piece, value) / np.maximum(np.bincount(piece), 1)
    far = value <= mean[piece] * 1.0001
    return row[far], column[far]


def carried_in(inverse: Float32[ndarray, "h w"], hole: Bool[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """Disparity with holes filled from the far side around each."""
    row, column = _hole_rim(inverse, hole)
    if not len(row):
        return inverse
    source = np.full(inverse.shape, np.float32(np.nan))
    source[row, column] = inverse[row, column]
    return np.where(hole, nearest_filled(source), inverse)


def _all_of(samples: Bool[ndarray, "h w"]) -> Bool[ndarray, "a b"]:
    """Cells all of whose samples are so."""
    height, width = samples.shape
    even = np.pad(samples, ((0, height % 2), (0, width % 2)), mode="edge")
    return even[::2, ::2] & even[1::2, ::2] & even[::2, 1::2] & even[1::2, 1::2]
