"""Colours for what is hidden: a smooth fill from the far side alone, and the far side's own fine texture, reflected.

The near side must not bleed into the plate. So sources lie beside steps on their far side, and each counts for those parts of the
plate only that it is not in front of: the fill is made at several disparities and taken at the plate's own between two of
them, as in a bilateral grid (Paris & Durand 2006).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from numpy import ndarray

LEVEL = 1.25
"""Ratio of disparity from one fill to the next."""
MOST_LEVELS = 10
IN_FRONT = 1.05
"""A source may be nearer than the level by this factor."""
LIGHT = 1e-3
"""Weight of a source far behind the level."""
FADE = 60.0
"""Samples over which the reflected texture fades: a mirror image of things is seen as such beyond that."""
SAME = 0.05
"""Relative difference of disparity up to which a reflected sample lies on the plane that is carried on."""
FINE = 6.0
"""Standard deviation in samples of what counts as fine texture."""


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
    """A colour for every cell of the plate, from sources that are not in front of it. inverse: the sources' disparity;
    plate: the plate's own, NaN where it is not."""
    here = ~np.isnan(plate)
    depth = np.log(plate[here] / np.float32(LEVEL) ** np.float32(0.5))
    low, high = float(depth.min()), float(depth.max())
    count = int(np.clip(math.ceil((high - low) / math.log(LEVEL)) + 1, 1, MOST_LEVELS))
    step = (high - low) / max(count - 1, 1)
    place = (depth - np.float32(low)) / np.float32(max(step, 1e-6))
    out, total = np.zeros((len(depth), 3), np.float32), np.zeros(len(depth), np.float32)
    for level in range(count):
        share = np.maximum(1 - np.abs(place - level), 0)
        # a level's disparity is its lower end: a source in front of it is in front of all that it fills
        at = math.exp(low + level * step) * math.sqrt(LEVEL)
        fill = push_pull(colours, _weights(inverse, source, at))
        out += share[:, None] * fill[here]
        total += share
    result = np.zeros((*plate.shape, 3), np.float32)
    result[here] = out / total[:, None]
    return result


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
    nearest: Int32[ndarray, "2 h w"],
    plate: Float32[ndarray, "h w"],
) -> Float32[ndarray, "h w 3"]:
    """The far side's fine texture, mirrored across the step, where the mirrored sample is a source on the plate's own plane.

    All maps are of one size of samples; nearest: twice the row and column of the far sample that each is carried on from.
    """
    rows, columns = np.nonzero(~np.isnan(plate))
    i, j = nearest[:, rows, columns]
    y, x = i - rows, j - columns
    i, j = i // 2, j // 2
    height, width = source.shape
    fade = 1 - np.hypot(rows - i, columns - j) / FADE
    inside = (y >= 0) & (y < height) & (x >= 0) & (x < width) & (fade > 0)
    rows, columns, y, x, fade, i, j = (each[inside] for each in (rows, columns, y, x, fade, i, j))
    step, there = inverse[i, j], inverse[y, x]
    # mirrored across the step, the plane's own disparity changes sign about the step's
    expected = 2 * step - plate[rows, columns]
    same = source[y, x] & (np.abs(there - expected) <= SAME * step)
    out = np.zeros((*plate.shape, 3), np.float32)
    out[rows[same], columns[same]] = _fine(photo, source)[y[same], x[same]] * fade[same, None].astype(np.float32)
    return out


def _fine(photo: Float32[ndarray, "h w 3"], source: Bool[ndarray, "h w"]) -> Float32[ndarray, "h w 3"]:
    """What a blur over sources alone takes from the photo."""
    weight = source.astype(np.float32)
    sums = cv2.GaussianBlur(photo * weight[..., None], (0, 0), FINE)
    return photo - sums / np.maximum(cv2.GaussianBlur(weight, (0, 0), FINE), 1e-3)[..., None]


def cell_means(
    colours: Float32[ndarray, "a b 3"], inverse: Float32[ndarray, "a b"], source: Bool[ndarray, "a b"]
) -> tuple[Float32[ndarray, "h w 3"], Float32[ndarray, "h w"], Bool[ndarray, "h w"]]:
    """Colour and disparity of the sources in every two by two samples, and where there are any."""
    weight = source.astype(np.float32)
    size = (source.shape[1] // 2, source.shape[0] // 2)
    sums = [
        cv2.resize(each * weight, size, interpolation=cv2.INTER_AREA) for each in (*np.moveaxis(colours, 2, 0), inverse)
    ]
    count = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    red, green, blue, mean = (each / np.maximum(count, 1e-6) for each in sums)
    return np.dstack([red, green, blue]).astype(np.float32), mean.astype(np.float32), count > 0


def doubled(values: Float32[ndarray, "h w *c"]) -> Float32[ndarray, "a b *c"]:
    """At two by two samples for each, linear between them."""
    size = (2 * values.shape[1], 2 * values.shape[0])
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_LINEAR))


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
