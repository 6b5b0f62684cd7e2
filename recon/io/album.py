"""A folder of photos: which files are photos, what each one's results are called, and when each was written to."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from recon.errors import BadInput
from recon.io.formats import PHOTO_ENDINGS

Look = tuple[int, int]
"""Of a file at one moment: bytes, and when it was last written, in nanoseconds."""


def photos_in(folder: Path) -> list[Path]:
    """The photos of a folder, known by their endings, in the order of their names; hidden files and folders within it are
    left out. Raises BadInput."""
    try:
        found = [Path(entry.path) for entry in os.scandir(folder) if not entry.is_dir() and is_photo_name(entry.name)]
    except OSError as error:
        raise BadInput(
            "folder.no_access", "the folder {path!r} cannot be read ({reason}); give a folder of photos.",
            path=str(folder), reason=error.strerror or str(error),
        ) from None  # fmt: skip
    if not found:
        raise BadInput(
            "folder.empty",
            "there is no photo in the folder {path!r}; give one with files that end with {endings}, not hidden and not in"
            " folders within it.",
            path=str(folder), endings=", ".join(PHOTO_ENDINGS[:7]) + " or as cameras name theirs",
        )  # fmt: skip
    return sorted(found)


def is_photo_name(name: str) -> bool:
    """Whether a file of this name is taken for a photo."""
    return not name.startswith(".") and Path(name).suffix.lower() in PHOTO_ENDINGS


def model_names(photos: Sequence[Path]) -> list[str]:
    """What the results of each photo are called: as it is without its ending, with it where two would be called the same
    (`cup_jpg` and `cup_png`), on disks that know no capitals, and in formats that know no spaces, too."""
    keys = [_key(photo.stem) for photo in photos]
    names = [photo.stem if keys.count(key) == 1 else photo.name.replace(".", "_")
             for photo, key in zip(photos, keys, strict=True)]  # fmt: skip
    taken: set[str] = set()
    for i, name in enumerate(names):
        while _key(names[i]) in taken:
            names[i] = f"{name}_{i + 1}"
        taken.add(_key(names[i]))
    return names


def _key(name: str) -> str:
    return re.sub(r"[\s#]", "_", name).casefold()


def look_at_file(path: Path) -> Look | None:
    """Its size and time, None where it is gone: two looks that differ are of a file that was written in between."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
