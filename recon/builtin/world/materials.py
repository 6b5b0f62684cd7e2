"""What things are painted with: one function per stuff, each drawing pattern, scale and colours from a random source.

Colours are linear RGB. Every function takes the source of randomness first and gives a Material.
"""

from __future__ import annotations

import colorsys
from random import Random

from .scene import Material, Number, Vec
from .textures import KINDS, PER_KIND


def colour(r: Random, hue: Number, hue_spread: Number, sat: tuple[Number, Number], val: tuple[Number, Number]) -> Vec:
    """A colour around a hue (turns), saturation and value drawn from ranges; sRGB drawn, linear given (gamma 2.2)."""
    rgb = colorsys.hsv_to_rgb((hue + r.uniform(-hue_spread, hue_spread)) % 1, r.uniform(*sat), r.uniform(*val))
    return tuple(c**2.2 for c in rgb)


def shade(c: Vec, factor: Number) -> Vec:
    """The same colour lighter or darker, kept in [0, 1]."""
    return tuple(min(1.0, max(0.0, x * factor)) for x in c)  # type: ignore[return-value]


def pattern(r: Random, *kinds: str) -> int:
    """The number of a random pattern of one of the kinds."""
    return KINDS.index(r.choice(kinds)) * PER_KIND + r.randrange(PER_KIND)


def anything(r: Random, repeat: Number = 0.5) -> Material:
    """Any colour, any pattern: what keeps the net from trusting colours."""
    a = colour(r, r.random(), 0.0, (0, 0.9), (0.08, 1))
    b = shade(a, r.uniform(0.5, 1.5)) if r.random() < 0.6 else colour(r, r.random(), 0.0, (0, 0.9), (0.08, 1))
    return Material(
        pattern(r, *KINDS), repeat * r.uniform(0.4, 2), a, b, r.uniform(0, 0.6), max(0.0, r.uniform(-0.5, 0.5))
    )


def _or_anything(r: Random, material: Material) -> Material:
    """A tenth of all stuff is painted with anything."""
    return material if r.random() < 0.9 else anything(r, material.repeat)


def painted(r: Random) -> Material:
    """Walls and ceilings: light, hardly any pattern, sometimes wallpaper."""
    a = colour(r, r.random(), 0.0, (0, 0.25), (0.5, 0.97))
    if r.random() < 0.2:
        a = colour(r, r.random(), 0.0, (0.2, 0.7), (0.2, 0.8))
    if r.random() < 0.7:
        return Material(pattern(r, "plain", "plain", "noise"), r.uniform(0.5, 3), a, shade(a, r.uniform(0.93, 1.03)))
    kind = pattern(r, "noise", "stripes", "tiles", "blobs", "bricks", "print")
    return _or_anything(r, Material(kind, r.uniform(0.5, 3), a, shade(a, r.uniform(0.7, 1.1)), 0.2))


def wood(r: Random) -> Material:
    """Furniture wood, pale to nearly black."""
    a = colour(r, 0.07, 0.03, (0.25, 0.75), (0.15, 0.85))
    kind = pattern(r, "grain", "grain", "wood", "plain")
    return _or_anything(
        r, Material(kind, r.uniform(0.5, 2), a, shade(a, r.uniform(0.6, 0.95)), 0.4, r.uniform(0, 0.35))
    )


def lacquer(r: Random) -> Material:
    """Plain furniture: white, black, grey or one colour."""
    a = colour(r, r.random(), 0.0, (0, r.choice((0.1, 0.1, 0.7))), (0.05, 0.95))
    return Material(pattern(r, "plain"), 1.0, a, shade(a, 0.9), 0.0, r.uniform(0, 0.4))


def cloth(r: Random) -> Material:
    """Sofas, beds, clothes."""
    a = colour(r, r.random(), 0.0, (0, 0.7), (0.1, 0.9))
    kind = pattern(r, "plain", "noise", "noise", "stripes", "checks", "blobs", "folds")
    return Material(kind, r.uniform(0.2, 1), a, shade(a, r.uniform(0.6, 1.3)), 0.25)


def curtain(r: Random) -> Material:
    """Cloth in folds."""
    a = colour(r, r.random(), 0.0, (0, 0.6), (0.3, 0.95))
    return Material(pattern(r, "folds", "stripes"), r.uniform(0.4, 1), a, shade(a, 0.6), 0.3)


def floor(r: Random) -> Material:
    """Parquet, tiles, carpet, stone."""
    if r.random() < 0.45:
        a = colour(r, 0.07, 0.03, (0.2, 0.7), (0.2, 0.85))
        return _or_anything(
            r,
            Material(pattern(r, "wood", "wood", "grain"), r.uniform(0.6, 2), a, shade(a, 0.75), 0.5, r.uniform(0, 0.4)),
        )
    a = colour(r, r.random(), 0.0, (0, 0.4), (0.15, 0.9))
    kind = pattern(r, "tiles", "tiles", "noise", "plain", "blobs", "checks", "stripes")
    return _or_anything(
        r, Material(kind, r.uniform(0.4, 2.5), a, shade(a, r.uniform(0.7, 1.2)), 0.4, r.uniform(0, 0.3))
    )


def asphalt(r: Random) -> Material:
    """Roads and pavements."""
    a = colour(r, 0.1, 0.1, (0, 0.12), (0.2, 0.65))
    return _or_anything(
        r,
        Material(
            pattern(r, "noise", "noise", "plain", "tiles", "bricks"),
            r.uniform(0.8, 6),
            a,
            shade(a, r.uniform(0.8, 1.2)),
            0.3,
        ),
    )


def facade(r: Random) -> Material:
    """House fronts with windows, brick or plaster."""
    a = colour(r, r.choice((0.05, 0.1, 0.6)), 0.05, (0, 0.55), (0.25, 0.95))
    glass = colour(r, 0.58, 0.06, (0, 0.4), (0.05, 0.6))
    kind = pattern(r, "windows", "windows", "windows", "bricks", "plain", "noise", "tiles")
    repeat = r.uniform(6, 14) if kind // PER_KIND == KINDS.index("windows") else r.uniform(1, 4)
    return _or_anything(r, Material(kind, repeat, a, glass, r.uniform(0.2, 0.6), r.uniform(0, 0.3)))


def foliage(r: Random) -> Material:
    """Leaves, hedges, grass."""
    a = colour(r, 0.26, 0.07, (0.3, 0.8), (0.12, 0.6))
    return _or_anything(
        r,
        Material(
            pattern(r, "leaves", "leaves", "noise", "blobs"),
            r.uniform(0.7, 3),
            a,
            shade(a, r.uniform(0.4, 1.4)),
            r.uniform(0.3, 0.9),
        ),
    )


def earth(r: Random) -> Material:
    """Sand, soil, rock, snow, dry grass."""
    a = colour(r, 0.09, 0.05, (0, 0.5), (0.2, 0.95))
    return _or_anything(
        r,
        Material(
            pattern(r, "noise", "blobs", "leaves", "plain"), r.uniform(0.5, 8), a, shade(a, r.uniform(0.5, 1.2)), 0.4
        ),
    )


def metal(r: Random) -> Material:
    """Poles, car bodies, appliances."""
    a = colour(r, r.random(), 0.0, (0, r.choice((0.1, 0.8))), (0.05, 0.95))
    return Material(pattern(r, "plain"), 2.0, a, shade(a, 0.85), 0.0, r.uniform(0.3, 0.8))


def printed(r: Random) -> Material:
    """Boxes, book covers, labels, posters."""
    a = colour(r, r.random(), 0.0, (0, 0.9), (0.2, 1))
    b = colour(r, r.random(), 0.0, (0, 0.9), (0.1, 1))
    return Material(
        pattern(r, "print", "print", "print", "stripes", "blobs", "plain"),
        r.uniform(0.15, 0.5),
        a,
        b,
        r.uniform(0.2, 0.9),
        r.uniform(0, 0.3),
    )


def crockery(r: Random) -> Material:
    """Cups, plates, bottles, cans, fruit: one strong colour, or white."""
    a = colour(r, r.random(), 0.0, (0, r.choice((0.08, 0.5, 0.95))), (0.1, 1))
    return Material(
        pattern(r, "plain", "plain", "noise", "print"),
        r.uniform(0.1, 0.4),
        a,
        shade(a, r.uniform(0.7, 1.2)),
        0.2,
        r.uniform(0, 0.7),
    )


def skin(r: Random) -> Material:
    """Faces and hands."""
    a = colour(r, 0.06, 0.02, (0.25, 0.6), (0.3, 0.95))
    return Material(pattern(r, "plain"), 0.3, a, shade(a, 0.85), 0.1)


def lamp(r: Random) -> Material:
    """Things that shine: windows by day, lamps, screens."""
    a = colour(r, r.choice((0.1, 0.58)), 0.05, (0, 0.25), (0.8, 1))
    return Material(
        pattern(r, "plain", "plain", "noise", "leaves"),
        r.uniform(0.5, 2),
        a,
        shade(a, 0.8),
        0.2,
        0.0,
        r.uniform(0.4, 2.5),
    )
