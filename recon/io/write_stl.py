"""Binary STL, which slicers read as millimetres: upright in z, standing on z = 0, its longest side as long as asked.

A closed mesh is closed in the file too, where vertices are nothing but places. `base` puts a flat stand under it, joined
to it by a boolean union (manifold3d), with a pillar under every piece that hangs in the air: one part, ready to print.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.axes import to_printer
from recon.geometry.closed import is_closed, separate_coincident
from recon.io.files import write_bytes
from recon.io.formats import MODEL
from recon.io.values import as_path
from recon.option_fields import check_number
from recon.options import PhotoOptions, option_of
from recon.settings import PrintSettings
from recon.types import Mesh

if TYPE_CHECKING:
    import manifold3d

SIZE = option_of(PhotoOptions, "size_mm")
THICK, SUNK = 0.04, 0.02
"""Of the longest side: the stand, and how deep the subject stands in it, so that a foot is more than a point."""
MARGIN, ROUND = 0.04, 0.06
"""How far the stand reaches beyond the subject, and the radius of its corners."""
PILLAR = 0.015
"""Radius of a pillar, and how far it reaches into what it holds."""


def printable(mesh: Mesh, settings: PrintSettings = PrintSettings()) -> Mesh:
    """The mesh in a printer's frame and millimetres, plain; closed by place if it is closed.

    Raises BadInput for a stand under a mesh that is not closed, BadOption for a size out of range.
    """
    check_number(SIZE, settings.size_mm)
    plain = mesh.welded()
    closed = is_closed(plain.faces)
    places = _unit(to_printer(plain.vertices).astype(np.float64))
    faces = plain.faces
    if settings.base:
        if not closed:
            raise BadInput(
                "print.open",
                "the model is not closed and cannot have a stand; add <surface> solid or leave <base> out.",
            )
        places, faces = _on_stand(places, faces)
    scaled = (_unit(places) * settings.size_mm).astype(np.float32)
    return Mesh(separate_coincident(scaled, faces) if closed else scaled, faces)


def write_printable(mesh: Mesh, path: Path) -> None:
    """Write what `printable` gave."""
    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    faces = np.zeros(len(corners), [("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("unused", "<u2")])
    faces["normal"], faces["corners"] = normals / np.where(lengths > 0, lengths, 1), corners
    write_bytes(path, b"Unflat, millimetres".ljust(80), len(faces).to_bytes(4, "little"), faces.data.cast("B"))


def write_print(mesh: Mesh, path: str | Path, size_mm: float, base: bool) -> tuple[float, float, float]:
    """Write a mesh for printing, its longest side `size_mm` long, on a stand with `base`; returns its width, depth and
    height in millimetres. Raises BadInput for a stand under a mesh that is not closed."""
    found = printable(mesh, PrintSettings(size_mm, base))
    write_printable(found, as_path(path, MODEL))
    return printed_size(found)


def printed_size(mesh: Mesh) -> tuple[float, float, float]:
    """Width, depth and height of what `printable` gave, in millimetres."""
    x, y, z = np.ptp(mesh.vertices, axis=0).tolist()
    return x, y, z


def _unit(places: Float64[ndarray, "n 3"]) -> Float64[ndarray, "n 3"]:
    """Longest side 1, the middle over the origin, the lowest point at z = 0."""
    low, high = places.min(axis=0), places.max(axis=0)
    foot = np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])
    return (places - foot) / max(float((high - low).max()), 1e-30)


def _on_stand(places: Float64[ndarray, "n 3"], faces: ndarray) -> tuple[Float64[ndarray, "k 3"], ndarray]:
    """The unit mesh joined with its stand."""
    import manifold3d

    def solid(vertices: ndarray, triangles: ndarray) -> manifold3d.Manifold:
        return manifold3d.Manifold(manifold3d.Mesh(vertices.astype(np.float32), triangles.astype(np.uint32)))

    whole = solid(separate_coincident(places.astype(np.float32), faces), faces)
    wide, deep = (np.ptp(places[:, :2], axis=0) / 2 + MARGIN).tolist()
    corner = min(ROUND, wide, deep)
    outline = manifold3d.CrossSection.square((2 * (wide - corner), 2 * (deep - corner)), True)
    outline = outline.offset(corner, manifold3d.JoinType.Round, 2.0, 64)
    parts = [whole, manifold3d.Manifold.extrude(outline, THICK).translate((0, 0, SUNK - THICK))]
    for piece in whole.decompose():
        vertices = np.asarray(piece.to_mesh().vert_properties)[:, :3]
        x, y, z = vertices[vertices[:, 2].argmin()].tolist()
        if z > SUNK / 2:
            height = z + PILLAR - (SUNK - THICK / 2)
            pillar = manifold3d.Manifold.cylinder(height, PILLAR, PILLAR, 24)
            parts.append(pillar.translate((x, y, SUNK - THICK / 2)))
    joined = manifold3d.Manifold.batch_boolean(parts, manifold3d.OpType.Add).to_mesh()
    found = np.asarray(joined.vert_properties, np.float64)[:, :3]
    triangles = np.asarray(joined.tri_verts, np.int32)
    if not is_closed(triangles):
        raise BadInput("print.no_joint", "the stand could not be joined to this model; leave <base> out.")
    return found, triangles
