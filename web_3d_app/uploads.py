"""From uploaded bytes to a photo that is safe to keep: checked, upright, re-encoded, without metadata.

The sender's bytes are never stored and never served back. The 35 mm focal length is read first and kept as a number.
"""

from __future__ import annotations

import hashlib
import io
import re
import threading
from dataclasses import dataclass
from importlib.util import find_spec

from PIL import Image

from recon.errors import BadInput
from recon.settings import Limits
from recon.stages.read import photo_from_bytes
from recon.types import Photo
from web_3d_app.problems import Problem

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "HEIF")
JPEG_QUALITY = 95
HEIC = re.compile(rb"....ftyp(heic|heix|hevc|hevx|heim|heis|mif1|msf1)", re.DOTALL)
"""How such a file begins."""
DECODERS = threading.BoundedSemaphore(2)
"""A photo of 50 megapixels takes some 500 MB while it is decoded; more than two at a time wait for each other."""


@dataclass(frozen=True)
class Upload:
    """A photo as it is kept. data: JPEG, or PNG where it has transparency; digest: SHA-256 (hex) of what was sent;
    focal_35mm: in millimetres, where EXIF said so."""

    data: bytes
    name: str
    title: str
    width: int
    height: int
    focal_35mm: float | None
    digest: str


def checked_upload(data: bytes, file_name: str, limits: Limits) -> Upload:
    """The upload ready to be kept. Raises Problem: 413 too many bytes, 415 no allowed format, 422 a photo that is too
    large, too small or damaged."""
    if len(data) > limits.max_bytes:
        raise too_large(limits.max_bytes)
    with DECODERS:
        photo = _decoded(data, limits)
        ending, encoded = _encoded(photo)
    height, width = photo.size
    digest = hashlib.sha256(data).hexdigest()
    return Upload(encoded, f"photo.{ending}", title_of(file_name), width, height, photo.focal_35mm, digest)


def readable() -> list[str]:
    """What kinds of photo can be read here."""
    heic = ["HEIC"] if find_spec("pillow_heif") else []
    return ["JPEG", "PNG", "WebP", "AVIF", *heic]


def _sentence(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def title_of(file_name: str) -> str:
    """A harmless name for people: letters, digits, dashes and spaces of the file's own, at most 60."""
    stem = re.split(r"[\\/]", file_name)[-1].rpartition(".")[0] or file_name
    return re.sub(r"[^\w\- ]+", " ", stem).strip()[:60].strip() or "photo"


def too_large(max_bytes: int) -> Problem:
    """Of a photo with too many bytes."""
    return Problem(413, "too_large", f"The photo is too large; at most {max_bytes / 2**20:.0f} MB are allowed.")


def _decoded(data: bytes, limits: Limits) -> Photo:
    try:
        return photo_from_bytes(data, limits, FORMATS)
    except BadInput as error:
        if isinstance(error.__cause__, Image.UnidentifiedImageError):
            message = f"This is no photo that can be read; give a {_sentence(readable())} file."
            if HEIC.match(data):
                message = f"HEIC photos cannot be read on this server; give a {_sentence(readable())} file."
            raise Problem(415, "not_a_photo", message) from None
        advice = re.sub(r" or [^;]*--[\w-]+", "", str(error))  # "or raise the limit with --…" is not for visitors
        raise Problem(422, "bad_photo", advice) from None


def _encoded(photo: Photo) -> tuple[str, bytes]:
    out = io.BytesIO()
    if photo.alpha is None:
        Image.fromarray(photo.rgb).save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        return "jpg", out.getvalue()
    picture = Image.fromarray(photo.rgb).convert("RGBA")
    picture.putalpha(Image.fromarray(photo.alpha))
    picture.save(out, "PNG", compress_level=1)
    return "png", out.getvalue()
