"""A solid that has a mirror plane, told by its photo twice: as it is seen, and as its mirror image is.

Both are fused as range images are (Curless and Levoy 1996, "A Volumetric Method for Building Complex Models from Range
Images", equations 1 and 2): the weighted mean of their signed distances is symmetric about the plane, what either sees as
empty is carved away, and where one guesses a back and the other sees a front, the front counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from recon.geometry.mirror import Plane, reflected
from recon.geometry.view_solid import ViewSolid

STEPS = 96
"""Along each ray, from a fifth of the size in front of the solid to a third behind it; between them it is linear."""
TRUNCATED = 0.1
"""The longest distance that counts, over the solid's size."""


class Fused(NamedTuple):
    """Front and back over the lattice; agrees: where the mirror image has the same front, within TRUNCATED; elsewhere both
    are as they were."""

    front: Float32[ndarray, "h w"]
    back: Float32[ndarray, "h w"]
    agrees: Bool[ndarray, "h w"]


def fused(solid: ViewSolid, plane: Plane) -> Fused:
    """The solid and its mirror image made one, along the view's rays."""
    most, where = TRUNCATED * solid.size, np.nonzero(solid.inside)
    was_front, was_back = solid.front[where], solid.back[where]
    depths = np.linspace(was_front.min() - 0.2 * solid.size, was_back.max() + 0.3 * solid.size, STEPS, dtype=np.float32)
    depths = np.maximum(depths, np.float32(1e-3))
    points = (solid.seen[where] / was_front[:, None])[:, None] * depths[:, None]
    own, sure = solid.signed(points, most)
    other, other_sure = solid.signed(reflected(points, plane), most)
    field = (sure * own + other_sure * other) / (sure + other_sure)
    front, back = _first_and_last(field, depths)
    agrees = np.abs(front - was_front) < most
    out = [solid.front.copy(), solid.back.copy(), np.zeros_like(solid.inside)]
    out[0][where] = np.where(agrees, front, was_front)
    out[1][where] = np.where(agrees, np.maximum(front, back), was_back)
    out[2][where] = agrees
    return Fused(*out)


def _first_and_last(
    field: Float32[ndarray, "n k"], depths: Float32[ndarray, " k"]
) -> tuple[Float32[ndarray, " n"], Float32[ndarray, " n"]]:
    """Depth where each ray's field first becomes positive and where it last is; NaN where it never is."""
    inside, last_step = field > 0, len(depths) - 1
    first, last = inside.argmax(axis=1), last_step - inside[:, ::-1].argmax(axis=1)
    rows = np.arange(len(field))

    def crossing(outer: ndarray, inner: ndarray) -> Float32[ndarray, " n"]:
        a, b = field[rows, outer], field[rows, inner]
        share = np.where(a < b, -a / np.where(a < b, b - a, 1), 1).clip(0, 1)
        return depths[outer] + share * (depths[inner] - depths[outer])

    front = crossing(np.maximum(first - 1, 0), first)
    back = crossing(np.minimum(last + 1, last_step), last)
    never = ~inside.any(axis=1)
    return tuple(np.where(never, np.float32(np.nan), each).astype(np.float32) for each in (front, back))  # type: ignore[return-value]
