"""From a depth map to a coloured point cloud without outliers."""

from __future__ import annotations

import numpy as np

from recon.errors import BadInput
from recon.geometry.discontinuity import depth_cuts
from recon.geometry.lattice import sample_lattice
from recon.geometry.normals import lattice_normals
from recon.geometry.points import depth_outliers, voxel_representatives
from recon.types import Camera, DepthMap, Photo, PointCloud


def make_cloud(
    photo: Photo, depth: DepthMap, camera: Camera, max_points: int, voxel: float | None = None
) -> PointCloud:
    """Every pixel with depth back-projected, outliers removed, normals facing the camera.

    voxel: edge of the thinning voxels in the depth's unit (one point kept per voxel); None keeps every pixel up to
    `max_points` and samples the photo more coarsely beyond. Raises BadInput when no point is left.
    """
    lattice = sample_lattice(depth.z, camera, max_points)
    z = np.where(depth_outliers(lattice.z, lattice.footprint), np.float32(np.nan), lattice.z)
    keep = ~np.isnan(z)
    if not keep.any():
        raise BadInput("cloud.empty", "no point is left after outliers were removed; check the depth map.")
    points = lattice.points()
    cut_h, cut_v = depth_cuts(z, lattice.footprint, depth.noise)
    normals = lattice_normals(points, cut_h, cut_v)[keep]
    columns, rows = lattice.u.astype(np.intp), lattice.v.astype(np.intp)
    colors = photo.rgb[rows][:, columns][keep] if lattice.stride > 1 else photo.rgb[keep]
    cloud = PointCloud(points[keep], colors, normals)
    return cloud if voxel is None else thinned(cloud, voxel)


def thinned(cloud: PointCloud, voxel: float) -> PointCloud:
    """One of the points of each voxel with this edge."""
    chosen = voxel_representatives(cloud.positions, voxel)
    normals = None if cloud.normals is None else cloud.normals[chosen]
    return PointCloud(cloud.positions[chosen], cloud.colors[chosen], normals)
