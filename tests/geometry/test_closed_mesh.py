"""Closed meshes are told from open ones as counting their edges tells them."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from recon.geometry.closed import is_closed
from tests import scenes

SHAPES = [
    trimesh.creation.icosphere(subdivisions=1),
    trimesh.creation.box(),
    trimesh.creation.torus(0.6, 0.22, major_sections=12, minor_sections=6),
]


@pytest.mark.parametrize("shape", SHAPES, ids=["ball", "crate", "ring"])
def test_closed_is_what_counting_says(shape: trimesh.Trimesh) -> None:
    faces = np.asarray(shape.faces, np.int32)
    assert is_closed(faces) and scenes.is_closed(faces)
    turned = faces.copy()
    turned[0] = turned[0, ::-1]
    degenerate = np.concatenate([faces, np.array([[0, 0, 1], [1, 0, 0]], np.int32)])
    for broken in (faces[1:], turned, np.concatenate([faces, faces]), degenerate):
        assert not is_closed(broken) and not scenes.is_closed(broken)
    assert not is_closed(faces[:0])
