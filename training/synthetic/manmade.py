"""Made things as sculptures: vehicles, shoes, vessels, furniture, tools. Points are (x, up, z), units free."""

from __future__ import annotations

from random import Random

from . import materials as m
from .implicit_solids import CUT, PUT, Sculpture
from .scene import Material, Number, rotation
from .solid_builder import FORWARD, SIDEWAYS, SolidBuilder, polar


def _glass(r: Random) -> Material:
    a = m.colour(r, 0.58, 0.1, (0, 0.4), (0.03, 0.5))
    return Material(m.pattern(r, "plain"), 1.0, a, m.toned(a, 0.8), 0.0, r.uniform(0.3, 0.9))


def _rubber(r: Random) -> Material:
    a = m.colour(r, 0.1, 0.1, (0, 0.2), (0.03, 0.3))
    return Material(m.pattern(r, "plain", "noise"), 0.3, a, m.toned(a, 0.7), 0.1)


def _paint(r: Random) -> Material:
    return r.choice((m.metal, m.crockery, m.lacquer, m.metal, m.printed, m.wood))(r)


def _wheel(
    solid: SolidBuilder, x: Number, z: Number, size: Number, width: Number, tyre: Material, hub: Material
) -> None:
    """A tyre with its hub, axis sideways."""
    solid.rounded_cylinder((x, size / 2, z), (size, width, size), tyre, SIDEWAYS, PUT, round=0.5)
    solid.rounded_cylinder((x, size / 2, z), (size * 0.6, width * 1.08, size * 0.6), hub, SIDEWAYS, PUT)


def modelled_car(r: Random) -> Sculpture:
    """A car, van, pick-up or racing car with wheel wells and windows."""
    body, glass, tyre, hub = _paint(r), _glass(r), _rubber(r), m.metal(r)
    solid, length, width = SolidBuilder(body), r.uniform(1.2, 2.6), r.uniform(0.7, 1.0)
    hull, wheel = r.uniform(0.25, 0.5), r.uniform(0.26, 0.5)
    floor, soft = wheel * r.uniform(0.25, 0.45), r.uniform(0.3, 0.95)
    solid.block((0, floor + hull / 2, 0), (width, hull, length), round=soft)
    cab, high = length * r.uniform(0.35, 0.8), r.uniform(0.2, 0.5)
    back = r.uniform(-0.3, 1) * (length - cab) * 0.45
    at, size = (0.0, floor + hull + high * 0.4, back), (width * 0.92, high, cab)
    lean = r.uniform(0, 0.3)
    solid.block(at, size, round=soft, taper=lean)
    if r.random() < 0.7:
        inside = (width * (0.94 - lean), high * 0.6, cab * (0.8 - lean))
        solid.block(at, inside, glass, round=0.3, taper=lean)
        solid.block(at, (width * 1.5, high * 0.55, cab * 0.7), glass, op=CUT, round=0.4)
        solid.block(at, (width * 0.7, high * 0.55, cab * 1.3), glass, op=CUT, round=0.4)
        solid.block(at, (width * 0.8, high * 0.8, cab * 0.8), glass, op=PUT, round=0.4, taper=lean)
    for x in (-1, 1):
        lamp = (x * width * 0.33, floor + hull * 0.6, -length / 2 + 0.02)
        solid.ball(lamp, (0.14, 0.12, 0.08), m.lamp(r) if r.random() < 0.5 else hub, op=PUT)
    for z in (-0.31, 0.31):
        solid.rounded_cylinder(
            (0, wheel / 2, z * length), (wheel * 1.18, width * 1.2, wheel * 1.18), tyre, SIDEWAYS, CUT
        )
        for x in (-1, 1):
            _wheel(solid, x * width * 0.44, z * length, wheel, width * 0.17, tyre, hub)
    return solid.finish(r.uniform(0.02, 0.2))


def craft(r: Random) -> Sculpture:
    """An aeroplane, rocket, boat or submarine."""
    body, other, glass = _paint(r), _paint(r), _glass(r)
    solid, length, fat = SolidBuilder(body), r.uniform(1.2, 2), r.uniform(0.22, 0.4)
    kind = r.choice(("plane", "boat", "rocket"))
    if kind == "boat":
        solid.ball((0, 0.15, 0), (fat * 2, 0.6, length), exponents=(2, r.uniform(2, 4)))
        solid.block((0, 0.45 + r.uniform(0, 0.06), 0), (fat * 4, 0.5, length * 1.2), other, op=CUT, round=0.02)
        solid.ball((0, 0.22, 0), (fat * 1.7, 0.4, length * 0.88), other, op=CUT)
        for i in range(r.randrange(1, 4)):
            solid.block((0, 0.15, (i - 1) * 0.3 * length), (fat * 1.5, 0.06, 0.12), other, op=PUT)
        if r.random() < 0.5:
            solid.limb((0, 0, 0), (0, r.uniform(0.8, 1.4), 0), 0.06, m.wood(r), op=PUT)
            solid.ball((0.0, 0.7, -0.2), (0.05, 0.8, 0.6), m.cloth(r), op=PUT, taper=0.6, bend=0.1)
        return solid.finish(0.03)
    if kind == "rocket":
        solid.ball((0, length / 2, 0), (fat, length, fat), exponents=(2, r.uniform(2, 3)), taper=r.uniform(-0.1, 0.3))
        solid.ball((0, length * 0.62, -fat * 0.42), (fat * 0.45, fat * 0.45, fat * 0.2), glass, op=PUT)
        fins = r.choice((3, 4))
        for i in range(fins):
            x, z = polar(i * 360 / fins + 20, fat * r.uniform(1.0, 1.1))
            solid.limb((0, length * 0.3, 0), (x, 0.0, z), fat * 0.5, other, flat=0.25)
        return solid.finish(r.uniform(0.02, 0.1))
    up, sweep = 0.5, r.uniform(-0.1, 0.4)
    solid.limb((0, up, -length / 2), (0, up + 0.05, length / 2), fat, taper=r.uniform(-0.3, 0.0))
    solid.ball((0, up + fat * 0.35, -length * 0.2), (fat * 0.6, fat * 0.6, fat * 1.3), glass, op=PUT)
    for x in (-1, 1):
        tip = (x * length * r.uniform(0.45, 0.5), up + r.uniform(-0.05, 0.1), sweep)
        solid.limb((0, up - 0.05, -0.1), tip, length * r.uniform(0.16, 0.24), other, flat=0.2, taper=-0.3)
        solid.limb((0, up + 0.05, length * 0.45), (x * length * 0.2, up + 0.1, length * 0.5), 0.2, other, flat=0.25)
    solid.limb((0, up, length * 0.42), (0, up + 0.4, length * 0.52), 0.22, other, flat=0.25)
    return solid.finish(r.uniform(0.02, 0.1))


def locomotive(r: Random) -> Sculpture:
    """A locomotive or tractor: boiler, cabin, funnel, wheels of two sizes."""
    body, other, tyre, hub = _paint(r), _paint(r), _rubber(r), _paint(r)
    solid, length, width = SolidBuilder(body), r.uniform(1, 1.6), r.uniform(0.5, 0.8)
    big, small = r.uniform(0.35, 0.8), r.uniform(0.2, 0.35)
    deck = small * 0.8
    solid.block((0, deck, 0), (width * 0.7, 0.12, length * 1.05), other)
    hull = r.uniform(0.35, 0.6)
    solid.rounded_cylinder((0, deck + hull / 2, -length * 0.2), (hull, length * 0.65, hull), body, FORWARD, round=0.3)
    cab = r.uniform(0.55, 0.9)
    solid.block((0, deck + cab / 2, length * 0.3), (width, cab, length * 0.4), other, round=0.1)
    solid.block((0, deck + cab * 0.65, length * 0.3), (width * 1.5, cab * 0.35, length * 0.25), _glass(r), op=CUT)
    solid.block((0, deck + cab * 1.0, length * 0.3), (width * 1.2, 0.07, length * 0.5), body, op=PUT)
    up = deck + hull
    solid.rounded_cylinder(
        (0, up + 0.1, -length * 0.38), (0.16, r.uniform(0.3, 0.5), 0.16), hub, taper=r.uniform(-0.5, 0.3)
    )
    for x in (-1, 1):
        _wheel(solid, x * width * 0.5, length * 0.3, big, width * 0.2, tyre, hub)
        _wheel(solid, x * width * 0.42, -length * 0.35, small, width * 0.16, tyre, hub)
    return solid.finish(0.02)


def shoe(r: Random) -> Sculpture:
    """A shoe, boot or slipper."""
    leather, sole = (
        r.choice((m.cloth, m.crockery, m.lacquer, m.wood))(r),
        _rubber(r) if r.random() < 0.5 else m.cloth(r),
    )
    solid, wide, thick, heel = (
        SolidBuilder(leather),
        r.uniform(0.3, 0.4),
        r.uniform(0.05, 0.14),
        r.choice((0, 0, r.uniform(0.05, 0.4))),
    )
    shaft = r.uniform(0.15, 0.35) if r.random() < 0.65 else r.uniform(0.4, 0.9)
    slope = rotation(0, -0.6 * heel * 100)
    solid.ball((0, thick + 0.12 + heel * 0.2, -0.25), (wide, 0.3, 0.6), turn=slope, exponents=(2.5, 2))
    solid.ball((0, thick + 0.16 + heel * 0.6, 0.12), (wide * 0.9, 0.36, 0.65), turn=slope)
    solid.rounded_cylinder(
        (0, heel + thick + shaft / 2, 0.25),
        (wide * 0.8, shaft + 0.1, wide * 0.95),
        round=0.3,
        taper=r.uniform(-0.1, 0.2),
    )
    solid.rounded_cylinder(
        (0, heel + thick + 0.1 + shaft / 2, 0.25), (wide * 0.6, shaft * 1.4, wide * 0.75), _rubber(r), op=CUT
    )
    solid.block((0, -0.5, 0), (3, 1 + thick * 0.2, 3), sole, op=CUT, round=0.02)
    solid.rounded_cylinder(
        (0, thick * 0.6 + heel * 0.3, -0.05), (wide * 1.05, thick, 1.15), sole, slope, PUT, round=0.3
    )
    if heel:
        solid.rounded_cylinder(
            (0, (heel + thick) / 2, 0.38),
            (wide * 0.7, heel + thick, wide * 0.6),
            sole,
            op=PUT,
            taper=r.uniform(-0.5, 0.1),
        )
    return solid.finish(r.uniform(0.08, 0.2))


def vessel(r: Random) -> Sculpture:
    """A teapot, jug, cup, bowl, vase or bottle: turned bodies, a ring as handle, hollow where it is open."""
    glaze = r.choice((m.crockery, m.crockery, m.metal, m.printed, m.wood, m.lacquer))(r)
    other = glaze if r.random() < 0.7 else m.crockery(r)
    solid, wide, high = SolidBuilder(glaze), r.uniform(0.4, 1.1), r.uniform(0.35, 1.1)
    body, taper = r.choice(("ball", "rounded_cylinder", "rounded_cylinder")), r.uniform(-0.35, 0.3)
    if body == "ball":
        solid.ball((0, high / 2, 0), (wide, high, wide), taper=taper / 2, exponents=(2, r.choice((2, 2.5, 3))))
    else:
        solid.rounded_cylinder((0, high / 2, 0), (wide, high, wide), round=r.uniform(0.1, 0.7), taper=taper)
    solid.rounded_cylinder((0, 0.03, 0), (wide * r.uniform(0.4, 0.7), 0.08, wide * 0.6), other)
    neck, throat = r.choice((0, r.uniform(0.1, 0.6))), r.uniform(0.3, 0.9) * wide * (1 - abs(taper))
    if neck:
        solid.rounded_cylinder(
            (0, high + neck / 2 - 0.05, 0), (throat, neck + 0.15, throat), taper=r.uniform(-0.4, 0.4)
        )
        solid.ring((0, high + neck, 0), (throat * 1.15, 0.07, throat * 1.15), 0.08, other)
    top = high + neck
    if r.random() < 0.65:
        hole = (throat if neck else wide * (1 - max(taper, 0.0))) * 0.8
        deep = top * r.uniform(0.4, 0.9)
        inner = Material(other.pattern, other.repeat, m.toned(other.a, 0.8), m.toned(other.b, 0.8), other.joints)
        solid.rounded_cylinder(
            (0, top - deep / 2 + 0.12, 0), (hole, deep + 0.12, hole), inner, op=CUT, round=0.4, taper=min(0.0, taper)
        )
        if r.random() < 0.4:
            solid.rounded_cylinder(
                (0, top - deep * 0.5, 0), (hole * 1.05, deep * 0.5, hole * 1.05), m.earth(r), op=PUT, round=0.05
            )
    else:
        solid.ball((0, top, 0), (throat * 0.9, 0.2, throat * 0.9), other)
        solid.ball((0, top + 0.13, 0), (0.13, 0.13, 0.13), other)
    side = wide / 2 * r.uniform(0.85, 1.0)
    if r.random() < 0.65:
        size = high * r.uniform(0.5, 0.8)
        solid.ring(
            (side, high * 0.5, 0), (size, r.uniform(0.06, 0.14), size * r.uniform(0.8, 1.5)), 0.09, other, FORWARD
        )
    if r.random() < 0.45:
        solid.limb(
            (-side * 0.8, high * 0.35, 0),
            (-side - 0.35, high * r.uniform(0.8, 1.1), 0),
            0.16,
            other,
            taper=-0.35,
            bend=r.uniform(-0.1, 0.2),
        )
    return solid.finish(r.uniform(0.02, 0.1))


def seat(r: Random) -> Sculpture:
    """A stool, chair, armchair or bench with round edges."""
    wood, cloth = m.wood(r) if r.random() < 0.6 else _paint(r), m.cloth(r)
    solid, wide, deep, high = SolidBuilder(cloth), r.uniform(0.5, 1.6), r.uniform(0.5, 0.8), r.uniform(0.25, 0.8)
    thick, soft = r.uniform(0.06, 0.3), r.uniform(0.2, 0.95)
    if r.random() < 0.35:
        solid.rounded_cylinder((0, high, 0), (deep, thick, deep), round=soft)
        wide = deep
    else:
        solid.block((0, high, 0), (wide, thick, deep), round=soft)
    leg, splay = r.uniform(0.05, 0.12), r.uniform(0.8, 1.25)
    if r.random() < 0.2:
        solid.rounded_cylinder((0, high / 2, 0), (leg, high, leg), wood)
        solid.rounded_cylinder((0, 0.03, 0), (deep * 0.8, 0.06, deep * 0.8), wood)
    else:
        for x in (-1, 1):
            for z in (-1, 1):
                foot = (x * wide * 0.42 * splay, leg / 2, z * deep * 0.42 * splay)
                solid.limb((x * wide * 0.4, high, z * deep * 0.4), foot, leg, wood, taper=r.uniform(-0.3, 0))
    if r.random() < 0.7:
        back = r.uniform(0.3, 0.8)
        tilt = rotation(0, r.uniform(-15, 0))
        solid.block((0, high + back / 2, deep * 0.48), (wide * 0.95, back, thick), turn=tilt, round=soft)
        if r.random() < 0.4:
            hole = (wide * r.uniform(0.3, 0.7), back * 0.5, deep)
            solid.block((0, high + back * 0.55, deep * 0.55), hole, op=CUT, round=r.uniform(0.2, 0.9))
        if r.random() < 0.5:
            for x in (-1, 1):
                solid.block((x * wide * 0.5, high + 0.12, 0.02), (max(0.08, thick * 0.8), 0.3, deep), round=soft)
    return solid.finish(r.uniform(0, 0.06))


def modelled_tool(r: Random) -> Sculpture:
    """A hammer, spoon, screwdriver, mallet, brush, lamp or dumb-bell, lying or standing."""
    grip, head = m.wood(r) if r.random() < 0.4 else _paint(r), _paint(r)
    solid, length, thick = SolidBuilder(grip), r.uniform(0.8, 1.4), r.uniform(0.07, 0.18)
    kind = r.randrange(5)
    solid.limb((0, 0, 0), (0, length, 0), thick, taper=r.uniform(-0.3, 0.4), flat=r.uniform(0.6, 1.2))
    if kind == 0:
        size = (r.uniform(0.2, 0.3), r.uniform(0.4, 0.8), 0.25)
        solid.rounded_cylinder((0, length, 0), size, head, SIDEWAYS, PUT, round=0.2)
    elif kind == 1:
        bowl = r.uniform(0.3, 0.45)
        solid.ball((0, length + 0.1, 0), (bowl, bowl * 1.3, 0.16), head)
        solid.ball((0, length + 0.1, -0.1), (bowl * 0.85, bowl * 1.1, 0.2), head, op=CUT)
    elif kind == 2:
        solid.ball((0, 0.15, 0), (thick * 2.2, length * 0.45, thick * 2.2), head, exponents=(3, 3))
    elif kind == 3:
        solid.rounded_cylinder((0, 0.05, 0), (0.5, 0.1, 0.5), head)
        solid.rounded_cylinder((0, length, 0), (0.6, 0.4, 0.6), m.lamp(r), op=PUT, taper=r.uniform(0, 0.6))
    else:
        for end in (0.0, length):
            disc = r.uniform(0.3, 0.5)
            solid.rounded_cylinder((0, end, 0), (disc, 0.25, disc), head, op=PUT, round=0.4)
    if kind != 3 and r.random() < 0.75:
        return lying(solid.finish(0.05))
    return solid.finish(0.05)


def lying(s: Sculpture) -> Sculpture:
    """The same on its side."""
    solid = SolidBuilder(s.parts[0].material)
    turned = rotation(0, 90)
    for part in s.parts:
        solid.again(part, turned)
    return solid.finish(s.blend)
