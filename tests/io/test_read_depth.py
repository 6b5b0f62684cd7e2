"""Depth maps of every layout, and arrays that are none."""

from __future__ import annotations

import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon.errors import BadInput
from recon.io.read_depth import read_depth


def saved(picture: Image.Image | np.ndarray, path: Path) -> Path:
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(path)
    return path


def npy(descr: str, shape: str, data: bytes = b"", extra: str = "") -> bytes:
    head = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}{extra}}}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


ZEROS = b"\0" * (48 * 64 * 4)
BAD_NPY = {
    "a pickle": b"\x80\x04\x95cos\nsystem\n(S'true'\ntR.",
    "objects": npy("'|O'", "(48, 64)", ZEROS),
    "40 GB promised": npy("'<f4'", "(100000, 100000)", ZEROS),
    "ten bytes short": npy("'<f4'", "(48, 64)", ZEROS[:-10]),
    "negative shape": npy("'<f4'", "(-48, -64)", ZEROS),
    "one negative axis": npy("'<f4'", "(-1, 64)", ZEROS),
    "absurd shape": npy("'<f4'", f"({10**400}, 2)", ZEROS),
    "no elements": npy("'<f4'", "(0, 64)"),
    "shape of text": npy("'<f4'", "('a', 64)", ZEROS),
    "nested header": npy("(" * 4000 + ")" * 4000, "(48, 64)", ZEROS),
    "huge header": npy("'<f4'", "(48, 64)", ZEROS, ", 'x': " + "1" * 20_000),
    "code in the header": npy("__import__('os').system('true')", "(48, 64)", ZEROS),
    "torn header": b"\x93NUMPY\x01\x00\xff\xff{",
    "unhashable header": npy("{[]: 1}", "(48, 64)", ZEROS),
    "untokenisable header": npy("'<f4'", "(48, 64L", ZEROS),
    "unknown version": b"\x93NUMPY\x09\x00" + npy("'<f4'", "(48, 64)", ZEROS)[8:],
    "complex": npy("'<c8'", "(48, 64)", ZEROS * 2),
    "bool": npy("'|b1'", "(48, 64)", ZEROS),
    "structured": npy("[('z', '<f4')]", "(48, 64)", ZEROS),
    "text": npy("'<U1'", "(48, 64)", ZEROS),
    "dates": npy("'<M8[s]'", "(48, 64)", ZEROS * 2),
    "a line": npy("'<f4'", "(3072,)", ZEROS),
    "a scalar": npy("'<f4'", "()", ZEROS),
}


@pytest.mark.parametrize("data", BAD_NPY.values(), ids=BAD_NPY)
def test_arrays_that_are_no_depth_map(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"is no array of numbers .*numpy\.save") as caught:
        read_depth(path, "metric", (48, 64))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400 + len(str(path))


@pytest.mark.parametrize(
    "change",
    [np.asfortranarray, lambda z: z.astype(">f4"), lambda z: z.astype("<f8"), lambda z: z[..., None], np.copy],
    ids=["fortran", "big-endian", "float64", "one channel", "plain"],
)
def test_arrays_of_every_layout(z: np.ndarray, tmp_path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    np.save(tmp_path / "a.npy", change(z))
    assert np.array_equal(read_depth(tmp_path / "a.npy", "metric", (48, 64)).values, z)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_npy(z: np.ndarray, tmp_path: Path, version: tuple[int, int]) -> None:
    with (tmp_path / "a.npy").open("wb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy advises against the newer ones
        np.lib.format.write_array(file, z, version)
    assert np.array_equal(read_depth(tmp_path / "a.npy", "scale", (48, 64)).values, z)


@pytest.mark.parametrize("dtype", ["u2", "i4", "i8"])
def test_integers_are_millimetres_in_arrays_and_pictures_alike(z: np.ndarray, tmp_path: Path, dtype: str) -> None:
    millimetres = (z * 1000).round().astype(dtype)
    np.save(tmp_path / "a.npy", millimetres)
    assert np.allclose(read_depth(tmp_path / "a.npy", "metric", (48, 64)).values, z, atol=5e-4)
    saved(millimetres.astype(np.uint16), tmp_path / "a.png")
    assert np.allclose(read_depth(tmp_path / "a.png", "metric", (48, 64)).values, z, atol=5e-4)
    assert np.allclose(read_depth(tmp_path / "a.png", "metric", (48, 64), 500.0).values, 2 * z, atol=1e-3)
    assert np.array_equal(read_depth(tmp_path / "a.png", "disparity", (48, 64)).values, millimetres)


def test_what_is_no_depth_is_no_surface(z: np.ndarray, tmp_path: Path) -> None:
    values = z.astype(np.float64)
    values[0, :8] = np.nan, np.inf, -np.inf, 0, -1, 1e10, 1e300, 1e-300
    np.save(tmp_path / "a.npy", values)
    for kind in ("metric", "scale"):
        out = read_depth(tmp_path / "a.npy", kind, (48, 64)).values
        assert np.isnan(out[0, :8]).all()
        assert np.array_equal(out[1:], z[1:])


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        (np.full((48, 64), np.nan), "0 usable values"),
        (np.zeros((48, 64)), "0 usable values"),
        (np.full((48, 64), np.inf), "0 usable values"),
        (-np.ones((48, 64)), "0 usable values"),
        (np.ones((64, 48)), "48×64 pixels and the upright photo 64×48"),
    ],
)
def test_unusable_depth(values: np.ndarray, complaint: str, tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", values)
    for kind in ("metric", "scale", "disparity"):
        with pytest.raises(BadInput, match=complaint):
            read_depth(tmp_path / "a.npy", kind, (48, 64))


def test_a_constant_map_of_depths_is_a_flat_wall_and_of_disparity_nothing(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.full((48, 64), 2.5))
    for kind in ("metric", "scale"):
        assert (read_depth(tmp_path / "a.npy", kind, (48, 64)).values == 2.5).all()
    with pytest.raises(BadInput, match=r"constant \(2\.5 everywhere\)"):
        read_depth(tmp_path / "a.npy", "disparity", (48, 64))


@pytest.mark.parametrize("mode", ["P", "RGB", "LA", "CMYK"])
def test_depth_pictures_with_colours_are_refused(rgb: np.ndarray, tmp_path: Path, mode: str) -> None:
    path = saved(Image.fromarray(rgb).convert(mode), tmp_path / "a.tif")
    with pytest.raises(BadInput, match=r"single channel: a \.npy file or a 16-bit PNG"):
        read_depth(path, "metric", (48, 64))
