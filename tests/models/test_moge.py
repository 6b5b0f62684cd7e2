"""MoGe-2's adapter over a graph of the published names whose geometry is known exactly."""

from __future__ import annotations

import math
import socket
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import recon
from recon import registry
from recon.errors import BadInput, BadOption, MissingWeights
from recon.models.moge import CELL, FILE, TOKENS, MoGe, averaged_photo
from recon.models.weights import WeightsSpec
from recon.protocols import DepthEstimator
from tests.command_line import started
from tests.models import toy_moge
from tests.models.test_depth_hf import no_sockets

FOV = 2 * math.degrees(math.atan(0.5 / toy_moge.FOCAL))


def adapter(place: Path, device: str = "cpu") -> MoGe:
    return MoGe(WeightsSpec("toy", "org/toy", files=(FILE,), given=str(place)), device, offline=True)


def relief(height: int = 120, width: int = 200) -> np.ndarray:
    """A photo whose red is hills, whose blue is sky in the upper left corner."""
    y, x = np.mgrid[:height, :width] / min(height, width)
    red = 127 + 60 * np.sin(5 * x) * np.cos(4 * y) + 40 * y
    blue = np.where((x < 0.4) & (y < 0.4), 220, 20)
    return np.stack([red, 90 + 0 * x, blue], axis=-1).astype(np.uint8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_moge.write(tmp_path_factory.mktemp("moge") / FILE).parent


@pytest.mark.parametrize("size", [(120, 200), (200, 120)])
def test_metres_field_of_view_and_sky(folder: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", no_sockets)
    photo, estimator = relief(*size), adapter(folder)
    raw = estimator.estimate(photo)
    assert isinstance(estimator, DepthEstimator)
    assert (raw.kind, raw.model, raw.values.dtype, raw.values.shape) == ("metric", "toy", np.float32, size)
    assert raw.fov_x == pytest.approx(FOV, abs=0.01) and raw.fov_error is not None and raw.fov_error < 3
    sky = photo[..., 2] > 127
    np.testing.assert_array_equal(np.isnan(raw.values), sky)
    np.testing.assert_allclose(raw.values[~sky], toy_moge.depth_of(photo[..., 0])[~sky], rtol=1e-4)


@pytest.mark.parametrize("scale", ["metric_scale", "scale"])
@pytest.mark.parametrize("tokens", [[], [1]])
def test_both_names_of_the_factor_and_both_shapes_of_the_number(tmp_path: Path, scale: str, tokens: list[int]) -> None:
    """The recipe for an export says metric_scale; files are said to hold scale."""
    raw = adapter(toy_moge.write(tmp_path / FILE, scale, tokens)).estimate(relief())
    assert raw.fov_x == pytest.approx(FOV, abs=0.01)


def test_a_large_photo_is_averaged_to_the_size_of_the_maps(folder: Path) -> None:
    photo = relief(1500, 2000)
    assert averaged_photo(relief()).shape == (120, 200, 3)
    small = averaged_photo(photo)
    assert small.shape[0] * small.shape[1] == pytest.approx(TOKENS * CELL**2, rel=0.002)
    assert small.shape[1] / small.shape[0] == pytest.approx(2000 / 1500, rel=0.002)
    raw = adapter(folder).estimate(photo)
    assert raw.values.shape == small.shape[:2] and raw.fov_x == pytest.approx(FOV, abs=0.1)


def test_another_camera_moves_all_depth_by_one_shift(folder: Path) -> None:
    """Whoever knows the field of view gets the points where that camera sees them; the model's own changes nothing."""
    photo = relief()
    own = recon.reconstruct(photo, depth_model=str(folder), mask="none", surface="grid")
    assert own.camera.source == "model" and own.depth.metric
    told = recon.reconstruct(photo, depth_model=str(folder), mask="none", surface="grid", fov=FOV)
    narrow = recon.reconstruct(photo, depth_model=str(folder), mask="none", surface="grid", fov=40.0)
    seen = ~np.isnan(own.depth.z)
    np.testing.assert_allclose(told.depth.z[seen], own.depth.z[seen], rtol=1e-3)
    moved = (narrow.depth.z - own.depth.z)[seen]
    assert np.ptp(moved) < 1e-4 and moved.mean() > 0.5 and narrow.camera.source == "user"


def test_a_wall_leaves_the_field_of_view_open(folder: Path) -> None:
    flat = np.full((120, 200, 3), (100, 90, 20), np.uint8)
    raw = adapter(folder).estimate(flat)
    assert raw.fov_error is not None and raw.fov_error > 25
    found = recon.reconstruct(flat, depth_model=str(folder), mask="none", surface="grid")
    assert found.camera.source == "default"
    expected = toy_moge.depth_of(np.array(100)) * found.camera.focal / (toy_moge.FOCAL * 200)
    np.testing.assert_allclose(found.depth.z, expected, rtol=0.01)


def test_nothing_but_sky_is_said(folder: Path) -> None:
    with pytest.raises(BadInput, match="sees no surface in this photo, only sky"):
        recon.reconstruct(np.full((1000, 1000, 3), 220, np.uint8), depth_model=str(folder), mask="none", surface="grid")


def test_a_subject_is_looked_at_on_plain_ground_and_alone_says_the_camera(folder: Path) -> None:
    photo = relief()
    inside = np.zeros(photo.shape[:2], bool)
    inside[50:110, 60:180] = True
    raw = adapter(folder).estimate(photo, inside)
    core = np.zeros_like(inside)
    core[56:104, 66:174] = True
    np.testing.assert_allclose(raw.values[core], toy_moge.depth_of(photo[..., 0])[core], rtol=0.01)
    assert raw.fov_x == pytest.approx(FOV, abs=1) and np.isnan(raw.values[~inside]).mean() > 0.9


def broken(place: Path, content: bytes | None = None) -> Path:
    """A folder whose model.onnx holds something else."""
    place.mkdir()
    if content is not None:
        (place / FILE).write_bytes(content)
    return place


def test_files_that_are_something_else_are_one_sentence_each(folder: Path, tmp_path: Path) -> None:
    from tests.builtin.toy import write_toy

    graph = (folder / FILE).read_bytes()
    other = write_toy(broken(tmp_path / "other") / FILE).parent
    cases = {
        "torn": (broken(tmp_path / "torn", graph[: len(graph) // 2]), "do not fit"),
        "text": (broken(tmp_path / "text", b"<html>404</html>"), "do not fit"),
        "other": (other, r"it takes hint, photo|it takes photo and gives .*, which is not MoGe-2 with normals"),
        "empty": (broken(tmp_path / "empty", b""), "which lacks model.onnx"),
        "none": (broken(tmp_path / "none"), "which lacks model.onnx"),
        "nowhere": (tmp_path / "nowhere", "which does not exist"),
    }
    for name, (place, words) in cases.items():
        with pytest.raises(MissingWeights, match=words) as raised:
            adapter(place).load()
        assert str(raised.value).endswith("hf download org/toy") and "\n" not in str(raised.value), name


def test_devices(folder: Path) -> None:
    import onnxruntime

    with pytest.raises(BadOption, match="give auto, cpu, cuda"):
        adapter(folder, "tpu").load()
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(BadOption, match="onnxruntime is built without it"):
            adapter(folder, "cuda").load()
    assert adapter(folder, "auto").load().get_providers()[-1] == "CPUExecutionProvider"


def test_by_name_folder_file_and_hub_id(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = registry.Where("cpu", offline=True)
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path))
    for place in ("moge-2-vits", "someone--mine"):
        toy_moge.write(tmp_path / place / FILE)
    ways = ["moge-2-vits", str(folder), str(folder / FILE), "someone/mine", "auto"]
    found = [registry.depth_estimator(way, here) for way in ways]
    assert all(isinstance(each, MoGe) for each in found)
    assert [each.name for each in found] == ["moge-2-vits", folder.name, "model", "someone--mine", "moge-2-vits"]
    depths = [each.estimate(relief()).values for each in found]
    for depth in depths[1:]:
        np.testing.assert_array_equal(depth, depths[0])
    named = registry.depth_estimator("Ruicheng/moge-2-vitl-normal-onnx", here)
    with pytest.raises(MissingWeights, match="get them with: hf download Ruicheng/moge-2-vitl-normal-onnx$"):
        named.load()


def test_the_command_line_writes_a_model_in_metres(folder: Path, tmp_path: Path) -> None:
    Image.fromarray(relief()).save(tmp_path / "photo.png")
    options = ["--rgb", "photo.png", "--mask", "none", "--surface", "grid", "--out", "x.glb"]
    done = started(tmp_path, *options, "--depth-model", str(folder))
    told = done.communicate()[1].decode()
    assert done.returncode == 0 and (tmp_path / "x.glb").stat().st_size > 10_000
    assert f"sees {FOV:.0f}°" in told
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / FILE).write_bytes((folder / FILE).read_bytes()[:300])
    failed = started(tmp_path, *options, "--depth-model", "torn")
    assert failed.communicate()[1].decode().count("do not fit") == 1 and failed.returncode == 3
