"""A parallax film: the model seen by a camera that leaves the photo's own view a little and comes back to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recon.geometry.axes import to_gltf
from recon.geometry.parallax import Standpoint, parallax_views, reach_of
from recon.io.film import frame_count, write_film
from recon.io.offscreen import BACKGROUND, OffscreenRenderer
from recon.io.turntable import TURNTABLE_SIDE
from recon.settings import LayeredSettings, ParallaxPath
from recon.types import Camera, Mask, Mesh, Photo


def write_parallax(
    mesh: Mesh,
    camera: Camera,
    path: str | Path,
    way: ParallaxPath = "orbit",
    cone: float = LayeredSettings.cone,
    ground: tuple[int, int, int] = BACKGROUND,
    seconds: float = 3.0,
) -> None:
    """An MP4 (H.264), a GIF or an animated WebP that begins with the photo's own view and loops endlessly.

    way: of the camera, see geometry.parallax; cone: degrees, the path goes half as far; ground: sRGB of what is behind
    everything, see `ground_of`."""
    path = Path(path)
    views = parallax_views(way, frame_count(path, seconds), reach_of(mesh.vertices, camera), cone)
    with OffscreenRenderer(mesh, camera, TURNTABLE_SIDE, ground) as renderer:
        renderer.use_principal_point(camera)
        write_film(path, (renderer.render(*_in_gltf(view)) for view in views))


def _in_gltf(view: Standpoint) -> tuple[np.ndarray, np.ndarray, float]:
    eye, aim = to_gltf(np.stack([view.eye, view.aim]).astype(np.float32))
    return eye, aim, view.zoom


def ground_of(photo: Photo, mask: Mask) -> tuple[int, int, int]:
    """The photo's background colour, sRGB: the median of its border, of what does not belong to the subject there."""
    border = np.ones(photo.size, bool)
    border[1:-1, 1:-1] = False
    ground = border if mask.inside is None else border & ~mask.inside
    if not ground.any():
        return BACKGROUND
    red, green, blue = np.median(photo.rgb[ground], axis=0).astype(int).tolist()
    return red, green, blue
