"""Where things stand and where the camera is: all layouts with their shares, and the two that are nowhere.

Each layout takes a random source and gives a Scene.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from random import Random

from . import materials as m
from . import props
from .alone import alone
from .closeups import flowers, overhead, rack, still_life, thicket, workplace
from .indoors import enclose, room, tabletop
from .intersect import BOX, CYLINDER, ELLIPSOID
from .landmarks import monument, sideways
from .lights import NO_SKY, lamp, sky, sun
from .outdoors import nature, square, street
from .props import box
from .scene import Backdrop, Light, LocalFrame, Number, Primitive, Scene, Vec, Viewpoint, apply, compose, rotation
from .sculptures import sculpture

# Share of the single things that are sculptures.
SCULPTED = 0.65


def _any_unit(r: Random) -> float:
    """Metres per unit of length where nothing in the picture tells them: a thing of one unit may be a ring or a house."""
    return 10 ** r.uniform(-1.6, 0.6)


def _studio_camera(r: Random) -> Viewpoint:
    """Somebody looking at a thing of one metre at the origin, from its own height or above; mostly whole in the frame."""
    pitch, fov = r.choice((r.uniform(-8, 25), r.uniform(-2, 45))), r.uniform(22, 68)
    fill = r.uniform(0.55, 1.1)
    distance = 0.5 / (fill * math.tan(math.radians(fov / 2))) + 0.2
    nod, aim = math.radians(pitch), r.uniform(0.35, 0.55)
    where = (0.0, -(aim + distance * math.sin(nod)), -distance * math.cos(nod))
    return Viewpoint(where, r.gauss(0, 0.06 * fov), pitch + r.gauss(0, 0.05 * fov), r.gauss(0, 3), fov)


def _studio_lamp(r: Random) -> Light:
    """A lamp above at any side, often in front."""
    turn = math.radians(r.uniform(-180, 180))
    return lamp(r, (2.5 * math.sin(turn), -r.uniform(1.5, 3), 2.5 * math.cos(turn) - 1))


def single(r: Random) -> Scene:
    """One thing standing on something before a plain backdrop: studio, product photo, living-room floor."""
    scene = Scene(_studio_camera(r), _studio_lamp(r), NO_SKY)
    thing(r, LocalFrame(scene, subject=True))
    f = LocalFrame(scene)
    number, tone = m.pattern(r, "plain"), m.colour(r, r.random(), 0, (0, r.choice((0.03, 0.4))), (0.3, 1))
    paper = m.Material(number, 3.0, tone, tone, 0.0)
    wall = paper if r.random() < 0.6 else m.painted(r)
    ground = paper if r.random() < 0.5 else r.choice((m.floor, m.wood, m.cloth, m.foliage, m.asphalt))(r)
    box(f, 0, -0.5, 0, 60, 0.5, 60, ground)
    box(f, 0, -30, r.uniform(0.7, 6), 200, 60, 0.1, wall)
    scene.unit = _any_unit(r)
    return scene


def cutout(r: Random) -> Scene:
    """One thing cut out and pasted on one colour, on a gradient, or on another photo; nothing under it."""
    scene = Scene(_studio_camera(r), _studio_lamp(r), NO_SKY)
    thing(r, LocalFrame(scene, subject=True))
    kind = r.random()
    if kind < 0.25:
        a = r.choice(((1.0, 1.0, 1.0), (0.79, 0.79, 0.79), (0.79, 0.79, 0.79), (0.21, 0.21, 0.21), (0.0, 0.0, 0.0)))
    else:
        a = m.colour(r, r.random(), 0, (0, r.choice((0.1, 0.9))), (0.05, 1))
    b = a if kind < 0.5 else m.colour(r, r.random(), 0, (0, 0.7), (0.05, 1))
    scene.backdrop = Backdrop(a, b, r.uniform(0, 2 * math.pi), scene=kind > 0.65)
    scene.unit = _any_unit(r)
    return scene


def pasted(r: Random) -> Scene:
    """One thing cut out and pasted anywhere on another photo, large or small."""
    camera = _studio_camera(r)
    wide = min(100.0, camera.fov * r.uniform(0.9, 1.8))
    loose = 0.5 * (wide - camera.fov * 0.7)
    camera = replace(camera, fov=wide, yaw=r.uniform(-1, 1) * loose, pitch=camera.pitch + r.uniform(-0.6, 0.6) * loose)
    scene = Scene(camera, _studio_lamp(r), NO_SKY)
    thing(r, LocalFrame(scene, subject=True))
    a, b = (m.colour(r, r.random(), 0, (0, 0.7), (0.05, 1)) for _ in range(2))
    scene.backdrop = Backdrop(a, b, r.uniform(0, 2 * math.pi), scene=True)
    scene.unit = _any_unit(r)
    return scene


def staged(r: Random) -> Scene:
    """One thing close to the camera in a room, a street or a meadow: on the ground or on a plinth, nothing before it."""
    scene = r.choices((room, street, square, nature), (5, 2, 2, 2))[0](r)
    camera = scene.camera
    wide = 1.5 * math.tan(math.radians(camera.fov / 2)) * r.uniform(0.65, 1.1)
    raised = r.random() < 0.5
    size = r.uniform(0.25, 0.8) if raised else r.uniform(0.5, 1.4)
    distance = size / wide
    height = -float(camera.position[1])
    if not raised:
        aim = math.degrees(math.atan2(height - size / 2, distance))
        camera = scene.camera = replace(camera, pitch=min(60.0, aim) + r.gauss(0, 3))
    ahead = apply(rotation(camera.yaw, 0), (r.gauss(0, 0.06) * distance, 0, distance))
    drop = distance * math.tan(math.radians(camera.pitch))
    up = max(0.0, height - drop - size / 2) if raised else 0.0
    x, z = camera.position[0] + ahead[0], camera.position[2] + ahead[2]
    target = (x, -up - size / 2, z)
    scene.primitives = [p for p in scene.primitives if not _in_the_way(p, camera.position, target, size)]
    if up > 0.02:
        wide, paint = size * r.uniform(0.9, 3), r.choice((m.wood, m.lacquer, m.cloth))(r)
        box(LocalFrame(scene).at(x, 0, z, r.uniform(0, 360)), 0, 0, 0, wide, up, wide, paint)
    # Whoever is there goes: the photo is of the thing, and the thing may be a sculpture.
    scene.sculpture = None
    thing(r, LocalFrame(scene, subject=True).at(x, up, z, 0, size))
    return scene


def _in_the_way(p: Primitive, eye: Vec, target: Vec, size: Number) -> bool:
    """Whether a primitive touches the tube of sight from the eye to the target; floors and walls do not count."""
    radius = math.hypot(*p.half)
    if p.encloses or radius > 3:
        return False
    sight = [t - e for t, e in zip(target, eye, strict=True)]
    length = math.hypot(*sight)
    along = sum((c - e) * s for c, e, s in zip(p.centre, eye, sight, strict=True)) / length
    beside = [c - e - along * s / length for c, e, s in zip(p.centre, eye, sight, strict=True)]
    return -radius < along < length + size / 2 and math.hypot(*beside) < radius + 0.55 * size


def thing(r: Random, f: LocalFrame) -> None:
    """Any one thing of about a metre at a frame: a sculpture or a prop."""
    if r.random() > SCULPTED or f.scene.sculpture is not None:
        fit(r, r.choice(props.EVERYTHING), f)
        return
    piece = sculpture(r)
    low, high = piece.box()
    reach = max(2 * max(abs(low[i]), abs(high[i])) if i != 1 else -low[1] for i in range(3))
    turn = compose(f.turn, rotation(r.uniform(0, 360)))
    f.scene.sculpture = replace(piece, origin=f.origin, turn=turn, scale=f.scale / max(reach, 0.1))


def fit(r: Random, prop: props.Prop, f: LocalFrame) -> None:
    """Build a prop scaled so that its largest extent is about one metre, standing at the frame's origin."""
    probe = Scene(f.scene.camera, f.scene.light, f.scene.sky)
    state, yaw = r.getstate(), r.uniform(0, 360)
    prop(r, LocalFrame(probe).at(0, 0, 0, yaw))
    reach = [max(abs(p.centre[i]) + max(p.half) for p in probe.primitives) for i in range(3)]
    r.setstate(state)
    yaw = r.uniform(0, 360)
    prop(r, f.at(0, 0, 0, yaw, 1 / max(2 * reach[0], reach[1], 2 * reach[2], 0.02)))


def disorder(r: Random) -> Scene:
    """Primitives and props in any place and pose, in a box, on a ground or before a tilted plane: against habits."""
    camera = Viewpoint((0, -r.uniform(0.8, 2), 0), 0, r.gauss(5, 15), r.gauss(0, 8), r.uniform(40, 90))
    inside = r.random() < 0.5
    light = lamp(r, (r.uniform(-2, 2), -2.5, r.uniform(0, 3))) if inside else sun(r)
    scene = Scene(camera, light, NO_SKY if inside else sky(r))
    f = LocalFrame(scene)
    if inside:
        enclose(f, 0, 0, r.uniform(3, 9), r.uniform(2.4, 5), r.uniform(5, 16), m.anything(r))
    else:
        box(f, 0, -1, 0, 800, 1, 800, m.anything(r, 2))
    if r.random() < 0.25:
        f.add(
            BOX,
            (0, r.uniform(-1, 1), r.uniform(2, 6)),
            (12, 0.1, 9),
            m.anything(r),
            rotation(r.uniform(-60, 60), r.uniform(-80, 80)),
        )
    for _ in range(r.randrange(3, 14)):
        z = 1.0 * 9 ** r.random()
        size = tuple(z * 10 ** r.uniform(-1.3, -0.2) for _ in range(3))
        turn = rotation(r.uniform(0, 360), r.choice((0, 0, r.uniform(-90, 90))), r.choice((0, r.uniform(-90, 90))))
        where = (r.uniform(-0.6, 0.6) * z, r.choice((0, 0, 1)) * r.uniform(0, 2), z)
        f.add(r.choice((BOX, BOX, ELLIPSOID, CYLINDER)), where, size, m.anything(r), turn, r.uniform(-0.7, 0.7))  # type: ignore[arg-type]
    for _ in range(r.randrange(0, 4)):
        z = 1.2 * 6 ** r.random()
        fit(r, r.choice(props.EVERYTHING), f.at(r.uniform(-0.5, 0.5) * z, 0, z, 0, r.uniform(0.3, 0.9)))
    scene.unit = _any_unit(r)
    return scene


Layout = Callable[[Random], Scene]
OLD: tuple[Layout, ...] = (room, tabletop, street, square, nature, disorder, single, staged, cutout, pasted, alone)
NEW: tuple[Layout, ...] = (still_life, overhead, rack, flowers, workplace, sideways, monument, thicket)
LAYOUTS = OLD + NEW
# Shares of the layouts, in their order: what training begins with, goes on with (more subjects), and ends with; the same
# with close scenes and other views; and what the network of objects is trained on.
NONE = (0.0,) * len(NEW)
# Mixes whose labels tell the colour of the far side as well.
UNSEEN = ("alone",)
MIXES: dict[str, tuple[float, ...]] = {
    "scenes": (0.27, 0.14, 0.14, 0.06, 0.06, 0.05, 0.08, 0.08, 0.12, 0.0, 0.0, *NONE),
    "subjects": (0.20, 0.10, 0.10, 0.04, 0.04, 0.03, 0.09, 0.14, 0.10, 0.16, 0.0, *NONE),
    "alone": (*(0.0,) * 10, 1.0, *NONE),
    "both": (0.24, 0.11, 0.10, 0.03, 0.03, 0.03, 0.06, 0.09, 0.09, 0.22, 0.0, *NONE),
    "wide": (
        0.19,
        0.07,
        0.06,
        0.03,
        0.03,
        0.02,
        0.05,
        0.08,
        0.08,
        0.14,
        0.0,
        0.07,
        0.05,
        0.03,
        0.02,
        0.03,
        0.06,
        0.02,
        0.02,
    ),
}
