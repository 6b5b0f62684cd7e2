"""The `poisson` surface: screened Poisson from the oriented cloud, trimmed to what was observed.

The cloud is solved in the photo's own space (x/z, y/z, ln z), where one sample's footprint has the same size near and
far and a slope keeps its angle to the viewing ray: an octree cell is then a fixed number of pixels everywhere, instead of
spending its depth on the far background. Kazhdan & Hoppe 2013, by way of Open3D.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int32
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.discontinuity import cuts
from recon.geometry.grid import compact
from recon.geometry.lattice import Lattice
from recon.geometry.normals import lattice_normals
from recon.settings import PoissonSettings
from recon.stages.surface_grid import cleaned_lattice
from recon.stages.texture import textured
from recon.types import Camera, DepthMap, Mask, Mesh, Photo

SCALE = 1.1
"""Edge of the solver's cube in parts of the cloud's longest side."""
CELL = 2.0
"""Finest octree cell in samples: a finer one holds no sample of its own and only costs time."""


def make_poisson(
    photo: Photo, mask: Mask, depth: DepthMap, camera: Camera, settings: PoissonSettings = PoissonSettings()
) -> Mesh:
    """A smooth mesh through the observed points, without membranes. Raises BadInput when too few points are left."""
    lattice = cleaned_lattice(depth, camera, settings.max_samples)
    warped, normals = _oriented(lattice)
    if len(warped) < 50:
        raise BadInput(f"only {len(warped)} oriented points are left, too few for a surface; check the depth map.")
    finest = float(np.ptp(warped, axis=0).max()) * SCALE / 2**settings.depth
    solved, faces = _screened_poisson(warped, normals, max(finest, CELL * lattice.footprint))
    z = np.exp(solved[:, 2])
    vertices = np.column_stack([solved[:, :2] * z[:, None], z]).astype(np.float32)
    seen = _observed(vertices, lattice, settings.trim)
    faces, used = compact(faces[seen[faces].all(axis=1)], len(vertices))
    if not len(faces):
        raise BadInput("no surface is left after trimming; check the depth map or use --surface grid.")
    return textured(Mesh(vertices[used], faces), photo, mask, camera)


def _oriented(lattice: Lattice) -> tuple[Float32[ndarray, "n 3"], Float32[ndarray, "n 3"]]:
    """Points and camera-facing unit normals in the space (x/z, y/z, ln z)."""
    camera = lattice.camera
    warped = np.empty((*lattice.z.shape, 3), np.float32)
    warped[..., 0] = (lattice.u[None] - camera.cx) / camera.focal
    warped[..., 1] = (lattice.v[:, None] - camera.cy) / camera.focal
    warped[..., 2] = np.log(lattice.z)
    cut_h, cut_v = cuts(lattice.z, lattice.footprint, lattice.noise)
    normals = lattice_normals(warped, cut_h, cut_v, reach=2)
    good = normals.any(axis=-1) & ~np.isnan(lattice.z)
    return warped[good], normals[good]


def _screened_poisson(
    points: Float32[ndarray, "n 3"], normals: Float32[ndarray, "n 3"], width: float
) -> tuple[ndarray, Int32[ndarray, "m 3"]]:
    import open3d as o3d

    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points.astype(np.float64)))
    cloud.normals = o3d.utility.Vector3dVector(normals.astype(np.float64))
    with o3d.utility.VerbosityContextManager(o3d.utility.VerbosityLevel.Error):
        mesh, _ = o3d.geometry.TriangleMesh.create_from_point_cloud_poisson(
            cloud, width=width, scale=SCALE, linear_fit=True
        )
    return np.array(mesh.vertices), np.array(mesh.triangles, dtype=np.int32)  # copies: the mesh dies here


def _observed(vertices: Float32[ndarray, "n 3"], lattice: Lattice, trim: float) -> Bool[ndarray, " n"]:
    """Vertices whose depth agrees, to within `trim`, with a sample within one step of their pixel."""
    camera, stride = lattice.camera, lattice.stride
    with np.errstate(invalid="ignore", divide="ignore"):
        column = (vertices[:, 0] / vertices[:, 2] * camera.focal + camera.cx - lattice.u[0]) / stride
        row = (vertices[:, 1] / vertices[:, 2] * camera.focal + camera.cy - lattice.v[0]) / stride
    height, width = lattice.z.shape
    i = np.clip(np.rint(row), 0, height - 1).astype(np.intp)
    j = np.clip(np.rint(column), 0, width - 1).astype(np.intp)
    inside = (np.abs(row - i) <= 1) & (np.abs(column - j) <= 1)
    padded = np.pad(lattice.z, 1, constant_values=np.nan)
    gap = np.full(len(vertices), np.inf, np.float32)
    for di in range(3):
        for dj in range(3):
            z = padded[i + di, j + dj]
            gap = np.fmin(gap, np.abs(vertices[:, 2] - z) / z)
    return inside & (gap <= trim)
