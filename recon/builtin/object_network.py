"""The network of objects at run time: one thing alone, from all sides.

A file says in its metadata under `network` which network it holds; one that says nothing is not asked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8
from numpy import ndarray

from recon.builtin.estimator import SUBJECT_FILL, metadata, network_answer
from recon.builtin.weights import SHAPES
from recon.geometry.cutout import GROUND, crop_window, on_plain_ground, window_around
from recon.types import Relief

NAME = "object"
# Side of the square that it is shown, the largest that it was trained at.
SIDE = 256


@dataclass(frozen=True)
class ObjectNetwork:
    """The network of objects as a ShapeEstimator. Raises MissingWeights where the file is gone."""

    weights: Path = SHAPES
    side: int = SIDE

    def relief(self, rgb: UInt8[ndarray, "h w 3"], inside: Bool[ndarray, "h w"]) -> Relief:
        """Front, back, the back's colours and the field of view of a subject's square window."""
        window = window_around(inside, SUBJECT_FILL, 1.0)
        alone = crop_window(inside, window, False)
        shown = on_plain_ground(crop_window(rgb, window, GROUND), alone)
        said = network_answer(self.weights, shown, alone, (self.side, self.side))
        front, colour = said["front"][0, 0], said["back_colour"][0].transpose(1, 2, 0)
        fov, fov_error = map(float, said["fov"][0])
        return Relief(
            front,
            np.maximum(front, said["back"][0, 0]),
            *window,
            back_colour=(255 * colour.clip(0, 1)).round().astype(np.uint8),
            fov=fov,
            fov_error=fov_error,
        )


def object_network() -> ObjectNetwork | None:
    """The network of objects, if the file of shapes holds one."""
    return ObjectNetwork(SHAPES) if SHAPES.is_file() and metadata(SHAPES).get("network") == NAME else None


def fov_of_photo(relief: Relief, longer: int) -> tuple[float, float] | None:
    """The field of view along a photo's longer side (pixels), and its expected error, from that of a relief's window, which
    the same focal length has taken; in degrees. None where the relief does not say it.

    tan(fov / 2) is in proportion to the side, so that the error grows with sin(fov)."""
    if relief.fov is None or relief.fov_error is None:
        return None
    own = math.radians(relief.fov)
    whole = 2 * math.atan(math.tan(own / 2) * longer / max(relief.width, relief.height))
    return math.degrees(whole), relief.fov_error * math.sin(whole) / math.sin(own)
