"""Novel views of a closed model: cameras on a sphere around it, as pictures or as a film that goes round once.

In glTF's frame (x right, y up, z towards the photo's side): azimuth 0 is the photo's side and grows towards the right, the
elevation grows upwards, both in degrees; the camera looks at the middle of the model's box. A distance is in radii of the
ball around that middle that holds the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, UInt8
from numpy import ndarray

from recon.errors import BadOption
from recon.io.files import write_with
from recon.io.film import frame_count, write_film
from recon.io.offscreen import OffscreenRenderer
from recon.settings import OrbitSettings
from recon.types import Camera, Mesh

Views = Callable[[OrbitSettings], Iterator[UInt8[ndarray, "h w c"]]]
"""Draws a model from all sides by itself, as `draw_views` does."""
FIRST = "render_000.png"
"""What the first picture is called; the others go on counting."""


@dataclass(frozen=True)
class Ball:
    """The ball around a model: its middle is the one of the model's box."""

    middle: Float[ndarray, " 3"]
    radius: float

    @classmethod
    def around(cls, vertices: Float32[ndarray, "v 3"]) -> Ball:
        """The smallest one with that middle."""
        middle = (vertices.min(axis=0) + vertices.max(axis=0)).astype(float) / 2
        return cls(middle, float(np.linalg.norm(vertices - middle, axis=1).max()))

    def distance_to_fit(self, slope: float) -> float:
        """How far the eye must stand for the ball to touch the edges of a picture that sees up to `slope` off its axis."""
        return self.radius / math.sin(math.atan(slope))


def raised_and_turned(direction: Float[ndarray, " 3"], azimuth: float, elevation: float) -> Float[ndarray, " 3"]:
    """A direction in glTF's frame raised by `elevation`, then turned to the right by `azimuth` around the vertical."""
    a, b = math.radians(azimuth), math.radians(elevation)
    turn_y = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    turn_x = np.array([[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]])
    out: ndarray = turn_y @ turn_x @ direction
    return out


def write_frames(model: Mesh | Views, folder: str | Path, settings: OrbitSettings = OrbitSettings()) -> list[Path]:
    """PNGs of the model from `count` sides, render_000.png and so on; returns them. Raises Unwritable."""
    from PIL import Image

    files = []
    for i, frame in enumerate(_views_of(model)(settings)):
        files.append(Path(folder) / FIRST.replace("000", f"{i:03}"))
        write_with(files[-1], Image.fromarray(frame).save)
    return files


def write_orbit(model: Mesh | Views, path: str | Path, settings: OrbitSettings = OrbitSettings()) -> None:
    """An MP4 (H.264), a GIF or an animated WebP that goes round the model once and loops. Raises Unwritable, and BadOption
    for a transparent MP4, which there is not."""
    path = Path(path)
    check_transparency(path, settings.transparent)
    count = settings.count or frame_count(path, settings.seconds)
    write_film(path, _views_of(model)(replace(settings, count=count)))


def _views_of(model: Mesh | Views) -> Views:
    return partial(draw_views, model) if isinstance(model, Mesh) else model


def check_transparency(path: Path, transparent: bool) -> None:
    """Raise BadOption for a transparent film in a format without transparency."""
    if transparent and path.suffix.lower() == ".mp4":
        raise BadOption(
            "film.opaque", "the film {path!r} cannot have <transparent> ground; give a name that ends with .webp or .gif.",
            path=str(path),
        )  # fmt: skip


def draw_views(mesh: Mesh, settings: OrbitSettings = OrbitSettings()) -> Iterator[UInt8[ndarray, "h w c"]]:
    """The model from `count` sides, one after another; of four channels where the ground is transparent."""
    count = settings.count or OrbitSettings.pictures
    slope = math.tan(math.radians(settings.fov) / 2)
    half = settings.side / 2
    camera = Camera(settings.side, settings.side, half / slope, half, half)
    with OffscreenRenderer(mesh, camera, settings.side) as renderer:
        ball = Ball.around(renderer.vertices)
        distance = settings.distance * ball.radius if settings.distance else ball.distance_to_fit(slope)
        for i in range(count):
            back = raised_and_turned(np.array([0.0, 0.0, 1.0]), 360 * i / count, settings.elevation)
            yield renderer.render(ball.middle + distance * back, ball.middle, transparent=settings.transparent)
