"""Depth edges put where the photo's are, for depth of every origin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from recon.geometry.sharpen import TOLERANCE, fitting, sharpened
from recon.types import GIVEN, DepthMap, Photo

AGREEING = 1.5
"""How many times more the photo changes at a measured map's steps than beside them where the map fits the photo."""
BETTER = 1.3
"""By how much a measured map has to fit better where its edges are moved."""
NETWORK_TOLERANCE = 0.08
"""Of a network's disparity, whose slopes wave."""


def sharpen_edges(depth: DepthMap, photo: Photo, how: str) -> DepthMap:
    """The depth map with its edges where the photo's are; `off`: as it is.

    A subject's relief ends at its mask, which is an outline already, and stays; so does a measured map that fits the
    photo, or that its photo's edges do not make fit much better.
    """
    if how == "off" or depth.back is not None:
        return depth
    given = depth.model == GIVEN
    inverse = (1 / depth.z).astype(np.float32, copy=False)
    fits = fitting(inverse, photo.rgb) if given else 0.0
    if fits >= AGREEING:
        return depth
    sharp = sharpened(inverse, photo.rgb, TOLERANCE if given else NETWORK_TOLERANCE, depth.noise)
    if given and fitting(sharp, photo.rgb) < max(AGREEING, BETTER * fits):
        return depth
    return depth if sharp is inverse else replace(depth, z=_where_moved(depth.z, inverse, sharp))


def _where_moved(
    z: Float32[ndarray, "h w"], before: Float32[ndarray, "h w"], after: Float32[ndarray, "h w"]
) -> Float32[ndarray, "h w"]:
    """Depth of the disparity where it has moved; elsewhere the same bits as it had."""
    moved = after != before
    out = z.copy()
    out[moved] = 1 / after[moved]
    return out
