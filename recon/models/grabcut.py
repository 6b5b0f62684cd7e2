"""A segmenter without weights: what differs from a plain border, cut out by GrabCut (Rother et al. 2004).

The photo's border is the prior: where a smooth surface per Lab channel explains the border's colours, the subject is
what that surface does not explain. Where it explains them badly, the photo is a scene and there is no mask.

Colours are float32 CIE Lab (L in 0..100); lengths are pixels of a copy with a long side of at most `WORK_SIDE`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

from recon.models.choose import is_credible

WORK_SIDE = 320  # px: GrabCut's time grows with the area; the outline is sharpened at full size afterwards
BAND = 0.04  # the border's width over the short side
INLIER = 9.0  # Lab units: a border pixel this near to the surface is explained by it
MIN_EXPLAINED = 0.72  # the share of the border that must be explained; the rest may be a subject cut by the edge
MAX_SPREAD = 4.0  # Lab units: root mean square of what is explained; more is texture
GAUSSIANS = 5  # GrabCut's colour models have five each
ROUNDS = 2  # of GrabCut; the start is good
MIN_PIECE = 0.004  # the smallest piece kept, over the largest
SMALL_HOLE = 0.004  # over the subject's area: a spot of the ground's colour, not the hole in a handle
SURE = 0.9  # a probability that GrabCut may not overrule
GUIDED_RADIUS = 2
GUIDED_EPSILON = 1e-4  # guide units squared: contrasts below a hundredth are not edges
BAR_TOLERANCE = 6  # of 255, for compressed bars
MIN_MAIN = 0.6  # the share of the foreground that the largest piece must hold: else there are several subjects


class GrabCut:
    """A `Segmenter` for photos of one thing before a plain or smoothly shaded ground."""

    name = "grabcut"

    def segment(self, rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
        """The subject; None for a scene: the border is not plain or what differs from it not credible (`choose`)."""
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


def sharpen(rgb: UInt8[ndarray, "h w 3"], probability: Float32[ndarray, "a b"]) -> Bool[ndarray, "h w"] | None:
    """A network's coarse idea of the subject, drawn to the photo's edges by GrabCut; None if it is not credible.

    probability: of being subject, 0..1, of any resolution over the whole photo; what is near 0 or 1 is believed.
    """
    small = _small(rgb)
    size = small.shape[1], small.shape[0]
    likely = cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR)
    labels = np.where(likely > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[likely > SURE] = cv2.GC_FGD
    labels[likely < 1 - SURE] = cv2.GC_BGD
    mask = _one_subject(_run(small, labels, 2 * ROUNDS))
    if mask is None:
        return None
    mask = _fill(mask, None)
    return _draw(mask, small, rgb) if is_credible(mask) else None


def _segment(rgb: UInt8[ndarray, "h w 3"]) -> Bool[ndarray, "h w"] | None:
    if min(rgb.shape[:2]) < 16:
        return None
    small = _small(rgb)
    calm = cv2.bilateralFilter(small, 5, 25, 2)  # sensor noise is no texture; thin things stay
    ground = _fit_ground(cv2.cvtColor(calm.astype(np.float32) / 255, cv2.COLOR_RGB2Lab))
    if ground is None:
        return None
    mask = _one_subject(_cut(calm, ground))
    if mask is None:
        return None
    mask = _fill(mask, ground)
    return _draw(mask, small, rgb) if is_credible(mask) else None


def _small(rgb: UInt8[ndarray, "h w 3"]) -> UInt8[ndarray, "a b 3"]:
    factor = min(1.0, WORK_SIDE / max(rgb.shape[:2]))
    size = max(16, round(rgb.shape[1] * factor)), max(16, round(rgb.shape[0] * factor))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


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
    mask = _run(small, labels, ROUNDS)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)) > 0
    return np.asarray(opened | (mask & (ground.distance > high)))


def _run(small: UInt8[ndarray, "h w 3"], labels: UInt8[ndarray, "h w"], rounds: int) -> Bool[ndarray, "h w"]:
    """GrabCut from labels, the same on every run. Labels with too little on one side stand as they are."""
    inside = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if min(inside.sum(), (~inside).sum()) < GAUSSIANS:
        return np.asarray(inside)
    cv2.setRNGSeed(0)  # its colour models start by k-means
    cv2.grabCut(small, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def _one_subject(mask: Bool[ndarray, "h w"]) -> Bool[ndarray, "h w"] | None:
    """The mask without its small pieces; None where no piece dominates."""
    labels, areas = _pieces(mask)
    if not areas.size or areas.max() < MIN_MAIN * areas.sum():
        return None
    return np.asarray(np.append(False, areas >= MIN_PIECE * areas.max())[labels])


def _fill(mask: Bool[ndarray, "h w"], ground: _Ground | None) -> Bool[ndarray, "h w"]:
    """Small holes filled, and larger ones through which the ground cannot be what is seen."""
    holes, sizes = _pieces(~mask)
    doubt = 1 + ground.spread if ground else 3.0  # through a hole one sees a plain ground for sure, a rough one maybe
    filled = np.append(False, sizes < SMALL_HOLE * doubt * mask.sum())
    for i in np.flatnonzero(~filled)[1:]:
        inside = holes == i
        enclosed = not (inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any())
        if ground and enclosed:
            filled[i] = np.median(ground.distance[inside]) > 1.0 + 1.5 * ground.spread
    return np.asarray(mask | filled[holes])


def _pieces(mask: Bool[ndarray, "h w"]) -> tuple[ndarray, ndarray]:
    """Labels of the connected pieces (0 is outside) and the area of each, from piece 1 on."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return labels, stats[1:, cv2.CC_STAT_AREA]


def _draw(
    mask: Bool[ndarray, "a b"], small: UInt8[ndarray, "a b 3"], rgb: UInt8[ndarray, "h w 3"]
) -> Bool[ndarray, "h w"]:
    """The mask at the photo's size, its outline drawn to the photo's edges by a fast guided filter (He & Sun 2015).

    The guide is the one linear mix of the channels that tells subject and ground apart best (Fisher's discriminant), so
    an outline between colours of equal brightness is an edge too. Coefficients at the small size, guide at full size.
    """
    weights = _discriminant(mask, small)
    guide = cv2.transform(small, weights).astype(np.float32) / 255
    target, window = mask.astype(np.float32), (2 * GUIDED_RADIUS + 1,) * 2
    mean_g, mean_t = cv2.blur(guide, window), cv2.blur(target, window)
    variance = cv2.blur(guide * guide, window) - mean_g * mean_g
    slope = (cv2.blur(guide * target, window) - mean_g * mean_t) / (variance + GUIDED_EPSILON)
    offset = mean_t - slope * mean_g
    size = rgb.shape[1], rgb.shape[0]
    grown: list[ndarray] = [np.asarray(cv2.resize(cv2.blur(part, window), size)) for part in (slope, offset)]
    result, lift = grown
    result *= np.asarray(cv2.transform(rgb, weights))
    np.multiply(result, np.float32(1 / 255), out=result)
    np.add(result, lift, out=result)
    return np.asarray(result > 0.5)


def _discriminant(mask: Bool[ndarray, "h w"], small: UInt8[ndarray, "h w 3"]) -> Float32[ndarray, "1 4"]:
    """Weights per channel and an offset that map the photo's colours to 0..255, along Fisher's discriminant."""
    near = cv2.dilate(mask.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    inside, outside = small[mask].astype(np.float64), small[near & ~mask].astype(np.float64)
    if not len(outside):
        outside = small[~mask].astype(np.float64)
    scatter = np.cov(inside.T) + np.cov(outside.T) + 4 * np.eye(3)
    direction = np.linalg.solve(scatter, inside.mean(axis=0) - outside.mean(axis=0))
    direction /= np.abs(direction).sum() + 1e-12
    offset = -255 * np.minimum(direction, 0).sum()  # maps 0..255 per channel onto 0..255
    return np.append(direction, offset)[None].astype(np.float32)


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
