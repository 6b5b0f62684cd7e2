"""Fewer faces; texture coordinates are found anew, so texture survives."""

from __future__ import annotations

from recon.geometry.closed import is_closed, separate_coincident
from recon.geometry.decimation import quadric_decimation
from recon.stages.all_round_texture import textured_all_round
from recon.stages.photo_texture import textured_by_photo
from recon.types import Camera, DepthMap, Mask, Mesh, Photo


def decimate(mesh: Mesh, faces: int, photo: Photo, mask: Mask, camera: Camera, depth: DepthMap | None = None) -> Mesh:
    """The mesh with at most about `faces` triangles (as it is, if it has no more), textured again, all round if it was. The
    sheets behind it are not counted, and stay. depth: whose far side has colours, and mirror images, where it says so."""
    if len(mesh.faces) <= faces:
        return mesh
    whole = mesh.welded()
    vertices, triangles = quadric_decimation(whole.vertices, whole.faces, faces)
    if is_closed(triangles):
        vertices = separate_coincident(vertices, triangles)
    fewer = Mesh(vertices, triangles)
    if mesh.source is not None:
        behind, mirror = (None, None) if depth is None else (depth.back_colour, depth.mirror)
        return textured_all_round(fewer, photo, mask, camera, behind, mirror=mirror)
    made = textured_by_photo(fewer, photo, mask, camera)
    # the photo's texture with its rims put right, where the mesh has one
    return made.with_(name=mesh.name, behind=mesh.behind, texture=mesh.texture if mesh.behind else made.texture)
