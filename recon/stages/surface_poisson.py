"""The `poisson` surface: screened Poisson from the oriented cloud, trimmed to what was observed.

The cloud is solved in the photo's own space (x/z, y/z, ln z), where one sample's footprint has the same size near and
far and a slope keeps its angle to the viewing ray: an octree cell is then a fixed number of pixels everywhere, instead of
spending its depth on the far background.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.clip import clip_mesh
from recon.geometry.discontinuity import depth_cuts
from recon.geometry.grid import without_unused_vertices
from recon.geometry.lattice import Lattice
from recon.geometry.normals import lattice_normals
from recon.geometry.poisson import CUBE_SCALE, screened_poisson
from recon.settings import PoissonSettings
from recon.stages.photo_texture import textured_by_photo
from recon.stages.surface_grid import cleaned_lattice
from recon.types import Camera, DepthMap, Mask, Mesh, Photo

CELL = 2.0
"""Finest octree cell in samples: a finer one holds no sample of its own and only costs time."""

MOST_SAMPLES = 2_000_000
"""Beyond it the solver takes minutes and gigabytes."""


def make_poisson(
    photo: Photo, mask: Mask, depth: DepthMap, camera: Camera, settings: PoissonSettings = PoissonSettings()
) -> Mesh:
    """A smooth mesh through the observed points, without membranes. Raises BadInput when too few points are left."""
    finer = 4 ** max(0, settings.depth - PoissonSettings.depth)  # a level halves the cells: it needs samples to match
    lattice = cleaned_lattice(depth, camera, min(settings.max_samples * finer, MOST_SAMPLES))
    warped, normals = _oriented(lattice)
    if len(warped) < 50:
        raise BadInput(
            "poisson.too_few", "only {count} oriented points are left, too few for a surface; check the depth map.",
            count=len(warped),
        )  # fmt: skip
    finest = float(np.ptp(warped, axis=0).max()) * CUBE_SCALE / 2**settings.depth
    solved, faces = screened_poisson(warped, normals, max(finest, CELL * lattice.footprint))
    z = np.exp(solved[:, 2])
    vertices = np.column_stack([solved[:, :2] * z[:, None], z]).astype(np.float32)
    vertices, faces = clip_mesh(vertices, faces, observed(vertices, lattice, settings.trim))
    faces, used = without_unused_vertices(faces, len(vertices))
    if not len(faces):
        raise BadInput("poisson.empty", "no surface is left after trimming; check the depth map or use <surface> grid.")
    return textured_by_photo(Mesh(vertices[used], faces), photo, mask, camera)


def _oriented(lattice: Lattice) -> tuple[Float32[ndarray, "n 3"], Float32[ndarray, "n 3"]]:
    """Points and camera-facing unit normals in the space (x/z, y/z, ln z)."""
    camera = lattice.camera
    warped = np.empty((*lattice.z.shape, 3), np.float32)
    warped[..., 0] = (lattice.u[None] - camera.cx) / camera.focal
    warped[..., 1] = (lattice.v[:, None] - camera.cy) / camera.focal
    warped[..., 2] = np.log(lattice.z)
    cut_h, cut_v = depth_cuts(lattice.z, lattice.footprint, lattice.noise)
    normals = lattice_normals(warped, cut_h, cut_v, reach=2)
    good = normals.any(axis=-1) & ~np.isnan(lattice.z)
    return warped[good], normals[good]


def observed(vertices: Float32[ndarray, "n 3"], lattice: Lattice, trim: float) -> Float32[ndarray, " n"]:
    """How surely each vertex lies on what was seen, from 1 down; 0 is the limit.

    The lower one of two: how well its depth agrees, to within `trim` of it and the depth map's noise, with a sample within
    one step of its pixel; and how far its pixel lies inside the samples' area, whose outline is smoothed.
    """
    camera, stride = lattice.camera, lattice.stride
    with np.errstate(invalid="ignore", divide="ignore"):
        column = (vertices[:, 0] / vertices[:, 2] * camera.focal + camera.cx - lattice.u[0]) / stride
        row = (vertices[:, 1] / vertices[:, 2] * camera.focal + camera.cy - lattice.v[0]) / stride
    height, width = lattice.z.shape
    i = np.clip(np.rint(row), 0, height - 1).astype(np.intp)
    j = np.clip(np.rint(column), 0, width - 1).astype(np.intp)
    padded = np.pad(lattice.z, 1, constant_values=np.nan)
    gap = np.full(len(vertices), np.inf, np.float32)
    for di in range(3):
        for dj in range(3):
            z = padded[i + di, j + dj]
            gap = np.fmin(gap, np.abs(vertices[:, 2] - z) / z)
    area = cv2.GaussianBlur((~np.isnan(lattice.z)).astype(np.float32), (5, 5), 1.0, borderType=cv2.BORDER_REPLICATE)
    inside = 2 * _bilinear(area, row, column) - 1
    limit = np.float32(trim) + np.float32(lattice.noise) * np.maximum(vertices[:, 2], 0)
    frame = np.minimum(np.minimum(row, height - 1 - row), np.minimum(column, width - 1 - column)) + 1
    lowest = np.float32(-10)  # far outside is far enough: the line runs near the limit
    return np.clip(np.minimum(np.minimum(1 - gap / limit, inside), frame), lowest, 1).astype(np.float32)


def _bilinear(picture: Float32[ndarray, "h w"], row: ndarray, column: ndarray) -> Float32[ndarray, " n"]:
    """Values between the samples of a picture of at least 2×2; the border's value outside."""
    row = np.clip(row, 0, picture.shape[0] - 1)
    column = np.clip(column, 0, picture.shape[1] - 1)
    i = np.minimum(row.astype(np.intp), picture.shape[0] - 2)
    j = np.minimum(column.astype(np.intp), picture.shape[1] - 2)
    y, x = row - i, column - j
    top = picture[i, j] * (1 - x) + picture[i, j + 1] * x
    return (top * (1 - y) + (picture[i + 1, j] * (1 - x) + picture[i + 1, j + 1] * x) * y).astype(np.float32)
