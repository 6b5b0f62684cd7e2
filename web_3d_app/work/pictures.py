"""Pictures for a page, as files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon import shrink_to_fit

THUMB_SIDE = 480
"""Pixels of the longer side of a picture in a list, at twice its size on the page."""
THUMB_QUALITY = 82


def encode(path: Path, picture: UInt8[ndarray, ...], side: int | None = None) -> None:
    """Write a BGR or grey picture; a thumbnail, if its longest side is given."""
    if side is None:
        ok, data = cv2.imencode(path.suffix, picture)
    else:
        flags = [cv2.IMWRITE_JPEG_QUALITY, THUMB_QUALITY] if path.suffix == ".jpg" else []
        ok, data = cv2.imencode(path.suffix, shrink_to_fit(picture, side), flags)
    assert ok, "OpenCV encodes every uint8 picture"
    path.write_bytes(data.tobytes())


def write_thumb(path: Path, rgb: UInt8[ndarray, "h w 3"]) -> None:
    """Write the thumbnail of a picture."""
    encode(path, np.ascontiguousarray(rgb[..., ::-1]), THUMB_SIDE)
