"""Silhouettes: which masks may be one subject, and a coarse one drawn to the photo's edges by GrabCut (Rother et al. 2004).

Credible: a mask covers between 2 % and 85 % of the photo, and at most 35 % of the photo's left, top and right edges. The
bottom edge does not count: portraits and things on a table are cut there. Lengths are pixels of a copy with a long side of
at most `WORK_SIDE`.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from numpy import ndarray

MIN_COVER, MAX_COVER = 0.02, 0.85
MAX_TOUCH = 0.35
WORK_SIDE = 320  # px: GrabCut's time grows with the area; the outline is sharpened at full size afterwards
GAUSSIANS = 5  # GrabCut's colour models have five each
ROUNDS = 2  # of GrabCut; the start is good
MIN_PIECE = 0.004  # the smallest piece kept, over the largest
SMALL_HOLE = 0.004  # over the subject's area: a spot of the ground's colour, not the hole in a handle
SURE = 0.9  # a probability that GrabCut may not overrule
GUIDED_RADIUS = 2
GUIDED_EPSILON = 1e-4  # guide units squared: contrasts below a hundredth are not edges
MIN_MAIN = 0.6  # the share of the foreground that the largest piece must hold: else there are several subjects


def edge_contact(mask: Bool[ndarray, "h w"]) -> float:
    """Which share of the photo's left, top and right edges lies inside the mask."""
    return float(np.concatenate([mask[:, 0], mask[0], mask[:, -1]]).mean())


def is_credible(mask: Bool[ndarray, "h w"]) -> bool:
    """Whether the mask may be a single subject, by cover and by the edges it touches."""
    return bool(MIN_COVER <= mask.mean() <= MAX_COVER) and edge_contact(mask) <= MAX_TOUCH


def sharpen(rgb: UInt8[ndarray, "h w 3"], probability: Float32[ndarray, "a b"]) -> Bool[ndarray, "h w"] | None:
    """A network's coarse idea of the subject, drawn to the photo's edges by GrabCut; None if it is not credible.

    probability: of being subject, 0..1, of any resolution over the whole photo; what is near 0 or 1 is believed.
    """
    small = at_grabcut_size(rgb)
    size = small.shape[1], small.shape[0]
    likely = cv2.resize(probability, size, interpolation=cv2.INTER_LINEAR)
    labels = np.where(likely > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[likely > SURE] = cv2.GC_FGD
    labels[likely < 1 - SURE] = cv2.GC_BGD
    mask = one_subject(grab_cut(small, labels, 2 * ROUNDS))
    if mask is None:
        return None
    mask = without_small_holes(mask, 3.0)
    return outline_to_edges(mask, small, rgb) if is_credible(mask) else None


def at_grabcut_size(rgb: UInt8[ndarray, "h w 3"]) -> UInt8[ndarray, "a b 3"]:
    """The photo at the size at which GrabCut runs."""
    factor = min(1.0, WORK_SIDE / max(rgb.shape[:2]))
    size = max(16, round(rgb.shape[1] * factor)), max(16, round(rgb.shape[0] * factor))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA))


def grab_cut(small: UInt8[ndarray, "h w 3"], labels: UInt8[ndarray, "h w"], rounds: int) -> Bool[ndarray, "h w"]:
    """GrabCut from labels, the same on every run. Labels with too little on one side stand as they are."""
    inside = (labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD)
    if min(inside.sum(), (~inside).sum()) < GAUSSIANS:
        return np.asarray(inside)
    cv2.setRNGSeed(0)  # its colour models start by k-means
    cv2.grabCut(small, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), rounds, cv2.GC_INIT_WITH_MASK)
    return np.asarray((labels == cv2.GC_FGD) | (labels == cv2.GC_PR_FGD))


def one_subject(mask: Bool[ndarray, "h w"], main: float = MIN_MAIN) -> Bool[ndarray, "h w"] | None:
    """The mask without its small pieces; None where no piece holds the share `main` of it."""
    labels, areas = connected_components(mask)
    if not areas.size or areas.max() < main * areas.sum():
        return None
    return np.asarray(np.append(False, areas >= MIN_PIECE * areas.max())[labels])


def without_small_holes(mask: Bool[ndarray, "h w"], doubt: float) -> Bool[ndarray, "h w"]:
    """The mask, its holes under SMALL_HOLE·doubt of its area filled: through a hole one sees a plain ground for sure
    (doubt 1), a rough one maybe (3)."""
    holes, sizes = connected_components(~mask)
    return np.asarray(mask | np.append(False, sizes < SMALL_HOLE * doubt * mask.sum())[holes])


def connected_components(mask: Bool[ndarray, "h w"]) -> tuple[Int32[ndarray, "h w"], Int32[ndarray, " n"]]:
    """Labels of the connected pieces (0 is outside) and the area of each, from piece 1 on."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    return labels, stats[1:, cv2.CC_STAT_AREA]


def outline_to_edges(
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
