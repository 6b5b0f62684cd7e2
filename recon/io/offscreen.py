"""A mesh before an off-screen camera, drawn by PyVista."""

from __future__ import annotations

import math
import os
import sys
from typing import TYPE_CHECKING

import cv2
import numpy as np
from jaxtyping import Float, UInt8
from numpy import ndarray

from recon.geometry.axes import to_gltf
from recon.geometry.reduce import shrink_to_fit
from recon.types import Camera, Mesh

if TYPE_CHECKING:
    import pyvista

FINER = 1.5
"""A picture is drawn at so many times its size and averaged: sharper than multisampling, and three times as fast where a
processor draws."""
BACKGROUND = (242, 242, 240)
"""sRGB of what is behind everything, unless told otherwise."""


class OffscreenRenderer:
    """A mesh before an off-screen camera of the photo's proportions. `vertices` and the places to look from are in glTF's
    frame; `size`: width and height of a picture, both even; `view_angle`: the photo's own, vertical, in degrees."""

    def __init__(
        self, mesh: Mesh, camera: Camera, long_side: int, background: tuple[int, int, int] = BACKGROUND
    ) -> None:
        if sys.platform == "linux" and not os.environ.get("DISPLAY"):
            os.environ.setdefault("VTK_DEFAULT_OPENGL_WINDOW", "vtkEGLRenderWindow")  # else VTK warns about X11
        import pyvista
        from vtkmodules.vtkCommonCore import vtkLogger

        vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)  # it reports that there is no screen
        scale = long_side / max(camera.width, camera.height)
        self.size = [max(2, 2 * round(scale * n / 2)) for n in (camera.width, camera.height)]
        self.view_angle = math.degrees(2 * math.atan(camera.height / (2 * camera.focal)))
        self.plotter = pyvista.Plotter(off_screen=True, window_size=[int(FINER * side) for side in self.size])
        self.plotter.render_window.SetMultiSamples(0)
        self.plotter.set_background(background)
        for sheet in mesh.sheets():
            self._add(sheet.with_(vertices=to_gltf(sheet.vertices)))
        self.vertices = to_gltf(mesh.vertices)

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

    def use_principal_point(self, camera: Camera) -> None:
        """Let the optical axis meet the picture where it met the photo, which may be outside of its middle."""
        centre = (1 - 2 * camera.cx / camera.width, 2 * camera.cy / camera.height - 1)
        self.plotter.camera.SetWindowCenter(*centre)

    def render(
        self, eye: Float[ndarray, " 3"], aim: Float[ndarray, " 3"], zoom: float = 1.0, transparent: bool = False
    ) -> UInt8[ndarray, "h w c"]:
        """The view from a place to another one, upright, with a focal length of `zoom` times the photo's; a fourth
        channel says what is not `transparent` ground, if that is asked for."""
        self.plotter.camera_position = [tuple(eye), tuple(aim), (0, 1, 0)]
        half = math.tan(math.radians(self.view_angle) / 2) / zoom
        self.plotter.camera.view_angle = math.degrees(2 * math.atan(half))
        self.plotter.reset_camera_clipping_range()
        self.plotter.render()
        drawn = self.plotter.screenshot(transparent_background=transparent or None, return_img=True)
        if transparent:
            return _reduced(drawn, self.size)
        return cv2.resize(np.ascontiguousarray(drawn[..., :3]), self.size, interpolation=cv2.INTER_AREA)


def _reduced(drawn: UInt8[ndarray, "H W 4"], size: list[int]) -> UInt8[ndarray, "h w 4"]:
    """A picture at a smaller size; the ground's colour, of which each pixel is all or none, goes into no other."""
    alpha = drawn[..., 3:].astype(np.float32) / 255
    mixed = cv2.resize(np.concatenate([drawn[..., :3] * alpha, alpha], 2), size, interpolation=cv2.INTER_AREA)
    covered = mixed[..., 3:]
    colours = mixed[..., :3] / np.where(covered > 0, covered, 1)
    return np.concatenate([colours, 255 * covered], 2).round().astype(np.uint8)


def _texture(picture: UInt8[ndarray, "h w 3"]) -> pyvista.Texture:
    import pyvista

    texture = pyvista.Texture(shrink_to_fit(picture, 2048))
    texture.interpolate, texture.mipmap = True, True
    return texture
