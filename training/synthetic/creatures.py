"""Animals, birds, figures and toys as sculptures, in poses; their front is towards -z unless they are turned.

Units are free (`SolidBuilder.finish` scales); points are (x, up, z).
"""

from __future__ import annotations

from random import Random

from . import materials as m
from .implicit_solids import PUT, Sculpture
from .scene import Material, Number, Vec, rotation
from .solid_builder import SolidBuilder


def fur(r: Random) -> Material:
    """Fur, plush, feathers, painted wood or stone."""
    if r.random() < 0.5:
        a = m.colour(r, 0.07, 0.05, (0, 0.7), (0.08, 0.95))
        kind = m.pattern(r, "plain", "noise", "noise", "blobs", "leaves", "stripes", "grain")
        return Material(kind, r.uniform(0.15, 0.8), a, m.toned(a, r.uniform(0.5, 1.5)), 0.2, r.choice((0, 0, 0.3)))
    return r.choice((m.cloth, m.crockery, m.wood, m.earth, m.lacquer))(r)


def _eyes(solid: SolidBuilder, at: Vec, apart: Number, size: Number, material: Material) -> None:
    """Two balls half in the head."""
    for side in (-1, 1):
        solid.ball((at[0] + side * apart, at[1], at[2]), (size, size, size), material, op=PUT)


def _dark(r: Random) -> Material:
    a = m.colour(r, r.random(), 0, (0, 0.6), (0.02, 0.25))
    return Material(m.pattern(r, "plain"), 1.0, a, a, 0.0, r.uniform(0, 0.8))


def modelled_animal(r: Random) -> Sculpture:
    """A four-legged animal that stands, sits or lies: cat to giraffe."""
    coat = fur(r)
    other = fur(r) if r.random() < 0.35 else coat
    solid, pose = SolidBuilder(coat), r.choice(("stand", "stand", "stand", "sit", "lie"))
    length, fat, leg = r.uniform(0.8, 1.7), r.uniform(0.3, 0.65), r.uniform(0.3, 1.2)
    thick, head = r.uniform(0.12, 0.24) * (0.6 + fat), r.uniform(0.3, 0.5)
    back = {"stand": leg, "sit": 0.3 * leg, "lie": 0.0}[pose] + fat / 2
    front = back + (length * r.uniform(0.4, 0.75) if pose == "sit" else r.uniform(-0.1, 0.1))
    z = length * (0.32 if pose == "sit" else 0.5)
    tilt = r.uniform(0.8, 1.2)
    solid.limb((0, back, z - fat * 0.4), (0, front, -z + fat * 0.4), fat, flat=tilt, taper=r.uniform(-0.15, 0.2))
    width = fat * 0.28
    for side in (-1, 1):
        for end, high in ((-1, front), (1, back)):
            hip = (side * width, high - 0.1 * fat, end * (z - fat * 0.5))
            if pose == "stand" or (pose == "sit" and end < 0):
                foot = (side * width * r.uniform(0.9, 1.4), thick / 2, hip[2] + r.uniform(-0.25, 0.2) * leg)
            else:
                reach = r.uniform(0.4, 0.8)
                foot = (side * width * r.uniform(1.2, 2.2), thick / 2, hip[2] - reach)
            solid.limb(hip, foot, thick, other if r.random() < 0.3 else coat, taper=r.uniform(-0.3, 0))
    neck, up = r.uniform(0, 0.35) if r.random() < 0.7 else r.uniform(0.4, 1.1), r.uniform(0.2, 1.0)
    top = (r.uniform(-0.2, 0.2), front + fat * 0.35 + neck * up, -z - neck * (1.1 - up))
    solid.limb((0, front, -z + fat * 0.4), top, fat * r.uniform(0.4, 0.7), taper=-0.15)
    skull = (head * r.uniform(0.8, 1.1), head, head * r.uniform(0.9, 1.3))
    solid.ball(top, skull, coat)
    nose = r.uniform(0.25, 0.8) * head
    snout = (top[0], top[1] - head * r.uniform(0.05, 0.25), top[2] - skull[2] * 0.35 - nose * 0.5)
    solid.limb((top[0], top[1] - 0.05, top[2]), snout, head * r.uniform(0.35, 0.6), other)
    _ears(r, solid, top, head, other)
    if r.random() < 0.75:
        tail = (r.uniform(-0.3, 0.3), max(0.1, back + r.uniform(-0.5, 0.6)), z + r.uniform(0.1, 0.7))
        solid.limb(
            (0, back, z - 0.1), tail, r.uniform(0.07, 0.2), taper=r.uniform(-0.5, 0.4), bend=r.uniform(-0.2, 0.2)
        )
    _eyes(solid, (top[0], top[1] + head * 0.15, top[2] - skull[2] * 0.42), head * 0.22, head * 0.16, _dark(r))
    return solid.finish(r.uniform(0.03, 0.13))


def _ears(r: Random, solid: SolidBuilder, top: Vec, head: Number, material: Material) -> None:
    """Round, pointed or hanging ears, or horns."""
    kind, size = r.choice(("round", "point", "hang", "none")), r.uniform(0.25, 0.5) * head
    for side in (-1, 1):
        base = (top[0] + side * head * 0.32, top[1] + head * 0.35, top[2])
        if kind == "round":
            solid.ball(base, (size, size, size * 0.4), material)
        elif kind == "point":
            tip = (base[0] + side * size * 0.4, base[1] + size * r.uniform(0.6, 1.5), base[2])
            solid.limb(base, tip, size * 0.6, material, taper=-0.6)
        elif kind == "hang":
            tip = (base[0] + side * size * 0.5, base[1] - size * 1.5, base[2])
            solid.limb(base, tip, size * 0.5, material, taper=0.3)


def bird(r: Random) -> Sculpture:
    """A bird: standing, swimming, or with spread wings."""
    solid, other = SolidBuilder(fur(r)), fur(r)
    fat, length, tilt = r.uniform(0.35, 0.7), r.uniform(0.8, 1.3), r.uniform(0, 75)
    leg = r.choice((0.0, r.uniform(0.15, 0.9)))
    high = leg + fat * 0.5 + length * 0.25 * (tilt / 60)
    solid.ball((0, high, 0), (fat, length, fat), turn=rotation(0, 90 - tilt), taper=r.uniform(-0.2, 0.2))
    front, up = -0.35 * length * (1 - tilt / 110), high + 0.35 * length * (tilt / 90)
    neck, head = r.choice((r.uniform(0, 0.2), r.uniform(0.2, 0.9))), r.uniform(0.25, 0.42)
    top = (r.uniform(-0.1, 0.1), up + neck + 0.15, front - neck * r.uniform(-0.2, 0.5))
    solid.limb((0, up - 0.1, front), top, head * r.uniform(0.4, 0.8), taper=-0.2)
    solid.ball(top, (head, head, head * 1.1), other if r.random() < 0.4 else None)
    beak = m.crockery(r)
    tip = (top[0], top[1] - r.uniform(0, 0.1), top[2] - head * r.uniform(0.7, 1.5))
    solid.limb((top[0], top[1], top[2] - head * 0.3), tip, head * r.uniform(0.2, 0.4), beak, op=PUT, taper=-0.7)
    solid.limb(
        (0, high - 0.1, 0.3 * length),
        (0, high - 0.25 * (tilt / 60), length * r.uniform(0.55, 0.9)),
        fat * 0.5,
        flat=0.3,
    )
    spread = r.random() < 0.3
    for side in (-1, 1):
        if spread:
            tip = (side * r.uniform(0.8, 1.4), high + r.uniform(-0.2, 0.8), r.uniform(-0.2, 0.4))
            solid.limb((side * 0.1, high + 0.1, 0), tip, r.uniform(0.3, 0.5), other, flat=0.2, taper=-0.4)
        else:
            size = (fat * 0.25, length * 0.75, fat * 0.7)
            solid.ball((side * fat * 0.45, high, 0.08), size, other, rotation(0, 90 - tilt))
        if leg:
            foot = (side * fat * 0.25, 0.03, r.uniform(-0.1, 0.1))
            solid.limb((side * fat * 0.2, high - 0.1, 0), foot, r.uniform(0.05, 0.1), beak)
            solid.ball((foot[0], 0.03, foot[2] - 0.08), (0.16, 0.06, 0.25), beak)
    _eyes(solid, (top[0], top[1] + head * 0.12, top[2] - head * 0.35), head * 0.3, head * 0.18, _dark(r))
    return solid.finish(r.uniform(0.06, 0.2))


def _arm(
    r: Random,
    solid: SolidBuilder,
    shoulder: Vec,
    side: int,
    length: Number,
    thick: Number,
    paint: Material,
    hand: Material,
) -> None:
    """Upper arm, forearm and hand in any pose."""
    swing, lift = r.uniform(-0.6, 0.9), r.choice((r.uniform(-1, -0.6), r.uniform(-1, 1)))
    wide = max(0.1, 1 - abs(lift)) * side + side * 0.15
    elbow = (shoulder[0] + wide * length / 2, shoulder[1] + lift * length / 2, shoulder[2] - swing * 0.25 * length)
    far = (elbow[0] + side * r.uniform(-0.3, 0.4) * length / 2, elbow[1] + r.uniform(-1, 0.9) * length / 2)
    wrist = (far[0], max(thick, far[1]), elbow[2] - r.uniform(0, 0.7) * length / 2)
    solid.limb(shoulder, elbow, thick, paint)
    solid.limb(elbow, wrist, thick * 0.85, paint)
    solid.ball(wrist, (thick * 1.15, thick * 1.15, thick * 1.15), hand)


def figure(r: Random) -> Sculpture:
    """A person, doll, teddy or gnome, standing, walking or sitting."""
    top, trousers, bare = fur(r), fur(r), m.skin(r) if r.random() < 0.6 else fur(r)
    if r.random() < 0.35:
        top = trousers = bare
    solid, plump, sits = SolidBuilder(top), r.uniform(0.8, 1.8), r.random() < 0.35
    head, leg, thick = r.uniform(0.22, 0.6), r.uniform(0.25, 0.85), r.uniform(0.12, 0.2) * plump
    trunk, wide = r.uniform(0.45, 0.7), r.uniform(0.3, 0.42) * plump
    seat = thick * 0.5 if sits else leg
    for side in (-1, 1):
        hip, step = (side * wide * 0.25, seat, 0.0), r.uniform(-0.4, 0.4) * leg
        if sits:
            knee = (side * wide * r.uniform(0.3, 0.7), seat + r.uniform(0, 0.5) * leg, -0.45 * leg)
            foot = (side * wide * r.uniform(0.3, 0.9), thick * 0.5, -leg * r.uniform(0.6, 0.95))
        else:
            knee = (side * wide * 0.3, seat * 0.5 + 0.05, -abs(step) * 0.6)
            foot = (side * wide * 0.32, thick * 0.4, step)
        solid.limb(hip, knee, thick, trousers)
        solid.limb(knee, foot, thick * 0.9, trousers)
        solid.ball((foot[0], thick * 0.4, foot[2] - thick * 0.4), (thick, thick * 0.8, thick * 1.8), bare)
        shoulder = (side * wide * 0.42, seat + trunk * 0.85, 0.0)
        _arm(r, solid, shoulder, side, r.uniform(0.4, 0.7), thick * r.uniform(0.6, 0.9), top, bare)
    size = (wide, trunk * 1.1, wide * r.uniform(0.6, 0.95))
    solid.ball((0, seat + trunk * 0.5, 0), size, exponents=(2, r.choice((2, 2.5, 4))), taper=r.uniform(-0.25, 0.3))
    at = (r.uniform(-0.05, 0.05), seat + trunk + head * 0.42, -0.03)
    solid.limb((0, seat + trunk * 0.9, 0), at, head * 0.4, bare)
    solid.ball(at, (head * r.uniform(0.8, 1.1), head * 1.1, head), bare)
    _eyes(solid, (at[0], at[1] + 0.05 * head, at[2] - head * 0.46), head * 0.2, head * 0.13, _dark(r))
    solid.ball((at[0], at[1] - head * 0.1, at[2] - head * 0.5), (head * 0.16, head * 0.2, head * 0.2), bare)
    _hat(r, solid, at, head)
    return solid.finish(r.uniform(0.02, 0.15))


def _hat(r: Random, solid: SolidBuilder, at: Vec, head: Number) -> None:
    """Hair, a hat with a brim, a pointed cap, round ears, or nothing."""
    kind, paint = r.randrange(5), fur(r)
    if kind == 0:
        solid.ball((at[0], at[1] + head * 0.15, at[2] + head * 0.1), (head * 1.1, head, head * 1.05), paint, op=PUT)
    elif kind == 1:
        solid.rounded_cylinder((at[0], at[1] + head * 0.4, at[2]), (head * 1.7, head * 0.1, head * 1.7), paint, op=PUT)
        solid.rounded_cylinder(
            (at[0], at[1] + head * 0.6, at[2]), (head * 0.9, head * 0.5, head * 0.9), paint, op=PUT, taper=0.1
        )
    elif kind == 2:
        size = (head * 1.0, head * r.uniform(0.8, 1.5), head * 1.0)
        solid.rounded_cylinder((at[0], at[1] + head * 0.3 + size[1] / 2, at[2]), size, paint, op=PUT, taper=0.8)
    elif kind == 3:
        for side in (-1, 1):
            where = (at[0] + side * head * 0.42, at[1] + head * 0.45, at[2])
            solid.ball(where, (head * 0.4, head * 0.4, head * 0.2), paint)


def robot(r: Random) -> Sculpture:
    """A toy robot of blocks and rounded cylinders."""
    body, joint, other = (r.choice((m.metal, m.crockery, m.lacquer, m.printed))(r) for _ in range(3))
    solid, wide, trunk, leg = SolidBuilder(body), r.uniform(0.4, 0.8), r.uniform(0.4, 0.8), r.uniform(0.15, 0.7)
    soft, deep = r.uniform(0.05, 0.8), r.uniform(0.3, 0.5)
    solid.block((0, leg + trunk / 2, 0), (wide, trunk, deep), round=soft, taper=r.uniform(-0.25, 0.25))
    head = r.uniform(0.25, 0.5)
    at = (0.0, leg + trunk + 0.06 + head / 2, 0.0)
    solid.rounded_cylinder((0, leg + trunk, 0), (head * 0.4, 0.2, head * 0.4), joint)
    if r.random() < 0.6:
        solid.block(at, (head * r.uniform(1, 1.6), head, head), other, rotation(r.uniform(-40, 40)), round=soft)
    else:
        solid.rounded_cylinder(at, (head * 1.2, head, head * 1.2), other, round=soft)
    _eyes(solid, (0, at[1] + head * 0.1, -head * 0.5), head * 0.25, head * 0.25, _dark(r))
    for side in (-1, 1):
        _arm(
            r,
            solid,
            (side * (wide / 2 + 0.05), leg + trunk * 0.8, 0),
            side,
            r.uniform(0.5, 0.8),
            r.uniform(0.1, 0.18),
            joint,
            other,
        )
        solid.block((side * wide * 0.27, leg / 2, 0), (wide * 0.3, leg * 1.1, deep * 0.6), joint, round=soft)
        solid.block((side * wide * 0.28, 0.06, -0.06), (wide * 0.38, 0.12, deep), other, round=soft)
    if r.random() < 0.5:
        solid.limb((0, at[1], 0), (r.uniform(-0.1, 0.1), at[1] + head * r.uniform(0.7, 1.2), 0), 0.05, joint)
    return solid.finish(r.choice((0, 0.02)))
