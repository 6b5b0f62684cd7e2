"""Closed surfaces over a lattice: for a subject a front and a back joined at the silhouette, the back known or inflated;
for a scene a relief with walls and base.

Both are built from sheets: one vertex per sample corner, the same connectivity in front and behind.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32
from numpy import ndarray

from recon.geometry.grid import corner_groups, vertex_keys

ROUNDING = 3.0
"""Width of the rounded edge between front and back, in samples: a wall that is seen edge-on keeps its place, and what a
network says on the silhouette itself, where it is least sure, counts little."""


def each_sample_doubled(inside: Bool[ndarray, "h w"]) -> Bool[ndarray, "2*h 2*w"]:
    """Each sample as 2×2: a part one sample wide then has vertices inside it, not only on its rim."""
    return np.repeat(np.repeat(inside, 2, axis=0), 2, axis=1)


def corner_mesh(
    inside: Bool[ndarray, "h w"],
) -> tuple[Int32[ndarray, "4 n"], Int32[ndarray, " k"], Bool[ndarray, " k"]]:
    """Corners of every inside sample as vertex indices, each vertex's corner (flat index), and whether it is on the rim.

    Where two samples touch at a corner only, each gets its own vertex there, so that no vertex pinches the surface.
    """
    join_h, join_v = inside[:, 1:] & inside[:, :-1], inside[1:] & inside[:-1]
    keys = vertex_keys(corner_groups(join_h, join_v), *np.nonzero(inside))
    used, corners = np.unique(keys, return_inverse=True)
    corners = corners.reshape(keys.shape).astype(np.int32)
    samples_around = np.bincount(corners.ravel(), minlength=len(used))
    return corners, used >> 2, samples_around < 4


def front_faces(corners: Int32[ndarray, "4 n"]) -> Int32[ndarray, "m 3"]:
    """Two triangles per quad, split from top left to bottom right, facing the camera."""
    tl, tr, bl, br = corners
    return np.concatenate([np.stack([tl, bl, br], axis=1), np.stack([tl, br, tr], axis=1)])


def back_faces(corners: Int32[ndarray, "4 n"]) -> Int32[ndarray, "m 3"]:
    """The same quads split the other way and facing away: no edge is shared with the front but on the rim."""
    tl, tr, bl, br = corners
    return np.concatenate([np.stack([tl, tr, bl], axis=1), np.stack([bl, tr, br], axis=1)])


def rim_edges(faces: Int32[ndarray, "m 3"]) -> Int32[ndarray, "2 k"]:
    """First and second vertex of every edge that a sheet's faces use once, in the direction in which they use it."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    low, high = edges.min(axis=1).astype(np.int64), edges.max(axis=1)
    key = low * (int(faces.max()) + 1) + high
    order = np.argsort(key, kind="stable")  # a third of the time of np.isin
    new = np.concatenate([[True], key[order[1:]] != key[order[:-1]], [True]])
    once = np.sort(order[new[1:] & new[:-1]])
    return np.ascontiguousarray(edges[once].T)


def rim_walls(faces: Int32[ndarray, "m 3"], offset: int) -> Int32[ndarray, "k 3"]:
    """Walls from the rim of a sheet to its copy whose vertices come `offset` later, facing outwards."""
    a, b = rim_edges(faces)
    return np.concatenate([np.stack([b, a, a + offset], axis=1), np.stack([b, a + offset, b + offset], axis=1)])


def smoothed_rim(
    pixels: Float32[ndarray, "n 2"], faces: Int32[ndarray, "m 3"], rounds: int = 2
) -> Float32[ndarray, "n 2"]:
    """Each vertex's place with the rim's staircase flattened: a rim vertex goes half way to the middle of its two
    neighbours on the rim (corner_mesh makes it two), `rounds` times. No vertex moves by as much as half a spacing."""
    a, b = rim_edges(faces)
    out = pixels.copy()
    rim = np.unique(a)
    for _ in range(rounds):
        total = np.zeros_like(out)
        np.add.at(total, a, out[b])
        np.add.at(total, b, out[a])
        out[rim] = out[rim] / 2 + total[rim] / 4
    return out


def rim_distance(inside: Bool[ndarray, "h w"]) -> Float32[ndarray, "h+1 w+1"]:
    """How far each corner of the samples lies from the nearest one that is not all inside, in samples."""
    around = np.pad(inside, 1)
    whole = around[1:, 1:] & around[:-1, 1:] & around[1:, :-1] & around[:-1, :-1]
    return cv2.distanceTransform(whole.astype(np.uint8), cv2.DIST_L2, 5)


def join_front_back(
    front: Float32[ndarray, " k"],
    back: Float32[ndarray, " k"],
    distance: Float32[ndarray, " k"],
    least: Float32[ndarray, " k"],
) -> tuple[Float32[ndarray, " k"], Float32[ndarray, " k"]]:
    """Front and back that meet on the rim, half way between the two, in a rounded edge ROUNDING wide.

    distance: from the rim, 0 on it; least: thickness that is left where the back does not lie behind the front.
    """
    middle = (front + np.maximum(front, back)) / 2
    half = np.maximum(back - front, least) / 2
    half *= np.sqrt(1 - (1 - np.minimum(distance / np.float32(ROUNDING), 1)) ** 2)
    return middle - half, middle + half


def inflate(
    corners: Int32[ndarray, "4 n"], rim: Bool[ndarray, " k"], rim_values: Float32[ndarray, " k"]
) -> tuple[Float32[ndarray, " k"], Float32[ndarray, " k"]]:
    """(base, height) per vertex of a sheet with unit spacing.

    base: the harmonic surface through `rim_values` on the rim. height: √u with ∇²u = −4 and u = 0 on the rim, which
    makes a disc of radius R the hemisphere √(R² − r²) and a strip an elliptic vault.
    """
    from scipy.sparse import coo_matrix, diags_array
    from scipy.sparse.linalg import splu

    tl, tr, bl, br = corners
    a = np.concatenate([tl, tl, tr, bl])
    b = np.concatenate([tr, bl, br, br])
    pairs = np.unique(np.sort(np.stack([a, b], axis=1), axis=1), axis=0)
    count = len(rim)
    joined = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    joined = (joined + joined.T).tocsr()
    laplacian = (diags_array(np.asarray(joined.sum(axis=1)).ravel()) - joined).tocsr()
    free, fixed = np.flatnonzero(~rim), np.flatnonzero(rim)
    base = rim_values.astype(np.float64).copy()
    height = np.zeros(count)
    if len(free):
        solve = splu(laplacian[free][:, free].tocsc()).solve
        base[free] = solve(-(laplacian[free][:, fixed] @ base[fixed]))
        height[free] = np.sqrt(np.maximum(solve(np.full(len(free), 4.0)), 0))
    return base.astype(np.float32), height.astype(np.float32)
