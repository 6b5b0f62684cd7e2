"""Several looks of networks at one subject: the photo turned about the optical axis and mirrored, the answers turned back
and averaged.

A turn about the optical axis and a mirroring leave depth along that axis as it is, so the maps can be averaged pixel by
pixel. What a network says by chance, and what it prefers to one side, is averaged away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.geometry.cutout import GROUND
from recon.geometry.fill import nearest_filled
from recon.protocols import ShapeEstimator
from recon.stages.depth import relief_depth
from recon.stages.subject import on_opaque_ground
from recon.types import Camera, DepthMap, Mask, Photo


def averaged_relief(
    networks: Sequence[ShapeEstimator],
    photo: Photo,
    mask: Mask,
    camera: Camera,
    depth: DepthMap,
    turns: tuple[float, ...],
) -> Iterator[DepthMap]:
    """A subject's depth by the mean of the looks so far, after each; none without a subject.

    turns: of the photo, in degrees; each network looks at each as it is and mirrored. Where `depth` has no back, its model
    is not ours and knows the front better: that stays, and only how thick the subject is comes from the looks. The result
    is in the unit of `depth`, whose median it keeps.
    """
    if mask.inside is None:
        return
    rgb, total = on_opaque_ground(photo), np.zeros((2, *photo.size), np.float64)
    unit = float(np.median(depth.z[mask.inside & ~np.isnan(depth.z)]))
    for count, (turn, mirrored, network) in enumerate(product(turns, (False, True), networks), 1):
        total += _look(network, rgb, mask.inside, camera, _turned(camera, turn, mirrored))
        front, back = unit * total / count
        if depth.back is None:
            front, back = depth.z, depth.z + back - front
        z, back = (np.where(mask.inside, each, np.nan).astype(np.float32) for each in (front, np.maximum(front, back)))
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
    network: ShapeEstimator,
    rgb: UInt8[ndarray, "h w 3"],
    inside: Bool[ndarray, "h w"],
    camera: Camera,
    matrix: ndarray,
) -> Float32[ndarray, "2 h w"]:
    """Front and back as one look sees them, in units of the median front; anything outside the subject."""
    size = inside.shape[1], inside.shape[0]
    seen = cv2.warpAffine(rgb, matrix, size, flags=cv2.INTER_LINEAR, borderValue=(GROUND,) * 3)
    there = cv2.warpAffine(inside.astype(np.uint8), matrix, size, flags=cv2.INTER_NEAREST) > 0
    maps = relief_depth(network.relief(seen, there), Photo(seen), there, camera)
    back_again = cv2.invertAffineTransform(matrix)
    return np.stack([
        cv2.warpAffine(nearest_filled(each), back_again, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for each in maps
    ])  # fmt: skip
