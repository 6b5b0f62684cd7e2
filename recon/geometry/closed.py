"""Closed meshes: whether one is, and that it stays so where vertices are told by their places alone (STL, mergers)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32, Int32
from numpy import ndarray

ROUNDS = 8
"""A nudge that lands on another vertex is followed by a larger one; one round was enough for every mesh met so far."""


def is_closed(faces: Int32[ndarray, "m 3"]) -> bool:
    """Whether every edge is used once in each direction: watertight, wound one way, at most two faces at an edge."""
    if not len(faces):
        return False
    start, end = faces.ravel().astype(np.int64), np.roll(faces, -1, axis=1).ravel().astype(np.int64)
    count = int(faces.max()) + 1
    forth, back = np.sort(start * count + end), np.sort(end * count + start)
    return bool((start != end).all() and (forth[1:] != forth[:-1]).all() and np.array_equal(forth, back))


def coincident(vertices: Float32[ndarray, "n 3"]) -> Bool[ndarray, " n"]:
    """Which vertices lie exactly where another one lies."""
    keys = (vertices + np.float32(0)).view(np.dtype((np.void, 12))).ravel()  # −0 and 0 are one place
    _, group, counts = np.unique(keys, return_inverse=True, return_counts=True)
    return counts[group] > 1


def separate_coincident(vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"]) -> Float32[ndarray, "n 3"]:
    """The vertices with those that share a place moved apart by a few percent of an edge, each towards its own
    neighbours and outwards: whoever merges vertices by place then finds the same mesh."""
    if not coincident(vertices).any():
        return vertices
    out = vertices.copy()
    for attempt in range(1, ROUNDS + 1):
        moved = np.flatnonzero(coincident(out))
        if not len(moved):
            break
        out[moved] = (vertices + np.float32(0.02 * attempt) * _own_side(vertices, faces))[moved]
    return out


def _own_side(vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"]) -> Float32[ndarray, "n 3"]:
    """Per vertex: to the middle of the faces around it, and a quarter of an edge along its normal."""
    corners = vertices[faces].astype(np.float64)
    middle = corners.mean(axis=1)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    edge = np.linalg.norm(corners[:, 1] - corners[:, 0], axis=1)
    sums = np.zeros((len(vertices), 8))
    values = np.column_stack([middle, normal, edge, np.ones(len(faces))])
    for corner in range(3):
        np.add.at(sums, faces[:, corner], values)
    count = np.maximum(sums[:, 7:], 1)
    length = np.linalg.norm(sums[:, 3:6], axis=1, keepdims=True)
    outwards = sums[:, 3:6] / np.where(length > 0, length, 1)
    return (sums[:, :3] / count - vertices + 0.25 * sums[:, 6:7] / count * outwards).astype(np.float32)
