"""Gaussian splats by their covariances: the splats of any covariances, splats moved by a matrix, and fewer for many."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt8
from numpy import ndarray

from recon.geometry.splats import LEAST_SCALE, OPAQUE, quaternions
from recon.types import Splats

ROUNDS = 12
"""Halvings of the range in which the size of cells is looked for."""
LARGEST_CELL = 1.0
"""Of directions, and of logarithms of distance."""


def covariances(splats: Splats) -> Float64[ndarray, "n 3 3"]:
    """R·diag(s²)·Rᵀ of each."""
    w, x, y, z = splats.quaternions.astype(np.float64).T
    rows = [[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]]  # fmt: skip
    scaled = np.moveaxis(np.array(rows), 2, 0) * splats.scales[:, None, :].astype(np.float64)
    return np.asarray(scaled @ scaled.transpose(0, 2, 1))


def ellipsoids(
    centres: Float32[ndarray, "n 3"],
    spread: Float64[ndarray, "n 3 3"],
    opacity: Float32[ndarray, " n"],
    colors: UInt8[ndarray, "n 3"],
) -> Splats:
    """Splats of given covariances, the thinnest axis last."""
    squares, axes = np.linalg.eigh(spread)
    squares, axes = squares[:, ::-1], axes[:, :, ::-1]
    axes[np.linalg.det(axes) < 0, :, 2] *= -1  # a turn, no mirror
    scales = np.sqrt(np.maximum(squares, LEAST_SCALE**2)).astype(np.float32)
    return Splats(centres, scales, quaternions(axes.astype(np.float32)), opacity, colors)


def moved(splats: Splats, matrix: Float64[ndarray, "3 3"]) -> Splats:
    """Splats of space moved by a matrix M: places M·x, covariances M·Σ·Mᵀ."""
    centres = (splats.centres.astype(np.float64) @ matrix.T).astype(np.float32)
    return ellipsoids(centres, matrix @ covariances(splats) @ matrix.T, splats.opacity, splats.colors)


def merged(splats: Splats, most: int) -> Splats:
    """At most `most` splats, seen from the origin alike: those in one cell of direction and distance become one with their
    mean and covariance together, each weighted with its opacity times its area. The same splats where there are few enough.

    The cells are the smallest ones that are few enough; all splats must lie before the camera.
    """
    if len(splats.centres) <= most:
        return splats
    cells = _cells(splats.centres, most)
    area = (splats.scales[:, 0] * splats.scales[:, 1]).astype(np.float64)
    weight = splats.opacity * area
    count = int(cells.max()) + 1
    total = np.bincount(cells, weight, count)

    def mean(values: ndarray) -> Float64[ndarray, m * k]:
        flat = values.reshape(len(values), -1)
        sums = [np.bincount(cells, weight * column, count) for column in flat.T]
        return (np.stack(sums, axis=1) / total[:, None]).reshape(count, *values.shape[1:])

    centres = mean(splats.centres)
    arm = splats.centres - centres[cells]
    spread = mean(covariances(splats) + arm[:, :, None] * arm[:, None, :])
    colors = np.rint(mean(splats.colors)).astype(np.uint8)
    found = ellipsoids(centres.astype(np.float32), spread, np.ones(count, np.float32), colors)
    cover = (total / (found.scales[:, 0] * found.scales[:, 1])).astype(np.float32)
    # what no opacity can make up for becomes wider, so that nothing opens
    scales = found.scales * np.sqrt(np.maximum(cover / np.float32(OPAQUE), 1))[:, None]
    return Splats(found.centres, scales, found.quaternions, np.minimum(cover, np.float32(OPAQUE)), found.colors)


def _cells(centres: Float32[ndarray, "n 3"], most: int) -> Int64[ndarray, " n"]:
    """The number of each splat's cell, from 0 without gaps."""
    z = centres[:, 2].astype(np.float64)
    place = np.stack([centres[:, 0] / z, centres[:, 1] / z, np.log(z)], axis=1)
    place -= place.min(axis=0)
    small, large = 0.0, LARGEST_CELL
    while len(_numbered(place, large)[0]) > most:
        small, large = large, 2 * large
    for _ in range(ROUNDS):
        middle = (small + large) / 2
        if len(_numbered(place, middle)[0]) > most:
            small = middle
        else:
            large = middle
    return _numbered(place, large)[1]


def _numbered(place: Float64[ndarray, "n 3"], cell: float) -> tuple[Int64[ndarray, " m"], Int64[ndarray, " n"]]:
    """The cells that are used, and which of them each place is in."""
    steps = (place / cell).astype(np.int64)
    rows, columns = steps[:, 1].max() + 1, steps[:, 0].max() + 1
    return np.unique((steps[:, 2] * rows + steps[:, 1]) * columns + steps[:, 0], return_inverse=True)
