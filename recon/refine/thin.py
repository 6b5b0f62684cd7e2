"""Parts of a subject that are too thin for a lattice: legs, straps, stems. They are found in the photo's mask, made as
thick as the lattice can hold, and kept so."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from recon.refine.target import Target

NARROW = 3.5
"""Cells: what is not this wide in the photo counts as thin."""
THICKER = 0.9
"""Cells that a thin part grows by on every side: no line through a lattice is farther from all its vertices."""
KEPT = 0.6
"""Of the distance inside a thin part, what is left of it at least."""
PLATE = 2.5
"""Cells: how thick a subject is made at least along the optical axis, or the edges of its plates would be sawteeth."""


def thickened(
    target: Target, distance: Float[Tensor, " n"], points: Float[Tensor, "n 3"], cell: float
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """A signed distance, positive inside, at points, with thin parts thickened, and the least that it may become there
    (minus infinity elsewhere). cell: of the lattice, in the world's unit."""
    share = _share(target, points, cell)
    thicker = distance + THICKER * cell * share
    held = (share > 0.5) & (thicker > 0)
    least = torch.where(held, KEPT * thicker, -torch.inf)
    return torch.maximum(thicker, least), least


def _share(target: Target, points: Float[Tensor, "n 3"], cell: float) -> Float[Tensor, " n"]:
    """1 for points that the photo's camera sees in a thin part or close by, 0 far from any, smooth between."""
    camera = target.camera
    narrow = NARROW * cell * camera.focal / float(camera.position.norm())
    inside = (target.mask > 0.5).cpu().numpy().astype(np.uint8)
    wide = cv2.morphologyEx(inside, cv2.MORPH_OPEN, _disc(narrow))
    # rough edges of what is wide are no thin parts: these lead away from it
    away = cv2.distanceTransform(1 - wide, cv2.DIST_L2, 5) > narrow / 2 if wide.any() else True
    thin = ((inside > wide) & away).astype(np.uint8)
    near = cv2.dilate(thin, _disc(2 * narrow)).astype(np.float32)
    smooth = torch.from_numpy(cv2.GaussianBlur(near, (0, 0), max(narrow / 4, 0.5))).to(points)
    places = camera.project(points)[:, :2] * (2 / camera.width) - 1
    return F.grid_sample(smooth[None, None], places[None, None], padding_mode="zeros", align_corners=False)[0, 0, 0]


def _disc(diameter: float) -> np.ndarray:
    side = max(1, round(diameter))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
