"""Which camera took the photo: the user's value → EXIF → the model's, if it is sure enough → 60°."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from recon.errors import BadOption
from recon.geometry.camera import centred_camera, focal_between, focal_from_35mm, focal_from_fov
from recon.option_fields import check_number, number_pair
from recon.options import PhotoOptions, option_of
from recon.types import Camera, Photo

DEFAULT_FOV = 60.0
"""Degrees along the photo's longer side, where nothing better is known: between a phone's main camera (65–70°) and a
standard lens (45°)."""

FOV, FOCAL_PX, FOCAL_MM, CENTRE = (option_of(PhotoOptions, name) for name in ("fov", "focal_px", "focal_mm", "centre"))
MAX_FOV_ERROR = 15.0
"""Degrees: a model that expects to be farther off than this is not better than the default."""


def find_camera(
    photo: Photo,
    fov_x: float | None = None,
    focal_px: float | None = None,
    model_fov_x: float | None = None,
    model_fov_error: float | None = None,
    focal_mm: float | None = None,
    centre: tuple[float, float] | None = None,
) -> Camera:
    """The pinhole camera of an upright photo.

    fov_x: the user's horizontal field of view in degrees, between 1 and 170; focal_px: the user's focal length in
    pixels of this photo; focal_mm: the user's 35 mm equivalent in millimetres; centre: the user's principal point in
    pixels from the upper left corner, else the middle. Pixels are those of the whole picture, where it was read at a
    reduced size. model_fov_x: what the depth model believes, in degrees; model_fov_error: by how many degrees it expects
    to be wrong (None: it does not say, and is believed). Raises BadOption.
    """
    found = _focal(photo, fov_x, focal_px, focal_mm, centre)
    if found is None and model_fov_x is not None and (model_fov_error is None or model_fov_error <= MAX_FOV_ERROR):
        height, width = photo.size
        found = replace(
            centred_camera(width, height, focal_from_fov(model_fov_x, width), "model"), fov_error=model_fov_error
        )
    if found is None:
        height, width = photo.size
        found = centred_camera(width, height, focal_from_fov(DEFAULT_FOV, max(width, height)), "default")
    if centre is None:
        return found
    across, down = _principal_point(photo, centre)
    return replace(found, cx=across, cy=down)


def _focal(
    photo: Photo,
    fov_x: float | None,
    focal_px: float | None,
    focal_mm: float | None,
    centre: tuple[float, float] | None,
) -> Camera | None:
    """The camera by what the user or the file says; None where neither says anything."""
    height, width = photo.size
    asked = {"fov": fov_x, "focal_px": focal_px, "focal_mm": focal_mm}
    given = [name for name, value in asked.items() if value is not None]
    if len(given) == 3:
        raise BadOption("camera.three", "<fov> and <focal_px> and <focal_mm> were given; give one of them.")
    if len(given) == 2:
        raise BadOption(
            "camera.two", "both <{first}> and <{second}> were given; give one of them.", first=given[0], second=given[1]
        )
    if fov_x is not None:
        check_number(FOV, fov_x)
        cx = width / 2 if centre is None else _principal_point(photo, centre)[0]
        if not 0 < cx < width:
            raise BadOption(
                "camera.fov_beside",
                "<fov> with a <centre> outside of the photo means no focal length; give <focal_px>.",
            )
        return centred_camera(width, height, focal_between(fov_x, width, cx), "user")
    if focal_px is not None:
        whole = width if photo.full_size is None else photo.full_size[1]
        check_number(FOCAL_PX, focal_px, 0.05 * whole, 100 * whole)
        return centred_camera(width, height, focal_px * width / whole, "user")
    if focal_mm is not None:
        check_number(FOCAL_MM, focal_mm)
        return centred_camera(width, height, focal_from_35mm(focal_mm, width, height), "user")
    if photo.focal_35mm is not None:
        return centred_camera(width, height, focal_from_35mm(photo.focal_35mm, width, height), "exif")
    return None


def _principal_point(photo: Photo, centre: Any) -> tuple[float, float]:
    """The user's principal point in pixels of the photo as it was read. Raises BadOption."""
    full = photo.full_size or photo.size
    across, down = number_pair(CENTRE, centre)
    for value, side in ((across, full[1]), (down, full[0])):
        if not -side <= value <= 2 * side:
            raise BadOption(
                "camera.centre_far",
                "<centre> is {u:g},{v:g}; give the principal point in pixels U,V from the upper left corner, not farther"
                " from this photo of {width}×{height} than its own size.",
                u=across, v=down, width=full[1], height=full[0],
            )  # fmt: skip
    return across * photo.size[1] / full[1], down * photo.size[0] / full[0]
