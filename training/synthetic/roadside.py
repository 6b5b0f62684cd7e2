"""Things out of doors: people, animals, cars, trees, poles, stones, each standing at a frame's origin."""

from __future__ import annotations

import math
from random import Random

from . import materials as m
from .intersect import CYLINDER, ELLIPSOID
from .scene import LocalFrame, Material, Number, rotation
from .shapes import ball, box, distance, tube


def person(r: Random, f: LocalFrame) -> None:
    """A standing person: legs, trunk, arms, head."""
    h, top, legs = r.uniform(1.5, 1.9), m.cloth(r), m.cloth(r)
    apart = r.uniform(0.08, 0.16)
    for side in (-1, 1):
        tube(f, side * apart, 0, r.uniform(-0.1, 0.1), 0.15, 0.48 * h, legs, -0.2)
        ball(f, side * r.uniform(0.22, 0.3), 0.42 * h, 0, 0.12, 0.4 * h, 0.14, top)
    ball(f, 0, 0.42 * h, 0, 0.42, 0.46 * h, 0.28, top)
    ball(f, 0, 0.86 * h, 0, 0.17, 0.14 * h, 0.21, m.skin(r))
    ball(f, 0, 0.9 * h, 0.03, 0.19, 0.11 * h, 0.2, m.lacquer(r))


def animal(r: Random, f: LocalFrame) -> None:
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


def car(r: Random, f: LocalFrame) -> None:
    """A car, van or lorry along z, its front towards -z."""
    w, d, h = r.uniform(1.65, 1.9), r.uniform(3.6, 4.8), r.uniform(1.35, 1.65)
    body, glass, tyre = m.metal(r), m.glass(r), m.rubber(r)
    if r.random() < 0.2:
        w, d, h = r.uniform(1.9, 2.5), r.uniform(4.6, 11), r.uniform(1.9, 3.4)
        box(f, 0, 0.35, 0, w, h - 0.35, d, body)
        box(f, 0, h * 0.55, -0.2, w + 0.02, h * 0.25, d - 0.6, glass)
        box(f, 0, h * 0.5, -d / 2, w * 0.9, h * 0.3, 0.05, glass)
    else:
        waist = 0.25 + h * 0.42
        box(f, 0, 0.25, 0, w, h * 0.42, d * 0.96, body)
        ball(f, 0, 0.2, 0, w * 0.96, h * 0.62, d * 1.03, body)
        rear = r.choice((0.05, 0.12, 0.2)) * d
        f.add(CYLINDER, (0, waist, rear), (w * 0.95, h * 0.4, d * 0.62), glass, taper=0.25)
        box(f, 0, waist + h * 0.37, rear, w * 0.62, 0.05, d * 0.36, body)
    if distance(f) < 15:
        for side in (-0.38, 0.38):
            box(f, side * w, 0.6, -d / 2, 0.25 * w, 0.14, 0.06, m.crockery(r))
            box(f, side * w, 0.65, d / 2, 0.2 * w, 0.14, 0.06, m.lamp(r) if r.random() < 0.2 else m.crockery(r))
    for x in (-1, 1) if distance(f) < 22 else ():
        for z in (-0.3, 0.3):
            f.add(CYLINDER, (x * (w / 2 - 0.08), 0.21, z * d), (0.62, 0.2, 0.62), tyre, rotation(90, 90))


def crown(r: Random, f: LocalFrame, up: Number, wide: Number, high: Number, leaves: Material) -> None:
    """A crown of many balls with the sky between them; fewer balls far away."""
    away = distance(f)
    count = 8 if away < 12 else 4 if away < 22 else 2 if away < 40 else 1
    count = max(1, round(count * r.uniform(0.6, 1.2)))
    share = 1.35 / math.sqrt(count + 1)
    for i in range(count):
        a, v = 2.4 * i + r.random(), (i + 0.5) / count
        reach = 0.5 * wide * math.sqrt(max(0.05, 1 - (2 * v - 1) ** 2)) * r.uniform(0.3, 0.9)
        s = share * r.uniform(0.7, 1.25)
        where = (reach * math.cos(a), up + v * high * (1 - 0.7 * s), reach * math.sin(a))
        size = (wide * s, high * s * r.uniform(0.6, 1), wide * s * r.uniform(0.7, 1.2))
        f.add(ELLIPSOID, where, size, leaves, rotation(r.uniform(0, 180), r.uniform(-20, 20)))


def bush(r: Random, f: LocalFrame) -> None:
    """A bush."""
    s, leaves = r.uniform(0.5, 2), m.foliage(r)
    for _ in range(r.choice((1, 2, 3, 4))):
        x, z = (r.uniform(-0.5, 0.5) * s for _ in range(2))
        ball(f, x, -0.1 * s, z, s, s * r.uniform(0.6, 1.1), s, leaves)


def conifer(r: Random, f: LocalFrame) -> None:
    """A fir or spruce of a few skirts, or a cypress."""
    h, leaves, wide = r.uniform(3, 16), m.foliage(r), r.uniform(0.15, 0.35)
    tube(f, 0, 0, 0, 0.04 * h, h * 0.3, m.bark(r), 0.1)
    skirts = r.choice((1, 3, 4)) if distance(f) < 30 else 1
    for i in range(skirts):
        low, part = 0.1 + 0.8 * i / skirts, 1 - 0.75 * i / skirts
        tall = h * (1 - low) if skirts == 1 else h * 1.3 / skirts
        tube(f, 0, h * low, 0, h * wide * part / 2 * 1.1, min(tall, h * (1 - low)), leaves, 0.93)


def tree(r: Random, f: LocalFrame) -> None:
    """A broad tree, sometimes bare; a conifer or a bush."""
    kind = r.random()
    if kind < 0.2:
        return bush(r, f)
    if kind < 0.35:
        return conifer(r, f)
    broad(r, f)


def broad(r: Random, f: LocalFrame) -> None:
    """A street or forest tree: trunk, branches, crown."""
    h, bark = r.uniform(4, 14), m.bark(r)
    trunk, thick = h * r.uniform(0.1, 0.4), h * r.uniform(0.025, 0.05)
    tube(f, 0, 0, 0, thick, trunk + 0.3 * h, bark, 0.2)
    bare = r.random() < 0.06
    for _ in range(6 if bare else r.choice((0, 2)) if distance(f) < 15 else 0):
        lean = rotation(r.uniform(0, 360), r.uniform(20, 50))
        f.add(CYLINDER, (0, trunk * r.uniform(0.9, 1.4), 0.1 * h), (thick / 3, 0.5 * h, thick / 3), bark, lean)
    if not bare:
        crown(r, f, trunk * 0.7, h * r.uniform(0.5, 1.1), h - trunk * 0.7, m.foliage(r))


def hedge(r: Random, f: LocalFrame) -> None:
    """A clipped or wild hedge along x."""
    w, h, leaves = r.uniform(2, 8), r.uniform(0.7, 2.2), m.foliage(r)
    if r.random() < 0.6:
        box(f, 0, 0, 0, w, h, r.uniform(0.5, 1), leaves)
    for i in range(r.choice((0, 3, 4))):
        ball(f, (i / 3 - 0.5) * w, h * 0.3, 0, w * 0.4, h * r.uniform(0.5, 1), 1.2, leaves)


def fence(r: Random, f: LocalFrame) -> None:
    """Posts and rails along x, or a low wall."""
    w, h = r.uniform(3, 8), r.uniform(0.8, 1.8)
    material = r.choice((m.wood, m.metal, m.lacquer))(r)
    if r.random() < 0.25:
        box(f, 0, 0, 0, w, h, 0.25, m.painted(r))
        return
    posts = r.choice((4, 7, 11)) if distance(f) < 15 else 3
    for i in range(posts):
        box(f, (i / (posts - 1) - 0.5) * w, 0, 0, 0.07, h, 0.07, material)
    for up in (0.35, 0.85):
        box(f, 0, up * h, 0, w, 0.06, 0.04, material)


def pole(r: Random, f: LocalFrame) -> None:
    """A lamp post, traffic light or sign."""
    h, w, metal = r.uniform(2.2, 8), r.uniform(0.06, 0.2), m.metal(r)
    tube(f, 0, 0, 0, w, h, metal)
    kind = r.random()
    if kind < 0.3:
        s, sign = r.uniform(0.4, 0.8), m.printed(r)
        box(f, 0, min(h, 2.8) - s, -w, s, s * r.choice((1, 1, 1.6)), 0.04, sign)
    elif kind < 0.55:
        black = m.rubber(r)
        box(f, 0, min(h, 3.4) - 0.9, -w - 0.1, 0.3, 0.9, 0.25, black)
        ball(f, 0, min(h, 3.4) - r.choice((0.3, 0.55, 0.8)), -w - 0.25, 0.18, 0.18, 0.1, m.lamp(r))
    elif h > 4:
        box(f, 0.8, h, 0, 1.8, 0.1, 0.2, metal)


def stall(r: Random, f: LocalFrame) -> None:
    """A market stall or an umbrella with a table under it."""
    w, h, cloth = r.uniform(1.8, 3.2), r.uniform(2.1, 2.6), m.cloth(r)
    if r.random() < 0.5:
        tube(f, 0, 0, 0, 0.06, h, m.metal(r))
        tube(f, 0, h, 0, w * 0.55, 0.5, cloth, 0.9)
    else:
        box(f, 0, h, 0, w, 0.12, 2, cloth)
        for x in (-0.47, 0.47):
            box(f, x * w, 0, -0.9, 0.06, h, 0.06, m.metal(r))
    box(f, 0, 0, 0.2, w * 0.8, 0.85, 0.8, r.choice((m.cloth, m.wood, m.printed))(r))
    for _ in range(3):
        s = r.uniform(0.15, 0.4)
        ball(f, r.uniform(-0.35, 0.35) * w, 0.8, r.uniform(0, 0.3), s * 1.5, s, s, m.crockery(r))


def rock(r: Random, f: LocalFrame) -> None:
    """A stone, half in the ground."""
    s = r.uniform(0.2, 2)
    ball(f, 0, -0.35 * s, 0, s * r.uniform(0.8, 2), s, s * r.uniform(0.8, 1.6), m.earth(r))
