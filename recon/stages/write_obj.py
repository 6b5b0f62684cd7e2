"""Wavefront OBJ with its MTL and texture beside it, or with vertex colours where there is no texture.

NAME.obj refers to NAME.mtl and that to NAME.jpg; names with spaces become underscores inside, because the format ends
them there.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recon.geometry.axes import to_gltf
from recon.stages.files import write_bytes
from recon.stages.write_gltf import encoded_texture
from recon.types import Mesh

CHUNK = 100_000
"""Rows formatted at a time: fewer cost calls, more cost memory."""


def write_mesh(mesh: Mesh, path: Path) -> list[Path]:
    """Write the texture, the material and last the OBJ; returns all files written."""
    vertices = to_gltf(mesh.vertices)
    rows = mesh.faces + 1
    if mesh.uv is None or mesh.texture is None:
        write_bytes(path, b"# Unflat\n", *_vertex_lines(vertices, mesh.colors), *_lines("f %d %d %d\n", rows))
        return [path]
    stem = path.stem.replace(" ", "_")
    material, picture = path.with_name(f"{stem}.mtl"), path.with_name(f"{stem}.jpg")
    write_bytes(picture, encoded_texture(mesh.texture))
    write_bytes(material, f"newmtl photo\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 0\nmap_Kd {picture.name}\n".encode())
    v_up = np.column_stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]])
    write_bytes(
        path,
        f"# Unflat\nmtllib {material.name}\nusemtl photo\n".encode(),
        *_lines("v %.6g %.6g %.6g\n", vertices),
        *_lines("vt %.6f %.6f\n", v_up),
        *_lines("f %d/%d %d/%d %d/%d\n", np.repeat(rows, 2, axis=1)),
    )
    return [path, material, picture]


def _vertex_lines(vertices: np.ndarray, colors: np.ndarray | None) -> list[bytes]:
    if colors is None:
        return _lines("v %.6g %.6g %.6g\n", vertices)
    return _lines("v %.6g %.6g %.6g %.4f %.4f %.4f\n", np.column_stack([vertices, colors / np.float32(255)]))


def _lines(pattern: str, rows: np.ndarray) -> list[bytes]:
    """One line per row, formatted in large chunks."""
    return [
        (pattern * len(part) % tuple(part.ravel().tolist())).encode()
        for part in (rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK))
    ]
