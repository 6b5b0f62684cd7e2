"""Boxes, balls and tubes that stand where they are put, and what is made of nothing else.

Sizes in metres; x is the thing's width, z its depth with its front towards -z (towards the camera).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from .intersect import BOX, CYLINDER, ELLIPSOID
from .scene import LocalFrame, Material, Number, rotation

Prop = Callable[[Random, LocalFrame], None]


def distance(f: LocalFrame) -> float:
    """Metres from the camera to the frame's origin, to spend primitives where they show."""
    return math.dist(f.scene.camera.position, f.origin)


def box(
    f: LocalFrame,
    x: Number,
    up: Number,
    z: Number,
    w: Number,
    h: Number,
    d: Number,
    material: Material,
    yaw: Number = 0,
) -> None:
    """A box standing at (x, up, z)."""
    f.add(BOX, (x, up, z), (w, h, d), material, rotation(yaw))


def ball(f: LocalFrame, x: Number, up: Number, z: Number, w: Number, h: Number, d: Number, material: Material) -> None:
    """An ellipsoid standing at (x, up, z)."""
    f.add(ELLIPSOID, (x, up, z), (w, h, d), material)


def tube(
    f: LocalFrame, x: Number, up: Number, z: Number, w: Number, h: Number, material: Material, taper: Number = 0.0
) -> None:
    """An upright cylinder; taper > 0 is wider at the bottom (local y points down)."""
    f.add(CYLINDER, (x, up, z), (w, h, w), material, taper=taper)


def legs(r: Random, f: LocalFrame, w: Number, d: Number, h: Number, thick: Number, material: Material) -> None:
    """Four legs under a w x d top."""
    round_legs = r.random() < 0.4
    for x in (-1, 1):
        for z in (-1, 1):
            px, pz = x * (w - thick) / 2, z * (d - thick) / 2
            if round_legs:
                tube(f, px, 0, pz, thick, h, material)
            else:
                box(f, px, 0, pz, thick, h, thick, material)
