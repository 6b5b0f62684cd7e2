"""Fewer faces for a triangle mesh by quadric error (Garland and Heckbert 1997), by two programs.

fast-simplification is 200 times faster on a million faces; Open3D comes closer, reaches any count (the other stalls on flat
parts) and keeps closed meshes closed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Int32
from numpy import ndarray

from recon.geometry.closed import is_closed
from recon.types import Mesh

OPEN3D_FACES = 64_000
"""Faces that Open3D takes on in a second or three."""
SHARE_OF_A_PASS = 0.5
"""Share of the faces that one pass leaves at least where the mesh is to stay closed; a smaller share takes several."""


def quadric_decimation(
    vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"], target: int
) -> tuple[Float32[ndarray, "k 3"], Int32[ndarray, "l 3"]]:
    """At most about `target` faces, in seconds: the one program takes the bulk away, the other does the rest."""
    if len(faces) > OPEN3D_FACES:
        vertices, faces = _by_fast_simplification(vertices, faces, max(target, OPEN3D_FACES))
    if target < len(faces) <= 2 * OPEN3D_FACES:
        vertices, faces = _by_open3d(vertices, faces, target)
    return vertices, faces


def closed_decimation(
    vertices: Float32[ndarray, "n 3"],
    faces: Int32[ndarray, "m 3"],
    target: int,
    heartbeat: Callable[[], None] = lambda: None,
) -> tuple[Float32[ndarray, "k 3"], Int32[ndarray, "l 3"]]:
    """At most about `target` faces of a closed mesh, which stays closed, if need be with more faces; slower.

    heartbeat: called before every pass; it may raise to stop the work.
    """
    while len(faces) > target:
        heartbeat()
        fewer = _by_open3d(vertices, faces, max(target, int(SHARE_OF_A_PASS * len(faces))))
        if len(fewer[1]) >= len(faces) or not is_closed(fewer[1]):
            break
        vertices, faces = fewer
    return vertices, faces


def _by_fast_simplification(
    vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"], target: int
) -> tuple[Float32[ndarray, "k 3"], Int32[ndarray, "l 3"]]:
    import fast_simplification

    # copies: it takes no read-only arrays
    found, triangles = fast_simplification.simplify(vertices.copy(), faces.copy(), target_count=target)
    return np.asarray(found, np.float32), np.asarray(triangles, np.int32)


def _by_open3d(
    vertices: Float32[ndarray, "n 3"], faces: Int32[ndarray, "m 3"], target: int
) -> tuple[Float32[ndarray, "k 3"], Int32[ndarray, "l 3"]]:
    small = Mesh(vertices, faces).to_open3d().simplify_quadric_decimation(target)
    return np.array(small.vertices, np.float32), np.array(small.triangles, np.int32)
