"""Normals of an organised point map, from the cross products of its neighbours, always facing the camera."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray


def lattice_normals(
    points: Float32[ndarray, "h w 3"], cut_h: Bool[ndarray, "h w-1"], cut_v: Bool[ndarray, "h-1 w"], reach: int = 1
) -> Float32[ndarray, "h w 3"]:
    """Unit normals; zero where no uncut edges at right angles are near.

    The edges between neighbours are summed around each sample before the cross product, which averages noise: those at
    the sample itself (reach 1), also those at its eight neighbours (reach 2), and so on. No edge that is cut, and none
    beyond one, contributes.
    """
    across = _at_samples(np.where(cut_h[..., None], 0, np.diff(points, axis=1)), axis=1)
    down = _at_samples(np.where(cut_v[..., None], 0, np.diff(points, axis=0)), axis=0)
    for _ in range(reach - 1):
        across, down = (_with_neighbours(_with_neighbours(steps, cut_h, 1), cut_v, 0) for steps in (across, down))
    return unit(np.cross(down, across))


def _at_samples(steps: Float32[ndarray, "a b 3"], axis: int) -> Float32[ndarray, "h w 3"]:
    """Sum of the two steps at each sample; a sample lies between the steps axis-1 and axis."""
    before, after = [(0, 0)] * 3, [(0, 0)] * 3
    before[axis], after[axis] = (1, 0), (0, 1)
    return np.pad(steps, before) + np.pad(steps, after)


def _with_neighbours(
    steps: Float32[ndarray, "h w 3"], cut: Bool[ndarray, "a b"], axis: int
) -> Float32[ndarray, "h w 3"]:
    """Each sample's sum plus its two neighbours' along an axis, where they are not cut off."""
    out = steps.copy()
    whole, joined = np.moveaxis(out, axis, 0), ~np.moveaxis(cut, axis, 0)[..., None]
    source = np.moveaxis(steps, axis, 0)
    whole[1:] += joined * source[:-1]
    whole[:-1] += joined * source[1:]
    return out


def unit(vectors: Float32[ndarray, "*n c"]) -> Float32[ndarray, "*n c"]:
    """Vectors of length 1; the zero vector (and NaN) becomes zero."""
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))[..., None]
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(length > 0, vectors / length, 0).astype(np.float32, copy=False)
