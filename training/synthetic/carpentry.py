"""Seats, tables, shelves, racks, ladders and lamps as things of their own, of bars, boards and cushions.

Units are metres; points are (x, up, z), the front towards -z.
"""

from __future__ import annotations

import itertools
import math
from random import Random

from . import materials as m
from .implicit_solids import CUT, PUT
from .kit import Kit, shell
from .scene import Material, Number, Vec, rotation
from .shapes import ball, box, tube
from .solid_builder import polar
from .tableware import small

CORNERS = tuple(itertools.product((-1, 1), (-1, 1)))


def timber(r: Random) -> Material:
    """What furniture is built of: wood, lacquer, metal, plastic."""
    return r.choice((m.wood, m.wood, m.lacquer, m.metal, m.crockery))(r)


def _legs(r: Random, kit: Kit, w: Number, d: Number, h: Number, paint: Material, rungs: bool) -> None:
    """Four legs under a w x d top, straight or splayed, round or square, often with rungs between them."""
    thick, splay, round_ = r.uniform(0.025, 0.055), r.choice((1.0, 1.0, r.uniform(1.05, 1.35))), r.random() < 0.5
    taper = r.choice((0.0, -0.3))
    feet: dict[tuple[int, int], tuple[Vec, Vec]] = {}
    for x, z in CORNERS:
        top, foot = (x * (w - thick) / 2, h, z * (d - thick) / 2), (x * w * splay / 2, 0.0, z * d * splay / 2)
        feet[x, z] = (top, foot)
        if round_:
            kit.rod(top, foot, thick, paint, taper)
        else:
            kit.bar(top, foot, thick, thick, paint)
    if rungs:
        for (one, other), up in (
            (((-1, -1), (-1, 1)), 0.35), (((1, -1), (1, 1)), 0.35), (((-1, 1), (1, 1)), 0.5), (((-1, -1), (1, -1)), 0.25),
        ):  # fmt: skip
            a, b = (_between(*feet[corner], 1 - up) for corner in (one, other))
            kit.rod(a, b, thick * 0.65, paint)


def _between(a: Vec, b: Vec, t: Number) -> Vec:
    """The point t of the way from a to b."""
    x, y, z = (p + t * (q - p) for p, q in zip(a, b, strict=True))
    return (x, y, z)


def _back(r: Random, kit: Kit, w: Number, h: Number, z: Number, tall: Number, paint: Material, pad: Material) -> None:
    """A back rest above height h: boards across, spindles, a bow with sticks, a panel, or a cross."""
    lean, kind = (
        math.tan(math.radians(r.uniform(2, 16))) * tall,
        r.choice(("ladder", "spindles", "bow", "panel", "cross")),
    )
    thick = r.uniform(0.02, 0.04)
    top_z = z + lean
    ends = [((x * w / 2, h, z), (x * w / 2 * r.choice((1.0, 1.0, 0.9)), h + tall, top_z)) for x in (-1.0, 1.0)]
    if kind == "bow":
        arc: list[Vec] = []
        for i in range(11):
            a = math.pi * i / 10
            rise = math.sin(a)
            arc.append((w / 2 * math.cos(a), h + tall * rise, z + lean * rise))
        kit.path(arc, thick, paint)
        for i in range(r.randrange(3, 8)):
            t = (i + 1) / 8 * 2 - 1
            rise = math.sqrt(max(0.0, 1 - t * t))
            kit.rod((t * w * 0.45, h, z), (t * w / 2, h + tall * rise, z + lean * rise), thick * 0.5, paint)
        return
    for low, high in ends:
        kit.bar(low, high, thick, thick * 1.2, paint)
    kit.bar(ends[0][1], ends[1][1], thick, thick * r.uniform(1.5, 4), paint)
    if kind == "ladder":
        for t in (i / 4 for i in range(1, r.choice((3, 4)))):
            one, other = (_between(*end, t) for end in ends)
            kit.bar(one, other, thick * 0.6, tall * r.uniform(0.08, 0.16), paint)
    elif kind == "spindles":
        count = r.randrange(3, 8)
        for i in range(count):
            t = (i + 1) / (count + 1) * 2 - 1
            kit.rod((t * w / 2, h, z), (t * w / 2, h + tall, top_z), thick * 0.5, paint)
    elif kind == "panel":
        foot, head = ((0.0, h + t * tall, z + t * lean) for t in (r.choice((0.0, 0.25)), 0.95))
        kit.bar(foot, head, w * 0.94, thick * 0.8, pad)
    else:
        kit.bar(ends[0][0], ends[1][1], thick, thick, paint)
        kit.bar(ends[1][0], ends[0][1], thick, thick, paint)


def chair(r: Random, kit: Kit) -> None:
    """A chair: seat, legs, a back of any kind, sometimes arms, a cushion, or rockers."""
    paint = timber(r)
    pad = m.cloth(r) if r.random() < 0.5 else paint
    w, d, h = r.uniform(0.38, 0.52), r.uniform(0.38, 0.5), r.uniform(0.4, 0.48)
    thick = r.uniform(0.02, 0.07)
    box(kit.frame, 0, h - 0.03, 0, w, thick, d, pad if thick > 0.04 else paint)
    _legs(r, kit, w * 0.92, d * 0.92, h, paint, r.random() < 0.5)
    _back(r, kit, w * 0.92, h, d * 0.46, r.uniform(0.3, 0.65), paint, pad)
    if r.random() < 0.3:
        up, wide = h + r.uniform(0.17, 0.24), w * r.uniform(0.95, 1.1)
        for x in (-1.0, 1.0):
            kit.bar((x * wide / 2, up, d * 0.5), (x * wide / 2, up, -d * 0.4), 0.045, 0.025, paint)
            kit.rod((x * wide / 2, up, -d * 0.3), (x * w * 0.46, h, -d * 0.3), 0.025, paint)
    if r.random() < 0.12:
        for x in (-1.0, 1.0):
            arc: list[Vec] = [(x * w * 0.46, 0.05 * t * t - 0.03, d * 0.35 * t) for t in (-2, -1, 0, 1, 2)]
            kit.path(arc, 0.035, paint)


def stool(r: Random, kit: Kit) -> None:
    """A stool, low or for a bar, with three or four legs or one foot; a bench where it is long."""
    paint, h = timber(r), r.choice((0.3, 0.45, 0.45, 0.7)) * r.uniform(0.9, 1.15)
    pad = m.cloth(r) if r.random() < 0.35 else paint
    kind, w = r.random(), r.uniform(0.28, 0.42)
    if kind < 0.3:
        long = w * r.uniform(1.5, 4)
        box(kit.frame, 0, h - 0.04, 0, long, 0.04, w, pad)
        _legs(r, kit, long * 0.85, w * 0.8, h - 0.04, paint, r.random() < 0.6)
        return
    kit.solid.rounded_cylinder((0, h, 0), (w, r.uniform(0.03, 0.09), w), pad, round=r.uniform(0.2, 0.9))
    if kind < 0.75:
        _legs(r, kit, w * 0.6, w * 0.6, h, paint, r.random() < 0.7)
        if r.random() < 0.3:
            kit.solid.ring((0, h * 0.35, 0), (w * 0.85, 0.02, w * 0.85), 0.02, m.metal(r), op=PUT)
        return
    kit.rod((0, 0, 0), (0, h, 0), 0.05, paint)
    arms = r.choice((3, 4, 5))
    for i in range(arms):
        x, z = polar(360 * i / arms, w * 0.75)
        kit.bar((0, 0.07, 0), (x, 0.03, z), 0.04, 0.03, paint)


def upholstered(r: Random, kit: Kit) -> None:
    """An armchair or sofa of soft blocks: seat, arms, back, cushions, feet."""
    cloth, seats = m.cloth(r) if r.random() < 0.75 else m.lacquer(r), r.choice((1, 1, 2, 3))
    w, d, h, soft = 0.6 * seats + 0.25, r.uniform(0.75, 0.95), r.uniform(0.36, 0.46), r.uniform(0.3, 0.9)
    solid, arm, tall, foot = kit.solid, r.uniform(0.1, 0.22), r.uniform(0.35, 0.6), r.uniform(0.03, 0.15)
    kit.blend = 0.02
    solid.block((0, (foot + h - 0.12) / 2, 0), (w, h - 0.12 - foot, d), cloth, round=0.2)
    lean = rotation(0, -r.uniform(0, 14))
    solid.block((0, h + tall / 2 - 0.1, d * 0.42), (w, tall + 0.3, 0.2), cloth, lean, round=soft)
    if r.random() < 0.85:
        up = h + r.uniform(0.08, 0.22)
        for x in (-1.0, 1.0):
            solid.block((x * (w - arm) / 2, (up + foot) / 2, 0), (arm, up - foot, d), cloth, round=soft)
    pad, inner = (cloth if r.random() < 0.7 else m.cloth(r)), w - 2 * arm
    for i in range(seats):
        x = ((i + 0.5) / seats - 0.5) * inner
        solid.block((x, h - 0.06, -0.04), (inner / seats, 0.16, d * 0.85), pad, round=0.6)
        if r.random() < 0.6:
            solid.block((x, h + tall * 0.4, d * 0.28), (inner / seats * 0.95, tall * 0.8, 0.16), pad, lean, round=0.8)
    if r.random() < 0.3:
        at = (r.uniform(-0.3, 0.3) * inner, h + 0.18, 0.05)
        solid.block(at, (0.36, 0.34, 0.12), m.cloth(r), rotation(r.uniform(-30, 30), -25), op=PUT, round=0.9)
    for x, z in CORNERS:
        kit.rod((x * w * 0.44, foot + 0.02, z * d * 0.42), (x * w * 0.44, 0, z * d * 0.42), 0.045, m.wood(r), -0.2)


def table(r: Random, kit: Kit) -> None:
    """A table, desk or trestle: any top on legs, a foot, or trestles; a shelf below, drawers, things on it."""
    paint = timber(r)
    top = paint if r.random() < 0.7 else timber(r)
    w, d, h, thick = r.uniform(0.5, 1.8), r.uniform(0.45, 0.9), r.choice((0.45, 0.75)), r.uniform(0.02, 0.05)
    kind = r.random()
    if kind < 0.3:
        w = d
        tube(kit.frame, 0, h - thick, 0, w, thick, top)
        if r.random() < 0.5:
            kit.rod((0, 0, 0), (0, h, 0), r.uniform(0.06, 0.12), paint)
            tube(kit.frame, 0, 0, 0, w * r.uniform(0.4, 0.6), 0.03, paint, 0.3)
        else:
            _legs(r, kit, w * 0.65, w * 0.65, h - thick, paint, False)
    elif kind < 0.85:
        box(kit.frame, 0, h - thick, 0, w, thick, d, top)
        _legs(r, kit, w * 0.93, d * 0.9, h - thick, paint, r.random() < 0.25)
        if r.random() < 0.5:
            box(kit.frame, 0, h - thick - 0.1, 0, w * 0.88, 0.1, d * 0.84, m.fronts(r) if r.random() < 0.5 else paint)
        if r.random() < 0.25:
            box(kit.frame, 0, h * 0.3, 0, w * 0.85, 0.02, d * 0.82, paint)
    else:
        box(kit.frame, 0, h - thick, 0, w, thick, d, top)
        for x, z in CORNERS:
            kit.bar((x * w * 0.35, h - thick, 0), (x * w * 0.35, 0, z * d * 0.4), 0.05, 0.03, paint)
        kit.bar((-w * 0.35, h * 0.5, 0), (w * 0.35, h * 0.5, 0), 0.03, 0.06, paint)
    for _ in range(r.choice((0, 0, 1, 3))):
        small(r, kit.frame.at(r.uniform(-0.35, 0.35) * w, h, r.uniform(-0.3, 0.3) * d, r.uniform(0, 360)))


def rack(r: Random, kit: Kit) -> None:
    """A shelf one sees through: posts or sides, boards or wires, with or without a back, things on its boards."""
    paint, w, d, h = timber(r), r.uniform(0.4, 1.3), r.uniform(0.22, 0.45), r.uniform(0.5, 1.8)
    levels, open_ = r.randrange(2, 6), r.random() < 0.55
    board = paint if r.random() < 0.7 else timber(r)
    for i in range(levels):
        up = h * i / (levels - 1) * 0.96 + 0.02
        if open_ and r.random() < 0.25:
            for j in range(6):
                x = (j / 5 - 0.5) * w
                kit.rod((x, up, -d / 2), (x, up, d / 2), 0.012, board)
        box(kit.frame, 0, up, 0, w, 0.02, d, board)
        for _ in range(r.choice((0, 1, 2)) if i < levels - 1 or h < 1 else 0):
            small(r, kit.frame.at(r.uniform(-0.4, 0.4) * w, up + 0.02, r.uniform(-0.25, 0.2) * d, r.uniform(0, 360)))
    if open_:
        for x, z in CORNERS:
            kit.rod((x * w * 0.49, 0, z * d * 0.46), (x * w * 0.49, h, z * d * 0.46), r.uniform(0.018, 0.04), paint)
        if r.random() < 0.4:
            kit.bar((-w / 2, 0.05, d / 2), (w / 2, h * 0.95, d / 2), 0.01, 0.03, paint)
    else:
        for x in (-1.0, 1.0):
            box(kit.frame, x * w / 2, 0, 0, 0.025, h, d, paint)
        if r.random() < 0.6:
            box(kit.frame, 0, 0, d / 2, w, h, 0.015, paint)


def cupboard(r: Random, kit: Kit) -> None:
    """A cupboard or chest: a body, doors or drawers that stand out a little, one perhaps open, knobs, feet."""
    paint = timber(r)
    front = paint if r.random() < 0.6 else timber(r)
    w, d, h, foot = r.uniform(0.4, 1.4), r.uniform(0.35, 0.6), r.uniform(0.5, 1.6), r.choice((0.0, 0.06, 0.15))
    f = kit.frame
    box(f, 0, foot, 0, w, h - foot, d, paint)
    if r.random() < 0.5:
        box(f, 0, h, 0, w * 1.05, 0.03, d * 1.06, paint)
    columns, rows, knob = r.choice((1, 2, 2, 3)), r.choice((1, 1, 2, 3, 4)), m.metal(r)
    cw, ch = w / columns, (h - foot) / rows
    for i, j in itertools.product(range(columns), range(rows)):
        x, up = (i + 0.5) * cw - w / 2, foot + j * ch
        out = r.uniform(0.1, 0.25) if rows > 1 and r.random() < 0.08 else 0.015
        box(f, x, up + 0.01, -d / 2 - out / 2, cw - 0.02, ch - 0.02, out, front)
        ball(f, x + (0 if rows > 1 else 0.35 * cw), up + ch * 0.5, -d / 2 - out - 0.015, 0.03, 0.03, 0.03, knob)
    for x, z in CORNERS if foot else ():
        kit.rod((x * w * 0.44, 0, z * d * 0.42), (x * w * 0.44, foot + 0.01, z * d * 0.42), 0.04, paint)


def ladder(r: Random, kit: Kit) -> None:
    """A step ladder, an easel, a clothes horse or a folding chair: frames that lean on each other."""
    paint, w, h = timber(r), r.uniform(0.35, 0.6), r.uniform(0.8, 1.6)
    apart, rungs = h * r.uniform(0.25, 0.45), r.randrange(3, 7)
    for z in (-1.0, 1.0):
        for x in (-1.0, 1.0):
            kit.bar((x * w / 2, 0, z * apart / 2), (x * w * 0.42, h, z * 0.02), 0.035, 0.05, paint)
        for i in range(1, rungs if z < 0 else r.choice((2, rungs))):
            t = i / rungs
            kit.bar(
                (-w * 0.47, t * h, z * apart / 2 * (1 - t)),
                (w * 0.47, t * h, z * apart / 2 * (1 - t)),
                0.06,
                0.025,
                paint,
            )
    kind = r.random()
    if kind < 0.4:
        box(kit.frame, 0, h, 0, w * 0.9, 0.03, 0.16, paint)
    elif kind < 0.65:
        a, b = ((0.0, t * h, -apart / 2 * (1 - t) - 0.04) for t in (0.3, 1.1))
        kit.bar(a, b, r.uniform(0.5, 0.8), 0.02, m.picture(r) if r.random() < 0.6 else m.printed(r))


def lamp(r: Random, kit: Kit) -> None:
    """A standing, table or desk lamp: a foot, straight or jointed rods, a hollow shade with its bulb."""
    steel, shade_paint = timber(r), r.choice((m.cloth, m.crockery, m.lacquer, m.metal))(r)
    foot, h = r.uniform(0.12, 0.22), r.uniform(0.3, 1.2)
    tube(kit.frame, 0, 0, 0, 2 * foot * r.uniform(0.7, 1), r.uniform(0.02, 0.06), steel, r.uniform(0, 0.4))
    wide, tall, narrow = r.uniform(0.2, 0.5), r.uniform(0.14, 0.35), r.uniform(0.3, 0.95)
    if r.random() < 0.5:
        body = r.random()
        if body < 0.5:
            kit.rod((0, 0, 0), (0, h, 0), 0.03, steel)
        else:
            kit.solid.ball((0, h * 0.4, 0), (wide * 0.6, h * 0.75, wide * 0.6), m.crockery(r))
            kit.rod((0, h * 0.5, 0), (0, h, 0), 0.03, steel)
        at, turn = (0.0, h, 0.0), rotation()
    else:
        elbow: Vec = (0, h * r.uniform(0.5, 0.8), r.uniform(0.05, 0.3))
        end: Vec = (r.uniform(-0.1, 0.1), h, -r.uniform(0.1, 0.4))
        kit.path([(0, 0.03, 0), elbow, end], 0.025, steel)
        at, turn = end, rotation(0, r.uniform(-60, 0))
    taper = (1 - narrow) / (1 + narrow)
    size = (wide * (1 + narrow) / 2, tall, wide * (1 + narrow) / 2)
    kit.solid.rounded_cylinder(at, size, shade_paint, turn, round=0.05, taper=taper)
    wall = 0.022
    inner = (size[0] - 2 * wall, tall * 1.6, size[2] - 2 * wall)
    kit.solid.rounded_cylinder(at, inner, shell(shade_paint, 1.1), turn, CUT, round=0.02, taper=taper * 1.6)
    kit.solid.ball(at, (0.08, 0.1, 0.08), m.lamp(r), op=PUT)
    kit.solid.rounded_cylinder(at, (wide * narrow * 0.97, 0.02, 0.02), steel, turn, op=PUT)


def bed(r: Random, kit: Kit) -> None:
    """A bed or cot: frame, mattress, blanket, pillows, boards or bars at its ends."""
    paint, w, d, h = timber(r), r.uniform(0.8, 1.7), r.uniform(1.6, 2.0), r.uniform(0.25, 0.45)
    box(kit.frame, 0, h * 0.5, 0, w, h * 0.3, d, paint)
    kit.solid.block((0, h + 0.02, 0), (w * 0.96, 0.24, d * 0.97), m.cloth(r), round=0.5)
    kit.solid.block((0, h + 0.08, -d * 0.15), (w * 1.0, 0.2, d * 0.66), m.cloth(r), round=0.6)
    for x in (-0.25, 0.25) if w > 1.1 else (0.0,):
        kit.solid.block(
            (x * w, h + 0.18, d * 0.38), (w * 0.42 if w > 1.1 else w * 0.7, 0.13, 0.32), m.cloth(r), round=1.0
        )
    for z, tall in ((1, r.uniform(0.3, 0.7)), (-1, r.uniform(0.0, 0.4))):
        for x in (-1.0, 1.0):
            kit.bar((x * w / 2, 0, z * d / 2), (x * w / 2, h + tall, z * d / 2), 0.06, 0.06, paint)
        if r.random() < 0.5:
            box(kit.frame, 0, h * 0.5, z * d / 2, w, h * 0.5 + tall, 0.04, paint)
        else:
            kit.bar((-w / 2, h + tall, z * d / 2), (w / 2, h + tall, z * d / 2), 0.05, 0.05, paint)
            for i in range(7):
                x = (i / 6 - 0.5) * w * 0.9
                kit.rod((x, h * 0.5, z * d / 2), (x, h + tall, z * d / 2), 0.025, paint)
