"""A whole object of unknown size, put where the photo's camera sees it.

Its own view: a pinhole at (0, 0, −distance) of its world that looks along z (x right, y down), with a focal length and a
centre in the photo's pixels. The photo's camera has another focal length: what both agree on is where the object's centre
appears and how large.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float32, Float64
from numpy import ndarray

from recon.types import Camera

NEAREST = 0.3
"""An object's front is at least this part of the way to its centre, or a wide lens would stand in it."""


@dataclass(frozen=True)
class ObjectView:
    """How an object was seen: focal length and centre in pixels of the photo, distance of its origin in its unit."""

    focal: float
    u: float
    v: float
    distance: float

    def project(self, points: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 2"]:
        """Where points of the object's world appear in the photo, in pixels."""
        scale = self.focal / np.maximum(points[:, 2] + self.distance, 1e-6)
        return (points[:, :2] * scale[:, None] + np.array([self.u, self.v])).astype(np.float32)


def object_view(left: float, top: float, side: float, fov: float, distance: float) -> ObjectView:
    """The view of a camera that saw a square of the photo at a field of view in degrees."""
    focal = side / 2 / math.tan(math.radians(fov) / 2)
    return ObjectView(focal, left + side / 2, top + side / 2, distance)


def fitted_view(view: ObjectView, points: Float32[ndarray, "n 3"], inside: Bool[ndarray, "h w"]) -> ObjectView:
    """The view in which an object's bounding box is as large as its mask's, and in the same place.

    A reconstructor was not told its camera, and is right up to some percent of size and place.
    """
    seen = view.project(points)
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    wanted = np.array([[columns[0], rows[0]], [columns[-1] + 1, rows[-1] + 1]], np.float64)
    found = np.stack([seen.min(0), seen.max(0)]).astype(np.float64)
    scale = math.sqrt(float(np.prod(wanted[1] - wanted[0]) / max(np.prod(found[1] - found[0]), 1e-9)))
    u, v = wanted.mean(0) - scale * (found.mean(0) - np.array([view.u, view.v]))
    return replace(view, focal=view.focal * scale, u=float(u), v=float(v))


@dataclass(frozen=True)
class Placement:
    """A turn, a scale and a shift from an object's world into the photo's camera frame."""

    turn: Float64[ndarray, "3 3"]
    scale: float
    shift: Float64[ndarray, " 3"]

    def place(self, points: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 3"]:
        """Points of the object's world in the camera's frame."""
        return (self.scale * points.astype(np.float64) @ self.turn.T + self.shift).astype(np.float32)


def placement(view: ObjectView, camera: Camera, front: float, depth: float) -> Placement:
    """Where an object stands, so that its middle appears where its own view has it, as large, and its front, at z = `front`
    of its world, is `depth` away."""
    ray = np.array([(view.u - camera.cx) / camera.focal, (view.v - camera.cy) / camera.focal, 1.0])
    ray /= np.linalg.norm(ray)
    cosine = float(ray[2])
    # A small thing at distance d is f/(d·cosine) pixels large across the ray's tilt and f/(d·cosine²) along it.
    per_distance = view.focal * cosine**1.5 / (view.distance * camera.focal)
    distance = depth / (cosine * max(1 + per_distance * front, NEAREST))
    return Placement(_turn_to(ray), per_distance * distance, distance * ray)


def _turn_to(ray: Float64[ndarray, " 3"]) -> Float64[ndarray, "3 3"]:
    """The smallest turn that takes the optical axis to a ray in front of the camera (Rodrigues)."""
    x, y, z = (float(part) for part in ray)
    cross = np.array([[0, 0, x], [0, 0, y], [-x, -y, 0]])  # the axis is (−y, x, 0)
    turn: ndarray = np.eye(3) + cross + cross @ cross / (1 + z)
    return turn
