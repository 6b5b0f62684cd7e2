"""What one lane leaves for the next: a reconstruction without its photo, in one .npz file.

Arrays lie there as they are, everything else as JSON; nothing in it can be executed when it is read.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from recon.results import Reconstruction
from recon.types import Camera, DepthMap, Mask, Mesh, Photo

PARTS = {"mask": Mask, "camera": Camera, "depth": DepthMap, "mesh": Mesh}
PLAIN = ("surface", "surface_source", "faces", "warnings")


def save(result: Reconstruction, path: Path) -> Path:
    """Write mask, camera and depth, and the mesh if it was made already."""
    arrays: dict[str, np.ndarray] = {}
    plain: dict[str, Any] = {name: getattr(result, name) for name in PLAIN}
    for part in PARTS:
        if part not in vars(result):  # a mesh that was not asked for yet
            continue
        plain[part] = {}
        for name, value in vars(vars(result)[part]).items():
            if isinstance(value, np.ndarray):
                arrays[f"{part}.{name}"] = value
            else:
                plain[part][name] = value
    np.savez(path, json=np.array(json.dumps(plain)), **arrays)  # type: ignore[arg-type]
    return path


def load(path: Path, photo: Photo) -> Reconstruction:
    """The reconstruction of the same photo again."""
    with np.load(path, allow_pickle=False) as file:
        plain = json.loads(str(file["json"]))
        parts = {}
        for part, kind in PARTS.items():
            if part in plain:
                arrays = {name.partition(".")[2]: file[name] for name in file.files if name.startswith(f"{part}.")}
                parts[part] = kind(**plain[part], **arrays)
    mesh = parts.pop("mesh", None)
    result = Reconstruction(photo, **parts, **{name: plain[name] for name in PLAIN})
    if mesh is not None:
        vars(result)["mesh"] = mesh  # where cached_property keeps it
    return result
