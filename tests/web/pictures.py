"""Photos for the real pipeline."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def small_photo(seed: int) -> bytes:
    """96×72 pixels of soft noise, different for each seed."""
    noise = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize((96, 72), Image.Resampling.BICUBIC).save(out, "JPEG")
    return out.getvalue()
