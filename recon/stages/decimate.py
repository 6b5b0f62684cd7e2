"""Fewer faces; texture coordinates are found anew, so texture survives."""

from __future__ import annotations

from jaxtyping import UInt8
from numpy import ndarray

from recon.geometry.closed import is_closed, separate_coincident
from recon.geometry.decimation import quadric_decimation
from recon.stages.all_round_texture import textured_all_round
from recon.stages.photo_texture import textured_by_photo
from recon.types import Camera, Mask, Mesh, Photo


def decimate(
    mesh: Mesh, faces: int, photo: Photo, mask: Mask, camera: Camera, back_colour: UInt8[ndarray, "h w 3"] | None = None
) -> Mesh:
    """The mesh with at most about `faces` triangles (as it is, if it has no more), textured again, all round if it was. The
    sheets behind it are not counted, and stay. back_colour: of the far side, where a network says it (see DepthMap)."""
    if len(mesh.faces) <= faces:
        return mesh
    whole = mesh.welded()
    vertices, triangles = quadric_decimation(whole.vertices, whole.faces, faces)
    if is_closed(triangles):
        vertices = separate_coincident(vertices, triangles)
    fewer = Mesh(vertices, triangles)
    if mesh.source is not None:
        return textured_all_round(fewer, photo, mask, camera, back_colour)
    made = textured_by_photo(fewer, photo, mask, camera)
    # the photo's texture with its rims put right, where the mesh has one
    return made.with_(name=mesh.name, behind=mesh.behind, texture=mesh.texture if mesh.behind else made.texture)
