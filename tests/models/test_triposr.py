"""TripoSR's adapter: the published files at toy size, against figures of the authors' own code.

Recipe of the figures: VAST-AI-Research/TripoSR at d26e331 with torch 2.15, its ViT that of transformers 5.23 with the
resampling of positions of 4.35.0 (which its requirements name); the tensors of `toy_triposr.noise` loaded into it, its
names of the ViT's parts turned into the published ones; `checked_picture` seen; its pictures of 4 views, for with 3 its
`torch.cross` takes the wrong axis. Differences then: scene codes 0, densities 4e-6 of the largest, colours 1e-5, pixels
8e-6. At full size: `tests.models.full_size`.
"""

from __future__ import annotations

import json
import math
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import recon
from recon import registry
from recon.cli.main import main
from recon.errors import BadInput, BadOption, MissingWeights
from recon.geometry.closed import is_closed
from recon.models.device import Where
from recon.models.triposr.adapter import FILLED, GREY, TripoSR, object_picture, object_window
from recon.models.triposr.field import TriplaneField
from recon.models.triposr.loading import FOLDER, read_triposr
from recon.models.triposr.network import TripoSRNetwork
from recon.models.triposr.plan import TripoSRPlan, plan_of
from recon.models.triposr.precision import best_precision, reduced
from recon.models.weights import WeightsSpec
from recon.protocols import ObjectField, ObjectReconstructor
from recon.render.cameras import orbit
from recon.render.crossing import render_crossings
from recon.render.extraction import extract_surface
from tests.models import toy_triposr as published

CLOSE = 1e-4
POINTS = torch.tensor([[0.0, 0, 0], [0.5, -0.2, 0.1], [-0.7, 0.3, 0.6], [0.1, 0.9, -0.8], [0.33, -0.66, -0.5]])
CODES = [0.343994, -2.62238, 2.831184, -0.428547, -4.420921, -1.301612, 0.674153, 2.883365, 1.080097,
         2.042439, -1.873525, -1.993371, -4.165376, 3.035785, 2.992082, 2.571499, -1.732919, 1.092698,
         4.700525, 1.414856, -0.957586, -2.009181, -3.646266, -0.304773, 2.624268, 9.338449, -0.068485,
         -2.758993, -0.824591, -0.316629, 0.129881, 1.609137, -0.310175, -3.741762, -4.54515, 0.707667]  # fmt: skip
DENSITIES = [0.037825, 5e-05, 0.0, 2.901111, 0.004859]
"""Per crossing of the cube."""
COLOURS = [0.54209, 0.391545, 0.282254, 0.111026, 0.196619, 0.39243, 0.51455, 0.031705, 0.000183, 0.300856, 0.124432,
           0.179114, 0.988042, 0.023854, 0.224267]  # fmt: skip
PIXELS = [0.94739, 0.948223, 0.946524, 0.845172, 0.86713, 0.852303, 0.995318, 0.993424, 0.992971, 0.99722, 0.994806,
          0.994217, 0.768655, 0.808692, 0.768013, 0.972474, 0.973104, 0.96581, 0.94148, 0.947874, 0.939411, 0.988992,
          0.987816, 0.985348, 0.948878, 0.953685, 0.94746]  # fmt: skip


def spec_of(folder: Path) -> WeightsSpec:
    return WeightsSpec("toy", "org/toy", files=FOLDER, given=str(folder))


def checked_picture(side: int = 96) -> torch.Tensor:
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    return torch.stack([x / (side - 1), y / (side - 1), ((x // 9 * 7 + y // 11 * 13) % 64) / 63])[None].float()


@pytest.fixture(scope="module")
def noisy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published.write(tmp_path_factory.mktemp("triposr") / "noise", published.noise())


@pytest.fixture(scope="module")
def network(noisy: Path) -> TripoSRNetwork:
    return read_triposr(noisy, spec_of(noisy))


@pytest.fixture
def copy(noisy: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(noisy, tmp_path / "copy"))


def test_the_full_size_network_is_the_published_file_tensor_by_tensor() -> None:
    with torch.device("meta"):
        network = TripoSRNetwork(TripoSRPlan())
    wanted = json.loads((Path(__file__).parent / "triposr_tensors.json").read_text())
    assert {name: list(each.shape) for name, each in network.state_dict().items()} == wanted
    assert (len(wanted), sum(each.numel() for each in network.parameters())) == (549, 419_275_628)


def test_the_published_configuration_is_the_plan() -> None:
    toy = published.CONFIG
    config: dict[str, Any] = toy | {
        "cond_image_size": 512,
        "image_tokenizer": {"pretrained_model_name_or_path": "facebook/dino-vitb16"},
        "tokenizer": {"plane_size": 32, "num_channels": 1024},
        "backbone": toy["backbone"] | {"num_attention_heads": 16, "attention_head_dim": 64, "num_layers": 16,
                                       "cross_attention_dim": 768},
        "post_processor": {"in_channels": 1024, "out_channels": 40},
        "decoder": {"in_channels": 120, "n_neurons": 64, "n_hidden_layers": 9, "activation": "silu"},
    }  # fmt: skip
    assert plan_of(config) == TripoSRPlan()


def test_scene_codes_densities_colours_and_pictures_are_the_authors(network: TripoSRNetwork) -> None:
    with torch.no_grad():
        planes = network(checked_picture())
    np.testing.assert_allclose(planes[:, ::3, 3::7, 2::6][:, :2].flatten(), CODES, atol=CLOSE, rtol=CLOSE)
    field = TriplaneField(planes, network.decoder, network.plan.density_bias)
    seen = field(POINTS)
    np.testing.assert_allclose(2 * seen.density, DENSITIES, atol=CLOSE)
    np.testing.assert_allclose(seen.albedo.flatten(), COLOURS, atol=CLOSE)
    view = render_crossings(field, orbit(90.0, 20.0, 1.9 / 0.87, 40.0, 24), torch.ones(3), 128, 0.01 / 0.87)
    np.testing.assert_allclose(view.colour[4::7, 4::7].flatten(), PIXELS, atol=CLOSE)


def test_points_in_several_parts_are_the_same_points(network: TripoSRNetwork, monkeypatch: pytest.MonkeyPatch) -> None:
    field = TriplaneField(torch.rand(3, 8, 16, 16), network.decoder, -1.0)
    points = 2 * torch.rand(100, 3) - 1
    with torch.no_grad():
        whole = field.logits(points)
        monkeypatch.setattr("recon.models.triposr.field.CHUNK", 7)
        torch.testing.assert_close(field.logits(points), whole)


def test_half_the_precision_keeps_the_scene_codes_to_a_percent(noisy: Path, network: TripoSRNetwork) -> None:
    half = reduced(read_triposr(noisy, spec_of(noisy)), "bfloat16")
    with torch.no_grad():
        exact, found = network(checked_picture()), half(checked_picture())
    assert 0 < float((found - exact).norm() / exact.norm()) < 0.01
    assert half.decoder.layers[0].weight.dtype == torch.float32
    assert best_precision("cuda") == "float16" and best_precision("cpu") in ("bfloat16", "float32")


def test_safetensors_are_the_same_network(copy: Path, network: TripoSRNetwork) -> None:
    (copy / "model.ckpt").unlink()
    save_file(published.noise(), copy / "model.safetensors")
    found = read_triposr(copy, spec_of(copy)).state_dict()
    assert all(torch.equal(found[name], each) for name, each in network.state_dict().items())


class Code:
    """What a pickle must not be able to do."""

    def __reduce__(self) -> Any:
        return (Path.touch, (Path("touched"),))


def drop(state: dict[str, Any]) -> None:
    del state["backbone.norm.weight"]


def add(state: dict[str, Any]) -> None:
    state["backbone.extra"] = torch.zeros(1)


def reshape(state: dict[str, Any]) -> None:
    state["decoder.layers.0.bias"] = torch.zeros(17)


def replace_all(state: dict[str, Any]) -> None:
    state.clear()
    state["other.weight"] = torch.zeros(1)


def nest(state: dict[str, Any]) -> None:
    inner = dict(state)
    state.clear()
    state["state_dict"] = inner


BAD = {
    "missing": (drop, "1 missing keys: backbone.norm.weight"),
    "extra": (add, "1 unexpected keys: backbone.extra"),
    "other shape": (reshape, "1 keys of another shape: decoder.layers.0.bias"),
    "another model": (replace_all, "missing keys: backbone.norm.bias"),
    "no tensors": (nest, "state_dict is no tensor"),
}


@pytest.mark.parametrize("how", BAD)
def test_a_checkpoint_that_does_not_fit_is_named_with_its_first_key(copy: Path, how: str) -> None:
    change, told = BAD[how]
    state: dict[str, Any] = dict(published.noise())
    change(state)
    torch.save(state, copy / "model.ckpt")
    adapter = TripoSR(spec_of(copy), "cpu", offline=True)
    with pytest.raises(MissingWeights) as caught:
        adapter.load()
    assert told in str(caught.value) and "model.ckpt" in str(caught.value)
    assert adapter._network is None, "nothing is loaded in part"


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def with_code(file: Path) -> None:
    torch.save({"a": Code()}, file)


def with_plain_code(file: Path) -> None:
    file.write_bytes(pickle.dumps({"a": Code()}))


def text(file: Path) -> None:
    file.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:429e2c6b\nsize 1677246742\n")


@pytest.mark.parametrize("spoil", [cut, with_code, with_plain_code, text])
def test_a_torn_file_and_one_with_code_are_refused_and_nothing_runs(
    copy: Path, spoil: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    spoil(copy / "model.ckpt")
    with pytest.raises(MissingWeights) as caught:
        read_triposr(copy, spec_of(copy))
    assert "model.ckpt do not fit (it " in str(caught.value)
    assert ("holds code" in str(caught.value)) == (spoil is not cut)
    assert not (copy / "touched").exists()


def other_decoder(**changes: Any) -> dict[str, Any]:
    return published.CONFIG | {"decoder": published.CONFIG["decoder"] | changes}


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("a: [", "config.yaml"),
        ("tokenizer: {plane_size: 8}", "it lacks image_tokenizer"),
        (other_decoder(activation="relu"), "decoder.activation is 'relu'"),
        (other_decoder(in_channels=9), "decoder.in_channels is 9, 24"),
        ("just words", "config.yaml"),
    ],
)  # fmt: skip
def test_a_configuration_that_is_none_of_its_own_is_told(copy: Path, config: Any, told: str) -> None:
    shutil.rmtree(copy)
    published.write(copy, published.noise(), config)
    with pytest.raises(MissingWeights) as caught:
        read_triposr(copy, spec_of(copy))
    assert told in str(caught.value)


def test_the_picture_is_the_subject_on_grey_filling_its_share() -> None:
    rgb = np.full((120, 200, 3), 250, np.uint8)
    inside = np.zeros((120, 200), bool)
    inside[30:90, 140:198] = True
    window = object_window(inside)
    assert window.width == window.height == round(60 / FILLED)
    assert (window.left + window.width / 2, window.top + window.height / 2) == pytest.approx((169, 60), abs=0.5)
    square = object_picture(rgb, inside, window)
    assert square.shape == (window.height, window.width, 3)
    assert (square[2, 2] == GREY).all() and (square[35, 35] == 250).all()
    assert (square[:, -2] == GREY).all(), "beyond the photo's edge there is grey too"


@pytest.fixture(scope="module")
def ellipsoid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published.write(tmp_path_factory.mktemp("object") / "ellipsoid")


def test_the_surface_has_tripo_s_axes_where_this_library_has_its_own(ellipsoid: Path) -> None:
    inside = np.zeros((64, 64), bool)
    inside[10:50, 20:40] = True
    adapter = registry.object_reconstructor(str(ellipsoid), Where("cpu", True))
    assert isinstance(adapter, ObjectReconstructor)
    field = adapter.reconstruct(np.full((64, 64, 3), 90, np.uint8), inside).shape
    assert isinstance(field, ObjectField) and isinstance(field, TriplaneField)
    vertices, faces = extract_surface(field.density_logit, field.level, 64)
    assert is_closed(faces)
    right, up, towards = (float(np.abs(vertices[:, axis]).max()) for axis in (0, 1, 2))
    assert towards < 0.95 * right < 0.9 * up, "as AXES has them"
    colours = field(torch.from_numpy(vertices)).albedo.numpy()
    for channel, way in enumerate((vertices[:, 0], -vertices[:, 1], -vertices[:, 2])):
        assert np.corrcoef(colours[:, channel], way)[0, 1] > 0.95


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photo with its mask in it, of an ellipse as the ellipsoid is seen, about."""
    y, x = np.mgrid[:160, :200]
    inside = ((x - 90) / 40) ** 2 + ((y - 80) / 50) ** 2 < 1
    rgba = np.dstack([np.full((160, 200), 200), x, y, 255 * inside]).astype(np.uint8)
    Image.fromarray(rgba).save(tmp_path / "photo.png")
    np.save(tmp_path / "depth.npy", np.full((160, 200), 3, np.float32))
    return tmp_path / "photo.png"


def test_one_command_makes_the_whole_object_and_says_who_made_it(photo: Path, ellipsoid: Path) -> None:
    folder = photo.parent
    given = ["--rgb", str(photo), "--depth-in", str(folder / "depth.npy"), "--depth-kind", "metric", "--fov", "50"]
    out = ["--out", str(folder / "m.ply"), "--out", str(folder / "m.stl"), "--report", str(folder / "r.json")]
    assert main([*given, *out, "--faces", "2000", "--object", str(ellipsoid), "--quiet"]) == 0
    report = json.loads((folder / "r.json").read_text())
    assert report["object"] == {"model": "ellipsoid", "get": ""}
    assert any("the whole object is ellipsoid's" in told for told in report["warnings"])
    assert report["counts"]["faces"] <= 2100
    import trimesh

    mesh = trimesh.load(folder / "m.stl")
    assert mesh.is_watertight and mesh.volume > 0
    wide, deep, high = mesh.extents
    assert high == pytest.approx(100, abs=0.1) and deep < wide < high


def test_without_weights_the_solid_is_made_and_the_report_says_how_to_get_the_other(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("UNFLAT_MODELS", str(photo.parent / "none"))
    monkeypatch.setenv("HF_HUB_CACHE", str(photo.parent / "none"))
    folder = photo.parent
    given = ["--rgb", str(photo), "--depth-in", str(folder / "depth.npy"), "--depth-kind", "metric", "--fov", "50"]
    assert main([*given, "--out", str(folder / "m.ply"), "--report", str(folder / "r.json")]) == 0
    report = json.loads((folder / "r.json").read_text())
    assert report["object"] == {"model": "solid", "get": "hf download stabilityai/TripoSR"}
    assert "see --models for one that knows all sides" in " ".join(capfd.readouterr().err.split())
    assert main([*given, "--out", str(folder / "n.ply"), "--object", "triposr", "--offline"]) == 3
    told = " ".join(capfd.readouterr().err.split())
    assert "get them with: hf download stabilityai/TripoSR" in told and not (folder / "n.ply").exists()
    assert main([*given, "--out", str(folder / "n.ply"), "--object", "tripo"]) == 2
    assert "--object 'tripo' is unknown; give auto, solid, one of triposr" in " ".join(capfd.readouterr().err.split())


def test_auto_takes_the_model_whose_weights_are_here_and_the_solid_where_it_sees_nothing(
    photo: Path, ellipsoid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNFLAT_WEIGHTS_TRIPOSR", str(ellipsoid))
    depth = np.full((160, 200), 3, np.float32)
    found = recon.reconstruct(photo, depth=depth, depth_kind="metric", fov=50.0, faces=1000)
    assert found.object_model == "triposr"
    assert is_closed(found.mesh.welded().faces) and found.report()["object"]["model"] == "triposr"
    fewer = found.with_options(faces=500)
    assert fewer.whole is found.whole, "the network is not asked twice"
    assert found.with_options(surface="grid").object_model == ""

    state = published.ellipsoid()
    state["decoder.layers.6.bias"][0] -= 100
    empty = published.write(photo.parent / "empty", state)
    monkeypatch.setenv("UNFLAT_WEIGHTS_TRIPOSR", str(empty))
    found = recon.reconstruct(photo, depth=depth, depth_kind="metric", fov=50.0, faces=1000)
    assert is_closed(found.mesh.welded().faces)
    assert found.report()["object"]["model"] == "solid"
    assert any(told.code == "surface.object_empty" for told in found.notes)
    with pytest.raises(BadInput, match="sees no surface in this photo"):
        _ = found.with_options(object=str(empty)).mesh


def test_an_object_that_is_no_model_is_told(photo: Path) -> None:
    with pytest.raises(BadOption, match="object is of type int"):
        recon.reconstruct(photo, object=3)


def test_it_is_listed_with_licence_and_size() -> None:
    line = next(line for line in registry.models_table().splitlines() if line.startswith("triposr"))
    assert "MIT" in line and "1678" in line and "4 GB of memory" in line and "object" in line
    assert math.isclose(419_275_628 * 4 / 1e6, 1678, rel_tol=0.01)
