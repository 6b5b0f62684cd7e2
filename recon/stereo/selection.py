"""Deep3D's selection layer without a framework: a second view as a weighted mixture of shifted pictures.

    R(x) = Σ_k p_k(x) · L(x + d_k)         (Xie, Girshick and Farhadi 2016, section 3.1; edge pixels go on beyond borders)

d_k is a plane's disparity x_left − x_right, in the sign used everywhere here (the paper's shift is −d), and p_k(x) its
weight at the *right* view's pixel x. Weights come at a network's size, pictures at their own: weights are interpolated,
disparities grow with the width, and what falls between two columns is interpolated too, so that no step is as coarse as
the network's pixels. The mixture has no order of depth and blurs what the weights are unsure of: `recon.models.deep3d`
makes depth of the weights instead. The layer that trains them is `training.deep3d.selection`.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray


def selected_view(
    rgb: UInt8[ndarray, "h w 3"], weights: Float32[ndarray, "k a b"], disparities: Float32[ndarray, " k"]
) -> UInt8[ndarray, "h w 3"]:
    """The right view of a left one. weights: not negative, of any sum above 0; disparities: in pixels of the weights'
    width."""
    (height, width), scale = rgb.shape[:2], rgb.shape[1] / weights.shape[2]
    columns = np.arange(width, dtype=np.float32)
    total = np.zeros((height, width, 3), np.float32)
    parts = np.zeros((height, width), np.float32)
    for plane, disparity in zip(weights, disparities, strict=True):
        part = cv2.resize(plane, (width, height), interpolation=cv2.INTER_LINEAR)
        total += part[..., None] * _moved(rgb, columns + np.float32(disparity * scale))
        parts += part
    return np.clip(np.rint(total / parts[..., None]), 0, 255).astype(np.uint8)


def _moved(rgb: UInt8[ndarray, "h w 3"], columns: Float32[ndarray, " w"]) -> Float32[ndarray, "h w 3"]:
    """The picture's colours at these columns, between two in proportion, the first and the last beyond the border."""
    place = np.clip(columns, 0, rgb.shape[1] - 1)
    low = np.floor(place).astype(np.int64)
    between = (place - low)[:, None].astype(np.float32)
    left, right = rgb[:, low], rgb[:, np.minimum(low + 1, rgb.shape[1] - 1)]
    return np.asarray(left * (1 - between) + right * between, np.float32)
