"""A subject that has a mirror plane, completed by it: each half by what the photo shows of the other.

The plane is taken where it is sure; where it is not, nothing is changed. Front and back are those of the solid fused with
its mirror image (geometry.mirror_fusion); what the photo shows of the mirror image of the far side tells its colours
(stages.far_side).
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.geometry.cutout import GROUND, Window, crop_window, paste_window
from recon.geometry.fill import nearest_filled
from recon.geometry.mirror import TOLERANCE, Plane, mirror_plane, reflected
from recon.geometry.mirror_fusion import fused
from recon.geometry.view_solid import LATTICE, ViewSolid, solid_window, view_solid
from recon.types import Camera, DepthMap, Mask, MirrorSymmetry, Photo

SURE = 0.29
"""Misfit up to which a plane is taken (docs/decisions.md). True shapes of things that have a plane are mostly below it, by
a network's relief those that it gets about right; things without one stay above."""
GRAZING, PLAIN = 0.15, 0.45
"""Cosines between which the photo's colours begin to be worth more than a guess."""


def completed_by_symmetry(depth: DepthMap, photo: Photo, mask: Mask, camera: Camera, how: str) -> DepthMap:
    """A subject's depth map completed by its mirror plane; as it is where there is no sure one, for `off`, and where no
    model says a back: what was measured stays."""
    if how == "off" or depth.back is None or mask.inside is None:
        return depth
    window = solid_window(mask.inside)
    solid = view_solid(depth.z, depth.back, mask.inside, _small_lab(photo.rgb, window), camera, window)
    if solid is None:
        return depth
    plane = mirror_plane(solid)
    return depth if plane.misfit > SURE else _completed(depth, depth.back, mask.inside, solid, plane)


def _small_lab(rgb: UInt8[ndarray, "h w 3"], window: Window) -> Float32[ndarray, "a b 3"]:
    """The window's colours in CIELAB, on the lattice."""
    small = cv2.resize(crop_window(rgb, window, GROUND), (LATTICE, LATTICE), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB))


def _completed(
    depth: DepthMap, was: Float32[ndarray, "h w"], inside: Bool[ndarray, "h w"], solid: ViewSolid, plane: Plane
) -> DepthMap:
    """The depth map of the solid fused with its mirror image; `was`: its back."""
    both = fused(solid, plane)
    z, back = depth.z.copy(), was.copy()
    for full, before, after in ((z, solid.front, both.front), (back, solid.back, both.back)):
        full *= _ratio(after / before, solid, inside.shape)
    back = np.where(inside, np.maximum(z, back), was)
    mirror = _mirrored_places(replace(solid, front=both.front, back=both.back), plane, both.agrees)
    return replace(depth, z=np.where(inside, z, depth.z), back=back, mirror=mirror)


def _ratio(small: Float32[ndarray, "a b"], solid: ViewSolid, size: tuple[int, ...]) -> Float32[ndarray, "h w"]:
    """A lattice's factors at the photo's size; 1 beside the window."""
    filled = nearest_filled(np.where(solid.inside, small, np.float32(np.nan)).astype(np.float32))
    full, window = np.ones(size, np.float32), solid.window
    paste_window(full, cv2.resize(filled, (window.width, window.height), interpolation=cv2.INTER_LINEAR), window)
    return full


def _mirrored_places(solid: ViewSolid, plane: Plane, agrees: Bool[ndarray, "h w"]) -> MirrorSymmetry:
    """Where the photo shows the mirror images of the back, and how well."""
    images = reflected(solid.behind(), plane)
    met = solid.look(images)
    shown = np.clip((met.cosine - GRAZING) / (PLAIN - GRAZING), 0, 1)
    shown *= agrees & (met.inside > 0) & (np.abs(met.z - met.front) < TOLERANCE * solid.size)
    factor, window = np.float32(solid.window.width / LATTICE), solid.window
    u, v = ((each + np.float32(0.5)) * factor + np.float32(corner)
            for each, corner in zip(solid.places(images), (window.left, window.top), strict=True))  # fmt: skip
    known = shown > 0
    place = [nearest_filled(np.where(known, each, np.float32(np.nan))) if known.any() else each for each in (u, v)]
    own = window.left, window.top, window.width, window.height
    return MirrorSymmetry(plane.normal, plane.offset, plane.misfit, own, np.stack(place, axis=2),
                          shown.astype(np.float32))  # fmt: skip
