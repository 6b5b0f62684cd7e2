"""A whole object in closed form whose every axis is told from every other, and a reconstructor that sees it."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from recon.protocols import SeenObject
from recon.render.cameras import focal_of, orbit
from recon.render.crossing import render_crossings
from recon.render.fields import Field
from recon.types import Camera, DepthMap, Mask, Photo

BODY = 0.42
"""Radius of the grey ball in the middle."""
KNOBS = {
    "right": ((0.5, 0.0, 0.0), 0.2, (1.0, 0.1, 0.1)),
    "up": ((0.0, -0.46, 0.0), 0.15, (0.1, 1.0, 0.1)),
    "front": ((0.0, 0.1, -0.45), 0.13, (0.1, 0.1, 1.0)),
    "back": ((0.0, 0.0, 0.5), 0.17, (1.0, 1.0, 0.1)),
}
"""Balls on it: centre in the world (x right, y down, z away), radius, colour. Red is right, green is up, blue in front,
yellow behind."""
SHARPNESS = 150.0
"""Change of the density's logarithm per unit of length."""


class KnobbedBall(Field):
    """The object as a field; its surface is exact at the level."""

    level, device = math.log(12.5), torch.device("cpu")

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def logits(self, x: Tensor) -> Tensor:
        """Density's logit and colour logits of the nearest ball."""
        self.asked += len(x)
        balls = [((0.0, 0.0, 0.0), BODY, (0.6, 0.6, 0.6)), *KNOBS.values()]
        gaps = torch.stack([radius - (x - x.new_tensor(centre)).norm(dim=1) for centre, radius, _ in balls])
        depth, nearest = gaps.max(0)
        colours = x.new_tensor([colour for *_, colour in balls]).clamp(1e-4, 1 - 1e-4).logit()
        return torch.cat([(self.level + SHARPNESS * depth)[:, None], colours[nearest]], 1)


FOV, DISTANCE, SIDE = 40.0, 1.9 / 0.87, 160


class Knower:
    """Sees the knobbed ball in every photo, as the camera of `photo_of_object` does."""

    name = "knower"

    def load(self) -> object:
        """Nothing to load."""
        return self

    def reconstruct(self, rgb: np.ndarray, inside: np.ndarray) -> SeenObject:
        """The ball."""
        return SeenObject(KnobbedBall(), 0.0, 0.0, float(rgb.shape[0]), FOV, DISTANCE)


def photo_of_object(field: Field | None = None, side: int = SIDE) -> tuple[Photo, Mask, DepthMap, Camera]:
    """What a camera of `FOV` degrees at `DISTANCE` sees of an object."""
    seen = render_crossings(field or KnobbedBall(), orbit(0.0, 0.0, DISTANCE, FOV, side), torch.ones(3))
    inside = (seen.opacity > 0.5).numpy()
    rgb = (255 * seen.colour.clamp(0, 1)).round().byte().numpy()
    z = np.where(inside, seen.depth.numpy(), np.nan).astype(np.float32)
    camera = Camera(side, side, focal_of(FOV, side), side / 2, side / 2)
    return Photo(rgb), Mask(inside, "alpha"), DepthMap(z, False), camera
