"""Tools, gadgets, instruments, clothes, bags, toys and ornaments as things of their own. Points are
(x, up, z), units free."""

from __future__ import annotations

import itertools
import math
from random import Random

from . import materials as m
from .implicit_solids import CUT, PUT
from .kit import Kit, shell
from .scene import Material, Number, Vec, compose, rotation
from .shapes import box, tube
from .solid_builder import FORWARD, SIDEWAYS, polar


def plastic(r: Random) -> Material:
    """Moulded plastic, painted or bare metal, wood."""
    a = m.muted(r, (0.15, 0.95), 0.6)
    moulded = Material(m.pattern(r, "plain"), 0.3, a, m.toned(a, 0.85), 0.0, r.uniform(0, 0.4))
    return moulded if r.random() < 0.6 else r.choice((m.metal, m.lacquer, m.wood))(r)


def fabric(r: Random) -> Material:
    """Leather, canvas, knitted stuff."""
    return (m.cloth if r.random() < 0.6 else plastic)(r)


def shoe(r: Random, kit: Kit) -> None:
    """A trainer, boot, court shoe or clog: sole, vamp, heel, a hollow opening, laces."""
    upper, sole, lace, solid = fabric(r), plastic(r), fabric(r), kit.solid
    kit.blend = r.uniform(0.04, 0.1)
    thick, wide, heel = r.uniform(0.05, 0.12), r.uniform(0.34, 0.42), r.choice((0.0, 0.0, r.uniform(0.1, 0.3)))
    shaft, slope = r.choice((0.22, 0.3, r.uniform(0.5, 0.9))), rotation(0, -55 * heel)
    solid.ball((0, thick + 0.12, -0.27), (wide, 0.3, 0.62), upper, exponents=(2.4, 2.2))
    solid.ball((0, thick + 0.15 + heel * 0.55, 0.1), (wide * 0.86, 0.36, 0.66), upper, slope)
    solid.rounded_cylinder(
        (0, heel + thick + shaft / 2, 0.27), (wide * 0.74, shaft + 0.1, wide * 0.95), upper, round=0.4
    )
    hole = (wide * 0.74 - 0.09, shaft * 1.3, wide * 0.95 - 0.1)
    solid.rounded_cylinder((0, heel + thick + shaft * 0.85, 0.27), hole, shell(upper, 0.6), op=CUT, round=0.3)
    solid.block((0, -0.5 + thick * 0.1, 0), (3, 1, 3), sole, op=CUT, round=0.02)
    solid.ball((0, thick * 0.55 + heel * 0.1, -0.3), (wide * 1.06, thick * 1.1, 0.66), sole, op=PUT, exponents=(2.4, 6))
    solid.block((0, thick * 0.55 + heel * 0.5, 0.12), (wide * 0.84, thick, 0.72), sole, slope, op=PUT, round=0.5)
    if heel:
        solid.rounded_cylinder(
            (0, (heel + thick) / 2, 0.36),
            (wide * 0.5, heel + thick, wide * 0.5),
            sole,
            op=PUT,
            taper=r.uniform(-0.5, 0),
        )
    for i in range(r.choice((0, 4, 5)) if shaft < 0.4 else 0):
        z, up = -0.28 + 0.085 * i, thick + 0.262 + 0.028 * i + heel * 0.12 * i
        solid.limb((-wide * 0.22, up, z), (wide * 0.22, up, z + 0.03), 0.035, lace, op=PUT)


def garment(r: Random, kit: Kit) -> None:
    """A hat, cap, helmet or bowl hat: hollow below."""
    cloth, band, solid, kind = fabric(r), fabric(r), kit.solid, r.randrange(3)
    kit.blend = 0.04
    if kind == 0:
        wide, tall = r.uniform(1.0, 1.5), r.uniform(0.3, 0.7)
        solid.rounded_cylinder((0, 0.03, 0), (wide, 0.05, wide * r.uniform(0.85, 1)), cloth, round=0.8)
        solid.rounded_cylinder(
            (0, tall / 2, 0), (0.6, tall, 0.68), cloth, round=r.uniform(0.1, 0.6), taper=r.uniform(-0.1, 0.15)
        )
        solid.rounded_cylinder((0, 0.11, 0), (0.64, 0.12, 0.72), band, op=PUT)
        solid.rounded_cylinder((0, tall / 2 - 0.08, 0), (0.52, tall, 0.6), shell(cloth, 0.6), op=CUT)
    else:
        solid.ball((0, 0, 0), (0.9, r.uniform(0.9, 1.2), 1.05), cloth)
        solid.ball((0, -0.02, 0), (0.8, 0.95, 0.95), shell(cloth, 0.6), op=CUT)
        solid.block((0, -1, 0), (4, 2, 4), cloth, op=CUT, round=0.01)
        if kind == 1:
            solid.ball((0, 0.03, -0.55), (0.7, 0.06, 0.62), band, op=PUT)
        else:
            for x in (-0.22, 0.0, 0.22):
                solid.ball((x, 0.5 - abs(x) * 0.4, 0.0), (0.07, 0.1, 0.8), band, op=PUT)
            solid.ring((0, 0.03, 0), (0.95, 0.08, 1.1), 0.09, band, op=PUT)


def bag(r: Random, kit: Kit) -> None:
    """A suitcase, rucksack, handbag or shopping bag."""
    cloth, trim, kind, solid = fabric(r), fabric(r), r.randrange(4), kit.solid
    w, h, d = r.uniform(0.6, 0.9), r.uniform(0.6, 1.0), r.uniform(0.2, 0.4)
    if kind == 0:
        solid.block((0, h / 2, 0), (w, h, d), cloth, round=r.uniform(0.2, 0.6))
        for i in range(r.choice((0, 3, 5))):
            box(kit.frame, ((i + 0.5) / 5 - 0.5) * w * 0.8, h * 0.1, 0, 0.03, h * 0.8, d * 1.04, trim)
        kit.path(
            [(-0.14, h - 0.02, 0), (-0.14, h + r.uniform(0.06, 0.4), 0), (0.14, h + 0.06, 0), (0.14, h - 0.02, 0)],
            0.03,
            trim,
        )
        for x, z in itertools.product((-0.38, 0.38), (-0.3, 0.3)):
            solid.rounded_cylinder((x * w, -0.02, z * d), (0.1, 0.05, 0.1), m.rubber(r), SIDEWAYS, PUT)
    elif kind == 1:
        kit.blend = 0.05
        solid.ball((0, h / 2, 0), (w, h, d * 1.4), cloth, exponents=(3, 3.5), taper=0.12)
        solid.block((0, h * 0.35, -d * 0.7), (w * 0.7, h * 0.45, 0.2), trim, round=0.8)
        for x in (-1.0, 1.0):
            solid.ring((x * w * 0.24, h * 0.55, d * 0.68), (h * 0.75, 0.07, 0.3), 0.05, trim, SIDEWAYS, op=PUT)
        solid.ring((0, h, d * 0.3), (0.2, 0.05, 0.22), 0.045, trim, FORWARD, op=PUT)
    else:
        solid.block((0, h * 0.35, 0), (w, h * 0.7, d), cloth, round=0.2, taper=0.15 if kind == 2 else -0.05)
        if kind == 3:
            solid.block(
                (0, h * 0.5, 0), (w - 0.08, h * 0.8, d - 0.08), shell(cloth, 0.7), op=CUT, round=0.1, taper=-0.05
            )
        for z in (-1.0, 1.0):
            arc: list[Vec] = [
                (w * 0.3 * math.cos(a), h * 0.66 + h * 0.4 * math.sin(a), z * d * 0.4)
                for a in (math.pi * i / 8 for i in range(9))
            ]
            kit.path(arc, 0.035, trim)
        box(kit.frame, 0, h * 0.3, -d / 2 - 0.005, w * 0.3, h * 0.2, 0.02, m.printed(r))


def hand_tool(r: Random, kit: Kit) -> None:
    """A hammer, axe, screwdriver, spanner, pliers, saw, spade, brush, broom, fork, spoon or knife, lying or standing."""
    grip, steel, solid, kind = plastic(r), m.metal(r), kit.solid, r.randrange(9)
    long, thick = r.uniform(0.8, 1.2), r.uniform(0.06, 0.11)
    kit.blend = 0.02
    if kind in (0, 1):
        solid.limb((0, 0, 0), (0, long, 0), thick, grip, flat=r.uniform(0.6, 1))
        if kind == 0:
            solid.rounded_cylinder((-0.12, long, 0), (0.17, 0.26, 0.17), steel, SIDEWAYS, PUT)
            solid.limb((0, long, 0), (0.3, long - r.uniform(0, 0.1), 0), 0.12, steel, PUT, taper=-0.6)
        else:
            solid.block((0.12, long - 0.05, 0), (0.36, 0.14, 0.07), steel, op=PUT)
            solid.ball((0.26, long - 0.05, 0), (0.2, 0.42, 0.05), steel, op=PUT)
    elif kind == 2:
        solid.rounded_cylinder((0, 0.2, 0), (0.17, 0.42, 0.17), grip, round=0.6, taper=r.uniform(-0.2, 0.2))
        kit.rod((0, 0.4, 0), (0, long, 0), 0.05, steel)
        solid.block((0, long, 0), (0.08, 0.1, 0.03), steel, round=0.1)
    elif kind == 3:
        solid.block((0, long / 2, 0), (0.12, long, 0.06), steel, round=0.4)
        for up, size in ((0, 0.28), (long, 0.34)):
            solid.rounded_cylinder((0, up, 0), (size, 0.08, size), steel, FORWARD)
        solid.block((0, long + 0.1, 0), (0.14, 0.3, 0.3), steel, op=CUT, round=0.1)
        solid.rounded_cylinder((0, 0, 0), (0.14, 0.4, 0.14), steel, FORWARD, CUT)
    elif kind == 4:
        spread = r.uniform(0.1, 0.4)
        for x in (-1.0, 1.0):
            solid.limb((0, 0.6, 0), (x * spread * 0.6, 0.25, 0), thick, grip)
            solid.limb((x * spread * 0.6, 0.25, 0), (x * spread, -0.1, 0), thick, grip)
            solid.limb((0, 0.6, 0), (x * spread * 0.25, 0.85, 0), 0.09, steel, taper=-0.4)
            solid.limb((x * spread * 0.25, 0.85, 0), (x * spread * 0.1, 1.0, 0), 0.06, steel, taper=-0.4)
        solid.rounded_cylinder((0, 0.6, 0), (0.16, 0.1, 0.16), steel, FORWARD, PUT)
    elif kind == 5:
        solid.limb((0, 0, 0), (0, long, 0), 0.05, grip)
        if r.random() < 0.5:
            solid.ball((0, -0.2, -0.02), (0.34, 0.5, 0.05), steel, exponents=(4, 3), bend=0)
            kit.bar((-0.1, long, 0), (0.1, long, 0), 0.05, 0.05, grip)
        else:
            box(kit.frame, 0, -0.08, 0, 0.5, 0.08, 0.1, grip)
            for i in range(12):
                x = (i / 11 - 0.5) * 0.48
                kit.bar(
                    (x, -0.06, 0), (x * r.uniform(1.1, 1.3), -0.34, r.gauss(0, 0.02)), 0.03, 0.08, m.wood(Random(2))
                )
    elif kind == 6:
        box(kit.frame, 0, 0.1, 0, 0.9, 0.2, 0.012, steel)
        solid.block((-0.55, 0.2, 0), (0.34, 0.3, 0.06), grip, round=0.5)
        solid.block((-0.56, 0.2, 0), (0.16, 0.12, 0.4), grip, op=CUT, round=0.6)
    elif kind == 7:
        solid.limb((0, 0, 0), (0, 0.6, 0), 0.07, grip, flat=0.5, taper=0.3)
        if r.random() < 0.5:
            solid.ball((0, 0.85, 0), (0.26, 0.42, 0.12), steel)
            solid.ball((0, 0.85, -0.09), (0.21, 0.36, 0.16), steel, op=CUT)
        else:
            for x in (-0.09, -0.03, 0.03, 0.09):
                kit.bar((x, 0.68, 0), (x, 1.0, -0.03), 0.025, 0.02, steel)
            solid.block((0, 0.64, 0), (0.22, 0.1, 0.04), steel, round=0.7)
    else:
        solid.block((0, 0.2, 0), (0.1, 0.42, 0.06), grip, round=0.7)
        box(kit.frame, 0.01, 0.4, 0, 0.11, 0.55, 0.016, steel)
        kit.bar((-0.045, 0.94, 0), (0.05, 1.08, 0), 0.016, 0.03, steel)


def drill(r: Random, kit: Kit) -> None:
    """A drill, hair dryer, spray gun, toy pistol or iron: a barrel, a grip, a nozzle."""
    paint, dark, steel, solid = plastic(r), m.rubber(r), m.metal(r), kit.solid
    long, fat = r.uniform(0.6, 0.9), r.uniform(0.22, 0.34)
    kit.blend = 0.05
    solid.rounded_cylinder(
        (0, 0.6, 0), (fat, long, fat), paint, FORWARD, round=r.uniform(0.3, 0.8), taper=r.uniform(-0.2, 0.2)
    )
    lean = r.uniform(-20, 5)
    solid.block((0, 0.32, long * 0.15), (0.16, 0.55, 0.2), paint, rotation(0, lean), round=0.6)
    solid.block((0, 0.06, long * r.uniform(0.15, 0.3)), (0.22, 0.16, 0.36), dark, op=PUT, round=0.4)
    solid.rounded_cylinder(
        (0, 0.6, -long * 0.6), (fat * 0.6, 0.3, fat * 0.6), dark, FORWARD, PUT, taper=r.uniform(-0.4, 0.3)
    )
    if r.random() < 0.6:
        kit.rod((0, 0.6, -long * 0.7), (0, 0.6, -long * 0.7 - 0.4), 0.04, steel)
    solid.block((0, 0.47, -0.06), (0.07, 0.14, 0.08), dark, op=PUT, round=0.6)


def gadget(r: Random, kit: Kit) -> None:
    """A camera, radio, toaster or game controller: a body with parts."""
    body, dark, steel, solid, kind = plastic(r), m.rubber(r), m.metal(r), kit.solid, r.randrange(4)
    w, h, d, soft = r.uniform(0.7, 1.1), r.uniform(0.45, 0.75), r.uniform(0.25, 0.5), r.uniform(0.1, 0.7)
    f = kit.frame
    if kind == 0:
        solid.block((0, h / 2, 0), (w, h, d * 0.8), body, round=soft)
        solid.block((0, h, 0), (w * 0.34, h * 0.3, d * 0.6), body, round=0.4)
        long = r.uniform(0.1, 0.5)
        for i, wide in enumerate((0.75, 0.66)):
            solid.rounded_cylinder(
                (0, h * 0.45, -d * 0.4 - long * (0.25 + 0.5 * i)), (h * wide, long * 0.55, h * wide), dark, FORWARD, PUT
            )
        solid.rounded_cylinder(
            (0, h * 0.45, -d * 0.4 - long * 1.02), (h * 0.5, 0.02, h * 0.5), m.glass(r), FORWARD, PUT
        )
        solid.rounded_cylinder((w * 0.33, h, 0), (0.12, 0.1, 0.12), steel, op=PUT)
    elif kind == 1:
        solid.block((0, h / 2, 0), (w, h, d * 0.7), body, round=soft)
        for x in (-0.28, 0.28):
            solid.rounded_cylinder((x * w, h * 0.42, -d * 0.35), (h * 0.55, 0.05, h * 0.55), dark, FORWARD, PUT)
        box(f, 0, h * 0.7, -d * 0.36, w * 0.5, h * 0.14, 0.02, m.display(r))
        if r.random() < 0.6:
            kit.rod((w * 0.4, h, d * 0.2), (w * r.uniform(0.1, 0.9), h + r.uniform(0.3, 0.8), d * 0.2), 0.02, steel)
        kit.path(
            [(-w * 0.4, h * 0.95, 0), (-w * 0.4, h * 1.25, 0), (w * 0.4, h * 1.25, 0), (w * 0.4, h * 0.95, 0)],
            0.045,
            dark,
        )
    elif kind == 2:
        solid.block((0, h / 2 + 0.04, 0), (w, h, d), body, round=soft)
        for z in (-0.2, 0.2):
            solid.block((0, h, z * d), (w * 0.78, h * 0.9, d * 0.16), dark, op=CUT, round=0.1)
        solid.block((w / 2, h * 0.6, 0), (0.12, 0.06, 0.14), dark, op=PUT)
        if r.random() < 0.5:
            box(f, 0, h * 0.5, -0.2 * d, w * 0.68, h * 0.75, d * 0.12, m.wood(r))
    else:
        kit.blend = 0.08
        solid.block((0, 0.16, 0), (0.7, 0.2, 0.36), body, round=0.8)
        for x in (-1.0, 1.0):
            solid.limb((x * 0.36, 0.16, 0), (x * 0.46, 0.1, 0.34), 0.25, body)
            solid.rounded_cylinder((x * 0.16, 0.3, 0.1), (0.15, 0.12, 0.15), dark, op=PUT, round=0.5)
        for x, z in ((0, -0.08), (0, 0.08), (-0.08, 0), (0.08, 0)):
            solid.ball((0.36 + x, 0.29, -0.04 + z), (0.07, 0.06, 0.07), plastic(r), op=PUT)
        box(f, -0.36, 0.27, -0.04, 0.18, 0.03, 0.06, dark)
        box(f, -0.36, 0.27, -0.04, 0.06, 0.03, 0.18, dark)


def appliance(r: Random, kit: Kit) -> None:
    """A clock on feet, a monitor or television, a loudspeaker."""
    body, dark, steel, solid, kind = plastic(r), m.rubber(r), m.metal(r), kit.solid, r.randrange(3)
    f, d, soft = kit.frame, r.uniform(0.25, 0.5), r.uniform(0.1, 0.7)
    if kind == 0:
        wide = r.uniform(0.6, 1.0)
        solid.rounded_cylinder((0, wide / 2 + 0.08, 0), (wide, 0.2, wide), body, FORWARD, round=0.4)
        solid.rounded_cylinder(
            (0, wide / 2 + 0.08, -0.1), (wide * 0.86, 0.02, wide * 0.86), m.crockery(r), FORWARD, PUT
        )
        for turn, long in ((r.uniform(0, 360), 0.34), (r.uniform(0, 360), 0.24)):
            x, up = polar(turn, long * wide)
            kit.bar((0, wide / 2 + 0.08, -0.125), (x, wide / 2 + 0.08 + up, -0.125), 0.012, 0.035, dark)
        for x in (-1.0, 1.0):
            kit.rod((x * wide * 0.25, wide * 0.25, 0), (x * wide * 0.4, 0, 0), 0.06, steel)
            if r.random() < 0.5:
                solid.ball((x * wide * 0.3, wide + 0.1, 0), (0.28, 0.2, 0.2), steel)
    elif kind == 1:
        wide, tall = r.uniform(0.8, 1.2), r.uniform(0.5, 0.7)
        lean = rotation(0, r.uniform(-12, 0))
        f.add(0, (0, 0.18, 0), (wide, tall, 0.05), body, lean)
        f.add(0, (0, 0.2, -0.012), (wide * 0.95, tall * 0.9, 0.045), m.display(r), lean)
        kit.rod((0, 0, 0.06), (0, 0.3, 0.05), 0.08, dark)
        box(f, 0, 0, 0.04, wide * 0.35, 0.02, 0.24, dark)
    else:
        tall = r.uniform(0.8, 1.4)
        solid.block((0, tall / 2, 0), (0.6, tall, d + 0.15), body, round=soft * 0.4)
        for up, size in ((0.3, 0.48), (0.66, 0.36), (0.88, 0.16)):
            solid.ring((0, up * tall, -d / 2 - 0.07), (size, 0.05, size), 0.05, dark, FORWARD, op=PUT)
            solid.ball((0, up * tall, -d / 2 - 0.05), (size * 0.6, size * 0.6, 0.1), dark, op=PUT)


def instrument(r: Random, kit: Kit) -> None:
    """A guitar, violin, drum, trumpet or piano-like cabinet."""
    wood, dark, brass, solid, kind = m.wood(r), m.rubber(r), m.metal(r), kit.solid, r.randrange(4)
    if kind in (0, 1):
        kit.blend = 0.08
        thick = r.uniform(0.12, 0.2)
        solid.rounded_cylinder((0, 0.26, 0), (0.56, thick, 0.52), wood, FORWARD, round=0.2)
        solid.rounded_cylinder((0, 0.62, 0), (0.42, thick, 0.4), wood, FORWARD, round=0.2)
        solid.rounded_cylinder((0, 0.52, -thick), (0.16, thick * 1.4, 0.16), dark, FORWARD, CUT)
        box(kit.frame, 0, 0.5, -thick / 2 - 0.015, 0.075, 0.95, 0.05, dark)
        box(kit.frame, 0, 1.42, -thick / 2 + 0.0, 0.13, 0.24, 0.04, wood)
        box(kit.frame, 0, 0.22, -thick / 2 - 0.02, 0.24, 0.035, 0.04, dark)
        for side, i in itertools.product((-1, 1), range(3)):
            kit.rod(
                (side * 0.05, 1.47 + 0.07 * i, -thick / 2 + 0.02),
                (side * 0.12, 1.47 + 0.07 * i, -thick / 2 + 0.02),
                0.025,
                brass,
            )
    elif kind == 2:
        wide, tall = r.uniform(0.6, 1.0), r.uniform(0.3, 0.8)
        tube(kit.frame, 0, 0.15, 0, wide, tall, plastic(r))
        tube(kit.frame, 0, 0.15 + tall, 0, wide * 0.96, 0.015, m.crockery(r))
        for up in (0.17, 0.13 + tall):
            solid.ring((0, up, 0), (wide + 0.06, 0.06, wide + 0.06), 0.05, brass, op=PUT)
        for i in range(8):
            x, z = polar(45 * i, wide / 2 + 0.02)
            kit.rod((x, 0.17, z), (x, 0.13 + tall, z), 0.025, brass)
        for i in range(3):
            x, z = polar(120 * i, wide * 0.45)
            kit.rod((x, 0.2, z), (x * 1.2, 0, z * 1.2), 0.04, brass)
    else:
        solid.limb((0, 0.3, -0.5), (0, 0.3, 0.5), 0.07, brass)
        solid.ring((0, 0.22, 0.1), (0.2, 0.06, 0.7), 0.06, brass, SIDEWAYS)
        solid.rounded_cylinder((0, 0.3, -0.6), (0.22, 0.36, 0.22), brass, FORWARD, taper=-0.7, round=0.05)
        solid.rounded_cylinder(
            (0, 0.3, -0.72), (0.16, 0.36, 0.16), shell(brass, 0.5), FORWARD, CUT, taper=-0.7, round=0.05
        )
        for z in (-0.08, 0.04, 0.16):
            solid.rounded_cylinder((0, 0.3, z), (0.09, 0.34, 0.09), brass)


def toy(r: Random, kit: Kit) -> None:
    """Building blocks, a ball, stacked rings, a puzzle cube, bricks with studs."""
    kind, f, solid = r.randrange(5), kit.frame, kit.solid
    if kind == 0:
        up = 0.0
        for i in range(r.randrange(2, 6)):
            for _ in range(r.choice((1, 1, 2)) if i else 2):
                size = (r.choice((0.25, 0.5, 0.75)), 0.25, 0.25)
                f.add(
                    r.choice((0, 0, 0, 2)),
                    (r.gauss(0, 0.12), up, r.gauss(0, 0.05)),
                    size,
                    plastic(r),
                    rotation(r.choice((0, 90)) + r.gauss(0, 8)),
                )
            up += 0.25
    elif kind == 1:
        paint = Material(
            m.pattern(r, "stripes", "checks", "tiles", "print", "blobs"),
            r.uniform(0.3, 0.8),
            m.muted(r, (0.3, 1), 0.8),
            m.muted(r, (0.3, 1), 0.8),
            0.3,
            0.2,
        )
        solid.ball((0, 0.5, 0), (1, 1, r.choice((1, 1, 1.5))), paint)
        for turn in (0.0, 90.0) if r.random() < 0.4 else ():
            solid.ring((0, 0.5, 0), (1.02, 0.03, 1.02), 0.03, m.rubber(r), compose(rotation(turn), FORWARD), op=PUT)
    elif kind == 2:
        kit.rod((0, 0, 0), (0, 1.05, 0), 0.12, m.wood(r))
        tube(f, 0, 0, 0, 0.8, 0.08, m.wood(r))
        for i in range(5):
            wide = 0.8 - 0.1 * i
            solid.ring((0, 0.17 + 0.18 * i, 0), (wide, 0.19, wide), 0.22, plastic(r), op=PUT)
        solid.ball((0, 1.12, 0), (0.22, 0.22, 0.22), plastic(r), op=PUT)
    elif kind == 3:
        count, colours = r.choice((2, 3)), [plastic(r) for _ in range(6)]
        edge, turn = 1 / count, r.choice((0.0, 0.0, r.uniform(5, 45)))
        for i, j, k in itertools.product(range(count), repeat=3):
            spin = rotation(turn if j == count - 1 else 0)
            u, v = (i + 0.5) * edge - 0.5, (k + 0.5) * edge - 0.5
            where = (spin[0][0] * u + spin[0][2] * v, j * edge, spin[2][0] * u + spin[2][2] * v)
            f.add(0, where, (edge * 0.94,) * 3, r.choice(colours), spin)
    else:
        paint = plastic(r)
        for i in range(r.randrange(2, 7)):
            w, d = r.choice((0.25, 0.5, 0.75)), r.choice((0.25, 0.5))
            x, z, up = r.choice((-0.125, 0, 0.125)), r.choice((-0.125, 0, 0.125)), 0.15 * i
            mine = paint if r.random() < 0.4 else plastic(r)
            box(f, x, up, z, w, 0.15, d, mine)
            for u, v in itertools.product(range(round(w / 0.125)), range(round(d / 0.125))):
                tube(f, x - w / 2 + 0.0625 + 0.125 * u, up + 0.14, z - d / 2 + 0.0625 + 0.125 * v, 0.075, 0.04, mine)


def ornament(r: Random, kit: Kit) -> None:
    """A bust, trophy, bell, picture frame, candlestick, hourglass, globe or knot."""
    stuff, base, solid, kind = plastic(r), m.wood(r), kit.solid, r.randrange(5)
    kit.blend = 0.05
    if kind == 0:
        solid.ball((0, 1.0, 0), (0.42, 0.56, 0.5), stuff)
        solid.ball((0, 0.97, -0.26), (0.08, 0.13, 0.1), stuff)
        solid.ball((0, 1.1, 0.05), (0.48, 0.44, 0.52), stuff if r.random() < 0.5 else plastic(r))
        solid.limb((0, 0.5, 0.02), (0, 0.9, 0), 0.22, stuff)
        solid.ball((0, 0.45, 0), (0.95, 0.42, 0.45), stuff)
        solid.rounded_cylinder((0, 0.14, 0), (0.34, 0.3, 0.34), base, op=PUT, taper=0.2)
    elif kind == 1:
        solid.ball(
            (0, 0.62, 0),
            (1, 1, 1),
            Material(m.pattern(r, "blobs", "noise", "stain"), 0.6, (0.1, 0.25, 0.5), (0.3, 0.4, 0.15)),
        )
        solid.ring((0, 0.62, 0), (1.16, 0.04, 1.16), 0.04, m.metal(r), compose(rotation(0, 0, 20), FORWARD), op=PUT)
        kit.rod((0, 0, 0), (0, 0.12, 0), 0.08, base)
        tube(kit.frame, 0, 0, 0, 0.5, 0.05, base, 0.3)
    elif kind == 2:
        solid.rounded_cylinder((0, 0.4, 0), (0.7, 0.8, 0.7), stuff, taper=0.35, round=0.5)
        solid.rounded_cylinder((0, 0.28, 0), (0.6, 0.75, 0.6), shell(stuff, 0.6), op=CUT, taper=0.35, round=0.5)
        solid.ring((0, 0.0, 0), (1.0, 0.1, 1.0), 0.1, stuff)
        solid.limb((0, 0.8, 0), (0, 1.1, 0), 0.14, base)
    elif kind == 3:
        w, h, lean, edge = (
            r.uniform(0.5, 1.1),
            r.uniform(0.6, 1.1),
            rotation(0, -r.uniform(8, 20)),
            r.uniform(0.05, 0.14),
        )
        kit.frame.add(0, (0, 0.02, 0), (w, h, 0.02), m.picture(r), lean)
        f = kit.frame.at(0, 0.02 + h / 2, 0, 0, 1, math.degrees(math.asin(lean[2][1])))
        for s in (-1.0, 1.0):
            box(f, s * w / 2, -h / 2 - edge / 2, 0, edge, h + edge, 0.06, base)
            box(f, 0, s * h / 2 - edge / 2, 0, w + edge, edge, 0.06, base)
        kit.bar((0, h * 0.6, 0.02), (0, 0, h * 0.35), 0.08, 0.015, base)
    else:
        for x, side in ((-0.3, 1), (0.0, 1), (0.3, 1)) if r.random() < 0.5 else ((0.0, 1),):
            kit.rod((x, 0.1, 0), (x, 0.55, 0), 0.06, base)
            solid.rounded_cylinder((x, 0.55, 0), (0.18, 0.05, 0.18), base, op=PUT)
            kit.rod((x, 0.55, 0), (x, 0.55 + side * r.uniform(0.2, 0.6), 0), 0.1, m.crockery(r))
            solid.rounded_cylinder((x, 0.06, 0), (0.36, 0.12, 0.36), base, op=PUT, taper=0.3)
        kit.bar((-0.3, 0.08, 0), (0.3, 0.08, 0), 0.06, 0.06, base)


def umbrella(r: Random, kit: Kit) -> None:
    """An open umbrella or parasol: thin panels on ribs around a stick."""
    cloth, other, stick = fabric(r), fabric(r), m.wood(r)
    ribs, reach, drop = r.choice((6, 8)), 0.6, r.uniform(0.15, 0.35)
    kit.rod((0, -0.6, 0), (0, 0.36, 0), 0.035, stick)
    kit.path([(0, -0.6, 0), (0.03, -0.66, 0), (0.09, -0.66, 0), (0.11, -0.6, 0)], 0.04, stick)
    for i in range(ribs):
        x, z = polar(360 * i / ribs, 1)
        knots: list[tuple[Number, Number]] = [(0.0, 0.3), (reach * 0.55, 0.3 - drop * 0.3), (reach, 0.3 - drop)]
        for (a, up), (b, low) in itertools.pairwise(knots):
            kit.bar(
                (x * a, up, z * a),
                (x * b, low, z * b),
                2 * b * math.tan(math.pi / ribs) * (0.72 if a == 0 else 0.92),
                0.014,
                cloth if i % 2 else other,
            )
