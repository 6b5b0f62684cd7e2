"""Things made of a few primitives: furniture, crockery, cars, trees, people, each standing at a frame's origin.

Sizes in metres; x is the thing's width, z its depth with its front towards -z (towards the camera).
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from . import materials as m
from .intersect import BOX, CYLINDER, ELLIPSOID
from .scene import Frame, Material, Number, rotation

Prop = Callable[[Random, Frame], None]


def box(
    f: Frame, x: Number, up: Number, z: Number, w: Number, h: Number, d: Number, material: Material, yaw: Number = 0
) -> None:
    """A box standing at (x, up, z)."""
    f.add(BOX, (x, up, z), (w, h, d), material, rotation(yaw))


def ball(f: Frame, x: Number, up: Number, z: Number, w: Number, h: Number, d: Number, material: Material) -> None:
    """An ellipsoid standing at (x, up, z)."""
    f.add(ELLIPSOID, (x, up, z), (w, h, d), material)


def tube(
    f: Frame, x: Number, up: Number, z: Number, w: Number, h: Number, material: Material, taper: Number = 0.0
) -> None:
    """An upright cylinder; taper > 0 is wider at the bottom (local y points down)."""
    f.add(CYLINDER, (x, up, z), (w, h, w), material, taper=taper)


def legs(r: Random, f: Frame, w: Number, d: Number, h: Number, thick: Number, material: Material) -> None:
    """Four legs under a w x d top."""
    round_legs = r.random() < 0.4
    for x in (-1, 1):
        for z in (-1, 1):
            px, pz = x * (w - thick) / 2, z * (d - thick) / 2
            if round_legs:
                tube(f, px, 0, pz, thick, h, material)
            else:
                box(f, px, 0, pz, thick, h, thick, material)


def table(r: Random, f: Frame) -> None:
    """A dining table, desk or low table, sometimes with things on it."""
    w, d, h = r.uniform(0.6, 2.2), r.uniform(0.5, 1.1), r.choice((0.42, 0.74, 0.75, 0.9)) * r.uniform(0.9, 1.1)
    top, thick = m.wood(r) if r.random() < 0.7 else m.lacquer(r), r.uniform(0.02, 0.06)
    box(f, 0, h - thick, 0, w, thick, d, top)
    if r.random() < 0.8:
        legs(r, f, w * 0.95, d * 0.95, h - thick, r.uniform(0.03, 0.09), top)
    else:
        tube(f, 0, 0, 0, 0.12, h - thick, top)
    for _ in range(r.choice((0, 1, 2, 3))):
        small(r, f.at(r.uniform(-0.4, 0.4) * w, h, r.uniform(-0.4, 0.4) * d, r.uniform(0, 360)))


def chair(r: Random, f: Frame) -> None:
    """A chair with a solid or barred back."""
    material = m.wood(r) if r.random() < 0.6 else m.lacquer(r)
    seat = m.cloth(r) if r.random() < 0.4 else material
    w, h, back = r.uniform(0.4, 0.55), r.uniform(0.42, 0.5), r.uniform(0.35, 0.6)
    box(f, 0, h - 0.04, 0, w, r.uniform(0.03, 0.08), w, seat)
    legs(r, f, w, w, h - 0.04, r.uniform(0.025, 0.05), material)
    if r.random() < 0.5:
        box(f, 0, h, w / 2, w, back, 0.03, seat)
        return
    box(f, 0, h + back - 0.1, w / 2, w, 0.1, 0.03, material)
    bars = r.choice((2, 3, 4))
    for i in range(bars):
        box(f, (i / (bars - 1) - 0.5) * (w - 0.03), h, w / 2, 0.03, back - 0.1, 0.03, material)


def sofa(r: Random, f: Frame) -> None:
    """An armchair or sofa."""
    w, d, h = r.uniform(0.7, 2.3), r.uniform(0.7, 1.0), r.uniform(0.38, 0.48)
    material, arm, back = m.cloth(r), r.uniform(0.1, 0.22), r.uniform(0.3, 0.65)
    box(f, 0, 0.06, 0, w, h - 0.06, d, material)
    box(f, 0, h, d / 2 - 0.1, w, back, 0.2, material)
    for side in (-1, 1):
        box(f, side * (w - arm) / 2, 0.06, 0, arm, h + 0.12, d, material)
    for _ in range(r.choice((0, 1, 2))):
        ball(f, r.uniform(-0.35, 0.35) * w, h, d * 0.2, 0.45, 0.4, 0.16, m.cloth(r))


def bed(r: Random, f: Frame) -> None:
    """A bed with its head at +z."""
    w, d, h = r.uniform(0.9, 1.9), r.uniform(1.9, 2.1), r.uniform(0.3, 0.6)
    box(f, 0, 0, 0, w, h * 0.5, d, m.wood(r))
    box(f, 0, h * 0.5, 0, w * 0.98, h * 0.5, d * 0.98, m.cloth(r))
    box(f, 0, h, -d * 0.15, w * 1.02, 0.05, d * 0.7, m.cloth(r))
    box(f, 0, 0, d / 2, w, h + r.uniform(0.2, 0.7), 0.06, m.wood(r))
    for x in (-0.25, 0.25):
        ball(f, x * w, h, d * 0.36, w * 0.42, 0.16, 0.4, m.cloth(r))


def cabinet(r: Random, f: Frame) -> None:
    """A cupboard, chest of drawers, fridge or wardrobe, with fronts and sometimes things on top."""
    w, d, h = r.uniform(0.4, 1.8), r.uniform(0.3, 0.65), r.choice((0.5, 0.8, 0.9, 1.2, 2.0)) * r.uniform(0.85, 1.15)
    material = m.wood(r) if r.random() < 0.6 else m.lacquer(r)
    box(f, 0, 0, 0, w, h, d, material)
    columns, rows = r.choice((1, 2, 3)), r.choice((1, 2, 3))
    front = material if r.random() < 0.5 else m.lacquer(r)
    for i in range(columns * rows if r.random() < 0.7 else 0):
        cw, ch = w / columns, h / rows
        x, y = (i % columns + 0.5) * cw - w / 2, (i // columns) * ch
        box(f, x, y + 0.03, -d / 2, cw - 0.05, ch - 0.06, 0.03, front)
    if h < 1.4:
        for _ in range(r.choice((0, 1, 2, 3))):
            small(r, f.at(r.uniform(-0.4, 0.4) * w, h, r.uniform(-0.2, 0.2) * d, r.uniform(0, 360)))


def shelf(r: Random, f: Frame) -> None:
    """An open shelf with boards and books."""
    w, d, h = r.uniform(0.5, 1.6), r.uniform(0.25, 0.4), r.uniform(0.8, 2.2)
    material = m.wood(r) if r.random() < 0.6 else m.lacquer(r)
    box(f, 0, 0, d / 2 - 0.01, w, h, 0.02, material)
    for side in (-1, 1):
        box(f, side * w / 2, 0, 0, 0.03, h, d, material)
    boards = r.choice((2, 3, 4))
    for i in range(boards + 1):
        y = i * h / boards
        box(f, 0, y, 0, w, 0.03, d, material)
        if i < boards and r.random() < 0.8:
            bw = r.uniform(0.3, 0.95) * w
            box(
                f, r.uniform(-0.5, 0.5) * (w - bw), y, 0.03, bw, h / boards * r.uniform(0.4, 0.8), d * 0.7, m.printed(r)
            )


def plant(r: Random, f: Frame) -> None:
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


def standing_lamp(r: Random, f: Frame) -> None:
    """A lamp on a stand."""
    h = r.uniform(0.3, 1.7)
    tube(f, 0, 0, 0, 0.25, 0.02, m.metal(r))
    tube(f, 0, 0, 0, 0.03, h, m.metal(r))
    tube(f, 0, h, 0, r.uniform(0.2, 0.5), r.uniform(0.15, 0.35), m.lamp(r) if r.random() < 0.5 else m.cloth(r), 0.3)


def screen(r: Random, f: Frame) -> None:
    """A television or monitor."""
    w = r.uniform(0.4, 1.3)
    box(f, 0, 0.06, 0, w, w * 0.58, 0.05, m.lacquer(r))
    box(f, 0, 0.08, -0.025, w * 0.95, w * 0.54, 0.02, m.printed(r))
    box(f, 0, 0, 0, w * 0.3, 0.06, 0.2, m.lacquer(r))


def cup(r: Random, f: Frame) -> None:
    """A mug, glass, can, bowl or plate: one tapered cylinder, with its hollow as a darker disc inside the rim."""
    w, h, taper = r.choice(
        ((0.08, 0.1, 0), (0.08, 0.12, 0), (0.07, 0.13, -0.1), (0.17, 0.07, -0.35), (0.25, 0.025, -0.3))
    )
    material = m.crockery(r)
    w, h = w * r.uniform(0.8, 1.3), h * r.uniform(0.8, 1.2)
    tube(f, 0, 0, 0, w, h, material, taper)
    if taper or r.random() < 0.5:
        inner = Material(material.pattern, material.repeat, m.shade(material.a, 0.6), m.shade(material.b, 0.6))
        tube(f, 0, h, 0, w * (1 - taper) * 0.88, 0.001, inner)
    if r.random() < 0.3:
        ball(f, w * 0.55, h * 0.2, 0, w * 0.4, h * 0.6, w * 0.15, material)


def bottle(r: Random, f: Frame) -> None:
    """A bottle: body, shoulder, neck, cap."""
    w, h, material = r.uniform(0.05, 0.1), r.uniform(0.1, 0.25), m.crockery(r)
    if r.random() < 0.3:
        box(f, 0, 0, 0, w, h, w * 0.6, material)
    else:
        tube(f, 0, 0, 0, w, h, material)
    tube(f, 0, h, 0, w * 0.65, w * 0.6, material, 0.45)
    tube(f, 0, h + w * 0.6, 0, w * 0.4, h * r.uniform(0.08, 0.35), m.crockery(r))


def carton(r: Random, f: Frame) -> None:
    """A packet, box or standing book."""
    box(f, 0, 0, 0, r.uniform(0.04, 0.25), r.uniform(0.04, 0.3), r.uniform(0.03, 0.15), m.printed(r))


def books(r: Random, f: Frame) -> None:
    """Books or boxes lying on each other."""
    up = 0.0
    for _ in range(r.choice((1, 2, 3, 4))):
        h = r.uniform(0.01, 0.05)
        box(f, 0, up, 0, r.uniform(0.14, 0.22), h, r.uniform(0.18, 0.3), m.printed(r), r.uniform(-20, 20))
        up += h


def fruit(r: Random, f: Frame) -> None:
    """A round or long thing."""
    s = r.uniform(0.04, 0.13)
    ball(f, 0, 0, 0, s * r.uniform(0.8, 2.2), s * r.uniform(0.7, 1.2), s, m.crockery(r))


def heap(r: Random, f: Frame) -> None:
    """Two to four primitives stuck together: a toy, a tool, anything."""
    material = m.crockery(r)
    for _ in range(r.choice((2, 3, 4))):
        paint = material if r.random() < 0.6 else m.anything(r, 0.2)
        w, h, d = (r.uniform(0.02, 0.14) for _ in range(3))
        turn = rotation(r.uniform(0, 360), r.choice((0, 0, r.uniform(-90, 90))))
        where = (r.uniform(-0.05, 0.05), r.uniform(0, 0.08), r.uniform(-0.05, 0.05))
        f.add(r.choice((BOX, ELLIPSOID, CYLINDER)), where, (w, h, d), paint, turn, r.uniform(-0.6, 0.6))


def small(r: Random, f: Frame) -> None:
    """Any small thing for a table top, now and then lying on its side."""
    prop = r.choices((cup, bottle, carton, books, fruit, heap), (5, 3, 4, 2, 2, 2))[0]
    if prop in (bottle, cup) and r.random() < 0.12:
        f = f.at(0, 0.04, 0, r.uniform(0, 360), tip=90)
    prop(r, f)


def person(r: Random, f: Frame) -> None:
    """A standing person: legs, trunk, arms, head."""
    h, top, legs = r.uniform(1.5, 1.9), m.cloth(r), m.cloth(r)
    apart = r.uniform(0.08, 0.16)
    for side in (-1, 1):
        tube(f, side * apart, 0, r.uniform(-0.1, 0.1), 0.15, 0.48 * h, legs, -0.2)
        ball(f, side * r.uniform(0.22, 0.3), 0.42 * h, 0, 0.12, 0.4 * h, 0.14, top)
    ball(f, 0, 0.42 * h, 0, 0.42, 0.46 * h, 0.28, top)
    ball(f, 0, 0.86 * h, 0, 0.17, 0.14 * h, 0.21, m.skin(r))
    ball(f, 0, 0.9 * h, 0.03, 0.19, 0.11 * h, 0.2, m.lacquer(r))


def animal(r: Random, f: Frame) -> None:
    """A four-legged animal, dog to horse."""
    s, material = r.uniform(0.3, 1.5), m.cloth(r)
    if r.random() < 0.6:
        material = m.wood(r)
    body = r.uniform(0.9, 1.3) * s
    ball(f, 0, 0.45 * s, 0, body, 0.42 * s, 0.34 * s, material)
    for x in (-0.35, 0.35):
        for z in (-0.1, 0.1):
            tube(f, x * body, 0, z * s, 0.1 * s, 0.6 * s, material, -0.2)
    f.add(CYLINDER, (-0.5 * body, 0.65 * s, 0), (0.17 * s, 0.45 * s, 0.17 * s), material, rotation(90, -35), 0.2)
    ball(f, -0.65 * body, 0.9 * s, 0, 0.36 * s, 0.22 * s, 0.2 * s, material)


def car(r: Random, f: Frame) -> None:
    """A car or van along z."""
    w, d, h = r.uniform(1.6, 1.9), r.uniform(3.6, 4.8), r.uniform(1.35, 1.6)
    body, glass, tyre = m.metal(r), m.lacquer(r), m.lacquer(r)
    if r.random() < 0.15:
        w, d, h = r.uniform(2, 2.5), r.uniform(5, 11), r.uniform(2.2, 3.4)
        box(f, 0, 0.35, 0, w, h - 0.35, d, body)
        box(f, 0, h * 0.5, -d / 2, w * 0.9, h * 0.3, 0.05, glass)
    else:
        box(f, 0, 0.25, 0, w, h * 0.45, d, body)
        f.add(BOX, (0, 0.25 + h * 0.45, 0.05 * d), (w * 0.85, h * 0.38, d * 0.48), glass)
        box(f, 0, 0.25 + h * 0.8, 0.05 * d, w * 0.82, 0.05, d * 0.42, body)
    for x in (-1, 1):
        for z in (-0.3, 0.3):
            f.add(CYLINDER, (x * (w / 2 - 0.08), 0.21, z * d), (0.62, 0.2, 0.62), tyre, rotation(90, 90))


def tree(r: Random, f: Frame) -> None:
    """A broad tree, a conifer or a bush."""
    kind = r.random()
    if kind < 0.25:
        s = r.uniform(0.5, 2)
        for _ in range(r.choice((1, 2, 3))):
            ball(
                f,
                r.uniform(-0.5, 0.5) * s,
                -0.1 * s,
                r.uniform(-0.5, 0.5) * s,
                s,
                s * r.uniform(0.6, 1.1),
                s,
                m.foliage(r),
            )
        return
    h, bark = r.uniform(3, 13), m.wood(r)
    if kind < 0.45:
        tube(f, 0, 0, 0, 0.05 * h, h * 0.3, bark, 0.1)
        tube(f, 0, h * 0.12, 0, h * r.uniform(0.15, 0.3), h * 0.88, m.foliage(r), 0.93)
        return
    trunk = h * r.uniform(0.15, 0.5)
    tube(f, 0, 0, 0, 0.045 * h, trunk + 0.2 * h, bark, 0.2)
    leaves = m.foliage(r)
    for _ in range(r.choice((1, 3, 4, 5))):
        s = (h - trunk) * r.uniform(0.5, 0.9)
        ball(f, r.uniform(-0.3, 0.3) * s, trunk + r.uniform(-0.1, 0.3) * s, r.uniform(-0.3, 0.3) * s, s, s, s, leaves)


def pole(r: Random, f: Frame) -> None:
    """A lamp post, traffic light or sign."""
    h, w = r.uniform(2.2, 8), r.uniform(0.06, 0.2)
    tube(f, 0, 0, 0, w, h, m.metal(r))
    if r.random() < 0.6:
        box(f, 0, h - r.uniform(0, 0.8), -w, r.uniform(0.3, 0.9), r.uniform(0.3, 0.9), 0.05, m.printed(r))
    elif h > 4:
        box(f, 0.8, h, 0, 1.8, 0.1, 0.2, m.metal(r))


def rock(r: Random, f: Frame) -> None:
    """A stone, half in the ground."""
    s = r.uniform(0.2, 2)
    ball(f, 0, -0.35 * s, 0, s * r.uniform(0.8, 2), s, s * r.uniform(0.8, 1.6), m.earth(r))


ALONG_WALLS: tuple[Prop, ...] = (cabinet, cabinet, shelf, sofa, bed, table, plant, chair)
OUT_OF_DOORS: tuple[Prop, ...] = (person, car, tree, tree, pole, animal, chair, plant, rock)
FURNITURE: tuple[Prop, ...] = (table, chair, chair, sofa, cabinet, cabinet, shelf, bed, plant, standing_lamp)
EVERYTHING: tuple[Prop, ...] = (
    table,
    chair,
    chair,
    sofa,
    cabinet,
    shelf,
    plant,
    standing_lamp,
    screen,
    cup,
    bottle,
    carton,
    books,
    fruit,
    heap,
    heap,
    person,
    animal,
    animal,
    car,
    tree,
    rock,
)
