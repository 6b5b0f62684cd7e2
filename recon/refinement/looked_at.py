"""A textured mesh looked at by ray casting: its silhouette, colours and normals in a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

from recon.threads import count
from recon.types import Mesh


@dataclass(frozen=True)
class Picture:
    """hit: where the mesh is seen; colour: in 0..1, 0 beside it; normal: unit, of the face seen there, 0 beside it;
    inside_out: where a face is seen from behind, which shows of a closed mesh from outside only where it cuts itself."""

    hit: Bool[ndarray, "h w"]
    colour: Float32[ndarray, "h w 3"]
    normal: Float32[ndarray, "h w 3"]
    inside_out: Bool[ndarray, "h w"]


@dataclass(frozen=True)
class Looked:
    """A mesh, ready to be looked at."""

    mesh: Mesh
    scene: Any

    @classmethod
    def at(cls, mesh: Mesh) -> Looked:
        """Make a mesh ready."""
        import open3d as o3d

        scene = o3d.t.geometry.RaycastingScene(nthreads=count())
        scene.add_triangles(o3d.core.Tensor(mesh.vertices), o3d.core.Tensor(mesh.faces.astype(np.uint32)))
        return cls(mesh, scene)

    def along(self, eye: Float[ndarray, " 3"], directions: Float[ndarray, "h w 3"]) -> Picture:
        """What rays from an eye see."""
        import open3d as o3d

        rays = np.concatenate([np.broadcast_to(eye, directions.shape), directions], -1).astype(np.float32)
        seen = self.scene.cast_rays(o3d.core.Tensor(rays), nthreads=count())
        hit = np.isfinite(seen["t_hit"].numpy())
        corners = self.mesh.faces[seen["primitive_ids"].numpy()[hit].astype(np.intp)]
        one, other = seen["primitive_uvs"].numpy()[hit].T
        weights = np.stack([1 - one - other, one, other], 1)[..., None]
        colour = np.zeros((*hit.shape, 3), np.float32)
        colour[hit] = self._colours(corners, weights)
        normal = np.where(hit[..., None], seen["primitive_normals"].numpy(), np.float32(0))
        return Picture(hit, colour, normal, (normal * directions).sum(-1) > 0)

    def _colours(self, corners: ndarray, weights: ndarray) -> ndarray:
        mesh = self.mesh
        if mesh.texture is None or mesh.uv is None:
            assert mesh.colors is not None, "a mesh has a texture or colours"
            return (mesh.colors[corners] * weights).sum(1) / 255
        height, width = mesh.texture.shape[:2]
        place = ((mesh.uv[corners] * weights).sum(1) * (width, height) - 0.5).astype(np.float32)
        x, y = np.ascontiguousarray(place.T)
        return _remapped(mesh.texture, x, y) / np.float32(255)


def _remapped(texture: ndarray, x: ndarray, y: ndarray) -> ndarray:
    """Bilinear values at n places; OpenCV takes maps of up to 32767 rows."""
    parts = [
        cv2.remap(texture, a[:, None], b[:, None], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
        for a, b in zip(_split(x), _split(y), strict=True)
    ]
    return np.concatenate(parts).astype(np.float32) if parts else np.zeros((0, 3), np.float32)


def _split(values: ndarray, size: int = 32_000) -> list[ndarray]:
    return [values[i : i + size] for i in range(0, len(values), size)]


def orbit_rays(
    centre: Float[ndarray, " 3"], radius: float, azimuth: float, elevation: float, side: int, fov: float = 30.0
) -> tuple[Float[ndarray, " 3"], Float[ndarray, "s s 3"]]:
    """Eye and directions of a square picture in which a ball just fits, seen from around it; angles in degrees, azimuth 0
    from where the photo's camera stands."""
    a, e = np.radians(azimuth), np.radians(elevation)
    way = np.array([np.sin(a) * np.cos(e), -np.sin(e), -np.cos(a) * np.cos(e)])
    right = np.array([np.cos(a), 0.0, np.sin(a)])
    down = np.cross(-way, right)
    slope = np.tan(np.radians(fov) / 2) * ((np.arange(side) + 0.5) * 2 / side - 1)
    directions = -way + slope[None, :, None] * right + slope[:, None, None] * down
    return centre + way * radius / np.sin(np.radians(fov) / 2), directions
