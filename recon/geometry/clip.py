"""Cut a triangle mesh along the zero line of a value given at its vertices."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray


def clip_mesh(
    vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"], value: Float32[ndarray, " n"]
) -> tuple[Float32[ndarray, "k 3"], Int32[ndarray, "l 3"]]:
    """The part of the mesh where `value`, linear on each triangle, is positive.

    Triangles across the line are cut at it, so that the new border is a smooth line instead of the old triangles'
    zigzag; two triangles that share a cut edge share the new vertex. Unused vertices stay.
    """
    inside = value > 0
    count = inside[faces].sum(axis=1)
    kept = [faces[count == 3]]
    crossing = _rolled(faces[(count == 1) | (count == 2)], inside)
    one = inside[crossing].sum(axis=1) == 1
    a, b, c = crossing.T  # a is the one vertex on its side of the line
    new_b, new_c, added = _cut_points(vertices, value, np.stack([a, b], axis=1), np.stack([a, c], axis=1))
    kept.append(np.stack([a, new_b, new_c], axis=1)[one])
    kept.append(np.stack([new_b, b, c], axis=1)[~one])
    kept.append(np.stack([new_b, c, new_c], axis=1)[~one])
    return np.concatenate([vertices, added]), np.concatenate(kept).astype(np.int32)


def _rolled(faces: Int32[ndarray, "m 3"], inside: ndarray) -> Int32[ndarray, "m 3"]:
    """Each face turned so that the vertex that is alone on its side comes first; the winding stays."""
    side = inside[faces]
    alone = np.argmax(side == (side.sum(axis=1) == 1)[:, None], axis=1)
    order = (alone[:, None] + np.arange(3)) % 3
    return np.take_along_axis(faces, order, axis=1)


def _cut_points(
    vertices: Float32[ndarray, "n 3"],
    value: Float32[ndarray, " n"],
    first: Int32[ndarray, "m 2"],
    second: Int32[ndarray, "m 2"],
) -> tuple[ndarray, ndarray, Float32[ndarray, "k 3"]]:
    """Index of the zero point on each edge of two lists, and the points themselves, one per distinct edge."""
    edges, index = np.unique(np.sort(np.concatenate([first, second]), axis=1), axis=0, return_inverse=True)
    low, high = value[edges[:, 0]], value[edges[:, 1]]
    share = (low / (low - high))[:, None]
    points = (vertices[edges[:, 0]] * (1 - share) + vertices[edges[:, 1]] * share).astype(np.float32)
    index = index.ravel() + len(vertices)
    return index[: len(first)], index[len(first) :], points
