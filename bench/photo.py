"""A photo as a phone takes it, made of a small one: 12 megapixels, 3 to 6 MB."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

PIXELS = 12_000_000
GRAIN = 12
"""Brightness of the sensor's noise, 0 to 255: it makes the bytes, as it does in a real photo."""


@cache
def phone_photo(path: Path, quality: int = 93, grain: int = GRAIN, pixels: float = PIXELS) -> bytes:
    """The picture of a file as a JPEG of 12 megapixels, with grain. The same bytes each time."""
    with Image.open(path) as picture:
        scale = (pixels / (picture.width * picture.height)) ** 0.5
        size = (round(picture.width * scale), round(picture.height * scale))
        large = np.asarray(picture.convert("RGB").resize(size, Image.Resampling.BICUBIC))
    noise = np.random.default_rng(0).integers(-grain, grain + 1, (*large.shape[:2], 1), np.int16)
    out = io.BytesIO()
    Image.fromarray(np.clip(large + noise, 0, 255).astype(np.uint8)).save(out, "JPEG", quality=quality)
    return out.getvalue()
