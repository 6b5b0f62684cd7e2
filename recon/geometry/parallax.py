"""Where the camera of a parallax film goes: three closed paths that begin at the photo's own view.

Camera frame (x right, y down, z forward), the photo's eye at the origin. With τ = 2πt, t from 0 to 1, every path is smooth
in sin τ and cos τ, so it comes back to where it began as it left. Each stays well within the cone: the angle that the model
may be turned by before one sees what no photo shows.

- orbit: the eye goes round an ellipse that touches the photo's view, on a sphere around the pivot, which it looks at, at
  most a third of the cone aside. The lens draws in a little meanwhile, so that less is seen beyond the photo's border.
- dolly: the eye goes forward and back. What is nearest ahead grows by 1 / (1 − k), what is infinitely far stays.
- zoom: the dolly zoom. The eye goes back and forth while the lens follows, so that what is nearest stays as it is; what is
  infinitely far grows by 1 / (1 − k), and nothing shrinks.

k = sin(cone / 2) in both: an eye that moves by k·d sees a point at distance d turned by at most half the cone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from numpy import ndarray

from recon.settings import ParallaxPath
from recon.types import Camera

ORBIT, DRIVE = 1 / 3, 1 / 2
"""Of the cone: how far an orbit goes aside, and what the eye's way along the axis may turn a point by."""
FLAT = 0.4
"""An orbit's height in parts of its half width: things hide one another sideways more than from above."""
LEAN = 0.1
"""How much longer the focal length is where an orbit is farthest aside."""
MIDDLE = 0.5
"""The middle of the picture, in parts of its sides: a dolly ends before what stands there, the rest goes out of view."""
NEAREST = 2
"""Percentile of depths that is the nearest one: stray points do not count."""


@dataclass(frozen=True)
class Standpoint:
    """What a camera does that has the photo's size and principal point: its place, the point that its axis goes through,
    and its focal length in parts of the photo's."""

    eye: Float64[ndarray, " 3"]
    aim: Float64[ndarray, " 3"]
    zoom: float = 1.0


@dataclass(frozen=True)
class Reach:
    """Depths of a model along the photo's axis: of what is nearest anywhere and in the middle, and of the pivot."""

    near: float
    ahead: float
    pivot: float


def reach_of(vertices: Float32[ndarray, "n 3"], camera: Camera) -> Reach:
    """The reach of a model that `camera` took. Its pivot is the median depth."""
    before = vertices[vertices[:, 2] > 0].astype(np.float64)
    slopes = np.array([camera.width, camera.height]) * MIDDLE / (2 * camera.focal)
    middle = (np.abs(before[:, :2]) <= slopes * before[:, 2:]).all(axis=1)
    near, pivot = np.percentile(before[:, 2], [NEAREST, 50]).tolist()
    ahead = float(np.percentile(before[middle, 2], NEAREST)) if middle.any() else pivot
    return Reach(near, ahead, pivot)


def parallax_views(path: ParallaxPath, count: int, reach: Reach, cone: float) -> Iterator[Standpoint]:
    """`count` views at even times, from the photo's own on; the one after the last would be the first again. cone: degrees,
    above 0 and below 180."""
    view = {"orbit": _orbit, "dolly": _dolly, "zoom": _zoom}[path]
    for i in range(count):
        yield view(2 * math.pi * i / count, reach, math.radians(cone))


def _orbit(tau: float, reach: Reach, cone: float) -> Standpoint:
    aside, above = math.sin(tau), FLAT * (1 - math.cos(tau)) / 2
    yaw, pitch = ORBIT * cone * aside, ORBIT * cone * above
    pivot = np.array([0.0, 0.0, reach.pivot])
    back = np.array([math.sin(yaw) * math.cos(pitch), -math.sin(pitch), -math.cos(yaw) * math.cos(pitch)])
    return Standpoint(pivot + reach.pivot * back, pivot, 1 + LEAN * (aside**2 + above**2))


def _dolly(tau: float, reach: Reach, cone: float) -> Standpoint:
    return _ahead(reach.ahead * _drive(tau, cone))


def _zoom(tau: float, reach: Reach, cone: float) -> Standpoint:
    k = _drive(tau, cone)
    return _ahead(-reach.near * k / (1 - k), 1 / (1 - k))


def _drive(tau: float, cone: float) -> float:
    """From 0 to k and back."""
    return math.sin(DRIVE * cone) * (1 - math.cos(tau)) / 2


def _ahead(way: float, zoom: float = 1.0) -> Standpoint:
    """From a place on the photo's axis along it."""
    return Standpoint(np.array([0.0, 0.0, way]), np.array([0.0, 0.0, way + 1]), zoom)
