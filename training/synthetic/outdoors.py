"""Streets, squares and nature. The camera is at eye height or on a car, the horizon near the middle.

Each layout takes a random source and gives a Scene.
"""

from __future__ import annotations

import math
from random import Random

from . import materials as m
from . import props
from .company import NEAREST_OUTSIDE, company
from .intersect import BOX, CYLINDER, ELLIPSOID
from .lights import sky, sun
from .roadside import broad, bush, conifer, fence, hedge, stall, tree
from .scene import LocalFrame, Number, Scene, Viewpoint, rotation
from .shapes import Prop, ball, box


def _house_row(r: Random, f: LocalFrame, x: Number, side: int) -> None:
    """House fronts from behind the camera to far away, in and out of line, with gaps; some with roofs and shops."""
    z, tall = -12.0, r.choice((r.uniform(4, 8), r.uniform(8, 22)))
    while z < 110:
        length = r.uniform(9, 28) * (1 + max(0, z) / 50)
        height = max(3, r.gauss(tall, 3))
        setback = abs(r.gauss(0, 1.2))
        middle = z + length / 2
        if r.random() < 0.87:
            box(f, side * (x + setback + 5), 0, middle, 10, height, length, m.facade(r))
            if z < 25 and r.random() < 0.3:
                box(
                    f,
                    side * (x + setback + 4.9),
                    0,
                    middle,
                    10,
                    3.2,
                    length,
                    r.choice((m.printed, m.glass, m.fronts))(r),
                )
            if z < 25 and r.random() < 0.2:
                f.add(
                    BOX,
                    (side * (x + setback + 5), height - 3.5, middle),
                    (7, 7, length),
                    m.floor(r),
                    rotation(0, 0, 45),
                )
        z += length + (r.uniform(2, 10) if r.random() < 0.25 else 0)


def _green_row(r: Random, f: LocalFrame, x: Number, side: int) -> None:
    """Trees in a row with dark crowns, over a hedge, a wall, a fence or lawn."""
    low = r.random()
    if low < 0.65:
        height, paint = r.uniform(0.8, 3.5), (m.foliage if low < 0.3 else m.painted if low < 0.45 else m.facade)(r)
        box(f, side * (x + r.uniform(0.5, 4)), 0, 60, 0.5, height, 150, paint)
    elif low < 0.8:
        for i in range(2):
            fence(r, f.at(side * (x + 0.5), 0, 5 + 7 * i, 90))
    z, step, kind = r.uniform(4, 20), r.uniform(6, 14), tree if r.random() < 0.4 else broad
    for _ in range(r.randrange(3, 6)):
        kind(r, f.at(side * (x + r.uniform(0.5, 3)), 0, z, 0, r.uniform(0.8, 1.2)))
        z += step * r.uniform(0.7, 1.4) * (1 + z / 60)
    if r.random() < 0.6:
        s = r.uniform(8, 16)
        ball(f, side * (x + s * 0.6), -1, r.uniform(40, 90), s, s, 60, m.foliage(r))


def _along(
    r: Random, f: LocalFrame, prop: Prop, x: Number, count: int, near: Number, far: Number, yaw: Number = 0
) -> None:
    """The same kind of thing now and then along a line, denser nearby."""
    for _ in range(count):
        z = near * (far / near) ** r.random()
        prop(r, f.at(x + r.gauss(0, 0.25), 0, z, yaw + r.gauss(0, 4)))


def _parked(r: Random, f: LocalFrame, x: Number, yaw: Number) -> None:
    """Cars one behind the other."""
    z = 6 * 5 ** r.random()
    for _ in range(r.randrange(2, 4)):
        props.car(r, f.at(x + r.gauss(0, 0.15), 0, z, yaw + r.gauss(0, 2)))
        z += r.uniform(5.2, 8)


def _markings(r: Random, f: LocalFrame, half: Number) -> None:
    """Lines along the road, a zebra or stop line across, and rails."""
    white = m.paint_mark(r)
    lane = r.choice((0, r.uniform(-1, 1)))
    if r.random() < 0.6:
        for i in range(3):
            box(f, lane, -0.1, 4 + 9 * i, 0.15, 0.11, r.choice((3, 8)), white)
    for side in (-1, 1) if r.random() < 0.3 else ():
        box(f, side * (half - 0.4), -0.1, 60, 0.14, 0.11, 160, white)
    if r.random() < 0.12:
        z, count = r.uniform(5, 18), 5
        for i in range(count):
            box(f, ((i + 0.5) / count - 0.5) * 2 * half, -0.1, z, 0.9 * half / count, 0.11, 3, white)
    if r.random() < 0.2:
        x, steel = r.uniform(-0.8, 1.3) * half, m.metal(r)
        if r.random() < 0.6:
            box(f, x, -0.1, 60, 2.6, 0.11, 200, m.earth(r))
        for rail in (-0.72, 0.72):
            box(f, x + rail, -0.1, 60, 0.1, 0.2, 200, steel)


def _overhead(r: Random, f: LocalFrame, half: Number) -> None:
    """Wires along and across the street."""
    wire = m.rubber(r)
    for _ in range(r.choice((0, 0, 0, 1, 2))):
        box(f, r.uniform(-1, 1) * half, r.uniform(5, 7), 50, 0.03, 0.03, 120, wire)
    for _ in range(r.choice((0, 0, 0, 2))):
        box(f, 0, r.uniform(5, 7), r.uniform(8, 40), 4 * half, 0.03, 0.03, wire)


def street(r: Random) -> Scene:
    """A street seen from a car or a pavement: road, markings, pavements, fronts or trees, cars, poles, people."""
    up = r.uniform(1.3, 2.0) if r.random() < 0.8 else r.uniform(2, 7)
    yaw = r.gauss(0, 7) if r.random() < 0.8 else r.gauss(0, 40)
    half, walk = r.uniform(2.5, 9) if r.random() < 0.7 else r.uniform(7, 15), r.uniform(0.5, 8)
    position = (r.uniform(-0.6, 0.6) * half, -up, 0.0)
    camera = Viewpoint(position, yaw, r.gauss(0, 3.5), r.gauss(0, 1.5), r.uniform(45, 90))
    scene = Scene(camera, sun(r), sky(r))
    f = LocalFrame(scene)
    box(f, 0, -2, 0, 2000, 1.97, 2000, r.choice((m.asphalt, m.grass, m.earth))(r))
    box(f, 0, -1, 60, 2 * half, 1, 200, m.asphalt(r))
    green = r.random() < 0.45
    for side in (-1, 1):
        ground = m.asphalt if r.random() < 0.7 else m.grass
        box(f, side * (half + walk / 2), -1, 60, walk, 1 + r.uniform(0, 0.15), 200, ground(r))
        kind = r.random()
        if kind < (0.7 if green else 0.15):
            _green_row(r, f, half + walk, side)
        elif kind < 0.92:
            _house_row(r, f, half + walk, side)
            if r.random() < 0.2:
                _along(r, f, broad, side * (half + walk * 0.5), r.randrange(1, 4), 6, 70)
        heading = 0 if side > 0 else 180
        if r.random() < 0.33:
            _parked(r, f, side * (half - 1.0), heading)
        elif r.random() < 0.3:
            _along(r, f, props.car, side * (half - 1.5), r.randrange(1, 3), 8, 80, heading)
        _along(r, f, props.pole, side * (half + 0.3), r.choice((0, 1, 1)), 6, 50)
        _along(r, f, props.person, side * (half + walk / 2), r.choice((0, 0, 0, 1, 2)), 5, 40, r.uniform(0, 360))
    if r.random() < 0.1:
        z = NEAREST_OUTSIDE * 5 ** r.random()
        company(r, f.at(position[0] + r.uniform(-0.4, 0.4) * z, 0, z))
    _markings(r, f, half)
    _overhead(r, f, half)
    if r.random() < 0.4:
        _along(r, f, props.car, r.uniform(-0.5, 0.5) * half, 1, 10, 80, r.choice((0, 180)))
    _far_end(r, f)
    return scene


def _far_end(r: Random, f: LocalFrame) -> None:
    """What closes the view: houses, woods or hills, or nothing."""
    kind = r.random()
    if kind < 0.25:
        x, z = r.uniform(-30, 30), r.uniform(60, 200)
        box(f, x, 0, z, r.uniform(20, 150), r.uniform(6, 30), 10, m.facade(r))
        box(f, x + r.uniform(-40, 40), 0, z + 20, r.uniform(10, 30), r.uniform(15, 50), 10, m.facade(r))
    elif kind < 0.65:
        leaves = m.foliage(r)
        for _ in range(4):
            s = r.uniform(12, 60)
            ball(f, r.uniform(-70, 70), -s * 0.2, r.uniform(80, 160), s, s * r.uniform(0.5, 0.9), s * 0.5, leaves)
    elif kind < 0.85:
        _mountains(r, f, 2)


def _mountains(r: Random, f: LocalFrame, count: int) -> None:
    """Far mountains: ellipsoids and cones, one behind the other."""
    for _ in range(count):
        s, z = r.uniform(200, 900), r.uniform(400, 1300)
        x, flat = r.uniform(-0.7, 0.7) * z, r.uniform(0.25, 0.5)
        if r.random() < 0.5:
            turn = rotation(r.uniform(0, 360), 0, r.uniform(-12, 12))
            f.add(ELLIPSOID, (x, -s * 0.2, z), (s * 1.5, s * flat, s * r.uniform(0.4, 1)), m.stone(r), turn)
        else:
            f.add(CYLINDER, (x, -20, z), (s * 0.8, s * flat, s * 0.8), m.stone(r), taper=r.uniform(0.7, 0.97))


def square(r: Random) -> Scene:
    """An open place, a market, a car park, a yard or a garden: houses at any angle, things and people about."""
    camera = Viewpoint((0, -r.uniform(1.1, 2.2), 0), 0, r.gauss(2, 5), r.gauss(0, 2.5), r.uniform(40, 85))
    scene = Scene(camera, sun(r), sky(r))
    f, garden = LocalFrame(scene), r.random() < 0.35
    grounds = (m.grass, m.grass, m.earth) if garden else (m.asphalt, m.asphalt, m.floor)
    box(f, 0, -2, 0, 2000, 2, 2000, r.choice(grounds)(r))
    if garden or r.random() < 0.3:
        box(
            f,
            r.uniform(-2, 2),
            -1,
            15,
            r.uniform(0.8, 4),
            1.02,
            40,
            r.choice((m.asphalt, m.earth, m.floor))(r),
            r.gauss(0, 20),
        )
    far = 1.0 if garden else r.uniform(1, 2.5)
    for _ in range(r.randrange(0 if garden else 1, 4)):
        z, s = far * r.uniform(9, 45), far * r.uniform(5, 22)
        x, turn, wide, high = r.uniform(-0.9, 0.9) * z, r.gauss(0, 25), s * r.uniform(0.5, 2), r.uniform(3, 18)
        box(f, x, 0, z + s / 2, wide, high, s, m.facade(r), turn)
        if r.random() < 0.3:
            f.add(CYLINDER, (x, 0, z), (s * 0.3, r.uniform(5, 25), s * 0.3), m.facade(r), taper=r.choice((0, 0.2)))
        if r.random() < 0.3:
            roof = rotation(turn, 0, 45)
            f.add(BOX, (x, high - 0.35 * wide, z + s / 2), (0.7 * wide, 0.7 * wide, s), m.floor(r), roof)
    if r.random() < 0.3:
        box(
            f,
            0,
            0,
            r.uniform(5, 25),
            200,
            r.uniform(0.6, 4),
            0.4,
            r.choice((m.foliage, m.painted, m.wood, m.facade))(r),
            r.gauss(0, 25),
        )
    kinds: tuple[Prop, ...] = (tree, bush, bush, hedge, fence, props.plant, props.chair, props.rock)
    if not garden:
        kinds = r.choice((props.OUT_OF_DOORS, (props.person, props.person, stall), (props.car, props.car, broad)))
    for _ in range(r.randrange(2, 7)):
        z = 2.5 * far * 12 ** r.random()
        prop = r.choice(kinds)
        prop(r, f.at(r.uniform(-0.6, 0.6) * z, 0, z + (2 if prop is props.car else 0), r.uniform(0, 360)))
    if r.random() < 0.1:
        z = NEAREST_OUTSIDE * 4 ** r.random()
        company(r, f.at(r.uniform(-0.4, 0.4) * z, 0, z))
    _far_end(r, f)
    return scene


def _forest(r: Random, f: LocalFrame) -> None:
    """Many trunks, leaves overhead, undergrowth."""
    bark, leaves, thick = m.bark(r), m.foliage(r), r.uniform(0.15, 0.5)
    for _ in range(r.randrange(10, 22)):
        z = 2.5 * 14 ** r.random()
        s, lean = thick * r.uniform(0.6, 1.4), rotation(r.uniform(0, 360), r.gauss(0, 3))
        f.add(CYLINDER, (r.uniform(-0.8, 0.8) * z, -0.3, z), (s, 18, s), bark, lean, 0.2)
    for _ in range(r.randrange(4, 12)):
        z = r.uniform(8, 40)
        s = z * r.uniform(0.15, 0.4)
        ball(f, r.uniform(-0.8, 0.8) * z, r.choice((-0.3 * s, 3 + 0.15 * z)), z, s * 1.5, s, s, leaves)
    if r.random() < 0.7:
        box(f, 0, -1, 60, 300, r.uniform(5, 20), 1, m.foliage(r))


def nature(r: Random) -> Scene:
    """Ground, water, stones, trees, forests, hills, mountains; from a path, a slope or a viewpoint."""
    up = r.uniform(1, 2.2) if r.random() < 0.7 else r.uniform(3, 40)
    camera = Viewpoint((0, -up, 0), 0, r.gauss(2, 6), r.gauss(0, 2.5), r.uniform(40, 85))
    scene = Scene(camera, sun(r), sky(r))
    f, kind = LocalFrame(scene), r.random()
    slope = rotation(r.uniform(0, 360), r.gauss(0, 4))
    f.add(BOX, (0, -2, 0), (2000, 2, 2000), r.choice((m.grass, m.foliage, m.earth, m.earth))(r), slope)
    if kind < 0.25:
        _forest(r, f)
        return scene
    if kind < 0.5:
        near = up * r.uniform(1.5, 10)
        box(f, r.choice((0, r.uniform(-200, 200))), -1, near + 250, 900, 1.3, 500, m.water(r), r.gauss(0, 8))
    elif r.random() < 0.4:
        path = r.choice((m.earth, m.asphalt))(r)
        f.add(BOX, (r.uniform(-1, 1), -1.97, 25), (r.uniform(0.6, 3), 2, 60), path, slope)
    for _ in range(r.randrange(1, 6)):
        s, z = r.uniform(6, 40), r.uniform(25, 150)
        size = (s * r.uniform(1, 4), s * r.uniform(0.4, 0.9), s * 2)
        f.add(ELLIPSOID, (r.uniform(-1, 1) * z, -s * 0.3, z), size, r.choice((m.foliage, m.earth, m.grass))(r))
    _mountains(r, f, r.choice((0, 1, 3, 5)))
    for _ in range(r.randrange(2, 8)):
        z = 3.0 * max(1.0, up / 3) * 14 ** r.random()
        prop = r.choice((tree, tree, conifer, bush, props.rock, props.rock, props.animal, props.person, fence))
        prop(r, f.at(r.uniform(-0.7, 0.7) * z, 0, z, math.degrees(r.random() * 6.28)))
    return scene
