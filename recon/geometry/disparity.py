"""Affine-invariant disparity to depth.

A MiDaS-like network gives x = a·(1/z) + b with a and b unknown. Normalised to 0..1 over the photo, depth is
z = 1 / (A + B·x) with A = 1/far and B = 1/near − 1/far (isl-org/MiDaS#261); only far/near shapes the scene.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

FAR_OVER_NEAR = 10.0
"""Default depth range: best of 5, 10 and 20 over indoor and street frames with a perfect disparity."""
SUBJECT_FAR_OVER_NEAR = 1.5
"""The same for one object: it fills half of the view of a normal lens and shows its front half."""
PERCENTILES = (1.0, 99.0)
"""What counts as the far and the near end of a disparity map when nobody gave them: single pixels do not."""


def disparity_to_depth(
    x: Float32[ndarray, "h w"], near: float | None = None, far: float | None = None, ratio: float = FAR_OVER_NEAR
) -> Float32[ndarray, "h w"]:
    """Depth from affine-invariant disparity; NaN stays NaN.

    With `near` and `far` (any unit) the map's extremes lie exactly there. With one of them the other follows from
    far/near = `ratio`; with none, near is 1. The ends are then robust percentiles, and pixels beyond them keep their
    order, at most 1 + ratio/20 times farther and nearer.
    """
    given = near is not None and far is not None
    if near is None:
        near = far / ratio if far is not None else 1.0
    if far is None:
        far = near * ratio
    there = np.isfinite(x)
    finite = x.ravel() if there.all() else x[there]
    low, high = (finite.min(), finite.max()) if given else np.percentile(_thinned(finite), PERCENTILES)
    if not high > low:
        low, high = finite.min(), finite.max()
    # in place: a phone's photo has 12 million of them
    out: Float32[ndarray, "h w"] = x - np.float32(low)
    out /= np.float32(max(high - low, np.finfo(np.float32).tiny))
    out *= np.float32(1 / near - 1 / far)
    out += np.float32(1 / far)
    tail = np.float32(1 + ratio / 20)
    np.clip(out, 1 / (tail * np.float32(far)), tail / np.float32(near), out=out)
    return np.divide(np.float32(1), out, out=out)


def _thinned(values: Float32[ndarray, " n"]) -> Float32[ndarray, " m"]:
    """At most about 100,000 of the values: percentiles of more cost time and change nothing."""
    return values[:: max(1, values.size // 100_000)]
