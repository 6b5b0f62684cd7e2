"""Pictures of a mesh as the photo's own camera would see it turned: a preview and a turntable (`views` has others).

The view turns around the middle of the model. An open surface is only swung to and fro, since it has no back; a closed
one turns all the way round.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon.io.files import write_with
from recon.io.film import frame_count, write_film
from recon.io.offscreen import OffscreenRenderer
from recon.io.views import Ball, raised_and_turned
from recon.types import Camera, Mesh

LONG_SIDE = 960
TURNTABLE_SIDE = 640
SWING_DEG, LIFT_DEG = 22.0, 6.0
MARGIN = 1.12
"""The eye stands this much farther from the pivot than the photo's camera, so that a turned model stays in the frame."""
FITTED = 0.94
"""The share of the frame's width or height that a fitted model takes."""


def write_preview(mesh: Mesh, camera: Camera, path: str | Path, closed: bool) -> None:
    """A PNG of the mesh seen a little from the side."""
    from PIL import Image

    yaw = 30.0 if closed else 0.6 * SWING_DEG
    with OffscreenRenderer(mesh, camera, LONG_SIDE) as renderer:
        frame = _Turned(renderer, camera, closed).render(yaw, LIFT_DEG, fitted=closed)
    write_with(Path(path), lambda temporary: Image.fromarray(frame).save(temporary))


def write_turntable(mesh: Mesh, camera: Camera, path: str | Path, closed: bool, seconds: float = 3.0) -> None:
    """An MP4 (H.264), a GIF or an animated WebP of the mesh turning, endlessly loopable."""
    path = Path(path)
    with OffscreenRenderer(mesh, camera, TURNTABLE_SIDE) as renderer:
        turned = _Turned(renderer, camera, closed)
        angles = turntable_angles(frame_count(path, seconds), closed)
        write_film(path, (turned.render(yaw, pitch) for yaw, pitch in angles))


def turntable_angles(count: int, closed: bool) -> Iterator[tuple[float, float]]:
    """(yaw, pitch) in degrees of each frame."""
    for i in range(count):
        turn = 2 * math.pi * i / count
        yield (math.degrees(turn), LIFT_DEG) if closed else (SWING_DEG * math.sin(turn), LIFT_DEG * math.cos(turn))


class _Turned:
    """A mesh that is turned around its pivot, seen by a renderer. Everything is in glTF's frame."""

    def __init__(self, renderer: OffscreenRenderer, camera: Camera, closed: bool) -> None:
        self.renderer, vertices = renderer, renderer.vertices
        self.slopes = np.array([camera.width, camera.height]) / (2 * camera.focal)
        if closed:
            ball = Ball.around(vertices)
            self.pivot, self.distance = ball.middle, ball.distance_to_fit(self.slopes.min())
        else:
            # on the middle pixel's ray at the median depth: the photo's own framing, near things swing against far ones
            self.pivot = np.median(vertices[:, 2]) * _middle_ray(camera)
            self.distance = float(np.linalg.norm(self.pivot)) * MARGIN
        self.start = -self.pivot / np.linalg.norm(self.pivot)

    def render(self, yaw: float, pitch: float, fitted: bool = False) -> UInt8[ndarray, "h w 3"]:
        """The view from the photo's own place turned by `yaw` to the right and `pitch` up around the pivot; `fitted`: as
        near as the whole model allows."""
        back = raised_and_turned(self.start, yaw, pitch)
        eye, aim = self._fit(back) if fitted else (self.pivot + self.distance * back, self.pivot)
        return self.renderer.render(eye, aim)

    def _fit(self, back: ndarray) -> tuple[ndarray, ndarray]:
        """The nearest eye from which the whole model is seen when it looks along −back, and what it then looks at."""
        right = np.cross([0.0, 1.0, 0.0], back)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(back, right), back])
        across, depth = np.split((self.renderer.vertices - self.pivot) @ axes.T, [2], axis=1)
        slopes = FITTED * self.slopes
        # p is inside the left and right (lower and upper) planes of an eye at s, d if ±(p − s) <= (d − depth) · slope
        most, least = (across / slopes + depth).max(axis=0), (-across / slopes + depth).max(axis=0)
        aim = self.pivot + ((most - least) / 2 * slopes) @ axes[:2]
        return aim + ((most + least) / 2).max() * back, aim


def _middle_ray(camera: Camera) -> ndarray:
    """Direction of the ray through the middle of the photo in glTF's frame, z = 1 backwards: the optical axis, unless the
    principal point lies elsewhere."""
    across = (camera.width / 2 - camera.cx) / camera.focal
    down = (camera.height / 2 - camera.cy) / camera.focal
    return np.array([-across, down, 1.0])
