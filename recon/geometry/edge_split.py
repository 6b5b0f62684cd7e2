"""Closed meshes with stretched triangles cut smaller, without a hole and without a new shape.

Longest-edge bisection (Rivara 1984, "Algorithms for refining triangular grids"): an edge that is the longest one of both
faces beside it is halved, and they with it; angles stay bounded from below.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64
from numpy import ndarray


def split_long_edges(
    vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"], longest: float, rounds: int = 24
) -> tuple[Float32[ndarray, "k 3"], Int32[ndarray, "l 3"]]:
    """A closed mesh whose edges are at most `longest` long, in its unit, as far as `rounds` halvings bring it; the first n
    vertices are its own. Raises nothing; a mesh without such edges comes back as it was."""
    for _ in range(rounds):
        chosen, mate = _terminal(vertices, faces, longest)
        if not len(chosen):
            break
        vertices, faces = _halved(vertices, faces, chosen, mate)
    return vertices, faces


def _terminal(
    vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"], longest: float
) -> tuple[Int64[ndarray, " k"], Int64[ndarray, " k"]]:
    """Half edges (3·face + corner that they begin at) longer than that which are the longest ones of both their faces, and
    their opposites. No face has two."""
    start, end = faces.ravel().astype(np.int64), np.roll(faces, -1, axis=1).ravel().astype(np.int64)
    low, high = np.minimum(start, end), np.maximum(start, end)
    key = low * len(vertices) + high
    length = np.linalg.norm(vertices[low] - vertices[high], axis=1)  # by the same order: exactly equal from both sides
    order = np.argsort(key, kind="stable")  # closed: every edge is there twice
    one, other = order[::2], order[1::2]
    most = _is_longest(length, key)
    # in double precision: `longest` may lie between two float32 numbers
    kept = most[one] & most[other] & (length[one] > np.float64(longest))
    return one[kept], other[kept]


def _is_longest(length: Float32[ndarray, " h"], key: Int64[ndarray, " h"]) -> Bool[ndarray, " h"]:
    """Of each face's three half edges, the longest; of equal ones that with the largest key."""
    rank = np.empty(len(key), np.int64)
    rank[np.lexsort((key, length))] = np.arange(len(key))
    # two half edges of one edge rank side by side, those of different edges in one order from everywhere
    best = rank.reshape(-1, 3).argmax(axis=1)
    out = np.zeros(len(key), bool)
    out[3 * np.arange(len(best)) + best] = True
    return out


def _halved(
    vertices: Float32[ndarray, "n 3"],
    faces: Int32[ndarray, "m 3"],
    chosen: Int64[ndarray, " k"],
    mate: Int64[ndarray, " k"],
) -> tuple[Float32[ndarray, "a 3"], Int32[ndarray, "b 3"]]:
    """Both faces at each chosen edge cut in two at its middle."""
    middle = len(vertices) + np.arange(len(chosen), dtype=np.int32)
    place = faces.ravel()
    a, b = place[chosen], place[_next(chosen)]
    out, more = faces.copy(), []
    for half in (chosen, mate):
        face, corner = half // 3, half % 3
        apex = faces[face, (corner + 2) % 3]
        end = faces[face, (corner + 1) % 3]
        more.append(np.stack([middle, end, apex], axis=1))
        out[face, (corner + 1) % 3] = middle
    points = np.concatenate([vertices, (vertices[a] + vertices[b]) / 2])
    return points.astype(np.float32), np.concatenate([out, *more]).astype(np.int32)


def _next(half: Int64[ndarray, " k"]) -> Int64[ndarray, " k"]:
    return half // 3 * 3 + (half % 3 + 1) % 3
