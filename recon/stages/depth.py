"""From an estimator's raw values to depth at the photo's size."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.disparity import FAR_OVER_NEAR, SUBJECT_FAR_OVER_NEAR, disparity_to_depth
from recon.geometry.upsample import guided_upsample
from recon.types import DepthMap, Mask, Photo, RawDepth

NETWORK_NOISE = 0.02
"""Changes of a network's disparity between neighbours that mean nothing, in parts of its range over the photo."""


def to_depth_map(
    raw: RawDepth, photo: Photo, mask: Mask, near: float | None = None, far: float | None = None
) -> DepthMap:
    """Depth along the optical axis at the photo's size; NaN outside the mask and where the model saw no surface.

    Disparity becomes depth between `near` and `far` (see geometry.disparity); without them, and for `scale` depth, the
    unit is the median depth. Metric depth stays in metres. Raises BadInput when nothing is left.
    """
    values = raw.values if raw.values.shape == photo.size else _upsampled(raw, photo)
    if mask.inside is not None:
        values = np.where(mask.inside, values, np.float32(np.nan))
    valid = values[~np.isnan(values)]
    if valid.size < 16:
        raise BadInput("no surface is left: the depth map has no values inside the mask; check the mask.")
    if raw.kind == "metric":
        return DepthMap(values, True, raw.model, raw.kind)
    if raw.kind == "disparity":
        ratio = SUBJECT_FAR_OVER_NEAR if mask.inside is not None else raw.far_over_near or FAR_OVER_NEAR
        values = disparity_to_depth(values, near, far, ratio)
    in_metres = raw.kind == "disparity" and (near is not None or far is not None)
    if not in_metres:
        values = values / np.float32(_median(values))
    noise = 0.0 if raw.model == "given" else NETWORK_NOISE * float(np.ptp(1 / values[~np.isnan(values)]))
    return DepthMap(values, in_metres, raw.model, raw.kind, noise)


def _median(values: Float32[ndarray, "h w"]) -> float:
    thin = values[:: max(1, values.shape[0] // 512), :: max(1, values.shape[1] // 512)]
    finite = thin[~np.isnan(thin)]
    return float(np.median(finite if finite.size else values[~np.isnan(values)]))


def _upsampled(raw: RawDepth, photo: Photo) -> Float32[ndarray, "h w"]:
    """A network's small map at the photo's size, edges where the photo has them; NaN stays NaN.

    Depth is upsampled as disparity, which is linear on planes and bounded at infinity.
    """
    hole = np.isnan(raw.values)
    small = raw.values if raw.kind == "disparity" else 1 / raw.values
    if hole.all():
        raise BadInput("the depth model sees no surface in this photo, only sky; take another photo.")
    if hole.any():
        small = np.where(hole, small[~hole].min(), small).astype(np.float32)
    full = guided_upsample(small, photo.rgb)
    if hole.any():
        empty = guided_upsample(hole.astype(np.float32), photo.rgb) > 0.5
        full = np.where(empty, np.float32(np.nan), full)
    return full if raw.kind == "disparity" else (1 / full).astype(np.float32)
