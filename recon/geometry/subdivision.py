"""Triangles cut into smaller ones of about one size: each into n² alike, n by its area."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64
from numpy import ndarray


def cut_triangles(
    triangles: Float32[ndarray, "m 3 d"], parts: Int64[ndarray, " m"]
) -> tuple[Float32[ndarray, "n 3 d"], Int64[ndarray, " n"]]:
    """Each triangle (corner, whatever its corners carry) cut into parts² ones, similar to it, and of which one each is."""
    pieces, owners = [], []
    for n in np.unique(parts):
        mine = np.flatnonzero(parts == n)
        pieces.append(np.einsum("pck,mkd->mpcd", _corners(int(n)), triangles[mine]).reshape(-1, *triangles.shape[1:]))
        owners.append(np.repeat(mine, n * n))
    return np.concatenate(pieces), np.concatenate(owners)


def parts_by_area(areas: Float32[ndarray, " m"], most: int) -> Int64[ndarray, " m"]:
    """How many parts each edge is cut into so that all have about one area and there are at most `most` triangles, but
    never fewer than there were."""
    spare = max(most - len(areas), 0)
    return np.maximum(1, np.sqrt(areas * (spare / areas.sum(dtype=np.float64))).astype(np.int64))


def _corners(n: int) -> Float32[ndarray, "p 3 3"]:
    """The corners of the n² parts of a triangle in its barycentric coordinates."""
    upright = [((i, j), (i + 1, j), (i, j + 1)) for i in range(n) for j in range(n - i)]
    turned = [((i + 1, j), (i + 1, j + 1), (i, j + 1)) for i in range(n) for j in range(n - 1 - i)]
    place = np.array(upright + turned, np.float32) / n
    return np.concatenate([1 - place.sum(axis=2, keepdims=True), place], axis=2).astype(np.float32)
