"""Files whose first picture is not the photo, files with more in them than a picture, and codecs that are not installed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recon.errors import BadInput
from recon.io.read import photo_from_bytes, read_photo
from recon.pipeline import reconstruct
from recon.settings import Limits

tifffile = pytest.importorskip("tifffile")
THUMB = np.full((48, 64, 3), (250, 0, 250), np.uint8)
"""Magenta: whoever makes a model of the thumbnail is seen."""


def real(height: int = 480, width: int = 640) -> np.ndarray:
    """Red on the left, blue on the right."""
    out = np.zeros((height, width, 3), np.uint8)
    out[:, : width // 2, 0], out[:, width // 2 :, 2] = 200, 200
    return out


def dng(path: Path, height: int = 480, width: int = 640) -> None:
    """A raw file: its first page a thumbnail, its second the colour filter array (RGGB), with what LibRaw has to know."""
    mosaic = np.zeros((height, width), np.uint16)
    mosaic[::2, : width // 2 : 2] = 9000  # red on the left
    mosaic[1::2, width // 2 + 1 :: 2] = 9000  # blue on the right
    extra = [(50706, 1, 4, (1, 4, 0, 0), True), (50708, 2, 0, "ACME One", True), (271, 2, 0, "ACME", True),
             (272, 2, 0, "One", True)]  # fmt: skip
    colours = [(33421, 3, 2, (2, 2), True), (33422, 1, 4, (0, 1, 1, 2), True), (50717, 4, 1, 16383, True)]
    with tifffile.TiffWriter(path) as file:
        file.write(THUMB, photometric="rgb", subifds=1, subfiletype=1, extratags=extra)
        file.write(mosaic, photometric=32803, subfiletype=0, extratags=colours)


def is_the_real_one(rgb: np.ndarray) -> bool:
    height, width = rgb.shape[:2]
    left, right = rgb[height // 4 : -height // 4, : width // 3], rgb[height // 4 : -height // 4, -width // 3 :]
    return bool(
        (left[..., 0] > 2 * left[..., 2] + 20).mean() > 0.9 and (right[..., 2] > 2 * right[..., 0] + 20).mean() > 0.9
    )


def test_a_raw_file_is_developed(tmp_path: Path) -> None:
    pytest.importorskip("rawpy")
    dng(tmp_path / "a.dng")
    photo = read_photo(tmp_path / "a.dng")
    assert photo.size == (480, 640)
    assert is_the_real_one(photo.rgb)
    assert read_photo(tmp_path / "a.dng", Limits(read_pixels=100_000)).size == (240, 320)
    with pytest.raises(BadInput, match="640×480 pixels, at most 0.1 megapixels"):
        read_photo(tmp_path / "a.dng", Limits(max_pixels=100_000))


RAWS = {
    "DNG": lambda path: dng(path),
    "CR2": lambda path: path.write_bytes(b"II*\0\x10\0\0\0CR\x02\0" + b"\0" * 64),
    "CR3": lambda path: path.write_bytes(b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom" + b"\0" * 64),
    "RAF": lambda path: path.write_bytes(b"FUJIFILMCCD-RAW 0201" + b"\0" * 64),
    "RW2": lambda path: path.write_bytes(b"IIU\0" + b"\0" * 64),
    "ORF": lambda path: path.write_bytes(b"IIRO" + b"\0" * 64),
}


@pytest.mark.parametrize("kind", RAWS)
def test_without_its_package_a_raw_file_is_refused_and_the_package_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setitem(sys.modules, "rawpy", None)
    RAWS[kind](tmp_path / "a.jpg")
    with pytest.raises(BadInput, match="raw file .* pip install rawpy, or export the photo as a JPEG"):
        read_photo(tmp_path / "a.jpg")


def test_jpeg_xl_is_read_or_its_package_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jxl").write_bytes(b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0" * 64)
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "pillow_jxl", None)
        with pytest.raises(BadInput, match="JPEG XL .* pip install pillow-jxl-plugin"):
            read_photo(tmp_path / "a.jxl")
    pytest.importorskip("pillow_jxl")
    Image.fromarray(real()).save(tmp_path / "b.jxl")
    assert is_the_real_one(read_photo(tmp_path / "b.jxl").rgb)


def test_formats_that_are_not_allowed_stay_out(tmp_path: Path) -> None:
    """Neither raw files nor JPEG XL where a list has neither, whatever is installed."""
    dng(tmp_path / "a.dng")
    for data in ((tmp_path / "a.dng").read_bytes(), b"\xff\x0a" + b"\0" * 64):
        with pytest.raises(BadInput, match="no picture that can be read"):
            photo_from_bytes(data, formats=("JPEG", "PNG"))


@pytest.mark.parametrize("flagged", [False, True])
def test_of_a_tiff_with_a_thumbnail_first_the_photo_is_read(tmp_path: Path, flagged: bool) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(THUMB, photometric="rgb", subfiletype=int(flagged))
        file.write(real(), photometric="rgb")
    assert is_the_real_one(read_photo(tmp_path / "a.tif").rgb)


def test_other_pages_of_a_tiff_are_not_the_photo(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(real(), photometric="rgb")
        file.write(real(480, 900)[:, ::-1], photometric="rgb")  # larger, of another shape: another picture
        file.write(real(240, 320)[:, ::-1], photometric="rgb")
    assert is_the_real_one(read_photo(tmp_path / "a.tif").rgb)


def test_a_thumbnail_of_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(THUMB, photometric="rgb", subifds=1, subfiletype=1)
        file.write(real(), photometric="rgb", subfiletype=0)
    with pytest.raises(
        BadInput, match="is a thumbnail of another that cannot be read; save the photo as a JPEG or PNG"
    ):
        read_photo(tmp_path / "a.tif")


GPANO = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description
 xmlns:GPano="http://ns.google.com/photos/1.0/panorama/" GPano:ProjectionType="equirectangular"/></rdf:RDF></x:xmpmeta>"""
PANORAMAS: dict[str, tuple[tuple[int, int], dict[str, Any], str]] = {
    "by its tag": ((640, 480), {"xmp": GPANO}, "its file says so: equirectangular"),
    "twice as wide as high": ((1024, 512), {}, "twice as wide as high"),
    "a long strip": ((1300, 500), {}, "2.6 to 1"),
    "a high strip": ((500, 1300), {}, "2.6 to 1"),
}


@pytest.mark.parametrize("name", PANORAMAS)
def test_a_panorama_is_flattened_with_a_word(tmp_path: Path, name: str) -> None:
    size, more, how = PANORAMAS[name]
    Image.fromarray(real(*size[::-1])).save(tmp_path / "a.jpg", **more)
    found = reconstruct(tmp_path / "a.jpg", depth=np.full(size[::-1], 2.0, np.float32), depth_kind="metric")
    notes = [note for note in map(str, found.notes) if "panorama" in note]
    assert len(notes) == 1
    assert how in notes[0]
    assert f"flat picture of {found.camera.fov_x:.0f}° from side to side" in notes[0]
    assert "cut out a part of at most 90°" in notes[0]


@pytest.mark.parametrize("size", [(640, 480), (1600, 900), (2400, 1003), (300, 600), (2400, 1080)])
def test_ordinary_photos_are_no_panoramas(size: tuple[int, int], tmp_path: Path) -> None:
    Image.fromarray(real(*size[::-1])).save(tmp_path / "a.jpg")
    assert read_photo(tmp_path / "a.jpg").panorama is None


GDEPTH = b'<x:xmpmeta xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/" GDepth:Format="RangeInverse"/>'
DEPTHS_INSIDE: dict[str, tuple[dict[str, Any], bytes, str]] = {
    "Google": ({"xmp": GDEPTH}, b"", "Google's GDepth"),
    "dynamic depth": (
        {"xmp": b'<Container:Item Item:Mime="image/jpeg" Item:Semantic="DepthMap"/>'},
        b"",
        "dynamic depth",
    ),
    "Apple's JPEG": ({}, b"\xff\xd8<x xmlns:depthData='http://ns.apple.com/depthData/1.0/'/>", "Apple's"),
    "Samsung": ({}, b"\0\0\xab\x0aDualShot_DepthMap_1" + b"\1" * 500 + b"SEFT", "Samsung's"),
}


@pytest.mark.parametrize("whose", DEPTHS_INSIDE)
def test_a_depth_map_inside_the_photo_is_told(tmp_path: Path, whose: str) -> None:
    more, trailer, name = DEPTHS_INSIDE[whose]
    Image.fromarray(real()).save(tmp_path / "a.jpg", **more)
    with (tmp_path / "a.jpg").open("ab") as file:
        file.write(trailer)
    notes = read_photo(tmp_path / "a.jpg").notes
    told = (
        f"the photo's file has a depth map in it ({name}), which was not used; export it and give it as the depth map"
    )
    assert list(map(str, notes)) == [told]


def test_a_depth_map_inside_a_heic_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    Image.fromarray(real()).save(tmp_path / "a.heic")
    assert read_photo(tmp_path / "a.heic").notes == ()
    data = (tmp_path / "a.heic").read_bytes() + b"\0\0\0\x30freeurn:mpeg:hevc:2015:auxid:2\0".ljust(0x30, b"\0")
    assert any("Apple's" in str(note) for note in photo_from_bytes(data).notes)


def test_floats_say_what_was_white(tmp_path: Path) -> None:
    values = np.linspace(0, 0.5, 64 * 48, dtype=np.float32).reshape(48, 64)
    Image.fromarray(values).save(tmp_path / "a.tif")
    photo = read_photo(tmp_path / "a.tif")
    assert list(map(str, photo.notes)) == ["the picture holds floating-point numbers: 1 was taken as white"]
    np.testing.assert_allclose(photo.rgb[..., 0], values * 255, atol=0.51)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_grey_of_fewer_bits_in_16_is_stretched_and_told(tmp_path: Path, bits: int) -> None:
    values = np.linspace(0, (1 << bits) - 1, 64 * 48).reshape(48, 64).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "a.png")
    photo = read_photo(tmp_path / "a.png")
    np.testing.assert_allclose(photo.rgb[..., 0], np.linspace(0, 255, 64 * 48).reshape(48, 64), atol=1.5)
    assert len(photo.notes) == (bits < 16)
    assert all(f"{bits}-bit numbers" in str(note) for note in photo.notes)
