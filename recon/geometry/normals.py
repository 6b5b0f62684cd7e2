"""Normals of an organised point map, from the cross products of its neighbours, always facing the camera."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray


def lattice_normals(
    points: Float32[ndarray, "h w 3"], cut_h: Bool[ndarray, "h w-1"], cut_v: Bool[ndarray, "h-1 w"], reach: int = 1
) -> Float32[ndarray, "h w 3"]:
    """Unit normals; zero where no uncut edges at right angles are near.

    The edges between neighbours are summed over windows of `reach` samples to each side before the cross product, which
    averages noise; an edge that is cut contributes nothing.
    """
    across = _summed(np.where(cut_h[..., None], 0, np.diff(points, axis=1)), reach, axis=1)
    down = _summed(np.where(cut_v[..., None], 0, np.diff(points, axis=0)), reach, axis=0)
    return unit(np.cross(down, across))


def _summed(steps: Float32[ndarray, "a b 3"], reach: int, axis: int) -> Float32[ndarray, "h w 3"]:
    """Box sums of the steps around each sample; a sample lies between the steps axis-1 and axis."""
    before, after = [(0, 0)] * 3, [(0, 0)] * 3
    before[axis], after[axis] = (1, 0), (0, 1)
    both = np.pad(steps, before) + np.pad(steps, after)
    size = 2 * reach - 1
    if size > 1:
        both = cv2.boxFilter(both, -1, (size, size), normalize=False, borderType=cv2.BORDER_CONSTANT)
    return both.astype(np.float32, copy=False)


def unit(vectors: Float32[ndarray, "*n 3"]) -> Float32[ndarray, "*n 3"]:
    """Vectors of length 1; the zero vector (and NaN) becomes zero."""
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(length > 0, vectors / length, 0).astype(np.float32, copy=False)


def vertex_normals(vertices: Float32[ndarray, "n 3"], faces: np.ndarray) -> Float32[ndarray, "n 3"]:
    """Area-weighted vertex normals of a triangle mesh; zero for unused vertices."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    sums = [
        np.bincount(faces.ravel(), weights=np.repeat(face[:, axis], 3), minlength=len(vertices)) for axis in range(3)
    ]
    return unit(np.stack(sums, axis=1).astype(np.float32))
