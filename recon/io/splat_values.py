"""What the formats of Gaussian splats have in common: numbers that are all finite, harmonics, axes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.axes import to_gltf
from recon.types import Splats

SH0 = 0.28209479177387814
"""The real spherical harmonic of degree 0, 1/(2√π)."""
LEAST_SCALE, LEAST_LOGIT = 1e-7, 1e-3
"""Scales of 0 mean something else to readers; opacities of 0 and 1 have no logit."""


def checked(splats: Splats) -> Splats:
    """The same with scales of at least LEAST_SCALE and unit quaternions. Raises BadInput where a number is not finite."""
    numbers = (splats.centres, splats.scales, splats.quaternions, splats.opacity)
    length = np.linalg.norm(splats.quaternions, axis=1, keepdims=True)
    if not all(np.isfinite(each).all() for each in numbers) or not (length > 0).all():
        raise BadInput("splats.not_finite", "some of the splats have no place, size or direction; leave them out.")
    scales = np.maximum(splats.scales, np.float32(LEAST_SCALE))
    return Splats(splats.centres, scales, splats.quaternions / length, splats.opacity, splats.colors)


def in_gltfs_axes(splats: Splats) -> Splats:
    """Turned into glTF's frame (x right, y up, z back). The axes may change their signs, a Gaussian has none: the half turn
    D about x makes of a rotation R the rotation D·R·D, whose quaternion has y and z with their signs changed."""
    quaternions = splats.quaternions.copy()
    quaternions[:, 1:] = to_gltf(splats.quaternions[:, 1:])
    return Splats(to_gltf(splats.centres), splats.scales, quaternions, splats.opacity, splats.colors)


def harmonics(colors: UInt8[ndarray, "n 3"]) -> Float32[ndarray, "n 3"]:
    """The coefficients of degree 0 of sRGB colours: (c − ½)/SH0."""
    return (colors.astype(np.float32) / np.float32(255) - np.float32(0.5)) / np.float32(SH0)


def logits(opacity: Float32[ndarray, " n"]) -> Float32[ndarray, " n"]:
    """ln(o/(1 − o)), of what is kept away from 0 and 1."""
    inner = np.clip(opacity, LEAST_LOGIT, 1 - LEAST_LOGIT)
    return np.log(inner / (1 - inner))
