"""Parts of a subject that are too thin for its samples: legs, straps, stems. They are found in the photo's mask and made as
wide as the samples can hold."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from recon.geometry.fill import nearest_filled
from recon.geometry.lattice import stride_for
from recon.types import DepthMap, Mask


def linked(mask: Mask, depth: DepthMap, samples: int) -> tuple[Mask, DepthMap]:
    """Mask and depth of a subject whose thin parts are wide enough for a lattice of `samples` samples where something hangs
    on them: a leaf on a stem that falls between the samples would be a piece of its own, and lost."""
    assert mask.inside is not None
    assert depth.back is not None
    stride = stride_for(depth.z, samples)
    if stride == 1:
        return mask, depth
    wider = mask.inside | _within(_links(mask.inside, stride), stride)
    z, back = (np.where(wider, nearest_filled(each), np.float32(np.nan)) for each in (depth.z, depth.back))
    return replace(mask, inside=wider), replace(depth, z=z, back=back)


def _links(inside: Bool[ndarray, "h w"], reach: int) -> Bool[ndarray, "h w"]:
    """What is less than 2·reach wide and has two wider parts at its ends."""
    wide = _within(_depth(inside) > reach, reach) & inside
    thin = inside & ~_within(wide, reach)
    _, parts = cv2.connectedComponents(wide.astype(np.uint8))
    _, pieces, boxes, _ = cv2.connectedComponentsWithStats(thin.astype(np.uint8))
    out = np.zeros_like(inside)
    for number, (left, top, width, height, _) in enumerate(boxes[1:], 1):
        around = 2 * reach + 2
        box = np.s_[max(0, top - around) : top + height + around, max(0, left - around) : left + width + around]
        piece = pieces[box] == number
        ends = parts[box][_within(piece, around) & wide[box]]
        if len(np.unique(ends)) > 1:
            out[box] |= piece
    return out


def _depth(inside: Bool[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """How far each pixel lies from the nearest one that is not inside."""
    return cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)


def _within(there: Bool[ndarray, "h w"], reach: int) -> Bool[ndarray, "h w"]:
    """Which pixels lie within `reach` of one that is there."""
    if not there.any():
        return there
    return _depth(~there) <= reach
