"""How a refinement says what it does. Whoever listens may raise, which stops it there."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

import cv2
import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon.progress import Stopwatch
from recon.types import Mask, Photo

STAGES = ("looks", "target", "fine", "texture")
"""What a refinement of a mesh tells of, in its order."""
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
Heartbeat = Callable[[], None]
"""Called at least every second or so while something goes on."""


def no_report(_: Step) -> None:
    """Tells nobody."""


def no_heartbeat() -> None:
    """Does nothing."""


def _blank() -> UInt8[ndarray, "s s 3"]:
    return np.full((PREVIEW_SIDE, PREVIEW_SIDE, 3), 255, np.uint8)


@dataclass
class Reporter:
    """Where a run is: step `number` of `steps` of a stage. tell: hears of it; watch: takes the time."""

    tell: Tell = no_report
    watch: Stopwatch = field(default_factory=Stopwatch)
    stage: str = "target"
    number: int = 0
    steps: int = 1
    preview: Preview = _blank

    def begin(self, stage: str, steps: int, preview: Preview, number: int = 0) -> None:
        """A stage begins, or goes on after `number` of its steps; nobody hears of it yet."""
        self.stage, self.steps, self.preview, self.number = stage, steps, preview, number

    def heartbeat(self) -> None:
        """The step at hand goes on."""
        self.tell(Step(self.stage, self.number, self.steps, math.nan, self.preview))

    def done(self, loss: float) -> Step:
        """A step with a loss is done; whoever runs the loop tells of it."""
        self.number += 1
        return Step(self.stage, self.number, self.steps, loss, self.preview)

    def part_done(self) -> None:
        """A step without a loss is done."""
        self.number += 1
        self.heartbeat()

    def timed(self, name: str) -> AbstractContextManager[None]:
        """Take the time of a part of the whole, and tell its name to who listens to the watch."""
        return self.watch.stage(name)


def cut_out(photo: Photo, mask: Mask) -> UInt8[ndarray, "s s 3"]:
    """The subject over white, which is what there is to see before there is a model."""
    inside = np.ones(photo.size, bool) if mask.inside is None else mask.inside
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    subject = np.where(inside[box][..., None], photo.rgb[box], np.uint8(255))
    scale = PREVIEW_SIDE / max(subject.shape[:2])
    height, width = (max(1, round(scale * length)) for length in subject.shape[:2])
    out = _blank()
    top, left = (PREVIEW_SIDE - height) // 2, (PREVIEW_SIDE - width) // 2
    out[top : top + height, left : left + width] = cv2.resize(subject, (width, height), interpolation=cv2.INTER_AREA)
    return out
