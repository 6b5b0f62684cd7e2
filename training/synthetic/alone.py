"""One thing alone, whole, in the middle of its square window, as a subject is looked at again by the product.

The window is `recon.geometry.cutout.window_around` with the fill 0.75; camera and light are a photographer's: any side of
the thing, from 15 degrees below to 60 above it, mostly with the light behind the camera.
"""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

import numpy as np

from . import materials as m
from .kit import Kit, outline, placed, tipped
from .lights import NO_SKY
from .objects import family
from .scene import Backdrop, Light, LocalFrame, Scene, Vec, Viewpoint, rotation

FILL = 0.75
# How far the window's fill strays, as masks are not exact.
LOOSE = 0.03
# From the eye to the thing, in parts of its longest side: nobody looks along a stick from its end.
NEAREST = 0.35


def photographed(r: Random) -> Light:
    """A window or lamp behind the camera, the sun, an overcast sky, a flash, or now and then light against the camera."""
    kind, tint = r.random(), m.colour(r, 0.1, 0.03, (0, 0.25), (0.95, 1))
    azimuth, height = math.radians(r.gauss(0, 55)), math.radians(r.uniform(10, 75))
    if kind < 0.1:
        azimuth += math.pi
    elif kind < 0.15:
        azimuth, height = math.radians(r.gauss(0, 5)), math.radians(r.uniform(-5, 10))
    far = 1000.0 if kind > 0.7 else r.uniform(2.5, 5)
    where: Vec = (
        far * math.cos(height) * math.sin(azimuth),
        -0.5 - far * math.sin(height),
        -far * math.cos(height) * math.cos(azimuth),
    )
    overcast = r.random() < 0.2
    size = far * (r.uniform(0.3, 1.0) if overcast else r.choice((0.01, r.uniform(0.03, 0.3))))
    strength = r.uniform(0.2, 0.6) if overcast else r.uniform(0.6, 1.8)
    # A lamp a few metres away fades.
    strength *= 1.0 if far > 500 else (1 + far * far / 4) / 2
    around = m.colour(r, r.choice((0.09, 0.6)), 0.05, (0, 0.25), (0.9, 1))
    return Light(where, size, strength, tint, r.uniform(0.5, 0.9) if overcast else r.uniform(0.25, 0.65), around)


def camera_around(r: Random) -> Viewpoint:
    """A direction to look from (pitch in degrees, yaw 0, a little roll) and a lens; where it stands is told later."""
    pitch = r.choice((r.uniform(-15, 20), r.uniform(0, 35), r.uniform(15, 60)))
    return Viewpoint((0.0, 0.0, 0.0), 0.0, pitch, r.gauss(0, 4), r.uniform(15, 70))


def alone(r: Random) -> Scene:
    """Any one thing, seen from any side, before one tone."""
    kit = Kit()
    family(r)(r, kit)
    camera = camera_around(r)
    scene = Scene(camera, photographed(r), NO_SKY)
    placed(kit, LocalFrame(scene, subject=True), tipped(r, 0.05))
    tone = m.colour(r, r.random(), 0, (0, r.choice((0.0, 0.3))), (0.3, 0.8))
    scene.backdrop = Backdrop(tone, tone, 0.0, metered=True)
    scene.camera = framed(camera, outline(scene), FILL + r.uniform(-LOOSE, LOOSE))
    # Metres per unit of length: a thing of one unit may be a ring or a house.
    scene.unit = 10 ** r.uniform(-1.6, 0.6)
    return scene


def framed(camera: Viewpoint, points: np.ndarray, fill: float) -> Viewpoint:
    """The camera with its direction kept, moved so that these points (n, 3, world) are centred and the longer of their two
    spans is `fill` of the square picture's side; it comes no closer than `NEAREST`."""
    axes = np.array(rotation(camera.yaw, camera.pitch, camera.roll))
    seen = points @ axes
    tangent, deep = math.tan(math.radians(camera.fov / 2)) * fill, seen[:, 2]
    # Both planes of a pair touch the points: x - t z = right and -x - t z = left at the eye.
    reach = [(s * seen[:, i] - tangent * deep).max() for i in (0, 1) for s in (1, -1)]
    back = min(-(reach[0] + reach[1]), -(reach[2] + reach[3])) / (2 * tangent)
    back = min(back, deep.min() - NEAREST)
    eye = [_middle(seen[:, i], deep - back) for i in (0, 1)]
    x, y, z = axes @ np.array([*eye, back])
    return replace(camera, position=(float(x), float(y), float(z)))


def _middle(across: np.ndarray, ahead: np.ndarray) -> float:
    """Where the eye has to be across so that points at these depths reach equally far to both sides; by bisection."""
    low, high = float(across.min()), float(across.max())
    for _ in range(25):
        middle = (low + high) / 2
        slope = (across - middle) / ahead
        low, high = (middle, high) if slope.max() + slope.min() > 0 else (low, middle)
    return (low + high) / 2
