"""Small buildings as things of their own: houses, towers, churches, castles, mills, temples, blocks of flats.

Points are (x, up, z), units free, the front towards -z.
"""

from __future__ import annotations

import itertools
import math
from random import Random

from . import materials as m
from .implicit_solids import ADD, CUT
from .kit import Kit
from .scene import Material, Number, Vec, rotation
from .shapes import box, tube
from .solid_builder import polar


def walls(r: Random) -> Material:
    """Plaster, bricks, boards, stone."""
    kind, light = r.random(), m.muted(r, (0.5, 0.95), 0.4)
    if kind < 0.4:
        return Material(m.pattern(r, "plain", "stain"), 1.0, light, m.toned(light, 0.85), 0.1)
    a = m.colour(r, 0.06, 0.04, (0.1, 0.6), (0.35, 0.85))
    return Material(
        m.pattern(r, "bricks", "wood", "tiles", "slats", "noise"),
        r.uniform(0.15, 0.4),
        a,
        m.toned(a, 0.75),
        r.uniform(0.2, 0.5),
    )


def roofing(r: Random) -> Material:
    """Tiles, slate, thatch, tin."""
    a = m.colour(r, r.choice((0.02, 0.05, 0.6, 0.1)), 0.03, (0.05, 0.7), (0.2, 0.7))
    return Material(m.pattern(r, "tiles", "slats", "bricks", "noise"), r.uniform(0.1, 0.3), a, m.toned(a, 0.7), 0.4)


def _gable(
    kit: Kit, at: Vec, size: tuple[Number, Number, Number], pitch: Number, paint: Material, roof: Material
) -> Number:
    """A house of (width, wall height, depth) at a point, its ridge along z: a block cut by two slopes with boards on them;
    returns the ridge's height above the point."""
    w, h, d = size
    slope = math.tan(math.radians(pitch))
    rise, solid, f = slope * w / 2, kit.solid, kit.frame
    if not any(p.op == CUT for p in solid.parts):
        solid.block((at[0], at[1] + (h + rise) / 2, at[2]), (w, h + rise, d), paint, op=ADD, round=0.02)
        for side in (-1.0, 1.0):
            far, a = w, math.radians(pitch)
            x, up = at[0] + side * far * math.sin(a), at[1] + h + rise + far * math.cos(a)
            solid.block(
                (x, up, at[2]), (6 * w, 2 * far, 3 * d), paint, rotation(0, 0, side * pitch), op=CUT, round=0.01
            )
    else:
        # One roof is cut out of the solid; further ones are filled with steps, which their boards cover.
        box(f, at[0], at[1], at[2], w, h, d, paint)
        for i in range(8):
            box(f, at[0], at[1] + h + i * rise / 8, at[2], w * (1 - (i + 1) / 8), rise / 8, d * 0.98, paint)
    over = 0.12 * w
    for side in (-1.0, 1.0):
        ridge = (at[0], at[1] + h + rise + 0.01, at[2])
        eaves = (at[0] + side * (w / 2 + over), at[1] + h - slope * over + 0.01, at[2])
        kit.bar(ridge, eaves, d + 2 * over, 0.035, roof)
    return h + rise


def _openings(
    r: Random, kit: Kit, size: tuple[Number, Number, Number], rows: int, frame: Material, glass: Material
) -> None:
    """A door in front, and windows with frames on all four sides."""
    w, h, d = size
    door = h / rows * 0.68
    box(kit.frame, r.choice((0, -0.2, 0.2)) * w, 0, -d / 2, door * 0.5, door, 0.03, frame)
    for side, row in itertools.product(range(4), range(rows)):
        wide, turn = (w, 180 * (side // 2)) if side % 2 == 0 else (d, 90 + 180 * (side // 2))
        count = max(1, round(wide / h * rows * r.uniform(0.8, 1.6)))
        face = kit.frame.at(0, 0, 0, turn)
        for i in range(count):
            x, up = ((i + 0.5) / count - 0.5) * wide, (row + 0.4) * h / rows
            if side == 0 and row == 0 and abs(x) < 0.35 * w:
                continue
            tall, broad = h / rows * 0.4, min(0.6 * wide / count, h / rows * 0.35)
            reach = (d if side % 2 == 0 else w) / 2
            box(face, x, up - 0.02, -reach, broad + 0.05, tall + 0.05, 0.03, frame)
            box(face, x, up, -reach - 0.002, broad, tall, 0.035, glass)


def house(r: Random, kit: Kit) -> None:
    """A house with a gabled or hipped roof, chimney, door and windows, perhaps a porch or a wing."""
    paint, roof, frame, glass = walls(r), roofing(r), m.lacquer(r), m.glass(r)
    w, d, rows = r.uniform(0.6, 1.1), r.uniform(0.7, 1.4), r.choice((1, 1, 2))
    h, pitch = rows * r.uniform(0.35, 0.5), r.uniform(22, 55)
    if r.random() < 0.75:
        top = _gable(kit, (0, 0, 0), (w, h, d), pitch, paint, roof)
    else:
        box(kit.frame, 0, 0, 0, w, h, d, paint)
        top = h + r.uniform(0.25, 0.5)
        kit.solid.block((0, (h + top) / 2, 0), (w * 0.62, top - h, d * 0.62), roof, taper=0.85, round=0.02)
    _openings(r, kit, (w, h, d), rows, frame, glass)
    if r.random() < 0.6:
        box(kit.frame, w * 0.22, h, r.uniform(-0.3, 0.3) * d, 0.12, (top - h) * 1.15, 0.12, walls(r))
    if r.random() < 0.3:
        _gable(kit, (w * 0.75, 0, d * 0.15), (w * 0.6, h * 0.7, d * 0.6), pitch, paint, roof)
    if r.random() < 0.3:
        box(kit.frame, 0, h * 0.62, -d / 2 - 0.14, w * 0.8, 0.04, 0.32, roof)
        for x in (-0.36, 0.36):
            kit.rod((x * w, 0, -d / 2 - 0.26), (x * w, h * 0.63, -d / 2 - 0.26), 0.04, frame)


def church(r: Random, kit: Kit) -> None:
    """A nave with a steeple."""
    paint, roof, glass = walls(r), roofing(r), m.glass(r)
    w, h, d = r.uniform(0.5, 0.7), r.uniform(0.4, 0.6), r.uniform(0.9, 1.3)
    _gable(kit, (0, 0, 0), (w, h, d), r.uniform(40, 58), paint, roof)
    side, tall = w * r.uniform(0.5, 0.7), r.uniform(0.9, 1.4)
    z = -d / 2 - side * 0.3
    box(kit.frame, 0, 0, z, side, tall, side, paint)
    spire = r.uniform(0.4, 0.9)
    if r.random() < 0.5:
        tube(kit.frame, 0, tall, z, side * 0.56, spire, roof, 0.95)
    else:
        kit.solid.block((0, tall + spire / 2, z), (side * 0.58, spire, side * 0.58), roof, taper=0.9, round=0.02)
    box(kit.frame, 0, tall * 0.7, z, side * 0.35, tall * 0.15, side * 1.02, glass)
    box(kit.frame, 0, 0, z - side / 2, side * 0.45, h * 0.6, 0.03, m.wood(r))
    for i in range(4):
        box(kit.frame, 0, h * 0.3, (i - 1.3) * d * 0.22, w * 1.02, h * 0.5, 0.09, glass)


def tower(r: Random, kit: Kit) -> None:
    """A lighthouse, windmill, water tower or watch tower."""
    paint, roof, other, kind = walls(r), roofing(r), m.lacquer(r), r.randrange(3)
    high, wide = r.uniform(1.0, 1.6), r.uniform(0.35, 0.6)
    if kind == 2:
        for x, z in itertools.product((-1.0, 1.0), (-1.0, 1.0)):
            kit.bar(
                (x * wide * 0.7, 0, z * wide * 0.7), (x * wide * 0.4, high * 0.7, z * wide * 0.4), 0.04, 0.04, other
            )
        for z in (-1.0, 1.0):
            kit.bar(
                (-wide * 0.65, 0.1, z * wide * 0.65), (wide * 0.45, high * 0.6, z * wide * 0.45), 0.025, 0.025, other
            )
            kit.bar(
                (wide * 0.65, 0.1, z * wide * 0.65), (-wide * 0.45, high * 0.6, z * wide * 0.45), 0.025, 0.025, other
            )
        tube(kit.frame, 0, high * 0.7, 0, wide * 1.1, high * 0.35, paint)
        tube(kit.frame, 0, high * 1.05, 0, wide * 0.65, high * 0.2, roof, 0.9)
        return
    tube(kit.frame, 0, 0, 0, wide, high, paint, r.uniform(0.1, 0.35))
    tube(kit.frame, 0, high, 0, wide * 0.95, 0.05, other)
    tube(kit.frame, 0, high + 0.05, 0, wide * 0.5, 0.2, m.glass(r))
    tube(kit.frame, 0, high + 0.25, 0, wide * 0.4, 0.2, roof, 0.9)
    box(kit.frame, 0, 0, -wide * 0.58, 0.14, 0.26, 0.1, m.wood(r))
    if kind == 1:
        turn, at = r.uniform(0, 90), (0.0, high * 0.95, -wide * 0.62)
        kit.rod((0, at[1], 0), at, 0.07, other)
        for i in range(4):
            x, up = polar(turn + 90 * i, 0.75)
            kit.bar(at, (x, at[1] + up, at[2]), 0.02, 0.03, other)
            u, v = polar(turn + 90 * i + 14, 0.45)
            kit.bar(
                (u * 0.35, at[1] + v * 0.35, at[2]), (u * 1.5, at[1] + v * 1.5, at[2]), 0.012, 0.18, m.cloth(Random(5))
            )


def castle(r: Random, kit: Kit) -> None:
    """Towers joined by walls with battlements."""
    stone, roof = walls(r), roofing(r)
    w, d, h, tall = r.uniform(0.9, 1.4), r.uniform(0.7, 1.2), r.uniform(0.35, 0.55), r.uniform(0.6, 0.9)
    pointed, wide = r.random() < 0.6, r.uniform(0.22, 0.34)
    for x, z in itertools.product((-1.0, 1.0), (-1.0, 1.0)):
        tube(kit.frame, x * w / 2, 0, z * d / 2, wide, tall, stone)
        if pointed:
            tube(kit.frame, x * w / 2, tall, z * d / 2, wide * 0.62, wide * 1.2, roof, 0.95)
    for z in (-1.0, 1.0):
        box(kit.frame, 0, 0, z * d / 2, w, h, 0.1, stone)
        box(kit.frame, z * w / 2, 0, 0, 0.1, h, d, stone)
        for i in range(7):
            box(kit.frame, (i / 6 - 0.5) * w * 0.8, h, z * d / 2, 0.06, 0.07, 0.1, stone)
            box(kit.frame, z * w / 2, h, (i / 6 - 0.5) * d * 0.75, 0.1, 0.07, 0.06, stone)
    box(kit.frame, 0, 0, -d / 2 - 0.01, 0.22, h * 0.65, 0.11, m.wood(r))
    if r.random() < 0.6:
        box(kit.frame, 0, 0, 0.1 * d, w * 0.4, tall * 1.2, d * 0.4, stone)


def temple(r: Random, kit: Kit) -> None:
    """Columns on steps under a roof: a temple, pavilion, gazebo or bus stop."""
    stone, roof = walls(r), roofing(r)
    w, d, h, count = r.uniform(0.8, 1.3), r.uniform(0.6, 1.2), r.uniform(0.5, 0.8), r.randrange(2, 6)
    for i in range(r.choice((1, 2, 3))):
        box(kit.frame, 0, 0.05 * i, 0, w * (1.25 - 0.08 * i), 0.05, d * (1.25 - 0.08 * i), stone)
    thick = r.uniform(0.06, 0.11)
    for i, z in itertools.product(range(count), (-1, 1)):
        x = (i / (count - 1) - 0.5) * w
        tube(kit.frame, x, 0.1, z * d / 2, thick, h, stone, 0.1)
        box(kit.frame, x, 0.08 + h, z * d / 2, thick * 1.4, 0.05, thick * 1.4, stone)
    for x in (-1.0, 1.0):
        tube(kit.frame, x * w / 2, 0.1, 0, thick, h, stone, 0.1)
    box(kit.frame, 0, h + 0.12, 0, w * 1.15, 0.08, d * 1.2, stone)
    if r.random() < 0.7:
        _gable(kit, (0, h + 0.2, 0), (w * 1.1, 0.03, d * 1.15), r.uniform(12, 35), stone, roof)
    if r.random() < 0.3:
        box(kit.frame, 0, 0.1, 0, w * 0.5, h, d * 0.5, walls(r))


def flats(r: Random, kit: Kit) -> None:
    """A block of flats or an office tower: stacked boxes with rows of windows, balconies, a roof house."""
    paint, glass, rail = walls(r), m.glass(r), m.metal(r)
    w, d, floors, up = r.uniform(0.4, 0.9), r.uniform(0.35, 0.7), r.randrange(3, 9), 0.0
    tall, bays = r.uniform(0.16, 0.24), r.randrange(3, 6)
    box(kit.frame, 0, 0, 0, w, floors * tall + 0.04, d, paint)
    for i in range(floors):
        up = i * tall
        for j in range(bays):
            x = ((j + 0.5) / bays - 0.5) * w * 0.95
            box(kit.frame, x, up + tall * 0.3, 0, w / bays * 0.6, tall * 0.5, d + 0.012, glass)
        box(kit.frame, 0, up + tall * 0.3, 0, w + 0.012, tall * 0.5, d * 0.7, glass)
        if i and r.random() < 0.5:
            x = r.choice((-0.25, 0.25, 0.0)) * w
            box(kit.frame, x, up + 0.02, -d / 2 - 0.06, w * 0.3, 0.02, 0.14, paint)
            box(kit.frame, x, up + 0.02, -d / 2 - 0.12, w * 0.3, 0.08, 0.012, rail)
    if r.random() < 0.5:
        box(kit.frame, r.uniform(-0.2, 0.2) * w, floors * tall + 0.03, 0, w * 0.35, 0.12, d * 0.4, paint)
