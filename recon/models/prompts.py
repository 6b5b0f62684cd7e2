"""Which of several masks is the subject, and where to point at one. Shared by the segmenters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.geometry.silhouette import is_credible
from recon.protocols import Segmenter

Box = tuple[int, int, int, int]
"""(x0, y0, x1, y1) in pixels, the last row and column excluded."""


def best_mask(
    masks: Sequence[Bool[ndarray, "h w"]], scores: Sequence[float], least_score: float
) -> Bool[ndarray, "h w"] | None:
    """The credible mask of the highest score that reaches `least_score`, or None."""
    ranked = sorted(range(len(masks)), key=lambda i: -scores[i])
    return next((masks[i] for i in ranked if scores[i] >= least_score and is_credible(masks[i])), None)


def box_of(mask: Bool[ndarray, "h w"], margin: float = 0.03) -> Box:
    """The box around a mask that is not empty, widened by `margin` of its size, inside the photo."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    grow_y, grow_x = (round(margin * (found[-1] - found[0] + 1)) for found in (rows, columns))
    return (
        max(0, int(columns[0]) - grow_x),
        max(0, int(rows[0]) - grow_y),
        min(mask.shape[1], int(columns[-1]) + 1 + grow_x),
        min(mask.shape[0], int(rows[-1]) + 1 + grow_y),
    )


@dataclass(frozen=True)
class Prompt:
    """What SAM is asked: the thing at `point` (x, y in pixels), inside `box` if there is one."""

    point: tuple[float, float]
    box: Box | None


def prompt(rgb: UInt8[ndarray, "h w 3"], box: Box | None, prior: Segmenter | None) -> Prompt:
    """The given box, else the one around what the cheap `prior` found, else none. The point is the middle of the photo,
    of the box, or the place deepest inside the prior's mask (the middle of a ring is not on the ring)."""
    if box is not None:
        return Prompt(((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), box)
    mask = prior.segment(rgb) if prior else None
    if mask is None:
        return Prompt((rgb.shape[1] / 2, rgb.shape[0] / 2), None)
    import cv2

    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 3)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return Prompt((float(x) + 0.5, float(y) + 0.5), box_of(mask))
