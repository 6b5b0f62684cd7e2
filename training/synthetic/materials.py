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


def hue(r: Random) -> float:
    """A hue as made things have them: half are wood, leather, brick or cream, a fifth blue, the rest anything."""
    kind = r.random()
    if kind < 0.5:
        return r.gauss(0.07, 0.03) % 1
    return r.gauss(0.59, 0.04) % 1 if kind < 0.7 else r.random()


def muted(r: Random, val: tuple[Number, Number] = (0.08, 0.95), vivid: Number = 0.15) -> Vec:
    """A colour by the statistics of real rooms: mostly greyish, now and then strong."""
    sat = r.uniform(0.4, 0.95) if r.random() < vivid else 0.5 * r.random() ** 1.7
    return colour(r, hue(r), 0.0, (sat, sat), val)


def toned(c: Vec, factor: Number) -> Vec:
    """The same colour lighter or darker, kept in [0, 1]."""
    return tuple(min(1.0, max(0.0, x * factor)) for x in c)  # type: ignore[return-value]


def pattern(r: Random, *kinds: str) -> int:
    """The number of a random pattern of one of the kinds."""
    return KINDS.index(r.choice(kinds)) * PER_KIND + r.randrange(PER_KIND)


def anything(r: Random, repeat: Number = 0.5) -> Material:
    """Any colour, any pattern: what keeps the net from trusting colours."""
    a = colour(r, r.random(), 0.0, (0, 0.9), (0.08, 1))
    b = toned(a, r.uniform(0.5, 1.5)) if r.random() < 0.6 else colour(r, r.random(), 0.0, (0, 0.9), (0.08, 1))
    return Material(
        pattern(r, *KINDS), repeat * r.uniform(0.4, 2), a, b, r.uniform(0, 0.6), max(0.0, r.uniform(-0.5, 0.5))
    )


def _or_anything(r: Random, material: Material) -> Material:
    """One in sixteen is painted with anything."""
    return material if r.random() < 0.94 else anything(r, material.repeat)


def painted(r: Random) -> Material:
    """Walls and ceilings: mostly light, with stains and wear, sometimes wallpaper, panels or bricks."""
    bright = r.random() < 0.7
    a = muted(r, (0.6, 0.97) if bright else (0.2, 0.7), 0.05 if bright else 0.3)
    kind = r.random()
    if kind < 0.7:
        number = pattern(r, "plain", "stain", "stain", "noise")
        return Material(number, 10 ** r.uniform(-0.3, 0.8), a, toned(a, r.uniform(0.7, 1.03)), r.uniform(0, 0.15))
    if kind < 0.76:
        brick = colour(r, 0.04, 0.03, (0.2, 0.7), (0.3, 0.9))
        return Material(pattern(r, "bricks"), r.uniform(0.8, 1.6), brick, toned(brick, r.uniform(0.5, 0.9)), -0.3)
    number = pattern(r, "noise", "stripes", "tiles", "tiles", "blobs", "rug", "panels", "leaves")
    return _or_anything(r, Material(number, r.uniform(0.4, 2), a, toned(a, r.uniform(0.7, 1.1)), 0.2))


def wood(r: Random) -> Material:
    """Furniture wood, pale to nearly black, often reddish."""
    a = colour(r, r.choice((0.07, 0.07, 0.03)), 0.03, (0.25, 0.8), (0.12, 0.85))
    kind = pattern(r, "grain", "grain", "wood", "plain", "stain")
    gloss = r.choice((0, r.uniform(0, 0.5)))
    return _or_anything(r, Material(kind, r.uniform(0.3, 1.5), a, toned(a, r.uniform(0.4, 0.9)), 0.4, gloss))


def fronts(r: Random) -> Material:
    """Doors, drawers and cupboards with frames, gaps and knobs."""
    a = wood(r).a if r.random() < 0.6 else muted(r, (0.1, 0.97))
    number = pattern(r, "panels", "panels", "panels", "slats")
    return Material(
        number, r.uniform(0.5, 1.8), a, toned(a, r.uniform(0.6, 0.95)), r.uniform(0.4, 0.8), r.uniform(0, 0.3)
    )


def books(r: Random) -> Material:
    """Rows of book spines, files or boxes."""
    return Material(pattern(r, "books"), r.uniform(0.4, 1.2), muted(r, (0.05, 0.5)), muted(r, (0.4, 0.95)), 0.85)


def rug(r: Random, repeat: Number) -> Material:
    """A rug with borders; repeat is the rug's longer side."""
    dark, light = muted(r, (0.08, 0.5), 0.6), muted(r, (0.3, 0.9), 0.3)
    return Material(pattern(r, "rug"), repeat, dark, light, r.uniform(0.2, 0.5))


def picture(r: Random) -> Material:
    """Paintings and photos on walls."""
    return Material(pattern(r, "picture", "picture", "print"), r.uniform(0.4, 1.2), muted(r), muted(r, (0.4, 1)), 0.7)


def bark(r: Random) -> Material:
    """Trunks: brown-grey, darker than one thinks."""
    a = colour(r, 0.08, 0.03, (0.1, 0.5), (0.12, 0.5))
    return Material(pattern(r, "grain", "noise", "blobs"), r.uniform(0.4, 1.5), a, toned(a, r.uniform(0.4, 0.8)), 0.5)


def paint_mark(r: Random) -> Material:
    """Lines on roads: white or yellow, worn."""
    a = colour(r, 0.12, 0.02, (0, r.choice((0.1, 0.1, 0.7))), (0.75, 1))
    return Material(pattern(r, "stain", "noise"), r.uniform(0.5, 2), a, toned(a, 0.7), 0.4)


def lacquer(r: Random) -> Material:
    """Plain furniture: white, black, grey or one colour."""
    a = muted(r, r.choice(((0.05, 0.2), (0.75, 0.97), (0.05, 0.95))), 0.2)
    return Material(pattern(r, "plain", "stain"), 1.0, a, toned(a, r.uniform(0.75, 0.95)), 0.05, r.uniform(0, 0.4))


def cloth(r: Random) -> Material:
    """Sofas, beds, clothes."""
    a = muted(r, (0.1, 0.9), 0.25)
    kind = pattern(r, "plain", "noise", "carpet", "carpet", "stain", "stripes", "checks", "blobs", "folds", "rug")
    b = toned(a, r.uniform(0.5, 1.2)) if r.random() < 0.85 else muted(r)
    return Material(kind, r.uniform(0.2, 1), a, b, 0.25)


def curtain(r: Random) -> Material:
    """Cloth in folds, sometimes with the daylight behind it."""
    a = muted(r, (0.3, 0.97), 0.35)
    glow = r.uniform(0, 0.8) if r.random() < 0.3 else 0.0
    return Material(
        pattern(r, "folds", "folds", "stripes", "slats"), r.uniform(0.4, 1), a, toned(a, 0.5), 0.4, 0.0, glow
    )


def floor(r: Random) -> Material:
    """Parquet, carpet, tiles, stone, concrete."""
    kind, gloss = r.random(), r.choice((0, r.uniform(0, 0.7)))
    if kind < 0.4:
        a = colour(r, 0.07, 0.03, (0.2, 0.75), (0.15, 0.85))
        number = pattern(r, "wood", "wood", "grain")
        return _or_anything(r, Material(number, r.uniform(0.6, 2), a, toned(a, r.uniform(0.5, 0.85)), 0.5, gloss))
    a = muted(r, (0.15, 0.9))
    if kind < 0.65:
        return Material(
            pattern(r, "carpet", "carpet", "stain"), r.uniform(0.5, 3), a, toned(a, r.uniform(0.6, 0.95)), 0.3
        )
    number = pattern(r, "tiles", "tiles", "noise", "stain", "blobs", "checks", "bricks")
    return _or_anything(r, Material(number, r.uniform(0.5, 2.5), a, toned(a, r.uniform(0.6, 1.15)), 0.4, gloss))


def asphalt(r: Random) -> Material:
    """Roads and pavements: grey with stains and cracks, or paved."""
    a = colour(r, 0.1, 0.1, (0, 0.12), (0.2, 0.65))
    number = pattern(r, "noise", "stain", "stain", "carpet", "plain", "tiles", "bricks")
    return _or_anything(
        r, Material(number, 10 ** r.uniform(0, 1.1), a, toned(a, r.uniform(0.6, 1.2)), r.uniform(0.1, 0.5))
    )


def facade(r: Random) -> Material:
    """House fronts with windows, brick or plaster."""
    a = colour(r, r.choice((0.05, 0.1, 0.1, 0.6)), 0.05, (0, 0.5), (0.2, 0.92))
    glass = colour(r, 0.58, 0.06, (0, 0.3), (0.03, 0.5))
    kind = pattern(r, "windows", "windows", "windows", "windows", "bricks", "stain", "panels", "tiles")
    repeat = r.uniform(6, 14) if kind // PER_KIND == KINDS.index("windows") else r.uniform(1, 4)
    return _or_anything(
        r, Material(kind, repeat, a, glass if repeat > 4 else toned(a, 0.7), r.uniform(0.2, 0.7), r.uniform(0, 0.2))
    )


def foliage(r: Random) -> Material:
    """Leaves, hedges, grass: light leaves before gaps that are nearly black; sometimes autumn."""
    a = colour(r, 0.23 if r.random() < 0.9 else 0.1, 0.05, (0.25, 0.75), (0.12, 0.55))
    number = pattern(r, "leaves", "leaves", "leaves", "noise", "blobs")
    return _or_anything(
        r,
        Material(
            number,
            r.uniform(0.8, 4),
            toned(a, r.uniform(0.15, 0.9)),
            toned(a, r.uniform(0.8, 2)),
            r.uniform(0.4, 0.95),
        ),
    )


def grass(r: Random) -> Material:
    """Lawns and meadows, fields."""
    a = colour(r, 0.22, 0.06, (0.25, 0.7), (0.25, 0.65))
    number = pattern(r, "carpet", "noise", "stain", "leaves")
    return Material(number, 10 ** r.uniform(0, 1.1), a, toned(a, r.uniform(0.5, 1.2)), r.uniform(0.2, 0.6))


def earth(r: Random) -> Material:
    """Sand, soil, gravel, rock, snow, dry grass."""
    a = colour(r, 0.09, 0.04, (0, 0.45), (0.2, 0.95))
    number = pattern(r, "noise", "blobs", "leaves", "stain", "carpet")
    return _or_anything(
        r, Material(number, 10 ** r.uniform(-0.3, 1), a, toned(a, r.uniform(0.4, 1.2)), r.uniform(0.2, 0.7))
    )


def stone(r: Random) -> Material:
    """Mountains: rock with snow, woods or meadows in patches."""
    a = colour(r, 0.08, 0.06, (0, 0.3), (0.2, 0.6))
    b = r.choice(
        (colour(r, 0.6, 0.05, (0, 0.08), (0.85, 1)), colour(r, 0.25, 0.04, (0.2, 0.6), (0.15, 0.5)), toned(a, 1.6))
    )
    return Material(pattern(r, "blobs", "noise", "leaves", "stain"), r.uniform(40, 300), a, b, r.uniform(0.1, 0.6))


def water(r: Random) -> Material:
    """Lakes, rivers, the sea."""
    a = colour(r, 0.55, 0.08, (0.1, 0.6), (0.15, 0.7))
    return Material(
        pattern(r, "noise", "stain", "grain"),
        r.uniform(4, 40),
        a,
        toned(a, r.uniform(0.7, 1.3)),
        0.1,
        r.uniform(0.4, 1),
    )


def metal(r: Random) -> Material:
    """Poles, car bodies, appliances: black, white, silver, some colours."""
    a = colour(r, r.random(), 0.0, (0, r.choice((0.08, 0.08, 0.8))), r.choice(((0.05, 0.25), (0.4, 0.95))))
    return Material(pattern(r, "plain", "stain"), 2.0, a, toned(a, 0.8), 0.0, r.uniform(0.3, 0.9))


def printed(r: Random) -> Material:
    """Boxes, book covers, labels, posters."""
    a, b = (muted(r, val, 0.5) for val in ((0.2, 1), (0.1, 1)))
    number = pattern(r, "print", "print", "text", "text", "picture", "stripes", "blobs", "plain")
    return Material(number, r.uniform(0.12, 0.4), a, b, r.uniform(0.2, 0.9), r.uniform(0, 0.3))


def crockery(r: Random) -> Material:
    """Cups, plates, bottles, cans, fruit: white, black, or one strong colour."""
    a = muted(r, r.choice(((0.8, 1), (0.05, 0.3), (0.2, 0.9))), 0.5)
    number = pattern(r, "plain", "plain", "stain", "noise", "print")
    return Material(number, r.uniform(0.1, 0.4), a, toned(a, r.uniform(0.7, 1.1)), 0.2, r.choice((0, r.uniform(0, 1))))


def clear_glass(r: Random) -> Material:
    """Drinking glasses, bottles, jars, vases that one sees through: colourless, or dyed a little green, brown or blue."""
    dyed = r.random() < 0.4
    a = colour(r, r.choice((0.1, 0.3, 0.4, 0.58)), 0.04, (0.2, 0.7) if dyed else (0, 0.08), (0.75, 1))
    return Material(pattern(r, "plain"), 1.0, a, a, 0.0, r.uniform(0.5, 1.5), clear=r.uniform(0.6, 0.97))


def skin(r: Random) -> Material:
    """Faces and hands."""
    a = colour(r, 0.06, 0.02, (0.25, 0.6), (0.3, 0.95))
    return Material(pattern(r, "plain"), 0.3, a, toned(a, 0.85), 0.1)


def lamp(r: Random) -> Material:
    """Things that shine: windows by day, lamps, screens."""
    a = colour(r, r.choice((0.1, 0.58)), 0.05, (0, 0.25), (0.8, 1))
    return Material(
        pattern(r, "plain", "plain", "noise", "leaves"),
        r.uniform(0.5, 2),
        a,
        toned(a, 0.8),
        0.2,
        0.0,
        10 ** r.uniform(-0.4, 0.7),
    )


def window_view(r: Random) -> Material:
    """What a window shows by day, blown out or not: foliage, houses, bricks, haze."""
    bright, dark = muted(r, (0.75, 1)), muted(r, (0.1, 0.6), 0.3)
    number = pattern(r, "leaves", "leaves", "picture", "bricks", "windows", "plain")
    return Material(number, r.uniform(0.6, 3), dark, bright, 0.4, 0.0, 10 ** r.uniform(-0.3, 0.8))


def display(r: Random) -> Material:
    """Screens: black and glossy, or lit with text and pictures."""
    if r.random() < 0.5:
        black = (0.01, 0.01, 0.012)
        return Material(pattern(r, "plain"), 1.0, black, black, 0.0, r.uniform(0.1, 0.5))
    return Material(
        pattern(r, "print", "text", "picture"),
        r.uniform(0.4, 1),
        muted(r),
        muted(r, (0.5, 1)),
        0.7,
        0.1,
        r.uniform(0.2, 1.2),
        weave=r.choice((0, r.uniform(0.05, 0.4))),
    )


def glass(r: Random) -> Material:
    """Car windows: dark, mirroring the sky."""
    a = colour(r, 0.58, 0.06, (0, 0.3), (0.03, 0.45))
    return Material(pattern(r, "plain", "stain"), 2.0, a, toned(a, 2.5), 0.0, r.uniform(0.4, 1.2))


def rubber(r: Random) -> Material:
    """Tyres and black plastic."""
    a = colour(r, 0.6, 0.5, (0, 0.1), (0.03, 0.25))
    return Material(pattern(r, "plain"), 1.0, a, toned(a, 1.5), 0.0, 0.05)
