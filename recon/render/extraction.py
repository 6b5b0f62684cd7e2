"""The surface of a field, coarse to fine: a dense pass over a coarse lattice, then only the cells that it crosses, halved
again and again, and marching cubes over the last lattice (Lewiner et al. 2003).

Values are log-densities: they are near linear across a surface where densities are not, so that vertices come to lie
right between the lattice's points. Lattices lie over the cube from −1 to 1, indexed [x, y, z], vertices at its walls too.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int32, Int64
from numpy import ndarray
from torch import Tensor

LogDensity = Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]]
"""What is asked: log-density at points of the world."""

COARSE = 64
"""Cells along a side of the dense pass: what falls between its points is smaller than a floater."""
CLEAR = 1e-4
"""No value on the lattice is nearer to the surface's, or faces there would have no area."""
WALL = np.float32(-1e-3)
"""Of the lattice's border, at most: outside."""
QUERY = 2**18
"""Points that are asked for at once."""

_WITHIN = np.array(list(itertools.product((0, 1, 2), repeat=3)))
"""The 27 points of a cell that is halved, of its corners and between them."""
_ON_FACE = {(axis, side): np.flatnonzero(_WITHIN[:, axis] == side) for axis in range(3) for side in (0, 2)}


def extract_surface(
    log_density: LogDensity, level: float, resolution: int = 256, device: torch.device | str = "cpu"
) -> tuple[Float32[ndarray, "v 3"], Int32[ndarray, "f 3"]]:
    """The closed surface on which a field's log-density is `level`, wound counter-clockwise seen from outside (where the
    density is lower); empty where there is none.

    resolution: cells along a side, 2 at least; a few more are taken where it is above COARSE and no power of two times 33
    to 64. What reaches through the cube's walls is closed there. Where the coarse pass sees a piece of the surface, all of
    it is found just as a dense pass over the fine lattice would; a piece that no coarse edge crosses may be missed.
    """
    values, cells = lattice_values(log_density, level, resolution, device)
    if not len(cells):
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)
    return _marched(values, cells)


def lattice_values(
    log_density: LogDensity, level: float, resolution: int, device: torch.device | str = "cpu"
) -> tuple[Float32[ndarray, "n n n"], Int64[ndarray, "m 3"]]:
    """Log-density less `level` on the lattice of about `resolution` cells a side, and the cells that the surface crosses.

    Elsewhere only the sign is right. The lattice's border is outside.
    """
    halvings = max(0, math.ceil(math.log2(resolution / COARSE)))
    coarse = math.ceil(resolution / 2**halvings)

    def asked(indices: Int64[ndarray, "n 3"], cells: int) -> Float32[ndarray, " n"]:
        return _asked(log_density, indices, cells, device) - np.float32(level)

    every = np.stack(np.meshgrid(*[np.arange(coarse + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
    values = asked(every, coarse).reshape((coarse + 1,) * 3)
    _shut(values)
    for _ in range(halvings):
        values = _halved(values, asked)
    return values, _crossed(values)


def _asked(
    log_density: LogDensity, indices: Int64[ndarray, "n 3"], cells: int, device: torch.device | str
) -> Float32[ndarray, " n"]:
    found = np.empty(len(indices), np.float32)
    with torch.no_grad():
        for first in range(0, len(indices), QUERY):
            part = torch.from_numpy(indices[first : first + QUERY]).to(device)
            found[first : first + QUERY] = log_density(part.float() * (2 / cells) - 1).float().cpu().numpy()
    return found


def _shut(values: Float32[ndarray, "n n n"]) -> None:
    """Put the lattice's border outside; it changes the values."""
    for axis in range(3):
        for side in (0, -1):
            wall = np.moveaxis(values, axis, 0)[side]
            np.minimum(wall, WALL, out=wall)


def _crossed(values: Float32[ndarray, "n n n"]) -> Int64[ndarray, "m 3"]:
    """The cells whose corners are not all on one side."""
    some = every = values > 0
    for axis in range(3):
        first, second = [slice(None)] * 3, [slice(None)] * 3
        first[axis], second[axis] = slice(None, -1), slice(1, None)
        some = some[tuple(first)] | some[tuple(second)]
        every = every[tuple(first)] & every[tuple(second)]
    return np.argwhere(some & ~every)


def _halved(
    values: Float32[ndarray, "n n n"], asked: Callable[[Int64[ndarray, "n 3"], int], Float32[ndarray, " n"]]
) -> Float32[ndarray, "k k k"]:
    """The values on a lattice twice as fine: asked for in the cells that the surface crosses, and in those that it is then
    seen to reach through a face."""
    cells = 2 * (len(values) - 1)
    fine = values[tuple(np.ix_(*[np.arange(cells + 1) // 2] * 3))]  # elsewhere the sign alone matters
    done = np.zeros(tuple(side - 1 for side in values.shape), bool)
    known = np.zeros(fine.shape, bool)
    known[::2, ::2, ::2] = True
    front = _crossed(values)
    while len(front):
        done[tuple(front.T)] = True
        points = (2 * front[:, None] + _WITHIN).reshape(-1, 3)
        flat = np.unique(np.ravel_multi_index(tuple(points.T), fine.shape))
        flat = flat[~known.ravel()[flat]]
        new = np.stack(np.unravel_index(flat, fine.shape), 1)
        found = asked(new, cells)
        border = ((new == 0) | (new == cells)).any(1)
        fine.ravel()[flat] = np.where(border, np.minimum(found, WALL), found)
        known.ravel()[flat] = True
        front = _reached(fine, front, done)
    return fine


def _reached(
    fine: Float32[ndarray, "n n n"], cells: Int64[ndarray, "m 3"], done: Bool[ndarray, "k k k"]
) -> Int64[ndarray, "p 3"]:
    """The neighbours of halved cells, not halved themselves, into which the surface goes on through the face between."""
    points = (2 * cells[:, None] + _WITHIN).reshape(-1, 3)
    inside = (fine[tuple(points.T)] > 0).reshape(len(cells), -1)
    found = []
    for (axis, side), face in _ON_FACE.items():
        on_face = inside[:, face]
        through = on_face.any(1) & ~on_face.all(1)
        step = np.zeros(3, np.int64)
        step[axis] = side - 1
        found.append(cells[through] + step)
    reached = np.unique(np.concatenate(found), axis=0)
    reached = reached[((reached >= 0) & (reached < done.shape[0])).all(1)]
    return reached[~done[tuple(reached.T)]]


def _marched(
    values: Float32[ndarray, "n n n"], cells: Int64[ndarray, "m 3"]
) -> tuple[Float32[ndarray, "v 3"], Int32[ndarray, "f 3"]]:
    """Marching cubes over the box of the crossed cells, in the world's unit."""
    from skimage.measure import marching_cubes

    low, high = cells.min(0), cells.max(0) + 2
    box = values[tuple(slice(*ends) for ends in zip(low, high, strict=True))]
    box = np.where(np.abs(box) < CLEAR, np.where(box > 0, np.float32(CLEAR), np.float32(-CLEAR)), box)
    found, faces, _, _ = marching_cubes(box, 0.0, gradient_direction="ascent")
    vertices = (found + low.astype(np.float32)) * np.float32(2 / (len(values) - 1)) - np.float32(1)
    return vertices.astype(np.float32), faces.astype(np.int32)
