"""Rooms and tables. Heights are what people photograph from: 1.2 to 1.7 m and slightly down, tables seen from above.

Each layout takes a random source and gives a Scene.
"""

from __future__ import annotations

import math
from random import Random

from . import materials as m
from . import props
from .intersect import BOX
from .lights import NO_SKY, lamp
from .props import box
from .scene import Camera, Frame, Number, Scene


def enclose(f: Frame, x: Number, z: Number, w: Number, h: Number, d: Number, wall: m.Material) -> None:
    """A room's shell: seen from inside."""
    f.add(BOX, (x, 0, z), (w, h, d), wall, encloses=True)


def _wall_frame(r: Random, f: Frame, w: Number, d: Number) -> tuple[Frame, Number]:
    """A frame on one of the four walls, its -z into the room, and the wall's length."""
    side = r.choices((0, 1, 2, 3), (3, 2, 2, 0.7))[0]
    where = ((0, d / 2), (w / 2, 0), (-w / 2, 0), (0, -d / 2))[side]
    return f.at(where[0], 0, where[1], (0, 90, -90, 180)[side]), w if side in (0, 3) else d


def _hang(r: Random, wall: Frame, length: Number, h: Number) -> None:
    """Something on a wall: window with curtains, door, picture, wall cupboard or radiator."""
    x, kind = r.uniform(-0.42, 0.42) * length, r.random()
    if kind < 0.3:
        w, t, up = r.uniform(0.6, 2.2), r.uniform(0.8, 1.6), r.uniform(0.1, 1.0)
        t = min(t, h - up - 0.2)
        box(wall, x, up - 0.06, 0, w + 0.12, t + 0.12, 0.1, m.lacquer(r))
        box(wall, x, up, -0.04, w, t, 0.05, m.lamp(r))
        if r.random() < 0.6:
            cloth = m.curtain(r)
            for side in (-1, 1):
                box(wall, x + side * w * 0.6, r.choice((0, up - 0.1)), -0.1, r.uniform(0.2, 0.6), h - 0.15, 0.1, cloth)
    elif kind < 0.5:
        w = r.uniform(0.75, 1.0)
        box(wall, x, 0, 0, w + 0.16, 2.1, 0.08, m.lacquer(r))
        box(wall, x, 0, -0.03, w, 2.03, 0.06, m.wood(r) if r.random() < 0.5 else m.painted(r))
    elif kind < 0.8:
        w, t, up = r.uniform(0.2, 1.2), r.uniform(0.2, 0.9), r.uniform(1.1, 1.6)
        box(wall, x, up, 0, w, t, 0.05, m.wood(r))
        box(wall, x, up + 0.04, -0.02, w - 0.08, t - 0.08, 0.04, m.printed(r))
    elif kind < 0.92:
        box(wall, x, r.uniform(1.3, 1.6), -0.15, r.uniform(0.5, 2.0), r.uniform(0.3, 0.8), 0.35, m.lacquer(r))
    else:
        box(wall, x, 0.12, -0.08, r.uniform(0.5, 1.4), 0.6, 0.1, m.lacquer(r))


def _furnish(r: Random, f: Frame, w: Number, d: Number) -> None:
    """Furniture along the walls and in the middle."""
    for _ in range(r.randrange(2, 8)):
        wall, length = _wall_frame(r, f, w, d)
        prop = r.choice(props.ALONG_WALLS)
        depth = 1.05 if prop is props.bed else 0.35
        prop(r, wall.at(r.uniform(-0.4, 0.4) * length, 0, -depth, r.gauss(0, 3)))
    for _ in range(r.randrange(1, 7)):
        prop = r.choice(props.FURNITURE)
        prop(
            r,
            f.at(
                r.uniform(-0.35, 0.35) * w, 0, r.uniform(-0.35, 0.4) * d, r.choice((0, 90, 180, 270)) + r.gauss(0, 20)
            ),
        )
    if r.random() < 0.15:
        props.person(r, f.at(r.uniform(-0.3, 0.3) * w, 0, r.uniform(-0.2, 0.4) * d, r.uniform(0, 360)))
    if r.random() < 0.3:
        box(
            f,
            r.uniform(-0.2, 0.2) * w,
            0,
            r.uniform(-0.2, 0.3) * d,
            r.uniform(1, 2.5),
            0.012,
            r.uniform(1, 2.5),
            m.cloth(r),
        )


def _foreground(r: Random, f: Frame, h: Number) -> None:
    """What stands close to the photographer at either side: furniture or the edge of a wall; f faces ahead."""
    for side in (-1, 1):
        kind, z = r.random(), r.uniform(0.8, 2.0)
        if kind < 0.4:
            prop = r.choice((props.chair, props.chair, props.table, props.cabinet, props.sofa, props.plant))
            prop(r, f.at(side * r.uniform(0.3, 0.75) * (z + 0.3), 0, z, r.choice((0, 90, 180, 270)) + r.gauss(0, 25)))
        elif kind < 0.55:
            wide = r.uniform(0.1, 1.2)
            box(f, side * (0.45 * z + wide / 2), 0, z, wide, h, r.uniform(0.08, 0.3), m.painted(r), r.gauss(0, 20))


def _room_shell(r: Random, f: Frame, w: Number, h: Number, d: Number) -> None:
    """Walls, floor, ceiling, skirting, lamps, beams, and sometimes a partition that hides part of the room."""
    enclose(f, 0, 0, w, h, d, m.painted(r))
    box(f, 0, -0.02, 0, w, 0.03, d, m.floor(r))
    if r.random() < 0.6:
        box(f, 0, h - 0.02, 0, w, 0.03, d, m.painted(r))
    if r.random() < 0.4:
        x, z, wide, deep = r.choice(((0.0, d / 2, w, 0.04), (w / 2, 0.0, 0.04, d), (-w / 2, 0.0, 0.04, d)))
        box(f, x, 0, z, wide, h, deep, m.painted(r))
    for _ in range(r.choice((0, 1, 1, 2))):
        box(
            f,
            r.uniform(-0.3, 0.3) * w,
            h - 0.08,
            r.uniform(-0.3, 0.4) * d,
            r.uniform(0.2, 1.2),
            0.07,
            r.uniform(0.2, 0.6),
            m.lamp(r),
        )
    if r.random() < 0.35:
        side, reach = r.choice((-1, 1)), r.uniform(0.15, 0.5) * w
        box(f, side * (w - reach) / 2, 0, r.uniform(-0.25, 0.3) * d, reach, h, r.uniform(0.1, 0.5), m.painted(r))
    if r.random() < 0.12:
        box(f, r.uniform(-0.3, 0.3) * w, 0, r.uniform(0, 0.3) * d, 0.3, h, 0.3, m.painted(r))


def room(r: Random) -> Scene:
    """A living room, bedroom, kitchen, office or corridor, seen by somebody standing or sitting near a wall."""
    w, d, h = r.uniform(2.2, 7), r.uniform(2.8, 9), r.uniform(2.3, 3.2)
    if r.random() < 0.12:
        w, d = r.uniform(1.2, 2.4), r.uniform(6, 20)
    if r.random() < 0.08:
        w, d, h = w * 2.5, d * 2.5, h * 1.8
    back = r.uniform(0.25, 0.48) if r.random() < 0.75 else r.uniform(-0.2, 0.3)
    where = (r.uniform(-0.35, 0.35) * w, -min(h - 0.3, max(0.5, r.gauss(1.4, 0.28))), -back * d)
    # Most people aim at something in the far half of the room, not at the wall beside them.
    aim = (r.uniform(-0.45, 0.45) * w - where[0], r.uniform(0.0, 0.5) * d - where[2])
    yaw = math.degrees(math.atan2(*aim)) + r.gauss(0, 8) if r.random() < 0.85 else r.uniform(-180, 180)
    camera = Camera(where, yaw, r.gauss(9, 10), r.gauss(0, 2.5), r.uniform(48, 90))
    bulb = (r.uniform(-0.4, 0.4) * w, -r.uniform(0.6, 0.95) * h, r.uniform(-0.4, 0.4) * d)
    scene = Scene(camera, lamp(r, bulb), NO_SKY)
    f = Frame(scene)
    _room_shell(r, f, w, h, d)
    for _ in range(r.randrange(2, 7)):
        wall, length = _wall_frame(r, f, w, d)
        _hang(r, wall, length, h)
    _furnish(r, f, w, d)
    if r.random() < 0.6:
        _foreground(r, f.at(where[0], 0, where[2], yaw), h)
    return scene


def tabletop(r: Random) -> Scene:
    """Things on a table, seen from a chair or from above; behind the edge the floor and perhaps walls."""
    up, pitch = r.uniform(0.25, 0.9), r.uniform(12, 65)
    w, d, h = r.uniform(0.7, 2.4), r.uniform(0.6, 1.8), r.uniform(0.45, 0.95)
    aim = up / math.tan(math.radians(pitch))
    yaw = r.gauss(0, 25)
    camera = Camera(
        (r.gauss(0, 0.1), -(h + up), -aim), r.gauss(0, 5), pitch + r.gauss(0, 3), r.gauss(0, 4), r.uniform(42, 75)
    )
    scene = Scene(camera, lamp(r, (r.uniform(-2, 2), -(h + r.uniform(0.8, 2)), r.uniform(-2, 2))), NO_SKY)
    top = Frame(scene).at(0, h, 0, yaw)
    material = r.choice((m.wood, m.wood, m.lacquer, m.cloth, m.floor, m.painted))(r)
    box(top, r.gauss(0, 0.2), -0.04, r.uniform(-0.1, 0.3) * d, w, 0.04, d, material)
    if r.random() < 0.5:
        props.legs(r, top.at(0, -h, 0), w, d, h - 0.05, 0.06, material)
    floor = Frame(scene)
    if r.random() < 0.85:
        enclose(floor, 0, 0, r.uniform(3, 8), 2.6, r.uniform(3.5, 9), m.painted(r))
    box(floor, 0, -0.05, 0, 30, 0.05, 30, m.floor(r))
    for _ in range(r.randrange(0, 4)):
        r.choice(props.FURNITURE)(r, floor.at(r.uniform(-2.5, 2.5), 0, d / 2 + r.uniform(0.6, 2.5), r.uniform(-40, 40)))
    spread = r.uniform(0.45, 1.0) * math.hypot(up, aim)
    for _ in range(r.randrange(3, 15)):
        thing = top.at(
            r.gauss(0, 0.45) * spread, 0, r.gauss(0.05, 0.45) * spread, r.uniform(0, 360), r.uniform(0.8, 1.4)
        )
        props.small(r, thing)
    return scene
