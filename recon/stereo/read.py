"""Pairs that somebody has taken or made already: MPO, JPS, and both eyes in one picture."""

from __future__ import annotations

from pathlib import Path

from jaxtyping import UInt8
from numpy import ndarray

from recon.errors import BadInput
from recon.io.containers import file_bytes
from recon.io.files import checked_file, named_file
from recon.io.read import PHOTO, photo_from_bytes, read_photo
from recon.messages import Message, note
from recon.settings import Limits
from recon.stereo.align import Alignment, aligned_right, find_alignment, shifted_apart
from recon.stereo.comfort import BEHIND, FRONT, Comfort
from recon.stereo.layouts import PACKED, jps_layout, layout_of_name, unpacked
from recon.stereo.mpo import MpoPicture, mpo_frames
from recon.stereo.pair import StereoPair

SURELY = 0.75
"""Pixels of vertical difference at a picture's corner from which a pair is aligned: less is within the matches' noise."""
GRAVE = 2.0
"""How many times the comfortable limits a given pair may exceed before the screen is moved unasked."""
COLOURED = 12
"""Mean difference of a picture's channels from which it is no grey one."""
PLANES = {"near": 1.0, "far": 0.0}
"""Words for a screen plane in parts of a pair's range from its far end."""


def input_of(path: Path, asked: str) -> str:
    """What a file is taken for: as asked, else by its ending, else by a tag in its name, else a photo."""
    if asked != "auto":
        return asked
    by_ending = {".mpo": "mpo", ".jps": "jps"}.get(path.suffix.lower())
    named = layout_of_name(path)
    return by_ending or (named if named in PACKED else None) or "photo"


def read_pair(path: Path, layout: str, limits: Limits = Limits()) -> StereoPair:
    """The pair in a file, as it is. layout: mpo, jps or one of layouts.PACKED. Raises BadInput for what holds none."""
    checked_file(path, PHOTO, limits.max_bytes)
    named = named_file(PHOTO, path)
    if layout == "mpo":
        left, right = _from_mpo(mpo_frames(file_bytes(path, named), named), named, limits)
    else:
        picture = read_photo(path, limits).rgb
        seen = jps_layout(file_bytes(path, named)) if layout == "jps" else layout
        left, right = unpacked(picture, seen, named)
    return StereoPair(left, right, None, facts={"input": layout}, name=path.stem)


def _from_mpo(
    frames: list[MpoPicture], named: Message, limits: Limits
) -> tuple[UInt8[ndarray, "h w 3"], UInt8[ndarray, "h w 3"]]:
    """Both pictures of an MPO. Raises BadInput where the second one is no other eye's."""
    left, right = (photo_from_bytes(frame.data, limits).rgb for frame in frames[:2])
    if "Thumbnail" in frames[1].kind or left.shape != right.shape:
        raise BadInput(
            "stereo.thumbnail",
            "{named} holds a photo of {width}×{height} pixels and a second picture of {other_width}×{other_height}, which"
            " is no other eye's; give <input> photo.",
            named=named, width=left.shape[1], height=left.shape[0], other_width=right.shape[1],
            other_height=right.shape[0],
        )  # fmt: skip
    if _colour(left) > COLOURED and _colour(right) < 1:
        raise BadInput(
            "stereo.grey_second",
            "{named} holds a photo and a grey picture, as of its depth, which is no other eye's; give <input> photo.",
            named=named,
        )
    return left, right


def _colour(rgb: UInt8[ndarray, "h w 3"]) -> float:
    thin = rgb[::8, ::8].astype(float)
    return float((thin.max(axis=2) - thin.min(axis=2)).mean())


def fitted_pair(pair: StereoPair, screen: str) -> StereoPair:
    """A given pair with its vertical differences undone and its screen plane moved: to where `screen` says, or with `auto`
    into the middle of its range, where that is far beyond what can be looked at. Both are cut to what both show."""
    found = find_alignment(pair.left, pair.right)
    if found is None:
        unfit = note(
            "stereo.no_matches", "too little of both pictures is alike to align them: they are left as they are"
        )
        return StereoPair(pair.left, pair.right, None, (*pair.notes, unfit), None, pair.facts, pair.name)
    right, notes = _levelled(pair, found)
    width = pair.left.shape[1]
    by = _to_screen(found, screen, width)
    left, right = shifted_apart(pair.left, right, by) if by else (pair.left, right)
    if by:
        notes += (
            note("stereo.shifted", "both pictures were cut by {by} columns to bring the screen among what they show",
                 by=abs(by)),
        )  # fmt: skip
    comfort = Comfort((found.front - by) / left.shape[1], (found.behind - by) / left.shape[1], 0.0)
    return StereoPair(left, right, comfort, (*pair.notes, *notes), None, pair.facts, pair.name)


def _levelled(pair: StereoPair, found: Alignment) -> tuple[UInt8[ndarray, "h w 3"], tuple[Message, ...]]:
    height, width = pair.right.shape[:2]
    worst = abs(found.down) + (abs(found.degrees) * 0.01745 * width + abs(found.scale - 1) * height) / 2
    if worst < SURELY:
        return pair.right, ()
    told = note(
        "stereo.aligned",
        "the right picture was aligned: moved {down:+.1f} pixels down, turned {degrees:+.2f}°, scaled by {scale:.4f}",
        down=found.down, degrees=found.degrees, scale=found.scale,
    )  # fmt: skip
    return aligned_right(pair.right, found), (told,)


def _to_screen(found: Alignment, screen: str, width: int) -> int:
    """By how many pixels all disparities are made smaller."""
    if screen in ("auto", "subject"):
        if -GRAVE * BEHIND * width <= found.behind and found.front <= GRAVE * FRONT * width:
            return 0
        plane = 0.5
    else:
        plane = PLANES[screen] if screen in PLANES else float(screen)
    by = round(found.behind + plane * (found.front - found.behind))
    return by if abs(by) < width // 2 else 0
