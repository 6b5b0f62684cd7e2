"""Photos for the real pipeline."""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from recon.settings import Limits
from web_3d_app.jobs.decoder import decode_here
from web_3d_app.jobs.uploads import Upload, digest_of, kept_upload


def small_photo(seed: int) -> bytes:
    """96×72 pixels of soft noise, different for each seed."""
    noise = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize((96, 72), Image.Resampling.BICUBIC).save(out, "JPEG")
    return out.getvalue()


def small_object() -> bytes:
    """96×72 pixels of a striped ball, cut out by its transparency."""
    y, x = np.mgrid[0:72, 0:96]
    off_x, off_y = (x - 48) / 30, (y - 36) / 30
    height = np.sqrt(np.clip(1 - off_x**2 - off_y**2, 0, 1))
    colour = np.stack([200 - 90 * (x // 6 % 2), 90 + 60 * (y // 8 % 2), np.full_like(x, 70)], axis=-1)
    shaded = colour * np.clip(0.35 + 0.6 * height - 0.25 * off_x, 0, 1)[..., None]
    rgba = np.dstack([shaded, 255 * (height > 0)]).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(rgba).save(out, "PNG")
    return out.getvalue()


def pixels_in_few_bytes(width: int, height: int) -> bytes:
    """A black PNG; 145 kB for 50 megapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + bytes(3 * width)) * height, 6)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def checked_upload(data: bytes, file_name: str, limits: Limits) -> Upload:
    """The upload ready to be kept, decoded in this process. Raises Problem, see `kept_upload`."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "sent", Path(folder) / "photo"
        source.write_bytes(data)
        upload = kept_upload(source, target, file_name, digest_of(source), limits, decode_here)
        return replace(upload, data=target.read_bytes())
