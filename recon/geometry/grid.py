"""The image-grid mesh: one quad per sample, joined to its neighbours wherever the surface does not break.

A vertex stands at a sample's *corner*, not at its centre, so that the mesh covers every sample whole: thin things keep
their width, and seen from the camera no gap opens at a depth step. Four samples meet at a corner; those that hang
together around it share one vertex, the others get their own.

Corner (i, j) is the top left one of sample (i, j); around it lie the samples a (up left), b (up right), c (down left)
and d (down right). Faces wind counter-clockwise seen from the camera.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, Int64, UInt8
from numpy import ndarray

from recon.geometry.discontinuity import STEP, depth_cuts
from recon.geometry.lattice import Lattice, corner_lines

CornerGroups = tuple[UInt8[ndarray, "i j"], UInt8[ndarray, "i j"], UInt8[ndarray, "i j"]]
"""For every corner, one row and column more than there are samples, the vertices of its samples b, c and d."""


def grid_mesh(
    lattice: Lattice, smallest: int, step: float = STEP
) -> tuple[Float32[ndarray, "n 3"], Int32[ndarray, "m 3"], Float32[ndarray, "n 2"]]:
    """Vertices (camera frame), faces and pixel positions (u, v) of each vertex; pieces under `smallest` samples go."""
    z, cut_h, cut_v = without_floaters(lattice.z, lattice.footprint, smallest, lattice.noise, step)
    group = corner_groups(~cut_h, ~cut_v)
    rows, columns = np.nonzero(~np.isnan(z))
    keys = vertex_keys(group, rows, columns)
    depth, vertex_of = _vertex_depths(keys, z, cut_h, cut_v, _half_spans(lattice), step)
    corners = vertex_of[keys]
    u, v, turn = _smoothed_corners(lattice, cut_h, cut_v)
    at = np.flatnonzero(vertex_of >= 0) >> 2
    pixel = np.stack([u.ravel()[at], v.ravel()[at]], axis=1)
    camera = lattice.camera
    ray = (pixel - np.array([camera.cx, camera.cy], np.float32)) * np.float32(1 / camera.focal)
    vertices = np.column_stack([ray * depth[:, None], depth])
    return vertices, _quad_faces(corners, depth, pixel, _bent(turn)[rows, columns]), pixel


def connected_pieces(
    cut_h: Bool[ndarray, "h a"], cut_v: Bool[ndarray, "b w"]
) -> tuple[Int32[ndarray, "h w"], Int64[ndarray, " k"]]:
    """Label every sample by the piece it hangs together with, and count each piece's samples.

    Samples stand at the even places of a picture of twice the size and uncut edges between them, so that an image
    labelling does the work of a graph's.
    """
    height, width = cut_h.shape[0], cut_v.shape[1]
    joined = np.zeros((2 * height - 1, 2 * width - 1), np.uint8)
    joined[::2, ::2] = 1
    joined[::2, 1::2] = ~cut_h
    joined[1::2, ::2] = ~cut_v
    _, labels = cv2.connectedComponents(joined, connectivity=4, ltype=cv2.CV_32S)
    labels = np.ascontiguousarray(labels[::2, ::2])
    return labels, np.bincount(labels.ravel())


def without_floaters(
    z: Float32[ndarray, "h w"], footprint: float, smallest: int, noise: float = 0.0, step: float = STEP
) -> tuple[Float32[ndarray, "h w"], Bool[ndarray, "h w-1"], Bool[ndarray, "h-1 w"]]:
    """The depth map without pieces of fewer than `smallest` samples, and its cuts."""
    cut_h, cut_v = depth_cuts(z, footprint, noise, step)
    labels, counts = connected_pieces(cut_h, cut_v)
    keep = counts[labels] >= smallest
    lost = ~keep
    cut_h |= lost[:, 1:] | lost[:, :-1]
    cut_v |= lost[1:] | lost[:-1]
    return np.where(keep, z, np.float32(np.nan)), cut_h, cut_v


def corner_groups(join_h: Bool[ndarray, "h a"], join_v: Bool[ndarray, "b w"]) -> CornerGroups:
    """For every corner, which vertex (0..3) its samples b, c and d belong to; a's is always 0."""
    height, width = join_h.shape[0], join_v.shape[1]
    sides = np.zeros((4, height + 1, width + 1), bool)
    ab, cd, ac, bd = sides
    ab[1:, 1:-1] = join_h
    cd[:-1, 1:-1] = join_h
    ac[1:-1, 1:] = join_v
    bd[1:-1, :-1] = join_v
    b = np.where(ab | (ac & cd & bd), 0, 1).astype(np.uint8)
    c = np.where(ac | (ab & bd & cd), 0, np.where(bd & cd, b, 2)).astype(np.uint8)
    d = np.where(bd, b, np.where(cd, c, 3)).astype(np.uint8)
    return b, c, d


def vertex_keys(
    group: CornerGroups, rows: Int64[ndarray, " n"], columns: Int64[ndarray, " n"]
) -> Int32[ndarray, "4 n"]:
    """Each sample's corners (top left, top right, bottom left, bottom right) as 4·corner + group."""
    b, c, d = (g.ravel() for g in group)
    width = group[0].shape[1]
    top_left = (rows * width + columns).astype(np.int32)
    keys = np.empty((4, len(rows)), np.int32)
    keys[0] = top_left * 4 + d[top_left]
    keys[1] = (top_left + 1) * 4 + c[top_left + 1]
    keys[2] = (top_left + width) * 4 + b[top_left + width]
    keys[3] = (top_left + width + 1) * 4
    return keys


def _vertex_depths(
    keys: Int32[ndarray, "4 n"],
    z: Float32[ndarray, "h w"],
    cut_h: Bool[ndarray, "h w-1"],
    cut_v: Bool[ndarray, "h-1 w"],
    spans: tuple[Float32[ndarray, "2 w"], Float32[ndarray, "2 h"]],
    step: float,
) -> tuple[Float32[ndarray, " k"], Int32[ndarray, " c"]]:
    """Depth of each vertex, and each key's vertex (−1: none).

    A vertex's disparity is the mean over its samples of their own, each carried to the corner along its own slope
    (disparity is linear on planes), by at most half a step per half sample.
    """
    valid = ~np.isnan(z)
    disparity = np.where(valid, 1 / z, 0).astype(np.float32)
    limit = np.float32(step / 2) * disparity
    across = np.clip(_half_slope(disparity, cut_h, axis=1), -limit, limit)[valid]
    down = np.clip(_half_slope(disparity, cut_v, axis=0), -limit, limit)[valid]
    own = disparity[valid]
    space = 4 * (z.shape[0] + 1) * (z.shape[1] + 1)
    sums, counts = np.zeros(space), np.zeros(space, np.uint8)
    rows, columns = np.nonzero(valid)
    for corner, key in enumerate(keys):
        # within one of the four corners each key occurs once, so plain indexing adds
        sums[key] += own + spans[0][corner % 2][columns] * across + spans[1][corner // 2][rows] * down
        counts[key] += 1
    used = np.flatnonzero(counts)
    vertex_of = np.full(space, -1, np.int32)
    vertex_of[used] = np.arange(len(used), dtype=np.int32)
    return (counts[used] / sums[used]).astype(np.float32), vertex_of


def _half_spans(lattice: Lattice) -> tuple[Float32[ndarray, "2 w"], Float32[ndarray, "2 h"]]:
    """From each column and row of samples to the lines before and after it, in half samples: −1 and 1, but at the
    photo's border, which need not lie half a sample away."""
    half = np.float32(lattice.stride / 2)
    u, v = corner_lines(lattice)
    across, down = (np.stack([a[:-1] - b, a[1:] - b]) / half for a, b in ((u, lattice.u), (v, lattice.v)))
    return across, down


def _half_slope(disparity: Float32[ndarray, "h w"], cut: np.ndarray, axis: int) -> Float32[ndarray, "h w"]:
    """Change of disparity over half a sample along an axis, from the uncut neighbours (0 where there is none)."""
    change = np.where(cut, 0, np.diff(disparity, axis=axis))
    before, after = [(0, 0)] * 2, [(0, 0)] * 2
    before[axis], after[axis] = (1, 0), (0, 1)
    count = np.pad(~cut, before).astype(np.float32) + np.pad(~cut, after)
    return (np.pad(change, before) + np.pad(change, after)) / np.maximum(count, 1) / 2


def _smoothed_corners(
    lattice: Lattice, cut_h: Bool[ndarray, "h a"], cut_v: Bool[ndarray, "b w"]
) -> tuple[Float32[ndarray, "i j"], Float32[ndarray, "i j"], Bool[ndarray, "i j"]]:
    """Pixel position of every corner, and whether a crack turns there; along a crack, staircases are straightened.

    Where exactly two cut edges meet, the corner moves half way to the middle of its two neighbours on the crack: a
    45° staircase becomes a straight line. Both sides of the crack use the same corner, so no gap opens.
    """
    height, width = cut_h.shape[0], cut_v.shape[1]
    up, down, left, right = np.zeros((4, height + 1, width + 1), np.int8)
    up[1:, 1:-1], down[:-1, 1:-1] = cut_h, cut_h
    left[1:-1, 1:], right[1:-1, :-1] = cut_v, cut_v
    turn = (up + down + left + right == 2) & (up + down == 1)
    u, v = corner_lines(lattice)
    quarter = np.float32(lattice.stride / 4)
    return (
        np.where(turn, u[None] + quarter * (right - left), u[None]).astype(np.float32),
        np.where(turn, v[:, None] + quarter * (down - up), v[:, None]).astype(np.float32),
        turn,
    )


def _bent(turn: Bool[ndarray, "i j"]) -> Bool[ndarray, "h w"]:
    """Samples with three or four corners moved: a diagonal of such a quad can run through a third corner."""
    moved = turn.view(np.uint8)
    return moved[:-1, :-1] + moved[:-1, 1:] + moved[1:, :-1] + moved[1:, 1:] >= 3


def _quad_faces(
    corners: Int32[ndarray, "4 n"],
    depth: Float32[ndarray, " k"],
    pixel: Float32[ndarray, "k 2"],
    bent: Bool[ndarray, " n"],
) -> Int32[ndarray, "m 3"]:
    """Two triangles per quad, split along the diagonal with the smaller change of depth; a bent quad along the one that
    leaves the wider triangles."""
    tl, tr, bl, br = corners
    falling = np.abs(depth[tl] - depth[br]) <= np.abs(depth[tr] - depth[bl])
    a, b, c, d = pixel[corners[:, bent]]
    narrowest_falling = np.minimum(_turn(a, c, d), _turn(a, d, b))
    narrowest_rising = np.minimum(_turn(a, c, b), _turn(c, d, b))
    falling[bent] = narrowest_falling >= narrowest_rising
    faces = np.empty((tl.size, 2, 3), np.int32)
    faces[:, 0, 0], faces[:, 0, 1], faces[:, 0, 2] = tl, bl, np.where(falling, br, tr)
    faces[:, 1, 0], faces[:, 1, 1], faces[:, 1, 2] = np.where(falling, tl, bl), br, tr
    return faces.reshape(-1, 3)


def _turn(a: Float32[ndarray, "n 2"], b: Float32[ndarray, "n 2"], c: Float32[ndarray, "n 2"]) -> Float32[ndarray, " n"]:
    """Twice the area of triangles in the photo, positive where they face the camera."""
    return (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]) - (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1])


def without_unused_vertices(
    faces: Int32[ndarray, "m 3"], count: int
) -> tuple[Int32[ndarray, "m 3"], Int64[ndarray, " n"]]:
    """Faces over the used vertices alone, and which of the `count` vertices these are."""
    used = np.zeros(count, bool)
    used[faces.ravel()] = True
    new = np.cumsum(used, dtype=np.int32) - 1
    return new[faces], np.flatnonzero(used)
