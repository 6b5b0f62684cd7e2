"""MPO (CIPA DC-007): two JPEGs in one file, the left eye's first, which ordinary viewers show.

Pillow writes and reads them, but calls the second picture "undefined"; cameras call both a pair by disparity, and viewers
that choose by type need that.
"""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from typing import Any

from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from recon.errors import BadInput
from recon.messages import Message

QUALITY = 95
"""JPEG's; colours are kept at full resolution."""
DISPARITY = (0x2002_0002, 0x0002_0002)
"""Multi-frame image, disparity, of the representative picture and the other."""
ENTRIES = 0xB002


def mpo_bytes(left: UInt8[ndarray, "h w 3"], right: UInt8[ndarray, "h w 3"]) -> bytes:
    """An MPO file of two pictures, as cameras write them."""
    file = io.BytesIO()
    Image.fromarray(left).save(file, format="MPO", save_all=True, append_images=[Image.fromarray(right)],
                               quality=QUALITY, subsampling=0)  # fmt: skip
    return _typed(file.getvalue())


def _typed(data: bytes) -> bytes:
    """The file with its pictures called a pair by disparity."""
    out = bytearray(data)
    header = data.index(b"MPF\0") + 4
    entries = header + _entries_offset(data, header)
    for number, kind in enumerate(DISPARITY):
        struct.pack_into("<I", out, entries + 16 * number, kind)
    return bytes(out)


def _entries_offset(data: bytes, header: int) -> int:
    """Where the entries begin, counted from the header of a little-endian index as Pillow writes it."""
    start = header + struct.unpack_from("<I", data, header + 4)[0]
    for number in range(struct.unpack_from("<H", data, start)[0]):
        tag, _, _, value = struct.unpack_from("<HHII", data, start + 2 + 12 * number)
        if tag == ENTRIES:
            return int(value)
    raise ValueError("no entries in the index of an MPO file")


@dataclass(frozen=True)
class MpoPicture:
    """One picture of an MPO file: its bytes, and what the index says that it is, in Pillow's words."""

    data: bytes
    kind: str


def mpo_frames(data: bytes, named: Message) -> list[MpoPicture]:
    """The pictures of an MPO file. Raises BadInput for what is none, or has only one."""
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
            found = list(picture.mpinfo[ENTRIES])  # type: ignore[attr-defined]
        header = data.index(b"MPF\0") + 4
        frames = [_frame(data, entry, header) for entry in found]
    except Exception:  # Pillow raises many classes on damaged indices
        frames = []
    if len(frames) < 2 or not all(frame.data.startswith(b"\xff\xd8") for frame in frames[:2]):
        raise BadInput(
            "stereo.one_picture", "{named} holds one picture and no second eye's; give a pair, or <input> photo.",
            named=named,
        )  # fmt: skip
    return frames


def _frame(data: bytes, entry: dict[str, Any], header: int) -> MpoPicture:
    """Offsets count from the index's header, but for the first picture, which begins the file."""
    start = entry["DataOffset"] + header if entry["DataOffset"] else 0
    return MpoPicture(data[start : start + entry["Size"]], entry["Attribute"]["MPType"])
