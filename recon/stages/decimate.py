"""Fewer faces, by quadric error (fast-simplification); texture coordinates are projected anew, so texture survives."""

from __future__ import annotations

import numpy as np

from recon.stages.texture import textured
from recon.types import Camera, Mask, Mesh, Photo


def decimate(mesh: Mesh, faces: int, photo: Photo, mask: Mask, camera: Camera) -> Mesh:
    """The mesh with about `faces` triangles (as it is, if it has no more)."""
    if len(mesh.faces) <= faces:
        return mesh
    import fast_simplification

    vertices, triangles = fast_simplification.simplify(mesh.vertices, mesh.faces, target_count=faces)
    small = Mesh(np.asarray(vertices, np.float32), np.asarray(triangles, np.int32))
    return textured(small, photo, mask, camera)
