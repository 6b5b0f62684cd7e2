"""What closes a room: shells, walls with doorways and windows, what hangs on them, and what is seen through them."""

from __future__ import annotations

from random import Random

from . import materials as m
from . import props
from .intersect import BOX
from .roadside import bush, tree
from .scene import LocalFrame, Material, Number
from .shapes import box


def enclose(f: LocalFrame, x: Number, z: Number, w: Number, h: Number, d: Number, wall: Material) -> None:
    """A room's shell: seen from inside."""
    f.add(BOX, (x, 0, z), (w, h, d), wall, encloses=True)


def wall_frame(f: LocalFrame, side: int, w: Number, d: Number) -> tuple[LocalFrame, Number]:
    """A frame on wall 0 ahead, 1 right, 2 left, 3 behind, its -z into the room, and the wall's length."""
    where = ((0, d / 2), (w / 2, 0), (-w / 2, 0), (0, -d / 2))[side]
    return f.at(where[0], 0, where[1], (0, 90, -90, 180)[side]), w if side in (0, 3) else d


def pierced(
    wall: LocalFrame, length: Number, h: Number, hole: tuple[Number, Number, Number, Number], paint: Material
) -> None:
    """A wall with an opening (x, up, width, height) in it, and a frame around that."""
    x, up, w, t = hole
    thick, left, right = 0.16, x - w / 2 + length / 2, length / 2 - x - w / 2
    if left > 0.02:
        box(wall, (left - length) / 2, 0, thick / 2, left, h, thick, paint)
    if right > 0.02:
        box(wall, (length - right) / 2, 0, thick / 2, right, h, thick, paint)
    if h - up - t > 0.02:
        box(wall, x, up + t, thick / 2, w, h - up - t, thick, paint)
    if up > 0.02:
        box(wall, x, 0, thick / 2, w, up, thick, paint)


def frame(wall: LocalFrame, hole: tuple[Number, Number, Number, Number], paint: Material, bars: int) -> None:
    """Jambs, lintel and bars of an opening."""
    x, up, w, t = hole
    for side in (-1, 1):
        box(wall, x + side * w / 2, up, 0.05, 0.08, t, 0.24, paint)
    box(wall, x, up + t, 0.05, w, 0.08, 0.24, paint)
    for i in range(bars):
        box(wall, x + ((i + 1) / (bars + 1) - 0.5) * w, up, 0.06, 0.06, t, 0.06, paint)


def doorway(r: Random, f: LocalFrame, w: Number, h: Number, d: Number) -> None:
    """A room whose far wall has an opening to another room, which belongs to the same shell."""
    deep = r.uniform(1.5, 5)
    enclose(f, 0, deep / 2, w, h, d + deep, m.painted(r))
    wall = f.at(0, 0, d / 2)
    wide = r.choice((0.8, 0.9, 1.4, r.uniform(1, 3)))
    wide = min(wide, w * 0.8)
    hole = (r.uniform(-0.5, 0.5) * (w - wide), 0, wide, min(h - 0.1, r.uniform(2, 2.3)))
    pierced(wall, w, h, hole, m.painted(r))
    if r.random() < 0.7:
        frame(wall, hole, m.wood(r) if r.random() < 0.5 else m.lacquer(r), 0)
    if wide < 1 and r.random() < 0.5:
        box(wall.at(hole[0] - wide / 2, 0, 0.1, r.uniform(-160, -60)), wide / 2, 0, 0, wide, 2, 0.04, m.fronts(r))
    back = f.at(0, 0, d / 2 + deep)
    if r.random() < 0.6:
        box(back, hole[0] + r.gauss(0, 0.5), 0.9, -0.04, r.uniform(0.6, 2), 1.2, 0.05, m.window_view(r))
    for _ in range(r.choice((0, 1, 1, 2))):
        prop = r.choice((props.cabinet, props.shelf, props.table, props.plant, props.armchair))
        prop(r, back.at(hole[0] + r.gauss(0, 0.6), 0, -r.uniform(0.4, 0.7 * deep)))


def glasshouse(r: Random, f: LocalFrame, w: Number, h: Number, d: Number, side: int) -> None:
    """A room of six walls, one with a large window or open door to what is out there: sun falls in."""
    paint = m.painted(r)
    for other in range(4):
        wall, length = wall_frame(f, other, w, d)
        if other != side:
            box(wall, 0, 0, 0.1, length + 0.4, h, 0.2, paint if r.random() < 0.7 else m.painted(r))
    box(f, 0, h, 0, w + 0.6, 0.2, d + 0.6, m.painted(r))
    wall, length = wall_frame(f, side, w, d)
    up = r.choice((0, 0.05, 0.4, 0.9))
    wide = min(r.uniform(0.9, 4), 0.9 * length)
    hole = (r.uniform(-0.5, 0.5) * (length - wide), up, wide, min(h - 0.15, r.uniform(2, 2.6)) - up)
    pierced(wall, length, h, hole, paint)
    frame(wall, hole, m.lacquer(r) if r.random() < 0.7 else m.wood(r), r.choice((0, 1, 1, 2)))
    if r.random() < 0.6:
        cloth = m.curtain(r)
        for x in (-1, 1):
            wide_cloth = r.uniform(0.2, 0.7)
            box(wall, hole[0] + x * hole[2] * 0.55, 0.03, -0.12, wide_cloth, h - 0.15, 0.1, cloth)
    out = wall.at(hole[0], -r.choice((0.15, 0.15, 3)), 0)
    box(f, 0, -5, 0, 400, 4.8, 400, r.choice((m.grass, m.asphalt, m.earth))(r))
    if r.random() < 0.6:
        z = r.uniform(2, 15)
        facing = r.choice((m.facade, m.painted, m.foliage))(r)
        box(out, r.uniform(-2, 2), 0, z + 2, r.uniform(2, 20), r.uniform(1, 8), 0.5, facing, r.gauss(0, 15))
    for _ in range(r.choice((0, 1, 2))):
        z = r.uniform(2, 12)
        (bush if r.random() < 0.6 else tree)(r, out.at(r.uniform(-0.5, 0.5) * (z + 2), 0, z))


def hang(r: Random, wall: LocalFrame, length: Number, h: Number) -> None:
    """Something on a wall: window with curtains, door, picture, wall cupboard, mirror or radiator."""
    x, kind = r.uniform(-0.42, 0.42) * length, r.random()
    if kind < 0.3:
        w, t, up = r.uniform(0.6, 2.2), r.uniform(0.8, 1.6), r.uniform(0.1, 1.0)
        t = min(t, h - up - 0.2)
        box(wall, x, up - 0.06, 0, w + 0.12, t + 0.12, 0.1, m.lacquer(r))
        box(wall, x, up, -0.04, w, t, 0.05, m.window_view(r))
        if r.random() < 0.4:
            box(wall, x, up, -0.06, 0.05, t, 0.05, m.lacquer(r))
        if r.random() < 0.6:
            cloth = m.curtain(r)
            for side in (-1, 1):
                box(wall, x + side * w * 0.6, r.choice((0, up - 0.1)), -0.1, r.uniform(0.2, 0.6), h - 0.15, 0.1, cloth)
    elif kind < 0.5:
        w = r.uniform(0.75, 1.0)
        box(wall, x, 0, 0, w + 0.16, 2.1, 0.08, m.lacquer(r) if r.random() < 0.6 else m.wood(r))
        box(wall, x, 0, -0.03, w, 2.03, 0.06, r.choice((m.wood, m.painted, m.fronts, m.fronts))(r))
    elif kind < 0.82:
        w, t, up = r.uniform(0.2, 1.2), r.uniform(0.2, 0.9), r.uniform(1.1, 1.6)
        box(wall, x, up, 0, w, t, 0.05, m.wood(r) if r.random() < 0.6 else m.lacquer(r))
        box(wall, x, up + 0.04, -0.02, w - 0.08, t - 0.08, 0.04, m.picture(r) if r.random() < 0.85 else m.glass(r))
    elif kind < 0.93:
        box(wall, x, r.uniform(1.3, 1.6), -0.15, r.uniform(0.5, 2.0), r.uniform(0.3, 0.8), 0.35, m.fronts(r))
    else:
        box(wall, x, 0.12, -0.08, r.uniform(0.5, 1.4), 0.6, 0.1, m.lacquer(r))
