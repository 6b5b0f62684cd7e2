"""Parts of a subject that are too thin for a lattice: legs, straps, stems. They are found in the photo's mask, made as
wide as the lattice can hold, and kept so."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float32
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from recon.geometry.fill import nearest_filled
from recon.geometry.lattice import stride_for
from recon.refinement.reference import Reference
from recon.types import DepthMap, Mask

NARROW = 3.5
"""Cells: what is not this wide in the photo counts as thin."""
WIDE = 2.0
"""Cells: how wide a thin part is made at least; no line through a lattice is half as far from all its vertices."""
THICKER = 0.9
"""Cells that a thin part grows by on every side at most."""
KEPT = 0.6
"""Of the distance inside a thin part, what is left of it at least."""
PLATE = 2.5
"""Cells: how thick a subject is made at least along the optical axis, or the edges of its plates would be sawteeth."""


def linked(mask: Mask, depth: DepthMap, samples: int) -> tuple[Mask, DepthMap]:
    """Mask and depth of a subject whose thin parts are wide enough for a lattice of `samples` samples where something hangs
    on them: a leaf on a stem that falls between the samples would be a piece of its own, and lost."""
    assert mask.inside is not None
    assert depth.back is not None
    stride = stride_for(depth.z, samples)
    if stride == 1:
        return mask, depth
    wider = mask.inside | _within(_links(mask.inside, stride), stride)
    z, back = (np.where(wider, nearest_filled(each), np.float32(np.nan)) for each in (depth.z, depth.back))
    return replace(mask, inside=wider), replace(depth, z=z, back=back)


def _links(inside: Bool[ndarray, "h w"], reach: int) -> Bool[ndarray, "h w"]:
    """What is less than 2·reach wide and has two wider parts at its ends."""
    wide = _within(_depth(inside) > reach, reach) & inside
    thin = inside & ~_within(wide, reach)
    _, parts = cv2.connectedComponents(wide.astype(np.uint8))
    _, pieces, boxes, _ = cv2.connectedComponentsWithStats(thin.astype(np.uint8))
    out = np.zeros_like(inside)
    for number, (left, top, width, height, _) in enumerate(boxes[1:], 1):
        around = 2 * reach + 2
        box = np.s_[max(0, top - around) : top + height + around, max(0, left - around) : left + width + around]
        piece = pieces[box] == number
        ends = parts[box][_within(piece, around) & wide[box]]
        if len(np.unique(ends)) > 1:
            out[box] |= piece
    return out


def _depth(inside: Bool[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """How far each pixel lies from the nearest one that is not inside."""
    return cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)


def _within(there: Bool[ndarray, "h w"], reach: int) -> Bool[ndarray, "h w"]:
    """Which pixels lie within `reach` of one that is there."""
    if not there.any():
        return there
    return _depth(~there) <= reach


def thickened(
    reference: Reference,
    distance: Float[Tensor, " n"],
    smooth: Float[Tensor, " n"],
    points: Float[Tensor, "n 3"],
    cell: float,
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """A signed distance, positive inside, at points, with thin parts thickened, and the least that it may become there
    (minus infinity elsewhere). smooth: the same smoothed, which it is where nothing is thin: smoothing takes thin parts
    away. cell: of the lattice, in the world's unit."""
    share, growth = _thin(reference, points, cell)
    thicker = smooth + share * (distance + cell * growth - smooth)
    held = (share > 0.5) & (thicker > 0)
    least = torch.where(held, KEPT * thicker, -torch.inf)
    return torch.maximum(thicker, least), least


def _thin(
    reference: Reference, points: Float[Tensor, "n 3"], cell: float
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """For points: 1 where the photo's camera sees them in a thin part or close by, 0 far from any, smooth between; and
    how far that part is to grow, in cells."""
    camera = reference.camera
    pixels = cell * camera.focal / float(camera.position.norm())
    narrow = NARROW * pixels
    inside = (reference.mask > 0.5).cpu().numpy().astype(np.uint8)
    wide = cv2.morphologyEx(inside, cv2.MORPH_OPEN, _disc(narrow))
    # rough edges of what is wide are no thin parts: these lead away from it
    away = cv2.distanceTransform(1 - wide, cv2.DIST_L2, 5) > narrow / 2 if wide.any() else True
    thin = ((inside > wide) & away).astype(np.uint8)
    half = cv2.dilate(thin * cv2.distanceTransform(inside, cv2.DIST_L2, 5), _disc(narrow)) / pixels
    near = cv2.dilate(thin, _disc(2 * narrow)).astype(np.float32)
    growth = cv2.dilate(thin * np.clip(WIDE / 2 - half, 0, THICKER).astype(np.float32), _disc(2 * narrow))
    maps = [cv2.GaussianBlur(each, (0, 0), max(narrow / 4, 0.5)) for each in (near, growth)]
    places = camera.project(points)[:, :2] * (2 / camera.width) - 1
    layers = torch.from_numpy(np.stack(maps)).to(points)[None]
    found = F.grid_sample(layers, places[None, None], padding_mode="zeros", align_corners=False)[0, :, 0]
    return found[0], found[1] / found[0].clamp_min(1e-3)


def _disc(diameter: float) -> np.ndarray:
    side = max(1, round(diameter))
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
