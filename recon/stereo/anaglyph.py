"""Anaglyphs for red and cyan glasses, red on the left: two pictures in one.

All but Dubois's mix sRGB values as they are; his matrices are least squares over the spectra of an LCD and of the filters
(E. Dubois, "Conversion of a stereo pair to anaglyph with the least-squares projection method", 2009) and hold for linear
light. The matrices' rows are R, G, B of the result, their columns R, G, B of an eye's picture.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

Eye = UInt8[ndarray, "h w 3"]
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
"""ITU-R BT.601."""
DUBOIS_LEFT = np.array([[0.437, 0.449, 0.164], [-0.062, -0.062, -0.024], [-0.048, -0.050, -0.017]], np.float32)
DUBOIS_RIGHT = np.array([[-0.011, -0.032, -0.007], [0.377, 0.761, 0.009], [-0.026, -0.093, 1.234]], np.float32)
STEPS = 4095
"""Steps of linear light for which the way back to sRGB is tabled: less than half an sRGB step between two of them, but in
the darkest hundredth."""


def anaglyph(left: UInt8[ndarray, "h w 3"], right: UInt8[ndarray, "h w 3"], method: str) -> UInt8[ndarray, "h w 3"]:
    """Both eyes' pictures in one; method: a name in METHODS."""
    return METHODS[method](left, right)


def _luma(rgb: UInt8[ndarray, "h w 3"]) -> UInt8[ndarray, "h w"]:
    return np.asarray(cv2.transform(rgb, LUMA[None]))


def _true(left: Eye, right: Eye) -> Eye:
    return np.dstack([_luma(left), np.zeros(left.shape[:2], np.uint8), _luma(right)])


def _gray(left: Eye, right: Eye) -> Eye:
    grey = _luma(right)
    return np.dstack([_luma(left), grey, grey])


def _color(left: Eye, right: Eye) -> Eye:
    return np.dstack([left[..., 0], right[..., 1], right[..., 2]])


def _half_color(left: Eye, right: Eye) -> Eye:
    return np.dstack([_luma(left), right[..., 1], right[..., 2]])


def _optimized(left: Eye, right: Eye) -> Eye:
    """Wimmer's: no red at all, which both eyes would see too differently."""
    mixed = cv2.transform(left, np.array([[0, 0.7, 0.3]], np.float32))
    return np.dstack([mixed, right[..., 1], right[..., 2]])


def _improved(left: Eye, right: Eye) -> Eye:
    """Wimmer's second: of each eye, red that is more than green or blue is shared out to them."""
    green, blue = _shared(left)
    red = (0.75 * green + 0.25 * blue).clip(0, 1) ** np.float32(1 / 1.6)
    return np.dstack([_eight_bits(red), *map(_eight_bits, _shared(right))])


def _shared(rgb: Eye) -> tuple[Float32[ndarray, "h w"], Float32[ndarray, "h w"]]:
    red, green, blue = np.moveaxis(rgb.astype(np.float32) / 255, 2, 0)
    return green + 0.45 * np.maximum(red - green, 0), blue + 0.25 * np.maximum(red - blue, 0)


def _eight_bits(values: Float32[ndarray, "h w"]) -> UInt8[ndarray, "h w"]:
    return (255 * values.clip(0, 1)).round().astype(np.uint8)


def _dubois(left: Eye, right: Eye) -> Eye:
    linear = cv2.transform(_linear(left), DUBOIS_LEFT) + cv2.transform(_linear(right), DUBOIS_RIGHT)
    return _TO_SRGB[(np.clip(linear, 0, 1) * STEPS + 0.5).astype(np.uint16)]


def _linear(rgb: Eye) -> Float32[ndarray, "h w 3"]:
    return np.asarray(cv2.LUT(rgb, _TO_LINEAR))


def _curve() -> tuple[Float32[ndarray, " n"], UInt8[ndarray, " m"]]:
    """IEC 61966-2-1, there and back, as tables."""
    v, light = np.arange(256) / 255, np.arange(STEPS + 1) / STEPS
    to_linear = np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    to_srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return to_linear.astype(np.float32), (255 * to_srgb).round().astype(np.uint8)


_TO_LINEAR, _TO_SRGB = _curve()
METHODS: dict[str, Callable[[Eye, Eye], Eye]] = {
    "true": _true,
    "gray": _gray,
    "color": _color,
    "half-color": _half_color,
    "optimized": _optimized,
    "improved": _improved,
    "dubois": _dubois,
}
"""By name, as they are known."""
