"""The usual Open3D recipe from a photo and its depth map to a mesh, as a whole process: what Unflat is measured against.

python -m bench.open3d_recipe PHOTO DEPTH.npy FOCAL OUT_STEM
"""

from __future__ import annotations

import sys

import numpy as np
import open3d as o3d


def main(photo: str, depth: str, focal: str, stem: str) -> None:
    """Read, cloud, outliers, voxels, normals, Poisson at depth 9, the thinnest tenth dropped, PLY and OBJ written."""
    color = o3d.io.read_image(photo)
    z = np.nan_to_num(np.load(depth).astype(np.float32), nan=0.0)
    height, width = z.shape
    camera = o3d.camera.PinholeCameraIntrinsic(
        width, height, float(focal), float(focal), width / 2 - 0.5, height / 2 - 0.5
    )
    rgbd = o3d.geometry.RGBDImage.create_from_color_and_depth(
        color, o3d.geometry.Image(z), depth_scale=1.0, depth_trunc=1e6, convert_rgb_to_intensity=False
    )
    cloud = o3d.geometry.PointCloud.create_from_rgbd_image(rgbd, camera)
    cloud, _ = cloud.remove_statistical_outlier(20, 2.0)
    cloud = cloud.voxel_down_sample(float(z.max() - z[z > 0].min()) / 255)
    cloud.estimate_normals()
    cloud.orient_normals_towards_camera_location()
    mesh, density = o3d.geometry.TriangleMesh.create_from_point_cloud_poisson(cloud, depth=9)
    mesh.remove_vertices_by_mask(np.asarray(density) < np.quantile(np.asarray(density), 0.1))
    o3d.io.write_triangle_mesh(stem + ".ply", mesh)
    o3d.io.write_triangle_mesh(stem + ".obj", mesh)


if __name__ == "__main__":
    main(*sys.argv[1:])
