"""Colours for what is hidden: a smooth fill from the far side alone, and the far side's own fine texture, reflected.

The near side must not bleed into the plate. So sources lie beside steps on their far side, and each counts for those
parts of the plate only that it is not in front of: the fill is made at several disparities and taken at the plate's own
between two of them, as in a bilateral grid (Paris & Durand 2006).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int64, Shaped, UInt8
from numpy import ndarray

LEVEL = 1.5
"""Ratio of disparity from one fill to the next."""
MOST_LEVELS = 10
IN_FRONT = 1.2
"""A source may be nearer than the level by this factor."""
LIGHT = 1e-3
"""Weight of a source far behind the level."""
FADE = 60.0
"""Samples over which the reflected texture fades: a mirror image of things is seen as such beyond that."""
SAME = 0.05
"""Relative difference of disparity up to which a reflected sample lies on the plane that is carried on."""
ALIKE = 25.0
"""Distance of two colours up to which they are alike, in grey levels."""
UNMIXED = 0.35
"""Distance of a colour from all mixtures of two, in parts of theirs, from which it is none."""
FINE = 6
"""Half width in samples of the boxes, used twice, whose blur leaves out what counts as fine texture."""


def push_pull(colours: Float32[ndarray, "h w c"], weight: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w c"]:
    """Colours everywhere, from where they have weight (Gortler et al. 1996, section 3.4.2, "pull" and "push").

    Where the weight is 1 or more, a colour stays; a constant colour is filled in exactly.
    """
    if min(weight.shape) == 1 or weight.min() >= 1:
        total = max(float(weight.sum()), 1e-20)
        mean = (colours * weight[..., None]).sum(axis=(0, 1)) / total
        solid = np.minimum(weight, 1)[..., None]
        return (solid * colours + (1 - solid) * mean).astype(np.float32)
    size = (math.ceil(weight.shape[1] / 2), math.ceil(weight.shape[0] / 2))
    even = ((0, weight.shape[0] % 2), (0, weight.shape[1] % 2))
    sums = np.dstack([np.pad(colours * weight[..., None], (*even, (0, 0))), np.pad(weight, even)])
    sums = 4 * cv2.resize(sums, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], -1)
    coarse_weight = sums[..., -1]
    coarse = push_pull(sums[..., :-1] / np.maximum(coarse_weight, 1e-20)[..., None], np.minimum(coarse_weight, 1))
    full = (2 * size[0], 2 * size[1])
    fine = cv2.resize(coarse, full, interpolation=cv2.INTER_LINEAR).reshape(full[1], full[0], -1)
    solid = np.minimum(weight, 1)[..., None]
    return (solid * colours + (1 - solid) * fine[: weight.shape[0], : weight.shape[1]]).astype(np.float32)


def filled_by_level(
    colours: Float32[ndarray, "h w 3"],
    inverse: Float32[ndarray, "h w"],
    source: Bool[ndarray, "h w"],
    plate: Float32[ndarray, "h w"],
) -> Float32[ndarray, "h w 3"]:
    """A colour for every cell, from sources that are not in front of the plate there. inverse: the sources' disparity;
    plate: its own, finite everywhere."""
    low, high = math.log(float(plate.min())), math.log(float(plate.max()))
    count = int(np.clip(math.ceil((high - low) / math.log(LEVEL)) + 1, 1, MOST_LEVELS))
    step = max((high - low) / max(count - 1, 1), 1e-6)
    place = (np.log(plate) - np.float32(low)) / np.float32(step)
    out, total = np.zeros((*plate.shape, 3), np.float32), np.full(plate.shape, np.float32(1e-6))
    for level in range(count):
        share = np.maximum(1 - np.abs(place - np.float32(level)), 0)
        fill = push_pull(colours, _weights(inverse, source, math.exp(low + level * step)))
        out += share[..., None] * fill
        total += share
    return out / total[..., None]


def _weights(inverse: Float32[ndarray, "h w"], source: Bool[ndarray, "h w"], level: float) -> Float32[ndarray, "h w"]:
    """1 for sources at the level, less for farther ones, 0 for those in front of it."""
    relative = np.where(source, inverse, 0) / np.float32(level)
    usable = source & (relative <= IN_FRONT)
    if not usable.any():  # nothing is so far: the farthest there is
        usable = source & (relative <= relative[source].min(initial=np.inf) * np.float32(IN_FRONT))
    fitting = np.clip(np.minimum(relative * np.float32(LEVEL), 1) ** 8, LIGHT, 1)
    return np.where(usable, fitting, 0).astype(np.float32)


def reflected_detail(
    photo: Float32[ndarray, "a b 3"],
    inverse: Float32[ndarray, "a b"],
    source: Bool[ndarray, "a b"],
    carried: tuple[Int64[ndarray, "2 n"], Float32[ndarray, "2 n"]],
    plate: Float32[ndarray, " n"],
) -> Float32[ndarray, "n 3"]:
    """The far side's fine texture, mirrored across the step, where the mirrored sample is a source on the plate's own
    plane; 0 elsewhere.

    carried: places in the photo's samples (row, column; they may lie outside), and those of the far samples that each is
    carried on from; plate: disparity there.
    """
    (rows, columns), step = carried[0], carried[1]
    y, x = np.rint(2 * step[0] - rows).astype(np.int64), np.rint(2 * step[1] - columns).astype(np.int64)
    height, width = source.shape
    fade = 1 - np.hypot(rows - step[0], columns - step[1]) / np.float32(FADE)
    usable = np.flatnonzero((y >= 0) & (y < height) & (x >= 0) & (x < width) & (fade > 0))
    y, x = y[usable], x[usable]
    i, j = (np.clip(step[axis][usable].astype(np.int64), 0, side - 1) for axis, side in enumerate(source.shape))
    # mirrored across the step, the plane's disparity lies as far on the step's other side
    expected = 2 * inverse[i, j] - plate[usable]
    same = source[y, x] & (np.abs(inverse[y, x] - expected) <= SAME * inverse[i, j])
    out = np.zeros((len(rows), 3), np.float32)
    out[usable[same]] = _fine(photo, source)[y[same], x[same]] * fade[usable[same], None]
    return out


def _fine(photo: Float32[ndarray, "h w 3"], source: Bool[ndarray, "h w"]) -> Float32[ndarray, "h w 3"]:
    """What a blur over sources alone takes from the photo."""
    weight, size = source.astype(np.float32), (2 * FINE + 1, 2 * FINE + 1)
    sums = cv2.blur(cv2.blur(photo * weight[..., None], size), size)
    return photo - sums / np.maximum(cv2.blur(cv2.blur(weight, size), size), 1e-3)[..., None]


def cell_means(
    colours: Float32[ndarray, "a b 3"], inverse: Float32[ndarray, "a b"], source: Shaped[ndarray, "a b"]
) -> tuple[Float32[ndarray, "h w 3"], Float32[ndarray, "h w"], Float32[ndarray, "h w"]]:
    """Colour and disparity of the sources in every two by two samples, each with its weight, and the weight's mean."""
    weight = source.astype(np.float32)
    sums = cv2.resize(
        np.dstack([colours, inverse]) * weight[..., None], None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA
    )
    count = cv2.resize(weight, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    means = sums / np.maximum(count, 1e-6)[..., None]
    return np.ascontiguousarray(means[..., :3]), np.ascontiguousarray(means[..., 3]), count


def halved(
    colours: Float32[ndarray, "a b 3"], inverse: Float32[ndarray, "a b"], weight: Float32[ndarray, "a b"]
) -> tuple[Float32[ndarray, "h w 3"], Float32[ndarray, "h w"], Bool[ndarray, "h w"]]:
    """`cell_means` once more, and where there are any sources."""
    even = ((0, weight.shape[0] % 2), (0, weight.shape[1] % 2))
    colour, mean, count = cell_means(np.pad(colours, (*even, (0, 0))), np.pad(inverse, even), np.pad(weight, even))
    return colour, mean, count > 0


def halved_map(values: Float32[ndarray, "a b"]) -> Float32[ndarray, "h w"]:
    """Means of every two by two."""
    even = ((0, values.shape[0] % 2), (0, values.shape[1] % 2))
    return np.asarray(cv2.resize(np.pad(values, even, mode="edge"), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def doubled(values: Float32[ndarray, "h w *c"]) -> Float32[ndarray, "a b *c"]:
    """At two by two samples for each, linear between them."""
    size = (2 * values.shape[1], 2 * values.shape[0])
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR))


def mixed_share(
    colours: Float32[ndarray, "h w 3"], near: Float32[ndarray, "h w 3"], far: Float32[ndarray, "h w 3"]
) -> Float32[ndarray, "h w"]:
    """How much of the near side's colour is in each, α of I = α·near + (1 − α)·far by least squares; NaN where both are
    alike, or where no mixture of them is like it."""
    apart = near - far
    size = (apart * apart).sum(axis=2)
    share = ((colours - far) * apart).sum(axis=2) / np.maximum(size, 1)
    rest = colours - far - share[..., None] * apart
    explained = (size >= ALIKE**2) & ((rest * rest).sum(axis=2) <= UNMIXED**2 * size)
    return np.where(explained, share, np.float32(np.nan))


def nearest_colours(
    colours: Float32[ndarray, "h w 3"], source: Bool[ndarray, "h w"], wanted: Bool[ndarray, "h w"], limit: float
) -> tuple[UInt8[ndarray, "h w 3"], Bool[ndarray, "h w"]]:
    """The colours, those that are wanted replaced by the nearest source's where it is at most `limit` samples away; and
    which were."""
    out = np.clip(np.rint(colours), 0, 255).astype(np.uint8)
    if not source.any():
        return out, np.zeros_like(wanted)
    distance, label = cv2.distanceTransformWithLabels(
        (~source).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    lookup = np.zeros((int(label.max()) + 1, 3), np.uint8)
    lookup[label[source]] = out[source]
    found = wanted & (distance <= limit)
    out[found] = lookup[label[found]]
    return out, found
