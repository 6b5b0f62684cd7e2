"""Rooms and tables. Heights are what people photograph from: 1.2 to 1.7 m and slightly down, tables seen from above.

Each layout takes a random source and gives a Scene.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from . import materials as m
from . import props
from .company import NEAREST_INSIDE, company
from .lights import NO_SKY, daylight, lamp, sky
from .scene import LocalFrame, Number, Scene, Viewpoint
from .shapes import box
from .walls import doorway, enclose, glasshouse, hang, wall_frame

__all__ = ["enclose", "room", "tabletop"]

Furnisher = Callable[[Random, LocalFrame, Number, Number], None]


def _at_wall(r: Random, f: LocalFrame, w: Number, d: Number, prop: props.Prop, depth: Number = 0.35) -> None:
    """A prop with its back to one of the walls, seldom the one behind the photographer."""
    wall, length = wall_frame(f, r.choices((0, 1, 2, 3), (3, 2, 2, 0.4))[0], w, d)
    prop(r, wall.at(r.uniform(-0.42, 0.42) * length, 0, -depth, r.gauss(0, 3)))


def _inside(r: Random, f: LocalFrame, w: Number, d: Number, prop: props.Prop) -> None:
    """A prop somewhere in the room, mostly square to the walls."""
    turn = r.choice((0, 90, 180, 270)) + r.gauss(0, 20)
    prop(r, f.at(r.uniform(-0.35, 0.35) * w, 0, r.uniform(-0.3, 0.4) * d, turn))


def _living(r: Random, f: LocalFrame, w: Number, d: Number) -> None:
    for _ in range(r.randrange(2, 6)):
        prop = r.choice(props.ALONG_WALLS)
        _at_wall(r, f, w, d, prop, 1.05 if prop is props.bed else 0.4)
    for _ in range(r.randrange(1, 4)):
        _inside(r, f, w, d, r.choice(props.FURNITURE))


def _dining(r: Random, f: LocalFrame, w: Number, d: Number) -> None:
    turn = r.choice((0, 90)) + r.gauss(0, 8)
    props.dining(r, f.at(r.uniform(-0.25, 0.25) * w, 0, r.uniform(-0.25, 0.25) * d, turn))
    for _ in range(r.randrange(1, 4)):
        _at_wall(r, f, w, d, r.choice((props.cabinet, props.cabinet, props.shelf, props.armchair, props.chair)))


def _kitchen(r: Random, f: LocalFrame, w: Number, d: Number) -> None:
    for side in r.sample((0, 1, 2), r.choice((1, 2))):
        wall, length = wall_frame(f, side, w, d)
        props.kitchen(r, wall.at(r.uniform(-0.25, 0.25) * length, 0, -0.31))
    _inside(r, f, w, d, r.choice((props.table, props.chair, props.dining, props.clutter)))


def _bedroom(r: Random, f: LocalFrame, w: Number, d: Number) -> None:
    _at_wall(r, f, w, d, props.bed, 1.05)
    for _ in range(r.randrange(1, 4)):
        _at_wall(r, f, w, d, r.choice((props.cabinet, props.cabinet, props.shelf, props.desk, props.chair)))
    _inside(r, f, w, d, r.choice((props.clutter, props.chair, props.armchair, props.plant)))


def _office(r: Random, f: LocalFrame, w: Number, d: Number) -> None:
    turn, columns = r.choice((0, 90, 180)), max(1, int(w / 2))
    for i in range(columns):
        for k in range(2):
            x, z = ((i + 0.5) / columns - 0.5) * w + r.gauss(0, 0.1), (0.05 + 0.3 * k) * d
            if r.random() < 0.6:
                props.desk(r, f.at(x, 0, z, turn + r.gauss(0, 4)))
    _at_wall(r, f, w, d, props.shelf)


def _shop(r: Random, f: LocalFrame, w: Number, d: Number) -> None:
    """Rows of shelves on both sides of an aisle: a shop, a library, a store room."""
    aisle = r.uniform(0.6, min(1.4, 0.45 * w))
    for side in (-1, 1):
        for i in range(r.choice((1, 2, 3))):
            z = (-0.25 + 0.3 * i) * d + r.gauss(0, 0.1)
            props.shelf(r, f.at(side * aisle + r.gauss(0, 0.05), 0, z, 90 * side))
    _at_wall(r, f, w, d, r.choice((props.shelf, props.cabinet)))


def _bathroom(r: Random, f: LocalFrame, w: Number, d: Number) -> None:
    for _ in range(3):
        _at_wall(r, f, w, d, props.bath, 0.4)
    _at_wall(r, f, w, d, r.choice((props.cabinet, props.plant, props.clutter)))


def _hall(r: Random, f: LocalFrame, w: Number, d: Number) -> None:
    props.stairs(r, f.at(r.uniform(-0.3, 0.3) * w, 0, r.uniform(-0.05, 0.2) * d, r.choice((0, 0, 90, -90))))
    for _ in range(2):
        _at_wall(r, f, w, d, r.choice((props.cabinet, props.plant, props.chair, props.table)))


FURNISHERS: tuple[tuple[Furnisher, float], ...] = (
    (_living, 0.36),
    (_dining, 0.2),
    (_kitchen, 0.11),
    (_bedroom, 0.09),
    (_office, 0.08),
    (_shop, 0.07),
    (_bathroom, 0.05),
    (_hall, 0.04),
)


def _foreground(r: Random, f: LocalFrame, h: Number, tangent: float) -> None:
    """What stands close to the photographer and is cut off by the picture's border; f faces ahead."""
    near = (props.chair, props.chair, props.chair, props.table, props.cabinet, props.cabinet, props.sofa)
    for side in (-1, 1):
        kind, z = r.random(), r.uniform(0.7, 1.8)
        if kind < 0.45:
            prop = r.choice((*near, props.armchair, props.armchair, props.plant, props.shelf, props.standing_lamp))
            x = side * (r.uniform(0.75, 1.1) * tangent * z + 0.15)
            prop(r, f.at(x, 0, z, r.choice((0, 90, 180, 270)) + r.gauss(0, 25)))
        elif kind < 0.6:
            wide, paint = r.uniform(0.1, 1.2), r.choice((m.painted, m.painted, m.wood, m.lacquer, m.curtain))(r)
            x = side * (r.uniform(0.6, 0.95) * tangent * z + wide / 2)
            box(f, x, 0, z, wide, h, r.uniform(0.06, 0.3), paint, r.gauss(0, 20))


def _extras(r: Random, f: LocalFrame, w: Number, h: Number, d: Number) -> None:
    """Floor, ceiling, lamps, pillars, rugs, people."""
    box(f, 0, -0.02, 0, w, 0.03, d, m.floor(r))
    if r.random() < 0.5:
        box(f, 0, h - 0.02, 0, w, 0.03, d, m.painted(r))
    for _ in range(r.choice((0, 0, 1, 2))):
        x, z = r.uniform(-0.3, 0.3) * w, r.uniform(-0.3, 0.4) * d
        box(f, x, h - 0.08, z, r.uniform(0.2, 1.2), 0.07, r.uniform(0.2, 0.6), m.lamp(r))
    if r.random() < 0.25:
        side, reach = r.choice((-1, 1)), r.uniform(0.15, 0.5) * w
        box(f, side * (w - reach) / 2, 0, r.uniform(-0.25, 0.3) * d, reach, h, r.uniform(0.1, 0.5), m.painted(r))
    if r.random() < 0.08:
        box(f, r.uniform(-0.3, 0.3) * w, 0, r.uniform(0, 0.3) * d, 0.3, h, 0.3, m.painted(r))
    if r.random() < 0.1:
        props.person(r, f.at(r.uniform(-0.3, 0.3) * w, 0, r.uniform(-0.2, 0.4) * d, r.uniform(0, 360)))
    if r.random() < 0.35:
        wide, deep = r.uniform(1, 2.5), r.uniform(1.2, 3)
        x, z = r.uniform(-0.2, 0.2) * w, r.uniform(-0.2, 0.3) * d
        box(f, x, 0, z, wide, 0.018, deep, m.rug(r, max(wide, deep)), r.choice((0, r.gauss(0, 15))))


def room(r: Random) -> Scene:
    """A furnished room or corridor, seen by somebody standing or sitting near a wall; doorways, windows, sun."""
    w, d, h = r.uniform(2.2, 6.5), r.uniform(2.8, 8), r.uniform(2.3, 3.1)
    corridor, hall = r.random() < 0.08, r.random() < 0.06
    if corridor:
        w, d = r.uniform(1.2, 2.2), r.uniform(6, 20)
    elif hall:
        w, d, h = w * 2.5, d * 2.5, h * 1.8
    back = r.uniform(0.25, 0.48) if r.random() < 0.75 else r.uniform(-0.2, 0.3)
    where = (r.uniform(-0.35, 0.35) * w, -min(h - 0.3, max(0.5, r.gauss(1.4, 0.28))), -back * d)
    # Most people aim at something in the far half of the room, not at the wall beside them.
    aim = (r.uniform(-0.45, 0.45) * w - where[0], r.uniform(0.0, 0.5) * d - where[2])
    yaw = math.degrees(math.atan2(*aim)) + r.gauss(0, 8) if r.random() < 0.9 else r.uniform(-180, 180)
    camera = Viewpoint(where, yaw, r.gauss(10, 9), r.gauss(0, 2.5), r.uniform(48, 85))
    bulb = (r.uniform(-0.4, 0.4) * w, -r.uniform(0.6, 0.95) * h, r.uniform(-0.4, 0.4) * d)
    shell = r.choices(("shell", "doorway", "glass"), (0.5, 0.28, 0.22))[0]
    if shell == "glass":
        side = r.choice((0, 1, 2))
        scene = Scene(camera, daylight(r, (0, 90, -90)[side] + r.gauss(0, 30)), sky(r))
        f = LocalFrame(scene)
        glasshouse(r, f, w, h, d, side)
    else:
        scene = Scene(camera, lamp(r, bulb), NO_SKY)
        f = LocalFrame(scene)
        if shell == "doorway":
            doorway(r, f, w, h, d)
        else:
            enclose(f, 0, 0, w, h, d, m.painted(r))
    _extras(r, f, w, h, d)
    for _ in range(r.randrange(1, 5)):
        hang(r, *wall_frame(f, r.choices((0, 1, 2, 3), (3, 2, 2, 0.4))[0], w, d), h)
    if not corridor or r.random() < 0.3:
        furnishers, shares = zip(*FURNISHERS, strict=True)
        r.choices(furnishers, shares)[0](r, f, w, d)
    ahead, tangent = f.at(where[0], 0, where[2], yaw), math.tan(math.radians(camera.fov / 2))
    if r.random() < 0.5:
        z = r.uniform(1.4, min(4.0, 1.5 + 0.5 * d))
        turn = r.choice((0, 90, 180, 270)) + r.gauss(0, 25)
        r.choice(props.FURNITURE)(r, ahead.at(r.uniform(-0.7, 0.7) * tangent * z, 0, z, turn))
    if r.random() < 0.7:
        _foreground(r, ahead, h, tangent)
    farthest = back * d + 0.4 * d
    if r.random() < 0.1 and farthest > NEAREST_INSIDE:
        z = r.uniform(NEAREST_INSIDE, farthest)
        company(r, ahead.at(r.uniform(-0.6, 0.6) * tangent * z, 0, z))
    return scene


def _surroundings(r: Random, scene: Scene, h: Number, d: Number) -> None:
    """Floor, walls and furniture behind a table, often dark or close."""
    floor = LocalFrame(scene)
    if r.random() < 0.85:
        enclose(floor, 0, 0, r.uniform(3, 8), 2.6, r.uniform(2.5, 9), m.painted(r))
    box(floor, 0, -0.05, 0, 30, 0.05, 30, m.floor(r))
    for _ in range(r.choice((0, 0, 1, 2))):
        prop = r.choice((props.cabinet, props.shelf, props.chair, props.armchair, props.clutter, props.sofa))
        prop(r, floor.at(r.uniform(-1.5, 1.5), 0, d / 2 + r.uniform(0.5, 2), r.uniform(-40, 40)))


def _strew(r: Random, top: LocalFrame, spread: float) -> None:
    """Things beside each other around the middle, without much overlap; sometimes in a box."""
    taken: list[tuple[float, float]] = []
    big = r.uniform(0.8, 1.3)
    for _ in range(r.randrange(3, 11)):
        for _ in range(6):
            x, z = r.uniform(-1, 1) * spread, r.uniform(-0.9, 1.1) * spread
            if all(math.hypot(x - a, z - b) > 0.16 * big for a, b in taken):
                break
        taken.append((x, z))
        props.small(r, top.at(x, 0, z, r.uniform(0, 360), big * r.uniform(0.85, 1.15)))
    if r.random() < 0.08:
        wide, tall, paint = (
            spread * r.uniform(1.2, 2),
            r.uniform(0.06, 0.2),
            r.choice((m.wood, m.lacquer, m.printed))(r),
        )
        for side in (-1, 1):
            box(top, side * wide / 2, 0, 0, 0.015, tall, wide, paint)
            box(top, 0, 0, side * wide / 2, wide, tall, 0.015, paint)


def tabletop(r: Random) -> Scene:
    """Things on a table, worktop or floor, seen from 0.4 to 1.6 m; behind the edge the floor and perhaps walls."""
    away = r.uniform(0.45, 1.1) if r.random() < 0.75 else r.uniform(0.9, 2)
    pitch, fov = r.uniform(14, 68), r.uniform(42, 75)
    up, aim = away * math.sin(math.radians(pitch)), away * math.cos(math.radians(pitch))
    w, d, h = r.uniform(0.8, 2.6), r.uniform(0.7, 1.8), r.choice((0, *(r.uniform(0.45, 0.95) for _ in range(5))))
    yaw = r.gauss(0, 25)
    camera = Viewpoint((r.gauss(0, 0.05), -(h + up), -aim), r.gauss(0, 5), pitch + r.gauss(0, 4), r.gauss(0, 4), fov)
    bulb = (r.uniform(-2, 2), -(h + r.uniform(0.8, 2)), r.uniform(-2, 2))
    scene = Scene(camera, lamp(r, bulb), NO_SKY)
    top = LocalFrame(scene).at(0, h, 0, yaw)
    material = r.choice((m.wood, m.wood, m.wood, m.lacquer, m.cloth, m.floor, m.painted))(r)
    if h:
        box(top, r.gauss(0, 0.2), -0.04, r.uniform(-0.1, 0.3) * d, w, 0.04, d, material)
        if r.random() < 0.3:
            props.legs(r, top.at(0, -h, 0), w, d, h - 0.05, 0.06, material)
    _surroundings(r, scene, h, d)
    _strew(r, top, min(0.8, 0.75 * away * math.tan(math.radians(fov / 2))))
    return scene
