"""How a refinement says what it does. Whoever listens may raise, which stops it there."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon.types import Mask, Photo

STAGES = ("looks", "target", "coarse", "fine", "texture")
"""In their order."""
PREVIEW_SIDE = 192

Preview = Callable[[], UInt8[ndarray, "s s 3"]]


@dataclass(frozen=True)
class Step:
    """What was just done: step `number` of `steps` of a stage, its loss, and a picture of the model if one is asked for.

    A stage without a loss has NaN. What takes long is told again and again with the number it has.
    """

    stage: str
    number: int
    steps: int
    loss: float
    preview: Preview


Tell = Callable[[Step], None]
Beat = Callable[[], None]
"""Called at least every second or so while something goes on."""


def silent(_: Step) -> None:
    """Tells nobody."""


def still() -> None:
    """Does nothing."""


@dataclass
class Parts:
    """Tells of a stage that has `count` parts and no loss."""

    stage: str
    count: int
    tell: Tell
    preview: Preview
    number: int = 0

    def beat(self) -> None:
        """A part goes on."""
        self.tell(Step(self.stage, self.number, self.count, math.nan, self.preview))

    def done(self) -> None:
        """A part is done."""
        self.number += 1
        self.beat()


def cut_out(photo: Photo, mask: Mask) -> UInt8[ndarray, "s s 3"]:
    """The subject over white, which is what there is to see before there is a model."""
    inside = np.ones(photo.size, bool) if mask.inside is None else mask.inside
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    subject = np.where(inside[box][..., None], photo.rgb[box], np.uint8(255))
    scale = PREVIEW_SIDE / max(subject.shape[:2])
    height, width = (max(1, round(scale * length)) for length in subject.shape[:2])
    out = np.full((PREVIEW_SIDE, PREVIEW_SIDE, 3), 255, np.uint8)
    top, left = (PREVIEW_SIDE - height) // 2, (PREVIEW_SIDE - width) // 2
    out[top : top + height, left : left + width] = cv2.resize(subject, (width, height), interpolation=cv2.INTER_AREA)
    return out
