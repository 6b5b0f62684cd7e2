"""Depth Anything 3's adapter: the published files at toy size, against figures of the authors' own code.

The figures were made with ByteDance-Seed/Depth-Anything-3 at 2c21ea8: its InputProcessor, DepthAnything3Net with a narrower
DINOv2, and the tensors of `toy_depth_anything3` loaded into it.
"""

from __future__ import annotations

import json
import math
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import recon
from recon import registry
from recon.errors import BadInput, MissingDependency, MissingWeights
from recon.models.depth_anything3 import FOLDER, SIDE, STEP, TREES, DepthAnything3, network_photo, sky_as_holes
from recon.models.weights import WeightsSpec
from recon.protocols import DepthEstimator
from tests.models import toy_depth_anything3 as published
from tests.models.test_depth_hf import no_sockets, rewrite

KINDS = {"da3-small": "scale", "da3mono-large": "scale", "da3metric-large": "metric"}


def adapter(folder: Path, kind: Any = None) -> DepthAnything3:
    return DepthAnything3(WeightsSpec("toy", "org/toy", files=FOLDER, given=str(folder)), kind, "cpu", offline=True)


@pytest.fixture(scope="module")
def toy3(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """toy3("da3-small") is a folder as published; built once. Copy it before changing it."""
    root = tmp_path_factory.mktemp("da3")
    return lambda name: root / name if (root / name).is_dir() else published.write(root / name, name)


@pytest.fixture
def copy(toy3: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    return lambda name: Path(shutil.copytree(toy3(name), tmp_path / name))


def checked_photo() -> np.ndarray:
    """120×200, a ramp with rectangles on it."""
    y, x = np.mgrid[:120, :200]
    ramp = np.stack([x * 255 / 199, y * 255 / 119, 128 + 0 * x], axis=-1).astype(np.uint8)
    return np.asarray(ramp ^ ((x // 9 * 7 + y // 11 * 13) % 64).astype(np.uint8)[..., None])


SAMPLED = (10, 150, 290)
"""Rows and columns of the figures."""
FIGURES = {
    "da3-small": [0.465428, 0.387608, 0.176406, 0.617825, 0.538575, 0.241721, 0.920078, 1.08732, 0.668448],
    "portrait": [0.4594, 0.508652, 1.31344, 0.327533, 0.218271, 0.900862, 0.197959, 0.315726, 0.375428],
    "da3mono-large": [1.89444, 1.08715, 1.77405, 1.59227, 2.24774, 1.91096, 3.77064, 6.96239, 6.21665],
}


@pytest.mark.parametrize(("which", "fov"), [("da3-small", 72.8666), ("portrait", 75.2156)])
def test_any_view_models_agree_with_the_authors_code(toy3: Callable[[str], Path], which: str, fov: float) -> None:
    photo = checked_photo() if which != "portrait" else np.ascontiguousarray(checked_photo().transpose(1, 0, 2))
    raw = adapter(toy3("da3-small")).estimate(photo)
    assert raw.values.shape == ((504, 308) if which == "portrait" else (308, 504))
    np.testing.assert_allclose(raw.values[np.ix_(SAMPLED, SAMPLED)].ravel(), FIGURES[which], rtol=1e-4)
    assert raw.fov_x == pytest.approx(fov, abs=1e-3) and raw.kind == "scale"


@pytest.mark.parametrize(("name", "focal"), [("da3mono-large", None), ("da3metric-large", 300)])
def test_single_view_models_agree_with_the_authors_code(
    toy3: Callable[[str], Path], name: str, focal: float | None
) -> None:
    raw = adapter(toy3(name)).estimate(checked_photo())
    values, expected = raw.values[np.ix_(SAMPLED, SAMPLED)].ravel(), np.array(FIGURES["da3mono-large"])
    ground = np.isfinite(values)
    np.testing.assert_allclose(values[ground], expected[ground], rtol=1e-4)
    assert np.isnan(raw.values).mean() == pytest.approx(0.61395, abs=1e-3) and 0 < ground.sum() < 9
    assert (raw.kind, raw.fov_x, raw.canonical_focal) == (KINDS[name], None, focal)


def test_the_layout_is_the_published_one() -> None:
    """depth-anything/DA3-SMALL holds 437 tensors of 34,299,463 numbers (model.safetensors: 137,248,940 bytes)."""
    shapes = published.shapes_of("da3-small", published.SMALL)
    assert (len(shapes), sum(map(math.prod, shapes.values()))) == (437, 34_299_463)
    for name in TREES:
        single = name.startswith(("da3mono", "da3metric"))
        assert (TREES[name]["head"]["__object__"]["name"] == "DPT") == single


def test_the_name_alone_stands_for_the_authors_configuration(toy3: Callable[[str], Path], tmp_path: Path) -> None:
    """PyTorchModelHubMixin's least is {"model_name": …}: then Small's own measures are expected."""
    (tmp_path / "config.json").write_text('{"model_name": "da3-small"}')
    shutil.copy(toy3("da3-small") / "model.safetensors", tmp_path)
    with pytest.raises(MissingWeights, match="do not fit"):
        adapter(tmp_path).load()


@pytest.mark.parametrize("name", KINDS)
def test_every_model_runs_without_a_socket(
    toy3: Callable[[str], Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = toy3(name)
    monkeypatch.setattr(socket, "socket", no_sockets)
    estimator = adapter(folder, KINDS[name])
    assert isinstance(estimator, DepthEstimator)
    network = estimator.load().network
    raw = estimator.estimate(checked_photo())
    assert raw.values.dtype == np.float32 and estimator.load().network is network
    inside = np.zeros((120, 200), bool)
    inside[30:90, 50:150] = True
    assert estimator.estimate(checked_photo(), inside).values.shape == raw.values.shape


def test_what_serves_several_pictures_is_not_kept(toy3: Callable[[str], Path]) -> None:
    kept = set(adapter(toy3("da3-small")).load().network.state_dict())
    assert len(kept) == len(published.shapes_of("da3-small", published.TOY)) - len(published.for_several(published.TOY))
    assert not any("aux" in key or key.startswith("cam_enc") for key in kept)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((378, 504), (378, 504)), ((3000, 4000), (378, 504)), ((120, 200), (308, 504)), ((9, 900), (14, 504))],
)
def test_sizes_follow_the_authors_rule(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert network_photo(np.zeros((*size, 3), np.uint8)).shape[:2] == expected
    assert network_photo(np.zeros((*size[::-1], 3), np.uint8)).shape[:2] == expected[::-1]
    assert all(side % STEP == 0 and side <= SIDE for side in expected)


def test_sky_is_a_hole_unless_hardly_anything_else_is_left() -> None:
    depth, sky = np.ones((20, 20), np.float32), np.ones((20, 20), np.float32)
    sky[10:] = 0.29
    assert np.isnan(sky_as_holes(depth, sky)).sum() == 200
    sky[:] = 0.3
    sky[0, :10] = 0
    assert sky_as_holes(depth, sky) is depth


def test_metres_grow_with_a_focal_length_that_is_known(toy3: Callable[[str], Path]) -> None:
    """metres = output · focal length in the network's pixels / 300; without a focal length depth is relative."""
    options: dict[str, Any] = {
        "depth_model": str(toy3("da3metric-large")),
        "mask": "none",
        "surface": "grid",
        "sharpen": "off",
    }
    raw = adapter(toy3("da3metric-large")).estimate(checked_photo())
    seen = [recon.reconstruct(checked_photo(), fov=fov, **options) for fov in (30.0, 60.0)]
    assert all(each.depth.metric for each in seen)
    near, far = (float(np.nanmedian(each.depth.z)) for each in seen[::-1])
    assert far / near == pytest.approx(math.tan(math.radians(30)) / math.tan(math.radians(15)), rel=1e-3)
    pixels = (504 + 308 / 120 * 200) / 2 / (2 * math.tan(math.radians(30)))
    assert near == pytest.approx(float(np.nanmedian(raw.values)) * pixels / 300, rel=0.1)
    unknown = recon.reconstruct(checked_photo(), **options)
    assert [each.code for each in unknown.notes].count("depth.focal_unknown") == 1
    assert all("depth.focal_unknown" not in [each.code for each in known.notes] for known in seen)
    assert not unknown.depth.metric and np.nanmedian(unknown.depth.z) == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop("model.head.norm.weight"), r"1 missing keys: head\.norm\.weight"),
        (lambda state: state.update(foreign=state["model.head.norm.weight"].clone()), "1 unexpected keys: foreign"),
        (
            lambda state: state.update({"model.head.norm.bias": state["model.head.norm.bias"][:3].clone()}),
            "another shape",
        ),
        (lambda state: state.pop("model.backbone.pretrained.cls_token"), "do not fit"),
        (lambda state: [state.pop(key) for key in list(state) if "blocks.7." in key], "do not fit"),
    ],
)
def test_a_key_that_does_not_fit_is_an_error(copy: Callable[[str], Path], change: Any, words: str) -> None:
    folder = copy("da3-small")
    rewrite(folder, change)
    with pytest.raises(MissingWeights, match=words) as raised:
        adapter(folder).load()
    assert str(raised.value).endswith("hf download org/toy") and "\n" not in str(raised.value)


def retold(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The folder with another config.json."""
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_files_that_are_something_else_are_one_sentence_each(copy: Callable[[str], Path], tmp_path: Path) -> None:
    folder = copy("da3-small")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(MissingWeights, match="do not fit"):
        adapter(folder).load()
    (folder / "config.json").write_text("{")
    with pytest.raises(MissingWeights, match="do not fit"):
        adapter(folder).load()
    (folder / "config.json").write_text('{"model_type": "dpt"}')
    with pytest.raises(MissingWeights, match="is not a Depth Anything 3's"):
        adapter(folder).load()
    file.unlink()
    with pytest.raises(MissingWeights, match=r"which lacks model\.safetensors"):
        adapter(folder).load()
    with pytest.raises(MissingWeights, match="which does not exist"):
        adapter(tmp_path / "nowhere").load()


def test_models_that_are_not_understood_say_so(copy: Callable[[str], Path]) -> None:
    nested = {"__object__": {"path": "depth_anything_3.model.da3", "name": "NestedDepthAnything3Net"}}
    folder = retold(copy("da3-small"), lambda config: config.update(model_name="da3nested-giant-large", config=nested))
    with pytest.raises(BadInput, match="'da3nested-giant-large', which is not understood"):
        adapter(folder).load()
    folder = retold(copy("da3mono-large"), lambda config: config.update(model_name="mine"))
    with pytest.raises(BadInput, match="does not say what the values of toy mean"):
        adapter(folder).load()
    assert adapter(folder, "scale").load().kind == "scale"


def test_a_contradiction_about_the_kind_is_an_error(toy3: Callable[[str], Path]) -> None:
    with pytest.raises(BadInput, match="should give metric, but .* gives scale"):
        adapter(toy3("da3mono-large"), "metric").load()


def test_what_is_after_the_transformer_stays_in_float32(toy3: Callable[[str], Path]) -> None:
    """bf16 autocast on the CPU stands for CUDA's."""
    import torch

    network = adapter(toy3("da3-small")).load().network
    picture = torch.randn(1, 3, 70, 98, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        exact = network(picture).depth
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = network(picture).depth
    assert rough.dtype == torch.float32 and not torch.equal(rough, rough.bfloat16().float())
    assert float((rough / exact - 1).abs().median()) < 0.05


def test_by_name_folder_and_hub_id(
    toy3: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = registry.Where("cpu", offline=True)
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path))
    for place in ("da3-small", "someone--mine"):
        shutil.copytree(toy3("da3-small"), tmp_path / place)
    ways = ["da3-small", str(toy3("da3-small")), "someone/mine", "auto"]
    found = [registry.depth_estimator(way, here) for way in ways]
    assert all(isinstance(each, DepthAnything3) for each in found)
    assert [each.name for each in found] == ["da3-small", "da3-small", "someone--mine", "da3-small"]
    named = registry.depth_estimator("depth-anything/DA3MONO-LARGE", here)
    with pytest.raises(MissingWeights, match="get them with: hf download depth-anything/DA3MONO-LARGE$"):
        named.load()


@pytest.mark.parametrize("module", ["torch", "safetensors"])
def test_an_absent_framework_is_one_sentence(
    toy3: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    folder = toy3("da3-small")
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingDependency) as raised:
        adapter(folder).load()
    assert str(raised.value).endswith(f"pip install {module}")
