"""Layouts: how both eyes' pictures stand in one, and back.

`sbs` is parallel, the left eye's picture on the left; `cross` has them swapped, for crossed eyes; `half-` layouts squeeze
each to half of the frame; `rows` gives even rows to the left eye, for passive screens at their own resolution.
"""

from __future__ import annotations

import re
import struct
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.errors import BadInput
from recon.messages import Message
from recon.stereo.anaglyph import anaglyph

PACKED = ("sbs", "half-sbs", "tb", "half-tb", "cross", "rows")
"""Layouts of one picture that both eyes' can be taken out of."""
TAGS = {
    "lrf_full_sbs": "sbs",
    "full_sbs": "sbs",
    "half_sbs": "half-sbs",
    "half_tb": "half-tb",
    "half_ou": "half-tb",
    "anaglyph": "anaglyph",
    "wiggle": "wiggle",
    "cross": "cross",
    "hsbs": "half-sbs",
    "rgbd": "rgbd",
    "rows": "rows",
    "3dh": "half-sbs",
    "3dv": "half-tb",
    "sbs": "sbs",
    "htb": "half-tb",
    "hou": "half-tb",
    "tbf": "tb",
    "rl": "cross",
    "lr": "sbs",
    "tb": "tb",
    "ou": "tb",
}
"""What players read in file names, between signs that are no letters and no digits; the longest is asked first."""
WRITTEN = {"sbs": "LRF_Full_SBS", "half-sbs": "3dh", "tb": "TB", "half-tb": "3dv"}
"""The tag by which most players know a layout."""


def layout_of_name(path: Path) -> str | None:
    """The layout that a file's name speaks of, None where it speaks of none."""
    stem = re.sub(r"[^a-z0-9]+", "_", path.stem.lower())
    return next((layout for tag, layout in TAGS.items() if f"_{tag}_" in f"_{stem}_"), None)


def packed(left: UInt8[ndarray, "h w 3"], right: UInt8[ndarray, "h w 3"], layout: str) -> UInt8[ndarray, "a b 3"]:
    """Both eyes' pictures in one. layout: one of PACKED, `anaglyph` (Dubois's) or `anaglyph-METHOD`. Half layouts average
    pairs of pixels; the last column or row of an odd number is left out."""
    if layout.startswith("anaglyph"):
        return anaglyph(left, right, layout.partition("-")[2] or "dubois")
    if layout == "rows":
        out = left.copy()
        out[1::2] = right[1::2]
        return out
    if layout == "cross":
        left, right = right, left
    if layout.startswith("half"):
        left, right = (_halved(eye, layout == "half-sbs") for eye in (left, right))
    return np.concatenate([left, right], axis=0 if layout.endswith("tb") else 1)


JPS = b"_JPSJPS_"
"""How the APP3 segment of a JPS begins; behind it, each big-endian: the block's length, 4 bytes that describe the picture
(separation, flags, layout, type), the comment's length (J. Siragusa et al., General Purpose Stereoscopic Data Descriptor,
1997)."""
HALF_HEIGHT, HALF_WIDTH, LEFT_FIRST = 1, 2, 4
SIDE_BY_SIDE, OVER_UNDER, STEREO = 2, 3, 1


def jps_segment() -> bytes:
    """The segment of a pair side by side, the right eye's first."""
    data = JPS + struct.pack(">HBBBBH", 4, 0, 0, SIDE_BY_SIDE, STEREO, 0)
    return b"\xff\xe3" + struct.pack(">H", len(data) + 2) + data


def jps_layout(data: bytes) -> str:
    """The layout of a JPS file: as its segment says, else with the right eye's picture on the left, as is the custom."""
    found = data.find(JPS, 0, 1 << 16)
    if found < 0 or len(data) < found + 14:
        return "cross"
    _, flags, layout, kind = data[found + 10 : found + 14]
    if kind != STEREO or layout not in (SIDE_BY_SIDE, OVER_UNDER):
        return "cross"
    if layout == OVER_UNDER:
        return "half-tb" if flags & HALF_HEIGHT else "tb"
    if not flags & LEFT_FIRST:
        return "cross"
    return "half-sbs" if flags & HALF_WIDTH else "sbs"


def _halved(eye: UInt8[ndarray, "h w 3"], across: bool) -> UInt8[ndarray, "a b 3"]:
    height, width = eye.shape[:2]
    even = eye[: height - height % 2 * (not across), : width - width % 2 * across]
    size = (width // 2, height) if across else (width, height // 2)
    return np.asarray(cv2.resize(even, size, interpolation=cv2.INTER_AREA))


def unpacked(
    picture: UInt8[ndarray, "h w 3"], layout: str, named: Message
) -> tuple[UInt8[ndarray, "a b 3"], UInt8[ndarray, "a b 3"]]:
    """(left, right) out of one picture in one of the layouts PACKED, squeezed ones stretched again. Raises BadInput where
    the picture is too small to hold two, or its side is odd."""
    height, width = picture.shape[:2]
    side = height if layout in ("tb", "half-tb", "rows") else width
    if side < 32 or side % 2:
        raise BadInput(
            "stereo.no_halves",
            "{named} is {width}×{height} pixels, which cannot be halved into two eyes' pictures as {layout}; give the"
            " layout that it has with <input>.",
            named=named, width=width, height=height, layout=layout,
        )  # fmt: skip
    if layout == "rows":
        left, right = (cv2.resize(each, (width, height)) for each in (picture[::2], picture[1::2]))
        return left, right
    first, second = np.split(picture, 2, axis=0 if side == height and layout != "sbs" and "tb" in layout else 1)
    if layout == "cross":
        first, second = second, first
    if layout == "half-sbs":
        first, second = (cv2.resize(each, (width, height)) for each in (first, second))
    if layout == "half-tb":
        first, second = (cv2.resize(each, (width, height)) for each in (first, second))
    return np.ascontiguousarray(first), np.ascontiguousarray(second)


def depth_beside(rgb: UInt8[ndarray, "h w 3"], nearness: Float32[ndarray, "h w"]) -> UInt8[ndarray, "h b 3"]:
    """RGBD: the photo, and its nearness in grey on its right, white is near."""
    grey = (255 * np.clip(nearness, 0, 1)).round().astype(np.uint8)
    return np.concatenate([rgb, np.repeat(grey[..., None], 3, axis=2)], axis=1)
