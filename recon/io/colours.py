"""A decoded picture of any kind as upright 8-bit sRGB."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped, UInt8
from numpy import ndarray
from PIL import Image

from recon.io.containers import BITS, Opened
from recon.messages import Message, note

ROWS = 256
"""At a time: a float copy of a whole large picture would be its largest."""
_SRGB_NAMES = ("srgb", "iec61966-2.1", "iec 61966-2.1")


@dataclass(frozen=True)
class Upright:
    """values: sRGB, h×w×3, or h×w×4 where the file has transparency; note: what was assumed of its numbers, if anything."""

    values: UInt8[ndarray, "h w c"]
    note: Message | None = None


def upright_srgb(found: Opened, turn: Image.Transpose | None) -> Upright:
    """An opened picture reduced, converted to sRGB and turned."""
    picture, told = found.picture, None
    profile = picture.info.get("icc_profile")
    if found.deep is not None:
        values, told = to_8bit(found.deep[..., :3])
        rgb, alpha = shrunk_by_blocks(Image.fromarray(values), found.factor, False), None
        if found.deep.shape[2] == 4:
            opacity = Image.fromarray((found.deep[..., 3] >> 8).astype(np.uint8))
            alpha = shrunk_by_blocks(opacity, found.factor, False)
    else:
        transparent = picture.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in picture.info
        whole = picture
        if picture.mode.startswith(("I", "F")):
            values, told = to_8bit(np.asarray(picture))
            whole = Image.fromarray(values)
        rgb = shrunk_by_blocks(whole, found.factor, transparent)
        alpha = (picture if found.factor == 1 else rgb).convert("RGBA").getchannel("A") if transparent else None
    if profile or rgb.mode != "RGB" or alpha is not None:  # else a copy of a large picture for nothing
        rgb = to_srgb(rgb, profile) if profile else rgb.convert("RGB")
    if alpha is not None:
        rgb.putalpha(alpha)
    return Upright(np.asarray(rgb if turn is None else rgb.transpose(turn)), told)


def shrunk_by_blocks(picture: Image.Image, factor: int, transparent: bool) -> Image.Image:
    """The picture with its sides divided by a whole number, a mean over each block, strip by strip; palettes as colours."""
    if factor == 1:
        return picture
    colours = {"P": "RGBA" if transparent else "RGB", "PA": "RGBA", "1": "L"}.get(picture.mode, picture.mode)
    width, height = picture.size
    out = Image.new(colours, (-(-width // factor), -(-height // factor)))
    for top in range(0, height, ROWS * factor):
        strip = picture.crop((0, top, width, min(top + ROWS * factor, height)))
        out.paste(strip.convert(colours).reduce(factor), (0, top // factor))
    if "transparency" in picture.info and picture.mode not in ("P", "PA"):
        out.info["transparency"] = picture.info["transparency"]
    return out


def to_8bit(values: Shaped[ndarray, "h w *c"]) -> tuple[UInt8[ndarray, "h w *c"], Message | None]:
    """16- or 32-bit numbers as 8-bit ones, and what was taken as white where that is not plain.

    Whole numbers reach 65535, unless none needs more than 8, 10, 12 or 14 bits: then these are what the file holds. Floats
    reach 1, or their largest value where that is more. What is not finite is black.
    """
    blocks = [slice(i, i + ROWS) for i in range(0, len(values), ROWS)]
    largest = max(float(np.nan_to_num(values[rows], posinf=0, neginf=0).max()) for rows in blocks)
    told, top = None, max(largest, 1.0)
    if values.dtype.kind in "iu":
        bits = next((bits for bits in BITS if largest < 1 << bits), 16)
        top = float((1 << bits) - 1)
        if bits < 16:
            told = note(
                "photo.bits",
                "the picture holds {bits}-bit numbers in 16 bits: {top:g} was taken as white",
                bits=bits,
                top=top,
            )
    else:
        told = note("photo.floats", "the picture holds floating-point numbers: {top:g} was taken as white", top=top)
    out = np.empty(values.shape, np.uint8)
    for rows in blocks:
        part = np.nan_to_num(values[rows].astype(np.float32), posinf=0, neginf=0)
        out[rows] = np.clip(part * (255.0 / top), 0, 255).round()
    return out, told


def to_srgb(picture: Image.Image, profile: bytes) -> Image.Image:
    """Colours taken from the embedded profile to sRGB, without alpha; a broken profile is ignored, as browsers do."""
    from PIL import ImageCms

    mode = {"LA": "L", "La": "L", "1": "L", "CMYK": "CMYK", "L": "L", "LAB": "LAB"}.get(picture.mode, "RGB")
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if mode == "RGB" and any(name in ImageCms.getProfileDescription(source).lower() for name in _SRGB_NAMES):
            return picture.convert("RGB")
        out = ImageCms.profileToProfile(picture.convert(mode), source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        out = None
    return out or picture.convert("RGB")
