"""Textured meshes seen from random places by a pinhole camera: a photo with alpha and its exact depth, by ray casting.

World frame: glTF's (y up). Camera frame: the library's (x right, y down, z forward); a View holds everything in it.
A rotation's rows are the camera's axes (right, down, forward) in the world.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bench.score import bilinear
from recon.geometry.camera import centred_camera, focal_from_fov
from recon.types import Camera

SIDE = 512
"""Pixels of a view's side."""
UNSEEN = 8
"""Views of the silhouette score: seven more azimuths every 45° and one from above."""
AMBIENT = 0.45


@dataclass(frozen=True)
class GivenModel:
    """A mesh as arrays. uv: v down, repeating; colors: 0..1 per vertex, times the texture; diameter: of its bounding
    sphere; centre: the sphere's."""

    name: str
    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    uv: np.ndarray
    colors: np.ndarray
    textures: list[np.ndarray]
    face_texture: np.ndarray
    centre: np.ndarray
    diameter: float


@dataclass(frozen=True)
class ModelView:
    """A model before a camera. rgba: what it sees; z: exact depth, NaN beside the object; vertices, centre, up: of the
    model in the camera's frame; fov: degrees along the longer side; light: towards the lamp."""

    name: str
    model: GivenModel
    camera: Camera
    fov: float
    vertices: np.ndarray
    centre: np.ndarray
    up: np.ndarray
    rgba: np.ndarray
    z: np.ndarray
    light: np.ndarray


def read_model(path: Path) -> GivenModel:
    """Every mesh of a file's scene in world coordinates."""
    import trimesh

    scene = trimesh.load(path, force="scene")
    parts = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    looks = [_look(part) for part in parts]
    vertices = np.concatenate([part.vertices for part in parts]).astype(np.float64)
    centre, radius = trimesh.nsphere.minimum_nsphere(trimesh.Trimesh(vertices).convex_hull)
    return GivenModel(
        path.stem,
        vertices,
        np.concatenate([part.faces + start for part, start in zip(parts, starts, strict=False)]),
        np.concatenate([part.vertex_normals for part in parts]),
        np.concatenate([uv for uv, _, _ in looks]),
        np.concatenate([colors for _, colors, _ in looks]),
        [texture for _, _, texture in looks],
        np.concatenate([np.full(len(part.faces), i) for i, part in enumerate(parts)]),
        np.asarray(centre, np.float64),
        2 * float(radius),
    )


def _look(part: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(uv, colours per vertex, texture) of one mesh; a white texture where it has none."""
    count = len(part.vertices)
    uv, colors, texture = np.zeros((count, 2)), np.ones((count, 3)), np.full((2, 2, 3), 255, np.uint8)
    visual = part.visual
    if visual.kind == "texture":
        material = visual.material
        if hasattr(material, "to_pbr"):
            material = material.to_pbr()
        if material.baseColorFactor is not None:
            colors = colors * np.asarray(material.baseColorFactor)[:3] / 255
        if visual.uv is not None and material.baseColorTexture is not None:
            uv = np.asarray(visual.uv) * (1, -1) + (0, 1)
            texture = np.asarray(material.baseColorTexture.convert("RGB"))
    elif visual.kind == "vertex":
        colors = np.asarray(visual.vertex_colors)[:, :3] / 255
    return uv, colors, texture


def camera_rotation(position: np.ndarray, target: np.ndarray, up: np.ndarray) -> np.ndarray:
    """The rotation of a camera at `position` that sees `target` in its centre and `up` upwards."""
    forward = (target - position) / np.linalg.norm(target - position)
    right = np.cross(forward, up)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(forward, right), forward])


def turned(axis: np.ndarray, degrees: float) -> np.ndarray:
    """The matrix that turns vectors about a unit axis (Rodrigues)."""
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    angle = np.radians(degrees)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def seen_from(model: GivenModel, rng: np.random.Generator) -> ModelView:
    """A random view: azimuth all round, elevation −10..50°, 25..65° of view, object in 50..85 % of the frame, roll ±5°."""
    azimuth, elevation = np.radians(rng.uniform(0, 360)), np.radians(rng.uniform(-10, 50))
    fov, fill, roll = rng.uniform(25, 65), rng.uniform(0.5, 0.85), rng.uniform(-5, 5)
    light = rng.normal(size=3) * (0.6, 0.3, 0.2) + (0, -0.8, -0.9)  # from above and behind the camera
    camera = centred_camera(SIDE, SIDE, focal_from_fov(fov, SIDE), "user")
    toward = np.array(
        [np.cos(elevation) * np.sin(azimuth), np.sin(elevation), np.cos(elevation) * np.cos(azimuth)]
    )  # fmt: skip
    rotation = turned(np.array([0.0, 0, 1]), roll) @ camera_rotation(toward, np.zeros(3), np.array([0.0, 1, 0]))
    around = (model.vertices - model.centre) @ rotation.T
    frame = SIDE / camera.focal
    place = _placed(around, fill * frame, rng.uniform(-0.5, 0.5, 2) * (0.95 - fill) * frame)
    vertices = around + place
    light /= np.linalg.norm(light)
    shown = render_model(model, vertices, model.normals @ rotation.T, camera, light)
    z = cast(scene_of(vertices, model.faces), camera)["t_hit"].numpy()
    z = np.where(np.isfinite(z), z, np.nan).astype(np.float32)
    return ModelView(model.name, model, camera, fov, vertices, place, rotation[:, 1], shown, z, light)


def _placed(around: np.ndarray, size: float, off: np.ndarray) -> np.ndarray:
    """Where the origin of a cloud of points goes so that their picture's longer side spans `size` on the plane z = 1 and
    is centred at `off`."""
    place = np.array([0, 0, 2 * np.ptp(around, axis=0).max() / size])
    for _ in range(20):
        moved = around + place
        flat = moved[:, :2] / np.maximum(moved[:, 2:], 1e-3 * place[2])
        low, high = flat.min(0), flat.max(0)
        place[:2] += (off - (low + high) / 2) * place[2]
        nearest = around[:, 2].min() + place[2]
        place[2] += nearest * ((high - low).max() / size - 1)
    return place


def scene_of(vertices: np.ndarray, faces: np.ndarray) -> Any:
    """Open3D's ray casting scene of one mesh."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(vertices.astype(np.float32)), o3d.core.Tensor(faces.astype(np.uint32)))
    return scene


def cast(scene: Any, camera: Camera, rotation: np.ndarray | None = None, position: np.ndarray | None = None) -> Any:
    """Open3D's answer per pixel, h×w; its t_hit is depth. The camera stands at the origin unless told otherwise."""
    import open3d as o3d

    v, u = np.mgrid[: camera.height, : camera.width] + 0.5
    direction = np.stack([(u - camera.cx) / camera.focal, (v - camera.cy) / camera.focal, np.ones_like(u)], -1)
    if rotation is not None:
        direction = direction @ rotation
    origin = np.broadcast_to(np.zeros(3) if position is None else position, direction.shape)
    return scene.cast_rays(o3d.core.Tensor(np.concatenate([origin, direction], -1).astype(np.float32)))


def render_model(
    model: GivenModel, vertices: np.ndarray, normals: np.ndarray, camera: Camera, light: np.ndarray, over: int = 2
) -> np.ndarray:
    """RGBA, uint8: texture under one lamp (`light`: towards it) and ambient light, over×over rays per pixel."""
    fine = Camera(over * camera.width, over * camera.height, over * camera.focal, over * camera.cx, over * camera.cy)
    hit = cast(scene_of(vertices, model.faces), fine)
    seen = np.isfinite(hit["t_hit"].numpy())
    face = hit["primitive_ids"].numpy()[seen].astype(np.intp)
    b = hit["primitive_uvs"].numpy()[seen].astype(np.float64)
    weights = np.stack([1 - b.sum(1), b[:, 0], b[:, 1]], 1)[..., None]
    corners = model.faces[face]
    normal = (normals[corners] * weights).sum(1)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    v, u = np.nonzero(seen)
    ray = np.stack([(u + 0.5 - fine.cx) / fine.focal, (v + 0.5 - fine.cy) / fine.focal, np.ones(len(u))], 1)
    normal *= -np.sign((normal * ray).sum(1))[:, None]  # thin parts are seen from both sides
    bright = AMBIENT + (1 - AMBIENT) * np.maximum(normal @ light, 0)
    colour = _textured(model, face, (model.uv[corners] * weights).sum(1)) * (model.colors[corners] * weights).sum(1)
    total = np.zeros((*seen.shape, 4))
    total[seen] = np.concatenate([colour * bright[:, None], np.ones((len(colour), 1))], 1)
    total = total.reshape(camera.height, over, camera.width, over, 4).sum((1, 3))
    rgb = total[..., :3] / np.maximum(total[..., 3:], 1)
    return np.concatenate([rgb, 255 * total[..., 3:] / over**2], 2).round().clip(0, 255).astype(np.uint8)


def _textured(model: GivenModel, face: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """The texture's colours, 0..255, at one uv per hit face."""
    out = np.zeros((len(face), 3))
    for i, texture in enumerate(model.textures):
        here = model.face_texture[face] == i
        height, width = texture.shape[:2]
        x, y = (uv[here] % 1 * (width, height) - 0.5).T
        out[here] = np.stack([bilinear(texture[..., c], x, y) for c in range(3)], 1)
    return out


def unseen_poses(view: ModelView) -> list[tuple[np.ndarray, np.ndarray]]:
    """(rotation, position) in the view's camera frame: every 45° about the object's upright axis, then from above."""
    toward = -view.centre / np.linalg.norm(view.centre)
    reach = 2 * view.model.diameter
    poses = []
    for azimuth in range(45, 360, 45):
        position = view.centre + reach * turned(view.up, azimuth) @ toward
        poses.append((camera_rotation(position, view.centre, view.up), position))
    above = view.centre + reach * view.up
    return [*poses, (camera_rotation(above, view.centre, -toward), above)]


def unseen_camera(side: int = 128) -> Camera:
    """The camera of those poses: the bounding sphere fills 85 % of its frame."""
    tangent = np.tan(np.arcsin(0.25)) / 0.85  # the sphere's radius over its distance is 1/4
    return centred_camera(side, side, side / (2 * tangent), "user")


def silhouettes(vertices: np.ndarray, faces: np.ndarray, view: ModelView) -> np.ndarray:
    """UNSEEN×128×128, True where a ray meets the mesh (in the view's camera frame)."""
    if not len(faces):
        return np.zeros((UNSEEN, 128, 128), bool)
    scene, camera = scene_of(vertices, faces), unseen_camera()
    return np.stack([np.isfinite(cast(scene, camera, *pose)["t_hit"].numpy()) for pose in unseen_poses(view)])
