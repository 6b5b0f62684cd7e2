"""Screened Poisson surface reconstruction (Kazhdan and Hoppe 2013) by way of Open3D."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int32
from numpy import ndarray

CUBE_SCALE = 1.1
"""Edge of the solver's cube in parts of the cloud's longest side."""


def screened_poisson(
    points: Float32[ndarray, "n 3"], normals: Float32[ndarray, "n 3"], width: float
) -> tuple[Float64[ndarray, "v 3"], Int32[ndarray, "m 3"]]:
    """Vertices and faces of the surface around oriented points; width: of the finest octree cell, in the points' unit."""
    import open3d as o3d

    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(points.astype(np.float64)))
    cloud.normals = o3d.utility.Vector3dVector(normals.astype(np.float64))
    with o3d.utility.VerbosityContextManager(o3d.utility.VerbosityLevel.Error):
        mesh, _ = o3d.geometry.TriangleMesh.create_from_point_cloud_poisson(
            cloud, width=width, scale=CUBE_SCALE, linear_fit=True
        )
    return np.array(mesh.vertices), np.array(mesh.triangles, dtype=np.int32)  # copies: the mesh dies here
