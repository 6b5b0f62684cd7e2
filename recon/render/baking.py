"""A texture baked on a mesh: its own colours, and photos over them where they see it. No graphics card takes part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int64, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from .atlas import Atlas, Shot, blended, padded, texels, unwrap
from .raster import interpolate, vertex_normals

Colours = Callable[[Float[Tensor, "n 3"]], Float[Tensor, "n 3"]]
"""In 0..1, at points of a surface."""


class Baked(NamedTuple):
    """atlas: the mesh laid out; texture: what uv points into; colours: of the mesh's vertices, sRGB."""

    atlas: Atlas
    texture: UInt8[ndarray, "h w 3"]
    colours: UInt8[ndarray, "v 3"]


@torch.no_grad()
def baked(
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    colours: Colours,
    shots: Sequence[Shot],
    side: int,
) -> Baked:
    """A mesh's atlas of at most side² texels, each with the mesh's own colour there, or a photo's that sees it."""
    normals = vertex_normals(vertices, faces)
    of_vertices = blended(colours(vertices), vertices, normals, vertices, faces, shots)
    atlas = unwrap(vertices, faces, side)
    covered = texels(atlas)
    points = interpolate(vertices[atlas.source], covered)
    # a face's own normal would have the photo on one face and not on the next
    towards = F.normalize(interpolate(normals[atlas.source], covered), dim=1)
    values = blended(colours(points), points, towards, vertices, faces, shots)
    return Baked(atlas, _bytes(padded(values, covered)), _bytes(of_vertices))


def _bytes(colours: Float[Tensor, "*n 3"]) -> UInt8[ndarray, "*n 3"]:
    found: ndarray = (255 * colours.clamp(0, 1)).round().byte().cpu().numpy()
    return np.ascontiguousarray(found)
