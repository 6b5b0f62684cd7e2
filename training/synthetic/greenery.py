"""Plants with leaves and branches, and things to eat. Points are (x, up, z), units free."""

from __future__ import annotations

import math
from random import Random

from . import materials as m
from .hollowware import frustum, hollowed, lathed, pottery
from .implicit_solids import CUT, PUT
from .intersect import ELLIPSOID
from .kit import Kit, shell
from .scene import Material, Number, Vec, compose, rotation
from .solid_builder import polar


def leafage(r: Random) -> Material:
    """Leaves one by one: plain green, bluish, red or yellow."""
    a = m.colour(r, r.choice((0.25, 0.28, 0.33, 0.2, 0.1, 0.0)), 0.04, (0.3, 0.9), (0.25, 0.85))
    return Material(
        m.pattern(r, "plain", "noise", "stripes"), r.uniform(0.1, 0.4), a, m.toned(a, r.uniform(0.6, 1.4)), 0.1
    )


def ripe(r: Random) -> Material:
    """Skins of fruit, bread crusts, icing."""
    a = m.colour(r, r.choice((0.0, 0.04, 0.08, 0.08, 0.14, 0.25, 0.3, 0.9)), 0.03, (0.3, 1), (0.35, 1))
    return Material(
        m.pattern(r, "plain", "noise", "noise", "blobs"),
        r.uniform(0.1, 0.5),
        a,
        m.toned(a, r.uniform(0.6, 1.3)),
        0.1,
        r.choice((0, 0.3)),
    )


def _pot(r: Random, kit: Kit) -> Number:
    """A pot of width 0.5 with earth in it; returns how high the earth stands."""
    clay, high = pottery(r), r.uniform(0.3, 0.55)
    profile = [(0.0, r.uniform(0.15, 0.24)), (high, 0.25)]
    lathed(kit.solid, profile, clay)
    hollowed(kit.solid, profile, 0.03, shell(clay))
    frustum(kit.solid, (high * 0.6, 0.2), (high * 0.88, 0.215), m.earth(r), PUT)
    return high * 0.85


def _leaf(kit: Kit, foot: Vec, yaw: Number, lift: Number, size: tuple[Number, Number], paint: Material) -> None:
    """A flat leaf of (length, width) that begins at a point, turned about the vertical and lifted from the horizontal."""
    a, b = math.radians(yaw), math.radians(lift)
    long, wide = size
    x, up, z = (
        foot[0] + long / 2 * math.cos(b) * math.sin(a),
        foot[1] + long / 2 * math.sin(b),
        foot[2] + long / 2 * math.cos(b) * math.cos(a),
    )
    thick = 0.012
    kit.frame.add(ELLIPSOID, (x, up - thick / 2, z), (wide, thick, long), paint, rotation(yaw, -lift))


def pot_plant(r: Random, kit: Kit) -> None:
    """A plant in a pot: a rosette of blades, a bush of stalks with leaves, a cactus, or a small tree."""
    up, leaf, kind = _pot(r, kit), leafage(r), r.randrange(4)
    if kind == 0:
        for i in range(r.randrange(8, 22)):
            long, lift = r.uniform(0.35, 0.9), r.uniform(15, 85)
            _leaf(kit, (0, up, 0), 137.5 * i, lift, (long, long * r.uniform(0.12, 0.25)), leaf)
    elif kind == 1:
        for i in range(r.randrange(5, 12)):
            (x, z), tall = polar(137.5 * i, r.uniform(0.05, 0.4)), r.uniform(0.3, 0.9)
            kit.rod((0.15 * x, up, 0.15 * z), (x, up + tall, z), 0.02, leaf)
            for j in range(r.randrange(2, 5)):
                t = (j + 1.5) / 5
                foot = (x * t, up + tall * t, z * t)
                long = r.uniform(0.15, 0.32)
                _leaf(kit, foot, r.uniform(0, 360), r.uniform(-20, 50), (long, long * r.uniform(0.4, 0.8)), leaf)
    elif kind == 2:
        tall, fat = r.uniform(0.3, 0.9), r.uniform(0.15, 0.3)
        kit.solid.limb((0, up, 0), (0, up + tall, 0), fat, leaf)
        for side in (-1.0, 1.0):
            if r.random() < 0.6:
                at = up + tall * r.uniform(0.3, 0.6)
                elbow: Vec = (side * fat * 1.2, at, 0)
                kit.solid.limb((0, at, 0), elbow, fat * 0.6, leaf)
                kit.solid.limb(elbow, (side * fat * 1.3, at + r.uniform(0.15, 0.4), 0), fat * 0.6, leaf)
    else:
        tall = r.uniform(0.3, 0.7)
        kit.rod((0, up, 0), (0, up + tall, 0), 0.05, m.bark(r))
        _crown(r, kit, (0, up + tall, 0), r.uniform(0.25, 0.45), leaf)


def _crown(r: Random, kit: Kit, at: Vec, radius: Number, leaf: Material) -> None:
    """A ball of leaves."""
    for _ in range(r.randrange(14, 40)):
        (x, z), v = polar(r.uniform(0, 360), 1), r.uniform(-1, 1)
        s = math.sqrt(1 - v * v)
        foot = (at[0] + radius * s * x * 0.7, at[1] + radius * v * 0.7, at[2] + radius * s * z * 0.7)
        long = radius * r.uniform(0.5, 0.9)
        turn = math.degrees(math.atan2(x, z))
        _leaf(kit, foot, turn + r.gauss(0, 25), math.degrees(math.asin(v)) + r.gauss(0, 20), (long, long * 0.6), leaf)


def tree(r: Random, kit: Kit) -> None:
    """A tree with a forked trunk and a crown of lumps; a fir of cones; a palm."""
    bark, leaf, kind = m.bark(r), (m.foliage if r.random() < 0.6 else leafage)(r), r.randrange(3)
    if kind == 0:
        tall, kit.blend = r.uniform(0.35, 0.7), r.uniform(0.03, 0.1)
        kit.solid.limb((0, 0.03, 0), (0, tall, 0), r.uniform(0.08, 0.16), bark, taper=-0.3)
        for i in range(r.randrange(3, 6)):
            x, z = polar(137.5 * i + r.uniform(0, 40), r.uniform(0.1, 0.35))
            up = tall + r.uniform(0.1, 0.5)
            kit.solid.limb((0, tall * r.uniform(0.7, 1), 0), (x, up, z), 0.06, bark)
            size = r.uniform(0.3, 0.6)
            kit.solid.ball((x, up + 0.05, z), (size, size * r.uniform(0.7, 1.1), size), leaf)
    elif kind == 1:
        kit.rod((0, 0, 0), (0, 0.3, 0), 0.09, bark)
        rows, up = r.randrange(2, 6), 0.15
        for i in range(rows):
            wide, tall = 0.8 * (1 - 0.7 * i / rows), 1.2 / rows
            kit.solid.rounded_cylinder(
                (0, up + tall * 0.6, 0), (wide * 0.55, tall * 1.3, wide * 0.55), leaf, taper=0.9, round=0.05
            )
            up += tall * 0.8
    else:
        top: Vec = (r.uniform(-0.2, 0.2), r.uniform(0.7, 1.1), 0)
        kit.path([(0, 0, 0), (top[0] * 0.3, top[1] * 0.5, 0), top], 0.07, bark)
        for i in range(r.randrange(7, 13)):
            turn, lift = 137.5 * i, r.uniform(5, 45)
            _leaf(kit, top, turn, lift, (0.35, 0.12), leaf)
            x, z = polar(90 - turn, 0.33 * math.cos(math.radians(lift)))
            end = (top[0] + x, top[1] + 0.33 * math.sin(math.radians(lift)), top[2] + z)
            _leaf(kit, end, turn, lift - r.uniform(40, 80), (0.35, 0.11), leaf)


def flower(r: Random, kit: Kit) -> None:
    """One to five blossoms on stalks with leaves: daisies, tulips, sunflowers."""
    leaf, heart = leafage(r), ripe(r)
    petal = Material(m.pattern(r, "plain", "noise"), 0.3, m.muted(r, (0.5, 1), 0.9), m.muted(r, (0.5, 1), 0.9))
    for i in range(r.choice((1, 1, 3, 5))):
        (x, z), tall = polar(137.5 * i, 0.0 if i == 0 else r.uniform(0.1, 0.35)), r.uniform(0.6, 1.0)
        kit.rod((x * 0.2, 0, z * 0.2), (x, tall, z), 0.025, leaf)
        for _ in range(r.choice((1, 2, 3))):
            t = r.uniform(0.15, 0.7)
            _leaf(
                kit, (x * t, tall * t, z * t), r.uniform(0, 360), r.uniform(10, 60), (r.uniform(0.2, 0.35), 0.09), leaf
            )
        count, long, tip = (
            r.choice((5, 6, 8, 13)),
            r.uniform(0.12, 0.24),
            r.choice((r.uniform(-10, 30), r.uniform(60, 80))),
        )
        for j in range(count):
            _leaf(kit, (x, tall, z), 360 * j / count, tip, (long, long * r.uniform(0.35, 0.6)), petal)
        kit.frame.add(ELLIPSOID, (x, tall - 0.02, z), (long * 0.55, 0.06, long * 0.55), heart)


def fruit(r: Random, kit: Kit) -> None:
    """An apple, pear, pumpkin, pineapple, bunch of grapes, carrot, banana bunch, halved or whole."""
    peel, kind, solid = ripe(r), r.randrange(6), kit.solid
    kit.blend = 0.03
    if kind == 0:
        wide, tall = r.uniform(0.7, 1.0), r.uniform(0.7, 1.1)
        solid.ball((0, tall / 2, 0), (wide, tall, wide), peel, taper=r.uniform(-0.1, 0.45), exponents=(2, 2.3))
        solid.rounded_cylinder((0, tall, 0), (0.2, 0.1, 0.2), shell(peel), op=CUT, round=1)
        solid.limb((0, tall - 0.08, 0), (0.05, tall + 0.15, 0), 0.05, m.bark(r), op=PUT)
        _leaf(kit, (0.03, tall + 0.08, 0), r.uniform(0, 360), 20, (0.3, 0.14), leafage(r))
    elif kind == 1:
        lobes, wide, tall = r.choice((6, 8, 10)), 1.0, r.uniform(0.5, 1.1)
        for i in range(lobes):
            x, z = polar(360 * i / lobes, 0.28 * wide)
            solid.ball((x, tall / 2, z), (0.5 * wide, tall, 0.5 * wide), peel)
        solid.limb((0, tall * 0.8, 0), (r.uniform(-0.1, 0.1), tall * 1.2, 0), 0.12, leafage(r), op=PUT)
    elif kind == 2:
        tall = r.uniform(0.8, 1.1)
        solid.ball(
            (0, tall / 2, 0),
            (0.6, tall, 0.6),
            Material(m.pattern(r, "checks", "tiles", "blobs"), 0.2, peel.a, peel.b, 0.4),
            exponents=(2, 2.6),
        )
        for i in range(14):
            _leaf(kit, (0, tall * 0.95, 0), 137.5 * i, 90 - 4.5 * i, (0.55 - 0.02 * i, 0.1), leafage(Random(7)))
    elif kind == 3:
        for i in range(r.randrange(12, 28)):
            row = i // 6
            (x, z), up = polar(60 * i + 30 * row, 0.26 - 0.045 * row), -0.17 * row
            kit.frame.add(ELLIPSOID, (x, up, z), (0.22, 0.22, 0.22), peel)
        kit.rod((0, 0, 0), (0.05, 0.4, 0), 0.03, m.bark(r))
    elif kind == 4:
        for i in range(r.randrange(1, 5)):
            yaw = 14 * i
            turn = compose(rotation(yaw), rotation(0, 0, 90))
            solid.ball(
                (0, 0.12 + 0.03 * i, 0.2 * i),
                (0.2, 1.1, 0.2),
                peel,
                turn,
                exponents=(2.3, 2.4),
                bend=r.uniform(0.25, 0.4),
            )
    else:
        for i in range(r.randrange(1, 4)):
            solid.limb(
                (-0.5, 0.1, 0.2 * i), (0.5, 0.1, 0.2 * i + r.uniform(-0.1, 0.1)), 0.2, peel, taper=r.uniform(0.4, 0.7)
            )
            for j in range(5):
                _leaf(
                    kit,
                    (0.55, 0.12, 0.2 * i),
                    90 + r.gauss(0, 20),
                    r.uniform(-5, 40) + j,
                    (0.4, 0.06),
                    leafage(Random(i)),
                )


def pastry(r: Random, kit: Kit) -> None:
    """A layer cake with or without a slice cut out, a slice, a loaf, a cupcake, a sandwich, sushi, cheese."""
    crust, cream, kind, solid = ripe(r), m.crockery(r), r.randrange(6), kit.solid
    if kind in (0, 1):
        tall, layers, up = r.uniform(0.3, 0.6), r.choice((1, 2, 3)), 0.0
        for i in range(2 * layers - 1):
            thick = tall / layers * (0.8 if i % 2 == 0 else 0.2)
            solid.rounded_cylinder(
                (0, up + thick / 2, 0), (1, thick + 0.01, 1), crust if i % 2 == 0 else cream, round=0.1
            )
            up += thick
        solid.rounded_cylinder((0, up, 0), (1.02, 0.08, 1.02), cream, round=0.8)
        if kind == 1:
            solid.block((0.6, tall / 2, 0.6), (1.2, 3, 1.2), crust, rotation(r.uniform(-25, 25)), op=CUT, round=0.02)
        for i in range(r.choice((0, 6, 8))):
            x, z = polar(360 * i / 8 + 10, 0.36)
            solid.ball((x, up + 0.08, z), (0.13, 0.14, 0.13), ripe(Random(3)), op=PUT)
    elif kind == 2:
        long = r.uniform(0.9, 1.6)
        solid.ball((0, 0.2, 0), (0.5, 0.55, long), crust, exponents=(2.5, 2.5))
        solid.block((0, -0.5, 0), (2, 1.06, 4), crust, op=CUT, round=0.02)
        for i in range(r.choice((0, 3, 5))):
            solid.block((0, 0.5, (i - 2) * 0.17 * long), (0.3, 0.1, 0.05), cream, rotation(25), op=CUT, round=0.5)
        if r.random() < 0.4:
            solid.block((0, 0.2, -long * 0.85), (2, 2, long), shell(cream, 1.0), op=CUT, round=0.02)
    elif kind == 3:
        solid.rounded_cylinder((0, 0.22, 0), (0.62, 0.44, 0.62), m.printed(r), taper=-0.2, round=0.05)
        for i in range(r.choice((1, 3, 4))):
            size = 0.8 - 0.17 * i
            solid.ball((0, 0.48 + 0.14 * i, 0), (size, 0.28, size), cream)
        solid.ball((0, 0.72, 0), (0.16, 0.16, 0.16), ripe(r), op=PUT)
    elif kind == 4:
        up = 0.0
        for i in range(r.choice((3, 5, 7))):
            paint, thick = (crust, 0.14) if i % 3 == 0 else (r.choice((leafage, ripe))(r), 0.05)
            slab = (1.0 + r.uniform(-0.03, 0.06), thick, 0.9 + r.uniform(-0.03, 0.06))
            solid.block((0, up + thick / 2, 0), slab, paint, rotation(r.gauss(0, 3)), op=PUT, round=0.3)
            up += thick
        solid.block((0.55, up / 2, 0.5), (2.0, 3, 1.0), crust, rotation(-45), op=CUT, round=0.02)
    else:
        solid.rounded_cylinder((0, 0.2, 0), (1.0, r.uniform(0.25, 0.6), 1.0), crust, round=0.15)
        solid.block((0.3, 0.2, 0.8), (2.4, 3, 1.6), cream, rotation(r.uniform(-15, 15)), op=CUT, round=0.02)
        for _ in range(r.choice((0, 5))):
            size = r.uniform(0.08, 0.2)
            solid.ball((r.uniform(-0.4, 0.4), r.uniform(0.05, 0.4), 0.0), (size, size, size), shell(cream, 0.7), op=CUT)
