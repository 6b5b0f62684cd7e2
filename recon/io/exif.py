"""What EXIF says of a picture: how to turn it upright, and the camera's focal length in every way in which it is written.

A focal length belongs to the frame that the camera took. Where the picture is not that frame any more (cut, stitched,
another size than EXIF's), it says nothing about the picture, and `doubt` tells why.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from PIL import ExifTags, Image

from recon.geometry.camera import FULL_FRAME_DIAGONAL_MM
from recon.io.sensors import sensor_of
from recon.messages import Message, note
from recon.settings import FOCAL_MM

EXIF_IFD = 0x8769
UNIT_MM = {2: 25.4, 3: 10.0, 4: 1.0, 5: 0.001}
"""EXIF's FocalPlaneResolutionUnit; 4 and 5 are not in the standard and are written all the same."""
SAME_FRAME = 0.02
"""Cameras and phones cut up to so much off a side for the sake of whole blocks, or to straighten lens distortion."""
STITCHED = 6
"""CustomRendered of a phone's panorama (Apple's; the standard knows 0 and 1)."""
_TURNS = {  # EXIF orientation -> what makes the picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Lens:
    """turn: what makes the picture upright; focal_35mm: 35 mm equivalent in millimetres, where the file says it and it is
    the picture's; doubt: why one that the file says is not believed; stitched: the file calls itself a panorama."""

    turn: Image.Transpose | None = None
    focal_35mm: float | None = None
    doubt: Message | None = None
    stitched: bool = False


def lens_of(exif: Image.Exif, size: tuple[int, int] | None, panorama: bool = False) -> Lens:
    """What EXIF says about a picture of `size` (width, height) as stored; None: a raw file's, which is the whole frame.

    Nothing where the tags are damaged. panorama: whether the picture is known to be one.
    """
    try:
        more = exif.get_ifd(EXIF_IFD)
        turn = _TURNS.get(exif.get(ExifTags.Base.Orientation, 1))
        stitched = more.get(ExifTags.Base.CustomRendered) == STITCHED
        found = _found(exif, more, size)
        if found is None:
            return Lens(turn, stitched=stitched)
        focal, how = found
        doubt = _doubt(more, size, panorama or stitched, focal, how)
    except Exception:  # the parser raises many classes on damaged tags, and a picture without tags is a picture
        return Lens()
    return Lens(turn, None if doubt else focal, doubt, stitched)


def _found(exif: Any, more: dict[int, Any], size: tuple[int, int] | None) -> tuple[float, Message] | None:
    """The 35 mm equivalent in millimetres and by which tags, the first of the three ways that gives a credible one."""
    tag = ExifTags.Base
    written = credible_focal(more.get(tag.FocalLengthIn35mmFilm))
    if written is not None:
        return written, note("focal.written", "35 mm equivalent")
    focal = _positive(more.get(tag.FocalLength))
    if focal is None:
        return None
    zoomed = focal * max(1.0, _positive(more.get(tag.DigitalZoomRatio)) or 1.0)
    frame = _frame(more) or size
    density, unit = (
        _positive(more.get(tag.FocalPlaneXResolution)),
        UNIT_MM.get(more.get(tag.FocalPlaneResolutionUnit, 2)),
    )
    if density and unit and frame:
        pixels = zoomed * density / unit
        equivalent = credible_focal(pixels * FULL_FRAME_DIAGONAL_MM / math.hypot(*frame))
        if equivalent is not None:
            return equivalent, note(
                "focal.by_plane", "35 mm equivalent, from {focal:g} mm and the focal plane's resolution", focal=focal
            )
    make, model = (str(exif.get(name) or "").strip("\0 ") for name in (tag.Make, tag.Model))
    sensor = sensor_of(make, model)
    equivalent = credible_focal(zoomed * FULL_FRAME_DIAGONAL_MM / math.hypot(*sensor)) if sensor else None
    if equivalent is None:
        return None
    return equivalent, note(
        "focal.by_sensor", "35 mm equivalent, from {focal:g} mm on the {camera}'s sensor", focal=focal, camera=model
    )


def _frame(more: dict[int, Any]) -> tuple[int, int] | None:
    """(width, height) of the frame as EXIF has it."""
    width, height = (
        _positive(more.get(name)) for name in (ExifTags.Base.ExifImageWidth, ExifTags.Base.ExifImageHeight)
    )
    return (int(width), int(height)) if width and height else None


def _doubt(
    more: dict[int, Any], size: tuple[int, int] | None, panorama: bool, focal: float, how: Message
) -> Message | None:
    """Why a focal length in millimetres is not the picture's; None where it is. how: by which tags it was found."""
    if size is None:
        return None
    if panorama:
        return note(
            "focal.of_panorama",
            "the file says a focal length of {focal:.3g} mm ({how}), which is not a panorama's",
            focal=focal, how=how,
        )  # fmt: skip
    frame = _frame(more)
    if frame is None:
        return None
    there, here = sorted(frame), sorted(size)
    if all(abs(a - b) <= max(SAME_FRAME * a, 1) for a, b in zip(there, here, strict=True)):
        return None
    return note(
        "focal.of_other_frame",
        "the file says a focal length of {focal:.3g} mm ({how}) for a frame of {frame_width}×{frame_height} pixels and the"
        " picture has {width}×{height}, so it was cut out or resized and that length may not be its own",
        focal=focal, how=how, frame_width=frame[0], frame_height=frame[1], width=size[0], height=size[1],
    )  # fmt: skip


def credible_focal(value: object) -> float | None:
    """A 35 mm equivalent focal length in millimetres where it can be one."""
    focal = _positive(value)
    return focal if focal is not None and FOCAL_MM[0] <= focal <= FOCAL_MM[1] else None


def _positive(value: object) -> float | None:
    """A finite number above 0, as which EXIF's types come; 0 stands for unknown in all of its tags."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if 0 < number < math.inf else None
