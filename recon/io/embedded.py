"""What else lies in a photo's file: that it is a panorama, and depth maps that phones put beside the picture.

Recognised by the names that the makers' metadata carry; nothing is taken out of the file.
"""

from __future__ import annotations

import re

from PIL import Image

PANORAMA_TAG = b"ns.google.com/photos/1.0/panorama/"
LONGEST = 2.5
"""A longer picture than this is no single frame: cinema's widest is 2.39, phones' screens are 2.33."""
DEPTHS = (
    ("Google's GDepth", (b"ns.google.com/photos/1.0/depthmap/",)),
    ("dynamic depth", (b"ns.google.com/photos/dd/1.0/", b'Item:Semantic="Depth')),
    ("Apple's", (b"ns.apple.com/depthData/", b"urn:mpeg:hevc:2015:auxid:2")),
    ("Samsung's", (b"DualShot_DepthMap",)),
    ("an auxiliary picture", (b"cicp:systems:auxiliary:depth",)),
)
"""Whose depth map it is, and what stands in the bytes of a file that has it."""
DEPTH_NOTE = "the photo's file has a depth map in it ({}), which was not used; export it and give it as the depth map"


def panorama_by_shape(width: int, height: int) -> str:
    """By what a picture of this size is taken for a panorama; empty if it is not."""
    if max(width, height) > LONGEST * min(width, height):
        return f"its sides are as {max(width, height) / min(width, height):.1f} to 1"
    return "it is twice as wide as high, as pictures of 360° are" if abs(width - 2 * height) <= 1 else ""


def panorama_by_tag(picture: Image.Image) -> str:
    """By what the file's metadata call the picture a panorama; empty if they do not."""
    found = re.search(rb"ProjectionType\W{1,3}(\w{3,20})", metadata_of(picture))
    if PANORAMA_TAG not in metadata_of(picture):
        return ""
    kind = found[1].decode("ascii", "replace") if found else "of some kind"
    return f"its file says so: {kind}"


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
