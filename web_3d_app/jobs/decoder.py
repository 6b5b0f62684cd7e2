"""`python -m web_3d_app.jobs.decoder`: turn uploads into photos that are safe to keep, one after another, until stdin ends.

A line on stdin is a task (JSON: source, target, max_bytes, max_pixels; or film), one on stdout its answer: what lies at
`target` now, or why nothing does; and whether it was the `last`. What a hostile picture does to a decoder it does here:
the web process neither holds its pixels nor waits for it, and the memory is the system's again when this process ends.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from recon import Limits, photo_from_bytes
from recon.errors import BadInput, MissingCodec
from recon.messages import Message, note
from recon.types import Photo
from web_3d_app.jobs.photo_facts import PhotoFacts, facts_of

FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "AVIF", "HEIF", "JXL", "RAW")
JPEG_QUALITY = 95
MOST_MEMORY = 3 << 30
"""Bytes of address space. Of 120 megapixels, read at a quarter: a JPEG takes 0.6 GB, a PNG 1.0, JPEG XL 1.4, WebP 2.0."""
TOO_MUCH = note("photo.memory", "the photo takes too much memory to decode; make it smaller.")
LARGE = 300 << 10
"""kB: a process that once needed more is followed by a fresh one."""


@dataclass(frozen=True)
class Kept:
    """A photo as it is kept: upright, re-encoded, without metadata, at the size at which it was read. ending: `jpg`, or
    `png` where it has transparency; focal_35mm: in millimetres, where EXIF said so; facts: what else the file said."""

    ending: str
    width: int
    height: int
    focal_35mm: float | None
    facts: PhotoFacts


@dataclass(frozen=True)
class FilmFacts:
    """What a film's file says. width, height: of its frames as they are seen; seconds: None where it does not say."""

    width: int
    height: int
    seconds: float | None
    rate: float
    sounds: int
    hdr: bool


class CannotDecode(Exception):
    """What is wrong with an upload; unknown: it is no photo at all; missing: of what kind it is, where that is not read
    here."""

    def __init__(self, message: Message, unknown: bool = False, missing: str = "") -> None:
        super().__init__(message)
        self.message, self.unknown, self.missing = message, unknown, missing


def decode_here(source: Path, target: Path, limits: Limits) -> Kept:
    """Make the photo to keep at `target` of the upload at `source`, in this process. Raises CannotDecode."""
    try:
        photo = photo_from_bytes(source.read_bytes(), limits, FORMATS)
    except BadInput as error:
        unknown = isinstance(error.__cause__, Image.UnidentifiedImageError)
        missing = error.values["kind"] if isinstance(error, MissingCodec) else ""
        raise CannotDecode(error.message, unknown, missing) from None
    height, width = photo.size
    return Kept(_encode(photo, target), width, height, photo.focal_35mm, facts_of(photo))


def _encode(photo: Photo, target: Path) -> str:
    if photo.alpha is None:
        Image.fromarray(photo.rgb).save(target, "JPEG", quality=JPEG_QUALITY, subsampling=0)
        return "jpg"
    picture = Image.fromarray(photo.rgb).convert("RGBA")
    picture.putalpha(Image.fromarray(photo.alpha))
    picture.save(target, "PNG", compress_level=1)
    return "png"


def look_here(source: Path) -> FilmFacts:
    """What the film at `source` says of itself. Raises CannotDecode."""
    from recon.stereo import open_film

    try:
        film = open_film(source)
    except BadInput as error:
        raise CannotDecode(error.message, error.code in ("film.unreadable", "film.no_picture")) from None
    return FilmFacts(film.width, film.height, film.seconds, film.rate, film.sounds, film.hdr)


def answer(task: dict[str, Any]) -> dict[str, Any]:
    """What comes of a task: the fields of Kept, of FilmFacts where a `film` is to be looked at, or `problem` with those of
    CannotDecode, or `errno` with its `reason`."""
    try:
        if "film" in task:
            return asdict(look_here(Path(task["film"])))
        limits = Limits(task["max_bytes"], task["max_pixels"])
        return asdict(decode_here(Path(task["source"]), Path(task["target"]), limits))
    except CannotDecode as error:
        return {"problem": error.message.to_json(), "unknown": error.unknown, "missing": error.missing}
    except MemoryError:
        return {"problem": TOO_MUCH.to_json()}
    except OSError as error:
        return {"reason": error.strerror or str(error), "errno": error.errno}


def peak() -> int:
    """kB of memory that this process has held at most; getrusage would count its parent's too, on Linux."""
    try:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Until stdin ends, or memory was used that only an end gives back."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes stdin
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")  # rather this process than the server
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no answer
    for line in sys.stdin:
        found = answer(json.loads(line))
        last = peak() > LARGE
        print(json.dumps(found | {"last": last}), file=answers, flush=True)
        if last:
            return


if __name__ == "__main__":
    main()
