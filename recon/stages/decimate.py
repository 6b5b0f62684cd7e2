"""Fewer faces; texture coordinates are projected anew, so texture survives."""

from __future__ import annotations

from recon.geometry.closed import is_closed, separate_coincident
from recon.geometry.decimation import quadric_decimation
from recon.stages.photo_texture import textured_by_photo
from recon.types import Camera, Mask, Mesh, Photo


def decimate(mesh: Mesh, faces: int, photo: Photo, mask: Mask, camera: Camera) -> Mesh:
    """The mesh with at most about `faces` triangles (as it is, if it has no more), textured again. The sheets behind it are
    not counted, and stay."""
    if len(mesh.faces) <= faces:
        return mesh
    vertices, triangles = quadric_decimation(mesh.vertices, mesh.faces, faces)
    if is_closed(triangles):
        vertices = separate_coincident(vertices, triangles)
    made = textured_by_photo(Mesh(vertices, triangles), photo, mask, camera)
    # the photo's texture with its rims put right, where the mesh has one
    return made.with_(name=mesh.name, behind=mesh.behind, texture=mesh.texture if mesh.behind else made.texture)
