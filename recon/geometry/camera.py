"""Pinhole cameras: fields of view, focal lengths, back-projection and projection.

A `Camera` belongs to a picture of `width`×`height` pixels; `scaled_camera` gives the same camera for another resolution.
"""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from recon.types import Camera

FULL_FRAME_DIAGONAL_MM = math.hypot(36.0, 24.0)


def focal_from_fov(fov_x: float, width: int | float) -> float:
    """Focal length in pixels from a horizontal field of view in degrees."""
    return width / (2 * math.tan(math.radians(fov_x) / 2))


def fov_from_focal(focal: float, width: int | float) -> float:
    """Horizontal field of view in degrees from a focal length in pixels, the principal point in the middle."""
    return 2 * math.degrees(math.atan(width / 2 / focal))


def focal_between(fov_x: float, width: int, cx: float) -> float:
    """The same for a principal point at `cx`, between the picture's sides: the rays through both ends of a row enclose the
    angle, tan(fov) = w·f / (f² − cx·(w − cx))."""
    if cx == width / 2:
        return focal_from_fov(fov_x, width)
    tan, product = math.tan(math.radians(fov_x)), cx * (width - cx)
    if abs(tan) > 1e8:  # a right angle: f² = cx·(w − cx)
        return math.sqrt(product)
    return (width + math.copysign(math.sqrt(width**2 + 4 * tan**2 * product), tan)) / (2 * tan)


def focal_from_35mm(focal_mm: float, width: int, height: int) -> float:
    """Focal length in pixels from EXIF's FocalLengthIn35mmFilm.

    The tag is defined over the diagonal (CIPA DC-008), so that one formula serves every aspect and orientation.
    """
    return focal_mm * math.hypot(width, height) / FULL_FRAME_DIAGONAL_MM


def centred_camera(width: int, height: int, focal: float, source: str) -> Camera:
    """A camera whose principal point is the picture's centre."""
    return Camera(width, height, focal, width / 2, height / 2, source)


def scaled_camera(camera: Camera, width: int, height: int) -> Camera:
    """The same camera for a picture resampled to `width`×`height` (pixels stay square to within rounding)."""
    sx, sy = width / camera.width, height / camera.height
    return Camera(width, height, camera.focal * (sx + sy) / 2, camera.cx * sx, camera.cy * sy, camera.source)


def back_project(
    u: Float32[ndarray, "*#shape"], v: Float32[ndarray, "*#shape"], z: Float32[ndarray, "*shape"], camera: Camera
) -> Float32[ndarray, "*shape 3"]:
    """Points in the camera's frame from pixel positions (u, v), broadcast, and depth z; NaN depth gives NaN points."""
    out = np.empty((*z.shape, 3), np.float32)
    np.multiply(u - np.float32(camera.cx), z * np.float32(1 / camera.focal), out=out[..., 0])
    np.multiply(v - np.float32(camera.cy), z * np.float32(1 / camera.focal), out=out[..., 1])
    out[..., 2] = z
    return out


def project(points: Float32[ndarray, "n 3"], camera: Camera) -> Float32[ndarray, "n 2"]:
    """Pixel positions (u, v) of points in front of the camera; the inverse of `back_project`."""
    scale = np.float32(camera.focal) / points[:, 2]
    return np.stack([points[:, 0] * scale + np.float32(camera.cx), points[:, 1] * scale + np.float32(camera.cy)], 1)
