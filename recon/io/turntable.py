"""Pictures of a mesh: a preview and a turntable, rendered off-screen by PyVista.

The view turns around the middle of the model. An open surface is only swung to and fro, since it has no back; a closed
one turns all the way round.
"""

from __future__ import annotations

import errno
import itertools
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray

from recon.geometry.axes import to_gltf
from recon.geometry.reduce import shrink_to_fit
from recon.io.files import write_with
from recon.types import Camera, Mesh

if TYPE_CHECKING:
    import pyvista

LONG_SIDE = 960
TURNTABLE_SIDE = 640
SWING_DEG, LIFT_DEG = 22.0, 6.0
MARGIN = 1.12
"""The eye stands this much farther from the pivot than the photo's camera, so that a turned model stays in the frame."""
FITTED = 0.94
"""The share of the frame's width or height that a fitted model takes."""
FPS, GIF_FPS = 24, 10
"""Frames per second; a turntable takes 3 seconds, so that it stays small enough to send."""
CRF = 15
"""H.264's constant rate factor: no loss to be seen."""
BACKGROUND = "#f2f2f0"


def write_preview(mesh: Mesh, camera: Camera, path: str | Path, closed: bool) -> None:
    """A PNG of the mesh seen a little from the side."""
    from PIL import Image

    yaw = 30.0 if closed else 0.6 * SWING_DEG
    with OffscreenRenderer(mesh, camera, LONG_SIDE, closed) as renderer:
        frame = renderer.render(yaw, LIFT_DEG, fitted=closed)
    write_with(Path(path), lambda temporary: Image.fromarray(frame).save(temporary))


def write_turntable(mesh: Mesh, camera: Camera, path: str | Path, closed: bool, seconds: float = 3.0) -> None:
    """An MP4 (H.264) or a GIF of the mesh turning, endlessly loopable."""
    path = Path(path)
    count = max(8, round(seconds * FPS)) if path.suffix.lower() == ".mp4" else max(8, round(seconds * GIF_FPS))
    with OffscreenRenderer(mesh, camera, TURNTABLE_SIDE, closed) as renderer:
        writer = _write_mp4 if path.suffix.lower() == ".mp4" else _write_gif
        writer(path, (renderer.render(*angles) for angles in turntable_angles(count, closed)))


def turntable_angles(count: int, closed: bool) -> Iterator[tuple[float, float]]:
    """(yaw, pitch) in degrees of each frame."""
    for i in range(count):
        turn = 2 * math.pi * i / count
        yield (math.degrees(turn), LIFT_DEG) if closed else (SWING_DEG * math.sin(turn), LIFT_DEG * math.cos(turn))


class OffscreenRenderer:
    """A mesh before an off-screen camera."""

    def __init__(self, mesh: Mesh, camera: Camera, long_side: int, closed: bool) -> None:
        if sys.platform == "linux" and not os.environ.get("DISPLAY"):
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")  # else VTK warns about X11
        import pyvista
        from vtkmodules.vtkCommonCore import vtkLogger

        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)  # it reports that there is no screen
        scale = long_side / max(camera.width, camera.height)
        size = [max(2, 2 * round(scale * n / 2)) for n in (camera.width, camera.height)]
        self.plotter = pyvista.Plotter(off_screen=True, window_size=size)
        self.plotter.set_background(BACKGROUND)
        for sheet in mesh.sheets():
            self._add(sheet.with_(vertices=to_gltf(sheet.vertices)))
        turned = mesh.with_(vertices=to_gltf(mesh.vertices))
        self.vertices = turned.vertices
        self.slopes = np.array([camera.width, camera.height]) / (2 * camera.focal)
        if closed:
            self.pivot = (turned.vertices.min(axis=0) + turned.vertices.max(axis=0)).astype(float) / 2
        else:
            # on the middle pixel's ray at the median depth: the photo's own framing, near things swing against far ones
            self.pivot = np.median(turned.vertices[:, 2]) * _middle_ray(camera)
        self.view_angle = math.degrees(2 * math.atan(camera.height / (2 * camera.focal)))
        self.distance = float(np.linalg.norm(self.pivot)) * MARGIN
        if closed:
            radius = float(np.linalg.norm(turned.vertices - self.pivot, axis=1).max())
            narrow = math.atan(min(camera.width, camera.height) / (2 * camera.focal))
            self.distance = radius / math.sin(narrow)
        self.start = -self.pivot / np.linalg.norm(self.pivot)

    def _add(self, mesh: Mesh) -> None:
        data = mesh.to_pyvista()
        if mesh.texture is not None and mesh.uv is not None:
            self.plotter.add_mesh(data, texture=_texture(mesh.texture), lighting=False)
        elif mesh.colors is not None:
            self.plotter.add_mesh(data, scalars="rgb", rgb=True, lighting=False)
        else:
            self.plotter.add_mesh(data, color="#c9c4bc")

    def __enter__(self) -> OffscreenRenderer:
        return self

    def __exit__(self, *error: object) -> None:
        self.plotter.close()

    def render(self, yaw: float, pitch: float, fitted: bool = False) -> UInt8[ndarray, "h w 3"]:
        """The view from the photo's own place turned by `yaw` to the right and `pitch` up around the pivot; `fitted`: as
        near as the whole model allows."""
        a, b = math.radians(yaw), math.radians(pitch)
        turn_y = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
        turn_x = np.array([[1, 0, 0], [0, math.cos(b), math.sin(b)], [0, -math.sin(b), math.cos(b)]])
        back = turn_y @ turn_x @ self.start
        eye, aim = self.pivot + self.distance * back, self.pivot
        if fitted:
            eye, aim = self._fit(back)
        self.plotter.camera_position = [tuple(eye), tuple(aim), (0, 1, 0)]
        self.plotter.camera.view_angle = self.view_angle
        self.plotter.reset_camera_clipping_range()
        self.plotter.render()
        return np.ascontiguousarray(self.plotter.screenshot(return_img=True)[..., :3])

    def _fit(self, back: ndarray) -> tuple[ndarray, ndarray]:
        """The nearest eye from which the whole model is seen when it looks along −back, and what it then looks at."""
        right = np.cross([0.0, 1.0, 0.0], back)
        right /= np.linalg.norm(right)
        axes = np.stack([right, np.cross(back, right), back])
        across, depth = np.split((self.vertices - self.pivot) @ axes.T, [2], axis=1)
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


def _texture(picture: UInt8[ndarray, "h w 3"]) -> pyvista.Texture:
    import pyvista

    texture = pyvista.Texture(shrink_to_fit(picture, 2048))
    texture.interpolate, texture.mipmap = True, True
    return texture


def _write_mp4(path: Path, frames: Iterator[UInt8[ndarray, "h w 3"]]) -> None:
    import imageio_ffmpeg

    def encode(temporary: Path) -> None:
        first = next(frames)
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{first.shape[1]}x{first.shape[0]}", "-r", str(FPS)]
        film = ["-an", "-c:v", "libx264", "-crf", str(CRF), "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "quiet", "-y", *raw, "-i", "-", *film, str(temporary)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as ffmpeg:
            assert ffmpeg.stdin is not None
            for frame in itertools.chain([first], frames):
                ffmpeg.stdin.write(frame.tobytes())
        if ffmpeg.returncode:  # imageio_ffmpeg's own writer does not look, and half a film would take its place
            raise OSError(errno.EIO, "ffmpeg stopped, as it does on a full disk")

    write_with(path, encode)


def _write_gif(path: Path, frames: Iterator[UInt8[ndarray, "h w 3"]]) -> None:
    from PIL import Image

    def encode(temporary: Path) -> None:
        first, *rest = [Image.fromarray(frame).quantize(128) for frame in frames]
        first.save(temporary, save_all=True, append_images=rest, duration=1000 // GIF_FPS, loop=0, disposal=1)

    write_with(path, encode)
