"""A segmenter without weights: what differs from a plain border, cut out by GrabCut (Rother et al. 2004).

The photo's border is the prior: where a smooth surface per Lab channel explains the border's colours, the subject is
what that surface does not explain. Where it explains them badly, the photo is a scene and there is no mask.

Colours are float32 CIE Lab (L in 0..100); lengths are pixels of a copy with a long side of at most `silhouette.WORK_SIDE`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.geometry.silhouette import (
    ROUNDS,
    at_grabcut_size,
    connected_components,
    grab_cut,
    is_credible,
    one_subject,
    outline_to_edges,
    without_small_holes,
)

BAND = 0.04  # the border's width over the short side
INLIER = 9.0  # Lab units: a border pixel this near to the surface is explained by it
MIN_EXPLAINED = 0.72  # the share of the border that must be explained; the rest may be a subject cut by the edge
MAX_SPREAD = 4.0  # Lab units: root mean square of what is explained; more is texture
BAR_TOLERANCE = 6  # of 255, for compressed bars


class GrabCut:
    """A `Segmenter` for photos of one thing before a plain or smoothly shaded ground."""

    name = "grabcut"

    def segment(self, rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
        """The subject; None for a scene: the border is not plain or what differs from it not credible (`silhouette`)."""
        top, bottom, left, right = 0, rgb.shape[0], 0, rgb.shape[1]
        found = _segment(rgb)
        if found is None:  # bars around the picture hide its border
            top, bottom, left, right = _without_bars(rgb)
            found = _segment(rgb[top:bottom, left:right]) if (bottom - top, right - left) != rgb.shape[:2] else None
        if found is None:
            return None
        mask = np.zeros(rgb.shape[:2], dtype=bool)
        mask[top:bottom, left:right] = found
        return mask if is_credible(mask) else None


@dataclass(frozen=True)
class _Ground:
    """The border's surface, evaluated over the picture: distance of each pixel from it, and the border's own spread."""

    distance: Float32[ndarray, "h w"]
    spread: float


def _segment(rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
    if min(rgb.shape[:2]) < 16:
        return None
    small = at_grabcut_size(rgb)
    calm = cv2.bilateralFilter(small, 5, 25, 2)  # sensor noise is no texture; thin things stay
    ground = _fit_ground(cv2.cvtColor(calm.astype(np.float32) / 255, cv2.COLOR_RGB2Lab))
    if ground is None:
        return None
    mask = one_subject(_cut(calm, ground))
    if mask is None:
        return None
    mask = _fill(mask, ground)
    return outline_to_edges(mask, small, rgb) if is_credible(mask) else None


def _fill(mask: Bool[ndarray, "h w"], ground: _Ground) -> Bool[ndarray, "h w"]:
    """Small holes filled, and larger ones through which the ground cannot be what is seen."""
    mask = without_small_holes(mask, 1 + ground.spread)
    holes, sizes = connected_components(~mask)
    filled = np.zeros(len(sizes) + 1, bool)
    for i in range(1, len(filled)):
        inside = holes == i
        if not (inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any()):
            filled[i] = np.median(ground.distance[inside]) > 1.0 + 1.5 * ground.spread
    return np.asarray(mask | filled[holes])


def _fit_ground(lab: Float32[ndarray, "h w 3"]) -> _Ground | None:
    """A quadratic surface per channel through the border band, by least squares on those it explains; None if few."""
    height, width = lab.shape[:2]
    band = max(2, round(BAND * min(height, width)))
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    basis = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    frame = np.ones((height, width), dtype=bool)
    frame[band:-band, band:-band] = False
    terms, colours = basis[frame], lab[frame]
    distance = np.linalg.norm(colours - np.median(colours, axis=0), axis=1)
    for _ in range(8):
        keep = distance <= max(INLIER, 1.5 * float(np.median(distance)))
        if keep.sum() < len(keep) / 3:
            return None
        near = terms[keep]
        ridge = 1e-4 * len(near) * np.eye(near.shape[1])  # one free side of the border alone must not bend the rest
        surface = np.linalg.solve(near.T @ near + ridge, near.T @ colours[keep])
        distance = np.linalg.norm(colours - terms @ surface, axis=1)
    keep = distance <= INLIER
    spread = float(np.sqrt(np.mean(distance[keep] ** 2))) if keep.any() else np.inf
    if keep.mean() < MIN_EXPLAINED or spread > MAX_SPREAD:
        return None
    return _Ground(np.linalg.norm(lab - basis @ surface, axis=2).astype(np.float32), spread)


def _cut(small: UInt8[ndarray, "h w 3"], ground: _Ground) -> Bool[ndarray, "h w"]:
    """GrabCut from the distance to the ground: sure where that is large or small, decided by colour in between."""
    low = 1.5 + 1.5 * ground.spread
    high = 8.0 + 3.0 * ground.spread
    labels = np.full(ground.distance.shape, cv2.GC_PR_BGD, np.uint8)
    labels[ground.distance > (low + high) / 2] = cv2.GC_PR_FGD
    labels[ground.distance > high] = cv2.GC_FGD
    labels[ground.distance < low] = cv2.GC_BGD
    mask = grab_cut(small, labels, ROUNDS)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    return np.asarray(opened | (mask & (ground.distance > high)))


def _without_bars(rgb: UInt8[ndarray, "h w 3"]) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of the picture inside bars of one colour, such as a square canvas has."""
    top, bottom = _run_of_one_colour(rgb), rgb.shape[0] - _run_of_one_colour(rgb[::-1])
    if top >= bottom:
        return 0, rgb.shape[0], 0, rgb.shape[1]
    turned = rgb[top:bottom].transpose(1, 0, 2)
    return top, bottom, _run_of_one_colour(turned), rgb.shape[1] - _run_of_one_colour(turned[::-1])


def _run_of_one_colour(rows: UInt8[ndarray, "h w 3"]) -> int:
    """How many rows from the first on have one colour, the first pixel's; 0 rather than all."""
    first = rows[0, 0].astype(np.int16)
    for i, row in enumerate(rows):
        if np.abs(row - first).max() > BAR_TOLERANCE:
            return i
    return 0
