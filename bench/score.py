"""Scores of a point cloud or a mesh against the true points that a depth camera measured.

Distances are in parts of the scene's diameter (diagonal of the true cloud's bounding box).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from recon.geometry.camera import back_project
from recon.types import Camera


@dataclass(frozen=True)
class Truth:
    """The measured surface: depth map (NaN = none), its camera, points, their tree and the scene's diameter."""

    z: np.ndarray
    camera: Camera
    points: np.ndarray
    tree: cKDTree
    diameter: float


def truth(z: np.ndarray, camera: Camera) -> Truth:
    """From a depth map (NaN = no measurement)."""
    height, width = z.shape
    u = np.arange(width, dtype=np.float32)[None] + np.float32(0.5)
    v = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
    every = back_project(u, v, z.astype(np.float32), camera).reshape(-1, 3)
    points = every[~np.isnan(every[:, 2])]
    return Truth(z, camera, points, cKDTree(points), float(np.linalg.norm(np.ptp(points, axis=0))))


def sample_surface(vertices: np.ndarray, faces: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """`count` points spread evenly over a mesh's area."""
    rng = np.random.default_rng(seed)
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    chosen = rng.choice(len(faces), count, p=area / area.sum())
    r1, r2 = np.sqrt(rng.random(count))[:, None], rng.random(count)[:, None]
    return (1 - r1) * a[chosen] + r1 * (1 - r2) * b[chosen] + r1 * r2 * c[chosen]


def f_score(found: np.ndarray, true: Truth, tolerance: float) -> tuple[float, float, float]:
    """(F, precision, recall) at `tolerance` parts of the diameter; `found`: n×3 points."""
    return f_between(found, true.points, tolerance * true.diameter, true.tree)


def f_between(
    found: np.ndarray, true: np.ndarray, limit: float, tree: cKDTree | None = None
) -> tuple[float, float, float]:
    """(F, precision, recall) of two clouds at a distance; `tree`: of the true one, where it is at hand. 0 for no points."""
    if not len(found) or not len(true):
        return 0.0, 0.0, 0.0
    precision = float(((tree or cKDTree(true)).query(found, distance_upper_bound=limit)[0] <= limit).mean())
    recall = float((cKDTree(found).query(true, distance_upper_bound=limit)[0] <= limit).mean())
    return 2 * precision * recall / max(precision + recall, 1e-9), precision, recall


def in_mid_air(found: np.ndarray, true: Truth, step: float = 0.04, tolerance: float = 0.005) -> float:
    """Share of surface samples that hang across a depth step.

    Such a sample's pixel has, within two pixels, surfaces that differ by more than `step`; its depth lies strictly
    between theirs; and no true point is within `tolerance` diameters.
    """
    camera = true.camera
    with np.errstate(invalid="ignore", divide="ignore"):
        u = np.floor(found[:, 0] / found[:, 2] * camera.focal + camera.cx).astype(int)
        v = np.floor(found[:, 1] / found[:, 2] * camera.focal + camera.cy).astype(int)
    seen = (u >= 0) & (v >= 0) & (u < camera.width) & (v < camera.height) & (found[:, 2] > 0)
    near, far = _local_range(true.z, 2)
    z = found[seen, 2]
    low, high = near[v[seen], u[seen]], far[v[seen], u[seen]]
    far_off = true.tree.query(found[seen])[0] > tolerance * true.diameter
    return float(((high / low > 1 + step) & (z > low * 1.005) & (z < high * 0.995) & far_off).sum() / len(found))


def _local_range(z: np.ndarray, radius: int) -> tuple[np.ndarray, np.ndarray]:
    import cv2

    kernel = np.ones((2 * radius + 1,) * 2, np.uint8)
    low = cv2.erode(np.where(np.isnan(z), np.inf, z).astype(np.float32), kernel)
    high = cv2.dilate(np.where(np.isnan(z), -np.inf, z).astype(np.float32), kernel)
    return low, high


def rendered(
    mesh_vertices: np.ndarray, faces: np.ndarray, uv: np.ndarray, texture: np.ndarray, camera: Camera
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(colours h×w×3 float, seen h×w, depth h×w): the textured mesh from the input camera, by ray casting."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(mesh_vertices.astype(np.float32)), o3d.core.Tensor(faces.astype(np.uint32)))
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float32) + 0.5
    direction = back_project(u, v, np.ones_like(u), camera)
    rays = np.concatenate([np.zeros_like(direction), direction], -1)
    hit = scene.cast_rays(o3d.core.Tensor(rays))
    seen = np.isfinite(hit["t_hit"].numpy())
    face = faces[hit["primitive_ids"].numpy()[seen]]
    b = hit["primitive_uvs"].numpy()[seen]
    place = (1 - b.sum(1))[:, None] * uv[face[:, 0]] + b[:, :1] * uv[face[:, 1]] + b[:, 1:] * uv[face[:, 2]]
    height, width = texture.shape[:2]
    x, y = place[:, 0] * width - 0.5, place[:, 1] * height - 0.5
    out = np.zeros((camera.height, camera.width, 3), np.float32)
    flat = [bilinear(texture[..., channel], x, y) for channel in range(3)]
    out[seen] = np.stack(flat, 1)
    return out, seen, np.where(seen, hit["t_hit"].numpy(), np.nan)


def bilinear(channel: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Bilinear lookup of any number of places."""
    height, width = channel.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    i, j = np.minimum(y.astype(int), height - 2), np.minimum(x.astype(int), width - 2)
    fy, fx = y - i, x - j
    c = channel.astype(np.float32)
    top = c[i, j] * (1 - fx) + c[i, j + 1] * fx
    return top * (1 - fy) + (c[i + 1, j] * (1 - fx) + c[i + 1, j + 1] * fx) * fy


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Peak signal-to-noise ratio in decibels of 8-bit values."""
    return float(10 * np.log10(255**2 / max(np.mean((a.astype(np.float64) - b) ** 2), 1e-12)))
