"""Wavefront OBJ with its MTL and texture beside it, or with vertex colours where there is no texture.

A vertex on a cut of the texture has one line `v` and several `vt`, so that a closed mesh is closed by its vertex numbers.
NAME.obj refers to NAME.mtl and that to NAME_texture.jpg (recon.io.formats.files_of). Each sheet of a mesh is a group and a
material of its own name with its own texture.
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
MATERIAL = b"newmtl %s\nKa 1 1 1\nKd 1 1 1\nKs 0 0 0\nillum 0\nmap_Kd %s\n"
CHUNK = 100_000
"""Rows formatted at a time: fewer cost calls, more cost memory."""


def write_mesh(mesh: Mesh, path: Path) -> list[Path]:
    """Write the OBJ with its material and texture; returns all files written."""
    if mesh.uv is None or mesh.texture is None:
        mesh = mesh.joined().welded()
        points = _vertex_lines(to_gltf(mesh.vertices), mesh.colors)
        write_bytes(path, b"# Unflat\n", *points, *_lines("f %d %d %d\n", mesh.faces + 1))
        return [path]
    sheets = mesh.sheets()
    _, material, *pictures = files = files_of(path, tuple(sheet.name for sheet in sheets[1:]))
    lines, library = [b"# Unflat\nmtllib %s\n" % os.fsencode(material.name)], b""
    contents: dict[Path, tuple[bytes | memoryview, ...]] = {}
    places = corners = 0
    for sheet, picture in zip(sheets, pictures, strict=True):
        assert sheet.texture is not None, "all sheets of a mesh have a texture, or none has"
        name = b"photo" if sheet is sheets[0] else sheet.name.encode()
        lines += [
            *(b"o %s\n" % name,) * bool(mesh.behind),
            b"usemtl %s\n" % name,
            *_textured_lines(sheet, places, corners),
        ]
        library += MATERIAL % (name, os.fsencode(picture.name))
        contents[picture] = (encoded_texture(sheet.texture),)
        places, corners = places + len(sheet.places()[0]), corners + len(sheet.vertices)
    write_together({path: tuple(lines), material: (library,), **contents})
    return files


def _textured_lines(mesh: Mesh, places: int, corners: int) -> list[bytes]:
    """One sheet's lines; places, corners: how many of `v` and `vt` stand before them."""
    assert mesh.uv is not None
    first, place = mesh.places()
    numbers = np.stack([place[mesh.faces] + (places + 1), mesh.faces + (corners + 1)], axis=-1).reshape(-1, 6)
    return [
        *_lines(POSITION + "\n", to_gltf(mesh.vertices[first])),
        *_lines("vt %.6f %.6f\n", np.column_stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]])),
        *_lines("f %d/%d %d/%d %d/%d\n", numbers),
    ]


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
