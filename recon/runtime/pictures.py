"""The pictures that a Runtime leaves of a photo: its subject alone, and its depth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon.geometry.cutout import crop_window, window_around
from recon.io.files import write_with
from recon.types import DepthMap, Mask, Photo


def subject_alone(photo: Photo, mask: Mask, ratio: float) -> UInt8[ndarray, "s t 4"]:
    """The subject on clear ground in the middle of a square, of whose side it takes `ratio`; a scene as it is."""
    if mask.inside is None:
        return np.dstack([photo.rgb, np.full(photo.size, 255, np.uint8)])
    alpha = mask.inside.astype(np.uint8) * 255
    alone: ndarray = crop_window(np.dstack([photo.rgb, alpha]), window_around(mask.inside, ratio, 1.0), 0)
    return alone


def depth_picture(depth: DepthMap) -> UInt8[ndarray, "h w"]:
    """Depth as a picture to be looked at: the nearest white, the farthest dark, black where there is no surface. Even in
    disparity, of which the nearest and the farthest hundredth are cut off."""
    there = ~np.isnan(depth.z)
    disparity = 1 / depth.z[there]
    low, high = np.percentile(disparity, (1, 99)) if len(disparity) else (0.0, 1.0)
    out = np.zeros(depth.z.shape, np.uint8)
    out[there] = 35 + 220 * np.clip((disparity - low) / max(high - low, 1e-12), 0, 1)
    return out


def save_picture(picture: UInt8[ndarray, "h w *c"], path: Path) -> None:
    """Write a PNG, whole or not at all. Raises Unwritable."""
    from PIL import Image

    write_with(path, Image.fromarray(picture).save)
