"""Two pictures of one scene, taken side by side by lenses that are not quite parallel, aligned: no vertical disparity.

Points are matched by SIFT (Lowe 2004). What differs vertically between two near views is an affine function of the place
in the picture: an offset, a turn, a scale (the linearised epipolar geometry of parallel cameras). It is fitted by least
squares to the matches that agree, and undone by turning, scaling and shifting the right picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float64, UInt8
from numpy import ndarray

SIDE = 1000
"""Pixels of the longer side at which points are looked for."""
RATIO = 0.75
"""Lowe's: how much nearer the best match's descriptor must be than the second best's."""
FEWEST = 24
"""Matches from which a fit is believed."""
TOLERANCE = 1.5
"""Pixels at SIDE by which a match may differ vertically from the fit and still count."""
ROUNDS = 12
ENDS = (2.0, 98.0)
"""Percentiles of the matches' disparities that are a pair's range: single wrong matches are not."""


@dataclass(frozen=True)
class Alignment:
    """How the right picture is moved: down and right in pixels, turned in degrees, and scaled; behind, front: the range of
    disparity x_left − x_right of the matches after it, in pixels, nothing being shifted sideways; matches: how many."""

    down: float
    degrees: float
    scale: float
    behind: float
    front: float
    matches: int


def find_alignment(left: UInt8[ndarray, "h w 3"], right: UInt8[ndarray, "h w 3"]) -> Alignment | None:
    """How the right picture must be moved so that nothing differs vertically, None where too few points match."""
    found = _matches(left, right)
    if found is None:
        return None
    a, b = found
    middle = np.array([left.shape[1], left.shape[0]]) / 2
    place = b - middle
    design = np.column_stack([np.ones(len(b)), place])
    unit = max(left.shape[:2]) / SIDE
    chosen, fit = np.ones(len(b), bool), np.zeros(3)
    for _ in range(ROUNDS):
        fit = np.linalg.lstsq(design[chosen], (a - b)[chosen, 1], rcond=None)[0]
        error = np.abs((a - b)[:, 1] - design @ fit)
        chosen = error <= max(TOLERANCE * unit, float(np.median(error)))
    chosen = error <= TOLERANCE * unit
    if chosen.sum() < FEWEST:
        return None
    moved = _moved(b, middle, fit)
    behind, front = np.percentile((a - moved)[chosen, 0], ENDS)
    return Alignment(float(fit[0]), math.degrees(math.atan(fit[1])), float(1 + fit[2]), float(behind), float(front),
                     int(chosen.sum()))  # fmt: skip


def _moved(points: Float64[ndarray, "n 2"], middle: Float64[ndarray, " 2"], fit: Float64[ndarray, " 3"]) -> ndarray:
    """The points as `aligned_right` moves them: y gets the fit, x is turned and scaled with it."""
    x, y = (points - middle).T
    down, turn, scale = fit
    return np.column_stack([x + scale * x - turn * y, y + down + turn * x + scale * y]) + middle


def aligned_right(right: UInt8[ndarray, "h w 3"], found: Alignment) -> UInt8[ndarray, "h w 3"]:
    """The right picture moved so that nothing differs vertically from the left one; what is then empty is mirrored."""
    height, width = right.shape[:2]
    turn, scale = math.tan(math.radians(found.degrees)), found.scale - 1
    grown = np.array([[1 + scale, -turn], [turn, 1 + scale]])
    middle = np.array([width, height]) / 2 - 0.5  # whole numbers are pixels' centres here
    offset = middle - grown @ middle + [0, found.down]
    return np.asarray(cv2.warpAffine(right, np.column_stack([grown, offset]), (width, height), flags=cv2.INTER_CUBIC,
                                     borderMode=cv2.BORDER_REFLECT))  # fmt: skip


def shifted_apart(
    left: UInt8[ndarray, "h w 3"], right: UInt8[ndarray, "h w 3"], by: int
) -> tuple[UInt8[ndarray, "h v 3"], UInt8[ndarray, "h v 3"]]:
    """Both pictures cut so that every disparity is `by` pixels smaller: to the columns that both have then."""
    if by >= 0:
        return left[:, by:], right[:, : right.shape[1] - by]
    return left[:, :by], right[:, -by:]


def _matches(left: UInt8[ndarray, "h w 3"], right: UInt8[ndarray, "h w 3"]) -> tuple[ndarray, ndarray] | None:
    """Places (x, y) of the same points in both pictures, pixel centres at + 0.5."""
    scale = min(1.0, SIDE / max(left.shape[:2]))
    sift = cv2.SIFT_create(4000)  # type: ignore[attr-defined]
    seen = []
    for picture in (left, right):
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        grey = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
        points, descriptors = sift.detectAndCompute(grey, None)
        if descriptors is None or len(points) < FEWEST:
            return None
        seen.append(((np.array([point.pt for point in points]) + 0.5) / scale, descriptors))
    pairs = cv2.BFMatcher().knnMatch(seen[0][1], seen[1][1], k=2)
    good = [pair[0] for pair in pairs if len(pair) == 2 and pair[0].distance < RATIO * pair[1].distance]
    if len(good) < FEWEST:
        return None
    return seen[0][0][[each.queryIdx for each in good]], seen[1][0][[each.trainIdx for each in good]]
