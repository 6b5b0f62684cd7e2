"""What is known to be wrong with the files that a run is to write, before it begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recon.errors import BadOption
from recon.io import formats
from recon.io.files import check_writable, same_place
from recon.messages import Message, note

OUTPUTS: dict[str, tuple[tuple[str, ...], Message]] = {
    "mesh": (formats.MESH_FORMATS, formats.MODEL),
    "points": (formats.CLOUD_FORMATS, formats.MODEL),
    "splats": (formats.SPLAT_FORMATS, formats.SPLATS),
    "cloud": (formats.CLOUD_FORMATS, formats.CLOUD),
    "depth": (formats.DEPTH_FORMATS, formats.DEPTH),
    "mask": (formats.MASK_FORMATS, formats.MASK),
    "preview": (formats.PREVIEW_FORMATS, note("thing.preview", "the preview")),
    "turntable": (formats.FILM_FORMATS, note("thing.turntable", "the turntable")),
    "orbit": (formats.FILM_FORMATS, note("thing.orbit", "the film round the model")),
    "frames": (formats.PREVIEW_FORMATS, note("thing.frames", "the first of the frames")),
    "parallax": (formats.FILM_FORMATS, note("thing.parallax", "the parallax film")),
    "report": (formats.REPORT_FORMATS, note("thing.report", "the report")),
}
"""By kind: the endings that it may have, and what it is called."""
INPUTS = {
    "photo": note("thing.photo", "the photo"),
    "depth": note("thing.given_depth", "the given depth map"),
    "mask": note("thing.given_mask", "the given mask"),
}
"""What the files that are read are called."""


def output_files(outputs: Sequence[tuple[str, Path]]) -> list[tuple[Path, Message]]:
    """Every file that results of the kinds in OUTPUTS consist of, and what it belongs to. Raises BadOption for an ending
    that the kind cannot have."""
    found = []
    for kind, path in outputs:
        allowed, what = OUTPUTS[kind]
        formats.checked_format(path, allowed, what)
        found += [(file, what) for file in formats.files_of(path)]
    return found


def missing_folders(files: Sequence[tuple[Path, Message]], inputs: Mapping[str, Path]) -> list[Path]:
    """The folders that will be made for files to be written. Raises BadOption where one is an input (`inputs`: by their
    names in INPUTS) or another result, Unwritable where it cannot be written."""
    taken = {same_place(path): INPUTS[kind] for kind, path in inputs.items()}
    missing: list[Path] = []
    for path, what in files:
        place = same_place(path)
        if place in taken:
            raise BadOption("write.overwrite", "{what} {path!r} would overwrite {other}; give another name.",
                            what=what, path=str(path), other=taken[place])  # fmt: skip
        taken[place] = what
        if check_writable(path) and path.parent not in missing:
            missing.append(path.parent)
    return missing
