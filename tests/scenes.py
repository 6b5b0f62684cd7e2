"""Analytic scenes with exact depth, and what many tests measure on meshes. All arrays that a scene hands out are read-only.

A scene is a depth map seen by a pinhole camera: z along the optical axis at every pixel centre, float32, NaN = no surface.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recon.geometry.camera import back_project, centred_camera
from recon.geometry.lattice import Lattice, sample_lattice
from recon.types import Camera, DepthMap, Mask, Mesh, Photo, RawDepth

WHOLE = Mask(None, "none")


def frozen(array: np.ndarray) -> np.ndarray:
    """The same array, read-only: whoever changes an argument raises."""
    array = np.ascontiguousarray(array)
    array.flags.writeable = False
    return array


def camera_of(width: int = 96, height: int = 72, focal: float = 80.0) -> Camera:
    """A camera whose principal point is the picture's centre."""
    return centred_camera(width, height, focal, "user")


def pixel_grid(camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """(u, v) of every pixel's centre, h×w each."""
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float32) + np.float32(0.5)
    return u, v


def rays(camera: Camera) -> np.ndarray:
    """Direction of every pixel's viewing ray with z = 1, h×w×3, double precision."""
    u, v = pixel_grid(camera)
    x, y = (u.astype(np.float64) - camera.cx) / camera.focal, (v.astype(np.float64) - camera.cy) / camera.focal
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def plane(camera: Camera, normal: Sequence[float] = (0, 0, -1), distance: float = 2.0) -> np.ndarray:
    """Depth of the plane n·p = −distance with n a normal that faces the camera; NaN behind the horizon."""
    n = np.asarray(normal, np.float64) / np.linalg.norm(normal)
    facing = -(rays(camera) @ n)
    with np.errstate(divide="ignore"):
        z = np.where(facing > 0, distance / facing, np.nan)
    return frozen(z.astype(np.float32))


def sphere(camera: Camera, centre: Sequence[float] = (0, 0, 3), radius: float = 1.0) -> np.ndarray:
    """Depth of a sphere's near side."""
    ray, c = rays(camera), np.asarray(centre, np.float64)
    a, b = (ray * ray).sum(-1), ray @ c
    inside = b * b - a * (c @ c - radius**2)
    return frozen(np.where(inside > 0, (b - np.sqrt(np.maximum(inside, 0))) / a, np.nan).astype(np.float32))


def box(camera: Camera, low: Sequence[float], high: Sequence[float]) -> np.ndarray:
    """Depth of an axis-aligned box's near side (slab method)."""
    ray = rays(camera)
    with np.errstate(divide="ignore"):
        first, second = np.asarray(low) / ray, np.asarray(high) / ray
    enter, leave = np.minimum(first, second).max(-1), np.maximum(first, second).min(-1)
    return frozen(np.where((enter <= leave) & (enter > 0), enter, np.nan).astype(np.float32))


def step(camera: Camera, column: int, near: float = 1.0, far: float = 2.0) -> np.ndarray:
    """Two upright planes: the near one left of `column`, the far one from it on."""
    z = np.full((camera.height, camera.width), np.float32(far))
    z[:, :column] = near
    return frozen(z)


def nearest(*maps: np.ndarray) -> np.ndarray:
    """What is seen of several surfaces at once."""
    out = maps[0]
    for other in maps[1:]:
        out = np.fmin(out, other)
    return frozen(out)


ROOM_LOW, ROOM_HIGH = np.array((-2.2, -1.5, -1.0)), np.array((2.0, 1.2, 5.0))
BALL, BALL_RADIUS = np.array((-0.6, 0.5, 3.0)), 0.5
CRATE_LOW, CRATE_HIGH = np.array((0.4, 0.4, 3.0)), np.array((1.2, 1.2, 3.8))


def room(camera: Camera) -> np.ndarray:
    """The inside of a room: floor, ceiling, two side walls, a back wall, and a ball and a crate in it."""
    with np.errstate(divide="ignore"):
        walls = np.maximum(ROOM_HIGH / rays(camera), ROOM_LOW / rays(camera)).min(-1).astype(np.float32)
    return nearest(walls, sphere(camera, BALL, BALL_RADIUS), box(camera, CRATE_LOW, CRATE_HIGH))


def off_the_room(points: np.ndarray) -> np.ndarray:
    """Distance of points to the nearest of the room's walls, the ball and the crate."""
    walls = np.minimum(np.abs(points - ROOM_LOW), np.abs(points - ROOM_HIGH)).min(axis=1)
    ball = np.abs(np.linalg.norm(points - BALL, axis=1) - BALL_RADIUS)
    beyond = np.maximum(CRATE_LOW - points, points - CRATE_HIGH)
    crate = np.abs(np.linalg.norm(np.maximum(beyond, 0), axis=1) + np.minimum(beyond.max(axis=1), 0))
    return np.minimum(np.minimum(walls, ball), crate)


def photo_of(camera: Camera, seed: int = 0) -> Photo:
    """Smooth bands of colour with a little noise, so that every pixel is told from its neighbours."""
    u, v = pixel_grid(camera)
    bands = [127 + 100 * np.sin(u / 7), 127 + 100 * np.sin(v / 5), 127 + 100 * np.sin((u + v) / 9)]
    noisy = np.stack(bands, axis=-1) + np.random.default_rng(seed).normal(0, 4, (*u.shape, 3))
    return Photo(frozen(np.clip(noisy, 0, 255).astype(np.uint8)))


def depth_of(z: np.ndarray) -> DepthMap:
    """A metric depth map."""
    return DepthMap(z, True)


def lattice_of(z: np.ndarray, camera: Camera, stride: int = 1) -> Lattice:
    """Every `stride`-th pixel of a depth map."""
    lattice = sample_lattice(z, camera, max(1, int(np.ceil(np.count_nonzero(~np.isnan(z)) / stride**2))))
    assert lattice.stride == stride
    return lattice


def points_of(z: np.ndarray, camera: Camera) -> np.ndarray:
    """Every pixel back-projected, h×w×3."""
    return back_project(*pixel_grid(camera), z, camera)


def face_cross(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Each triangle's normal times twice its area, in double precision."""
    a, b, c = (vertices[faces[:, i]].astype(np.float64) for i in range(3))
    return np.cross(b - a, c - a)


def faces_camera(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Whether each triangle winds counter-clockwise seen from the camera."""
    centre = vertices[faces].astype(np.float64).mean(axis=1)
    return (face_cross(vertices, faces) * centre).sum(-1) < 0


def area(vertices: np.ndarray, faces: np.ndarray) -> float:
    """A mesh's surface area."""
    return float(np.linalg.norm(face_cross(vertices, faces), axis=1).sum() / 2)


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    """What a closed mesh encloses, by the divergence theorem; negative where it is wound inwards."""
    return float((face_cross(vertices, faces) * vertices[faces[:, 0]]).sum() / 6)


def is_closed(faces: np.ndarray) -> bool:
    """Whether each edge is used by exactly two faces, once in each direction: watertight and wound alike."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).astype(np.int64)
    count = int(faces.max()) + 1
    there, back = edges[:, 0] * count + edges[:, 1], edges[:, 1] * count + edges[:, 0]
    return len(np.unique(there)) == len(there) and np.array_equal(np.sort(there), np.sort(back))


def cast(vertices: np.ndarray, faces: np.ndarray, pixels: np.ndarray, camera: Camera) -> np.ndarray:
    """Depth of the first face that the ray through each pixel position (n×2) meets; inf where there is none."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(vertices.astype(np.float32)), o3d.core.Tensor(faces.astype(np.uint32)))
    u, v = pixels.astype(np.float32).T.copy()
    direction = back_project(u, v, np.ones_like(u), camera)
    found: np.ndarray = scene.cast_rays(o3d.core.Tensor(np.hstack([np.zeros_like(direction), direction])))["t_hit"]
    return found.numpy()


def seen_depth(mesh: Mesh, camera: Camera) -> np.ndarray:
    """The mesh's depth map from its own camera, h×w; inf where no face is seen."""
    pixels = np.stack([axis.ravel() for axis in pixel_grid(camera)], axis=1)
    return cast(mesh.vertices, mesh.faces, pixels, camera).reshape(camera.height, camera.width)


class ByBrightness:
    """A depth model for which what is bright is near."""

    name = "bright"

    def load(self) -> object:
        return None

    def estimate(self, rgb: np.ndarray, inside: np.ndarray | None = None) -> RawDepth:
        return RawDepth(rgb[::4, ::4].mean(axis=2).astype(np.float32), "disparity", self.name)
