"""Gaussian splats: of what the photo shows and what lies behind it, sample by sample, and of any mesh, by triangles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.ellipsoids import merged
from recon.geometry.grid import without_floaters
from recon.geometry.lattice import Lattice
from recon.geometry.layers import Sheet
from recon.geometry.normals import lattice_normals
from recon.geometry.reduce import shrink_to_fit
from recon.geometry.splat_budget import thinned_sheets
from recon.geometry.splats import STEEPEST, UNCUT_STEEPEST, seen_discs, triangle_discs
from recon.geometry.subdivision import cut_triangles, parts_by_area
from recon.protocols import SplatEstimator
from recon.settings import SplatSettings
from recon.stages.photo_texture import colors_at, without_fringe
from recon.stages.surface_grid import cleaned_lattice, smallest_piece
from recon.types import Camera, DepthMap, Mask, Mesh, Photo, Splats

LEAST_OPACITY = 0.5 / 255
"""What is less opaque than this, files of eight bits have not at all."""


def sheet_splats(sheets_of: Callable[[int], Sequence[Sheet]], settings: SplatSettings = SplatSettings()) -> Splats:
    """A splat for each valid sample of some sheets, at most `settings.most` in all: where there are more samples, even
    parts get larger splats first.

    sheets_of: makes the sheets, the first of about so many samples at most. Raises BadInput where no sample is left.
    """
    limit = round(settings.most * settings.oversampled)
    while True:
        sheets = sheets_of(limit)
        found = thinned_sheets(sheets, settings.most)
        if len(found.width) <= settings.most:
            break
        limit //= 2  # a sheet full of holes joins little
    if not len(found.width):
        raise BadInput("splats.empty", "no connected surface is left to make splats of; check the depth map.")
    limits = [STEEPEST if sheet.name == "photo" else UNCUT_STEEPEST for sheet in sheets]
    steepest = np.array(limits, np.float32)[found.sheet]
    return seen_discs(found.points, found.normals, found.width, found.colors, found.alpha, steepest)


def seen_sheet(photo: Photo, mask: Mask, depth: DepthMap, camera: Camera, limit: int) -> Sheet:
    """About `limit` samples of a depth map at most, cleaned, without what hangs together with nothing."""
    lattice = cleaned_lattice(depth, camera, limit)
    smallest = smallest_piece(depth, lattice)
    z, cut_h, cut_v = without_floaters(lattice.z, lattice.footprint, smallest, lattice.noise)
    valid = ~np.isnan(z)
    points = np.where(valid[..., None], lattice.points(), np.float32(np.nan))
    normals = lattice_normals(points, cut_h, cut_v, 2)
    colors = block_means(without_fringe(photo, mask), lattice)
    return Sheet("photo", points, colors, normals, valid, _opacity(photo, mask, lattice), lattice.footprint)


def block_means(picture: UInt8[ndarray, "h w *c"], lattice: Lattice) -> UInt8[ndarray, "a b *c"]:
    """The mean colour of each sample's block of pixels."""
    side = lattice.stride
    smooth = picture if side == 1 else cv2.blur(picture, (side, side), borderType=cv2.BORDER_REPLICATE)
    return smooth[lattice.v.astype(np.intp)][:, lattice.u.astype(np.intp)]


def estimated_splats(
    model: SplatEstimator, photo: Photo, mask: Mask, camera: Camera, most: int = SplatSettings.most
) -> Splats:
    """A model's splats of a photo, at most about `most`: without those that nobody sees or that lie behind the camera, and
    where one subject was cut out, without those in front of and behind all else. Raises MissingModel, and BadInput where
    none is left."""
    found = model.splats(photo.rgb, camera)
    z = found.centres[:, 2]
    kept = (found.opacity >= LEAST_OPACITY) & (z > 0)
    if mask.inside is not None:
        height, width = photo.size
        with np.errstate(divide="ignore", invalid="ignore"):
            u = camera.focal * found.centres[:, 0] / z + camera.cx
            v = camera.focal * found.centres[:, 1] / z + camera.cy
        kept &= (u >= 0) & (u < width) & (v >= 0) & (v < height)
        kept[kept] &= mask.inside[v[kept].astype(np.intp), u[kept].astype(np.intp)]
    if not kept.any():
        raise BadInput("splats.none_seen", "{model} made no splat of this photo that could be seen.", model=model.name)
    return merged(Splats(**{name: values[kept] for name, values in vars(found).items()}), most)


def _opacity(photo: Photo, mask: Mask, lattice: Lattice) -> Float32[ndarray, "h w"]:
    """The photo's own opacity, where the subject was cut out by it, else 1."""
    if photo.alpha is None or mask.method != "alpha":
        return np.ones(lattice.z.shape, np.float32)
    return block_means(photo.alpha, lattice).astype(np.float32) / np.float32(255)


def mesh_splats(mesh: Mesh, most: int = SplatSettings.most) -> Splats:
    """At most about `most` splats of a mesh, one at least for each triangle that has an area: large ones are cut into equal
    parts. Colours are the texture's, else the vertices'. Raises BadInput for a mesh without area."""
    triangles = mesh.vertices[mesh.faces]
    areas = np.linalg.norm(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]), axis=1) / 2
    kept = areas > 0
    if not kept.any():
        raise BadInput("splats.no_area", "the mesh has no triangle with an area to make splats of.")
    faces, parts = mesh.faces[kept], parts_by_area(areas[kept], most)
    pieces, owner = cut_triangles(triangles[kept], parts)
    return triangle_discs(pieces, _colors(mesh, faces, parts, owner))


def _colors(mesh: Mesh, faces: np.ndarray, parts: np.ndarray, owner: np.ndarray) -> UInt8[ndarray, "n 3"]:
    """The colour in the middle of each part of the faces."""
    if mesh.texture is not None and mesh.uv is not None:
        middle = cut_triangles(mesh.uv[faces], parts)[0].mean(axis=1)
        height, width = mesh.texture.shape[:2]
        covered = max(len(middle) ** 0.5, 1) * 2  # no more texels than splats could show, at twice their density
        texture = shrink_to_fit(mesh.texture, max(1, round(covered * max(height, width) / (height * width) ** 0.5)))
        return colors_at(texture, middle * np.array(texture.shape[1::-1], np.float32))
    if mesh.colors is None:
        return np.full((len(owner), 3), 128, np.uint8)
    return np.rint(cut_triangles(mesh.colors[faces].astype(np.float32), parts)[0].mean(axis=1)).astype(np.uint8)
