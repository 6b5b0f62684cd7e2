"""Gaussian splats as binary glTF by KHR_gaussian_splatting (release candidate of July 2026): the points of one primitive
with scales in the unit of lengths, quaternions with their real part last, opacities from 0 to 1 and harmonics of degree 0,
blended as sRGB values. A reader that does not know the extension shows coloured points (COLOR_0, linear, as glTF has it).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from recon.geometry.colour import linear_16bit
from recon.io.files import write_bytes
from recon.io.splat_values import checked, harmonics, in_gltfs_axes
from recon.io.write_gltf import ARRAY_BUFFER, FLOAT, USHORT, Buffer, container
from recon.types import Splats

EXTENSION = "KHR_gaussian_splatting"
POINTS = 0


def write_splats(splats: Splats, path: Path) -> None:
    """Splats of one colour from everywhere, in glTF's axes. Raises BadInput where a number is not finite."""
    good, buffer = in_gltfs_axes(checked(splats)), Buffer()
    bounds = {"min": good.centres.min(axis=0).tolist(), "max": good.centres.max(axis=0).tolist()}
    opacity = np.rint(good.opacity * 65535).astype(np.uint16)[:, None]
    fallback = np.concatenate([linear_16bit(good.colors), opacity], axis=1)
    columns: dict[str, tuple[np.ndarray, int, str, dict[str, Any]]] = {
        "POSITION": (good.centres, FLOAT, "VEC3", bounds),
        "COLOR_0": (fallback, USHORT, "VEC4", {"normalized": True}),
        f"{EXTENSION}:SCALE": (good.scales, FLOAT, "VEC3", {}),
        f"{EXTENSION}:ROTATION": (np.roll(good.quaternions, -1, axis=1), FLOAT, "VEC4", {}),
        f"{EXTENSION}:OPACITY": (np.clip(good.opacity, 0, 1), FLOAT, "SCALAR", {}),
        f"{EXTENSION}:SH_DEGREE_0_COEF_0": (harmonics(good.colors), FLOAT, "VEC3", {}),
    }
    attributes = {name: buffer.accessor(array, component, kind, ARRAY_BUFFER, **more)
                  for name, (array, component, kind, more) in columns.items()}  # fmt: skip
    about = {"kernel": "ellipse", "colorSpace": "srgb_rec709_display"}
    document = {
        "asset": {"version": "2.0", "generator": "Unflat"},
        "extensionsUsed": [EXTENSION],
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "splats"}],
        "meshes": [{"primitives": [{"mode": POINTS, "attributes": attributes, "extensions": {EXTENSION: about}}]}],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": buffer.length}],
    }
    write_bytes(path, *container(document, buffer))
