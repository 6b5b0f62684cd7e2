"""Depth maps that a person gives: another size or unit, arrays and tensors, and the one rule of what is no surface."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recon.errors import BadInput, BadOption
from recon.io.read_depth import read_depth
from recon.io.sentinels import surface_only
from recon.pipeline import reconstruct
from recon.settings import Limits
from tests.scenes import camera_of, frozen, photo_of, room

CAMERA = camera_of(320, 240, 288.0)
PHOTO = photo_of(CAMERA)
TRUE = room(CAMERA)
KINDS = ("metric", "scale", "disparity")


# --- another size ---------------------------------------------------------------------------------------------------


def test_a_smaller_map_follows_the_photo(tmp_path: Path) -> None:
    shade = (TRUE / TRUE.max() * 255).astype(np.uint8)
    np.save(tmp_path / "d.npy", TRUE[1::2, 1::2])
    found = reconstruct(np.dstack([shade] * 3), depth_in=tmp_path / "d.npy", depth_kind="metric", focal_px=288.0)
    wrong = np.abs(found.depth.z / TRUE - 1)
    assert np.median(wrong) < 0.003
    assert (wrong > 0.02).mean() < 0.01
    assert "the depth map has 160×120 values; between them it follows the photo's edges" in map(str, found.notes)


def test_a_larger_map_is_taken_sample_by_sample() -> None:
    large = np.kron(TRUE, np.ones((3, 3), np.float32))
    found = read_depth(large, "metric", (240, 320))
    np.testing.assert_array_equal(found.values, TRUE)


def test_the_map_of_a_photo_that_was_read_smaller_fits_it() -> None:
    rgb = np.kron(PHOTO.rgb, np.ones((2, 2, 1), np.uint8))
    found = reconstruct(rgb, depth=np.kron(TRUE, np.ones((2, 2), np.float32)), depth_kind="metric", focal_px=576.0,
                        centre=(320.0, 240.0), limits=Limits(read_pixels=100_000))  # fmt: skip
    assert found.photo.size == (240, 320)
    assert found.photo.full_size == (480, 640)
    np.testing.assert_array_equal(found.depth.z, TRUE)
    assert (found.camera.focal, found.camera.cx, found.camera.cy) == (288.0, 160.0, 120.0)


@pytest.mark.parametrize("size", [(279, 384), (280, 384), (60, 80), (59, 80)])
def test_networks_round_their_sizes(size: tuple[int, int]) -> None:
    """Of an 1100×800 photo, as networks make them: the aspect agrees to a sample."""
    photo = (800, 1100) if size[1] == 384 else (240, 320)
    assert read_depth(np.full(size, 2.0), "metric", photo).values.shape == size


@pytest.mark.parametrize(("size", "advice"), [((240, 240), "or of the same shape"), ((320, 240), "turn it upright")])
def test_another_shape_is_refused(size: tuple[int, int], advice: str) -> None:
    with pytest.raises(BadInput, match=f"pixels and the upright photo 320×240; .*{advice}"):
        read_depth(np.full(size, 2.0), "metric", (240, 320))


def test_sparse_samples_of_another_size_are_carried_over_one_by_one() -> None:
    kept = np.random.default_rng(0).random(TRUE.shape) < 0.03
    small = np.where(kept, TRUE, 0)[::2, ::2]
    found = read_depth(small, "metric", (240, 320)).values
    assert np.count_nonzero(~np.isnan(found)) == np.count_nonzero(small)


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u2", "i4", "i8", "f2", "f4", "f8"])
def test_the_scale_is_obeyed_by_every_kind_of_number(dtype: str) -> None:
    values = np.full((48, 64), 500, dtype)
    assert (read_depth(values, "metric", (48, 64), 250.0).values == 2.0).all()
    assert (read_depth(values, "metric", (48, 64)).values == (0.5 if dtype[0] in "ui" else 500)).all()


@pytest.mark.parametrize("kind", ["scale", "disparity"])
def test_where_there_are_no_metres_a_scale_is_refused(kind: Any) -> None:
    with pytest.raises(BadOption, match=f"depth_scale .* the kind {kind} has no metres"):
        read_depth(TRUE, kind, (240, 320), 1000.0)


RULE: list[tuple[float, str, bool]] = [
    # value, kind, is it a surface
    (0, "metric", False), (0, "scale", False), (0, "disparity", False), (-1, "metric", False), (-1, "scale", False),
    (-1, "disparity", False), (65535, "metric", False), (65535, "scale", False), (65535, "disparity", True),
    (np.inf, "metric", False), (np.inf, "disparity", False), (np.nan, "metric", False), (np.nan, "scale", False),
    (np.nan, "disparity", False), (1e10, "metric", False), (1e10, "scale", False), (65534, "metric", True),
    (1e-9, "metric", False), (0.5, "metric", True), (0.5, "disparity", True),
]  # fmt: skip


@pytest.mark.parametrize(("value", "kind", "surface"), RULE)
def test_one_rule_says_what_is_no_surface(value: float, kind: Any, surface: bool) -> None:
    values = np.linspace(2, 3, 400).reshape(20, 20)
    values[5] = value
    depth, notes = surface_only(values, kind)
    assert (~np.isnan(depth[5])).all() == surface
    assert not np.isnan(np.delete(depth, 5, axis=0)).any()
    assert len(notes) == (not surface)  # 5 % of it
    if not surface:
        assert str(notes[0]).startswith("5 % of the depth map's pixels are no surface by their values (5 % ")


def test_up_to_one_percent_is_not_worth_a_note() -> None:
    values = np.full((20, 20), 2.0)
    values[0, :4] = 0
    assert surface_only(values, "metric")[1] == ()
    values[0, 4] = 0
    assert len(surface_only(values, "metric")[1]) == 1


@pytest.mark.parametrize(("dtype", "top"), [("u1", 255), ("u2", 65535), ("f4", 1), ("f4", 255), ("f8", 65535)])
def test_of_a_normalised_disparity_the_smallest_is_the_farthest_place(dtype: str, top: int) -> None:
    values = (np.linspace(0, 1, 400).reshape(20, 20) * top).round(6).astype(dtype)
    values[:5] = 0
    depth, notes = surface_only(values, "disparity")
    assert not np.isnan(depth).any()
    assert notes == ()
    stereo, _ = surface_only((values * 0.7).astype(dtype), "disparity")  # not normalised: 0 is no match
    assert np.isnan(stereo[:5]).all()


def test_eight_bits_are_told() -> None:
    values = (np.linspace(10, 255, 64 * 48).reshape(48, 64)).astype(np.uint8)
    assert any("8 bits" in str(note) for note in read_depth(values, "disparity", (48, 64)).notes)


# --- what a program hands over --------------------------------------------------------------------------------------


class Tensor:
    """What of torch's tensors matters here, on a device that numpy cannot see."""

    def __init__(self, values: np.ndarray, here: bool = False) -> None:
        self.values, self.here = values, here

    def detach(self) -> Tensor:
        return self

    def cpu(self) -> Tensor:
        return Tensor(self.values, True)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if not self.here:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        return self.values


MAPS: dict[str, Any] = {
    "array": TRUE, "1×h×w": TRUE[None], "float16": TRUE.astype(np.float16), "millimetres": (TRUE * 1000).astype(np.uint16),
    "Pillow image": Image.fromarray(TRUE), "tensor elsewhere": Tensor(TRUE),
}  # fmt: skip
PHOTOS: dict[str, Any] = {
    "array": PHOTO.rgb, "Pillow image": Image.fromarray(PHOTO.rgb), "floats": PHOTO.rgb / np.float32(255),
    "channels first": PHOTO.rgb.transpose(2, 0, 1), "batch": PHOTO.rgb[None], "16 bits": PHOTO.rgb.astype(np.uint16) * 257,
    "tensor elsewhere": Tensor((PHOTO.rgb / np.float32(255)).transpose(2, 0, 1)), "Photo": PHOTO,
}  # fmt: skip


@pytest.mark.parametrize("name", MAPS)
def test_depth_from_memory(name: str) -> None:
    found = reconstruct(PHOTO, depth=MAPS[name], depth_kind="metric", focal_px=288.0)
    np.testing.assert_allclose(found.depth.z, TRUE, rtol=1e-3)


@pytest.mark.parametrize("name", PHOTOS)
def test_photos_from_memory(name: str) -> None:
    found = reconstruct(PHOTOS[name], depth=TRUE, depth_kind="metric")
    np.testing.assert_array_equal(found.photo.rgb, PHOTO.rgb)


def test_grey_and_transparent_arrays() -> None:
    grey = reconstruct(PHOTO.rgb[..., 0], depth=TRUE, depth_kind="metric").photo
    np.testing.assert_array_equal(grey.rgb, np.dstack([PHOTO.rgb[..., 0]] * 3))
    inside = np.zeros((240, 320, 1), np.uint8)
    inside[50:200, 60:250] = 255
    cut = reconstruct(np.dstack([PHOTO.rgb, inside]), depth=TRUE, depth_kind="metric")
    np.testing.assert_array_equal(~np.isnan(cut.depth.z), inside[..., 0] > 0)


def test_an_image_keeps_what_its_file_said(tmp_path: Path) -> None:
    tags = Image.Exif()
    tags[0x112] = 6
    tags.get_ifd(0x8769)[0xA405] = 28
    Image.fromarray(PHOTO.rgb).save(tmp_path / "a.jpg", exif=tags)
    with Image.open(tmp_path / "a.jpg") as image:
        photo = reconstruct(image, depth=TRUE.T.copy(), depth_kind="metric").photo
    assert (photo.size, photo.focal_35mm) == ((320, 240), 28.0)
    assert (reconstruct((tmp_path / "a.jpg").read_bytes(), depth=TRUE.T.copy(), depth_kind="metric").photo.rgb
            == photo.rgb).all()  # fmt: skip


def test_torch_tensors() -> None:
    torch = pytest.importorskip("torch")
    photo = torch.from_numpy(PHOTO.rgb.copy()).permute(2, 0, 1).float().div(255).requires_grad_()
    found = reconstruct(photo, depth=torch.from_numpy(TRUE.copy())[None].bfloat16(), depth_kind="metric")
    np.testing.assert_allclose(found.depth.z, TRUE, rtol=1e-2)
    np.testing.assert_array_equal(found.photo.rgb, PHOTO.rgb)


# --- a flat wall ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("surface", ["grid", "poisson", "solid"])
def test_a_constant_map_of_metres_is_a_flat_wall(surface: Any) -> None:
    found = reconstruct(PHOTO, depth=np.full((240, 320), 2.5, np.float32), depth_kind="metric", focal_px=288.0,
                        surface=surface)  # fmt: skip
    vertices = found.mesh.vertices
    assert np.ptp(vertices[:, 2]) < 0.02
    np.testing.assert_allclose(np.ptp(vertices[:, 0]), 2.5 * 320 / 288, rtol=0.01)
    assert found.mesh.welded().to_trimesh().is_watertight == (surface == "solid")
    assert len(found.points.positions) == 240 * 320


def test_arguments_are_not_changed() -> None:
    values = TRUE.copy()
    values[:50] = 65535
    read_depth(frozen(values), "metric", (240, 320))
