"""Small things: crockery, bottles, packets, books, fruit, tools, each standing at a frame's origin."""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random

from . import materials as m
from .intersect import BOX, CYLINDER, ELLIPSOID
from .scene import LocalFrame, Material, Number, rotation
from .shapes import Prop, ball, box, tube


def crockery_or_glass(r: Random, share: Number) -> Material:
    """What vessels are made of: in a share of them, glass that one sees through."""
    return m.clear_glass(r) if r.random() < share else m.crockery(r)


def ring(f: LocalFrame, low: Number, high: Number, h: Number, material: Material, parts: int = 9) -> None:
    """The wall of a hollow vessel with radius low at its foot and high at its rim: slanted boards around an axis."""
    slant, tip = math.hypot(h, high - low), math.degrees(math.atan2(high - low, h))
    for i in range(parts):
        a, middle = 2 * math.pi * i / parts, (low + high) / 2
        size = (2.04 * max(low, high) * math.tan(math.pi / parts), slant, 0.04 * max(low, high) + 0.003)
        where = (middle * math.sin(a), (h - slant) / 2, middle * math.cos(a))
        f.add(BOX, where, size, material, rotation(math.degrees(a), tip))


def bowl(r: Random, f: LocalFrame) -> None:
    """A hollow bowl, basket or pot, sometimes with something in it."""
    high = r.uniform(0.06, 0.12)
    low, h, material = high * r.uniform(0.4, 0.9), high * r.uniform(0.5, 1.1), crockery_or_glass(r, 0.15)
    tube(f, 0, 0, 0, 2 * low, 0.008, material)
    ring(f, low, high, h, material)
    for _ in range(r.choice((0, 0, 0, 3))):
        s = r.uniform(0.4, 0.8) * low
        ball(f, r.uniform(-0.5, 0.5) * low, r.uniform(0, 0.5) * h, r.uniform(-0.5, 0.5) * low, s, s, s, m.crockery(r))


def cup(r: Random, f: LocalFrame) -> None:
    """A mug, glass or can: one tapered cylinder, with its hollow as a darker disc inside the rim; often a handle."""
    w, h, taper = r.choice(((0.08, 0.1, 0), (0.08, 0.12, 0), (0.07, 0.13, -0.1), (0.1, 0.08, -0.2)))
    material = crockery_or_glass(r, 0.25) if r.random() < 0.75 else m.printed(r)
    w, h = w * r.uniform(0.8, 1.3), h * r.uniform(0.8, 1.2)
    tube(f, 0, 0, 0, w, h, material, taper)
    hollow = r.uniform(0.15, 0.8) if r.random() < 0.75 else 1.1
    inner = replace(material, a=m.toned(material.a, hollow), b=m.toned(material.b, hollow), gloss=0.0)
    tube(f, 0, h, 0, w * (1 - taper) * 0.88, 0.001, inner)
    if r.random() < 0.5:
        for up in (0.25, 0.75):
            box(f, w * 0.65, h * up, 0, w * 0.4, 0.012, 0.014, material)
        box(f, w * 0.85, h * 0.25, 0, 0.012, h * 0.55, 0.014, material)


def plate(r: Random, f: LocalFrame) -> None:
    """A plate, tray or board with food or nothing on it."""
    w, material = r.uniform(0.18, 0.3), m.crockery(r) if r.random() < 0.7 else m.wood(r)
    if r.random() < 0.7:
        tube(f, 0, 0, 0, w * 0.75, r.uniform(0.012, 0.03), material, -0.3)
    else:
        box(f, 0, 0, 0, w * 1.3, 0.02, w, material)
    food = m.crockery(r)
    for _ in range(r.choice((0, 0, 2, 4))):
        s, a = r.uniform(0.03, 0.08), r.uniform(0, 360)
        x, z = (r.uniform(-0.25, 0.25) * w for _ in range(2))
        f.add(ELLIPSOID, (x, 0.02, z), (s * r.uniform(1, 2), s * 0.7, s), food, rotation(a))


def tool(r: Random, f: LocalFrame) -> None:
    """A drill, hammer or screwdriver lying or standing."""
    paint, dark, long = m.muted(r, (0.3, 0.95), 0.7), m.lacquer(r), r.uniform(0.1, 0.22)
    shell = Material(m.pattern(r, "plain"), 0.3, paint, m.toned(paint, 0.8), 0.0, 0.3)
    f.add(CYLINDER, (0, 0.14, 0), (0.055, long, 0.055), shell, rotation(0, 0, 90), r.uniform(-0.3, 0.3))
    f.add(CYLINDER, (long * 0.6, 0.14 + long * 0.25, 0), (0.025, long / 2, 0.025), dark, rotation(0, 0, 90))
    if r.random() < 0.7:
        box(f, -long * 0.2, 0.04, 0, 0.04, 0.15, 0.035, shell)
        box(f, -long * 0.15, 0, 0, 0.1, 0.05, 0.06, dark)


def flat(r: Random, f: LocalFrame) -> None:
    """Papers, cutlery, a phone, a keyboard: what lies flat."""
    w, d = r.choice(((0.21, 0.3), (0.075, 0.15), (0.44, 0.14), (0.02, 0.2), (0.03, 0.18), (0.4, 0.3)))
    material = r.choice((m.printed, m.lacquer, m.cloth, m.metal))(r)
    box(f, 0, 0, 0, w, r.choice((0.002, 0.008, 0.02)), d, material, r.uniform(0, 360))


def laptop(r: Random, f: LocalFrame) -> None:
    """A laptop, open towards the front."""
    w, case = r.uniform(0.28, 0.38), m.lacquer(r)
    box(f, 0, 0, 0, w, 0.018, w * 0.68, case)
    lid = rotation(0, r.uniform(5, 30))
    f.add(BOX, (0, 0.01, w * 0.37), (w, w * 0.66, 0.012), m.display(r), lid)


def bottle(r: Random, f: LocalFrame) -> None:
    """A bottle: body, shoulder, neck, cap."""
    w, h, material = r.uniform(0.05, 0.1), r.uniform(0.1, 0.25), crockery_or_glass(r, 0.3)
    if r.random() < 0.3:
        box(f, 0, 0, 0, w, h, w * 0.6, material)
    else:
        tube(f, 0, 0, 0, w, h, material)
    tube(f, 0, h, 0, w * 0.65, w * 0.6, material, 0.45)
    tube(f, 0, h + w * 0.6, 0, w * 0.4, h * r.uniform(0.08, 0.35), m.crockery(r))


def carton(r: Random, f: LocalFrame) -> None:
    """A packet, box or standing book."""
    box(f, 0, 0, 0, r.uniform(0.04, 0.25), r.uniform(0.04, 0.3), r.uniform(0.03, 0.15), m.printed(r))


def books(r: Random, f: LocalFrame) -> None:
    """Books or boxes lying on each other."""
    up = 0.0
    for _ in range(r.choice((1, 2, 3, 4))):
        h = r.uniform(0.01, 0.05)
        box(f, 0, up, 0, r.uniform(0.14, 0.22), h, r.uniform(0.18, 0.3), m.printed(r), r.uniform(-20, 20))
        up += h


def fruit(r: Random, f: LocalFrame) -> None:
    """A round or long thing."""
    s = r.uniform(0.04, 0.13)
    ball(f, 0, 0, 0, s * r.uniform(0.8, 2.2), s * r.uniform(0.7, 1.2), s, m.crockery(r))


def heap(r: Random, f: LocalFrame) -> None:
    """Two to four primitives stuck together: a toy, a tool, anything."""
    material = m.crockery(r)
    for _ in range(r.choice((2, 3, 4))):
        paint = material if r.random() < 0.6 else m.anything(r, 0.2)
        w, h, d = (r.uniform(0.02, 0.14) for _ in range(3))
        turn = rotation(r.uniform(0, 360), r.choice((0, 0, r.uniform(-90, 90))))
        where = (r.uniform(-0.05, 0.05), r.uniform(0, 0.08), r.uniform(-0.05, 0.05))
        f.add(r.choice((BOX, ELLIPSOID, CYLINDER)), where, (w, h, d), paint, turn, r.uniform(-0.6, 0.6))


def small(r: Random, f: LocalFrame) -> None:
    """Any small thing for a table top, now and then lying on its side."""
    prop = r.choices(SMALL, (5, 3, 5, 2, 2, 1, 2, 1, 2, 2, 0.5))[0]
    if prop in (bottle, cup, carton) and r.random() < 0.15:
        f = f.at(0, 0.04, 0, r.uniform(0, 360), tip=90)
    prop(r, f)


SMALL: tuple[Prop, ...] = (cup, bottle, carton, books, fruit, heap, plate, tool, flat, bowl, laptop)
