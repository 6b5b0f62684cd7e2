"""A subject cut out of its photo: put on plain ground, and a window around it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Shaped, UInt8
from numpy import ndarray

GROUND = 230
"""The light grey of the plain ground."""
UNMIXED = 1e-3
"""A share of one colour in another that no 8-bit value shows."""


class Window(NamedTuple):
    """A rectangle of a photo in whole pixels; it may reach over the photo's edge."""

    left: int
    top: int
    width: int
    height: int

    @property
    def long_side(self) -> int:
        """The longer side in pixels."""
        return max(self.width, self.height)


def on_plain_ground(
    rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"], ground: int = GROUND
) -> UInt8[ndarray, "h w 3"]:
    """The photo with everything outside a subject replaced by a grey, so that a network sees the subject alone."""
    weight = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 1.0)
    out = np.full(rgb.shape, ground, np.uint8)
    cv2.copyTo(rgb, inside.astype(np.uint8), out)
    rim = (weight > UNMIXED) & (weight < 1 - UNMIXED)
    share = weight[rim][:, None]
    out[rim] = rgb[rim] * share + ground * (1 - share)
    return out


def window_around(inside: Bool[ndarray, "h w"], fill: float, longest: float) -> Window:
    """The window of which the mask's bounding box fills `fill` of each side, in the middle, and whose sides differ by a
    factor of at most `longest`."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    spans = [(int(found[0]), int(found[-1]) + 1) for found in (columns, rows)]
    sides = [(high - low) / fill for low, high in spans]
    width, height = (max(2, round(max(side, max(sides) / longest))) for side in sides)
    left, top = (round((low + high - side) / 2) for (low, high), side in zip(spans, (width, height), strict=True))
    return Window(left, top, width, height)


def crop_window(picture: Shaped[ndarray, "h w *c"], window: Window, outside: int) -> Shaped[ndarray, "a b *c"]:
    """What a picture shows in a window; `outside` beyond its edge."""
    out = np.full((window.height, window.width, *picture.shape[2:]), outside, picture.dtype)
    paste_window(out, picture, Window(-window.left, -window.top, picture.shape[1], picture.shape[0]))
    return out


def paste_window(canvas: Shaped[ndarray, "h w *c"], picture: Shaped[ndarray, "a b *c"], window: Window) -> None:
    """Write a picture into a window of the canvas, which it changes; what reaches over the edge is left out."""
    rows, own_rows = _overlap(window.top, picture.shape[0], canvas.shape[0])
    columns, own_columns = _overlap(window.left, picture.shape[1], canvas.shape[1])
    canvas[rows, columns] = picture[own_rows, own_columns]


def _overlap(start: int, size: int, side: int) -> tuple[slice, slice]:
    """What `size` pixels from `start` on share with the pixels 0..side, counted as the latter's and as their own."""
    low = min(max(0, start), side)
    high = min(max(low, start + size), side)
    return slice(low, high), slice(low - start, high - start) if high > low else slice(0, 0)
