"""From depth to disparity, which is affine in *inverse* depth and never in depth.

Sign: d = x_left − x_right in pixels of one eye's picture, positive in front of the screen. Nearness s is inverse depth,
0 at a picture's far end and 1 at its near one, so that d = D·(s − s_c), with D the strength in pixels and s_c the screen
plane. With two cameras a baseline b apart, d = f·b·(1/Z − 1/Zc): the same with D = f·b·(1/Z_near − 1/Z_far).
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from recon.geometry.runs import filled_from_lower
from recon.types import GIVEN, DepthMap

ENDS = (1.0, 99.0)
"""Percentiles of inverse depth that count as a picture's far and near end: single pixels do not."""
MIXED = 900
"""For so many pixels of width a picture's edges are one pixel wider on each side: pixels that mix a thing with what is
behind it belong to the thing."""
STEP = 5e-3
"""Nearness by which a thing stands out so that it is grown over its mixed edge; slopes stay exact."""
FULL_DEPTH = 0.5
"""1 − near/far from which a picture has its whole strength, where nobody asked for one: half of it lies behind twice
the nearest distance. A wall keeps flat."""
CENTRE = 0.25
"""Standard deviation of the weights in the middle of a picture, in parts of its sides."""


@dataclass(frozen=True)
class Nearness:
    """Inverse depth, 0 at the far end and 1 at the near end. values: finite, at the picture's size; span: 1/Z_near −
    1/Z_far in the depth's unit; depth: 1 − Z_near/Z_far, from 0, flat."""

    values: Float32[ndarray, "h w"]
    span: float
    depth: float


def nearness_of(depth: DepthMap) -> Nearness:
    """The nearness of a depth map. No surface is far for a model, which means the sky by it, and like what is beside it,
    on the far side, in a measured map. A constant map is 0.5 everywhere."""
    inverse = (1 / depth.z).astype(np.float32)
    holes = np.isnan(inverse)
    if holes.any():
        far = np.float32(np.nanmin(inverse))
        inverse = filled_from_lower(inverse) if depth.model == GIVEN else np.where(holes, far, inverse)
    low, high = (float(end) for end in np.percentile(_thinned(inverse), ENDS))
    if not high > low:
        low, high = float(inverse.min()), float(inverse.max())
    if not high > low:
        return Nearness(np.full(inverse.shape, 0.5, np.float32), 0.0, 0.0)
    inverse -= np.float32(low)
    inverse *= np.float32(1 / (high - low))
    return Nearness(inverse, high - low, 1 - low / high)


def grown(nearness: Float32[ndarray, "h w"], radius: int | None = None) -> Float32[ndarray, "h w"]:
    """Nearness with each thing grown over its edge by `radius` pixels; slopes are left as they are. None: as wide as edges
    of a picture of this width are mixed. Worth 0.4 to 2 dB on real pairs."""
    reach = -(-nearness.shape[1] // MIXED) if radius is None else radius
    near = cv2.dilate(nearness, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    return np.where(near - nearness > STEP * (2 * reach + 1), near, nearness)


def middle_plane(nearness: Float32[ndarray, "h w"]) -> float:
    """The nearness in the picture's middle: its median with Gaussian weights around the centre."""
    thin = _thin(nearness)
    down, across = (np.exp(-0.5 * (np.linspace(-0.5, 0.5, side) / CENTRE) ** 2) for side in thin.shape)
    order, weights = np.argsort(thin, axis=None), np.outer(down, across).reshape(-1)
    total = np.cumsum(weights[order])
    return float(thin.reshape(-1)[order[np.searchsorted(total, total[-1] / 2)]])


def subject_plane(nearness: Float32[ndarray, "h w"], inside: Bool[ndarray, "h w"]) -> float:
    """The nearness of a subject: the median inside its mask."""
    return float(np.median(nearness[inside]))


def disparity_of(nearness: Float32[ndarray, "h w"], strength: float, plane: float) -> Float32[ndarray, "h w"]:
    """d = D·(s − s_c); strength: D in pixels, plane: s_c."""
    return np.float32(strength) * (nearness - np.float32(plane))


def _thin(values: Float32[ndarray, "h w"]) -> Float32[ndarray, "a b"]:
    """At most about 256×256 of the values."""
    return values[:: max(1, values.shape[0] // 256), :: max(1, values.shape[1] // 256)]


def _thinned(values: Float32[ndarray, "h w"]) -> Float32[ndarray, " n"]:
    return _thin(values).reshape(-1)
