"""A stereo pair: both eyes' pictures, what they were made of, and how they will be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.messages import PYTHON, Message, Phrasebook
from recon.stereo.comfort import Comfort
from recon.stereo.warp import EyeView, left_view, pair_of, right_view


@dataclass(frozen=True)
class Source:
    """What a pair was made of. rgb: the photo; disparity: x_left − x_right in pixels of it, positive in front of the
    screen; nearness: 0 far, 1 near."""

    rgb: UInt8[ndarray, "h w 3"]
    disparity: Float32[ndarray, "h w"]
    nearness: Float32[ndarray, "h w"]

    def reduced(self, side: int) -> Source:
        """The same with its longer side at most so long."""
        height, width = self.rgb.shape[:2]
        scale = side / max(height, width)
        if scale >= 1:
            return self
        size = max(2, round(width * scale)), max(2, round(height * scale))
        rgb, disparity, nearness = (
            cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (self.rgb, self.disparity, self.nearness)
        )
        return Source(rgb, disparity * np.float32(size[0] / width), nearness)

    def seen_from(self, place: float) -> UInt8[ndarray, "h w 3"]:
        """The view from −½, the left eye, over 0, the photo itself, to ½, the right eye."""
        if place == 0 or not self.disparity.any():
            return self.rgb
        view = right_view if place > 0 else left_view
        return view(self.rgb, self.disparity * np.float32(abs(place))).rgb


@dataclass(frozen=True)
class StereoPair:
    """Both eyes' pictures, equally large. comfort: how they will be seen; notes: what a person should know; source: what
    they were made of, None where a pair was given; facts: how they were made, for a report; name: the photo's."""

    left: UInt8[ndarray, "h w 3"]
    right: UInt8[ndarray, "h w 3"]
    comfort: Comfort | None
    notes: tuple[Message, ...] = ()
    source: Source | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    name: str = "photo"

    def save(self, path: str | Path, layout: str = "auto") -> list[Path]:
        """Write it in a layout (see StereoOptions), by the file's name unless told. Returns the files. Raises BadOption
        for a layout that the file cannot hold, Unwritable where it cannot be written."""
        from recon.stereo.write import write_pair

        return write_pair(self, Path(path), layout)

    def told(self) -> tuple[Message, ...]:
        """All notes: on how it was made, and on how it will be seen."""
        return (*self.notes, *(self.comfort.notes() if self.comfort else ()))

    def report(self, book: Phrasebook = PYTHON) -> dict[str, Any]:
        """What was done, ready for JSON; notes in the words of `book`."""
        comfort = self.comfort.to_json() if self.comfort else None
        size = {"width": self.left.shape[1], "height": self.left.shape[0]}
        return {**self.facts, "eye": size, "comfort": comfort, "warnings": [told.text(book) for told in self.told()]}

    def rocking(self, count: int, side: int) -> Iterator[UInt8[ndarray, "h w 3"]]:
        """Pictures of a loop that rocks between both eyes, the longer side at most `side`: as many views from between them
        where the pair was made from a photo, both pictures where it was given."""
        if self.source is None:
            scale = min(1.0, side / max(self.left.shape[:2]))
            for eye in (self.left, self.right):
                yield cv2.resize(eye, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else eye
            return
        small = self.source.reduced(side)
        for i in range(count):
            yield small.seen_from(-0.5 * float(np.cos(2 * np.pi * i / count)))


def pair_from(source: Source, eyes: str, crop: bool) -> tuple[UInt8[ndarray, "h w 3"], UInt8[ndarray, "h w 3"]]:
    """Both eyes' pictures of a source; crop: without the borders that either sees and the photo does not show."""
    left, right = pair_of(source.rgb, source.disparity, eyes)  # type: ignore[arg-type]
    if not crop:
        return left.rgb, right.rgb
    first = max(_border(each) for each in (left, right))
    last = left.rgb.shape[1] - max(_border(replace(each, invented=each.invented[:, ::-1])) for each in (left, right))
    return (left.rgb, right.rgb) if first >= last else (left.rgb[:, first:last], right.rgb[:, first:last])


def _border(view: EyeView) -> int:
    """How many columns at the left border are invented, in whichever row has the most."""
    shown = ~view.invented
    return int(np.where(shown.any(axis=1), shown.argmax(axis=1), 0).max())
