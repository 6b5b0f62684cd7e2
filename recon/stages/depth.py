"""From an estimator's raw values to depth at the photo's size."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.camera import scaled_camera
from recon.geometry.cutout import GROUND, Window, crop_window, paste_window
from recon.geometry.disparity import FAR_OVER_NEAR, SUBJECT_FAR_OVER_NEAR, disparity_to_depth
from recon.geometry.fill import nearest_filled
from recon.geometry.focal_shift import shift_for
from recon.geometry.upsample import guided_upsample, resized
from recon.geometry.upsample_measured import upsample_measured
from recon.types import GIVEN, Camera, DepthMap, Mask, Photo, RawDepth, Relief

NETWORK_NOISE = 0.02
"""Changes of a network's disparity between neighbours that mean nothing, in parts of its range over the photo."""
NEAREST = 0.1
"""A subject's nearest point in parts of its median distance: with a very wide view, what a relief leads to in front of this
would lie behind the camera."""
ALL_INSIDE = 0.999
"""Share of a network's sample inside the mask from which nothing of the background is in it."""


def to_depth_map(
    raw: RawDepth, photo: Photo, mask: Mask, camera: Camera, near: float | None = None, far: float | None = None
) -> DepthMap:
    """Depth along the optical axis at the photo's size; NaN outside the mask and where the model saw no surface.

    A subject's relief, where the model gives one, becomes depth by the camera's focal length (see _subject), what else
    depends on the camera is put right (see _for_camera). Disparity becomes depth between `near` and `far` (see
    geometry.disparity); without them, and for `scale` depth, the unit is the median depth, or a metre where the model is
    sure of the photo's scale and the whole photo was taken. Metric depth stays in metres.
    Raises BadInput when nothing is left.
    """
    if raw.relief is not None and mask.inside is not None:
        return _subject(raw, raw.relief, photo, mask.inside, camera, near, far)
    raw = _for_camera(raw, camera)
    values = raw.values if raw.values.shape == photo.size else _at_photo_size(raw, photo, camera)
    if mask.inside is not None:
        values = np.where(mask.inside, values, np.float32(np.nan))
    _check_enough(int(np.count_nonzero(~np.isnan(values))))
    if raw.kind == "metric":
        return DepthMap(values, True, raw.model, raw.kind)
    if raw.kind == "disparity":
        ratio = SUBJECT_FAR_OVER_NEAR if mask.inside is not None else raw.far_over_near or FAR_OVER_NEAR
        values = disparity_to_depth(values, near, far, ratio)
    in_metres = raw.kind == "disparity" and (near is not None or far is not None)
    if not in_metres:
        seen = None if mask.inside is not None else distance_for(raw, camera)
        values, in_metres = values * np.float32((seen or 1.0) / _median(values)), seen is not None
    noise = 0.0 if raw.model == GIVEN else _noise(values)
    return DepthMap(values, in_metres, raw.model, raw.kind, noise)


def distance_for(raw: RawDepth, camera: Camera) -> float | None:
    """A model's distance in metres as this camera must have seen it: what is as large in the picture of a longer lens is as
    many times farther away. None where the model is not sure of it."""
    if raw.distance is None or raw.fov_x is None:
        return raw.distance
    return raw.distance * math.tan(math.radians(raw.fov_x) / 2) / math.tan(math.radians(camera.fov_x) / 2)


def _for_camera(raw: RawDepth, camera: Camera) -> RawDepth:
    """The same depth as this camera must have seen it.

    A point map's shift along the optical axis follows from the focal length. Metres of a canonical camera grow with it, and
    where nobody knows it, they are depth up to a factor.
    """
    if raw.affine is not None:
        moved = raw.values + np.float32(shift_for(raw.affine, camera))
        return replace(raw, values=np.where(moved > 0, moved, np.float32(np.nan)))
    if raw.canonical_focal is None:
        return raw
    if camera.source == "default":
        return replace(raw, kind="scale")
    height, width = raw.values.shape
    focal = scaled_camera(camera, width, height).focal
    return replace(raw, values=raw.values * np.float32(focal / raw.canonical_focal))


def _subject(
    raw: RawDepth,
    relief: Relief,
    photo: Photo,
    inside: Bool[ndarray, "h w"],
    camera: Camera,
    near: float | None,
    far: float | None,
) -> DepthMap:
    """A subject's front and back from its relief, the median depth of its front being 1.

    `near` or `far` alone puts the nearest or the farthest visible point there by scaling everything; both together also
    stretch the subject along the optical axis, so that what is visible reaches from the one to the other.
    """
    maps = relief_depth(relief, photo, inside, camera)
    z, z_back = maps[:, inside]
    low, high = float(z.min()), float(z.max())
    if near is not None and far is not None and high > low:
        z, z_back = (near + (each - low) * np.float32((far - near) / (high - low)) for each in (z, z_back))
    elif near is not None or far is not None:
        factor = np.float32(near / low if near is not None else far / high)  # type: ignore[operator]
        z, z_back = z * factor, z_back * factor
    maps[:, inside] = z, z_back
    in_metres = near is not None or far is not None
    colour = None if relief.back_colour is None else _colour_behind(relief, relief.back_colour, photo, inside)
    return DepthMap(maps[0], in_metres, raw.model, "scale", _noise(maps[0]), maps[1], colour)


def relief_depth(
    relief: Relief, photo: Photo, inside: Bool[ndarray, "h w"], camera: Camera
) -> Float32[ndarray, "2 h w"]:
    """A subject's front and back as depth along the optical axis, the median of the front being 1; NaN outside. Raises
    BadInput where hardly a pixel is inside."""
    _check_enough(int(np.count_nonzero(inside)))
    window = Window(relief.left, relief.top, relief.width, relief.height)
    front, back = _full_relief(relief, window, photo, inside)
    front, back = front - np.median(front), back - np.median(front)
    scale = np.float32(window.long_side / camera.focal)
    z = np.maximum(1 + front * scale, np.float32(NEAREST))
    maps = np.full((2, *photo.size), np.nan, np.float32)
    maps[:, inside] = z, np.maximum(1 + back * scale, z)
    return maps


def _full_relief(relief: Relief, window: Window, photo: Photo, inside: Bool[ndarray, "h w"]) -> Float32[ndarray, "2 n"]:
    """Front and back at the pixels inside the mask. What the network says outside is kept out before upsampling."""
    known = _samples_inside(relief, window, inside)
    picture = crop_window(photo.rgb, window, GROUND)
    full = np.zeros(photo.size, np.float32)
    out = []
    for values in (relief.front, relief.back):
        filled = nearest_filled(np.where(known, values, np.float32(np.nan)))
        paste_window(full, guided_upsample(filled, picture), window)
        out.append(full[inside])
    return np.stack(out)


def _samples_inside(relief: Relief, window: Window, inside: Bool[ndarray, "h w"]) -> Bool[ndarray, "a b"]:
    """The relief's samples that lie all inside, and where a part is too thin to have any, the best that it has."""
    small = relief.front.shape[1], relief.front.shape[0]
    covered = resized(crop_window(inside, window, False).astype(np.float32), small)
    best = cv2.dilate(covered, np.ones((3, 3), np.uint8))
    return (covered > 0) & (covered >= np.minimum(best, np.float32(ALL_INSIDE)))


def _colour_behind(
    relief: Relief, colour: UInt8[ndarray, "a b 3"], photo: Photo, inside: Bool[ndarray, "h w"]
) -> UInt8[ndarray, "h w 3"]:
    """The back's colours at the photo's size; outside the window light grey."""
    window = Window(relief.left, relief.top, relief.width, relief.height)
    known = _samples_inside(relief, window, inside)[..., None]
    filled = [nearest_filled(each) for each in np.moveaxis(np.where(known, colour, np.float32(np.nan)), 2, 0)]
    full = np.full((*photo.size, 3), GROUND, np.uint8)
    large = cv2.resize(np.stack(filled, 2), (window.width, window.height), interpolation=cv2.INTER_LINEAR)
    paste_window(full, large.round().astype(np.uint8), window)
    return full


def _check_enough(count: int) -> None:
    if count < 16:
        raise BadInput(
            "depth.none_inside", "no surface is left: the depth map has no values inside the mask; check the mask."
        )


def _noise(z: Float32[ndarray, "h w"]) -> float:
    return NETWORK_NOISE * float(1 / np.nanmin(z) - 1 / np.nanmax(z))


def _median(values: Float32[ndarray, "h w"]) -> float:
    thin = values[:: max(1, values.shape[0] // 512), :: max(1, values.shape[1] // 512)]
    finite = thin[~np.isnan(thin)]
    return float(np.median(finite if finite.size else values[~np.isnan(values)]))


def _at_photo_size(raw: RawDepth, photo: Photo, camera: Camera) -> Float32[ndarray, "h w"]:
    """Measured depth keeps its steps, what a network has blurred follows the photo."""
    if raw.model != GIVEN or raw.kind == "disparity" or min(raw.values.shape) < 2:
        return _upsampled(raw, photo)
    return upsample_measured(raw.values, photo.rgb, camera.width / raw.values.shape[1] / camera.focal)


def _upsampled(raw: RawDepth, photo: Photo) -> Float32[ndarray, "h w"]:
    """A small map at the photo's size, edges where the photo has them; NaN stays NaN.

    Depth is upsampled as disparity, which is linear on planes and bounded at infinity. What a network calls no surface is
    sky and leads to the farthest depth; a hole in a measured map says nothing, and its rim stays as it is.
    """
    hole = np.isnan(raw.values)
    small = raw.values if raw.kind == "disparity" else 1 / raw.values
    if hole.all():
        raise BadInput("depth.only_sky", "the depth model sees no surface in this photo, only sky; take another photo.")
    if hole.any():
        farthest = np.where(hole, small[~hole].min(), small).astype(np.float32)
        small = nearest_filled(small) if raw.model == GIVEN else farthest
    full = guided_upsample(small, photo.rgb)
    if hole.any():
        empty = guided_upsample(hole.astype(np.float32), photo.rgb) > 0.5
        full = np.where(empty, np.float32(np.nan), full)
    return full if raw.kind == "disparity" else (1 / full).astype(np.float32)
