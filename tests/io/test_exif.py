"""Focal lengths in every way in which EXIF says them, and the pictures of which they are not true."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recon.io.read import read_photo
from recon.io.sensors import sensor_of
from recon.pipeline import reconstruct
from recon.types import Photo

DIAGONAL = math.hypot(36, 24)
EXIF = 0x8769
TAGS = {"make": 0x10F, "model": 0x110}
MORE = {"f": 0x920A, "f35": 0xA405, "x_res": 0xA20E, "unit": 0xA210, "zoom": 0xA404, "width": 0xA002, "height": 0xA003,
        "rendered": 0xA401}  # fmt: skip


def photo_with(path: Path, size: tuple[int, int] = (320, 240), **said: Any) -> Photo:
    """A photo of (width, height) whose file says these things."""
    tags = Image.Exif()
    for name, value in said.items():
        if name in TAGS:
            tags[TAGS[name]] = value
        else:
            tags.get_ifd(EXIF)[MORE[name]] = value
    Image.new("RGB", size, (90, 120, 150)).save(path / "a.jpg", exif=tags)
    return read_photo(path / "a.jpg")


CANON: dict[str, Any] = {"make": "Canon", "model": "Canon EOS 650D", "f": 50.0}
FOUND: dict[str, tuple[dict[str, Any], float]] = {
    "35 mm equivalent": ({"f35": 26}, 26.0),
    "35 mm equivalent before all others": ({"f35": 26, **CANON}, 26.0),
    # 320 pixels on 22.3 mm of sensor: 364.4 pixels per inch
    "pixels per inch": ({"f": 50.0, "x_res": 320 / 22.3 * 25.4, "unit": 2}, 50 * DIAGONAL / math.hypot(22.3, 22.3 * 0.75)),
    "pixels per inch where no unit is said": (
        {"f": 50.0, "x_res": 320 / 22.3 * 25.4}, 50 * DIAGONAL / math.hypot(22.3, 22.3 * 0.75)),
    "pixels per centimetre": ({"f": 50.0, "x_res": 320 / 2.23, "unit": 3}, 50 * DIAGONAL / math.hypot(22.3, 22.3 * 0.75)),
    "pixels per millimetre": ({"f": 50.0, "x_res": 320 / 22.3, "unit": 4}, 50 * DIAGONAL / math.hypot(22.3, 22.3 * 0.75)),
    "a known sensor": (CANON, 50 * DIAGONAL / math.hypot(22.3, 14.9)),
    "a known sensor where the resolution is 0": (CANON | {"x_res": 0.0, "unit": 2}, 50 * DIAGONAL / math.hypot(22.3, 14.9)),
    "a known sensor where the equivalent is 0": (CANON | {"f35": 0}, 50 * DIAGONAL / math.hypot(22.3, 14.9)),
    "with digital zoom": (CANON | {"zoom": 2.0}, 100 * DIAGONAL / math.hypot(22.3, 14.9)),
    "EXIF's size is the picture's, turned": ({"f35": 26, "width": 240, "height": 320}, 26.0),
    "some rows less": ({"f35": 26, "width": 324, "height": 243}, 26.0),
}  # fmt: skip


@pytest.mark.parametrize("name", FOUND)
def test_the_focal_length_is_found(tmp_path: Path, name: str) -> None:
    said, expected = FOUND[name]
    photo = photo_with(tmp_path, **said)
    assert photo.focal_35mm == pytest.approx(expected, rel=2e-3)
    assert photo.doubt is None


UNSAID: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a zero": {"f35": 0},
    "millimetres of an unknown camera": {"f": 4.2, "make": "ACME", "model": "Phone 1"},
    "a resolution without a focal length": {"x_res": 14000.0, "unit": 2},
    "a resolution that cannot be": {"f": 4.2, "x_res": 1e-3, "unit": 2},
    "a focal length that cannot be": {"f35": 60_000},
}


@pytest.mark.parametrize("name", UNSAID)
def test_what_says_nothing_is_no_focal_length(tmp_path: Path, name: str) -> None:
    photo = photo_with(tmp_path, **UNSAID[name])
    assert (photo.focal_35mm, photo.doubt) == (None, None)


DOUBTED: dict[str, tuple[tuple[int, int], dict[str, Any], str]] = {
    "a quarter cut out": ((320, 240), {"f35": 26, "width": 1280, "height": 960},
                          "26 mm (35 mm equivalent) for a frame of 1280×960 pixels and the picture has 320×240"),
    "cut to a strip": ((320, 180), {"f35": 26, "width": 320, "height": 240}, "has 320×180"),
    "a long panorama": ((960, 240), {"f35": 26}, "which is not a panorama's"),
    "a phone's panorama": ((320, 240), {"f35": 26, "rendered": 6}, "which is not a panorama's"),
    "by the sensor": ((320, 240), CANON | {"width": 5184, "height": 3456}, "from 50 mm on the Canon EOS 650D's sensor"),
}  # fmt: skip


@pytest.mark.parametrize("name", DOUBTED)
def test_what_is_not_the_pictures_is_told_and_not_used(tmp_path: Path, name: str) -> None:
    size, said, doubt = DOUBTED[name]
    photo = photo_with(tmp_path, size, **said)
    assert photo.focal_35mm is None
    assert doubt in str(photo.doubt)
    flat = np.full(photo.size, 2.0, np.float32)
    found = reconstruct(photo, depth=flat, depth_kind="metric")
    assert found.camera.source == "default"
    note = next(note for note in map(str, found.notes) if doubt in note)
    assert "60° along the longer side was assumed" in note  # what was used instead
    asked = reconstruct(photo, depth=flat, depth_kind="metric", focal_mm=26.0)
    assert asked.camera.source == "user"
    assert not any(doubt in str(note) for note in asked.notes)


CAMERAS = {
    ("Canon", "Canon EOS 5D Mark III"): 36.0, ("Canon", "Canon EOS R6m2"): 36.0, ("Canon", "Canon EOS R7"): 22.3,
    ("Canon", "Canon EOS-1D Mark IV"): 28.7, ("Canon", "Canon EOS-1D X"): 36.0, ("Canon", "Canon EOS 10D"): 22.3,
    ("NIKON CORPORATION", "NIKON D750"): 36.0, ("NIKON CORPORATION", "NIKON D500"): 23.6,
    ("NIKON CORPORATION", "NIKON D3S"): 36.0, ("NIKON CORPORATION", "NIKON D3500"): 23.6,
    ("NIKON CORPORATION", "NIKON Z 6_2"): 36.0, ("NIKON CORPORATION", "NIKON Z 50"): 23.6,
    ("SONY", "ILCE-7M3"): 36.0, ("SONY", "ILCE-6400"): 23.6, ("SONY", "DSC-RX100M7"): 13.2, ("SONY", "DSC-RX1RM2"): 36.0,
    ("SONY", "ZV-E1"): 36.0, ("SONY", "ZV-E10"): 23.6, ("FUJIFILM", "X-T30"): 23.6, ("FUJIFILM", "X100V"): 23.6,
    ("FUJIFILM", "GFX100S"): 43.8, ("OLYMPUS CORPORATION", "E-M5MarkIII"): 17.3, ("OM Digital Solutions", "OM-1"): 17.3,
    ("Panasonic", "DC-GH5"): 17.3, ("Panasonic", "DC-S5"): 36.0, ("PENTAX", "PENTAX K-5"): 23.6,
    ("RICOH IMAGING COMPANY, LTD.", "PENTAX K-1 Mark II"): 36.0, ("LEICA CAMERA AG", "LEICA Q2"): 36.0,
    ("RICOH IMAGING COMPANY, LTD.", "RICOH GR III"): 23.6,
    ("ACME", "Phone 1"): None, ("FUJIFILM", "X-S1"): None, ("Canon", "Canon PowerShot G7 X"): None, ("", ""): None,
}  # fmt: skip


@pytest.mark.parametrize("camera", CAMERAS, ids="{0[1]}".format)
def test_sensors_are_known_by_maker_and_model(camera: tuple[str, str]) -> None:
    found = sensor_of(*camera)
    assert (found[0] if found else None) == CAMERAS[camera]
