"""The pages of a TIFF file by their headers: raw files are TIFFs whose first page is a thumbnail.

Reads a few tags of the chain of pages and of their sub-pages; never the pixels. Nothing in the file is trusted: every
offset is checked, and at most LONGEST pages are looked at.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

STARTS = (b"II*\0", b"MM\0*")
LONGEST = 64
WIDTH, HEIGHT, KIND, PHOTOMETRIC, SUBPAGES, DNG_VERSION = 256, 257, 254, 262, 330, 50706
SENSOR = (32803, 34892)
"""PhotometricInterpretation of a colour filter array and of a raw file's linear pixels."""
_SIZES = {1: 1, 3: 2, 4: 4, 13: 4}
"""Bytes of the whole-number types: BYTE, SHORT, LONG, IFD."""


@dataclass(frozen=True)
class TiffPage:
    """One picture in the file. sub: it belongs to another page and is none of the chain; reduced: it is called a smaller
    copy of another."""

    width: int
    height: int
    reduced: bool
    sensor: bool
    sub: bool


def pages_of(data: bytes) -> list[TiffPage]:
    """Every page and sub-page in the order of the file; none where it is no TIFF, or damaged."""
    if data[:4] not in STARTS:
        return []
    order = "<" if data[:2] == b"II" else ">"
    found: list[TiffPage] = []
    todo, seen = [(_number(data, order, 4, 4), False)], set()
    while todo and len(found) < LONGEST:
        place, sub = todo.pop(0)
        if place in seen or not 8 <= place < len(data) - 2:
            continue
        seen.add(place)
        tags, following = _directory(data, order, place)
        kinds = tags.get(PHOTOMETRIC, [0])
        found.append(TiffPage(_first(tags, WIDTH), _first(tags, HEIGHT), bool(_first(tags, KIND) & 1),
                          kinds[0] in SENSOR or DNG_VERSION in tags, sub))  # fmt: skip
        if not sub:
            todo.insert(0, (following, False))
        todo += [(where, True) for where in tags.get(SUBPAGES, [])]
    return found


def _first(tags: dict[int, list[int]], tag: int) -> int:
    return tags.get(tag, [0])[0]


def _directory(data: bytes, order: str, place: int) -> tuple[dict[int, list[int]], int]:
    """The wanted tags of the directory at `place`, and where the next one is (0: nowhere)."""
    tags: dict[int, list[int]] = {}
    count = _number(data, order, place, 2)
    for at in range(place + 2, min(place + 2 + 12 * count, len(data) - 11), 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, at)
        size = _SIZES.get(kind)
        if (
            tag not in (WIDTH, HEIGHT, KIND, PHOTOMETRIC, SUBPAGES, DNG_VERSION)
            or not size
            or not 0 < length <= LONGEST
        ):
            continue
        start = at + 8 if size * length <= 4 else _number(data, order, at + 8, 4)
        tags[tag] = [_number(data, order, start + i * size, size) for i in range(length)]
    return tags, _number(data, order, place + 2 + 12 * count, 4)


def _number(data: bytes, order: str, place: int, size: int) -> int:
    """An unsigned whole number of 1, 2 or 4 bytes; 0 beyond the file's end."""
    part = data[place : place + size]
    return int.from_bytes(part, "little" if order == "<" else "big") if len(part) == size else 0
