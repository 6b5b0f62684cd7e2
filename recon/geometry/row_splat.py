"""Maps moved along their rows, each pixel by its own shift, as another eye sees them.

Of two pixels that land on one target the right one has the greater shift, since their targets differ by less than a pixel
and their sources by one at least: writing each row from left to right is a depth test, without any sorting.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from recon.geometry.runs import filled_from_lower

EMPTY = np.float32(-1e9)
"""The shift where nothing has landed."""


def splatted(shift: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """The shift of what lands on each target pixel, the nearest of several; EMPTY where nothing does. A shift s moves what
    is at x to x − s, and what is nearer has the greater one."""
    height, width = shift.shape
    out = np.full((height, width + 2), EMPTY)  # one column more on both sides for what leaves the picture
    across = np.arange(1, width + 1, dtype=np.float32)
    target = np.clip(np.rint(across - shift), 0, width + 1).astype(np.int32)
    target += np.arange(height, dtype=np.int32)[:, None] * (width + 2)
    out.reshape(-1)[target.reshape(-1)] = shift.reshape(-1)
    return np.ascontiguousarray(out[:, 1:-1])


def left_from_right(disparity: Float32[ndarray, "h w"]) -> Float32[ndarray, "h w"]:
    """The left view's disparity x_left − x_right from the right view's, in pixels: what is at x in the right view is at
    x + d in the left one. What only the left eye sees lies as far as its background."""
    landed = splatted(np.ascontiguousarray(disparity[:, ::-1]))[:, ::-1]
    return filled_from_lower(np.where(landed == EMPTY, np.float32(np.nan), landed).astype(np.float32))
