"""Colours for a mesh from the photo: texture coordinates by projection, vertex colours, and a texture without fringes."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.geometry.camera import project
from recon.types import Camera, Mask, Mesh, Photo

FRINGE = 0.004
"""Width of the rim just inside a mask whose colour the background has bled into, in parts of the longer side."""


def textured_by_photo(
    mesh: Mesh, photo: Photo, mask: Mask, camera: Camera, pixels: Float32[ndarray, "n 2"] | None = None
) -> Mesh:
    """The mesh with the photo as its texture, and the photo's colours at its vertices.

    pixels: each vertex's place (u, v) in the photo where it is known; else the vertices are projected. The texture keeps
    the photo's resolution whatever the mesh's.
    """
    height, width = photo.size
    if pixels is None:
        pixels = project(mesh.vertices, camera)
    texture = without_fringe(photo, mask)
    uv = np.clip(pixels / np.array([width, height], np.float32), 0, 1)
    return mesh.with_(uv=uv.astype(np.float32), texture=texture, colors=colors_at(texture, pixels))


def colors_at(picture: UInt8[ndarray, "h w 3"], pixels: Float32[ndarray, "n 2"]) -> UInt8[ndarray, "n 3"]:
    """The picture's colour in the pixel that holds each position."""
    height, width = picture.shape[:2]
    columns = np.clip(pixels[:, 0].astype(np.int32), 0, width - 1)
    rows = np.clip(pixels[:, 1].astype(np.int32), 0, height - 1)
    return picture[rows, columns]


def without_fringe(photo: Photo, mask: Mask) -> UInt8[ndarray, "h w 3"]:
    """The photo with everything outside the mask's core replaced by the nearest colour of the core.

    Texture filtering at the silhouette then finds the subject's own colours instead of the background's.
    """
    if mask.inside is None:
        return photo.rgb
    rim = 1 + round(FRINGE * max(photo.size))
    core = cv2.erode(mask.inside.astype(np.uint8), np.ones((2 * rim + 1,) * 2, np.uint8), borderValue=1)
    if not core.any():
        core = mask.inside.astype(np.uint8)
    _, nearest = cv2.distanceTransformWithLabels(1 - core, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(core)
    lookup = np.zeros((int(nearest.max()) + 1, 3), np.uint8)
    lookup[nearest[rows, columns]] = photo.rgb[rows, columns]
    return np.where(core[..., None].astype(bool), photo.rgb, lookup[nearest])
