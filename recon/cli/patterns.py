"""Names of files with `{name}` in them, which stands for each photo of a folder."""

from __future__ import annotations

import argparse
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from recon.errors import BadOption
from recon.options import MASK_WORDS

NAME = "{name}"
OUTPUTS = (
    "out",
    "points_out",
    "depth_out",
    "mask_out",
    "preview",
    "turntable",
    "parallax",
    "orbit",
    "frames",
    "report",
)
FIRST_FRAME = "render_000.png"
"""In a folder of frames."""
INPUTS = ("depth_in", "mask")
ENDINGS = {None: ".glb", "mesh": ".glb", "points": ".ply", "splats": ".spz"}
"""Of models in a folder, by what they hold."""
NOT_OF_THE_MODEL = (*OUTPUTS, "rgb", "resume", "quiet", "models", "jobs", "threads", "device", "offline", "max_mib",
                    "max_megapixels")  # fmt: skip
"""Options that do not change what is made."""


def spread(args: argparse.Namespace) -> argparse.Namespace:
    """The same options for a folder of photos: every result's name has {name} in it, a folder's too. Raises BadOption."""
    many = argparse.Namespace(**vars(args))
    many.out = [_model_of_each(args.rgb, path, ENDINGS[args.kind]) for path in args.out]
    for option, path in _paths(many, (*OUTPUTS, "resume")):
        if NAME not in str(path):
            raise BadOption(
                "folder.one_file",
                "<{option}> {path!r} would be one for all photos; give a name with {name} in it, as {example!r}.",
                option="folder" if option == "resume" else option, path=str(path), name=NAME,
                example=str(path.with_name(f"{NAME}{path.suffix}")),
            )  # fmt: skip
    return many


def _model_of_each(photos: Path, path: Path, ending: str) -> Path:
    """The name of each photo's model: a pattern as it is, or NAME with an ending in a folder. Raises BadOption."""
    from recon import is_model_name

    if NAME in str(path):
        return path
    if os.path.isfile(path):
        raise BadOption(
            "folder.out_file",
            "<rgb> {photos!r} is a folder of photos and <out> {path!r} a file; give a folder, or {example!r}.",
            photos=str(photos), path=str(path), example=str(path.with_name(f"{NAME}{path.suffix}")),
        )  # fmt: skip
    if is_model_name(path) and not os.path.isdir(path):
        raise BadOption(
            "folder.out_name",
            "<rgb> {photos!r} is a folder of photos and <out> {path!r} would be one for all; give a folder, or"
            " {example!r}.",
            photos=str(photos), path=str(path), example=str(path.with_name(f"{NAME}{path.suffix}")),
        )  # fmt: skip
    return path / f"{NAME}{ending}"


def of_photo(many: argparse.Namespace, photo: Path, name: str) -> argparse.Namespace:
    """The options of one photo of a folder."""
    one = argparse.Namespace(**vars(many))
    one.rgb, one.out = photo, [_named(path, name) for path in many.out]
    for option in (*OUTPUTS[1:], *INPUTS, "resume"):
        given = getattr(many, option, None)
        if given is not None:
            setattr(one, option, given if given in MASK_WORDS else type(given)(_named(given, name)))
    return one


def _named(path: Path | str, name: str) -> Path:
    return Path(str(path).replace(NAME, name))


def results_of(one: argparse.Namespace) -> list[Path]:
    """The files that one photo's options ask for, without what belongs to them."""
    return [path / FIRST_FRAME if option == "frames" else path for option, path in _paths(one, OUTPUTS)]


def _paths(args: argparse.Namespace, options: tuple[str, ...]) -> Iterator[tuple[str, Path]]:
    for option in options:
        given = getattr(args, option)
        for path in given if isinstance(given, list) else [given] if given else []:
            yield option, path


def common_folder(many: argparse.Namespace) -> Path:
    """Where all photos' models lie, or the folders that they lie in."""
    place: Path = many.out[0].parent
    while NAME in str(place):
        place = place.parent
    return place


def key_of(many: argparse.Namespace) -> str:
    """Twelve letters that change when options do that what is made depends on."""
    told = sorted((name, str(value)) for name, value in vars(many).items() if name not in NOT_OF_THE_MODEL)
    return hashlib.sha256(repr(told).encode(errors="surrogateescape")).hexdigest()[:12]
