"""A hand for building sculptures: balls, blocks, rounded cylinders, limbs and rings, by centres (x, up, z) and full sizes.

`up` is the height above the ground; sizes are full widths, heights and depths; any unit, as `finish` scales to metres.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

from .implicit_solids import ADD, ROUNDED_CYLINDER, SUPERQUADRIC, TORUS, Part, Sculpture
from .scene import IDENTITY, Mat, Material, Number, Vec, apply, compose


def rotation_along(direction: Vec) -> Mat:
    """A rotation (local to sculpture) whose y axis is the direction (sculpture's frame, y down)."""
    length = math.hypot(*direction) or 1.0
    y = tuple(v / length for v in direction)
    other = (0.0, 0.0, 1.0) if abs(y[2]) < 0.9 else (1.0, 0.0, 0.0)
    x = (y[1] * other[2] - y[2] * other[1], y[2] * other[0] - y[0] * other[2], y[0] * other[1] - y[1] * other[0])
    size = math.hypot(*x)
    x = (x[0] / size, x[1] / size, x[2] / size)
    z = (x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0])
    return ((x[0], y[0], z[0]), (x[1], y[1], z[1]), (x[2], y[2], z[2]))


def _edge_radius(share: Number, size: Vec) -> Number:
    return max(share, 0.02) * min(size) / 2


# A part's axis along the world's x or z.
SIDEWAYS, FORWARD = rotation_along((1, 0, 0)), rotation_along((0, 0, 1))


class Bending(TypedDict, total=False):
    """taper > 0: wider at the bottom; bend: how far the ends go towards +x, in half heights."""

    taper: Number
    bend: Number


@dataclass
class SolidBuilder:
    """Parts under construction. Every part is told its middle, full sizes, material (else the builder's), rotation, and
    whether it is added or cut out."""

    material: Material
    parts: list[Part] = field(default_factory=list)

    def _add(
        self, kind: int, at: Vec, size: Vec, material: Material | None, turn: Mat, op: int, **more: object
    ) -> None:
        half = tuple(max(abs(s) / 2, 1e-3) for s in size)
        centre = (at[0], -at[1], at[2])
        self.parts.append(Part(kind, centre, half, turn, material or self.material, op, **more))  # type: ignore[arg-type]

    def ball(
        self, at: Vec, size: Vec, material: Material | None = None, turn: Mat = IDENTITY, op: int = ADD,
        exponents: tuple[Number, Number] = (2, 2), **bending: Unpack[Bending],
    ) -> None:  # fmt: skip
        """An ellipsoid, or another superquadric by its exponents."""
        self._add(SUPERQUADRIC, at, size, material, turn, op, exponents=exponents, **bending)

    def block(
        self, at: Vec, size: Vec, material: Material | None = None, turn: Mat = IDENTITY, op: int = ADD,
        round: Number = 0.15, **bending: Unpack[Bending],
    ) -> None:  # fmt: skip
        """A box whose edges are round by a share of its least half size."""
        self._add(SUPERQUADRIC, at, size, material, turn, op, rounding=_edge_radius(round, size), **bending)

    def rounded_cylinder(
        self, at: Vec, size: Vec, material: Material | None = None, turn: Mat = IDENTITY, op: int = ADD,
        round: Number = 0.15, **bending: Unpack[Bending],
    ) -> None:  # fmt: skip
        """A cylinder about its y axis with round edges."""
        self._add(ROUNDED_CYLINDER, at, size, material, turn, op, rounding=_edge_radius(round, size), **bending)

    def ring(
        self, at: Vec, size: Vec, tube: Number, material: Material | None = None, turn: Mat = IDENTITY, op: int = ADD
    ) -> None:
        """A torus about its y axis; size is the outside, size[1] the tube's height, tube its width."""
        self._add(TORUS, at, size, material, turn, op, rounding=tube / 2)

    def limb(
        self,
        a: Vec,
        b: Vec,
        thick: Number,
        material: Material | None = None,
        op: int = ADD,
        taper: Number = 0.0,
        flat: Number = 1.0,
        bend: Number = 0.0,
    ) -> None:
        """A capsule from a to b (both (x, up, z)); taper > 0: thicker at b; flat: its depth over its thickness."""
        axis = (b[0] - a[0], a[1] - b[1], b[2] - a[2])
        middle = tuple((p + q) / 2 for p, q in zip(a, b, strict=True))
        size = (thick, math.hypot(*axis) + thick, thick * flat)
        r = min(thick, thick * flat) / 2
        turn = rotation_along(axis)
        self._add(SUPERQUADRIC, middle, size, material, turn, op, rounding=r, taper=taper, bend=bend)  # type: ignore[arg-type]

    def again(self, part: Part, turn: Mat) -> None:
        """A part of another sculpture, turned about the origin with its sculpture."""
        self.parts.append(replace(part, centre=apply(turn, part.centre), turn=compose(turn, part.turn)))

    def finish(self, blend: Number = 0.0, length: Number = 1.0) -> Sculpture:
        """The sculpture, scaled so that its longest side has that length, standing on y = 0, its middle above 0."""
        low, high = Sculpture(tuple(self.parts), blend).box()
        k = length / max(h - a for a, h in zip(low, high, strict=True))
        shift = (-(low[0] + high[0]) / 2, -high[1], -(low[2] + high[2]) / 2)
        parts = tuple(
            replace(
                p,
                centre=tuple((c + d) * k for c, d in zip(p.centre, shift, strict=True)),  # type: ignore[arg-type]
                half=tuple(h * k for h in p.half),  # type: ignore[arg-type]
                rounding=p.rounding * k,
            )
            for p in self.parts
        )
        return Sculpture(parts, blend * k)


def polar(degrees: Number, radius: Number) -> tuple[float, float]:
    """x and z at an angle about the vertical."""
    return radius * math.cos(math.radians(degrees)), radius * math.sin(math.radians(degrees))
