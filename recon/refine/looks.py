"""Several looks of a network at one subject: the photo turned about the optical axis and mirrored, the answers turned back
and averaged.

A turn about the optical axis and a mirroring leave depth along that axis as it is, so the maps can be averaged pixel by
pixel. What the network says by
chance is averaged away. It knows upright objects best, so that the upright look counts as much as all others together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.geometry.cutout import GROUND
from recon.geometry.fill import nearest_filled
from recon.protocols import DepthEstimator
from recon.stages.depth import to_depth_map
from recon.stages.subject import opaque
from recon.types import Camera, DepthMap, Mask, Photo


def looks_of(
    estimator: DepthEstimator,
    photo: Photo,
    mask: Mask,
    camera: Camera,
    depth: DepthMap,
    turns: tuple[float, ...],
) -> Iterator[DepthMap]:
    """`depth`, which is the first look, averaged with the mean of the further ones, after each of these.

    turns: of the photo, in degrees; each is looked at as it is, where it is turned at all, and mirrored.

    Depth stays in the unit of `depth`, whose median it keeps. An estimator that knows no back gives the map as it came.
    """
    if mask.inside is None or depth.back is None:
        return
    rgb, total = opaque(photo), np.zeros((2, *photo.size), np.float64)
    unit = np.float32(np.median(depth.z[mask.inside]))
    first = np.stack([depth.z, depth.back])
    further = [(turn, mirrored) for turn in turns for mirrored in (False, True) if turn or mirrored]
    for count, (turn, mirrored) in enumerate(further, 1):
        matrix = _turned(camera, turn, mirrored)
        found = _look(estimator, rgb, mask.inside, camera, matrix)
        if found is None:
            return
        total += found * unit
        z, back = ((first + total / count) / 2).astype(np.float32)
        z, back = (np.where(mask.inside, values, np.float32(np.nan)) for values in (z, np.maximum(z, back)))
        yield replace(depth, z=z, back=back)


def _turned(camera: Camera, turn: float, mirrored: bool) -> ndarray:
    """The affine map of pixel indices that turns a photo about its principal point, then mirrors it there."""
    centre = camera.cx - 0.5, camera.cy - 0.5
    matrix = cv2.getRotationMatrix2D(centre, turn, 1.0)
    if mirrored:
        matrix[0] *= -1
        matrix[0, 2] += 2 * centre[0]
    return matrix


def _look(
    estimator: DepthEstimator,
    rgb: UInt8[ndarray, "h w 3"],
    inside: Bool[ndarray, "h w"],
    camera: Camera,
    matrix: ndarray,
) -> Float32[ndarray, "2 h w"] | None:
    """Front and back as one look sees them, in units of the median front; None where the estimator knows no back."""
    size = inside.shape[1], inside.shape[0]
    seen = cv2.warpAffine(rgb, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(GROUND,) * 3)
    there = cv2.warpAffine(inside.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    raw = estimator.estimate(seen, there)
    if raw.relief is None:
        return None
    depth = to_depth_map(raw, Photo(seen), Mask(there, "turned"), camera)
    assert depth.back is not None
    back_again = cv2.invertAffineTransform(matrix)
    maps = [nearest_filled(values) / np.float32(np.median(depth.z[there])) for values in (depth.z, depth.back)]
    return np.stack([
        cv2.warpAffine(values, back_again, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for values in maps
    ])  # fmt: skip
