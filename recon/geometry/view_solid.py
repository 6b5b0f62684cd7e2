"""A solid as one view knows it: an outline, a front and a back behind it, on a small lattice over a window of the photo.

Points are in the camera's frame and in the depth's unit. `signed` is the truncated signed distance of volumetric fusion
(Curless and Levoy 1996), positive inside, with how sure the view is of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from recon.geometry.camera import back_project
from recon.geometry.cutout import Window, crop_window, window_around
from recon.geometry.fill import nearest_filled
from recon.types import Camera

LATTICE = 66
"""Samples of the window's side; three divides it, so that every third sample lies the same way in a mirrored picture."""
FILL = 0.85
"""The subject's bounding box over the window."""
GUESSED = 0.15
"""Weight of a back that was guessed, over that of a front seen head-on."""
GRAZING = 0.05
"""Weight of a front that is seen at its edge."""


class KnownThere(NamedTuple):
    """What the view knows where it sees points: how far inside the outline (lengths, negative outside), front and back
    there, the cosine at which it sees the front, colour, and the points' own depth."""

    inside: Float32[ndarray, "a b"]
    front: Float32[ndarray, "a b"]
    back: Float32[ndarray, "a b"]
    cosine: Float32[ndarray, "a b"]
    lab: Float32[ndarray, "a b 3"]
    z: Float32[ndarray, "a b"]


@dataclass(frozen=True)
class ViewSolid:
    """front, back: depths along the optical axis, finite everywhere, meant inside only; lab: CIELAB colours; camera: of the
    lattice; window: of the photo, which it covers."""

    front: Float32[ndarray, "h w"]
    back: Float32[ndarray, "h w"]
    inside: Bool[ndarray, "h w"]
    lab: Float32[ndarray, "h w 3"]
    camera: Camera
    window: Window

    @cached_property
    def size(self) -> float:
        """The root of its visible area, roughly."""
        return float(np.sqrt(self.inside.sum()) * np.median(self.front[self.inside]) / self.camera.focal)

    @cached_property
    def seen(self) -> Float32[ndarray, "h w 3"]:
        """The front's points."""
        return self._lifted(self.front)

    @cached_property
    def cosine(self) -> Float32[ndarray, "h w"]:
        """Between the front's normals and the rays that meet it; beside the solid that of its rim."""
        down, right = np.gradient(self.seen, axis=(0, 1))
        normal, ray = np.cross(right, down), self.seen
        lengths = np.linalg.norm(normal, axis=2) * np.linalg.norm(ray, axis=2)
        found = np.abs((normal * ray).sum(2)) / np.maximum(lengths, 1e-12)
        return nearest_filled(np.where(self.inside, found, np.nan).astype(np.float32))

    @cached_property
    def _maps(self) -> Float32[ndarray, "h w 4"]:
        """Pixels inside the outline, front, back, cosine."""
        within, beyond = (cv2.distanceTransform(np.pad(each, 1, constant_values=edge).astype(np.uint8), cv2.DIST_L2, 5)
                          for each, edge in ((self.inside, 0), (~self.inside, 1)))  # fmt: skip
        outline = np.where(self.inside, within[1:-1, 1:-1] - 0.5, 0.5 - beyond[1:-1, 1:-1])
        return np.stack([outline, self.front, self.back, self.cosine], axis=2).astype(np.float32)

    def _lifted(self, z: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w 3"]:
        v, u = np.mgrid[: z.shape[0], : z.shape[1]].astype(np.float32) + np.float32(0.5)
        return back_project(u, v, z, self.camera)

    def behind(self) -> Float32[ndarray, "h w 3"]:
        """The back's points."""
        return self._lifted(self.back)

    def places(self, points: Float32[ndarray, "a b 3"]) -> tuple[Float32[ndarray, "a b"], Float32[ndarray, "a b"]]:
        """Where the view sees points, in pixel indices of the lattice."""
        scale = np.float32(self.camera.focal) / np.maximum(points[..., 2], 1e-3)
        u = points[..., 0] * scale + np.float32(self.camera.cx - 0.5)
        v = points[..., 1] * scale + np.float32(self.camera.cy - 0.5)
        return u.astype(np.float32), v.astype(np.float32)

    def look(self, points: Float32[ndarray, "a b 3"], colour: bool = False) -> KnownThere:
        """What the view knows of points; their colours only if asked for."""
        u, v = self.places(points)
        found = cv2.remap(self._maps, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        height, width = self.inside.shape
        beside = np.hypot(
            np.maximum(np.maximum(-u, u - (width - 1)), 0), np.maximum(np.maximum(-v, v - (height - 1)), 0)
        )
        z = points[..., 2].astype(np.float32)
        inside = (found[..., 0] - beside) * z / np.float32(self.camera.focal)
        empty = np.zeros((*z.shape, 3), np.float32)
        lab = cv2.remap(self.lab, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE) if colour else empty
        return KnownThere(inside.astype(np.float32), found[..., 1], found[..., 2], found[..., 3], lab, z)

    def signed(
        self, points: Float32[ndarray, "a b 3"], most: float
    ) -> tuple[Float32[ndarray, "a b"], Float32[ndarray, "a b"]]:
        """Signed distance of points from the surface, cut off at ±`most`, and its weight: 1 next to the outline, which is
        sure, the cosine at the front, GUESSED at the back."""
        found = self.look(points)
        behind_front, before_back = (found.z - found.front) * found.cosine, found.back - found.z
        distance = np.minimum(np.minimum(behind_front, before_back), found.inside)
        guessed = np.where(before_back < behind_front, GUESSED, np.maximum(found.cosine, GRAZING))
        weight = np.where(distance == found.inside, 1, guessed)
        return np.clip(distance, -most, most).astype(np.float32), weight.astype(np.float32)


def view_solid(
    front: Float32[ndarray, "h w"],
    back: Float32[ndarray, "h w"],
    inside: Bool[ndarray, "h w"],
    lab: Float32[ndarray, "a b 3"],
    camera: Camera,
    window: Window,
) -> ViewSolid | None:
    """The solid of depth maps at the photo's size and of the colours of `solid_window`; None where too little is inside."""
    size = (LATTICE, LATTICE)
    there = crop_window(inside, window, False).astype(np.float32)
    share = cv2.resize(there, size, interpolation=cv2.INTER_AREA)
    if (share > 0.5).sum() < LATTICE:
        return None
    maps = []
    for each in (front, back):
        cut = crop_window(each, window, 0)
        total = cv2.resize(np.where(there > 0, cut, np.float32(0)), size, interpolation=cv2.INTER_AREA)
        mean = np.where(share > 0.5, total / np.maximum(share, np.float32(1e-6)), np.float32(np.nan))
        maps.append(nearest_filled(mean.astype(np.float32)))
    factor = LATTICE / window.width
    own = Camera(LATTICE, LATTICE, camera.focal * factor, (camera.cx - window.left) * factor,
                 (camera.cy - window.top) * factor, camera.source)  # fmt: skip
    return ViewSolid(maps[0], maps[1], share > 0.5, lab, own, window)


def solid_window(inside: Bool[ndarray, "h w"]) -> Window:
    """The square window of the photo that a lattice covers."""
    return window_around(inside, FILL, 1.0)
