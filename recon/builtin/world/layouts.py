"""Where things stand and where the camera is: all layouts with their shares, and the two that are nowhere.

Each layout takes a random source and gives a Scene.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from . import materials as m
from . import props
from .indoors import enclose, room, tabletop
from .intersect import BOX, CYLINDER, ELLIPSOID
from .lights import NO_SKY, lamp, sky, sun
from .outdoors import nature, square, street
from .props import box
from .scene import Camera, Frame, Scene, rotation


def single(r: Random) -> Scene:
    """One thing in the middle: on a plain backdrop (studio, product photo), or cut out on one colour."""
    pitch, distance = r.uniform(-2, 40), r.uniform(1.3, 2.6)
    nod, turn = math.radians(pitch), math.radians(r.uniform(-180, 180))
    aim = r.uniform(0.3, 0.5)
    where = (0.0, -(aim + distance * math.sin(nod)), -distance * math.cos(nod))
    camera = Camera(where, r.gauss(0, 3), pitch + r.gauss(0, 2), r.gauss(0, 2), r.uniform(35, 60))
    bulb = (2.5 * math.sin(turn), -r.uniform(1.5, 3), 2.5 * math.cos(turn) - 1)
    scene = Scene(camera, lamp(r, bulb), NO_SKY)
    f = Frame(scene)
    fit(r, r.choice(props.EVERYTHING), f)
    number, tone = m.pattern(r, "plain"), m.colour(r, r.random(), 0, (0, r.choice((0.03, 0.4))), (0.3, 1))
    paper = m.Material(number, 3.0, tone, tone, 0.0)
    wall = paper if r.random() < 0.6 else m.painted(r)
    if r.random() < 0.75:
        box(
            f,
            0,
            -0.5,
            0,
            60,
            0.5,
            60,
            paper if r.random() < 0.6 else r.choice((m.floor, m.wood, m.cloth, m.foliage, m.asphalt))(r),
        )
    back = r.uniform(0.7, 6)
    box(f, 0, -30, back, 200, 60, 0.1, wall)
    return scene


def fit(r: Random, prop: props.Prop, f: Frame) -> None:
    """Build a prop scaled so that its largest extent is about one metre, standing at the frame's origin."""
    probe = Scene(f.scene.camera, f.scene.light, f.scene.sky)
    state, yaw = r.getstate(), r.uniform(0, 360)
    prop(r, Frame(probe).at(0, 0, 0, yaw))
    reach = [max(abs(p.centre[i]) + max(p.half) for p in probe.primitives) for i in range(3)]
    r.setstate(state)
    yaw = r.uniform(0, 360)
    prop(r, f.at(0, 0, 0, yaw, 1 / max(2 * reach[0], reach[1], 2 * reach[2], 0.02)))


def disorder(r: Random) -> Scene:
    """Primitives and props in any place and pose, in a box, on a ground or before a tilted plane: against habits."""
    camera = Camera((0, -r.uniform(0.8, 2), 0), 0, r.gauss(5, 15), r.gauss(0, 8), r.uniform(40, 90))
    inside = r.random() < 0.5
    light = lamp(r, (r.uniform(-2, 2), -2.5, r.uniform(0, 3))) if inside else sun(r)
    scene = Scene(camera, light, NO_SKY if inside else sky(r))
    f = Frame(scene)
    if inside:
        enclose(f, 0, 0, r.uniform(3, 9), r.uniform(2.4, 5), r.uniform(5, 16), m.anything(r))
    else:
        box(f, 0, -1, 0, 800, 1, 800, m.anything(r, 2))
    if r.random() < 0.25:
        f.add(
            BOX,
            (0, r.uniform(-1, 1), r.uniform(2, 6)),
            (12, 0.1, 9),
            m.anything(r),
            rotation(r.uniform(-60, 60), r.uniform(-80, 80)),
        )
    for _ in range(r.randrange(3, 14)):
        z = 1.0 * 9 ** r.random()
        size = tuple(z * 10 ** r.uniform(-1.3, -0.2) for _ in range(3))
        turn = rotation(r.uniform(0, 360), r.choice((0, 0, r.uniform(-90, 90))), r.choice((0, r.uniform(-90, 90))))
        where = (r.uniform(-0.6, 0.6) * z, r.choice((0, 0, 1)) * r.uniform(0, 2), z)
        f.add(r.choice((BOX, BOX, ELLIPSOID, CYLINDER)), where, size, m.anything(r), turn, r.uniform(-0.7, 0.7))  # type: ignore[arg-type]
    for _ in range(r.randrange(0, 4)):
        z = 1.2 * 6 ** r.random()
        fit(r, r.choice(props.EVERYTHING), f.at(r.uniform(-0.5, 0.5) * z, 0, z, 0, r.uniform(0.3, 0.9)))
    return scene


Layout = Callable[[Random], Scene]
# (layout, share of the images)
LAYOUTS: tuple[tuple[Layout, float], ...] = (
    (room, 0.30),
    (tabletop, 0.17),
    (street, 0.18),
    (square, 0.09),
    (nature, 0.09),
    (single, 0.10),
    (disorder, 0.07),
)
