"""Gaps of a map filled with the nearest value that there is."""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray


def nearest_filled(z: Float32[ndarray, "h w"], reach: float = math.inf) -> Float32[ndarray, "h w"]:
    """NaN replaced by the nearest sample's value where that lies at most `reach` samples away."""
    hole = np.isnan(z)
    if not hole.any() or hole.all():
        return z
    distance, nearest = cv2.distanceTransformWithLabels(
        hole.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    value = np.zeros(int(nearest.max()) + 1, np.float32)
    value[nearest[~hole]] = z[~hole]
    return np.where(hole & (distance <= reach), value[nearest], z)
