"""Depth of a film without flicker: each frame's inverse depth brought to the scale of the frames before it.

A network's inverse depth is known up to a scale and a shift, which jitter from frame to frame. A robust fit to the last
aligned frame takes both away; ranges that are averaged over frames do not (a near thing that walks in moves the still
background then). At a cut everything begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, Shaped, UInt8
from numpy import ndarray

from recon.stereo.disparity import ENDS, middle_plane

KEPT = 0.7
"""The share of pixels that a fit believes: the others have moved, or are wrong."""
STARTS, STEPS = 24, 6
"""Random pairs of pixels from which fits start, and rounds of trimming of the best one."""
SAMPLES = 3000
PULL = 0.002
"""The part by which a frame's range is pulled to its own percentiles, so that fits do not drift over a long shot: a second
at 25 frames takes back 5 % of a drift."""
STILL, MOVED = 4.0, 16.0
"""Change of a pixel's brightness of 255 up to which it is the same surface, and from which it surely is another."""
STEADY = 0.05
"""How much of a new frame's depth a pixel takes that shows the same surface: about what is left of a network's noise. On
panned photos a third less moves than with 0.1; a surface that comes nearer lags by 20 frames."""
CUT, CUT_FACTOR = 22.0, 3.5
"""Mean change of brightness of 255 that is a cut, if it is so many times the usual change too."""
THUMBNAIL = (64, 36)
SMALLEST = 32
"""Pixels of the shorter side from which movement can be followed."""
WINDOW = (7, 7)
"""In which movement has to explain a frame better than rest does."""


def affine_fit(
    values: Float32[ndarray, " n"], target: Float32[ndarray, " n"], kept: float = KEPT
) -> tuple[float, float]:
    """(scale, shift) that bring values to the target, by least trimmed squares over the best share of them (Rousseeuw
    1984); the identity where they do not say it. Its random starts are always the same."""
    if len(values) > SAMPLES:
        step = len(values) // SAMPLES
        values, target = values[::step], target[::step]
    x, y = values.astype(np.float64), target.astype(np.float64)
    if len(x) < 8 or np.ptp(x) < 1e-9:
        return 1.0, float(np.median(y - x)) if len(x) else 0.0
    first, second = np.random.default_rng(0).integers(0, len(x), (2, STARTS))
    apart = np.abs(x[first] - x[second]) > 1e-3 * np.ptp(x)
    slopes = (y[first] - y[second])[apart] / (x[first] - x[second])[apart]
    fits = [(1.0, float(np.median(y - x))), *zip(slopes, y[first][apart] - slopes * x[first][apart], strict=True)]
    fits = [fit for fit in fits if fit[0] > 0]
    count = max(4, int(kept * len(x)))
    best = min(fits, key=lambda fit: _trimmed(x, y, fit, count))
    for _ in range(STEPS):
        error = np.abs(best[0] * x + best[1] - y)
        chosen = np.argpartition(error, count - 1)[:count]
        slope, shift = np.polyfit(x[chosen], y[chosen], 1) if np.ptp(x[chosen]) > 1e-9 else best
        if slope <= 0:
            break
        best = float(slope), float(shift)
    return best


def _trimmed(x: ndarray, y: ndarray, fit: tuple[float, float], count: int) -> float:
    error = np.abs(fit[0] * x + fit[1] - y)
    return float(np.partition(error, count - 1)[:count].sum())


def _followed(
    inverse: Float32[ndarray, "a b"], before: Float32[ndarray, "a b"], grey: Float32[ndarray, "a b"]
) -> tuple[Float32[ndarray, "a b"], Float32[ndarray, "a b"]]:
    """The last frame's inverse depth and brightness where the new one's pixels were, by dense inverse search (Kroeger et
    al. 2016); as they are where that explains the new frame no better, so that what is still is not blurred."""
    if min(grey.shape) < SMALLEST:
        return inverse, before
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)  # type: ignore[attr-defined]
    flow = search.calc(grey.astype(np.uint8), before.astype(np.uint8), None)
    rows, columns = np.indices(grey.shape, dtype=np.float32)
    x, y = columns + flow[..., 0], rows + flow[..., 1]
    # cubic, since what linear blurs would seem to have changed
    there = cv2.remap(before, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    better = cv2.blur(np.abs(there - grey), WINDOW) < 0.8 * cv2.blur(np.abs(before - grey), WINDOW)
    depth = cv2.remap(inverse, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.where(better, depth, inverse), np.where(better, there, before)


@dataclass
class ShotDepth:
    """What is known of the shot that a film is in; all of it is saved and restored with `state` and `of_state`. inverse:
    the last frame's aligned inverse depth; grey: its brightness at the same size; low, high: the shot's far and near end;
    plane: the nearness in the screen; thumbnail, change: for cuts."""

    inverse: Float32[ndarray, "a b"] | None = None
    grey: Float32[ndarray, "a b"] | None = None
    low: float = 0.0
    high: float = 1.0
    plane: float = 0.5
    thumbnail: Float32[ndarray, "c d"] | None = None
    change: float = 0.0
    cuts: int = 0

    def follow(self, inverse: Float32[ndarray, "a b"], rgb: UInt8[ndarray, "h w 3"]) -> Float32[ndarray, "a b"]:
        """The next frame's nearness, 0 far and 1 near as the shot began. inverse: its inverse depth, affine, finite, at
        the network's size; rgb: the frame."""
        grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        small = cv2.resize(grey, inverse.shape[::-1], interpolation=cv2.INTER_AREA).astype(np.float32)
        if self._is_cut(cv2.resize(grey, THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32)):
            self.inverse, self.cuts = None, self.cuts + 1
        if self.inverse is None or self.grey is None or self.inverse.shape != inverse.shape:
            self._begin(inverse)
            aligned = inverse
        else:
            aligned = self._aligned(inverse, small)
        self.inverse, self.grey = aligned, small
        return (aligned - np.float32(self.low)) / np.float32(max(self.high - self.low, 1e-12))

    def _begin(self, inverse: Float32[ndarray, "a b"]) -> None:
        self.low, self.high = (float(end) for end in np.percentile(inverse, ENDS))
        if not self.high > self.low:
            self.low, self.high = self.low - 0.5, self.low + 0.5
        self.plane = middle_plane((inverse - np.float32(self.low)) / np.float32(self.high - self.low))

    def _aligned(self, inverse: Float32[ndarray, "a b"], grey: Float32[ndarray, "a b"]) -> Float32[ndarray, "a b"]:
        """The frame's inverse depth at the scale of the last one, pixels that show the same surface steadied."""
        assert self.inverse is not None and self.grey is not None
        before, seen = _followed(self.inverse, self.grey, grey)
        moved = np.clip((np.abs(grey - seen) - STILL) / (MOVED - STILL), 0, 1)
        still = (moved == 0).reshape(-1)
        which = still if still.mean() > 0.1 else np.ones_like(still)
        scale, shift = affine_fit(inverse.reshape(-1)[which], before.reshape(-1)[which])
        aligned = np.float32(scale) * inverse + np.float32(shift)
        low, high = (float(end) for end in np.percentile(aligned, ENDS))
        self.low += PULL * (low - self.low)
        self.high += PULL * (high - self.high)
        new = np.float32(STEADY) + np.float32(1 - STEADY) * moved
        return (before + new * (aligned - before)).astype(np.float32)

    def _is_cut(self, thumbnail: Float32[ndarray, "c d"]) -> bool:
        """Whether the frame begins another shot: it differs much, and much more than frames did lately."""
        before, self.thumbnail = self.thumbnail, thumbnail
        if before is None:
            return False
        change = float(np.abs(thumbnail - before).mean())
        cut = change > CUT and change > CUT_FACTOR * self.change
        self.change = 0.0 if cut else 0.8 * self.change + 0.2 * change
        return cut

    def state(self) -> dict[str, Shaped[ndarray, " ..."]]:
        """All of it, for `numpy.savez`."""
        arrays = {"inverse": self.inverse, "grey": self.grey, "thumbnail": self.thumbnail}
        numbers = np.array([self.low, self.high, self.plane, self.change, self.cuts], np.float64)
        return {"numbers": numbers, **{name: value for name, value in arrays.items() if value is not None}}

    @classmethod
    def of_state(cls, state: dict[str, Shaped[ndarray, " ..."]]) -> ShotDepth:
        """What `state` gave."""
        low, high, plane, change, cuts = state["numbers"].tolist()
        return cls(state.get("inverse"), state.get("grey"), low, high, plane, state.get("thumbnail"), change, int(cuts))
