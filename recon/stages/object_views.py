"""Novel views of a whole object's own field, by ray marching: what the model itself sees from each side.

Cameras are those of `recon.io.views`: azimuth 0 is the photo's side and grows towards the right, the elevation grows
upwards; they look at the middle of the surface's box, and a distance is in radii of the ball around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon.io.offscreen import BACKGROUND
from recon.io.views import Ball
from recon.settings import OrbitSettings
from recon.stages.whole_object import WholeObject
from recon.types import Mesh

if TYPE_CHECKING:
    from recon.render.march import RenderedView


def has_field(whole: WholeObject) -> bool:
    """Whether an object came as a field, which can be looked at by itself."""
    return not isinstance(whole.seen.shape, Mesh)


def draw_field_views(
    whole: WholeObject, settings: OrbitSettings = OrbitSettings()
) -> Iterator[UInt8[ndarray, "h w c"]]:
    """An object's field from `count` sides, one after another; of four channels where the ground is transparent."""
    import torch

    from recon.render.cameras import orbit
    from recon.render.crossing import occupied_cells, render_crossings

    field: Any = whole.seen.shape
    ball = Ball.around(whole.vertices)
    slope = math.tan(math.radians(settings.fov) / 2)
    distance = settings.distance * ball.radius if settings.distance else ball.distance_to_fit(slope)
    count, occupied = settings.count or OrbitSettings.pictures, occupied_cells(field, field.device)
    ground = torch.tensor([0.0 if settings.transparent else part / 255 for part in BACKGROUND])
    for i in range(count):
        camera = orbit(360 * i / count, settings.elevation, distance, settings.fov, settings.side)
        pose = camera.c2w.clone()
        pose[:, 3] += torch.from_numpy(ball.middle).to(pose)
        there = replace(camera, c2w=pose).to(field.device)
        yield _picture(render_crossings(field, there, ground, occupied=occupied), settings.transparent)


def _picture(view: RenderedView, transparent: bool) -> UInt8[ndarray, "h w c"]:
    """Bytes; where the ground is transparent, colours that no longer hold any of it, and the opacity."""
    colour, opacity = view.colour.numpy(), view.opacity.numpy()[..., None]
    if transparent:
        colour = np.concatenate([colour / np.maximum(opacity, 1e-6), opacity], 2)
    found: ndarray = (255 * colour.clip(0, 1)).round().astype(np.uint8)
    return found
