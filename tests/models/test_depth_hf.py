"""Every depth architecture, loaded from disk by the code that a user runs."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from recon.errors import BadInput, BadOption, MissingDependency, MissingWeights
from recon.models import soft_import
from recon.models.depth_hf import TransformersDepth, from_canonical_inverse, kind_of, shrunk_to_side, without_padding
from recon.models.weights import WeightsSpec
from recon.protocols import DepthEstimator

Toy = Callable[[str], Path]

KINDS = {
    "dpt-vit": "disparity",
    "dpt-hybrid": "disparity",
    "dpt-beit": "disparity",
    "dpt-swin2": "disparity",
    "glpn": "metric",
    "zoedepth": "metric",
    "depth-anything": "disparity",
    "depth-anything-metric": "metric",
    "depth-pro": "metric",
}


def adapter(folder: Path, kind: Any = None) -> TransformersDepth:
    return TransformersDepth(WeightsSpec("toy", "org/toy", given=str(folder)), kind, device="cpu", offline=True)


def no_sockets(*_: Any, **__: Any) -> None:
    raise AssertionError("a socket was opened")


@pytest.mark.parametrize("architecture", KINDS)
def test_every_architecture_gives_its_kind_without_a_socket(
    toy: Toy, architecture: str, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = toy(architecture)
    monkeypatch.setattr(socket, "socket", no_sockets)
    monkeypatch.setattr(socket, "getaddrinfo", no_sockets)
    estimator = adapter(folder, KINDS[architecture])
    raw = estimator.estimate(photo)
    assert isinstance(estimator, DepthEstimator)
    assert raw.kind == KINDS[architecture] and raw.model == "toy" and raw.values.dtype == np.float32
    seen = raw.values[np.isfinite(raw.values)]  # Depth Pro alone can say "no surface"
    assert seen.min() >= 0 and np.ptp(seen) > 0
    assert seen.size == raw.values.size or architecture == "depth-pro"
    assert (raw.fov_x is not None) == (architecture == "depth-pro")


@pytest.mark.parametrize("architecture", [a for a in KINDS if a != "depth-pro"])
def test_values_are_those_of_the_bare_model(toy: Toy, architecture: str, photo: np.ndarray) -> None:
    """Same numbers as the library's own classes give on the processor's pixels: no resize, no rescale in between."""
    import torch
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    processor = AutoImageProcessor.from_pretrained(toy(architecture))
    model = AutoModelForDepthEstimation.from_pretrained(toy(architecture)).eval()
    with torch.no_grad():
        bare = model(**processor(images=photo.copy(), return_tensors="pt")).predicted_depth[0].numpy()
    values = adapter(toy(architecture)).estimate(photo).values
    if architecture == "zoedepth":  # its padding is removed: what is left lies within the bare map's range
        assert bare.min() <= values.min() and values.max() <= bare.max() and values.size < bare.size
    else:
        np.testing.assert_allclose(values, bare, rtol=1e-5, atol=1e-5)


class Ramp:
    """A hand-made network whose depth is one channel of what it sees, so that the map shows where pixels went."""

    def __init__(self, channel: int) -> None:
        self.channel = channel

    def __call__(self, pixel_values: Any) -> Any:
        return SimpleNamespace(predicted_depth=pixel_values[:, self.channel] * 0.5 + 0.5, field_of_view=None)


@pytest.mark.parametrize("architecture", [a for a in KINDS if a != "depth-pro"])
@pytest.mark.parametrize("size", [(120, 200), (200, 120)])
def test_the_map_covers_the_whole_photo_and_nothing_else(toy: Toy, architecture: str, size: tuple[int, int]) -> None:
    height, width = size
    y, x = np.mgrid[:height, :width]
    photo = np.stack([x + 20, y + 20, 0 * x], axis=-1).astype(np.uint8)
    estimator = adapter(toy(architecture))
    loaded = estimator.load()
    scale, shift = (2.0, -1.0) if architecture == "glpn" else (1.0, 0.0)  # GLPN's processor does not subtract a mean
    for channel, side in ((0, width), (1, height)):
        loaded.network = Ramp(channel)
        values = (estimator.estimate(photo).values * scale + shift) * 255 - 20
        values = values.T if channel == 1 else values  # now the ramp runs along the last axis
        expected = (np.arange(values.shape[1]) + 0.5) * side / values.shape[1] - 0.5
        inner = slice(2, -2)  # antialiasing filters fold at the border
        np.testing.assert_allclose(values[:, inner], np.broadcast_to(expected, values.shape)[:, inner], atol=0.75)
        assert abs(values[:, 0] - expected[0]).max() < 2 and abs(values[:, -1] - expected[-1]).max() < 2


def test_the_network_is_read_once(toy: Toy, photo: np.ndarray) -> None:
    estimator = adapter(toy("dpt-vit"))
    first = estimator.load().network
    estimator.estimate(photo)
    assert estimator.load().network is first


@pytest.fixture
def copy(toy: Toy, tmp_path: Path) -> Callable[[str], Path]:
    return lambda architecture: Path(shutil.copytree(toy(architecture), tmp_path / architecture))


def rewrite(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(folder / "model.safetensors")
    change(state)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})


def test_the_published_layout_without_the_unused_unit_loads(copy: Callable[[str], Path], photo: np.ndarray) -> None:
    """Intel/dpt-large has no weights for the first fusion layer's residual unit, which is never used."""
    import torch

    folder = copy("dpt-vit")
    before = adapter(folder).estimate(photo).values

    def publish(state: dict[str, Any]) -> None:
        unused = [key for key in state if "fusion_stage.layers.0.residual_layer1" in key]
        assert len(unused) == 4
        for key in unused:
            del state[key]
        state["dpt.pooler.dense.bias"] = torch.zeros(32)

    rewrite(folder, publish)
    np.testing.assert_array_equal(adapter(folder).estimate(photo).values, before)


def test_the_side_files_of_2022_still_mean_the_same(copy: Callable[[str], Path], photo: np.ndarray) -> None:
    """The MiDaS repositories were written by transformers 4.16: a feature extractor, one number for the size."""
    folder = copy("dpt-vit")
    before = adapter(folder).estimate(photo).values
    old = {
        "do_normalize": True,
        "do_resize": True,
        "ensure_multiple_of": 1,
        "feature_extractor_type": "DPTFeatureExtractor",
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
        "keep_aspect_ratio": False,
        "resample": 3,
        "size": 64,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(old))
    settings = json.loads((folder / "config.json").read_text())
    settings |= {"torch_dtype": "float32", "transformers_version": "4.16.0.dev0", "backbone": None}
    (folder / "config.json").write_text(json.dumps(settings))
    np.testing.assert_array_equal(adapter(folder).estimate(photo).values, before)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda state: state.pop("head.head.0.weight"), "1 missing keys: head.head.0.weight"),
        (lambda state: state.update(foreign=state["head.head.4.bias"].clone()), "1 unexpected keys: foreign"),
        (lambda state: state.update({"head.head.4.bias": state["head.head.0.bias"].clone()}), "do not fit"),
    ],
)
def test_a_key_that_does_not_fit_is_an_error(copy: Callable[[str], Path], change: Any, words: str) -> None:
    folder = copy("dpt-vit")
    rewrite(folder, change)
    with pytest.raises(MissingWeights, match=words) as raised:
        adapter(folder).load()
    assert str(raised.value).endswith("hf download org/toy")


def test_torn_and_hostile_files_are_errors(copy: Callable[[str], Path]) -> None:
    import torch

    folder = copy("dpt-vit")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(MissingWeights, match="do not fit"):
        adapter(folder).load()
    file.unlink()
    torch.save({"head.head.4.bias": Path("an object, not a tensor")}, folder / "pytorch_model.bin")
    with pytest.raises(MissingWeights, match="do not fit"):
        adapter(folder).load()


def test_pickled_tensors_load(copy: Callable[[str], Path], photo: np.ndarray) -> None:
    import torch
    from safetensors.torch import load_file

    folder = copy("dpt-vit")
    before = adapter(folder).estimate(photo).values
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    np.testing.assert_array_equal(adapter(folder).estimate(photo).values, before)


def test_a_contradiction_about_the_kind_is_an_error(toy: Toy) -> None:
    with pytest.raises(BadInput, match="should give disparity, but .* gives metric"):
        adapter(toy("glpn"), "disparity").load()


def config(**fields: Any) -> Any:
    return SimpleNamespace(**fields)


def test_kinds_that_a_configuration_does_not_settle() -> None:
    dinov2 = config(model_type="dpt", backbone_config=config(model_type="dinov2"))
    assert kind_of(dinov2, "x") is None
    assert kind_of(config(model_type="depth_pro", use_fov_model=False), "x") == "scale"
    with pytest.raises(BadInput, match="needs a measured depth map"):
        kind_of(config(model_type="prompt_depth_anything"), "x")
    with pytest.raises(BadInput, match="'chmv2' model"):
        kind_of(config(model_type="chmv2"), "x")


def test_a_processor_that_crops_is_refused(copy: Callable[[str], Path]) -> None:
    folder = copy("dpt-vit")
    file = folder / "preprocessor_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"do_pad": True, "size_divisor": 16}))
    with pytest.raises(BadInput, match="would not cover the photo"):
        adapter(folder).load()


def test_depth_pro_agrees_with_the_librarys_post_processing(toy: Toy, photo: np.ndarray) -> None:
    import torch
    from transformers import AutoImageProcessor, AutoModelForDepthEstimation

    processor = AutoImageProcessor.from_pretrained(toy("depth-pro"))
    model = AutoModelForDepthEstimation.from_pretrained(toy("depth-pro")).eval()
    with torch.no_grad():
        outputs = model(**processor(images=photo.copy(), return_tensors="pt"))
    size = outputs.predicted_depth.shape[1:]
    theirs = processor.post_process_depth_estimation(outputs, target_sizes=[size])[0]
    raw = adapter(toy("depth-pro")).estimate(photo)
    assert raw.fov_x == pytest.approx(float(theirs["field_of_view"]), rel=1e-5)
    depth = theirs["predicted_depth"].numpy()
    np.testing.assert_allclose(raw.values, np.where(depth < 9999, depth, np.nan), rtol=1e-4)
    assert np.isfinite(raw.values).sum() > 500


def test_depth_pro_formula_and_its_far_limit() -> None:
    inverse = np.array([[0.5, 1.0, 0.0, -1.0]], np.float32)
    np.testing.assert_allclose(from_canonical_inverse(inverse, 90.0), [[1.0, 0.5, np.nan, np.nan]], rtol=1e-6)
    np.testing.assert_allclose(from_canonical_inverse(inverse, None), [[2.0, 1.0, np.nan, np.nan]])


@pytest.mark.parametrize(("height", "width"), [(480, 640), (37, 211), (768, 1024)])
def test_padding_is_removed_exactly(height: int, width: int) -> None:
    """A ramp that the processor pads and resizes comes back as the same ramp."""
    import torch
    from transformers import ZoeDepthImageProcessor

    ramp = np.broadcast_to(np.arange(width) % 256, (height, width))
    photo = np.repeat((np.arange(width) * 255 // (width - 1))[None, :, None], height, axis=0).astype(np.uint8)
    photo = np.broadcast_to(photo, (*ramp.shape, 3)).copy()
    pixels = ZoeDepthImageProcessor(do_normalize=False)(images=photo.copy(), return_tensors="pt")["pixel_values"]
    assert isinstance(pixels, torch.Tensor)
    inner = without_padding(pixels[0, 0].numpy(), height, width)
    expected = ((np.arange(inner.shape[1]) + 0.5) * width / inner.shape[1] - 0.5) / (width - 1)
    np.testing.assert_allclose(inner, np.broadcast_to(expected, inner.shape), atol=0.012)


def test_shrink_keeps_aspect_and_mean() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (600, 1200, 3), dtype=np.uint8)
    small = shrunk_to_side(rgb, 600)
    assert small.shape == (300, 600, 3) and abs(small.mean() - rgb.mean()) < 0.5
    assert shrunk_to_side(rgb, None) is rgb and shrunk_to_side(rgb, 1200) is rgb
    assert shrunk_to_side(rgb[:8, :300], 640).shape == (32, 300, 3)


def test_devices(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    def touched() -> bool:
        raise AssertionError("CUDA was asked after")

    monkeypatch.setattr(torch.cuda, "is_available", touched)
    adapter(toy("dpt-vit")).load()
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    spec = WeightsSpec("toy", given=str(toy("dpt-vit")))
    assert TransformersDepth(spec, None, "auto").load().device == "cpu"
    with pytest.raises(BadOption, match="sees no CUDA device"):
        TransformersDepth(spec, None, "cuda").load()
    with pytest.raises(BadOption, match="give auto, cpu, cuda"):
        TransformersDepth(spec, None, "tpu").load()


def test_heads_stay_in_float32_under_autocast(toy: Toy, photo: np.ndarray) -> None:
    """bf16 autocast on the CPU stands for CUDA's: the trunk is rounded, the head's output is not bf16."""
    import torch

    loaded = adapter(toy("depth-anything-metric")).load()
    pixels = loaded.processor(images=photo.copy(), return_tensors="pt")["pixel_values"]
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        depth = loaded.network(pixel_values=pixels).predicted_depth
    assert depth.dtype == torch.float32
    assert not torch.equal(depth, depth.bfloat16().float())


@pytest.mark.parametrize("module", ["torch", "transformers"])
def test_an_absent_framework_is_one_sentence(toy: Toy, monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    folder = toy("dpt-vit")
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(MissingDependency) as raised:
        adapter(folder).load()
    assert str(raised.value).endswith(f"pip install {module}")
    assert soft_import.__name__ == "recon.models.soft_import"
