"""Out of doors, where habits of streets fail: cars' cameras that look to the side and back, and great buildings that fill
the picture without being a thing. Each layout takes a random source and gives a Scene in metres.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from . import materials as m
from . import props
from .intersect import CYLINDER, ELLIPSOID
from .lights import sky, sun
from .outdoors import street
from .scene import LocalFrame, Number, Scene, Viewpoint, rotation
from .shapes import box


def sideways(r: Random) -> Scene:
    """A street from a car whose camera looks to the side, aslant or back, with what stands along it close by."""
    scene = street(r)
    camera = scene.camera
    z, yaw = r.uniform(8, 45), r.choice((90, -90, 180, 180, 55, -55, 125, -125)) + r.gauss(0, 12)
    x, up = float(camera.position[0]), r.uniform(1.2, 2.3)
    scene.camera = Viewpoint((x, -up, z), yaw, r.gauss(0, 3), r.gauss(0, 1.5), r.uniform(50, 95))
    f = LocalFrame(scene).at(x, 0, z, yaw)
    for _ in range(r.choice((0, 1, 1, 2))):
        away = 4 * 6 ** r.random()
        prop = r.choice((props.car, props.car, props.person, props.pole, props.bush, props.fence, props.tree))
        prop(r, f.at(r.uniform(-0.6, 0.6) * away, 0, away + 2, r.choice((0, 90, -90)) + r.gauss(0, 12)))
    return scene


def monument(r: Random) -> Scene:
    """One great building before the sky: blocks, towers, domes or shells, with a place, lawn or water before it."""
    away = r.uniform(15, 90)
    camera = Viewpoint((0, -r.uniform(1.4, 2.2), 0), 0, r.gauss(-6, 6), r.gauss(0, 2), r.uniform(40, 80))
    scene = Scene(camera, sun(r), sky(r))
    f = LocalFrame(scene)
    box(f, 0, -2, 0, 3000, 2, 3000, r.choice((m.asphalt, m.grass, m.floor, m.water))(r))
    if r.random() < 0.3:
        box(f, 0, -0.5, away / 2, 400, 0.52, away * 0.5, r.choice((m.water, m.grass))(r))
    _building(r, f.at(r.gauss(0, 0.12) * away, 0, away, r.gauss(0, 25)), away)
    for _ in range(r.randrange(0, 5)):
        z = 4.0 * (away / 4) ** r.random()
        prop = r.choice((props.person, props.person, props.pole, props.tree, props.bush, props.car))
        prop(r, f.at(r.uniform(-0.6, 0.6) * z, 0, z, r.uniform(0, 360)))
    return scene


def _building(r: Random, f: LocalFrame, away: Number) -> None:
    """The building, as large as a good part of what the camera sees at that distance."""
    wide, paint = away * r.uniform(0.3, 0.9), m.facade(r)
    stone = replace(paint, pattern=m.pattern(r, "plain", "stain", "bricks", "panels"))
    high, deep = wide * r.uniform(0.15, 0.6), wide * r.uniform(0.3, 0.8)
    box(f, 0, 0, 0, wide, high * r.uniform(0.15, 0.6), deep, r.choice((paint, stone)))
    kind = r.random()
    if kind < 0.35:
        for i in range(r.randrange(2, 6)):
            s = wide * r.uniform(0.2, 0.4)
            turn = rotation(r.gauss(0, 30), r.uniform(-15, 15), r.uniform(-35, 35))
            f.add(
                ELLIPSOID,
                ((i / 5 - 0.4) * wide, 0, r.gauss(0, 0.1) * deep),
                (s * 0.7, s * r.uniform(1, 2), s),
                stone,
                turn,
            )
    elif kind < 0.7:
        for side in (-1, 0, 1):
            s = wide * r.uniform(0.1, 0.22)
            f.add(
                CYLINDER,
                (side * wide * 0.42, 0, -deep * 0.3),
                (s, high * r.uniform(0.8, 1.7), s),
                stone,
                taper=r.choice((0, 0.1, 0.5)),
            )
            f.add(ELLIPSOID, (side * wide * 0.42, high * 0.8, -deep * 0.3), (s, s, s), m.metal(r))
    else:
        box(f, 0, 0, deep * 0.2, wide * r.uniform(0.3, 0.7), high, deep * 0.5, paint)
        f.add(CYLINDER, (0, high, 0), (wide * 0.5, high * 0.4, deep * 0.6), m.floor(r), taper=0.95)
    for i in range(r.choice((0, 0, 6, 9))):
        f.add(CYLINDER, ((i / 9 - 0.45) * wide, 0, -deep * 0.55), (wide * 0.03, high * 0.6, wide * 0.03), stone)
