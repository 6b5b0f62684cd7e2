"""Which camera took the photo: the user's value → EXIF → the model's, if it is sure enough → 60°."""

from __future__ import annotations

from dataclasses import replace

from recon.errors import BadOption
from recon.geometry.camera import centred, focal_from_35mm, focal_from_fov
from recon.types import Camera, Photo

DEFAULT_FOV = 60.0
"""Degrees along the photo's longer side, where nothing better is known: between a phone's main camera (65–70°) and a
standard lens (45°)."""

MAX_FOV_ERROR = 15.0
"""Degrees: a model that expects to be farther off than this is not better than the default."""


def find_camera(
    photo: Photo,
    fov_x: float | None = None,
    focal_px: float | None = None,
    model_fov_x: float | None = None,
    model_fov_error: float | None = None,
) -> Camera:
    """The pinhole camera of an upright photo, its principal point in the centre.

    fov_x: the user's horizontal field of view in degrees, between 1 and 170; focal_px: the user's focal length in
    pixels of this photo; model_fov_x: what the depth model believes, in degrees; model_fov_error: by how many degrees it
    expects to be wrong (None: it does not say, and is believed). Raises BadOption.
    """
    height, width = photo.size
    if fov_x is not None and focal_px is not None:
        raise BadOption("both --fov and --focal-px were given; give one of them.")
    if fov_x is not None:
        if not 1 <= fov_x <= 170:
            raise BadOption(f"--fov is {fov_x:g}; give the horizontal field of view in degrees, between 1 and 170.")
        return centred(width, height, focal_from_fov(fov_x, width), "user")
    if focal_px is not None:
        if not 0.05 * width <= focal_px <= 100 * width:
            raise BadOption(
                f"--focal-px is {focal_px:g}; give the focal length in pixels, between {0.05 * width:g} and {100 * width:g}"
                " for this photo."
            )
        return centred(width, height, focal_px, "user")
    if photo.focal_35mm is not None:
        return centred(width, height, focal_from_35mm(photo.focal_35mm, width, height), "exif")
    if model_fov_x is not None and (model_fov_error is None or model_fov_error <= MAX_FOV_ERROR):
        found = centred(width, height, focal_from_fov(model_fov_x, width), "model")
        return replace(found, fov_error=model_fov_error)
    return centred(width, height, focal_from_fov(DEFAULT_FOV, max(width, height)), "default")
