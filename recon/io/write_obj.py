"""Wavefront OBJ with its MTL and texture beside it, or with vertex colours where there is no texture.

A vertex on a cut of the texture has one line `v` and several `vt`, so that a closed mesh is closed by its vertex numbers.
NAME.obj refers to NAME.mtl and that to NAME_texture.jpg (recon.io.formats.files_of).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from recon.geometry.axes import to_gltf
from recon.io.files import write_bytes, write_together
from recon.io.formats import files_of
from recon.io.write_gltf import encoded_texture
from recon.types import Mesh

POSITION = "v %.9g %.9g %.9g"
"""Nine digits say which float32 it was: a vertex has the same place in every format."""
CHUNK = 100_000
"""Rows formatted at a time: fewer cost calls, more cost memory."""


def write_mesh(mesh: Mesh, path: Path) -> list[Path]:
    """Write the OBJ with its material and texture; returns all files written."""
    if mesh.uv is None or mesh.texture is None:
        mesh = mesh.welded()
        points = _vertex_lines(to_gltf(mesh.vertices), mesh.colors)
        write_bytes(path, b"# Unflat\n", *points, *_lines("f %d %d %d\n", mesh.faces + 1))
        return [path]
    first, place = mesh.places()
    corners = np.stack([place[mesh.faces] + 1, mesh.faces + 1], axis=-1).reshape(-1, 6)
    _, material, picture = files = files_of(path)
    v_up = np.column_stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]])
    lines = (
        b"# Unflat\nmtllib %s\nusemtl photo\n" % os.fsencode(material.name),
        *_lines(POSITION + "\n", to_gltf(mesh.vertices[first])),
        *_lines("vt %.6f %.6f\n", v_up),
        *_lines("f %d/%d %d/%d %d/%d\n", corners),
    )
    library = b"newmtl photo\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 0\nmap_Kd %s\n" % os.fsencode(picture.name)
    write_together({path: lines, material: (library,), picture: (encoded_texture(mesh.texture),)})
    return files


def _vertex_lines(vertices: np.ndarray, colors: np.ndarray | None) -> list[bytes]:
    if colors is None:
        return _lines(POSITION + "\n", vertices)
    return _lines(POSITION + " %.4f %.4f %.4f\n", np.column_stack([vertices, colors / np.float32(255)]))


def _lines(pattern: str, rows: np.ndarray) -> list[bytes]:
    """One line per row, formatted in large chunks."""
    return [
        (pattern * len(part) % tuple(part.ravel().tolist())).encode()
        for part in (rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK))
    ]
