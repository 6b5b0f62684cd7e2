"""Binary little-endian PLY, for meshes and point clouds. Colours are sRGB bytes, as every viewer of PLY expects.

Ours and not trimesh's because importing trimesh alone takes longer than this whole path (docs/decisions.md).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recon.geometry.axes import to_gltf
from recon.io.files import write_bytes
from recon.types import Mesh, PointCloud


def write_mesh(mesh: Mesh, path: Path) -> None:
    """A mesh with vertex colours, where it has them, in glTF's axes; a texture's cuts are closed, sheets joined."""
    mesh = mesh.joined().welded()
    faces = np.empty(len(mesh.faces), [("count", "u1"), ("index", "<i4", 3)])
    faces["count"], faces["index"] = 3, mesh.faces
    vertices, properties = _vertex_block(mesh.vertices, mesh.colors, None)
    header = _header(len(vertices), properties, f"element face {len(faces)}\nproperty list uchar int vertex_indices\n")
    write_bytes(path, header, vertices.data, faces.data)


def write_cloud(cloud: PointCloud, path: Path) -> None:
    """A point cloud with colours and, where it has them, normals, in glTF's axes."""
    vertices, properties = _vertex_block(cloud.positions, cloud.colors, cloud.normals)
    write_bytes(path, _header(len(vertices), properties, ""), vertices.data)


def _vertex_block(
    positions: np.ndarray, colors: np.ndarray | None, normals: np.ndarray | None
) -> tuple[np.ndarray, list[str]]:
    """The packed vertex records and their properties' header lines."""
    fields: list[tuple[str, str, int]] = [("position", "<f4", 3)]
    properties = [f"property float {name}" for name in "xyz"]
    if normals is not None:
        fields.append(("normal", "<f4", 3))
        properties += [f"property float n{name}" for name in "xyz"]
    if colors is not None:
        fields.append(("color", "u1", 3))
        properties += [f"property uchar {name}" for name in ("red", "green", "blue")]
    block = np.empty(len(positions), fields)
    block["position"] = to_gltf(positions)
    if normals is not None:
        block["normal"] = to_gltf(normals)
    if colors is not None:
        block["color"] = colors
    return block, properties


def _header(count: int, properties: list[str], faces: str) -> bytes:
    lines = "\n".join(properties)
    return (
        f"ply\nformat binary_little_endian 1.0\ncomment Unflat\nelement vertex {count}\n{lines}\n{faces}end_header\n"
    ).encode()
