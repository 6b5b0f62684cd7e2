"""Hollow vessels with real walls: mugs, bowls, vases, bottles, buckets, pans, baskets, boxes. Points are (x, up, z).

A turned body is a stack of frusta, and what it holds a second, narrower stack that is cut out of it.
"""

from __future__ import annotations

import itertools
import math
from random import Random

from . import materials as m
from .implicit_solids import ADD, CUT, PUT
from .kit import Kit, shell
from .scene import Material, Number, Vec, rotation
from .solid_builder import FORWARD, SolidBuilder, polar

# (height, radius) from the foot to the rim.
Profile = list[tuple[Number, Number]]


def pottery(r: Random) -> Material:
    """Glazed, painted, wooden, metal, printed."""
    return r.choice((m.crockery, m.crockery, m.crockery, m.lacquer, m.wood, m.metal, m.printed, m.earth, m.cloth))(r)


def frustum(
    solid: SolidBuilder, low: tuple[Number, Number], high: tuple[Number, Number], paint: Material,
    op: int = ADD, round: Number = 0.05,
) -> None:  # fmt: skip
    """A solid of revolution between two (height, radius)."""
    middle, wide = (low[0] + high[0]) / 2, low[1] + high[1]
    size = (wide, high[0] - low[0], wide)
    solid.rounded_cylinder(
        (0, middle, 0), size, paint, op=op, round=round, taper=max(-0.95, min(0.95, (low[1] - high[1]) / wide))
    )


def lathed(solid: SolidBuilder, profile: Profile, paint: Material) -> None:
    """A solid turned to a profile."""
    for low, high in itertools.pairwise(profile):
        frustum(solid, low, high, paint)


def hollowed(solid: SolidBuilder, profile: Profile, wall: Number, paint: Material) -> None:
    """Cut out of a turned solid what leaves a wall and a floor of that thickness; open at the rim."""
    (foot, _), top = profile[0], profile[-1]
    inner = [(up, wide - wall) for up, wide in profile if up > foot + wall and wide > 1.2 * wall]
    first = next((a, b) for a, b in itertools.pairwise(profile) if b[0] > foot + wall)
    share = (foot + wall - first[0][0]) / (first[1][0] - first[0][0])
    floor = first[0][1] + share * (first[1][1] - first[0][1]) - wall
    inner = [(foot + wall, max(floor, 0.3 * wall)), *inner]
    # Neighbours overlap, so that nothing is left standing between them.
    for (low, narrow), (high, wide) in itertools.pairwise(inner):
        frustum(solid, (low - 0.01, narrow), (high + 0.01, wide), paint, CUT, 0.02)
    frustum(solid, (top[0] - 0.02, top[1] - wall), (top[0] + 0.4, top[1] - wall), paint, CUT, 0.02)


def _curved(r: Random, high: Number, steps: int = 5) -> Profile:
    """A vase's or bottle's profile: foot, belly, neck, lip."""
    foot, belly, neck = r.uniform(0.15, 0.35), r.uniform(0.3, 0.55), r.uniform(0.08, 0.3)
    where, lip = r.uniform(0.25, 0.6), neck * r.uniform(1.0, 1.7)
    knots = [(0.0, foot), (where, belly), (r.uniform(where + 0.15, 0.9), neck), (1.0, lip)]
    profile: Profile = []
    for (a, low), (b, up) in itertools.pairwise(knots):
        count = steps // 2 if b - a > 0.2 else 1
        for i in range(count):
            t = i / count
            profile.append(((a + t * (b - a)) * high, low + (up - low) * (1 - math.cos(math.pi * t)) / 2))
    return [*profile, (high, lip)]


def _handle(r: Random, solid: SolidBuilder, side: Number, up: Number, size: Number, paint: Material) -> None:
    """A ring at the side, to be put on before the hollow is cut."""
    thick = r.uniform(0.07, 0.12)
    solid.ring((side, up, 0), (size, thick * r.uniform(1, 1.8), size * r.uniform(0.7, 1.1)), thick, paint, FORWARD)


def _filled(r: Random, solid: SolidBuilder, up: Number, radius: Number) -> None:
    """Coffee, soup, sand: a disc inside."""
    paint = r.choice((m.earth, m.crockery, m.wood))(r)
    solid.rounded_cylinder((0, up, 0), (2 * radius, 0.06, 2 * radius), paint, op=PUT, round=0.1)


def mug(r: Random, kit: Kit) -> None:
    """A mug or cup, with a handle or none, empty or full, perhaps on a saucer."""
    glaze, solid, high = pottery(r), kit.solid, r.uniform(0.6, 1.4)
    foot, rim = (r.uniform(0.4, 0.52), 0.5) if r.random() < 0.6 else (r.uniform(0.22, 0.35), 0.55)
    profile: Profile = [(0.0, foot), (high, rim)] if rim == 0.5 else [(0.0, foot), (high * 0.45, 0.48), (high, rim)]
    wall = r.uniform(0.035, 0.07)
    lathed(solid, profile, glaze)
    if r.random() < 0.75:
        _handle(r, solid, rim * 0.98, high * r.uniform(0.45, 0.6), high * r.uniform(0.5, 0.75), glaze)
    hollowed(solid, profile, wall, shell(glaze if r.random() < 0.6 else m.crockery(r)))
    if r.random() < 0.4:
        _filled(r, solid, high * r.uniform(0.6, 0.88), rim - wall)
    if r.random() < 0.2:
        solid.rounded_cylinder((0, -0.03, 0), (1.7, 0.07, 1.7), glaze, op=PUT, taper=-0.2)


def bowl(r: Random, kit: Kit) -> None:
    """A bowl, dish or basin: a half ball or a cone, with fruit in it or nothing."""
    glaze, solid, high = pottery(r), kit.solid, r.uniform(0.2, 0.6)
    if r.random() < 0.5:
        solid.ball((0, high, 0), (1.0, 2 * high, 1.0), glaze)
        solid.rounded_cylinder((0, 0.03, 0), (0.45, 0.12, 0.45), glaze)
        inner, wall = shell(m.crockery(r) if r.random() < 0.4 else glaze), r.uniform(0.06, 0.1)
        solid.ball((0, high, 0), (1 - wall, 2 * high - wall, 1 - wall), inner, op=CUT)
        solid.block((0, high + 0.6, 0), (2, 1.2, 2), glaze, op=CUT, round=0.02)
    else:
        profile: Profile = [(0.0, r.uniform(0.2, 0.3)), (high * 0.4, r.uniform(0.3, 0.42)), (high, 0.5)]
        lathed(solid, profile, glaze)
        hollowed(solid, profile, r.uniform(0.03, 0.05), shell(glaze))
    for _ in range(r.choice((0, 0, 0, 3, 5))):
        size, (x, z) = r.uniform(0.22, 0.34), polar(r.uniform(0, 360), r.uniform(0, 0.2))
        solid.ball((x, high * r.uniform(0.5, 0.9), z), (size, size, size), m.crockery(r), op=PUT)


def vase(r: Random, kit: Kit) -> None:
    """A vase or urn with a real inside, handles or none, perhaps with twigs and blossoms."""
    glaze, high = pottery(r), r.uniform(0.9, 2.0)
    profile = _curved(r, high)
    kit.blend = r.uniform(0.02, 0.08)
    lathed(kit.solid, profile, glaze)
    if r.random() < 0.25:
        for side in (-1.0, 1.0):
            _handle(r, kit.solid, side * max(w for _, w in profile) * 0.9, high * 0.6, high * 0.4, glaze)
    hollowed(kit.solid, profile, r.uniform(0.035, 0.05), shell(glaze))
    if r.random() < 0.35:
        leaves = m.foliage(r)
        petals = m.Material(m.pattern(r, "plain"), 0.3, *(m.muted(r, (0.5, 1), 0.9),) * 2)
        for _ in range(r.randrange(3, 8)):
            x, z = polar(r.uniform(0, 360), r.uniform(0.1, 0.6))
            tip, size = (x, high * r.uniform(1.2, 1.8), z), r.uniform(0.12, 0.35)
            kit.rod((0, high * 0.6, 0), tip, 0.03, leaves)
            kit.frame.add(
                1, (tip[0], tip[1], tip[2]), (size, size * 0.5, size), petals, rotation(0, r.uniform(-40, 40))
            )


def bottle(r: Random, kit: Kit) -> None:
    """A bottle: body, shoulder, neck, open or with a cap, often with a label."""
    glass, high, wide = pottery(r), r.uniform(1.0, 1.8), r.uniform(0.2, 0.38)
    neck, shoulder = wide * r.uniform(0.25, 0.5), r.uniform(0.5, 0.75) * high
    profile: Profile = [
        (0.0, wide),
        (shoulder, wide),
        (shoulder + wide * r.uniform(0.3, 1.2), neck),
        (high, neck * 1.05),
    ]
    profile = [p for p in profile if p[0] < high - 0.1] + [(high, neck * 1.05)]
    kit.blend = 0.04
    lathed(kit.solid, profile, glass)
    if r.random() < 0.6:
        cap = r.uniform(0.08, 0.16)
        frustum(kit.solid, (high - 0.02, neck * 1.15), (high + cap, neck * 1.1), m.crockery(r), PUT)
    else:
        kit.solid.rounded_cylinder((0, high, 0), (neck * 1.3, 0.5, neck * 1.3), shell(glass, 0.4), op=CUT, round=0.05)
    if r.random() < 0.7:
        low = shoulder * r.uniform(0.15, 0.3)
        frustum(kit.solid, (low, wide * 1.012), (shoulder * 0.85, wide * 1.012), m.printed(r), PUT, 0.02)
    if r.random() < 0.15:
        _handle(r, kit.solid, wide, high * 0.6, high * 0.4, glass)


def jar(r: Random, kit: Kit) -> None:
    """A jar, tin or canister with a lid that is on, or open."""
    glass, high, wide = pottery(r), r.uniform(0.6, 1.3), r.uniform(0.3, 0.5)
    profile: Profile = [(0.0, wide * r.uniform(0.8, 1)), (high * 0.85, wide), (high, wide * r.uniform(0.75, 1))]
    lathed(kit.solid, profile, glass)
    hollowed(kit.solid, profile, 0.035, shell(glass))
    if r.random() < 0.65:
        lid, rim = m.metal(r) if r.random() < 0.5 else m.wood(r), profile[-1][1]
        frustum(kit.solid, (high - 0.02, rim * 1.06), (high + r.uniform(0.06, 0.2), rim * 1.02), lid, PUT)
        if r.random() < 0.4:
            kit.solid.ball((0, high + 0.2, 0), (0.16, 0.16, 0.16), lid, op=PUT)
    if r.random() < 0.5:
        frustum(kit.solid, (high * 0.2, wide * 1.012), (high * 0.7, wide * 1.012), m.printed(r), PUT, 0.02)


def wine_glass(r: Random, kit: Kit) -> None:
    """A goblet: foot, stem, hollow bowl."""
    glass, high, wide = pottery(r), r.uniform(0.9, 1.4), r.uniform(0.25, 0.5)
    stem = high * r.uniform(0.3, 0.55)
    kit.blend = 0.05
    frustum(kit.solid, (0.0, wide * r.uniform(0.6, 0.9)), (0.05, wide * 0.5), glass)
    kit.solid.rounded_cylinder((0, stem / 2, 0), (0.09, stem, 0.09), glass)
    profile: Profile = [(stem, 0.1), (stem + (high - stem) * 0.35, wide), (high, wide * r.uniform(0.75, 1.1))]
    lathed(kit.solid, profile, glass)
    hollowed(kit.solid, profile, 0.035, shell(glass))
    if r.random() < 0.4:
        _filled(r, kit.solid, stem + (high - stem) * 0.5, wide * 0.9)


def bucket(r: Random, kit: Kit) -> None:
    """A bucket, flower pot or paper basket: with a bail, lugs, earth, or nothing."""
    paint, high, rim = pottery(r), r.uniform(0.7, 1.2), 0.5
    profile: Profile = [(0.0, r.uniform(0.3, 0.45)), (high, rim)]
    lathed(kit.solid, profile, paint)
    if r.random() < 0.6:
        kit.solid.ring((0, high - 0.03, 0), (2 * rim + 0.08, 0.08, 2 * rim + 0.08), 0.08, paint)
    hollowed(kit.solid, profile, 0.035, shell(paint))
    kind = r.random()
    if kind < 0.5:
        wire, droop = m.metal(r), r.uniform(-80, 80)
        a = math.radians(droop)
        arc: list[Vec] = []
        for i in range(9):
            t = math.pi * i / 8
            reach = 0.52 * math.sin(t)
            arc.append((0.52 * math.cos(t), high - 0.04 + reach * math.cos(a), reach * math.sin(a)))
        kit.path(arc, 0.03, wire)
    elif kind < 0.75:
        _filled(r, kit.solid, high * r.uniform(0.7, 0.9), rim - 0.04)


def pan(r: Random, kit: Kit) -> None:
    """A saucepan, frying pan or pot with handles, with or without its lid."""
    steel, grip, high = m.metal(r), r.choice((m.rubber, m.wood, m.metal))(r), r.uniform(0.15, 0.7)
    profile: Profile = [(0.0, r.uniform(0.42, 0.5)), (high, 0.5)]
    lathed(kit.solid, profile, steel)
    if high < 0.4 or r.random() < 0.4:
        long = r.uniform(0.5, 0.9)
        kit.solid.limb((0.45, high * 0.7, 0), (0.5 + long, high + r.uniform(0, 0.1), 0), 0.1, grip, flat=1.4)
    else:
        for side in (-1.0, 1.0):
            kit.solid.ring((side * 0.52, high * 0.7, 0), (0.22, 0.07, 0.3), 0.06, grip)
    hollowed(kit.solid, profile, 0.035, shell(steel))
    if r.random() < 0.4:
        lid = steel if r.random() < 0.6 else m.crockery(r)
        kit.solid.ball((0, high, 0), (1.02, 0.24, 1.02), lid, op=PUT)
        kit.solid.ball((0, high + 0.16, 0), (0.14, 0.12, 0.14), grip, op=PUT)


def kettle(r: Random, kit: Kit) -> None:
    """A kettle, watering can or jug: belly, spout, handle over it or behind it."""
    paint, high, wide = pottery(r), r.uniform(0.6, 1.0), r.uniform(0.35, 0.5)
    profile: Profile = [(0.0, wide), (high * 0.6, wide * r.uniform(0.85, 1)), (high, wide * r.uniform(0.4, 0.8))]
    kit.blend = r.uniform(0.02, 0.06)
    lathed(kit.solid, profile, paint)
    tip = (-wide - r.uniform(0.25, 0.6), high * r.uniform(0.75, 1.1), 0)
    kit.solid.limb((-wide * 0.8, high * r.uniform(0.2, 0.5), 0), tip, r.uniform(0.12, 0.2), paint, taper=-0.35)
    grip = paint if r.random() < 0.5 else m.rubber(r)
    if r.random() < 0.5:
        kit.solid.ring((wide * 0.95, high * 0.55, 0), (high * 0.7, 0.11, 0.5), 0.09, grip, FORWARD)
    else:
        kit.solid.ring((0, high * 1.0, 0), (high * 0.9, 0.1, wide * 1.7), 0.09, grip, FORWARD)
    if r.random() < 0.5:
        hollowed(kit.solid, profile, 0.04, shell(paint))
    else:
        kit.solid.ball((0, high, 0), (profile[-1][1] * 2, 0.2, profile[-1][1] * 2), paint, op=PUT)
        kit.solid.ball((0, high + 0.13, 0), (0.12, 0.12, 0.12), grip, op=PUT)


def basket(r: Random, kit: Kit) -> None:
    """A basket of slats or wires around a floor, round or square, perhaps with a bow to carry it by."""
    cane, high, count = m.wood(r) if r.random() < 0.6 else m.crockery(r), r.uniform(0.35, 0.9), r.randrange(14, 30)
    low, rim, thick = r.uniform(0.32, 0.45), 0.5, r.uniform(0.015, 0.03)
    oval = r.uniform(0.6, 1)
    wide = r.uniform(0.35, 0.95) * 2 * math.pi * rim / count
    for i in range(count):
        turn = 360 * i / count
        (x, z), (u, w) = polar(turn, low), polar(turn, rim)
        _stave(kit, (x, 0, z * oval), (u, high, w * oval), (wide, thick), cane)
    for t in (0.0, *(r.uniform(0.2, 0.8) for _ in range(r.choice((0, 1, 3)))), 1.0):
        size = 2 * (low + t * (rim - low)) + 2 * thick
        kit.solid.ring((0, t * high, 0), (size, 0.045, size * oval), 0.045, cane, op=PUT)
    kit.solid.rounded_cylinder((0, 0.02, 0), (2 * low, 0.05, 2 * low * oval), cane, op=PUT)
    if r.random() < 0.4:
        up = r.uniform(0.4, 0.7)
        arc: list[Vec] = [
            (rim * math.cos(t), high + up * math.sin(t), 0.0) for t in (math.pi * i / 10 for i in range(11))
        ]
        kit.path(arc, 0.05, cane)


def _stave(kit: Kit, a: Vec, b: Vec, section: tuple[Number, Number], paint: Material) -> None:
    """A board from a to b whose broad side looks away from the axis."""
    turn, length = math.degrees(math.atan2(a[0], -a[2])), math.dist(a, b)
    lean = math.degrees(math.atan2(math.hypot(b[0], b[2]) - math.hypot(a[0], a[2]), b[1] - a[1]))
    middle = ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 - length / 2, (a[2] + b[2]) / 2)
    kit.frame.add(0, middle, (section[0], length, section[1]), paint, rotation(-turn, lean))


def crate(r: Random, kit: Kit) -> None:
    """An open box: cardboard with flaps, a drawer, a crate of slats, a tray; empty or with things in it."""
    paint = r.choice((m.wood, m.wood, m.lacquer, m.printed, m.cloth))(r)
    wide, deep, high, wall = 1.0, r.uniform(0.5, 1.0), r.uniform(0.15, 0.8), r.uniform(0.02, 0.04)
    rows = r.choice((1, 1, 2, 3))
    gap = 0.0 if rows == 1 else r.uniform(0.15, 0.4)
    f = kit.frame
    f.add(0, (0, 0, 0), (wide, wall, deep), paint)
    for i in range(rows):
        up, tall = i * high / rows, high / rows * (1 - gap)
        for side in (-1.0, 1.0):
            f.add(0, (side * (wide - wall) / 2, up, 0), (wall, tall, deep), paint)
            f.add(0, (0, up, side * (deep - wall) / 2), (wide, tall, wall), paint)
    if rows > 1:
        for x, z in itertools.product((-1.0, 1.0), (-1.0, 1.0)):
            f.add(0, (x * (wide / 2 - 1.6 * wall), 0, z * (deep / 2 - 1.6 * wall)), (2 * wall, high, 2 * wall), paint)
    elif r.random() < 0.35:
        for side in (-1.0, 1.0):
            lean, flap = r.uniform(20, 130), r.uniform(0.25, 0.5) * deep
            a = math.radians(lean)
            end = (0.0, high + flap * math.cos(a), side * (deep / 2 + flap * math.sin(a)))
            kit.bar((0, high, side * deep / 2), end, 0.99 * wide, 0.6 * wall, paint)
    for _ in range(r.choice((0, 0, 2, 4))):
        size, (x, z) = r.uniform(0.2, 0.35), (r.uniform(-0.3, 0.3), r.uniform(-0.3, 0.3) * deep)
        f.add(
            r.choice((0, 1, 1)),
            (x, wall, z),
            (size, size * r.uniform(0.8, 1.5), size),
            m.crockery(r),
            rotation(r.uniform(0, 90)),
        )
