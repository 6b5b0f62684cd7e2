"""Vehicles as things of their own: vans, lorries, bicycles, motorbikes, boats, aeroplanes, carts. Points are (x, up, z),
units free, the front towards -z."""

from __future__ import annotations

import itertools
import math
from random import Random

from . import materials as m
from .implicit_solids import CUT, PUT
from .kit import Kit, shell
from .scene import Material, Number, Vec, rotation
from .solid_builder import FORWARD, SIDEWAYS, polar


def bodywork(r: Random) -> Material:
    """Car paint, toy paint, printed tin."""
    return r.choice((m.metal, m.metal, m.crockery, m.lacquer, m.printed))(r)


def _wheel(kit: Kit, x: Number, z: Number, size: Number, width: Number, tyre: Material, hub: Material) -> None:
    """A tyre with its hub, axis sideways, standing on the ground."""
    kit.solid.rounded_cylinder((x, size / 2, z), (size, width, size), tyre, SIDEWAYS, PUT, round=0.4)
    kit.solid.rounded_cylinder((x, size / 2, z), (size * 0.6, width * 1.06, size * 0.6), hub, SIDEWAYS, PUT)


def _windows(kit: Kit, count: int, where: tuple[Number, Number, Number], size: Vec, glass: Material) -> None:
    """Panes on both sides of a body, `count` along z between two ends (start, end) at a height; size is one pane's."""
    start, end, up = where
    for i in range(count):
        z = start + (i + 0.5) / count * (end - start)
        kit.frame.add(0, (0, up - size[1] / 2, z), (size[0], size[1], abs(end - start) / count * 0.82), glass)


def van(r: Random, kit: Kit) -> None:
    """A van, bus or delivery van: one long body with panes that lie on it."""
    paint, glass, tyre, hub = bodywork(r), m.glass(r), m.rubber(r), m.metal(r)
    w, high, long, wheel = r.uniform(0.7, 0.9), r.uniform(0.6, 1.0), r.uniform(1.5, 3.0), r.uniform(0.26, 0.36)
    floor, soft = wheel * 0.45, r.uniform(0.15, 0.6)
    kit.blend = 0.03
    kit.solid.block((0, floor + high / 2, 0), (w, high, long), paint, round=soft)
    nose = r.choice((0.0, r.uniform(0.2, 0.4)))
    if nose:
        kit.solid.block(
            (0, floor + high * 0.28, -long / 2 - nose * 0.4), (w * 0.96, high * 0.55, nose * 1.4), paint, round=0.5
        )
    up, tall = floor + high * 0.68, high * r.uniform(0.25, 0.38)
    if r.random() < 0.75:
        _windows(kit, r.randrange(3, 7), (-long * 0.42, long * 0.42, up), (w * 1.004, tall, 0), glass)
    else:
        _windows(kit, 1, (-long * 0.42, -long * 0.2, up), (w * 1.004, tall, 0), glass)
    kit.frame.add(0, (0, up - tall / 2, 0), (w * 0.84, tall, long * 1.004), glass)
    for x in (-1.0, 1.0):
        kit.solid.ball((x * w * 0.36, floor + high * 0.2, -long / 2 - nose), (0.12, 0.12, 0.06), m.crockery(r), op=PUT)
        for z in (-0.32, 0.32):
            _wheel(kit, x * w * 0.44, z * long, wheel, w * 0.16, tyre, hub)
    if r.random() < 0.3:
        kit.frame.add(0, (0, floor + high, 0), (w * 0.5, 0.06, long * 0.5), m.metal(r))


def lorry(r: Random, kit: Kit) -> None:
    """A lorry: cab, chassis, and a box, a tank, a dump body, a crane or logs."""
    paint, load, glass, tyre, hub = bodywork(r), bodywork(r), m.glass(r), m.rubber(r), m.metal(r)
    w, wheel, long = r.uniform(0.7, 0.85), r.uniform(0.28, 0.38), r.uniform(1.8, 3.2)
    deck, cab, high = wheel * 0.8, r.uniform(0.45, 0.65), r.uniform(0.6, 0.9)
    front = -long / 2 + cab / 2
    kit.frame.add(0, (0, deck * 0.7, 0), (w * 0.7, 0.12, long * 0.98), hub)
    kit.solid.block((0, deck + high / 2, front), (w * 0.96, high, cab), paint, round=r.uniform(0.1, 0.5))
    kit.frame.add(0, (0, deck + high * 0.52, front), (w * 0.965, high * 0.3, cab * 0.6), glass)
    kit.frame.add(0, (0, deck + high * 0.5, front), (w * 0.82, high * 0.34, cab * 1.01), glass)
    bed, start, kind = long - cab - 0.1, -long / 2 + cab + 0.08, r.randrange(4)
    middle = start + bed / 2
    if kind == 0:
        tall = r.uniform(0.6, 1.1)
        kit.frame.add(0, (0, deck + 0.08, middle), (w, tall, bed), load)
    elif kind == 1:
        fat = r.uniform(0.55, 0.75)
        kit.solid.rounded_cylinder((0, deck + 0.08 + fat / 2, middle), (fat, bed, fat), load, FORWARD, round=0.5)
    elif kind == 2:
        wall, tall = 0.04, r.uniform(0.25, 0.5)
        kit.frame.add(0, (0, deck + 0.08, middle), (w, wall, bed), load)
        for x in (-1.0, 1.0):
            kit.frame.add(0, (x * (w - wall) / 2, deck + 0.08, middle), (wall, tall, bed), load)
            kit.frame.add(0, (0, deck + 0.08, middle + x * (bed - wall) / 2), (w, tall, wall), load)
        if r.random() < 0.5:
            kit.solid.ball((0, deck + 0.12, middle), (w * 0.9, tall * 2.1, bed * 0.9), m.earth(r))
    else:
        for i, (x, up) in enumerate(((-0.22, 0.0), (0.0, 0.0), (0.22, 0.0), (-0.11, 0.19), (0.11, 0.19))):
            kit.rod(
                (x * w * 1.2, deck + 0.2 + up, start),
                (x * w * 1.2, deck + 0.2 + up, start + bed),
                0.22,
                m.bark(Random(i)),
            )
    for z in (front, middle + bed * 0.2, middle + bed * 0.36):
        for x in (-1.0, 1.0):
            _wheel(kit, x * w * 0.42, z, wheel, w * 0.17, tyre, hub)


def _spoked(kit: Kit, z: Number, size: Number, tyre: Material, wire: Material, spokes: int, thick: Number) -> None:
    """A wheel of a rim and spokes in the plane x = 0."""
    kit.solid.ring((0, size / 2, z), (size, thick, size), thick, tyre, SIDEWAYS, op=PUT)
    for i in range(spokes):
        up, along = polar(360 * i / spokes, size / 2 - thick / 2)
        kit.rod((0, size / 2, z), (0, size / 2 + up, z + along), 0.012, wire)
    kit.rod((-0.06, size / 2, z), (0.06, size / 2, z), 0.06, wire)


def bicycle(r: Random, kit: Kit) -> None:
    """A bicycle: two spoked wheels, a frame of tubes, saddle, handlebars, cranks."""
    paint, tyre, wire = bodywork(r), m.rubber(r), m.metal(r)
    size, reach, tube = r.uniform(0.6, 0.72), r.uniform(0.48, 0.56), r.uniform(0.035, 0.055)
    for z in (-reach, reach):
        _spoked(kit, z, size, tyre, wire, r.choice((8, 10, 12)), r.uniform(0.04, 0.06))
    crank, seat, head = (0, 0.3, 0.06), (0, r.uniform(0.72, 0.85), 0.2), (0, r.uniform(0.75, 0.88), -reach + 0.14)
    low: Vec = (0, head[1] - 0.14, head[2] - 0.03)
    for a, b in (
        (crank, seat),
        (crank, low),
        ((0, seat[1] - 0.12, 0.17), head),
        (low, (0, head[1] + 0.08, head[2] + 0.02)),
    ):
        kit.rod(a, b, tube, paint)
    for x in (-0.05, 0.05):
        kit.rod((x, size / 2, reach), (x * 0.5, 0.3, 0.06), tube * 0.6, paint)
        kit.rod((x, size / 2, reach), (x * 0.5, seat[1] - 0.1, 0.17), tube * 0.6, paint)
        kit.rod((x, size / 2, -reach), (x, low[1], low[2]), tube * 0.7, paint)
    kit.solid.block((0, seat[1] + 0.05, seat[2] + 0.02), (0.14, 0.06, 0.26), m.rubber(r), round=0.9, taper=0.0)
    bar = head[1] + 0.1
    kit.path(
        [
            (-0.28, bar, head[2] + 0.08),
            (-0.2, bar, head[2] - 0.02),
            (0.2, bar, head[2] - 0.02),
            (0.28, bar, head[2] + 0.08),
        ],
        0.03,
        wire,
    )
    turn = r.uniform(0, 360)
    for x, half in ((-0.08, 0), (0.08, 180)):
        up, z = polar(turn + half, 0.17)
        kit.path([(x, 0.3, 0.06), (x, 0.3 + up, 0.06 + z), (2 * x, 0.3 + up, 0.06 + z)], 0.03, wire)
    kit.rod((-0.03, 0.3, 0.06), (0.03, 0.3, 0.06), 0.16, wire)
    if r.random() < 0.4:
        kit.frame.add(0, (0, 0.62, -reach - 0.1), (0.36, 0.2, 0.24), m.wood(r))


def motorbike(r: Random, kit: Kit) -> None:
    """A motorbike or scooter: fat wheels, tank or leg shield, seat, engine, fork."""
    paint, tyre, steel, black = bodywork(r), m.rubber(r), m.metal(r), m.rubber(r)
    wheel, reach, scooter = r.uniform(0.42, 0.6), r.uniform(0.5, 0.62), r.random() < 0.4
    wheel *= 0.75 if scooter else 1
    kit.blend = 0.05
    for z in (-reach, reach):
        _wheel(kit, 0, z, wheel, 0.14, tyre, steel)
    bar: Vec = (0, r.uniform(0.85, 1.0), -reach + 0.22)
    for x in (-0.08, 0.08):
        kit.rod((x, wheel / 2, -reach), (x, bar[1], bar[2]), 0.045, steel)
        kit.rod((0, bar[1], bar[2]), (x * 4, bar[1] + 0.03, bar[2] + 0.1), 0.035, black)
    if scooter:
        kit.solid.block((0, 0.52, -reach + 0.16), (0.4, 0.62, 0.07), paint, rotation(0, -12), round=0.6)
        kit.solid.block((0, 0.24, -0.12), (0.32, 0.07, 0.5), paint, round=0.6)
        kit.solid.ball((0, 0.42, reach * 0.7), (0.36, 0.42, 0.75), paint)
        kit.solid.block((0, 0.66, reach * 0.55), (0.26, 0.1, 0.55), black, round=0.9)
    else:
        kit.solid.ball((0, 0.72, -0.12), (0.28, 0.26, 0.5), paint)
        kit.solid.block((0, 0.68, 0.3), (0.24, 0.11, 0.55), black, rotation(0, r.uniform(-10, 10)), round=0.9)
        kit.solid.block((0, 0.42, 0.0), (0.28, 0.34, 0.4), steel, round=0.3)
        kit.rod((0, wheel / 2, reach), (0, 0.4, 0.1), 0.07, steel)
        kit.rod((0.14, 0.24, -0.1), (0.16, 0.3, reach * 1.25), 0.08, steel, 0.2)
    kit.solid.ball((0, bar[1] - 0.1, bar[2] - 0.08), (0.18, 0.18, 0.14), m.crockery(r), op=PUT)


def aeroplane(r: Random, kit: Kit) -> None:
    """An airliner, glider or propeller plane: hull, wings, tail, engines."""
    paint, other, glass, dark = bodywork(r), bodywork(r), m.glass(r), m.metal(r)
    long, fat, span = 2.0, r.uniform(0.18, 0.34), r.uniform(1.4, 2.4)
    up, sweep, jet = r.uniform(0.25, 0.4), r.uniform(-0.05, 0.5), r.random() < 0.5
    kit.blend = 0.03
    kit.solid.limb((0, up, -long / 2 + fat / 2), (0, up + 0.04, long * 0.3), fat, paint)
    kit.solid.limb((0, up, 0), (0, up + fat * 0.2, long / 2), fat * 0.85, paint, taper=-0.6)
    wing = up + r.choice((-0.3, -0.3, 0.45)) * fat
    for x in (-1.0, 1.0):
        tip: Vec = (x * span / 2, wing + r.uniform(0.02, 0.12), sweep)
        kit.solid.limb((x * fat * 0.2, wing, -0.1), tip, r.uniform(0.3, 0.4), other, taper=-0.4, flat=0.12)
        kit.solid.limb((0, up + 0.08, long * 0.43), (x * span * 0.19, up + 0.1, long * 0.5), 0.2, other, flat=0.15)
        if jet:
            at = (x * span * 0.2, wing - 0.07, sweep * 0.4 - 0.16)
            kit.solid.rounded_cylinder(at, (0.13, 0.34, 0.13), dark, FORWARD, PUT, round=0.3)
    kit.solid.limb((0, up + 0.1, long * 0.42), (0, up + fat + r.uniform(0.1, 0.3), long * 0.52), 0.22, other, flat=0.15)
    kit.solid.ball((0, up + fat * 0.3, -long * 0.36), (fat * 0.75, fat * 0.5, 0.3), glass, op=PUT)
    if not jet:
        turn = r.uniform(0, 180)
        for half in (0, 180):
            x, high = polar(turn + half, 0.26)
            kit.bar((0, up, -long / 2 - 0.03), (x, up + high, -long / 2 - 0.03), 0.02, 0.06, dark)
        kit.solid.ball((0, up, -long / 2), (0.1, 0.1, 0.14), other, op=PUT)
    if r.random() < 0.6:
        for x, z in ((0, -long * 0.36), (-0.18, 0.05), (0.18, 0.05)):
            kit.rod((x, up, z), (x * 1.3, 0.05, z), 0.025, dark)
            kit.solid.rounded_cylinder((x * 1.3, 0.06, z), (0.12, 0.05, 0.12), m.rubber(r), SIDEWAYS, PUT)


def helicopter(r: Random, kit: Kit) -> None:
    """A helicopter: cabin, tail boom, rotors, skids."""
    paint, glass, dark = bodywork(r), m.glass(r), m.metal(r)
    kit.blend = 0.06
    kit.solid.ball((0, 0.45, -0.2), (0.5, 0.55, 0.9), paint)
    kit.solid.limb((0, 0.5, 0.1), (0, 0.6, 1.1), 0.2, paint, taper=-0.4)
    kit.solid.limb((0, 0.6, 1.05), (0, 0.85, 1.2), 0.14, paint, flat=0.3)
    kit.solid.ball((0, 0.48, -0.42), (0.44, 0.4, 0.52), glass, op=PUT)
    kit.rod((0, 0.65, -0.1), (0, 0.85, -0.1), 0.05, dark)
    turn, blades = r.uniform(0, 180), r.choice((2, 3, 4))
    for i in range(blades):
        x, z = polar(turn + 360 * i / blades, 1.0)
        kit.bar((0, 0.84, -0.1), (x, 0.84, z - 0.1), 0.08, 0.015, dark)
        up, along = polar(turn + 360 * i / blades, 0.2)
        kit.bar((0.06, 0.75, 1.15), (0.06, 0.75 + up, 1.15 + along), 0.015, 0.04, dark)
    for x in (-0.26, 0.26):
        kit.path([(x, 0.08, -0.62), (x, 0.02, -0.5), (x, 0.02, 0.35)], 0.035, dark)
        for z in (-0.35, 0.15):
            kit.rod((x, 0.02, z), (x * 0.6, 0.3, z), 0.03, dark)


def boat(r: Random, kit: Kit) -> None:
    """A hull that is hollow or decked, with sails, a cabin and funnels, or oars."""
    paint, deck, kind = bodywork(r), m.wood(r), r.choice(("sail", "ship", "row"))
    long, wide, high = 2.0, r.uniform(0.5, 0.75), r.uniform(0.28, 0.45)
    kit.blend = 0.01
    kit.solid.ball((0, high, 0), (wide, 2 * high, long), paint, exponents=(2.2, r.uniform(2, 3)))
    kit.solid.block((0, high + 0.6, 0), (2, 1.2, 3), deck, op=CUT, round=0.02)
    kit.solid.block((0, -0.5, 0), (2, 1.0 + high * 0.25, 3), paint, op=CUT, round=0.02)
    if kind != "ship":
        kit.solid.ball(
            (0, high, 0), (wide - 0.08, 2 * high - 0.16, long - 0.1), shell(deck), op=CUT, exponents=(2.2, 2.2)
        )
        for z in (-0.45, 0.0, 0.45):
            kit.frame.add(0, (0, high * 0.75, z), (wide * 0.85, 0.03, 0.12), deck)
    if kind == "sail":
        tall, cloth = r.uniform(1.3, 2.0), m.cloth(r)
        kit.rod((0, high * 0.4, -0.15), (0, tall, -0.15), 0.04, deck)
        kit.rod((0, high + 0.2, -0.15), (0, high + 0.2, 0.8), 0.03, deck)
        rows = 14
        for i in range(rows):
            t = (i + 0.5) / rows
            wide_ = 0.9 * (1 - t)
            up = high + 0.24 + t * (tall - high - 0.3)
            kit.frame.add(
                0, (0.0, up - 0.055, -0.13 + wide_ / 2), (0.015, (tall - high) / rows * 1.1, wide_ + 0.02), cloth
            )
    elif kind == "ship":
        up = high
        for i in range(r.randrange(1, 4)):
            size = (wide * (0.7 - 0.12 * i), r.uniform(0.14, 0.24), long * (0.5 - 0.12 * i))
            kit.frame.add(0, (0, up, 0.1), size, m.crockery(r) if i else bodywork(r))
            up += size[1]
        for i in range(r.randrange(0, 3)):
            kit.rod((0, up - 0.05, 0.25 * i), (0, up + r.uniform(0.2, 0.4), 0.25 * i + 0.03), 0.14, paint)
        kit.rod((0, high, -0.6), (0, high + 0.6, -0.6), 0.03, deck)
    else:
        for x in (-1.0, 1.0):
            kit.rod(
                (x * 0.1, high + 0.15, 0.1), (x * r.uniform(0.7, 1.1), high * 0.5, r.uniform(-0.2, 0.3)), 0.035, deck
            )


def cart(r: Random, kit: Kit) -> None:
    """A wheelbarrow, pram, trolley, skateboard or waggon: a tub or board on wheels with a handle."""
    paint, steel, tyre, kind = bodywork(r), m.metal(r), m.rubber(r), r.randrange(3)
    if kind == 0:
        long, wide = r.uniform(0.8, 1.2), r.uniform(0.22, 0.3)
        kit.solid.block((0, 0.16, 0), (wide, 0.04, long), paint, round=1.0)
        for z in (-1.0, 1.0):
            kit.frame.add(0, (0, 0.1, z * long * 0.32), (wide * 0.7, 0.04, 0.06), steel)
            for x in (-1.0, 1.0):
                _wheel(kit, x * wide * 0.4, z * long * 0.32, 0.12, 0.08, tyre, steel)
        return
    long, wide, high, floor, wall = (
        r.uniform(0.8, 1.2),
        r.uniform(0.5, 0.7),
        r.uniform(0.2, 0.45),
        r.uniform(0.2, 0.4),
        0.03,
    )
    kit.frame.add(0, (0, floor, 0), (wide, wall, long), paint)
    for x in (-1.0, 1.0):
        kit.frame.add(0, (x * (wide - wall) / 2, floor, 0), (wall, high, long), paint)
        kit.frame.add(0, (0, floor, x * (long - wall) / 2), (wide, high, wall), paint)
    grip = r.uniform(0.7, 1.1)
    for x in (-1.0, 1.0):
        kit.rod(
            (x * wide * 0.42, floor, long * 0.45),
            (x * wide * 0.42, grip, long * 0.5 + r.uniform(0.2, 0.5)),
            0.035,
            steel,
        )
    if kind == 1:
        for x, z in itertools.product((-1.0, 1.0), (-1.0, 1.0)):
            _wheel(kit, x * wide * 0.5, z * long * 0.35, floor * 1.2, 0.07, tyre, steel)
    else:
        _wheel(kit, 0, -long * 0.5, floor * 1.3, 0.1, tyre, steel)
        for x in (-1.0, 1.0):
            kit.rod((x * wide * 0.4, floor, long * 0.35), (x * wide * 0.42, 0, long * 0.4), 0.04, steel)
    if r.random() < 0.3:
        kit.solid.ball((0, floor + high * 0.6, 0), (wide * 0.9, high * 1.6, long * 0.9), m.earth(r))


def rocket(r: Random, kit: Kit) -> None:
    """A rocket or space ship on its fins."""
    paint, other = bodywork(r), bodywork(r)
    high, fat = r.uniform(1.2, 2.0), r.uniform(0.3, 0.5)
    kit.blend = 0.03
    kit.solid.ball((0, high * 0.52, 0), (fat, high, fat), paint, exponents=(2, 2.5), taper=r.uniform(0, 0.25))
    fins = r.choice((3, 4))
    for i in range(fins):
        a = 2 * math.pi * i / fins
        foot: Vec = (fat * 0.95 * math.cos(a), 0.0, fat * 0.95 * math.sin(a))
        kit.rod((foot[0] * 0.3, high * 0.35, foot[2] * 0.3), foot, 0.12, other, 0.2, 0.3)
    kit.solid.ball((0, high * 0.68, -fat * 0.38), (fat * 0.5, fat * 0.5, 0.12), m.glass(r), op=PUT)
