"""A thing under construction, and how it is put into a scene.

Units are free and points are (x, up, z), the front towards -z: `placed` scales a thing to one metre. Sharp parts are
closed-form primitives, which are cheap and exact however thin; what is round-edged, blended, cut out or a ring goes into
the one sculpture that a picture may have. Both together are the thing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np

from . import materials as m
from .implicit_solids import CUT, SUPERQUADRIC, Part, Sculpture
from .intersect import BOX, CYLINDER, ELLIPSOID
from .lights import NO_SKY
from .scene import Light, LocalFrame, Mat, Material, Number, Primitive, Scene, Vec, Viewpoint, apply, compose, rotation
from .shapes import Prop
from .solid_builder import SolidBuilder

_NOWHERE = Viewpoint((0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 40.0)
_DARK = Light((0.0, 0.0, 0.0), 0.0, 0.0, (0.0, 0.0, 0.0), 0.0, (0.0, 0.0, 0.0))
_GREY = Material(0, 1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


def _empty_frame() -> LocalFrame:
    return LocalFrame(Scene(_NOWHERE, _DARK, NO_SKY), subject=True)


@dataclass
class Kit:
    """frame: where closed-form parts are added; solid: the sculpture's parts; blend: radius of the blend between those."""

    frame: LocalFrame = field(default_factory=_empty_frame)
    solid: SolidBuilder = field(default_factory=lambda: SolidBuilder(_GREY))
    blend: Number = 0.01

    @property
    def primitives(self) -> list[Primitive]:
        """The closed-form parts so far."""
        return self.frame.scene.primitives

    def rod(self, a: Vec, b: Vec, thick: Number, material: Material, taper: Number = 0.0, flat: Number = 1.0) -> None:
        """A straight round bar from a to b; taper > 0: thicker at b; flat: depth over thickness."""
        _between(self.frame, CYLINDER, a, b, (thick, thick * flat), material, taper)

    def bar(self, a: Vec, b: Vec, wide: Number, deep: Number, material: Material) -> None:
        """A straight square bar or board from a to b: wide horizontally across its axis, deep across both."""
        _between(self.frame, BOX, a, b, (wide, deep), material)

    def blade(self, a: Vec, b: Vec, wide: Number, thick: Number, material: Material) -> None:
        """A fin, feather or leaf from a to b: wide horizontally across its axis."""
        _between(self.frame, ELLIPSOID, a, b, (wide, thick), material)

    def path(self, points: list[Vec], thick: Number, material: Material) -> None:
        """Round bars from point to point."""
        for a, b in itertools.pairwise(points):
            self.rod(a, b, thick, material)


def _between(
    f: LocalFrame, kind: int, a: Vec, b: Vec, section: tuple[Number, Number], material: Material, taper: Number = 0.0
) -> None:
    axis = (b[0] - a[0], a[1] - b[1], b[2] - a[2])
    length = math.hypot(*axis)
    x, up, z = ((p + q) / 2 for p, q in zip(a, b, strict=True))
    f.add(kind, (x, up - length / 2, z), (section[0], length, section[1]), material, _level_along(axis), taper)


def _level_along(direction: Vec) -> Mat:
    """A rotation whose y axis is the direction (y down) and whose x axis is horizontal."""
    flat = math.hypot(direction[0], direction[2])
    if flat < 1e-6 * abs(direction[1]):
        return rotation(0, 180) if direction[1] < 0 else rotation()
    length = math.hypot(flat, direction[1])
    x, y = (direction[2] / flat, 0.0, -direction[0] / flat), tuple(v / length for v in direction)
    z = (x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0])
    return ((x[0], y[0], z[0]), (x[1], y[1], z[1]), (x[2], y[2], z[2]))


Family = Callable[[Random, Kit], None]


def sculpted(make: Callable[[Random], Sculpture]) -> Family:
    """A family that gives a whole sculpture."""

    def build(r: Random, kit: Kit) -> None:
        made = make(r)
        kit.solid.parts += made.parts
        kit.blend = made.blend

    build.__name__ = make.__name__
    return build


def propped(prop: Prop) -> Family:
    """A family made of closed-form parts alone."""

    def build(r: Random, kit: Kit) -> None:
        prop(r, kit.frame)

    build.__name__ = prop.__name__
    return build


def extent(kit: Kit) -> tuple[Vec, Vec]:
    """Least and greatest coordinates (x, y down, z) of a thing; cuts do not count."""
    low, high = [math.inf] * 3, [-math.inf] * 3
    boxes = [
        (p.centre, [sum(abs(p.turn[i][j]) * p.half[j] for j in range(3)) for i in range(3)]) for p in kit.primitives
    ]
    axes: tuple[Vec, ...] = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    boxes += [(p.centre, [p.reach(axis) for axis in axes]) for p in kit.solid.parts if p.op != CUT]
    for centre, reach in boxes:
        for i in range(3):
            low[i], high[i] = min(low[i], centre[i] - reach[i]), max(high[i], centre[i] + reach[i])
    return (low[0], low[1], low[2]), (high[0], high[1], high[2])


def placed(kit: Kit, frame: LocalFrame, turn: Mat, size: Number | None = None) -> None:
    """Put a thing into a scene, at a frame and turned: its middle above the frame's origin, standing on its floor; size:
    metres to its unit (default: such that its longest side is one metre). At a subject's frame it is part of the subject;
    a sculpture takes the place of the scene's."""
    low, high = extent(kit)
    longest = max(h - a for a, h in zip(low, high, strict=True))
    scale = frame.scale * (1 / longest if size is None else size)
    foot, turn = ((low[0] + high[0]) / 2, high[1], (low[2] + high[2]) / 2), compose(frame.turn, turn)
    moved = apply(turn, tuple(-scale * v for v in foot))  # type: ignore[arg-type]
    shift: Vec = tuple(a + b for a, b in zip(frame.origin, moved, strict=True))  # type: ignore[assignment]
    for p in kit.primitives:
        x, y, z = apply(turn, tuple(scale * c for c in p.centre))  # type: ignore[arg-type]
        centre = (x + shift[0], y + shift[1], z + shift[2])
        half = tuple(scale * h for h in p.half)
        whole = compose(turn, p.turn)
        frame.scene.primitives.append(replace(p, centre=centre, half=half, turn=whole, subject=frame.subject))  # type: ignore[arg-type]
    if kit.solid.parts:
        frame.scene.sculpture = Sculpture(tuple(kit.solid.parts), kit.blend, shift, turn, scale, frame.subject)


def _grid(steps: int) -> np.ndarray:
    """Directions (n, 3) through the surface points of a grid on the cube [-1, 1]^3."""
    line = np.linspace(-1, 1, steps)
    points = np.stack(np.meshgrid(line, line, line), -1).reshape(-1, 3)
    return points[np.abs(points).max(1) == 1]


_CORNERS, _AROUND = _grid(2), _grid(5)


def _primitive_points(p: Primitive) -> np.ndarray:
    """Points (n, 3, world) whose hull is a primitive, nearly."""
    points = _CORNERS if p.kind == BOX else _AROUND / np.linalg.norm(_AROUND, axis=1, keepdims=True)
    if p.kind == CYLINDER:
        angle = np.arange(16) * math.pi / 8
        points = np.array(
            [(w * math.cos(a), y, w * math.sin(a)) for a in angle for y in (-1, 1) for w in (1 + p.taper * y,)]
        )
    return np.array(p.centre, float) + (points * np.array(p.half, float)) @ np.array(p.turn, float).T


def _part_points(part: Part) -> np.ndarray:
    """Points (n, 3, sculpture's frame) whose hull is a part, nearly."""
    p, q = part.exponents if part.kind == SUPERQUADRIC and not part.rounding else (2, 2)
    size = np.abs(_AROUND)
    norm = ((size[:, 0] ** p + size[:, 2] ** p) ** (q / p) + size[:, 1] ** q) ** (1 / q)
    unit = _AROUND / norm[:, None]
    points = unit * np.array(part.kernel()) + np.sign(unit) * np.array(part.core())
    across = unit[:, [0, 2]] / np.linalg.norm(unit[:, [0, 2]], axis=1, keepdims=True).clip(1e-9)
    points[:, [0, 2]] += part.ring() * across
    along = points[:, 1] / float(part.half[1])
    points[:, [0, 2]] *= (1 + part.taper * along)[:, None]
    points[:, 0] += part.bend * part.half[1] * along**2
    return np.array(part.centre, float) + points @ np.array(part.turn, float).T


def outline(scene: Scene) -> np.ndarray:
    """Points (n, 3, world) whose hull is that of a scene's subject, nearly; cuts do not count."""
    points = [_primitive_points(p) for p in scene.primitives if p.subject]
    s = scene.sculpture
    if s is not None:
        own = np.concatenate([_part_points(p) for p in s.parts if p.op != CUT])
        points.append(np.array(s.origin, float) + s.scale * own @ np.array(s.turn, float).T)
    return np.concatenate(points)


def shell(material: Material, shade: Number = 0.85) -> Material:
    """The inside of a hollow thing: the same stuff, a little darker, as less light falls there."""
    return replace(material, a=m.toned(material.a, shade), b=m.toned(material.b, shade))


def tipped(r: Random, share: Number) -> Mat:
    """A turn about the vertical, in a share of the cases lying on a side."""
    if r.random() < share:
        return compose(rotation(r.uniform(0, 360)), rotation(0, r.choice((-90, 90)), r.uniform(0, 360)))
    return rotation(r.uniform(0, 360))
