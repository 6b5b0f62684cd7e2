"""A picture of the side of a subject that nobody has photographed, as if seen through it from the front.

Low frequencies: a network's colours where there are any; where the thing is its own mirror image and the photo shows
that, the photo's there, without what is as thin as the strokes of writing. Else a horse that is seen from its side looks
like that from the other one too, without writing and other details; what is seen from the front has another back, without
a face, whose colours come from its rim, and sooner from the sides than from above and below, as most things are round about
an upright axis. Along the rim they are the photo's own, so that no seam is seen. Details: what is texture in the photo, and
neither writing nor a face, synthesised anew as asymptotic discrete spot noise (Galerne, Gousseau and Morel 2011, "Random
Phase Textures", definition 3): the photo's own spectrum with phases of chance, which repeats and mirrors nothing.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8
from numpy import ndarray

LOPSIDED, SYMMETRIC = 0.75, 0.85
"""Overlap of a silhouette with its mirror image: up to this from the side, from that on from the front."""
LETTERS = 0.2
"""Side of the median's window that takes writing and eyes from what is seen through, over the root of the area."""
STROKES = 0.06
"""The same for what is mirrored: windows and wheels stay, writing whose strokes are up to half as wide goes."""
RIM_SIDE, AROUND = 96, 0.4
"""Longer side of the picture that is filled from its rim; how far a step sideways counts there against one up or down."""
BLEND, SEAM = 0.3, 0.03
"""How far from the rim the photo's own low frequencies fade into a network's, and all of the photo into what was guessed,
over the root of the subject's area."""
GRAIN = 0.012
"""Standard deviation of the Gaussian that takes the texture away, over the root of the subject's area."""
PATCH, QUANTILE = 0.1, 0.1
"""Side of the patch that the texture is taken from, over the root of the subject's area; of all patches inside, the one
with so many below it in energy: writing, faces and edges are above."""


def far_side(
    near: UInt8[ndarray, "h w 3"],
    inside: Bool[ndarray, "h w"],
    behind: UInt8[ndarray, "h w 3"] | None = None,
    images: Float32[ndarray, "h w 3"] | None = None,
) -> UInt8[ndarray, "h w 3"]:
    """The far side's colours, pixel for pixel behind the photo's.

    near: the photo, its subject's colours also beyond the subject's rim; inside: where the subject is, not empty; behind:
    what a network says of the far side's colours; images: the place (x, y) of each pixel's mirror image in the photo, and
    how well the photo shows it, 0 (not at all) to 1.
    """
    root = float(np.sqrt(inside.sum()))
    share = _frontal(inside)
    base = share * _from_rim(near, inside) + (1 - share) * _median(near, LETTERS * root, LETTERS * root)
    if behind is not None:
        base += (1 - _at_rim(inside, BLEND * root))[..., None] * (behind - base)
    if images is not None:
        plain = _median(near, STROKES * root, STROKES * root)
        mirrored = cv2.remap(plain, images[..., 0], images[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        base += images[..., 2:] * (mirrored - base)
    base += _grain(near, inside, root)
    base += _at_rim(inside, SEAM * root)[..., None] * (near - base)
    return base.round().clip(0, 255).astype(np.uint8)


def _at_rim(inside: Bool[ndarray, "h w"], reach: float) -> Float32[ndarray, "h w"]:
    """1 on the rim and outside, falling smoothly to 0 at `reach` pixels from it."""
    distance = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    near = 1 - np.clip((distance - 1) / np.float32(max(reach, 1)), 0, 1)
    return near * near * (3 - 2 * near)


def _from_rim(near: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"]) -> Float32[ndarray, "h w 3"]:
    """The rim's colours carried on inwards: each pixel's is the mean of all of them by weights of the third power of the
    nearness (Shepard 1968)."""
    factor = min(1.0, RIM_SIDE / max(inside.shape))
    size = max(1, round(inside.shape[1] * factor)), max(1, round(inside.shape[0] * factor))
    small = cv2.resize(near, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    there = cv2.resize(inside.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    there = there if there.any() else np.ones_like(there)
    rim = there > cv2.erode(there, np.ones((3, 3), np.uint8), borderValue=0)
    (y, x), rows, columns = np.nonzero(rim), np.arange(size[1]), np.arange(size[0])
    across, down = AROUND**2 * (columns[:, None] - x) ** 2, (rows[:, None] - y) ** 2
    filled = np.empty_like(small)
    for row in rows:
        weight = (across + down[row] + 0.25).astype(np.float32) ** -1.5
        filled[row] = weight @ small[rim] / weight.sum(1, keepdims=True)
    return np.asarray(cv2.resize(filled, inside.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def _grain(near: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"], root: float) -> Float32[ndarray, "h w 3"]:
    """The photo's texture made anew: of the spectrum of one patch, as strong as what the photo has in the same place, but
    not stronger than in the patch."""
    fine = near - cv2.GaussianBlur(near.astype(np.float32), (0, 0), max(GRAIN * root, 0.5))
    side = max(3, round(PATCH * root))
    energy = np.maximum(cv2.boxFilter((fine * fine).mean(2) * inside, -1, (side, side)), 0)
    whole = cv2.erode(inside.astype(np.uint8), np.ones((side, side), np.uint8), borderValue=0) > 0
    if not whole.any():
        return np.zeros_like(fine)
    places = np.argwhere(whole)
    order = np.argsort(energy[whole], kind="stable")
    row, column = places[order[int(QUANTILE * (len(order) - 1))]] - side // 2
    patch = fine[row : row + side, column : column + side]
    patch = (patch - patch.mean((0, 1))) / np.float32(side)
    white = np.random.default_rng(0).standard_normal(inside.shape, np.float32)
    made = np.stack([cv2.filter2D(white, -1, patch[..., c]) for c in range(3)], axis=2)
    strength = np.sqrt(energy / max(float(np.square(patch).sum() / 3), 1e-9))
    return made * np.minimum(strength, 1)[..., None]


def _median(picture: UInt8[ndarray, "h w 3"], width: float, height: float) -> UInt8[ndarray, "h w 3"]:
    """The median of each channel in a window of so many pixels: the picture is narrowed until it is a square one."""
    side = int(height) // 2 * 2 + 1
    if side < 3:
        return picture
    size = picture.shape[1], picture.shape[0]
    narrow = cv2.resize(picture, (max(1, round(size[0] * height / width)), size[1]), interpolation=cv2.INTER_AREA)
    wide = cv2.resize(cv2.medianBlur(narrow, side), size, interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(wide, (0, 0), max(side / 12, 0.5))  # its own jags


def _frontal(inside: Bool[ndarray, "h w"]) -> float:
    """From 0, seen from the side, to 1, from the front: the more a silhouette is its own mirror image about the middle of
    its box."""
    columns = np.flatnonzero(inside.any(0))
    if not len(columns):
        return 1.0
    box = inside[:, columns[0] : columns[-1] + 1]
    overlap = (box & box[:, ::-1]).sum() / (box | box[:, ::-1]).sum()
    return float(np.clip((overlap - LOPSIDED) / (SYMMETRIC - LOPSIDED), 0, 1))
