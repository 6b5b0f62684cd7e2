"""Random sculptures to train on: creatures, made things, food, stones and abstract forms.

`sculpture` draws a family; everything follows from the random source it is given.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from . import creatures, manmade
from . import materials as m
from .implicit_solids import ADD, CUT, PUT, Sculpture
from .scene import Mat, Material, Number, rotation
from .solid_builder import SolidBuilder, polar

Family = Callable[[Random], Sculpture]


def _peel(r: Random) -> Material:
    """Skins of fruit and vegetables: strong colours, even or mottled."""
    a = m.colour(r, r.choice((0.0, 0.08, 0.14, 0.25, 0.3, 0.8, r.random())), 0.03, (0.4, 1), (0.2, 1))
    kind = m.pattern(r, "plain", "plain", "noise", "noise", "blobs")
    return Material(kind, r.uniform(0.2, 0.8), a, m.toned(a, r.uniform(0.6, 1.4)), 0.1, r.uniform(0, 0.7))


def _anywhere(r: Random) -> Mat:
    return rotation(r.uniform(0, 360), r.uniform(-90, 90), r.uniform(0, 360))


def modelled_fruit(r: Random) -> Sculpture:
    """Apple, pear, pepper, banana, avocado half, pumpkin, mushroom, a heap of them."""
    kind, peel, stalk = r.randrange(7), _peel(r), m.wood(r)
    solid, w, h = SolidBuilder(peel), r.uniform(0.6, 1.0), r.uniform(0.6, 1.2)
    blend = r.uniform(0.1, 0.3)
    if kind == 0:
        solid.ball((0, h / 2, 0), (w, h, w), exponents=(2, r.uniform(2, 3)), taper=r.uniform(-0.3, 0.4))
        solid.limb((0, h - 0.05, 0), (r.uniform(-0.1, 0.1), h + 0.2, 0), 0.07, stalk, op=PUT)
    elif kind == 1:
        lobes, blend = r.choice((3, 4, 6, 8)), r.uniform(0.03, 0.1)
        for i in range(lobes):
            x, z = polar(360 * i / lobes, w * 0.26)
            solid.ball((x, h / 2, z), (w * 0.5, h, w * 0.5), taper=r.uniform(-0.3, 0.05))
        solid.limb((0, h * 0.8, 0), (0.04, h * 1.15, 0), 0.12, m.foliage(r), op=PUT, taper=0.3)
    elif kind == 2:
        for i in range(r.randrange(1, 4)):
            up, turn = 0.15 + 0.12 * i, rotation(r.uniform(-20, 20), r.uniform(-10, 10), 90 + r.uniform(-10, 10))
            bend = r.uniform(0.25, 0.5)
            solid.ball((0, up, 0.22 * i), (0.24, 1.1, 0.24), turn=turn, exponents=(2.5, 2.5), bend=bend)
        blend = 0.01
    elif kind == 3:
        flesh, stone = _peel(r), m.wood(r)
        solid.ball((0, h / 2, 0), (w, h * 1.1, w), taper=r.uniform(0.0, 0.4))
        solid.block((0, h / 2, -w * 0.55), (3, 3, w * 1.1), flesh, op=CUT, round=0.02)
        solid.ball((0, h * 0.42, 0), (w * 0.42, w * 0.45, w * 0.4), stone, op=PUT)
    elif kind == 4:
        solid.ball((0, h * 0.7, 0), (w, h * 0.7, w))
        solid.ball((0, h * 0.42, 0), (w * 0.95, h * 0.5, w * 0.95), _peel(r), op=CUT)
        stem = (w * r.uniform(0.2, 0.45), h * 0.8, w * r.uniform(0.25, 0.4))
        solid.rounded_cylinder((0, h * 0.35, 0), stem, _peel(r), op=PUT, round=0.5, taper=r.uniform(-0.2, 0.3))
    elif kind == 5:
        long = r.uniform(0.8, 1.4)
        solid.limb((0, 0.2, 0), (long, 0.2, 0), 0.4, taper=r.uniform(-0.7, -0.3), bend=r.uniform(0, 0.15))
        for _ in range(4):
            tip = (-r.uniform(0.3, 0.6), 0.2 + r.uniform(-0.1, 0.4), r.uniform(-0.3, 0.3))
            solid.limb((0, 0.2, 0), tip, 0.08, m.foliage(r))
    else:
        blend = 0.01
        for i in range(r.randrange(4, 10)):
            s = r.uniform(0.3, 0.4)
            x, z = polar(r.uniform(0, 360), r.uniform(0.1, 0.4))
            solid.ball((x, 0.2 + 0.2 * (i % 3), z), (s, s, s), peel if r.random() < 0.7 else _peel(r))
    return solid.finish(blend)


def food(r: Random) -> Sculpture:
    """Burgers, layer cakes, ice cream, doughnuts, rolls: stacked."""
    kind, solid, up, w = r.randrange(4), SolidBuilder(m.wood(r)), 0.0, r.uniform(0.8, 1.1)
    if kind == 0:
        solid.rounded_cylinder((0, 0.12, 0), (w, 0.24, w), round=0.8)
        up = 0.24
        for _ in range(r.randrange(2, 5)):
            thick, wide = r.uniform(0.05, 0.2), w * r.uniform(0.9, 1.15)
            paint = r.choice((_peel, m.foliage, m.earth, m.crockery))(r)
            if r.random() < 0.7:
                solid.rounded_cylinder(
                    (0, up + thick / 2, 0), (wide, thick, wide), paint, rotation(0, r.uniform(-4, 4)), round=0.5
                )
            else:
                solid.block((0, up + thick / 2, 0), (wide, thick, wide), paint, rotation(r.uniform(0, 90)), round=0.5)
            up += thick * 0.9
        solid.ball((0, up, 0), (w, r.uniform(0.5, 0.9), w), exponents=(2, 2.5), op=PUT)
    elif kind == 1:
        wide = w
        for _ in range(r.randrange(2, 5)):
            thick = r.uniform(0.12, 0.35)
            solid.rounded_cylinder(
                (0, up + thick / 2, 0), (wide, thick, wide), m.crockery(r), round=r.uniform(0.1, 0.6)
            )
            up, wide = up + thick * 0.95, wide * r.uniform(0.6, 1)
        if r.random() < 0.5:
            wedge = (0.4, up * 0.8, -0.4)
            solid.block(wedge, (0.8, up * 3, 0.8), m.crockery(r), rotation(r.uniform(-20, 20)), CUT, round=0.02)
        for i in range(r.choice((0, 3, 5))):
            x, z = polar(i * 72, wide * 0.25)
            solid.ball((x, up, z), (0.12, 0.15, 0.12), _peel(r), op=PUT)
    elif kind == 2:
        high = r.uniform(0.6, 1.0)
        solid.rounded_cylinder((0, high / 2, 0), (w * 0.7, high, w * 0.7), taper=-0.6, round=0.1)
        for i in range(r.randrange(1, 4)):
            x, z = polar(120 * i, 0.12)
            solid.ball((x, high + 0.15 + 0.25 * (i // 2), z), (0.55, 0.5, 0.55), m.crockery(r))
    else:
        for i in range(r.randrange(1, 4)):
            shift = (r.uniform(-0.1, 0.1), 0.15 + 0.28 * i, r.uniform(-0.1, 0.1))
            solid.ring(shift, (w, 0.3, w), r.uniform(0.28, 0.4), m.wood(r), rotation(0, r.uniform(-6, 6)))
            solid.ring((shift[0], shift[1] + 0.06, shift[2]), (w * 0.98, 0.24, w * 0.98), 0.28, m.crockery(r))
    return solid.finish(r.uniform(0, 0.04))


def modelled_rock(r: Random) -> Sculpture:
    """A stone: a lump cut by big blocks and balls, or a pile of lumps."""
    stone = m.earth(r)
    solid, lumps = SolidBuilder(stone), r.randrange(1, 4)
    for _ in range(lumps):
        at = (r.uniform(-0.3, 0.3), r.uniform(0.2, 0.5), r.uniform(-0.3, 0.3))
        size = (r.uniform(0.6, 1.3), r.uniform(0.5, 1.2), r.uniform(0.6, 1.2))
        solid.ball(
            at, size, turn=_anywhere(r), exponents=(r.uniform(2, 5), r.uniform(2, 5)), taper=r.uniform(-0.3, 0.3)
        )
    for _ in range(r.randrange(2, 7)):
        turn, far = _anywhere(r), r.uniform(1.2, 1.45)
        at = (turn[0][1] * far, 0.35 - turn[1][1] * far, turn[2][1] * far)
        paint = stone if r.random() < 0.8 else m.earth(r)
        if r.random() < 0.6:
            solid.block(at, (3, 2, 3), paint, turn, CUT, round=0.05)
        else:
            solid.ball(at, (2, 2, 2), paint, turn, CUT)
    return solid.finish(r.uniform(0.05, 0.3))


def _shape(
    r: Random, solid: SolidBuilder, at: tuple[Number, Number, Number], size: Number, paint: Material, turn: Mat, op: int
) -> None:
    """Any part."""
    w, h, d = (size * r.uniform(0.4, 1.4) for _ in range(3))
    kind = r.randrange(5)
    if kind == 0:
        solid.ball(at, (w, h, d), paint, turn, op, bend=r.choice((0, 0, 0.3)))
    elif kind == 1:
        solid.ball(
            at, (w, h, d), paint, turn, op, exponents=(r.uniform(2, 8), r.uniform(2, 8)), taper=r.uniform(-0.5, 0.5)
        )
    elif kind == 2:
        solid.block(at, (w, h, d), paint, turn, op, round=r.random(), taper=r.choice((0, r.uniform(-0.6, 0.6))))
    elif kind == 3:
        solid.rounded_cylinder(
            at, (w, h, d), paint, turn, op, round=r.random(), taper=r.choice((0, r.uniform(-0.9, 0.9)))
        )
    else:
        thick = min(w, d) * r.uniform(0.15, 0.45)
        solid.ring(at, (w * 1.3, thick * r.uniform(0.6, 2), d * 1.3), thick, paint, turn, op)


def abstract(r: Random) -> Sculpture:
    """Random parts added, cut and put on: scattered along a chain, mirrored, or arranged around an axis."""
    paints = [
        r.choice((m.crockery, m.wood, m.metal, m.earth, m.cloth, creatures.fur))(r) for _ in range(r.randrange(1, 4))
    ]
    if r.random() < 0.3:
        paints.append(m.anything(r, 0.4))
    solid, order = SolidBuilder(paints[0]), r.choice(("chain", "mirror", "radial"))
    solid_at = (0.0, 0.5, 0.0)
    _shape(r, solid, solid_at, r.uniform(0.5, 0.9), paints[0], rotation(r.uniform(0, 90)), ADD)
    for _ in range(r.randrange(2, 7) if order == "chain" else r.randrange(1, 3)):
        op, paint, size = r.choice((ADD, ADD, ADD, CUT, PUT)), r.choice(paints), r.uniform(0.2, 0.7)
        state, yaw = r.getrandbits(40), r.uniform(0, 360)
        far = 0.2 + 0.3 * size
        dx, dy, dz = (r.uniform(-far, far) * 0.7 for _ in range(3))
        at = (solid_at[0] + dx, solid_at[1] + dy, solid_at[2] + dz)
        if order == "chain":
            turn = _anywhere(r)
            _shape(r, solid, at, size, paint, turn, op)
            solid_at = at if op == ADD else solid_at
            continue
        copies = 2 if order == "mirror" else r.choice((3, 4, 5))
        far = r.uniform(0.15, 0.4)
        for i in range(copies):
            same, angle = Random(state), yaw + i * 360 / copies
            x, z = polar(angle, far)
            _shape(same, solid, (x, at[1], z), size, paint, rotation(-angle, 0, 40 * (state % 3)), op)
    return solid.finish(r.uniform(0, 0.3))


def column(r: Random) -> Sculpture:
    """Turned things: chess pieces, candlesticks, balusters, spinning tops."""
    paint = r.choice((m.wood, m.crockery, m.metal, m.lacquer, m.earth))(r)
    solid, up, wide = SolidBuilder(paint), 0.0, r.uniform(0.3, 0.6)
    for i in range(r.randrange(3, 8)):
        w, h = wide * r.uniform(0.35, 1.0) if i else wide, r.uniform(0.06, 0.35)
        mine = paint if r.random() < 0.8 else m.crockery(r)
        kind = r.randrange(4)
        if kind == 0:
            solid.ball((0, up + h / 2, 0), (w, h, w), mine)
        elif kind == 1:
            solid.ring((0, up + h / 2, 0), (w, min(h, w * 0.4), w), w * 0.35, mine)
            solid.rounded_cylinder((0, up + h / 2, 0), (w * 0.6, h * 1.2, w * 0.6), mine)
        else:
            solid.rounded_cylinder((0, up + h / 2, 0), (w, h, w), mine, round=r.random(), taper=r.uniform(-0.5, 0.5))
        up += h * 0.9
    return solid.finish(r.choice((0, r.uniform(0.02, 0.12))))


FAMILIES: tuple[tuple[Family, int], ...] = (
    (creatures.modelled_animal, 6),
    (creatures.bird, 3),
    (creatures.figure, 5),
    (creatures.robot, 2),
    (manmade.modelled_car, 3),
    (manmade.craft, 2),
    (manmade.locomotive, 1),
    (manmade.shoe, 2),
    (manmade.vessel, 5),
    (manmade.seat, 3),
    (manmade.modelled_tool, 2),
    (modelled_fruit, 4),
    (food, 3),
    (modelled_rock, 2),
    (abstract, 5),
    (column, 2),
)
"""Families and their shares."""


def sculpture(r: Random) -> Sculpture:
    """A random sculpture about 1 m large, standing on y = 0 around the origin; now and then on its side."""
    families, shares = zip(*FAMILIES, strict=True)
    made: Sculpture = r.choices(families, shares)[0](r)
    return manmade.lying(made) if r.random() < 0.04 else made
