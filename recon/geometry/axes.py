"""From the camera's frame to glTF's: x right, y up, the camera looking along −z. A half turn about x: no mirroring."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

_HALF_TURN = np.array([1, -1, -1], np.float32)


def to_gltf(vectors: Float32[ndarray, "n 3"]) -> Float32[ndarray, "n 3"]:
    """Points or normals, y and z with their signs changed; its own inverse."""
    return vectors * _HALF_TURN
