"""A ball before a camera, off its axis: what a reconstruction hands to the refinement, and settings of a few steps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from recon.options import PhotoOptions
from recon.refinement.protocols import Subject
from recon.refinement.recipes import RefinementRecipe
from recon.refinement.reference import Reference
from recon.refinement.refine import subject_from_solid
from recon.refinement.settings import MeshSettings, PointCloudSettings, RadianceFieldSettings, TextureSettings
from recon.refinement.solid_prior import SolidPrior
from recon.results import PhotoGeometry, Reconstruction
from recon.settings import SolidSettings
from recon.stages.surface_solid import make_solid
from recon.types import Camera, DepthMap, Mask, Mesh, Photo, Relief
from tests.scenes import camera_of, frozen, photo_of, rays, sphere

CENTRE, RADIUS = (0.3, -0.2, 3.0), 0.7
FIELD = RadianceFieldSettings(
    steps=4, rays=128, side=32, guide_side=32, cells=16, volume=24, levels=2, finest=32, hidden=8
)
MESH = MeshSettings(steps=4, resolution=16, side=64)
POINTS = PointCloudSettings(
    steps=3, side=32, guide_side=32, azimuths=6, novel=64, erosion=1, features=4, widths=(8, 12, 16), cell=0.04
)
TEXTURE = TextureSettings(faces=1500, side=128)
TOY = RefinementRecipe("toy", "made up", (FIELD, MESH), photo=64, plate=0.3, texture=TEXTURE)
TOY_MESH = replace(TOY, stages=(MESH,))
TOY_POINTS = RefinementRecipe(
    "toy", "made up", (replace(FIELD, steps=1), POINTS), photo=64, plate=0.3, texture=replace(TEXTURE, field=True)
)


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


def subject(side: int = TOY.photo, recipe: RefinementRecipe = TOY) -> Subject:
    """The ball as what a recipe is to refine, its photo of so many pixels."""
    photo, mask, camera, _ = ball()
    return subject_from_solid(photo, mask, camera, solid(), replace(recipe, photo=side))


def reference(side: int = TOY.photo) -> Reference:
    """The ball's photo."""
    found = subject(side).reference
    assert found is not None
    return found


def prior(side: int = TOY.photo) -> SolidPrior:
    """The ball's solid."""
    found = subject(side).shape
    assert isinstance(found, SolidPrior)
    return found


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
