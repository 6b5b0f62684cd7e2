"""Unflat's values as other libraries' objects. Each library is imported only when it is asked for.

Vertices stay in the camera's frame (x right, y down, z forward); the exporters, not these, turn axes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import open3d
    import pyvista
    import trimesh

    from recon.types import Mesh, PointCloud


def mesh_to_trimesh(mesh: Mesh) -> trimesh.Trimesh:
    """With the photo as texture where there is one, else with vertex colours. Vertices keep their order."""
    import trimesh
    from PIL import Image

    if mesh.uv is not None and mesh.texture is not None:
        v_up = np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1)  # trimesh counts v from the picture's bottom
        visual = trimesh.visual.TextureVisuals(uv=v_up, image=Image.fromarray(mesh.texture))
        return trimesh.Trimesh(mesh.vertices, mesh.faces, visual=visual, process=False)
    return trimesh.Trimesh(mesh.vertices, mesh.faces, vertex_colors=mesh.colors, process=False)


def mesh_to_open3d(mesh: Mesh) -> open3d.geometry.TriangleMesh:
    """With vertex colours in 0..1 where the mesh has them."""
    import open3d

    out = open3d.geometry.TriangleMesh(
        open3d.utility.Vector3dVector(mesh.vertices.astype(np.float64)),
        open3d.utility.Vector3iVector(mesh.faces.copy()),  # it takes no read-only array
    )
    if mesh.colors is not None:
        out.vertex_colors = open3d.utility.Vector3dVector(mesh.colors / 255.0)
    return out


def mesh_to_pyvista(mesh: Mesh) -> pyvista.PolyData:
    """With the arrays `rgb` (uint8) and texture coordinates (v up, as VTK counts) where the mesh has them."""
    import pyvista

    out = pyvista.PolyData.from_regular_faces(mesh.vertices, mesh.faces)
    if mesh.colors is not None:
        out.point_data["rgb"] = mesh.colors
    if mesh.uv is not None:
        out.active_texture_coordinates = np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1)
    return out


def cloud_to_open3d(cloud: PointCloud) -> open3d.geometry.PointCloud:
    """With colours in 0..1, and normals where the cloud has them."""
    import open3d

    out = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(cloud.positions.astype(np.float64)))
    out.colors = open3d.utility.Vector3dVector(cloud.colors / 255.0)
    if cloud.normals is not None:
        out.normals = open3d.utility.Vector3dVector(cloud.normals.astype(np.float64))
    return out
