"""Close scenes of many things, none of which is what the photo is of: still lifes, crowded tops from above, racks and bins,
flower beds, thickets, screens on a desk. Each layout takes a random source and gives a Scene in metres.
"""

from __future__ import annotations

import math
from random import Random

from . import materials as m
from . import props
from .indoors import enclose
from .intersect import CYLINDER, ELLIPSOID
from .lights import NO_SKY, lamp, sky, sun
from .scene import LocalFrame, Number, Scene, Viewpoint, rotation
from .shapes import ball, box, tube
from .tableware import bottle, bowl, carton, cup, fruit, plate, small


def _lit(r: Random, camera: Viewpoint, up: Number) -> Scene:
    """A scene under a lamp somewhere above what stands `up` metres over the floor."""
    where = (r.uniform(-1.2, 1.2), -(up + r.uniform(0.4, 1.8)), r.uniform(-1.2, 0.8))
    return Scene(camera, lamp(r, where), NO_SKY)


def _apart(r: Random, count: int, wide: Number, deep: Number, gap: Number) -> list[tuple[float, float]]:
    """Up to `count` places in a rectangle around the origin, none nearer to another than `gap`."""
    found: list[tuple[float, float]] = []
    for _ in range(6 * count):
        x, z = r.uniform(-0.5, 0.5) * wide, r.uniform(-0.5, 0.5) * deep
        if len(found) < count and all(math.hypot(x - a, z - b) > gap for a, b in found):
            found.append((x, z))
    return found


def still_life(r: Random) -> Scene:
    """A few things close to the lens on a table, before a wall, a cloth or a room; some cut off by the picture's edge."""
    away, pitch, fov = r.uniform(0.25, 0.75), r.uniform(2, 38), r.uniform(28, 62)
    h = r.uniform(0.4, 0.9)
    up, back = away * math.sin(math.radians(pitch)) + 0.07, away * math.cos(math.radians(pitch))
    camera = Viewpoint((0, -(h + up), -back), r.gauss(0, 4), pitch + r.gauss(0, 3), r.gauss(0, 3), fov)
    scene = _lit(r, camera, h)
    top = LocalFrame(scene).at(0, h, 0, r.gauss(0, 15))
    behind, paint = r.uniform(0.15, 1.2), r.choice((m.wood, m.wood, m.lacquer, m.cloth, m.floor, m.painted))(r)
    box(top, 0, -0.04, 0, 2.4, 0.04, 2 * behind + 0.6, paint)
    kind = r.random()
    if kind < 0.45:
        box(top, 0, -1, behind, 5, 3, 0.05, r.choice((m.painted, m.painted, m.curtain, m.cloth, m.lacquer))(r))
    else:
        enclose(LocalFrame(scene), 0, 0, r.uniform(3, 6), 2.6, r.uniform(3, 8), m.painted(r))
        for _ in range(r.choice((0, 1, 2))):
            prop = r.choice((props.cabinet, props.shelf, props.chair, props.plant, props.sofa))
            prop(r, LocalFrame(scene).at(r.uniform(-1, 1), 0, behind + r.uniform(0.5, 1.5), r.uniform(-40, 40)))
    reach = 2 * away * math.tan(math.radians(fov / 2))
    big = r.uniform(0.8, 1.5)
    kinds = r.choice(((fruit, fruit, bowl), (cup, plate, bowl, bottle), (bottle, bottle, carton), (small,) * 3))
    for x, z in _apart(r, r.randrange(3, 9), 1.1 * reach, 0.9 * away, 0.09 * big):
        r.choice(kinds)(r, top.at(x, 0, z, r.uniform(0, 360), big * r.uniform(0.8, 1.25)))
    return scene


def overhead(r: Random) -> Scene:
    """Many things on a table top, on the floor or in a bin, seen from above."""
    away, pitch, fov = r.uniform(0.4, 1.3), r.uniform(48, 88), r.uniform(40, 72)
    h = r.choice((0, r.uniform(0.4, 0.9)))
    up, back = away * math.sin(math.radians(pitch)), away * math.cos(math.radians(pitch))
    camera = Viewpoint((r.gauss(0, 0.04), -(h + up), -back), r.gauss(0, 8), pitch, r.gauss(0, 6), fov)
    scene = _lit(r, camera, h + 0.3)
    floor = LocalFrame(scene)
    box(floor, 0, -0.05, 0, 30, 0.05, 30, m.floor(r))
    top = floor.at(0, h, 0, r.uniform(0, 360))
    wide = r.uniform(0.5, 1.8)
    deep = wide * r.uniform(0.5, 1)
    if h:
        box(top, 0, -0.04, 0, wide, 0.04, deep, r.choice((m.wood, m.wood, m.lacquer, m.cloth))(r))
    reach = min(wide, 1.6 * away * math.tan(math.radians(fov / 2)))
    if r.random() < 0.35:
        bin_(r, top, reach, min(deep, reach) * r.uniform(0.6, 1), r.uniform(0.08, 0.3))
    big = r.uniform(0.8, 1.2)
    for x, z in _apart(r, r.randrange(6, 22), 0.85 * reach, 0.85 * min(deep, reach), 0.1 * big):
        small(r, top.at(x, r.choice((0, 0, 0, 0.05)), z, r.uniform(0, 360), big * r.uniform(0.8, 1.2)))
    return scene


def bin_(r: Random, f: LocalFrame, w: Number, d: Number, h: Number) -> None:
    """An open box of four boards and a bottom."""
    paint, thick = r.choice((m.lacquer, m.wood, m.printed, m.metal))(r), r.uniform(0.008, 0.03)
    box(f, 0, 0, 0, w, thick, d, paint)
    for side in (-1, 1):
        box(f, side * w / 2, 0, 0, thick, h, d, paint)
        box(f, 0, 0, side * d / 2, w, h, thick, paint)


def rack(r: Random) -> Scene:
    """Shelves full of small things, or bins in rows, from near: a shop, a pantry, a warehouse."""
    away, boards, step = r.uniform(0.5, 1.8), r.choice((2, 3, 4)), r.uniform(0.22, 0.4)
    h, w, d = boards * step, r.uniform(1.2, 3), r.uniform(0.25, 0.45)
    camera = Viewpoint(
        (r.uniform(-0.4, 0.4), -r.uniform(0.35, 0.9) * h - 0.1, -away),
        r.gauss(0, 16),
        r.gauss(4, 9),
        r.gauss(0, 3),
        r.uniform(45, 78),
    )
    scene = _lit(r, camera, h)
    f = LocalFrame(scene)
    box(f, 0, -0.05, 0, 20, 0.05, 20, m.floor(r))
    box(f, 0, 0, d / 2 + 0.01, 12, 3, 0.05, m.painted(r))
    paint = r.choice((m.wood, m.lacquer, m.metal))(r)
    for i in range(boards + 1):
        box(f, 0, i * step - 0.02, 0, w, 0.02, d, paint)
    for side in (-1, 1):
        box(f, side * w / 2, 0, 0, 0.03, h, d, paint)
    span = min(w, 2.4 * away * math.tan(math.radians(float(camera.fov) / 2)))
    binned = r.random() < 0.3
    for i in range(boards):
        x, alike = -span / 2, r.choice((None, carton, bottle, cup, bowl, fruit))
        while x < span / 2:
            wide = r.uniform(0.09, 0.2) if not binned else r.uniform(0.2, 0.35)
            place = f.at(x + wide / 2, i * step, r.uniform(-0.35, -0.05) * d, r.gauss(0, 12))
            if binned:
                bin_(r, place, wide * 0.9, d * 0.7, step * r.uniform(0.3, 0.6))
            elif r.random() < 0.85:
                (alike or small)(r, place)
            x += wide
    return scene


def flowers(r: Random) -> Scene:
    """Blossoms and leaves close to the lens, out of doors."""
    away, up = r.uniform(0.25, 1.0), r.uniform(0.15, 0.8)
    camera = Viewpoint((0, -up - 0.2, -away), r.gauss(0, 10), r.uniform(0, 45), r.gauss(0, 4), r.uniform(30, 65))
    scene = Scene(camera, sun(r), sky(r))
    f = LocalFrame(scene)
    box(f, 0, -1, 0, 400, 1, 400, r.choice((m.earth, m.grass, m.foliage))(r))
    if r.random() < 0.6:
        box(f, 0, 0, r.uniform(1.5, 8), 60, r.uniform(1, 4), 0.5, r.choice((m.foliage, m.foliage, m.facade, m.wood))(r))
    leaves = m.foliage(r)
    petals, heart = (
        m.Material(m.pattern(r, "plain", "noise"), 0.3, c, m.toned(c, 0.7))
        for c in (m.muted(r, (0.3, 1), 0.9), m.muted(r, (0.2, 0.9), 0.6))
    )
    for _ in range(r.randrange(8, 20)):
        x, z, high = (
            r.uniform(-0.7, 0.7) * away,
            r.uniform(-0.4, 1.5) * away,
            r.uniform(0.1, 0.35) + up * r.uniform(0.2, 0.8),
        )
        tube(f, x, 0, z, r.uniform(0.004, 0.012), high, leaves)
        for _ in range(r.choice((1, 2))):
            turn = rotation(r.uniform(0, 360), r.uniform(-50, 50))
            size = (r.uniform(0.02, 0.07), 0.006, r.uniform(0.08, 0.22))
            f.add(ELLIPSOID, (x + r.gauss(0, 0.05), high * r.uniform(0.2, 0.8), z), size, leaves, turn)
        if r.random() < 0.65:
            blossom(r, f.at(x, high, z, r.uniform(0, 360), r.uniform(0.6, 1.5), r.uniform(-60, 30)), petals, heart)
    return scene


def thicket(r: Random) -> Scene:
    """Twigs, leaves and wires close to the lens, and what lies far behind them: thin things before the sky."""
    camera = Viewpoint((0, -r.uniform(0.8, 2), 0), 0, r.gauss(-4, 12), r.gauss(0, 5), r.uniform(35, 75))
    scene = Scene(camera, sun(r), sky(r))
    f = LocalFrame(scene)
    box(f, 0, -1, 0, 2000, 1, 2000, r.choice((m.grass, m.earth, m.asphalt))(r))
    for _ in range(r.choice((0, 1, 2))):
        z = r.uniform(8, 50)
        box(
            f,
            r.uniform(-0.5, 0.5) * z,
            0,
            z,
            z * r.uniform(0.3, 1),
            r.uniform(3, 12),
            4,
            r.choice((m.facade, m.foliage))(r),
        )
    eye, bark, leaves = f.at(0, -float(camera.position[1]), 0), m.bark(r), m.foliage(r)
    wired = r.random() < 0.3
    for _ in range(r.randrange(8, 26)):
        z = 0.6 * 6 ** r.random()
        x, up = r.uniform(-0.7, 0.7) * z, r.uniform(-0.6, 0.5) * z
        thick, tall = (0.004 if wired else r.uniform(0.004, 0.03)) * z, z * r.uniform(0.3, 1.3)
        lean = rotation(r.uniform(0, 360), r.gauss(90, 6) if wired else r.uniform(-70, 70))
        eye.add(CYLINDER, (x, up, z), (thick, 4 * tall if wired else tall, thick), bark, lean, 0.0 if wired else 0.3)
        for _ in range(0 if wired else r.choice((0, 1, 3))):
            s = z * r.uniform(0.02, 0.09)
            at = (x + r.gauss(0, 0.1) * z, up + r.uniform(0, 0.4) * z, z + r.gauss(0, 0.05) * z)
            eye.add(
                ELLIPSOID,
                at,
                (s, s * 0.1, s * r.uniform(1, 2.5)),
                leaves,
                rotation(r.uniform(0, 360), r.uniform(-80, 80)),
            )
    return scene


def blossom(r: Random, f: LocalFrame, petals: m.Material, heart: m.Material) -> None:
    """A flower of five to eight petals around a heart."""
    count, wide = r.choice((5, 6, 8)), r.uniform(0.02, 0.035)
    for i in range(count):
        turn = 360 * i / count
        a = math.radians(turn)
        where = (wide * math.sin(a), -0.002, wide * math.cos(a))
        f.add(ELLIPSOID, where, (wide, 0.006, wide * 1.7), petals, rotation(turn, r.uniform(-25, 5)))
    ball(f, 0, 0, 0, wide * 0.8, wide * 0.5, wide * 0.8, heart)


def workplace(r: Random) -> Scene:
    """Screens, lit or dark, and what lies before them on a desk, from where one sits."""
    away, h = r.uniform(0.5, 1.1), r.uniform(0.68, 0.78)
    camera = Viewpoint(
        (r.gauss(0, 0.15), -(h + r.uniform(0.15, 0.6)), -away),
        r.gauss(0, 14),
        r.uniform(-2, 25),
        r.gauss(0, 3),
        r.uniform(45, 75),
    )
    scene = _lit(r, camera, h + 0.6)
    f = LocalFrame(scene)
    deep = r.uniform(3, 7)
    enclose(f, 0, 0.5 * deep - away - r.uniform(0.3, 1.5), r.uniform(3, 7), 2.7, deep, m.painted(r))
    box(f, 0, -0.03, 0, 20, 0.03, 20, m.floor(r))
    box(
        f,
        0,
        h - 0.03,
        0.1,
        r.uniform(1.2, 2),
        0.03,
        r.uniform(0.7, 0.9),
        (m.wood if r.random() < 0.6 else m.lacquer)(r),
    )
    count = r.choice((1, 1, 2, 2, 3))
    for i in range(count):
        turn = 18 * (i - (count - 1) / 2)
        props.screen(
            r,
            f.at(0.55 * (i - (count - 1) / 2), h, 0.25 - 0.02 * abs(turn), turn + r.gauss(0, 5), r.uniform(0.6, 0.85)),
        )
    for x, z in _apart(r, r.randrange(2, 9), 1.2, 0.5, 0.13):
        small(r, f.at(x, h, z - 0.15, r.gauss(0, 40)))
    return scene
