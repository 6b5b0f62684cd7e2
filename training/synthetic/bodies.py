"""People and animals with jointed limbs in many poses. Points are (x, up, z), units free, the front towards -z."""

from __future__ import annotations

import itertools
import math
from random import Random

from . import materials as m
from .creatures import fur
from .implicit_solids import PUT
from .kit import Kit
from .scene import Material, Number, Vec, rotation
from .solid_builder import polar


def _step(a: Vec, length: Number, swing: Number, spread: Number) -> Vec:
    """The end of a bone that hangs from a: swung to the front (degrees; 0 hangs down, 180 points up) and to the side."""
    s, w = math.radians(swing), math.radians(spread)
    return (
        a[0] + length * math.sin(w),
        a[1] - length * math.cos(s) * math.cos(w),
        a[2] - length * math.sin(s) * math.cos(w),
    )


def _plain(r: Random, low: Number = 0.2) -> Material:
    a = m.muted(r, (low, 0.95), 0.5)
    return m.Material(
        m.pattern(r, "plain", "plain", "noise", "stripes", "checks", "folds"),
        r.uniform(0.1, 0.4),
        a,
        m.toned(a, 0.7),
        0.1,
    )


# Swings of the limbs (degrees) while standing, walking, running, sitting, kneeling, squatting, reaching up,
# dancing; the first range is the left limb's, the second the right one's.
Range = tuple[Number, Number]
POSES: dict[str, tuple[Range, Range, Range, Range, Range, Range]] = {
    # thigh left, thigh right, knees, arm left, arm right, elbows
    "stand": ((-5, 5), (-5, 10), (0, 12), (-15, 25), (-15, 25), (0, 60)),
    "walk": ((15, 35), (-30, -10), (5, 40), (-45, -15), (15, 45), (10, 50)),
    "run": ((50, 80), (-45, -20), (40, 95), (-65, -30), (40, 70), (70, 110)),
    "sit": ((75, 100), (75, 100), (55, 105), (5, 60), (5, 60), (10, 90)),
    "kneel": ((0, 20), (80, 95), (85, 110), (0, 70), (0, 70), (20, 90)),
    "squat": ((95, 125), (95, 125), (110, 135), (20, 90), (20, 90), (10, 60)),
    "reach": ((-10, 20), (-10, 20), (0, 30), (100, 180), (60, 180), (0, 60)),
    "dance": ((-40, 60), (-30, 30), (0, 70), (20, 150), (-30, 170), (0, 100)),
}


def person(r: Random, kit: Kit) -> None:
    """A person, doll or figurine: proportions from child to adult, any pose, clothes, hair or a hat, a skirt or coat."""
    skin, shirt, trousers, shoe = m.skin(r), _plain(r), _plain(r), _plain(r, 0.05)
    if r.random() < 0.15:
        skin = shirt = trousers = shoe = fur(r)
    pose = POSES[r.choice(tuple(POSES))]
    solid, girth, head = kit.solid, r.uniform(0.85, 1.4), r.choice((r.uniform(0.2, 0.24), r.uniform(0.24, 0.42)))
    kit.blend = r.uniform(0.02, 0.05)
    trunk, leg, arm = r.uniform(0.48, 0.56), r.uniform(0.34, 0.46), r.uniform(0.26, 0.33)
    hips: Vec = (0.0, 0.0, 0.0)
    lean = math.radians(r.uniform(-8, 20))
    neck: Vec = (r.uniform(-0.05, 0.05), trunk * math.cos(lean), -trunk * math.sin(lean))
    for side, thigh, upper in ((-1, pose[0], pose[3]), (1, pose[1], pose[4])):
        hip = (side * 0.09 * girth, 0.0, 0.0)
        swing, spread = r.uniform(*thigh), side * r.uniform(0, 14)
        knee = _step(hip, leg, swing, spread)
        ankle = _step(knee, leg, swing - r.uniform(*pose[2]), spread * 0.3)
        solid.limb(hip, knee, 0.155 * girth, trousers, taper=-0.15)
        solid.limb(knee, ankle, 0.11 * girth, trousers if r.random() < 0.8 else skin, taper=-0.2)
        solid.limb(ankle, (ankle[0] + side * 0.02, ankle[1] - 0.03, ankle[2] - 0.15), 0.09 * girth, shoe)
        shoulder = (neck[0] + side * 0.175 * girth, neck[1] - 0.05, neck[2])
        swing, spread = r.uniform(*upper), side * r.uniform(4, 45)
        elbow = _step(shoulder, arm, swing, spread)
        wrist = _step(elbow, arm * 0.95, swing + r.uniform(*pose[5]), -spread * 0.4)
        sleeve = shirt if r.random() < 0.6 else skin
        solid.limb(shoulder, elbow, 0.095 * girth, shirt)
        solid.limb(elbow, wrist, 0.075 * girth, sleeve, taper=-0.15)
        solid.limb(wrist, _step(wrist, 0.09, swing, 0), 0.075 * girth, skin, flat=0.6)
    middle = ((hips[0] + neck[0]) / 2, trunk / 2, neck[2] / 2)
    turn = rotation(0, math.degrees(lean))
    solid.ball(
        middle,
        (0.36 * girth, trunk * 1.18, 0.24 * girth),
        shirt,
        turn,
        exponents=(2.3, 2.8),
        taper=r.uniform(-0.2, 0.1),
    )
    solid.ball((0, 0.02, 0), (0.33 * girth, 0.26, 0.24 * girth), trousers)
    if r.random() < 0.2:
        long = leg * r.uniform(0.7, 1.6)
        solid.rounded_cylinder(
            (0, 0.08 - long / 2, -0.02), (0.4 * girth, long, 0.36 * girth), _plain(r), round=0.2, taper=0.3
        )
    _head(r, kit, (neck[0] * 1.4, neck[1] + head * 0.62, neck[2] - 0.03), head, skin)
    solid.limb(neck, (neck[0] * 1.3, neck[1] + head * 0.5, neck[2] - 0.02), 0.1 * girth, skin)
    if pose is POSES["sit"] and r.random() < 0.5:
        kit.frame.add(r.choice((0, 2)), (0, -0.5, 0.03), (0.42, 0.42, 0.36), m.wood(r))


def _head(r: Random, kit: Kit, at: Vec, size: Number, skin: Material) -> None:
    """Head with nose, eyes, ears, and hair, a cap, a hat, a helmet or nothing."""
    solid, (x, up, z) = kit.solid, at
    dark = m.Material(0, 1.0, (0.02, 0.02, 0.02), (0.02, 0.02, 0.02))
    solid.ball(at, (size * 0.78, size * 1.05, size * 0.92), skin)
    solid.ball((x, up - size * 0.06, z - size * 0.46), (size * 0.13, size * 0.2, size * 0.17), skin)
    for side in (-1.0, 1.0):
        solid.ball((x + side * size * 0.16, up + size * 0.07, z - size * 0.41), (size * 0.11,) * 3, dark, op=PUT)
        solid.ball((x + side * size * 0.39, up, z), (size * 0.1, size * 0.22, size * 0.14), skin)
    kind, hair = r.randrange(5), _plain(r, 0.02)
    if kind in (0, 1):
        solid.ball((x, up + size * 0.13, z + size * 0.1), (size * 0.88, size * 0.95, size * 0.9), hair, op=PUT)
        if kind == 1:
            solid.limb(
                (x, up, z + size * 0.3),
                (x, up - size * r.uniform(0.5, 1.0), z + size * 0.45),
                size * 0.5,
                hair,
                PUT,
                flat=0.6,
            )
    elif kind == 2:
        wide = size * r.uniform(1.2, 1.9)
        solid.rounded_cylinder((x, up + size * 0.36, z), (wide, size * 0.07, wide), hair, op=PUT)
        solid.rounded_cylinder(
            (x, up + size * 0.52, z), (size * 0.84, size * 0.36, size * 0.9), hair, op=PUT, round=0.5
        )
    elif kind == 3:
        solid.ball((x, up + size * 0.2, z + size * 0.02), (size * 0.9, size * 0.8, size), hair, op=PUT)
        solid.block(
            (x, up + size * 0.28, z - size * 0.5), (size * 0.6, size * 0.06, size * 0.4), hair, op=PUT, round=0.9
        )


def quadruped(r: Random, kit: Kit) -> None:
    """A horse, dog, cow, cat, sheep, elephant, giraffe, lizard: two bones to each leg; walking, standing, grazing, sitting,
    lying."""
    coat = fur(r)
    other = coat if r.random() < 0.6 else fur(r)
    solid, long, fat = kit.solid, r.uniform(0.8, 1.2), r.uniform(0.24, 0.5)
    leg, pose = r.choice((r.uniform(0.1, 0.25), r.uniform(0.3, 0.5))), r.choice(("stand", "walk", "walk", "sit", "lie"))
    thick, gait = r.uniform(0.08, 0.13) * (0.7 + fat), r.uniform(10, 35) if pose == "walk" else r.uniform(0, 8)
    kit.blend = r.uniform(0.03, 0.08)
    rise = {"sit": 0.45 * long, "lie": 0.0}.get(pose, r.uniform(-0.05, 0.08))
    chest, rump = (0.0, rise, -long * (0.3 if pose == "sit" else 0.42)), (0.0, 0.0, long * 0.42)
    solid.limb(rump, chest, fat, coat, taper=r.uniform(0, 0.2), flat=r.uniform(0.85, 1.1))
    if r.random() < 0.5:
        solid.ball((0, rise * 0.5 - fat * 0.08, 0), (fat * 1.08, fat * 1.1, long * 0.7), coat)
    for end, at in ((-1, chest), (1, rump)):
        for side in (-1.0, 1.0):
            hip = (side * fat * 0.3, at[1] - fat * 0.1, at[2] * 0.88)
            folded = pose == "lie" or (pose == "sit" and end > 0)
            swing = r.uniform(55, 100) if folded else gait * side * end + r.uniform(-6, 6)
            bend = -r.uniform(110, 150) if folded else (r.uniform(0, 25) if end < 0 else -r.uniform(5, 30))
            reach = leg + (rise if pose == "sit" and end < 0 else 0.0)
            knee = _step(hip, reach * 0.55 + fat * 0.2, swing, side * (12 if folded else 3))
            foot = _step(knee, reach * 0.55, swing + bend, 0)
            solid.limb(hip, knee, thick * (1.5 if end > 0 else 1.25), coat, taper=-0.2)
            solid.limb(knee, foot, thick * 0.85, other if r.random() < 0.5 else coat, taper=-0.1)
            solid.ball((foot[0], foot[1], foot[2] - thick * 0.3), (thick, thick * 0.7, thick * 1.4), other)
    grazing = pose in ("stand", "walk") and r.random() < 0.25
    neck = r.choice((r.uniform(0.05, 0.2), r.uniform(0.2, 0.4), r.uniform(0.5, 0.9)))
    angle = math.radians(r.uniform(-60, -30) if grazing else r.uniform(15, 80))
    turn = r.gauss(0, 0.12)
    top = (turn, chest[1] + fat * 0.2 + neck * math.sin(angle), chest[2] - fat * 0.35 - neck * math.cos(angle))
    solid.limb((0, chest[1] + fat * 0.05, chest[2] - fat * 0.1), top, fat * r.uniform(0.4, 0.65), coat, taper=-0.2)
    _muzzle(r, kit, top, r.uniform(0.2, 0.34), coat, other)
    if r.random() < 0.8:
        tip = (r.uniform(-0.2, 0.2), r.uniform(-0.35, 0.3), long * 0.5 + r.uniform(0.1, 0.5))
        solid.limb(
            (0, fat * 0.15, long * 0.46),
            tip,
            r.uniform(0.05, 0.12),
            other,
            taper=r.uniform(-0.5, 0.3),
            bend=r.uniform(-0.2, 0.2),
        )


def _muzzle(r: Random, kit: Kit, top: Vec, head: Number, coat: Material, other: Material) -> None:
    """Skull, snout, ears, eyes, sometimes horns or a trunk."""
    solid, dark = kit.solid, m.Material(0, 1.0, (0.02, 0.02, 0.02), (0.02, 0.02, 0.02), 0.0, 0.5)
    solid.ball(top, (head * 0.85, head * 0.95, head * 1.1), coat)
    nose = r.uniform(0.3, 0.9) * head
    snout: Vec = (top[0], top[1] - head * r.uniform(0.1, 0.4), top[2] - head * 0.3 - nose)
    solid.limb(
        (top[0], top[1] - head * 0.1, top[2] - head * 0.2), snout, head * r.uniform(0.4, 0.6), other, taper=-0.15
    )
    solid.ball((snout[0], snout[1] + head * 0.1, snout[2] - head * 0.2), (head * 0.16,) * 3, dark, op=PUT)
    ear, kind = head * r.uniform(0.35, 0.8), r.randrange(3)
    for side in (-1.0, 1.0):
        base = (top[0] + side * head * 0.3, top[1] + head * 0.38, top[2] + head * 0.1)
        lift = ear if kind < 2 else -ear
        solid.limb(
            base,
            (base[0] + side * ear * 0.5, base[1] + lift, base[2]),
            ear * 0.5,
            other,
            flat=0.4,
            taper=-0.4 if kind == 0 else 0.2,
        )
        solid.ball(
            (top[0] + side * head * 0.34, top[1] + head * 0.12, top[2] - head * 0.32), (head * 0.15,) * 3, dark, op=PUT
        )
        if kind == 1 and r.random() < 0.7:
            tip = (base[0] + side * head * r.uniform(0.2, 0.9), base[1] + head * r.uniform(0.3, 0.9), base[2])
            solid.limb(base, tip, head * 0.16, m.wood(Random(1)), PUT, taper=-0.6)
    if r.random() < 0.1:
        points = [
            snout,
            (snout[0], snout[1] - head * 0.9, snout[2] - head * 0.2),
            (snout[0], snout[1] - head * 1.3, snout[2] - head * 0.6),
        ]
        for a, b in itertools.pairwise(points):
            solid.limb(a, b, head * 0.25, coat)


def swimmer(r: Random, kit: Kit) -> None:
    """A fish, whale, shark or snail-like body with fins."""
    coat, belly = fur(r), fur(r)
    long, fat, high = 1.0, r.uniform(0.15, 0.4), r.uniform(0.25, 0.6)
    kit.blend = r.uniform(0.02, 0.06)
    kit.solid.ball((0, 0, 0), (fat, high, long), coat, exponents=(2, 2.2), bend=0)
    kit.solid.ball((0, 0, long * 0.35), (fat * 0.5, high * 0.45, long * 0.5), coat)
    dark = m.Material(0, 1.0, (0.02, 0.02, 0.02), (0.02, 0.02, 0.02))
    for s in (-1.0, 1.0):
        kit.blade((0, 0, long * 0.42), (0, s * high * r.uniform(0.4, 0.8), long * 0.75), 0.03, high * 0.35, belly)
        tip = (s * fat * r.uniform(0.9, 1.8), -high * 0.3, r.uniform(-0.1, 0.15))
        kit.blade((s * fat * 0.3, -high * 0.12, -long * 0.18), tip, 0.2, 0.03, belly)
        kit.solid.ball((s * fat * 0.36, high * 0.12, -long * 0.34), (0.07, 0.07, 0.07), dark, op=PUT)
    kit.blade((0, high * 0.35, -0.3), (0, high * r.uniform(0.5, 0.8), 0.25), 0.03, high * 0.4, belly)


def crawler(r: Random, kit: Kit) -> None:
    """A crab, beetle, spider, turtle or caterpillar: a body with many bent legs."""
    coat, other = fur(r), fur(r)
    wide, high, long = r.uniform(0.4, 0.8), r.uniform(0.2, 0.4), r.uniform(0.5, 1.0)
    up, legs, reach = r.uniform(0.15, 0.35), r.choice((2, 3, 3, 4)), r.uniform(0.2, 0.6)
    kit.blend = 0.03
    kit.solid.ball((0, up, 0), (wide, high, long), coat, exponents=(2.2, r.choice((2, 3))))
    head = r.uniform(0.2, 0.34)
    front: Vec = (0, up, -long / 2 - head * 0.25)
    kit.solid.ball(front, (head, head * 0.8, head), other)
    for side in (-1.0, 1.0):
        kit.solid.ball(
            (side * head * 0.3, up + head * 0.25, front[2] - head * 0.25), (0.06, 0.06, 0.06), m.rubber(r), op=PUT
        )
        kit.solid.limb(
            (side * head * 0.2, up + 0.05, front[2]), (side * head, up + head, front[2] - head * 0.6), 0.03, other
        )
        for i in range(legs):
            z = ((i + 0.5) / legs - 0.5) * long * 0.8
            knee = (side * (wide / 2 + reach * 0.6), up + r.uniform(0.0, 0.25), z * 1.3)
            foot = (side * (wide / 2 + reach), 0.0, z * 1.6)
            kit.solid.limb((side * wide * 0.35, up, z), knee, 0.07, other)
            kit.solid.limb(knee, foot, 0.055, other, taper=-0.4)


def snake(r: Random, kit: Kit) -> None:
    """A snake, worm, rope or hose along a winding path, lying or rising."""
    coat, thick = fur(r), r.uniform(0.08, 0.16)
    points: list[Vec] = []
    turns, loops, lift = r.uniform(0.5, 1.2), r.random() < 0.4, r.uniform(0, 0.5)
    for i in range(13):
        t = i / 12
        if loops:
            x, z = polar(720 * turns * t, 0.5 - 0.32 * t)
            points.append((x, thick * 1.4 * t * 2, z))
        else:
            points.append((0.35 * math.sin(2 * math.pi * turns * 1.6 * t), 0.0, t * 1.4 - 0.7))
    points[0] = (points[0][0], points[0][1] + lift, points[0][2] - 0.05)
    kit.blend = 0.03
    for a, b in itertools.pairwise(points):
        kit.solid.limb(a, b, thick, coat)
    kit.solid.ball(points[0], (thick * 1.5, thick * 1.2, thick * 1.9), coat)
