"""What else lies in a photo's file: that it is a panorama, and depth maps that phones put beside the picture.

Recognised by the names that the makers' metadata carry; nothing is taken out of the file.
"""

from __future__ import annotations

import re

from PIL import Image

from recon.messages import Message, note

PANORAMA_TAG = b"ns.google.com/photos/1.0/panorama/"
LONGEST = 2.5
"""A longer picture than this is no single frame: cinema's widest is 2.39, phones' screens are 2.33."""
PANORAMA_SAID = note("panorama.said", "its file says so")
DEPTHS = (
    ("Google's GDepth", (b"ns.google.com/photos/1.0/depthmap/",)),
    ("dynamic depth", (b"ns.google.com/photos/dd/1.0/", b'Item:Semantic="Depth')),
    ("Apple's", (b"ns.apple.com/depthData/", b"urn:mpeg:hevc:2015:auxid:2")),
    ("Samsung's", (b"DualShot_DepthMap",)),
    ("an auxiliary picture", (b"cicp:systems:auxiliary:depth",)),
)
"""Whose depth map it is, and what stands in the bytes of a file that has it."""


def panorama_by_shape(width: int, height: int) -> Message | None:
    """By what a picture of this size is taken for a panorama; None if it is not."""
    if max(width, height) > LONGEST * min(width, height):
        ratio = max(width, height) / min(width, height)
        return note("panorama.long", "its sides are as {ratio:.1f} to 1", ratio=ratio)
    if abs(width - 2 * height) <= 1:
        return note("panorama.sphere", "it is twice as wide as high, as pictures of 360° are")
    return None


def panorama_by_tag(picture: Image.Image) -> Message | None:
    """By what the file's metadata call the picture a panorama; None if they do not."""
    found = re.search(rb"ProjectionType\W{1,3}(\w{3,20})", metadata_of(picture))
    if PANORAMA_TAG not in metadata_of(picture):
        return None
    if found is None:
        return PANORAMA_SAID
    return note("panorama.kind", "its file says so: {kind}", kind=found[1].decode("ascii", "replace"))


def metadata_of(picture: Image.Image) -> bytes:
    """The XMP packet of an opened picture as it stands in the file; empty if there is none."""
    found = picture.info.get("xmp") or picture.info.get("XML:com.adobe.xmp") or b""
    return found.encode("utf-8", "replace") if isinstance(found, str) else bytes(found)


def depth_inside(data: bytes, picture: Image.Image) -> str:
    """Whose depth map lies in a photo's file beside the picture; empty if there is none."""
    if picture.info.get("depth_images"):
        return "Apple's"
    if picture.format not in ("JPEG", "MPO", "HEIF", "AVIF", "PNG", "WEBP"):
        return ""
    return next((whose for whose, marks in DEPTHS if any(mark in data for mark in marks)), "")
