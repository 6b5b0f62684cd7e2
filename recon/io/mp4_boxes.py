"""What ffmpeg does not write into an MP4 or MOV file that it copies: `st3d`, the box by which players know a stereo layout.

The index (`moov`) is put before the pictures, as a player that reads from a network needs it, and the places of their
pieces in it (`stco`, `co64`) move by its length. Boxes: ISO/IEC 14496-12; `st3d`: Google's spherical video V2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

ST3D = {"tb": 1, "sbs": 2, "cross": 4}
"""By layout: top and bottom, the left eye's above; left and right; right and left."""
HOLDERS = (b"moov", b"trak", b"mdia", b"minf", b"stbl")
"""Boxes of boxes on the way to what is changed."""
PICTURES = (b"avc1", b"avc3", b"hvc1", b"hev1")
SAMPLE_ENTRY = 78
"""Bytes of a picture's entry before its own boxes."""


@dataclass(frozen=True)
class _Box:
    kind: bytes
    start: int
    head: int
    end: int


def write_tagged(source: Path, out: Path, layout: str) -> None:
    """Copy an MP4 or MOV file whose index is its last box to `out`, the index first, with the layout told in it where
    there is a word for it."""
    with source.open("rb") as file, out.open("wb") as made:
        boxes = list(_boxes_of(file))
        index = next(box for box in boxes if box.kind == b"moov")
        file.seek(index.start)
        data = file.read(index.end - index.start)
        grown, order = _changed(data, 0, ST3D.get(layout)), [boxes[0], index, *(b for b in boxes[1:] if b is not index)]
        try:
            grown = _changed(data, len(grown), ST3D.get(layout))
        except struct.error:  # a place of 32 bits would not hold it: the index stays where it is
            order = boxes
        for box in order:
            if box is index:
                made.write(grown)
                continue
            file.seek(box.start)
            _copy(file, made, box.end - box.start)


def _boxes_of(file: BinaryIO) -> Iterator[_Box]:
    """The boxes that a file consists of."""
    size = file.seek(0, 2)
    start = 0
    while start + 8 <= size:
        file.seek(start)
        length, kind = struct.unpack(">I4s", file.read(8))
        head = 8
        if length == 1:
            length, head = struct.unpack(">Q", file.read(8))[0], 16
        end = size if length == 0 else start + length
        yield _Box(kind, start, head, end)
        start = end


def _inside(data: bytes, start: int) -> Iterator[_Box]:
    while start + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, start)
        yield _Box(kind, start, 8, start + max(length, 8))
        start += max(length, 8)


def _changed(data: bytes, moved: int, mode: int | None) -> bytes:
    """A box with all in it whose pieces lie `moved` bytes farther on, and with the layout in a picture's entry."""
    kind = data[4:8]
    if kind in HOLDERS:
        parts = [_changed(data[box.start : box.end], moved, mode) for box in _inside(data, 8)]
        return _box(kind, b"".join(parts))
    if kind in (b"stco", b"co64"):
        form = ">%dI" if kind == b"stco" else ">%dQ"
        count = struct.unpack_from(">I", data, 12)[0]
        places = struct.unpack_from(form % count, data, 16)
        return data[:16] + struct.pack(form % count, *(place + moved for place in places))
    if kind == b"stsd" and mode is not None:
        entries = [_with_layout(data[box.start : box.end], mode) for box in _inside(data, 16)]
        return _box(kind, data[8:16] + b"".join(entries))
    return data


def _with_layout(entry: bytes, mode: int) -> bytes:
    """A picture's sample entry with `st3d` behind its other boxes."""
    if entry[4:8] not in PICTURES:
        return entry
    own, rest = entry[8 : 8 + SAMPLE_ENTRY], entry[8 + SAMPLE_ENTRY :]
    return _box(entry[4:8], own + rest + _box(b"st3d", b"\0\0\0\0" + bytes([mode])))


def _box(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I4s", len(data) + 8, kind) + data


def _copy(file: BinaryIO, made: BinaryIO, count: int) -> None:
    while count > 0 and (data := file.read(min(count, 1 << 20))):
        made.write(data)
        count -= len(data)
