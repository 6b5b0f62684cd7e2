"""A ball before a camera, off its axis: what a reconstruction hands to the refinement, and settings of a few steps."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from recon.options import PhotoOptions
from recon.refinement.reference import Target, target_of
from recon.refinement.settings import CoarseSettings, FineSettings, Settings, TextureSettings
from recon.results import PhotoGeometry, Reconstruction
from recon.settings import SolidSettings
from recon.stages.surface_solid import make_solid
from recon.types import Camera, DepthMap, Mask, Mesh, Photo, Relief
from tests.scenes import camera_of, frozen, photo_of, rays, sphere

CENTRE, RADIUS = (0.3, -0.2, 3.0), 0.7
TOY = Settings(
    photo=64, volume=24,
    coarse=CoarseSettings(steps=4, rays=128, side=32, guide_side=32, cells=16, levels=2, finest=32, hidden=8),
    fine=FineSettings(steps=4, resolution=16, side=64),
    texture=TextureSettings(faces=1500, side=128),
)  # fmt: skip


def ball() -> tuple[Photo, Mask, Camera, DepthMap]:
    """A ball's photo, mask, camera and exact front and back depth."""
    camera = camera_of(128, 96, 110.0)
    z = sphere(camera, CENTRE, RADIUS)
    ray, centre = rays(camera), np.asarray(CENTRE)
    a, b = (ray * ray).sum(-1), ray @ centre
    root = np.sqrt(np.maximum(b * b - a * (centre @ centre - RADIUS**2), 0))
    back = np.where(np.isnan(z), np.nan, (b + root) / a).astype(np.float32)
    return photo_of(camera), Mask(frozen(~np.isnan(z)), "file"), camera, DepthMap(z, True, back=frozen(back))


def solid() -> Mesh:
    """The fast path's solid of it."""
    photo, mask, camera, depth = ball()
    return make_solid(photo, mask, depth, camera, SolidSettings(2000))


def target(side: int = TOY.photo) -> Target:
    """The ball as a target."""
    photo, mask, camera, _ = ball()
    return target_of(photo, mask, camera, solid(), side)


def found() -> Reconstruction:
    """The fast path's result."""
    photo, mask, camera, depth = ball()
    return Reconstruction(PhotoGeometry(photo, mask, camera, depth), PhotoOptions(surface="solid"))


@dataclass
class Inflating:
    """A network that makes a cushion of any silhouette, `lean` to the right; it does not mind how that is turned."""

    lean: float = 0.0
    seen: list[np.ndarray] = field(default_factory=list)

    def relief(self, rgb: np.ndarray, inside: np.ndarray) -> Relief:
        """Front and back from the distance to the outline."""
        self.seen.append(inside)
        height, width = inside.shape
        deep = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) / width
        tilt = self.lean * np.linspace(-1, 1, width, dtype=np.float32)[None] * np.ones((height, 1), np.float32)
        return Relief(tilt - deep, tilt + deep, 0, 0, width, height)
