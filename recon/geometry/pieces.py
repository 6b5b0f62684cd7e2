"""The pieces of a closed mesh: which of them are parts of an object."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Float64, Int32
from numpy import ndarray

from recon.geometry.grid import without_unused_vertices


def main_pieces(
    vertices: Float[ndarray, "n 3"], faces: Int32[ndarray, "m 3"], smallest: float
) -> tuple[Float[ndarray, "k 3"], Int32[ndarray, "l 3"]]:
    """The pieces with at least `smallest` of the largest one's volume; hollows within have a negative one, and go."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    _, piece = connected_components(coo_matrix((np.ones(len(ends)), ends.T), (len(vertices),) * 2), directed=False)
    volume = np.bincount(piece[faces[:, 0]], _signed_volumes(vertices, faces), piece.max(initial=0) + 1)
    kept = faces[(volume > max(smallest * volume.max(initial=0), 0))[piece[faces[:, 0]]]]
    kept, used = without_unused_vertices(kept, len(vertices))
    return vertices[used], kept


def _signed_volumes(vertices: Float[ndarray, "n 3"], faces: Int32[ndarray, "m 3"]) -> Float64[ndarray, " m"]:
    """Six times the volume between each face and the origin, positive where the face looks away from it."""
    a, b, c = (vertices[corner].astype(np.float64) for corner in faces.T)
    volumes: ndarray = (a * np.cross(b, c)).sum(1)
    return volumes
