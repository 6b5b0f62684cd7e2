"""What a preview of a stereo pair needs: the picture and its nearness, small, and how strong and where it would be shown.

A page draws both eyes' pictures of it while a strength is chosen; the pair itself is made as ever, at full size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.geometry.upsample import guided_upsample
from recon.io.files import write_bytes
from recon.protocols import DepthEstimator
from recon.stereo.convert import STRENGTH, calm_plane, on_ground
from recon.stereo.disparity import ENDS, FULL_DEPTH, grown, middle_plane, nearness_of
from recon.stereo.film import inverse_of
from recon.stereo.write import picture_bytes
from recon.stereo_options import StereoOptions
from recon.types import DepthMap, Photo

SIDE = 960
"""Pixels of the longer side: a script warps both views of it in some hundredths of a second."""


@dataclass(frozen=True)
class StereoPreview:
    """rgb: the picture; nearness: 0 the farthest, 255 the nearest; strength: the usual one, in percent of the width;
    screen: the nearness from 0 to 1 that would lie in the screen."""

    rgb: UInt8[ndarray, "h w 3"]
    nearness: UInt8[ndarray, "h w"]
    strength: float
    screen: float

    def save(self, picture: Path, depth: Path) -> None:
        """Write both. Raises Unwritable."""
        write_bytes(picture, picture_bytes(self.rgb, picture))
        write_bytes(depth, picture_bytes(self.nearness, depth))

    def facts(self) -> dict[str, Any]:
        """Where the choice begins."""
        return {"strength": round(self.strength, 2), "screen": round(self.screen, 3)}


def stereo_preview(photo: Photo, model: DepthEstimator, options: StereoOptions = StereoOptions()) -> StereoPreview:
    """The preview of a photo, or of a film's frame, with a depth model that is loaded. Raises BadInput."""
    raw, rgb = model.estimate(on_ground(photo)), _small(photo)
    inverse = inverse_of(raw)
    low, high = (float(end) for end in np.percentile(inverse, ENDS))
    deep = raw.kind == "disparity" or not high > low
    strength = STRENGTH if deep else STRENGTH * min(1.0, (1 - low / high) / FULL_DEPTH)
    small = (inverse - np.float32(low)) / np.float32(high - low) if high > low else np.full_like(inverse, 0.5)
    return _preview(rgb, guided_upsample(small, rgb), strength, options)


def preview_of_depth(photo: Photo, depth: DepthMap, options: StereoOptions = StereoOptions()) -> StereoPreview:
    """The preview of a photo whose depth is known already, all of it."""
    rgb, every = _small(photo), max(1, max(photo.size) // SIDE)
    near = nearness_of(replace(depth, z=np.ascontiguousarray(depth.z[every // 2 :: every, every // 2 :: every])))
    strength = STRENGTH * min(1.0, near.depth / FULL_DEPTH)
    return _preview(rgb, cv2.resize(near.values, rgb.shape[1::-1]), strength, options)


def _small(photo: Photo) -> UInt8[ndarray, "h w 3"]:
    """The photo at a preview's size."""
    full, scale = on_ground(photo), min(1.0, SIDE / max(photo.size))
    return np.asarray(cv2.resize(full, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)) if scale < 1 else full


def _preview(
    rgb: UInt8[ndarray, "h w 3"], near: Float32[ndarray, "h w"], strength: float, options: StereoOptions
) -> StereoPreview:
    values = (255 * np.clip(grown(near), 0, 1)).round().astype(np.uint8)
    return StereoPreview(rgb, values, strength, calm_plane(middle_plane(near), options, strength / 100))
