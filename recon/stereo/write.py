"""Stereo pairs to files: which layouts a file's ending can hold, and how each is written, whole or not at all."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from jaxtyping import UInt8
from numpy import ndarray

from recon.errors import BadOption
from recon.io.files import write_bytes, write_together
from recon.io.film import write_film
from recon.io.formats import checked_format
from recon.messages import Message, note
from recon.stereo.layouts import WRITTEN, depth_beside, jps_segment, layout_of_name, packed
from recon.stereo.mpo import QUALITY, mpo_bytes

if TYPE_CHECKING:
    from recon.stereo.pair import StereoPair

PAIR = note("thing.pair", "the stereo pair")
STILL = (".png", ".jpg", ".jpeg")
ENDINGS = {"mpo": (".mpo",), "jps": (".jps",), "wiggle": (".gif", ".webp"), "cross": (*STILL, ".jps")}
"""What each layout can be written as; any other as a still picture."""
BY_ENDING = {".mpo": "mpo", ".jps": "jps", ".gif": "wiggle", ".webp": "wiggle"}
PICTURES = (*STILL, *BY_ENDING)
ROCKING, ROCKING_SIDE = 12, 800
"""Pictures of a wiggle's loop, and its longer side in pixels: small enough to be sent."""


def layout_for(path: Path, layout: str) -> str:
    """The layout in which a pair is written to a file of this name. Raises BadOption where the file cannot hold it."""
    checked_format(path, PICTURES, PAIR)
    chosen = layout if layout != "auto" else BY_ENDING.get(path.suffix.lower()) or layout_of_name(path) or "sbs"
    allowed = ENDINGS.get(chosen, STILL)
    if path.suffix.lower() not in allowed:
        raise BadOption(
            "stereo.ending", "<layout> {layout} cannot be written as {path!r}; give a name that ends with {allowed}.",
            layout=chosen, path=str(path), allowed=" or ".join(allowed),
        )  # fmt: skip
    return chosen


def pair_files(path: Path, layout: str) -> list[Path]:
    """The files that a pair of this name and layout consists of."""
    if layout_for(path, layout) != "separate":
        return [path]
    return [path.with_name(f"{path.stem}_{eye}{path.suffix}") for eye in ("left", "right")]


def name_note(path: Path, layout: str) -> tuple[Message, ...]:
    """What is to be known of a name from which no player knows the layout."""
    film = path.suffix.lower() not in PICTURES
    chosen = (layout if layout != "auto" else layout_of_name(path) or "sbs") if film else layout_for(path, layout)
    if chosen not in WRITTEN or layout_of_name(path) == chosen:
        return ()
    better = f"{path.stem}_{WRITTEN[chosen]}{path.suffix}"
    return (
        note("stereo.untold", "players know the layout {layout} by the file's name: call it {better!r}",
             layout=chosen, better=better),
    )  # fmt: skip


def write_pair(pair: StereoPair, path: Path, layout: str) -> list[Path]:
    """Write a pair; returns the files. Raises BadOption, Unwritable."""
    chosen, files = layout_for(path, layout), pair_files(path, layout)
    if chosen == "wiggle":
        write_film(path, pair.rocking(ROCKING, ROCKING_SIDE))
    elif chosen == "mpo":
        write_bytes(path, mpo_bytes(pair.left, pair.right))
    elif chosen == "separate":
        eyes = (pair.left, pair.right)
        write_together({file: (picture_bytes(eye, file),) for file, eye in zip(files, eyes, strict=True)})
    else:
        write_bytes(path, picture_bytes(_picture(pair, chosen), path))
    return files


def _picture(pair: StereoPair, layout: str) -> UInt8[ndarray, "h w 3"]:
    if layout != "rgbd":
        return packed(pair.left, pair.right, "cross" if layout == "jps" else layout)
    if pair.source is None:
        raise BadOption("stereo.no_depth", "<layout> rgbd needs depth and a pair was given; give one photo.")
    return depth_beside(pair.source.rgb, pair.source.nearness)


def picture_bytes(picture: UInt8[ndarray, "h w *c"], path: Path) -> bytes:
    """A picture as PNG or JPEG, by the file's ending; a JPEG keeps its colours at full resolution, without which an
    anaglyph's eyes leak into each other."""
    from PIL import Image

    file, image = io.BytesIO(), Image.fromarray(picture)
    if path.suffix.lower() == ".png":
        image.save(file, format="PNG", compress_level=4)
    else:
        tag = {"extra": jps_segment()} if path.suffix.lower() == ".jps" else {}
        image.save(file, format="JPEG", quality=QUALITY, subsampling=0, **tag)
    return file.getvalue()
