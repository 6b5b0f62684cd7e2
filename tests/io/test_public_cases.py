"""Situations out of public bug trackers of tools that turn photos and depth maps into models, in one table.

Every input is made here. The photo has corners of four colours, the depth map is the room of `tests.scenes`: whatever they
came in, the corners are where they belong, and the depth is the room's.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, features

from recon.io.read import read_photo
from recon.pipeline import reconstruct
from tests.scenes import camera_of, frozen, room

WIDTH, HEIGHT = 96, 72
CAMERA = camera_of(WIDTH, HEIGHT, 80.0)
TRUE = room(CAMERA)
NEAR, FAR = float(TRUE.min()), float(TRUE.max())
RED, GREEN, BLUE, YELLOW = (220, 30, 30), (30, 200, 40), (30, 40, 220), (230, 220, 30)
CORNERS = (RED, GREEN, BLUE, YELLOW)
"""Upper left, upper right, lower left, lower right."""


def scene(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Grey, with a coloured quarter of each side in each corner."""
    out = np.full((height, width, 3), 128, np.uint8)
    h, w = height // 4, width // 4
    for colour, rows, columns in zip(CORNERS, (slice(h), slice(h), slice(-h, None), slice(-h, None)),
                                     (slice(w), slice(-w, None)) * 2, strict=True):  # fmt: skip
        out[rows, columns] = colour
    return frozen(out)


def corners_of(rgb: np.ndarray) -> np.ndarray:
    """The mean colour of each corner, away from edges."""
    h, w = rgb.shape[0] // 8, rgb.shape[1] // 8
    parts = rgb[:h, :w], rgb[:h, -w:], rgb[-h:, :w], rgb[-h:, -w:]
    return np.array([part.reshape(-1, 3).mean(axis=0) for part in parts])


# --- photos ---------------------------------------------------------------------------------------------------------

STORED: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a),
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: np.rot90(a, -1),
}
"""EXIF orientation -> an upright picture as a camera stores it."""
SEVEN = {"jpg": "JPEG", "png": "PNG", "tif": "TIFF", "webp": "WEBP", "avif": "AVIF", "heic": "HEIF", "mpo": "MPO"}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("ending", SEVEN)
def test_every_orientation_in_seven_formats(tmp_path: Path, ending: str, orientation: int) -> None:
    if ending == "heic":
        pytest.importorskip("pillow_heif").register_heif_opener()
    if ending == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF codec")
    tags = Image.Exif()
    tags[0x112] = orientation
    # HEIF turns by a box of its own, and the tag that phones write beside it must not turn the picture again
    turned = scene() if ending == "heic" else STORED[orientation](scene())
    stored = Image.fromarray(np.ascontiguousarray(turned))
    more = {"save_all": True, "append_images": [stored]} if ending == "mpo" else {}
    stored.save(tmp_path / f"a.{ending}", SEVEN[ending], exif=tags, **more)
    photo = read_photo(tmp_path / f"a.{ending}")
    assert photo.size == (HEIGHT, WIDTH)
    np.testing.assert_allclose(corners_of(photo.rgb), CORNERS, atol=12)
    assert photo.notes == ()


ARITHMETIC = base64.b85decode(
    "|JeWF01!$>Nk#wx0RR9200961|JwjV00smF1_cBL1_cHO2L=cV5DE$j2?`Vr4-60&6c`v66c!d59VH(c8zUSR79cDjBPJ&)Dk&Ks"
    "Eif%8FeNA{DF534LjeZ|2MP!Z6AB6wC>j<TC@3f>C@3f>C@3f>C@3f>C@3f>C@3f>C@3f>C@3f>C@3f>C@3f>C@3f>C@3f>C@BBQ"
    "01*fP7yuvx0U`hb5di}c0sqVZ3IGrg1pyEd1^?Or3<CiG0ucid06zf#0HbK)QI#Th+ly2toc{o05IbTdD=1>V-yl4p@fv#c4c~0Y"
    "3!EJ<bKKeM+6zT%D$sm(kx9j1$baN!HbQ|qY$fs-L++ykg-k5}*#"
)
"""32×24 pixels, a quarter each: written by Pillow, made arithmetic by `jpegtran -arithmetic`, which Pillow cannot write."""


def stored(save: Callable[[Image.Image, Any], None], mode: str = "RGB") -> bytes:
    out = io.BytesIO()
    save(Image.fromarray(scene()).convert(mode), out)
    return out.getvalue()


def deep_png(bits: int) -> bytes:
    import cv2

    ok, data = cv2.imencode(".png", scene()[..., ::-1].astype(np.uint16) << (bits - 8))
    assert ok
    return bytes(data)


PHOTOS: dict[str, bytes] = {
    "progressive JPEG": stored(lambda i, f: i.save(f, "JPEG", progressive=True, quality=92)),
    "JPEG in RGB without YCbCr": stored(lambda i, f: i.save(f, "JPEG", keep_rgb=True, quality=92)),
    "Adobe's inverted CMYK JPEG": stored(lambda i, f: i.save(f, "JPEG", quality=95), "CMYK"),
    "arithmetic JPEG": ARITHMETIC,
    "JPEG with bytes after its end": stored(lambda i, f: i.save(f, "JPEG", quality=92)) + b"\0MotionPhoto_Data" * 999,
    "JPEG with two pictures (Samsung)": stored(
        lambda i, f: i.save(f, "MPO", save_all=True, append_images=[Image.new("RGB", (40, 30))])
    ),
    "interlaced PNG": stored(lambda i, f: i.save(f, "PNG", interlace=1)),
    "palette PNG": stored(lambda i, f: i.quantize(32).save(f, "PNG")),
    "16-bit colour PNG": deep_png(16),
    "12-bit numbers in a 16-bit colour PNG": deep_png(12),
    "lossy WebP": stored(lambda i, f: i.save(f, "WEBP", quality=90)),
    "animated WebP": stored(
        lambda i, f: i.save(f, "WEBP", save_all=True, append_images=[i.rotate(180)], lossless=True)
    ),
    "animated PNG": stored(lambda i, f: i.save(f, "PNG", save_all=True, append_images=[i.rotate(180)])),
    "GIF": stored(lambda i, f: i.save(f, "GIF")),
    "LZW TIFF": stored(lambda i, f: i.save(f, "TIFF", compression="tiff_lzw")),
    "JPEG in TIFF": stored(lambda i, f: i.save(f, "TIFF", compression="jpeg", quality=95)),
    "CMYK TIFF": stored(lambda i, f: i.save(f, "TIFF"), "CMYK"),
    "TIFF of several pages": stored(lambda i, f: i.save(f, "TIFF", save_all=True, append_images=[i.rotate(180)])),
    "BMP": stored(lambda i, f: i.save(f, "BMP")),
    "JPEG 2000": stored(lambda i, f: i.save(f, "JPEG2000")),
    "opaque RGBA": stored(lambda i, f: i.save(f, "PNG"), "RGBA"),
}


@pytest.mark.parametrize("name", PHOTOS)
def test_photos_come_in_with_their_colours(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.jpg").write_bytes(PHOTOS[name])  # a wrong ending does not matter
    photo = read_photo(tmp_path / "a.jpg")
    np.testing.assert_allclose(corners_of(photo.rgb), CORNERS, atol=16)
    assert photo.alpha is None
    told = ["the picture holds 12-bit numbers in 16 bits: 4095 was taken as white"] if "12-bit" in name else []
    assert list(map(str, photo.notes)) == told


@pytest.mark.parametrize(
    "name", ["photo (1).png", "фото.png", "写真.png", "صورة.png", "ภาพ.png", "e\u0301te\u0301 🫖.png"]
)
def test_names_in_every_script(tmp_path: Path, name: str) -> None:
    Image.fromarray(scene()).save(tmp_path / name)
    assert read_photo(str(tmp_path / name)).name == name.removesuffix(".png")


# --- depth maps -----------------------------------------------------------------------------------------------------


def normalised(top: float) -> np.ndarray:
    """Disparity between 0, the farthest, and `top`, the nearest."""
    return top * (1 / TRUE - 1 / FAR) / (1 / NEAR - 1 / FAR)


def picture(path: Path, values: np.ndarray, **more: Any) -> None:
    Image.fromarray(values).save(path, **more)


def pfm(path: Path, values: np.ndarray) -> None:
    """As Middlebury has it: rows from below, a negative scale for little-endian."""
    height, width = values.shape
    path.write_bytes(f"Pf\n{width} {height}\n-1.0\n".encode() + values[::-1].astype("<f4").tobytes())


def exr(path: Path, channels: dict[str, np.ndarray]) -> None:
    openexr = pytest.importorskip("OpenEXR")
    with openexr.File({"type": openexr.scanlineimage, "compression": openexr.ZIP_COMPRESSION}, channels) as file:
        file.write(str(path))


def holed(value: float, dtype: str = "f4") -> np.ndarray:
    """The room in metres, or in millimetres as whole numbers, with a rectangle of `value`."""
    out = (TRUE * 1000).round().astype(dtype) if dtype[0] in "ui" else TRUE.astype(dtype)
    out[10:30, 20:50] = value
    return out


def sparse() -> np.ndarray:
    """Every 20th pixel, as a laser scanner's projected into a photo, in 1/256 m; 0 elsewhere."""
    kept = np.random.default_rng(1).random(TRUE.shape) < 0.05
    return np.where(kept, (TRUE * 256).round(), 0).astype(np.uint16)


METRIC: dict[str, Any] = {"depth_kind": "metric"}
KITTI: dict[str, Any] = METRIC | {"depth_scale": 256.0}
ENDS: dict[str, Any] = {"depth_kind": "disparity", "near": NEAR, "far": FAR}
Z, HOLE, SPARSE = "whole", "a hole", "sparse"
DEPTHS: dict[str, tuple[str, Callable[[Path], object], dict[str, Any], float, str]] = {
    # situation: (file, how it is written, options, greatest relative error, what is there)
    "Kinect: 16-bit PNG in millimetres": ("d.png", lambda p: picture(p, holed(0, "u2")), METRIC, 1e-3, HOLE),
    "KITTI: 16-bit PNG in 1/256 m": (
        "d.png", lambda p: picture(p, (TRUE * 256).round().astype(np.uint16)), KITTI, 3e-3, Z),
    "KITTI: sparse": ("d.png", lambda p: picture(p, sparse()), KITTI, 3e-3, SPARSE),
    "sky is 65535": ("d.png", lambda p: picture(p, holed(65535, "u2")), METRIC, 1e-3, HOLE),
    "PFM": ("d.pfm", lambda p: pfm(p, TRUE), METRIC, 0, Z),
    "PFM with infinity": ("d.pfm", lambda p: pfm(p, holed(np.inf)), METRIC, 0, HOLE),
    "float TIFF": ("d.tif", lambda p: picture(p, TRUE), METRIC, 0, Z),
    "16-bit TIFF": ("d.tif", lambda p: picture(p, holed(0, "u2")), METRIC, 1e-3, HOLE),
    ".npy float32": ("d.npy", lambda p: np.save(p, TRUE), METRIC, 0, Z),
    ".npy float16": ("d.npy", lambda p: np.save(p, TRUE.astype(np.float16)), METRIC, 1e-3, Z),
    ".npy float64 with NaN": ("d.npy", lambda p: np.save(p, holed(np.nan, "f8")), METRIC, 1e-7, HOLE),
    ".npy with -1": ("d.npy", lambda p: np.save(p, holed(-1)), METRIC, 0, HOLE),
    ".npy with a renderer's 1e10": ("d.npy", lambda p: np.save(p, holed(1e10)), METRIC, 0, HOLE),
    ".npy int32 in millimetres": ("d.npy", lambda p: np.save(p, holed(-1, "i4")), METRIC, 1e-3, HOLE),
    ".npy float in millimetres": ("d.npy", lambda p: np.save(p, TRUE * 1000), METRIC | {"depth_scale": 1000.0}, 1e-6, Z),
    ".npy in Fortran's order": ("d.npy", lambda p: np.save(p, np.asfortranarray(TRUE)), METRIC, 0, Z),
    ".npy 1×h×w": ("d.npy", lambda p: np.save(p, TRUE[None]), METRIC, 0, Z),
    ".npy 1×1×h×w": ("d.npy", lambda p: np.save(p, TRUE[None, None]), METRIC, 0, Z),
    ".npy h×w×1": ("d.npy", lambda p: np.save(p, TRUE[..., None]), METRIC, 0, Z),
    ".npy of three equal channels": ("d.npy", lambda p: np.save(p, np.dstack([TRUE] * 3)), METRIC, 0, Z),
    ".npz with depth among others": (
        "d.npz", lambda p: np.savez_compressed(p, fov=np.ones(3), depth=TRUE, conf=0 * TRUE), METRIC, 0, Z),
    ".npz with one array": ("d.npz", lambda p: np.savez(p, TRUE), METRIC, 0, Z),
    ".exr Z": ("d.exr", lambda p: exr(p, {"Z": np.array(TRUE)}), METRIC, 0, Z),
    ".exr half Y": ("d.exr", lambda p: exr(p, {"Y": TRUE.astype(np.float16)}), METRIC, 1e-3, Z),
    ".exr of three equal channels": ("d.exr", lambda p: exr(p, {"RGB": np.dstack([TRUE] * 3)}), METRIC, 0, Z),
    ".exr of a renderer's layer": (
        "d.exr", lambda p: exr(p, {"View Layer.Depth.Z": holed(1e10), "View Layer.Combined.R": 0 * TRUE}), METRIC, 0, HOLE),
    "8-bit disparity in three channels": (
        "d.png", lambda p: picture(p, np.dstack([normalised(255).round().astype(np.uint8)] * 3)), ENDS, 0.01, Z),
    "8-bit disparity in a JPEG": (
        "d.jpg", lambda p: picture(p, normalised(255).round().astype(np.uint8), quality=100), ENDS, 0.02, Z),
    "16-bit disparity, 0 the farthest": (
        "d.png", lambda p: picture(p, normalised(65535).round().astype(np.uint16)), ENDS, 1e-4, Z),
    "disparity from 0 to 1": ("d.npy", lambda p: np.save(p, normalised(1).astype(np.float32)), ENDS, 1e-4, Z),
    "disparity with a shift": ("d.npy", lambda p: np.save(p, 3 / TRUE + 7), ENDS, 1e-4, Z),
}  # fmt: skip


@pytest.mark.parametrize("name", DEPTHS)
def test_depth_maps_say_what_they_mean(tmp_path: Path, name: str) -> None:
    file, write, options, error, what = DEPTHS[name]
    write(tmp_path / file)
    found = reconstruct(frozen(scene()), depth_in=tmp_path / file, focal_px=80.0, surface="grid", **options)
    z, seen = found.depth.z, ~np.isnan(found.depth.z)
    assert found.depth.metric
    np.testing.assert_allclose(z[seen], TRUE[seen], rtol=error + 1e-9)
    hole = np.zeros(TRUE.shape, bool)
    hole[10:30, 20:50] = True
    if what != SPARSE:
        np.testing.assert_array_equal(~seen, hole if what == HOLE else False)
    else:
        assert 0.02 < seen.mean() < 0.08
    told = [note for note in found.notes if note.code == "depth.no_surface"]
    assert len(told) == (what != Z)
    assert found.mesh.faces.size > 0
