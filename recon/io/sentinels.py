"""The one rule by which a depth map's values stand for "no surface here", whatever file or array they came in.

- No surface: what is not finite; what is below 0; 65535, the largest 16-bit number, in a map of depths; depths outside 1e-6
  to 1e6 metres or medians (renderers write 1e10 where there is nothing).
- 0 is no surface either, but for a normalised disparity map, whose 0 is the farthest place. A map is normalised if its
  largest value is its kind's top: 1 for floats, 255 for floats and 8-bit numbers, 65535 for floats and 16-bit numbers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, Shaped
from numpy import ndarray

from recon.messages import Message, note
from recon.settings import DepthKind

DEPTHS = (1e-6, 1e6)
"""Depths that are taken for a surface, in metres or in medians: float32 must hold squares of them."""
NO_MEASUREMENT = 65535
TOLD_FROM = 0.01
"""Share of pixels dropped from which a note says so."""
NEARLY = 1e-3
"""A float map normalised with a small constant under the fraction line, or rounded, ends so near its top."""
NOT_FINITE = note("depth.not_finite", "not finite")
NEGATIVE = note("depth.negative", "below 0")
ZERO = note("depth.zero", "0")
LARGEST = note("depth.largest", "{value}", value=NO_MEASUREMENT)
OUTSIDE = note("depth.outside", "outside {low:g} to {high:g}", low=DEPTHS[0], high=DEPTHS[1])


class Dropped(NamedTuple):
    """Values that stand for no surface: what they are, and where."""

    what: Message
    where: Bool[ndarray, "h w"]


def surface_only(
    values: Shaped[ndarray, "h w"], kind: DepthKind, scale: float | None = None
) -> tuple[Float32[ndarray, "h w"], tuple[Message, ...]]:
    """float32 with NaN where there is no surface, by the rule above; and a note, if that drops more than 1 %.

    scale: units per metre of a metric map; None: whole numbers are millimetres, floats metres.
    """
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        whole = values.dtype.kind in "ui"
        unit = scale if scale is not None else 1000.0 if whole else 1.0
        depth = (values / np.float64(unit) if kind == "metric" and unit != 1.0 else values).astype(np.float32)
        dropped = [Dropped(NOT_FINITE, ~np.isfinite(values)), Dropped(NEGATIVE, values < 0)]
        if not (kind == "disparity" and is_normalised(values)):
            dropped.append(Dropped(ZERO, values == 0))
        if kind != "disparity":
            dropped.append(Dropped(LARGEST, values == NO_MEASUREMENT))
        nothing = np.logical_or.reduce([each.where for each in dropped])
        depth[nothing] = np.nan
        if kind != "disparity" and not nothing.all():
            middle = float(np.nanmedian(depth)) if kind == "scale" else 1.0
            outside = ~nothing & ~((depth >= DEPTHS[0] * middle) & (depth <= DEPTHS[1] * middle))
            depth[outside] = np.nan
            dropped.append(Dropped(OUTSIDE, outside))
        else:
            depth[~np.isfinite(depth)] = np.nan  # beyond float32
    return depth, _told(dropped, depth)


def is_normalised(values: Shaped[ndarray, "h w"]) -> bool:
    """Whether the largest value of a disparity map is its kind's top."""
    tops = {"u1": (255,), "u2": (65535,)}.get(values.dtype.str[1:], (1.0, 255.0, 65535.0))
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values
    largest = float(finite.max(initial=0))
    spare = NEARLY if values.dtype.kind == "f" else 0.0
    return any(abs(largest - top) <= spare * top for top in tops)


def _told(dropped: list[Dropped], depth: Float32[ndarray, "h w"]) -> tuple[Message, ...]:
    share = float(np.isnan(depth).mean())
    if share <= TOLD_FROM:
        return ()
    parts = [
        note("depth.dropped", "{share:.3g} % {what}", share=100 * float(each.where.mean()), what=each.what)
        for each in dropped
        if each.where.any()
    ]
    return (
        note(
            "depth.no_surface", "{share:.3g} % of the depth map's pixels are no surface by their values ({parts})",
            share=100 * share, parts=parts,
        ),
    )  # fmt: skip
