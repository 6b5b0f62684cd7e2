"""What a scene is made of: primitives with materials, a camera, a light, a sky.

World frame: x right, y down, z forward, metres; the floor is y = 0, so heights are negative y. Builders speak of
heights above the floor ("up") and this module turns them into y. Angles in degrees. Colours are linear RGB in [0, 1].
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .implicit_solids import Sculpture

# Whole numbers are numbers, too: lengths and angles are often written as 0 or 90.
Number = float | int
Vec = tuple[Number, Number, Number]
Mat = tuple[Vec, Vec, Vec]

IDENTITY: Mat = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))


def rotation(yaw: Number = 0.0, pitch: Number = 0.0, roll: Number = 0.0) -> Mat:
    """Local to world: turn by yaw to the right, pitch down, roll clockwise (degrees), as a photographer does."""
    a, b, c = math.radians(yaw), math.radians(pitch), math.radians(roll)
    turn: Mat = ((math.cos(a), 0.0, math.sin(a)), (0.0, 1.0, 0.0), (-math.sin(a), 0.0, math.cos(a)))
    nod: Mat = ((1.0, 0.0, 0.0), (0.0, math.cos(b), math.sin(b)), (0.0, -math.sin(b), math.cos(b)))
    tilt: Mat = ((math.cos(c), -math.sin(c), 0.0), (math.sin(c), math.cos(c), 0.0), (0.0, 0.0, 1.0))
    return compose(compose(turn, nod), tilt)


def compose(a: Mat, b: Mat) -> Mat:
    """Matrix product a @ b."""
    columns = tuple(zip(*b, strict=True))
    rows = [tuple(r[0] * c[0] + r[1] * c[1] + r[2] * c[2] for c in columns) for r in a]
    return tuple(rows)  # type: ignore[return-value]


def apply(a: Mat, v: Vec) -> Vec:
    """Matrix times vector."""
    return tuple(r[0] * v[0] + r[1] * v[1] + r[2] * v[2] for r in a)  # type: ignore[return-value]


@dataclass(frozen=True)
class Material:
    """Pattern number, metres per repeat, the two colours it mixes, darkness of its joints, gloss, own light; clear: the
    part of the light behind it that comes through (glass); weave: contrast of a fine grid that makes moiré."""

    pattern: int
    repeat: Number
    a: Vec
    b: Vec
    joints: Number = 0.1
    gloss: Number = 0.0
    glow: Number = 0.0
    clear: Number = 0.0
    weave: Number = 0.0


@dataclass(frozen=True)
class Primitive:
    """kind (see intersect), centre and half sizes in metres, local-to-world rotation, taper of a cylinder along +y;
    whether it holds the camera (a room) and whether it is part of what the photo is of."""

    kind: int
    centre: Vec
    half: Vec
    turn: Mat
    material: Material
    taper: Number = 0.0
    encloses: bool = False
    subject: bool = False


@dataclass(frozen=True)
class Viewpoint:
    """Position (world), yaw, pitch down and roll in degrees, horizontal field of view of the long side in degrees."""

    position: Vec
    yaw: Number
    pitch: Number
    roll: Number
    fov: Number


@dataclass(frozen=True)
class Light:
    """A lamp at a point (world; far away for the sun), its size, strength, colour, and the ambient light's strength."""

    position: Vec
    size: Number
    strength: Number
    colour: Vec
    ambient: Number
    ambient_colour: Vec


@dataclass(frozen=True)
class Sky:
    """Zenith and horizon colours, amount of cloud, fog colour and its density per metre."""

    zenith: Vec
    horizon: Vec
    cloud: Number
    fog_colour: Vec
    fog: Number


@dataclass(frozen=True)
class Backdrop:
    """What a cut-out subject is pasted on: two colours that run into each other at an angle (radians), or, where
    `scene` is true and there is one, another photo; metered: the two colours are told for a subject of middle grey and
    scaled to the subject as it is, so that the camera exposes for it."""

    a: Vec
    b: Vec
    angle: Number
    scene: bool = False
    metered: bool = False


@dataclass
class Scene:
    """A scene under construction; layouts append primitives and set the rest. A sculpture says itself whether it is part of
    what the photo is of. A backdrop makes the scene a cut-out: what is not hit shows the backdrop instead of the sky. unit:
    how many metres a unit of length stands for, 1 wherever things have their true sizes."""

    camera: Viewpoint
    light: Light
    sky: Sky
    primitives: list[Primitive] = field(default_factory=list)
    sculpture: Sculpture | None = None
    backdrop: Backdrop | None = None
    unit: Number = 1.0


@dataclass(frozen=True)
class LocalFrame:
    """A place to build at: origin and rotation in the world and a scale; its y = 0 is where things stand. What is built
    at a subject's frame is part of what the photo is of."""

    scene: Scene
    origin: Vec = (0.0, 0.0, 0.0)
    turn: Mat = IDENTITY
    scale: Number = 1.0
    subject: bool = False

    def at(
        self, x: Number, up: Number, z: Number, yaw: Number = 0.0, scale: Number = 1.0, tip: Number = 0.0
    ) -> LocalFrame:
        """A frame inside this one, moved, turned about the vertical, tipped over (degrees) and scaled."""
        turn = compose(self.turn, rotation(yaw, tip)) if yaw or tip else self.turn
        return LocalFrame(self.scene, self._point(x, up, z), turn, self.scale * scale, self.subject)

    def add(
        self,
        kind: int,
        where: Vec,
        size: Vec,
        material: Material,
        turn: Mat = IDENTITY,
        taper: Number = 0.0,
        encloses: bool = False,
    ) -> None:
        """A primitive whose bottom centre is at where = (x, up, z), with full sizes (width, height, depth)."""
        half = tuple(max(abs(s) * self.scale / 2, 1e-3) for s in size)
        centre = self._point(where[0], where[1] + size[1] / 2, where[2])
        whole = compose(self.turn, turn) if turn is not IDENTITY else self.turn
        self.scene.primitives.append(
            Primitive(kind, centre, half, whole, material, taper, encloses, self.subject)  # type: ignore[arg-type]
        )

    def _point(self, x: Number, up: Number, z: Number) -> Vec:
        s = self.scale
        p = apply(self.turn, (x * s, -up * s, z * s))
        return (p[0] + self.origin[0], p[1] + self.origin[1], p[2] + self.origin[2])
