"""Which file endings each result can be written as."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from recon.errors import BadOption
from recon.messages import Message, note

MESH_FORMATS = (".ply", ".obj", ".glb", ".stl", ".vtk")
SPLAT_FORMATS = (".ply", ".splat", ".spz", ".glb")
CLOUD_FORMATS = (".ply", ".vtk")
DEPTH_FORMATS = (".npy", ".png")
MASK_FORMATS = (".png",)
PREVIEW_FORMATS = (".png",)
FILM_FORMATS = (".mp4", ".gif", ".webp")
REPORT_FORMATS = (".json",)
PHOTO_ENDINGS = (
    ".jpg", ".jpeg", ".png", ".webp", ".heic", ".avif", ".tif", ".tiff", ".heif", ".jpe", ".jp2", ".jxl", ".bmp", ".gif",
    ".ppm", ".pgm", ".mpo", ".dng", ".nef", ".nrw", ".cr2", ".cr3", ".arw", ".srf", ".sr2", ".raf", ".rw2", ".rwl", ".orf",
    ".pef", ".srw", ".dcr", ".kdc", ".erf", ".mef", ".mos", ".mrw", ".x3f", ".3fr", ".fff", ".iiq",
)  # fmt: skip
"""By which a file in a folder is taken for a photo; what it is, is seen when it is read."""
MODEL = note("thing.model", "the model")
CLOUD = note("thing.cloud", "the point cloud")
SPLATS = note("thing.splats", "the splats")
DEPTH = note("thing.depth", "the depth map")
MASK = note("thing.mask", "the mask")


def checked_format(path: Path, allowed: tuple[str, ...], what: Message) -> str:
    """The lower-case ending, if `what` can be written in that format, else BadOption."""
    ending = path.suffix.lower()
    if not ending:
        raise BadOption(
            "output.no_ending", "{what} {path!r} has no ending; give a name that ends with {allowed}.",
            what=what, path=str(path), allowed=", ".join(allowed),
        )  # fmt: skip
    if ending not in allowed:
        raise BadOption(
            "output.ending", "{what} {path!r} ends with {ending!r}; give a name that ends with {allowed}.",
            what=what, path=str(path), ending=ending, allowed=", ".join(allowed),
        )  # fmt: skip
    return ending


def model_kind(path: Path) -> Literal["mesh", "splats"]:
    """What a model of this name is, unless another kind is asked for: splats where its format holds nothing else."""
    return "splats" if path.suffix.lower() in (".splat", ".spz") else "mesh"


def is_model_name(path: Path) -> bool:
    """Whether a file of this name could be a model's."""
    return path.suffix.lower() in (*MESH_FORMATS, *SPLAT_FORMATS)


HIDDEN_SHEETS = ("hidden", "sky")
"""What the sheets behind a model's first one are called."""


def files_of(path: Path, behind: tuple[str, ...] = HIDDEN_SHEETS) -> list[Path]:
    """The files that a model of this name consists of: an OBJ has its material and its texture beside it, and one more
    texture for each sheet behind the first.

    The texture is not called NAME.jpg, because that is what the photo is often called. OBJ and MTL end a name at a space.
    """
    if path.suffix.lower() != ".obj":
        return [path]
    stem = re.sub(r"[\s#]", "_", path.stem)
    textures = [path.with_name(f"{stem}_{name}.jpg") for name in ("texture", *behind)]
    return [path, path.with_name(f"{stem}.mtl"), *textures]
