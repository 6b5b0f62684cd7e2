"""What one lane leaves for the next: a reconstruction without its photo, in one .npz file.

Arrays lie there as they are, everything else as JSON; nothing in it can be executed when it is read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from recon import PhotoGeometry, Reconstruction
from recon.messages import Message
from recon.options import PhotoOptions, plain, restored
from recon.types import Camera, DepthMap, Mask, Photo
from web_3d_app.work.sheets import mesh_arrays, mesh_from

PARTS = {"mask": Mask, "camera": Camera, "depth": DepthMap}
FORMAT = 4
"""Grows with every change of what a checkpoint holds."""


class Outdated(Exception):
    """A checkpoint that another version of this program has written."""


def save(result: Reconstruction, path: Path) -> Path:
    """Write mask, camera and depth, and the mesh if it was made already."""
    arrays: dict[str, np.ndarray] = {}
    told: dict[str, Any] = {
        "format": FORMAT,
        "options": plain(result.options),
        "notes": [note.to_json() for note in result.geometry.notes],
    }
    if "mesh" in vars(result):  # it was asked for already
        arrays |= mesh_arrays(result.mesh)
        told["object"] = result.object_model
    for part in PARTS:
        told[part] = {}
        for name, value in vars(getattr(result, part)).items():
            if isinstance(value, np.ndarray):
                arrays[f"{part}.{name}"] = value
            else:
                told[part][name] = value.to_json() if isinstance(value, Message) else value
    np.savez(path, json=np.array(json.dumps(told)), **arrays)  # type: ignore[arg-type]
    return path


def load(path: Path, photo: Photo, kind: type[PhotoOptions] = PhotoOptions) -> Reconstruction:
    """The reconstruction of the same photo again. Raises Outdated."""
    with np.load(path, allow_pickle=False) as file:
        told = json.loads(str(file["json"]))
        if told.get("format") != FORMAT:
            raise Outdated
        note = told["mask"]["note"]
        told["mask"]["note"] = note and Message.from_json(note)
        parts = {}
        for part, made in PARTS.items():
            arrays = {name.partition(".")[2]: file[name] for name in file.files if name.startswith(f"{part}.")}
            parts[part] = made(**told[part], **arrays)
        mesh = mesh_from(file)
    options = restored(kind, told["options"])
    result = Reconstruction(PhotoGeometry(photo, **parts, notes=tuple(map(Message.from_json, told["notes"]))), options)
    if mesh is not None:
        vars(result)["mesh"] = mesh  # where cached_property keeps it
        if told.get("object") == "solid":
            vars(result)["whole"] = None
    return result
