"""What one lane leaves for the next: a reconstruction without its photo, in one .npz file.

Arrays lie there as they are, everything else as JSON; nothing in it can be executed when it is read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from recon.messages import Message
from recon.results import Reconstruction
from recon.types import Camera, DepthMap, Mask, Mesh, Photo
from web_3d_app.phrasebook import message_of

PARTS = {"mask": Mask, "camera": Camera, "depth": DepthMap, "mesh": Mesh}
PLAIN = ("surface", "surface_source", "faces")


def save(result: Reconstruction, path: Path) -> Path:
    """Write mask, camera and depth, and the mesh if it was made already."""
    arrays: dict[str, np.ndarray] = {}
    plain: dict[str, Any] = {name: getattr(result, name) for name in PLAIN}
    plain["notes"] = [told.to_json() for told in result.notes]
    for part in PARTS:
        if part not in vars(result):  # a mesh that was not asked for yet
            continue
        plain[part] = {}
        for name, value in vars(vars(result)[part]).items():
            if isinstance(value, np.ndarray):
                arrays[f"{part}.{name}"] = value
            else:
                plain[part][name] = value.to_json() if isinstance(value, Message) else value
    np.savez(path, json=np.array(json.dumps(plain)), **arrays)  # type: ignore[arg-type]
    return path


def load(path: Path, photo: Photo) -> Reconstruction:
    """The reconstruction of the same photo again."""
    with np.load(path, allow_pickle=False) as file:
        plain = json.loads(str(file["json"]))
        told = plain["mask"]["note"]
        plain["mask"]["note"] = message_of(told) if told else None
        parts = {}
        for part, kind in PARTS.items():
            if part in plain:
                arrays = {name.partition(".")[2]: file[name] for name in file.files if name.startswith(f"{part}.")}
                parts[part] = kind(**plain[part], **arrays)
    mesh = parts.pop("mesh", None)
    notes = [message_of(told) for told in plain.get("notes") or plain.get("warnings", [])]  # older ones: sentences
    result = Reconstruction(photo, **parts, notes=notes, **{name: plain[name] for name in PLAIN})
    if mesh is not None:
        vars(result)["mesh"] = mesh  # where cached_property keeps it
    return result
