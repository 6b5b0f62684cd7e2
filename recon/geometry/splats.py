"""Gaussian splats of surfaces: one flat disc for each piece of a surface, so wide that together they leave no gap.

Discs of standard deviation k·w on a square grid of pitch w let 1.9 % of what is behind them through at most, at k = OVERLAP
(5.3 % at 0.6, 1.4 % at 0.7). The uniform square itself has the standard deviation w/√12: a piece of any other shape gets
its own covariance, widened as much.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.geometry.normals import unit
from recon.types import Splats

OVERLAP = 0.68
"""Standard deviation of a disc in widths of its sample."""
THICKNESS = 0.099
"""Of a disc along its normal, in parts of its smaller radius: e^(−37/16), 37 of SPZ's steps, packs well."""
STEEPEST = 12.0
"""How much longer than wide a disc may be: a surface that the camera sees at a more grazing angle (5°) is a rim, whose
normal nobody knows, and gets discs that face the camera."""
UNCUT_STEEPEST = 60.0
"""The same for a sheet without cuts, which has no rims: what is steep in it goes on, and must not open."""
OPAQUE = 0.98
"""Opacity of what is opaque: 1 has no logit."""
LEAST_SCALE = 1e-7
"""Readers take a scale of 0 for something else."""


def seen_discs(
    points: Float32[ndarray, "n 3"],
    normals: Float32[ndarray, "n 3"],
    width: Float32[ndarray, " n"],
    colors: UInt8[ndarray, "n 3"],
    alpha: Float32[ndarray, " n"] | None = None,
    steepest: Float32[ndarray, " n"] | float = STEEPEST,
) -> Splats:
    """A disc for each sample of what a camera at the origin sees.

    normals: unit vectors, zero where unknown; width: of a sample across the line of sight, in the unit of lengths; alpha:
    0 to 1; steepest: 1/cos from which one is a rim, cos that of the angle between normal and line of sight. Across the tilt
    a disc is OVERLAP·width, along it OVERLAP·width/cos: no step from a sample to the next is longer.
    """
    sight = unit(points)
    cos = -np.einsum("ni,ni->n", normals, sight)
    steep = np.abs(cos) * steepest < 1
    normal = np.where(steep[:, None], -sight, normals * np.sign(cos)[:, None])
    longer = np.where(steep, 1, 1 / np.maximum(np.abs(cos), 1e-6)).astype(np.float32)
    along = _tangent(sight, normal)
    across = np.cross(normal, along)
    radius = np.float32(OVERLAP) * width
    scales = np.stack([radius * longer, radius, THICKNESS * radius], axis=1)
    return flat_splats(points, np.stack([along, across, normal], axis=2), scales, colors, alpha)


def triangle_discs(
    triangles: Float32[ndarray, "n 3 3"], colors: UInt8[ndarray, "n 3"], alpha: Float32[ndarray, " n"] | None = None
) -> Splats:
    """A disc for each triangle (corner, coordinate), with the triangle's own covariance Σᵢ(vᵢ − c)(vᵢ − c)ᵀ/12, widened.
    Triangles must have an area."""
    centre = triangles.mean(axis=1)
    first = unit(triangles[:, 1] - triangles[:, 0])
    normal = unit(np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]))
    second = np.cross(normal, first)
    arm = triangles - centre[:, None]
    x, y = np.einsum("nci,ni->nc", arm, first), np.einsum("nci,ni->nc", arm, second)
    xx, xy, yy = ((a * b).sum(axis=1) / 12 for a, b in ((x, x), (x, y), (y, y)))
    turn = np.arctan2(2 * xy, xx - yy)[:, None] / 2
    half = np.hypot((xx - yy) / 2, xy)
    long, short = ((np.sqrt(np.maximum((xx + yy) / 2 + s * half, 0))) for s in (1, -1))
    widened = np.float32(OVERLAP * 12**0.5)
    scales = widened * np.stack([long, short, THICKNESS * short], axis=1)
    along = np.cos(turn) * first + np.sin(turn) * second
    return flat_splats(centre, np.stack([along, np.cross(normal, along), normal], axis=2), scales, colors, alpha)


def flat_splats(
    centres: Float32[ndarray, "n 3"],
    axes: Float32[ndarray, "n 3 3"],
    scales: Float32[ndarray, "n 3"],
    colors: UInt8[ndarray, "n 3"],
    alpha: Float32[ndarray, " n"] | None,
) -> Splats:
    """Splats from their axes, the columns of rotation matrices."""
    opacity = np.full(len(centres), OPAQUE, np.float32) if alpha is None else np.float32(OPAQUE) * alpha
    floored = np.maximum(scales, np.float32(LEAST_SCALE)).astype(np.float32)
    return Splats(np.ascontiguousarray(centres), floored, quaternions(axes), opacity, np.ascontiguousarray(colors))


def quaternions(rotations: Float32[ndarray, "n 3 3"]) -> Float32[ndarray, "n 4"]:
    """Unit quaternions, w x y z, of rotation matrices; the largest part is positive.

    4·q·qᵀ is linear in the matrix (Shepperd 1978): its row with the largest diagonal is the best conditioned one.
    """
    m = rotations
    xx, yy, zz = m[:, 0, 0], m[:, 1, 1], m[:, 2, 2]
    wx, wy, wz = m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]
    xy, xz, yz = m[:, 0, 1] + m[:, 1, 0], m[:, 0, 2] + m[:, 2, 0], m[:, 1, 2] + m[:, 2, 1]
    squares = np.stack([1 + xx + yy + zz, 1 + xx - yy - zz, 1 - xx + yy - zz, 1 - xx - yy + zz], axis=1)
    rows = ((squares[:, 0], wx, wy, wz), (wx, squares[:, 1], xy, xz), (wy, xy, squares[:, 2], yz),
            (wz, xz, yz, squares[:, 3]))  # fmt: skip
    best = squares.argmax(axis=1)
    chosen = np.stack([np.choose(best, [row[part] for row in rows]) for part in range(4)], axis=1)
    return unit(chosen.astype(np.float32, copy=False))


def _tangent(direction: Float32[ndarray, "n 3"], normal: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 3"]:
    """The unit vector in the plane of each normal that is nearest to a direction; any in the plane where that is normal."""
    flat = direction - np.einsum("ni,ni->n", direction, normal)[:, None] * normal
    upright = np.einsum("ni,ni->n", flat, flat) < 1e-6
    least = np.eye(3, dtype=np.float32)[np.abs(normal[upright]).argmin(axis=1)]
    flat[upright] = np.cross(normal[upright], least)
    return unit(flat)
