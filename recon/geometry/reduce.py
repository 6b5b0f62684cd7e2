"""Smaller pictures."""

from __future__ import annotations

import cv2
from jaxtyping import UInt8
from numpy import ndarray


def shrink_to_fit(picture: UInt8[ndarray, "h w *c"], side: int) -> UInt8[ndarray, "a b *c"]:
    """The picture reduced so that its longer side has at most `side` pixels; as it is, if it has no more."""
    height, width = picture.shape[:2]
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
