"""Edge-aware upsampling of a small map to the photo's resolution: the fast guided filter (He & Sun 2015).

In every window of the small map its values are a linear function of the photo's brightness; the coefficients, not the
values, are interpolated to full size, so that edges come out where the photo has them. The result stays within the small
map's own local range: texture cannot print through, and nothing overshoots (bicubic upsampling of a 0/10 step gives
−1.1 to 11.1, whose inverse is a spike).
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Shaped, UInt8
from numpy import ndarray

from recon.geometry.guided import GuidedFilter

RADIUS = 2
"""Half width of the windows in samples of the small map."""
REGULARISATION = 4e-3
"""Brightness variance (0..1 scale) from which the photo's structure is followed, a contrast of about 6 %: with
less, asphalt and carpet print through as cracks."""


def guided_upsample(small: Float32[ndarray, "a b"], rgb: UInt8[ndarray, "h w 3"]) -> Float32[ndarray, "h w"]:
    """`small` at the photo's size. Values must be finite."""
    height, width = rgb.shape[:2]
    guide = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    reduced = cv2.resize(guide, small.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    (slope,), offset = GuidedFilter(reduced[None], RADIUS, REGULARISATION).coefficients(small)
    slope /= np.float32(255)
    full: Float32[ndarray, "h w"] = cv2.resize(slope, (width, height), interpolation=cv2.INTER_LINEAR)
    full *= guide
    full += cv2.resize(offset, (width, height), interpolation=cv2.INTER_LINEAR)
    square = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(small, square), cv2.dilate(small, square)
    np.maximum(full, cv2.resize(low, (width, height), interpolation=cv2.INTER_LINEAR), out=full)
    np.minimum(full, cv2.resize(high, (width, height), interpolation=cv2.INTER_LINEAR), out=full)
    return full


def resized(picture: Shaped[ndarray, "h w *c"], size: tuple[int, int]) -> Shaped[ndarray, "a b *c"]:
    """A picture at another (width, height): averaged over areas where it shrinks, linear where it grows."""
    shrinks = size[0] * size[1] < picture.shape[0] * picture.shape[1]
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR))
