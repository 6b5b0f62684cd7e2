"""Furniture, and the lists of all things: each stands at a frame's origin.

Sizes in metres; x is the thing's width, z its depth with its front towards -z (towards the camera).
"""

from __future__ import annotations

from random import Random

from . import materials as m
from .intersect import BOX, CYLINDER
from .roadside import animal, bush, car, fence, hedge, person, pole, rock, stall, tree
from .scene import LocalFrame, Material, Number, rotation
from .shapes import Prop, ball, box, distance, legs, tube
from .tableware import books, bottle, bowl, carton, cup, fruit, heap, laptop, plate, small, tool

__all__ = ["ball", "box", "legs", "small", "tube"]


def strew(r: Random, f: LocalFrame, count: int, w: Number, d: Number, up: Number) -> None:
    """Small things on a top of w x d at a height; none where nobody could see them."""
    for _ in range(count if distance(f) < 5 else count // 2):
        small(r, f.at(r.uniform(-0.42, 0.42) * w, up, r.uniform(-0.4, 0.4) * d, r.uniform(0, 360)))


def table(r: Random, f: LocalFrame) -> None:
    """A dining table, desk or low table, sometimes with things on it."""
    w, d, h = r.uniform(0.6, 2.2), r.uniform(0.5, 1.1), r.choice((0.42, 0.74, 0.75, 0.9)) * r.uniform(0.9, 1.1)
    top, thick = m.wood(r) if r.random() < 0.7 else m.lacquer(r), r.uniform(0.02, 0.06)
    box(f, 0, h - thick, 0, w, thick, d, top)
    if r.random() < 0.8:
        legs(r, f, w * 0.95, d * 0.95, h - thick, r.uniform(0.03, 0.09), top)
    else:
        tube(f, 0, 0, 0, 0.12, h - thick, top)
    if r.random() < 0.15:
        box(f, 0, h, 0, w * 1.02, 0.006, d * 1.02, m.cloth(r))
    strew(r, f, r.choice((0, 1, 2, 4)), w, d, h)


def chair(r: Random, f: LocalFrame) -> None:
    """A chair of any make, plain or slatted."""
    chair_like(r, f, m.wood(r) if r.random() < 0.6 else m.lacquer(r), r.randrange(2**30))


def chair_like(r: Random, f: LocalFrame, material: Material, make: int) -> None:
    """A chair whose shape follows from `make`, so that a set looks alike: solid, spindle, ladder or lattice back."""
    shape = Random(make)
    w, h, back = shape.uniform(0.4, 0.52), shape.uniform(0.42, 0.48), shape.uniform(0.35, 0.65)
    seat = m.cloth(shape) if shape.random() < 0.4 else material
    thick, kind = shape.uniform(0.025, 0.05), shape.random()
    box(f, 0, h - 0.05, 0, w, shape.uniform(0.03, 0.08), w, seat)
    legs(shape, f, w, w, h - 0.04, thick, material)
    rear = f.at(0, h, w / 2 - 0.02, 0, 1, shape.uniform(2, 12))
    if kind < 0.25:
        box(rear, 0, shape.choice((0, 0.12)), 0, w, back, 0.03, seat)
        return
    for side in (-1, 1):
        box(rear, side * (w - 0.04) / 2, -0.02, 0, 0.04, back, 0.035, material)
    box(rear, 0, back - 0.1, 0, w, 0.1, 0.03, material)
    bars = shape.choice((2, 3, 4)) if distance(f) < 4 else 2
    if kind < 0.65:
        for i in range(bars):
            box(rear, ((i + 0.5) / bars - 0.5) * (w - 0.08), 0, 0, 0.035, back - 0.1, 0.02, material)
    if kind > 0.55:
        for i in range(bars - 1):
            box(rear, 0, 0.08 + i * (back - 0.12) / bars, 0, w, 0.05, 0.02, material)


def sofa(r: Random, f: LocalFrame) -> None:
    """An armchair or sofa."""
    w, d, h = r.uniform(0.7, 2.3), r.uniform(0.7, 1.0), r.uniform(0.38, 0.48)
    material, arm, back = m.cloth(r), r.uniform(0.1, 0.22), r.uniform(0.3, 0.65)
    box(f, 0, 0.06, 0, w, h - 0.06, d, material)
    box(f, 0, h, d / 2 - 0.1, w, back, 0.2, material)
    for side in (-1, 1):
        box(f, side * (w - arm) / 2, 0.06, 0, arm, h + 0.12, d, material)
    for _ in range(r.choice((0, 1, 2))):
        ball(f, r.uniform(-0.35, 0.35) * w, h, d * 0.2, 0.45, 0.4, 0.16, m.cloth(r))


def armchair(r: Random, f: LocalFrame) -> None:
    """A wing chair, a tub chair, or a lounge chair on a bent frame."""
    cloth, w, h = m.cloth(r), r.uniform(0.6, 0.8), r.uniform(0.36, 0.45)
    kind = r.random()
    if kind < 0.45:
        tall, wood = r.uniform(0.55, 0.8), m.wood(r)
        legs(r, f, w, 0.65, 0.16, 0.05, wood)
        box(f, 0, 0.15, 0, w, h - 0.1, 0.68, cloth)
        f.add(BOX, (0, h, 0.3), (w * 0.9, tall, 0.13), cloth, rotation(0, r.uniform(4, 12)))
        ball(f, 0, h + tall * 0.8, 0.36, w * 0.85, tall * 0.35, 0.14, cloth)
        for side in (-1, 1):
            box(f, side * w * 0.47, h * 0.6, -0.02, 0.11, h * 0.9, 0.62, cloth)
            box(f, side * w * 0.45, h + 0.2, 0.2, 0.07, tall * 0.75, 0.26, cloth, -side * 12)
        ball(f, 0, h - 0.03, -0.05, w * 0.85, 0.14, 0.6, cloth)
        return
    if kind < 0.7:
        box(f, 0, 0.08, 0, w, h - 0.06, w, cloth)
        for side in (-1, 1):
            ball(f, side * w * 0.5, 0.05, 0, 0.22, h + 0.2, w * 1.1, cloth)
        ball(f, 0, 0.1, w * 0.45, w * 1.1, h + r.uniform(0.3, 0.5), 0.26, cloth)
        return
    frame = m.metal(r) if r.random() < 0.5 else m.wood(r)
    f.add(BOX, (0, h - 0.08, 0), (w * 0.85, 0.09, 0.62), cloth, rotation(0, 8))
    f.add(BOX, (0, h - 0.02, 0.36), (w * 0.85, 0.62, 0.09), cloth, rotation(0, r.uniform(12, 28)))
    for edge in (-0.48, 0.48):
        for z, lean in ((-0.3, 8), (0.3, -14)):
            f.add(CYLINDER, (edge * w, 0, z), (0.045, h + 0.2, 0.045), frame, rotation(0, lean))
        f.add(BOX, (edge * w, h + 0.18, 0), (0.06, 0.03, 0.62), frame)
        f.add(BOX, (edge * w, 0, 0), (0.05, 0.03, 0.65), frame)


def bed(r: Random, f: LocalFrame) -> None:
    """A bed with its head at +z."""
    w, d, h = r.uniform(0.9, 1.9), r.uniform(1.9, 2.1), r.uniform(0.3, 0.6)
    box(f, 0, 0, 0, w, h * 0.5, d, m.wood(r))
    box(f, 0, h * 0.5, 0, w * 0.98, h * 0.5, d * 0.98, m.cloth(r))
    box(f, 0, h, -d * 0.15, w * 1.02, 0.05, d * 0.7, m.cloth(r))
    box(f, 0, 0, d / 2, w, h + r.uniform(0.2, 0.7), 0.06, m.wood(r))
    for x in (-0.25, 0.25):
        ball(f, x * w, h, d * 0.36, w * 0.42, 0.16, 0.4, m.cloth(r))


def cabinet(r: Random, f: LocalFrame) -> None:
    """A cupboard, chest of drawers, sideboard, fridge or wardrobe, with fronts and things on top."""
    w, d, h = r.uniform(0.4, 1.8), r.uniform(0.3, 0.65), r.choice((0.5, 0.8, 0.9, 1.2, 2.0)) * r.uniform(0.85, 1.15)
    material = m.wood(r) if r.random() < 0.6 else m.lacquer(r)
    if r.random() < 0.6:
        material = m.fronts(r)
        box(f, 0, 0, 0, w, h, d, material)
    else:
        box(f, 0, 0, 0, w, h, d, material)
        columns, rows = r.choice((1, 2, 3)), r.choice((1, 2, 3))
        for i in range(columns * rows if distance(f) < 4 else 0):
            cw, ch = w / columns, h / rows
            box(
                f,
                (i % columns + 0.5) * cw - w / 2,
                (i // columns) * ch + 0.03,
                -d / 2,
                cw - 0.05,
                ch - 0.06,
                0.03,
                material,
            )
    if r.random() < 0.4:
        plain = Material(m.pattern(r, "grain", "plain"), 1.0, material.a, m.toned(material.a, 0.8), 0.1, 0.2)
        box(f, 0, h, -0.01, w + 0.04, 0.03, d + 0.04, plain)
        h += 0.03
    if h < 1.4:
        strew(r, f, r.choice((0, 1, 3, 5)), w, d, h)
    if 0.6 < h < 1.1 and r.random() < 0.25:
        r.choice((screen, standing_lamp, plant))(r, f.at(r.uniform(-0.2, 0.2) * w, h, 0))


def shelf(r: Random, f: LocalFrame) -> None:
    """A bookcase or shop shelf: rows of spines or packets, and a few things in front."""
    w, d, h = r.uniform(0.5, 2.0), r.uniform(0.25, 0.45), r.uniform(0.8, 2.2)
    material, boards = m.wood(r) if r.random() < 0.6 else m.lacquer(r), r.choice((2, 3, 4, 5))
    for side in (-1, 1):
        box(f, side * w / 2, 0, 0, 0.03, h, d, material)
    stuff = r.random()
    if stuff < 0.7:
        pages = (m.books if r.random() < 0.75 else m.printed)(r)
        box(
            f,
            0,
            0,
            d * 0.15,
            w,
            h,
            d * 0.6,
            Material(pages.pattern, w * r.uniform(0.5, 1), pages.a, pages.b, pages.joints),
        )
    else:
        box(f, 0, 0, d / 2 - 0.01, w, h, 0.02, material)
    for i in range(boards + 1):
        box(f, 0, i * h / boards, 0, w, 0.03, d, material)
        if i < boards and stuff > 0.5:
            strew(r, f, r.choice((0, 1, 2)), w, 0.2 * d, i * h / boards + 0.03)


def plant(r: Random, f: LocalFrame) -> None:
    """A potted plant."""
    h, w = r.uniform(0.15, 0.5), r.uniform(0.15, 0.4)
    tube(f, 0, 0, 0, w, h, m.crockery(r), -0.2)
    for _ in range(r.choice((1, 2, 3))):
        s = r.uniform(0.8, 2.0) * w
        ball(
            f,
            r.uniform(-0.4, 0.4) * w,
            h + r.uniform(-0.1, 0.5) * w,
            r.uniform(-0.4, 0.4) * w,
            s,
            s * 1.2,
            s,
            m.foliage(r),
        )


def standing_lamp(r: Random, f: LocalFrame) -> None:
    """A lamp on a stand."""
    h = r.uniform(0.3, 1.7)
    tube(f, 0, 0, 0, 0.25, 0.02, m.metal(r))
    tube(f, 0, 0, 0, 0.03, h, m.metal(r))
    tube(f, 0, h, 0, r.uniform(0.2, 0.5), r.uniform(0.15, 0.35), m.lamp(r) if r.random() < 0.5 else m.cloth(r), 0.3)


def screen(r: Random, f: LocalFrame) -> None:
    """A television or monitor."""
    w = r.uniform(0.4, 1.2)
    box(f, 0, 0.06, 0, w, w * 0.58, 0.05, m.lacquer(r))
    box(f, 0, 0.08, -0.025, w * 0.95, w * 0.54, 0.02, m.display(r))
    box(f, 0, 0, 0, w * 0.3, 0.06, 0.2, m.rubber(r))


def desk(r: Random, f: LocalFrame) -> None:
    """A desk with screens, keyboard and papers, a chair before it."""
    w, d, top = r.uniform(1.1, 1.8), r.uniform(0.6, 0.8), m.wood(r) if r.random() < 0.5 else m.lacquer(r)
    box(f, 0, 0.71, 0, w, 0.03, d, top)
    for side in (-1, 1):
        box(f, side * (w - 0.05) / 2, 0, 0, r.choice((0.04, 0.4)), 0.71, d * 0.9, top)
    for i in range(r.choice((1, 1, 2))):
        screen(r, f.at((i - 0.3) * 0.6, 0.74, d * 0.2, r.gauss(0, 12), 0.75))
    strew(r, f, r.choice((1, 3, 5)), w, d, 0.74)
    if r.random() < 0.7:
        (office_chair if r.random() < 0.6 else chair)(r, f.at(r.gauss(0, 0.2), 0, -0.55, 180 + r.gauss(0, 35)))


def office_chair(r: Random, f: LocalFrame) -> None:
    """A swivel chair."""
    cloth, black = m.cloth(r), m.rubber(r)
    for a in (0, 60, 120):
        box(f, 0, 0.04, 0, 0.6, 0.05, 0.06, black, a)
    tube(f, 0, 0.08, 0, 0.06, 0.36, black)
    box(f, 0, 0.43, 0, 0.48, 0.08, 0.46, cloth)
    f.add(BOX, (0, 0.55, 0.24), (0.44, r.uniform(0.35, 0.65), 0.06), cloth, rotation(0, 8))
    for side in (-0.26, 0.26) if r.random() < 0.5 else ():
        box(f, side, 0.62, 0.02, 0.05, 0.03, 0.28, black)


def dining(r: Random, f: LocalFrame) -> None:
    """A laid or bare table with a set of chairs around it."""
    w, d, h = r.uniform(0.8, 2.2), r.uniform(0.75, 1.1), r.uniform(0.71, 0.78)
    top, make = m.wood(r) if r.random() < 0.8 else m.lacquer(r), r.randrange(2**30)
    paint = top if r.random() < 0.7 else m.wood(r)
    box(f, 0, h - 0.04, 0, w, 0.04, d, top)
    legs(r, f, w * 0.9, d * 0.9, h - 0.04, r.uniform(0.05, 0.1), top)
    strew(r, f, r.choice((1, 4, 7)), w, d, h)
    places = [(x * w / 4, side * (d / 2 + 0.12), 0 if side > 0 else 180) for side in (-1, 1) for x in (-1, 1)]
    if w < 1.3:
        places = [(0, side * (d / 2 + 0.12), 0 if side > 0 else 180) for side in (-1, 1)]
    if r.random() < 0.6:
        places += [(side * (w / 2 + 0.12), 0, 90 if side > 0 else -90) for side in (-1, 1)]
    for x, z, yaw in places:
        if r.random() < 0.9:
            chair_like(r, f.at(x + r.gauss(0, 0.05), 0, z + r.gauss(0, 0.08), yaw + r.gauss(0, 10)), paint, make)


def kitchen(r: Random, f: LocalFrame) -> None:
    """A run of cupboards below and above a worktop, tiles between, things on it, perhaps a fridge."""
    w, paint, top = r.uniform(1.2, 3.6), m.fronts(r), m.floor(r)
    box(f, 0, 0, 0, w, 0.87, 0.6, paint)
    box(f, 0, 0.87, -0.01, w, 0.04, 0.64, top)
    if r.random() < 0.6:
        box(f, 0, 0.91, 0.3, w, 0.55, 0.02, m.floor(r))
    if r.random() < 0.7:
        box(f, r.uniform(-0.2, 0.2) * w, 1.45, 0.13, w * r.uniform(0.5, 1), r.uniform(0.5, 0.8), 0.34, paint)
    if r.random() < 0.5:
        box(f, r.uniform(-0.3, 0.3) * w, 0.12, -0.3, 0.56, 0.7, 0.03, m.display(r))
    if r.random() < 0.5:
        box(f, r.choice((-1, 1)) * (w / 2 + 0.32), 0, 0, 0.62, r.uniform(1.2, 2), 0.65, m.metal(r))
    strew(r, f, r.choice((2, 4, 7)), w, 0.4, 0.91)


def bath(r: Random, f: LocalFrame) -> None:
    """A tub, a basin with a mirror, or a toilet."""
    white, kind = m.crockery(r), r.random()
    if kind < 0.35:
        for side in (-1, 1):
            box(f, side * 0.8, 0, 0, 0.08, 0.55, 0.75, white)
            box(f, 0, 0, side * 0.36, 1.6, 0.55, 0.08, white)
        box(f, 0, 0, 0, 1.6, 0.2, 0.7, white)
    elif kind < 0.7:
        box(f, 0, 0, 0, 0.5, 0.75, 0.4, m.fronts(r))
        box(f, 0, 0.75, 0, 0.65, 0.13, 0.5, white)
        box(f, 0, 1.15, 0.28, 0.6, 0.8, 0.02, m.glass(r))
    else:
        box(f, 0, 0.35, 0.25, 0.38, 0.4, 0.18, white)
        tube(f, 0, 0, -0.05, 0.28, 0.36, white, -0.2)
        tube(f, 0, 0.36, -0.08, 0.4, 0.05, white)


def stairs(r: Random, f: LocalFrame) -> None:
    """A flight of steps going up towards +z."""
    w, count, material = r.uniform(0.8, 1.4), r.randrange(5, 11), (m.wood if r.random() < 0.6 else m.floor)(r)
    for i in range(count):
        box(f, 0, 0, 0.27 * i, w, 0.18 * (i + 1), 0.27, material)
    if r.random() < 0.6:
        rail, slope = m.wood(r), rotation(0, -90 + 33.7)
        f.add(BOX, (w / 2, 0.9, 0.13 * count), (0.05, 0.32 * count, 0.05), rail, slope)


def clutter(r: Random, f: LocalFrame) -> None:
    """Boxes, bags, laundry, toys on the floor."""
    for _ in range(r.randrange(2, 6)):
        x, z, s = r.gauss(0, 0.3), r.gauss(0, 0.3), r.uniform(0.15, 0.5)
        kind = r.random()
        if kind < 0.5:
            paint = r.choice((m.printed, m.wood, m.lacquer))(r)
            box(f, x, 0, z, s, s * r.uniform(0.4, 1.3), s * r.uniform(0.6, 1), paint, r.uniform(0, 360))
        elif kind < 0.8:
            ball(f, x, -0.02, z, s * 1.2, s * r.uniform(0.4, 0.9), s, m.cloth(r))
        else:
            tube(f, x, 0, z, s * 0.6, s, m.lacquer(r), -0.1)


ALONG_WALLS: tuple[Prop, ...] = (
    cabinet,
    cabinet,
    cabinet,
    shelf,
    shelf,
    sofa,
    bed,
    table,
    desk,
    armchair,
    plant,
    chair,
)
OUT_OF_DOORS: tuple[Prop, ...] = (person, person, car, tree, tree, pole, animal, chair, bush, hedge, fence, stall, rock)
FURNITURE: tuple[Prop, ...] = (
    table,
    dining,
    chair,
    chair,
    armchair,
    sofa,
    cabinet,
    shelf,
    desk,
    plant,
    standing_lamp,
    clutter,
)
EVERYTHING: tuple[Prop, ...] = (
    *(table, chair, chair, armchair, armchair, sofa, cabinet, shelf, plant, standing_lamp, screen, desk, office_chair),
    *(cup, bottle, carton, books, fruit, heap, heap, plate, bowl, tool, laptop),
    *(person, animal, animal, car, car, tree, bush, rock),
)
