"""From uploaded bytes to a photo that is safe to keep: checked, upright, re-encoded, without metadata.

The sender's bytes are never stored and never served back. The 35 mm focal length is read first and kept as a number.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import BinaryIO

from recon import Limits
from web_3d_app.jobs.decoder import CannotDecode, FilmFacts, Kept
from web_3d_app.jobs.photo_facts import PhotoFacts
from web_3d_app.names import title_of
from web_3d_app.phrasebook import book, sentence_of
from web_3d_app.problems import Problem
from web_3d_app.settings import Settings

HEIC = re.compile(rb"....ftyp(heic|heix|hevc|hevx|heim|heis|mif1|msf1)", re.DOTALL)
"""How such a file begins."""
Decode = Callable[[Path, Path, Limits], Kept]
"""(upload, where the photo to keep is to lie, limits)."""


@dataclass(frozen=True)
class Upload:
    """A photo as it is kept, or a film. data: JPEG, or PNG where it has transparency, as bytes or a file, open or not;
    digest: SHA-256 (hex) of what was sent; focal_35mm: in millimetres, where EXIF said so; facts: what else the file said
    of the photo."""

    data: bytes | Path | BinaryIO
    name: str
    title: str
    width: int
    height: int
    focal_35mm: float | None
    digest: str
    facts: PhotoFacts | None = None
    film: bool = False


def kept_upload(source: Path, target: Path, file_name: str, digest: str, limits: Limits, decode: Decode) -> Upload:
    """The upload in the file `source` ready to be kept, its photo then in the file `target`. Raises Problem: 413 too many
    bytes, 415 no allowed format, 422 a photo that is too large, too small or damaged; or what `decode` raises."""
    if source.stat().st_size > limits.max_bytes:
        raise too_large(limits.max_bytes)
    try:
        kept = decode(source, target, limits)
    except CannotDecode as error:
        raise _refusal(error, source) from None
    name = f"photo.{kept.ending}"
    return Upload(target, name, title_of(file_name), kept.width, kept.height, kept.focal_35mm, digest,
                  kept.facts)  # fmt: skip


def film_upload(
    data: BinaryIO, source: Path, file_name: str, digest: str, settings: Settings, look: Callable[[Path], FilmFacts]
) -> Upload:
    """The film in the open file `data` ready to be kept, as it is. Raises Problem: 413 too many bytes, 415 no film, 422 one
    that is too long, or has a size that cannot be made; or what `look` raises."""
    if source.stat().st_size > settings.max_film_bytes:
        raise film_too_large(settings, source.stat().st_size)
    try:
        found = look(source)
    except CannotDecode as error:
        told = sentence_of("server.not_a_film") if error.unknown else error.message.text(book())
        raise Problem(*((415, "not_a_film") if error.unknown else (422, "bad_film")), told) from None
    if found.seconds is not None and found.seconds > 60 * settings.max_film_minutes:
        told = sentence_of("server.film_too_long", minutes=found.seconds / 60, most=settings.max_film_minutes)
        raise Problem(422, "bad_film", told)
    ending = Path(file_name).suffix.lower()
    name = f"film{ending if re.fullmatch(r'[.][a-z0-9]{2,4}', ending) else '.mp4'}"
    facts = {"seconds": found.seconds, "rate": found.rate, "sounds": found.sounds, "hdr": found.hdr}
    return Upload(data, name, title_of(file_name), found.width, found.height, None, digest, facts, film=True)


def film_too_large(settings: Settings, size: int | None) -> Problem:
    """Of a film with too many bytes, if that many are known."""
    if size is None:
        return Problem(413, "too_large", sentence_of("server.film_too_large", most=settings.max_film_mib))
    told = sentence_of("server.film_of_size", size=size / 2**20, most=settings.max_film_mib)
    return Problem(413, "too_large", told)


def digest_of(source: Path) -> str:
    """SHA-256 of a file, in hex."""
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class PhotoFormat:
    """Of a photo. package: without which it is not read; media_type, endings: by which a file chooser knows it."""

    name: str
    package: str | None
    media_type: str
    endings: tuple[str, ...]


PHOTO_FORMATS = (
    PhotoFormat("JPEG", None, "image/jpeg", (".jpg", ".jpeg")),
    PhotoFormat("PNG", None, "image/png", (".png",)),
    PhotoFormat("WebP", None, "image/webp", (".webp",)),
    PhotoFormat("AVIF", None, "image/avif", (".avif",)),
    PhotoFormat("HEIC", "pillow_heif", "image/heic", (".heic", ".heif")),
    PhotoFormat("JPEG XL", "pillow_jxl", "image/jxl", (".jxl",)),
    PhotoFormat("raw", "rawpy", "image/x-adobe-dng", (
        ".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".srf", ".sr2", ".raf", ".rw2", ".rwl", ".orf", ".pef", ".srw",
        ".dcr", ".kdc", ".erf", ".mef", ".mos", ".mrw", ".x3f", ".3fr", ".fff", ".iiq")),
)  # fmt: skip
"""Every one that can be read with everything installed; the page's own list of endings is in static/js/carried.js."""


def readable_formats() -> list[PhotoFormat]:
    """What formats of photo can be read here."""
    return [one for one in PHOTO_FORMATS if one.package is None or find_spec(one.package)]


def readable_sentence() -> str:
    """Their names, as "JPEG, PNG or WebP"."""
    names = [kind.name for kind in readable_formats()]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def too_large(max_bytes: int) -> Problem:
    """Of a photo with too many bytes."""
    return Problem(413, "too_large", sentence_of("server.photo_too_large", most=max_bytes / 2**20))


def _refusal(error: CannotDecode, source: Path) -> Problem:
    """The decoder's sentence for visitors."""
    missing = error.missing
    if not error.unknown and not missing:
        return Problem(422, "bad_photo", error.message.text(book()))
    with source.open("rb") as file:
        if error.unknown and HEIC.match(file.read(32)):
            missing = "HEIC"
    if missing == "Raw":
        return Problem(415, "not_a_photo", sentence_of("server.raw_photo"))
    if missing:
        told = sentence_of("server.missing_codec", kind=missing, kinds=readable_sentence())
    else:
        told = sentence_of("server.not_a_photo", kinds=readable_sentence())
    return Problem(415, "not_a_photo", told)
