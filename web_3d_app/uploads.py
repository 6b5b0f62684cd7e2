"""From uploaded bytes to a photo that is safe to keep: checked, upright, re-encoded, without metadata.

The sender's bytes are never stored and never served back. The 35 mm focal length is read first and kept as a number.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from recon.errors import BadInput
from recon.settings import Limits
from web_3d_app.decoder import Kept, decode_here
from web_3d_app.decoders import CannotDecode
from web_3d_app.names import title_of
from web_3d_app.problems import Problem

HEIC = re.compile(rb"....ftyp(heic|heix|hevc|hevx|heim|heis|mif1|msf1)", re.DOTALL)
"""How such a file begins."""
Decode = Callable[[Path, Path, Limits], Kept]
"""(upload, where the photo to keep is to lie, limits)."""


@dataclass(frozen=True)
class Upload:
    """A photo as it is kept. data: JPEG, or PNG where it has transparency, as bytes or a file, open or not; digest:
    SHA-256 (hex) of what was sent; focal_35mm: in millimetres, where EXIF said so."""

    data: bytes | Path | BinaryIO
    name: str
    title: str
    width: int
    height: int
    focal_35mm: float | None
    digest: str


def checked_upload(data: bytes, file_name: str, limits: Limits) -> Upload:
    """The upload ready to be kept, decoded in this process. Raises Problem, see `kept_upload`."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "sent", Path(folder) / "photo"
        source.write_bytes(data)
        upload = kept_upload(source, target, file_name, digest_of(source), limits, decode_here)
        return replace(upload, data=target.read_bytes())


def kept_upload(source: Path, target: Path, file_name: str, digest: str, limits: Limits, decode: Decode) -> Upload:
    """The upload in the file `source` ready to be kept, its photo then in the file `target`. Raises Problem: 413 too many
    bytes, 415 no allowed format, 422 a photo that is too large, too small or damaged; or what `decode` raises."""
    if source.stat().st_size > limits.max_bytes:
        raise too_large(limits.max_bytes)
    try:
        kept = decode(source, target, limits)
    except (BadInput, CannotDecode) as error:
        unknown = getattr(error, "unknown", isinstance(error.__cause__, Image.UnidentifiedImageError))
        raise _refusal(str(error), unknown, source) from None
    name = f"photo.{kept.ending}"
    return Upload(target, name, title_of(file_name), kept.width, kept.height, kept.focal_35mm, digest)


def digest_of(source: Path) -> str:
    """SHA-256 of a file, in hex."""
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def readable() -> list[str]:
    """What kinds of photo can be read here."""
    heic = ["HEIC"] if find_spec("pillow_heif") else []
    return ["JPEG", "PNG", "WebP", "AVIF", *heic]


def _sentence(names: list[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


def too_large(max_bytes: int) -> Problem:
    """Of a photo with too many bytes."""
    return Problem(413, "too_large", f"The photo is too large; at most {max_bytes / 2**20:.0f} MB are allowed.")


def _refusal(message: str, unknown: bool, source: Path) -> Problem:
    """The decoder's sentence for visitors."""
    if not unknown:
        advice = re.sub(r" or [^;]*--[\w-]+", "", message)  # "or raise the limit with --…" is not for visitors
        return Problem(422, "bad_photo", advice)
    told = f"This is no photo that can be read; give a {_sentence(readable())} file."
    with source.open("rb") as file:
        if HEIC.match(file.read(32)):
            told = f"HEIC photos cannot be read on this server; give a {_sentence(readable())} file."
    return Problem(415, "not_a_photo", told)
