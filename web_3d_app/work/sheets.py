"""A mesh with the sheets behind it as plain arrays, and back: what one process leaves for another in an .npz file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Shaped
from numpy import ndarray

from recon.types import Mesh


def mesh_arrays(mesh: Mesh) -> dict[str, Shaped[ndarray, ...]]:
    """Every sheet's arrays and its name, by `sheet<number>.<field>`."""
    return {
        f"sheet{number}.{name}": np.asarray(value)
        for number, sheet in enumerate(mesh.sheets())
        for name, value in vars(sheet).items()
        if value is not None and name != "behind"
    }


def mesh_from(file: Mapping[str, Any]) -> Mesh | None:
    """The mesh that `mesh_arrays` gave; None where there is none."""
    sheets: dict[int, dict[str, Any]] = {}
    for key in file:
        where, _, name = key.partition(".")
        if where.startswith("sheet"):
            value = file[key]
            sheets.setdefault(int(where.removeprefix("sheet")), {})[name] = str(value) if name == "name" else value
    if not sheets:
        return None
    first, *behind = (Mesh(**sheets[number]) for number in sorted(sheets))
    return first.with_(behind=tuple(behind))
