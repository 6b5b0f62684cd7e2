"""Streets, squares and nature. The camera is at eye height or on a car, the horizon near the middle.

Each layout takes a random source and gives a Scene.
"""

from __future__ import annotations

from random import Random

from . import materials as m
from . import props
from .intersect import BOX, CYLINDER, ELLIPSOID
from .lights import sky, sun
from .props import ball, box
from .scene import Camera, Frame, Number, Scene, rotation


def _house_row(r: Random, f: Frame, x: Number, side: int) -> None:
    """House fronts from behind the camera to far away, in and out of line, with gaps; or a hedge, or a wall."""
    z, kind = -12.0, r.random()
    low = kind > 0.72
    while z < (90 if low else 130):
        length = r.uniform(25, 60) if low else r.uniform(7, 28)
        height = r.uniform(0.8, 4) if low else r.uniform(4, 22)
        material = (m.foliage if r.random() < 0.6 else m.facade)(r) if low else m.facade(r)
        setback = abs(r.gauss(0, 1.2))
        if r.random() < 0.87:
            box(f, side * (x + setback + 5), 0, z + length / 2, 10, height, length, material)
        z += length + (r.uniform(2, 10) if r.random() < 0.25 else 0)


def _along(
    r: Random, f: Frame, prop: props.Prop, x: Number, count: int, near: Number, far: Number, yaw: Number = 0.0
) -> None:
    """The same kind of thing now and then along a line, denser nearby."""
    for _ in range(count):
        z = near * (far / near) ** r.random()
        prop(r, f.at(x + r.gauss(0, 0.25), 0, z, yaw + r.gauss(0, 4)))


def street(r: Random) -> Scene:
    """A street seen from a car or a pavement: road, markings, pavements, fronts, cars, trees, poles, people."""
    up = r.uniform(1.3, 2.0) if r.random() < 0.8 else r.uniform(2, 7)
    yaw = r.gauss(0, 7) if r.random() < 0.8 else r.gauss(0, 40)
    half, walk = r.uniform(2.5, 8), r.uniform(0.5, 6)
    position = (r.uniform(-0.8, 0.8) * half, -up, 0.0)
    camera = Camera(position, yaw, r.gauss(1.5, 4), r.gauss(0, 1.5), r.uniform(45, 95))
    scene = Scene(camera, sun(r), sky(r))
    f = Frame(scene)
    ground = r.choice((m.asphalt, m.foliage, m.earth))
    box(f, 0, -2, 0, 2000, 1.97, 2000, ground(r))
    box(f, 0, -1, 60, 2 * half, 1, 200, m.asphalt(r))
    for side in (-1, 1):
        box(f, side * (half + walk / 2), -1, 60, walk, 1 + r.uniform(0, 0.15), 200, m.asphalt(r))
        if r.random() < 0.85:
            _house_row(r, f, half + walk, side)
        if r.random() < 0.6:
            _along(r, f, props.car, side * (half - 1.0), r.randrange(1, 4), 5, 60, 0 if side > 0 else 180)
        if r.random() < 0.5:
            _along(r, f, props.tree, side * (half + walk * 0.5), r.randrange(1, 5), 6, 70)
        _along(r, f, props.pole, side * (half + 0.3), r.choice((0, 1, 2)), 5, 40)
        _along(r, f, props.person, side * (half + walk / 2), r.choice((0, 0, 1)), 4, 20, r.uniform(0, 360))
    if r.random() < 0.6:
        lines, white = r.choice((0, r.uniform(-1, 1))), m.painted(r)
        for i in range(3):
            box(f, lines, -0.1, 5 + 9 * i, 0.15, 0.11, r.choice((3, 8)), white)
    if r.random() < 0.4:
        _along(r, f, props.car, r.uniform(-0.5, 0.5) * half, 1, 8, 60, r.choice((0, 180)))
    _far_end(r, f)
    return scene


def _far_end(r: Random, f: Frame) -> None:
    """What closes the view: houses, woods or hills, or nothing."""
    kind = r.random()
    if kind < 0.3:
        box(f, r.uniform(-30, 30), 0, r.uniform(60, 200), r.uniform(40, 150), r.uniform(6, 30), 10, m.facade(r))
    elif kind < 0.6:
        for _ in range(3):
            s = r.uniform(20, 80)
            ball(f, r.uniform(-90, 90), -s * 0.4, r.uniform(80, 200), s, s * 0.7, s * 0.5, m.foliage(r))
    elif kind < 0.85:
        for _ in range(2):
            s = r.uniform(200, 900)
            ball(
                f,
                r.uniform(-500, 500),
                -s * 0.25,
                r.uniform(400, 900),
                s * 1.5,
                s * r.uniform(0.3, 0.5),
                s * 0.5,
                m.foliage(r),
            )


def square(r: Random) -> Scene:
    """An open place or a garden: ground, a few houses at any angle, things and people about."""
    camera = Camera((0, -r.uniform(1.1, 2.2), 0), 0, r.gauss(3, 5), r.gauss(0, 2.5), r.uniform(40, 85))
    scene = Scene(camera, sun(r), sky(r))
    f = Frame(scene)
    box(f, 0, -2, 0, 2000, 2, 2000, r.choice((m.asphalt, m.foliage, m.earth, m.floor))(r))
    for _ in range(r.randrange(1, 5)):
        z, s = r.uniform(7, 45), r.uniform(5, 22)
        x = r.uniform(-0.9, 0.9) * z
        box(f, x, 0, z + s / 2, s * r.uniform(0.5, 2), r.uniform(3, 18), s, m.facade(r), r.gauss(0, 25))
        if r.random() < 0.3:
            f.add(CYLINDER, (x, 0, z), (s * 0.3, r.uniform(5, 25), s * 0.3), m.facade(r), taper=r.choice((0, 0.2)))
    for _ in range(r.randrange(1, 7)):
        z = 2.2 * 12 ** r.random()
        prop = r.choice(props.OUT_OF_DOORS)
        prop(r, f.at(r.uniform(-0.6, 0.6) * z, 0, z + (2 if prop is props.car else 0), r.uniform(0, 360)))
    _far_end(r, f)
    return scene


def nature(r: Random) -> Scene:
    """Ground, stones, trees, hills; from a path, a slope or a viewpoint."""
    up = r.uniform(1, 2.2) if r.random() < 0.7 else r.uniform(3, 40)
    camera = Camera((0, -up, 0), 0, r.gauss(2, 6), r.gauss(0, 2.5), r.uniform(40, 85))
    scene = Scene(camera, sun(r), sky(r))
    f = Frame(scene)
    slope = rotation(r.uniform(0, 360), r.gauss(0, 4))
    f.add(BOX, (0, -2, 0), (2000, 2, 2000), r.choice((m.foliage, m.earth, m.earth))(r), slope)
    for _ in range(r.randrange(1, 6)):
        s, z = r.uniform(6, 40), r.uniform(25, 150)
        f.add(
            ELLIPSOID,
            (r.uniform(-1, 1) * z, -s * 0.3, z),
            (s * r.uniform(1, 4), s * r.uniform(0.4, 0.9), s * 2),
            r.choice((m.foliage, m.earth))(r),
        )
    for _ in range(r.randrange(0, 4)):
        s = r.uniform(150, 900)
        taper = r.uniform(0.7, 0.95)
        f.add(
            CYLINDER,
            (r.uniform(-700, 700), -20, r.uniform(400, 1200)),
            (s * 1.5, s * 0.4, s * 1.5),
            r.choice((m.foliage, m.earth))(r),
            taper=taper,
        )
    for _ in range(r.randrange(2, 9)):
        z = 3.0 * max(1.0, up / 3) * 14 ** r.random()
        prop = r.choice((props.tree, props.tree, props.tree, props.rock, props.rock, props.animal, props.person))
        prop(r, f.at(r.uniform(-0.7, 0.7) * z, 0, z, r.uniform(0, 360)))
    return scene
