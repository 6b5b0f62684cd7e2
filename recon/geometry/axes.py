"""From the camera's frame to the files': glTF's (x right, y up, the camera looking along −z), a half turn about x, and a
printer's. No mirroring."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

_HALF_TURN = np.array([1, -1, -1], np.float32)


def to_gltf(vectors: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 3"]:
    """Points or normals, y and z with their signs changed; its own inverse."""
    return vectors * _HALF_TURN


def to_printer(vectors: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 3"]:
    """The camera's frame to a printer's: x right, y away from who looks, z up. A quarter turn about x: no mirroring."""
    return np.ascontiguousarray(np.stack([vectors[:, 0], vectors[:, 2], -vectors[:, 1]], axis=1))
