"""From sRGB to linear light (IEC 61966-2-1)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8, UInt16
from numpy import ndarray


def to_linear(encoded: Float[ndarray, "*shape"]) -> Float[ndarray, "*shape"]:
    """Linear light in 0..1 from sRGB values in 0..1."""
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def linear_16bit(colors: UInt8[ndarray, "n c"]) -> UInt16[ndarray, "n c"]:
    """glTF's COLOR_0 is linear; 8 bits would band in the dark, so 16."""
    table = np.round(to_linear(np.arange(256) / 255) * 65535).astype(np.uint16)
    return table[colors]
