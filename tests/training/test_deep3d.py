"""Deep3D's network, its pairs, its trainer, and the way of its weights into the product."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from PIL import Image

from recon import registry, stereo
from recon.errors import MissingWeights
from training.deep3d.__main__ import main
from training.deep3d.export import export_planes, load_stereo_run
from training.deep3d.net import GRID, PLANES, Deep3DNet, Enlarge
from training.deep3d.pairs import Pairs, RealPairs, SyntheticPairs, read_pairs
from training.deep3d.selection import select, shifted_view
from training.deep3d.train import StereoPlan, StereoTrainer, planes_for

SMALL = StereoPlan(
    steps=60, batch=4, size=(32, 64), planes=planes_for(64), hidden=16, dropout=0.0, rate=3e-3, pretrained=False
)


class Shifted:
    """Pairs of noise whose right view is the left one moved by one disparity."""

    def __init__(self, disparity: int) -> None:
        self.disparity = disparity

    def batch(self, number: int, count: int, height: int, width: int) -> Pairs:
        left = torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(number))
        return left, shifted_view(left, self.disparity)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run that learns one shift, and what it exports."""
    folder = tmp_path_factory.mktemp("deep3d")
    trainer = StereoTrainer(folder, SMALL, Shifted(2))
    for _ in range(40):
        trainer.advance()
    trainer.save()
    net, plan, step = load_stereo_run(folder)
    export_planes(net, plan, folder / "net.onnx", step)
    return folder


def test_as_published_it_has_28_million_numbers() -> None:
    """The published encoder, 512 hidden units, 33 planes at 384 x 160: counted in its released code."""
    with torch.device("meta"):
        encoder_and_head = [p.numel() for p in Deep3DNet(encoder="lite0", hidden=8).parameters()]
    published = Deep3DNet(encoder="vgg11")
    assert 27e6 < sum(p.numel() for p in published.parameters()) < 29e6
    assert len(PLANES) == 33 and sum(encoder_and_head) < 8e6
    with torch.no_grad():
        weights = published.eval()(torch.rand(1, 3, 64, 96))
    assert weights.shape == (1, 33, 64, 96)
    assert torch.allclose(weights.sum(1), torch.ones(1, 64, 96), atol=1e-5)


def test_a_deconvolution_begins_as_a_bilinear_enlargement_of_each_plane_alone() -> None:
    x = torch.rand(1, 3, 6, 7)
    for stride in (1, 2, 4):
        expected = torch.nn.functional.interpolate(x, scale_factor=stride, mode="bilinear", align_corners=False)
        inside = (..., slice(stride, -stride), slice(stride, -stride))
        assert torch.allclose(Enlarge(3, stride)(x)[inside], expected[inside], atol=1e-6)


def test_rendered_pairs_differ_by_parallax_only() -> None:
    """Of one camera moved along its own x axis: rows stay, and one shift explains less than planes chosen by pixel."""
    source = SyntheticPairs(5)
    left, right = source.batch(1, 2, 64, 128)
    again, _ = source.batch(1, 2, 64, 128)
    assert torch.equal(left, again) and left.shape == right.shape == (2, 3, 64, 128)
    planes = planes_for(128)
    each = torch.stack([(shifted_view(left, d) - right).abs().mean(1) for d in planes])
    whole = each.mean((2, 3)).amin(0)
    chosen = each.amin(0).mean((1, 2))
    down = (shifted_view(left.roll(2, 2), 0) - right).abs().mean((1, 2, 3))
    assert (chosen < 0.7 * whole).all() and (whole < down).all()


def test_it_learns_a_shift_from_pairs_alone(run: Path) -> None:
    """The left view is wrong by a third of the range of noise, the learnt view by less than a fifth of that."""
    scores = StereoTrainer(run, SMALL, Shifted(2)).scores(1)
    assert scores["network"] < 0.2 * scores["left"] and scores["shift"] < 0.02 * scores["left"]


def test_an_interrupted_run_goes_on_to_equal_weights(tmp_path: Path) -> None:
    whole, first = (StereoTrainer(tmp_path / name, SMALL, Shifted(1)) for name in ("whole", "parts"))
    for _ in range(2):
        first.advance()
    first.save()
    second = StereoTrainer(tmp_path / "parts", SMALL, Shifted(1))
    second.advance()
    for _ in range(3):
        whole.advance()
    for a, b in zip(whole.net.state_dict().values(), second.net.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    with pytest.raises(ValueError, match="use another --run"):
        StereoTrainer(tmp_path / "parts", StereoPlan(), Shifted(1))


@pytest.mark.parametrize("size", [(32, 64), (64, 96)])
def test_onnx_equals_torch_at_any_size(run: Path, size: tuple[int, int]) -> None:
    net, _, _ = load_stereo_run(run)
    photo = torch.rand(1, 3, *size)
    session = onnxruntime.InferenceSession(str(run / "net.onnx"))
    with torch.no_grad():
        expected = net(photo).numpy()
    np.testing.assert_allclose(session.run(None, {"photo": photo.numpy()})[0], expected, atol=5e-3)


def test_the_file_is_a_depth_model_by_its_path(run: Path, tmp_path: Path) -> None:
    """Its planes' mean, in the left view; a pair is made of it as of any model's depth."""
    photo = np.random.default_rng(0).integers(0, 256, (96, 192, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    estimator = registry.depth_estimator(str(run / "net.onnx"))
    raw = estimator.estimate(photo)
    assert raw.kind == "disparity" and raw.values.shape == (32, 64) and raw.values.min() == 0
    pair = stereo.stereo_pair(tmp_path / "photo.png", depth_model=str(run / "net.onnx"))
    assert pair.facts["depth_model"] == "net" and pair.left.shape == photo.shape


def test_other_files_are_refused_by_name(run: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn.onnx"
    torn.write_bytes((run / "net.onnx").read_bytes()[-3000:])
    with pytest.raises(MissingWeights, match="torn"):
        registry.depth_estimator(str(torn)).estimate(np.zeros((64, 64, 3), np.uint8))


def test_pairs_are_read_from_a_folder_and_cropped_alike(tmp_path: Path) -> None:
    left, right = (v[0].permute(1, 2, 0).numpy() for v in Shifted(4).batch(0, 1, 64, 128))
    for name, view in (("one_left", left), ("one_right", right), ("two_sbs", np.concatenate([left, right], 1))):
        Image.fromarray((view * 255).round().astype(np.uint8)).save(tmp_path / f"{name}.png")
    Image.fromarray(np.zeros((50, 50, 3), np.uint8)).save(tmp_path / "a photo.png")
    pairs = read_pairs(tmp_path)
    assert len(pairs) == 2 and np.array_equal(pairs[0][0], pairs[1][0]) and np.array_equal(pairs[0][1], pairs[1][1])
    a, b = RealPairs(pairs, 1).batch(0, 2, 32, 64)
    planes = torch.arange(-6, 7)
    error = torch.stack([(shifted_view(a, int(d)) - b).abs().mean() for d in planes])
    assert int(planes[error.argmin()]) in (2, 3)  # 4 pixels of 128, in a crop of at least 0.7 brought to 64
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no stereo pairs"):
        read_pairs(tmp_path / "empty")


def test_the_command_trains_goes_on_and_exports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 80, 3), np.uint8))
    for eye in ("left", "right"):
        view.save(tmp_path / f"one_{eye}.png")
    small = ["--size", "32", "64", "--batch", "2", "--hidden", "8", "--fresh", "--steps", "2", "--pairs", str(tmp_path)]
    for more in (small, ["--export", str(tmp_path / "net.onnx")]):
        monkeypatch.setattr(sys, "argv", ["deep3d", "--run", str(tmp_path / "run"), *more])
        main()
    assert (tmp_path / "run" / "log.csv").read_text().count("\n") == 2
    raw = registry.depth_estimator(str(tmp_path / "net.onnx")).estimate(np.zeros((40, 80, 3), np.uint8))
    assert raw.values.shape == (32, 64)


def test_a_select_of_weights_at_half_size_scales_disparities() -> None:
    left = torch.rand(1, 3, 8, 32)
    assert torch.equal(select(left, torch.ones(1, 1, 4, 16), (1.0,)), shifted_view(left, 2))


def test_the_grid_is_the_published_picture_s() -> None:
    assert (GRID[0] * 32, GRID[1] * 32) == (160, 384)
