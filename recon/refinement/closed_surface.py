"""From oriented points all round an object to a closed mesh: screened Poisson (Kazhdan and Hoppe 2013), untrimmed."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from recon.errors import BadInput
from recon.geometry.pieces import main_pieces
from recon.geometry.poisson import screened_poisson

FEWEST_POINTS = 50
SMALLEST = 0.02
"""Pieces with less of the largest one's volume are the solver's bubbles, not parts of the object."""


def wrapped(
    points: Float[Tensor, "n 3"], normals: Float[Tensor, "n 3"], cell: float
) -> tuple[Float[Tensor, "v 3"], Int64[Tensor, "f 3"]]:
    """The closed surface of points whose normals point outwards, wound counter-clockwise seen from outside.

    cell: the solver's finest one, in the points' unit; much smaller than their distances it only costs time. Raises
    BadInput where the points enclose nothing.
    """
    if len(points) < FEWEST_POINTS:
        raise BadInput(
            "points.too_few", "only {count} points are there, too few for a surface; check the mask.", count=len(points)
        )
    vertices, faces = screened_poisson(points.detach().cpu().numpy(), normals.detach().cpu().numpy(), cell)
    vertices, faces = main_pieces(vertices, faces, SMALLEST)
    if not len(faces):
        raise BadInput("points.no_volume", "the points enclose no volume; check the mask and the depth map.")
    return torch.from_numpy(vertices.astype(np.float32)), torch.from_numpy(faces.astype(np.int64))


def without_crumbs(
    vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]
) -> tuple[Float[Tensor, "w 3"], Int64[Tensor, "g 3"]]:
    """The pieces with at least `SMALLEST` of the largest one's signed volume; bubbles within have a negative one."""
    found = main_pieces(vertices.cpu().numpy(), faces.int().cpu().numpy(), SMALLEST)
    return torch.from_numpy(found[0]).to(vertices.device), torch.from_numpy(found[1]).long().to(faces.device)
