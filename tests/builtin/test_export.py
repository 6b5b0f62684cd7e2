"""The exported network is the trained one, at any size, and runs without torch."""

import subprocess
import sys

import numpy as np
import onnx
import pytest
import torch

from recon.builtin.estimator import (
    INDOORS,
    OUTDOORS,
    SKY_SHARE,
    SURE,
    WEIGHTS,
    BuiltinDepth,
    network_size,
    open_sky,
    with_clouds,
)
from recon.builtin.export import export, load_run
from recon.builtin.net import GeometryNet, coordinates
from recon.builtin.train import Plan, Trainer
from recon.errors import MissingWeights
from recon.protocols import DepthEstimator

TINY = Plan(seed=1, steps=4, batch=2, widths=(8, 16, 16, 16, 32), depths=(1, 1, 1, 1, 1))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A random tiny network with uneven batch statistics, and its ONNX file."""
    torch.manual_seed(0)
    net = GeometryNet(TINY.widths, TINY.depths)
    for _ in range(3):
        net(torch.rand(4, 3, 64, 96))
    path = tmp_path_factory.mktemp("export") / "tiny.onnx"
    export(net.eval(), path, {"seed": "0"})
    return net, path


@pytest.mark.parametrize("size", [(96, 128), (64, 64), (160, 256), (288, 32)])
def test_onnx_and_torch_agree_at_sizes_other_than_the_traced_one(tiny, size):
    onnxruntime = pytest.importorskip("onnxruntime")
    net, path = tiny
    rgb = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        disparity, sky = net(rgb)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    got = session.run(["disparity", "sky"], {"rgb": rgb.numpy()})
    assert got[0].shape == got[1].shape == (1, 1, *size)
    # Weights are stored with 11 significant bits.
    assert np.allclose(got[0], disparity.numpy(), atol=5e-3 * float(disparity.max()))
    assert np.allclose(got[1], sky.sigmoid().numpy(), atol=5e-3)


def test_large_weights_are_stored_as_half(tiny):
    model = onnx.load(tiny[1])
    large = [w for w in model.graph.initializer if np.prod(w.dims) >= 256]
    assert large
    assert all(w.data_type == onnx.TensorProto.FLOAT16 for w in large)
    assert {p.key: p.value for p in model.metadata_props} == {"seed": "0"}


def test_a_run_is_exported_with_its_facts(tmp_path):
    trainer = Trainer(tmp_path, TINY)
    trainer.advance()
    trainer.save()
    net, facts = load_run(tmp_path)
    assert (facts["seed"], facts["steps"], facts["images"], facts["licence"]) == ("1", "1", "2", "Apache-2.0")
    for name, value in net.state_dict().items():
        assert torch.equal(value, trainer.ema.state_dict()[name])


def test_coordinates_are_pixel_centres_in_minus_one_to_one():
    x, y = coordinates(torch.zeros(1, 3, 4, 8))[0]
    assert torch.allclose(x[0], (torch.arange(8) + 0.5) / 4 - 1)
    assert torch.allclose(y[:, 0], (torch.arange(4) + 0.5) / 2 - 1)


def test_estimate_keeps_the_shape_of_the_photo_and_gives_legal_maps(tiny):
    estimator = BuiltinDepth(tiny[1])
    rgb = np.random.default_rng(0).integers(0, 256, (300, 450, 3), dtype=np.uint8)
    rgb.setflags(write=False)
    disparity, sky = estimator.maps(rgb)
    assert disparity.shape == sky.shape == network_size(450, 300)[::-1]
    assert disparity.dtype == sky.dtype == np.float32
    assert (disparity >= 0).all()
    assert (sky >= 0).all()
    assert (sky <= 1).all()
    raw = estimator.estimate(rgb)
    assert isinstance(estimator, DepthEstimator)
    assert (raw.model, raw.kind) == ("builtin", "disparity")
    believed = (open_sky(sky) & (sky > SURE)).mean() > SKY_SHARE
    expected = with_clouds(open_sky(sky), sky, disparity) if believed else np.zeros(sky.shape, bool)
    np.testing.assert_array_equal(raw.values, np.where(expected, np.nan, disparity))
    assert raw.far_over_near == (OUTDOORS if believed else INDOORS)


@pytest.mark.parametrize("size", [(640, 480), (375, 1242), (1, 5000), (4000, 3000), (32, 32)])
def test_network_size_is_legal_and_close_to_the_photo_s_shape(size):
    w, h = network_size(*size)
    assert w % 32 == h % 32 == 0
    assert min(w, h) >= 32
    if min(size) / max(size) > 0.2:
        assert abs(np.log((w / h) / (size[0] / size[1]))) < 0.35


def test_sky_is_in_one_piece_with_the_upper_edge():
    """What looks like sky under a roof is none; a cloud, of which nobody is sure, belongs to the sky around it."""
    likely = np.zeros((32, 64), np.float32)
    likely[:8, 10:40] = 0.9
    likely[8:16, 20:24] = 0.3
    expected = likely > 0
    likely[20:28, 30:60] = 0.99
    likely[:6, 50:60] = 0.4
    np.testing.assert_array_equal(open_sky(likely), expected)


@pytest.mark.parametrize(("columns", "is_sky"), [(4, False), (32, True)])
def test_a_little_sky_is_no_sky(monkeypatch, columns, is_sky):
    probability = np.zeros((32, 64), np.float32)
    probability[:16, :columns] = 0.9
    disparity = np.ones((32, 64), np.float32)
    monkeypatch.setattr(BuiltinDepth, "maps", lambda self, rgb: (disparity, probability))
    raw = BuiltinDepth().estimate(np.zeros((64, 128, 3), np.uint8))
    np.testing.assert_array_equal(np.isnan(raw.values), (probability > 0) & is_sky)
    assert raw.far_over_near == (OUTDOORS if is_sky else INDOORS)


def test_a_far_island_in_the_sky_is_a_cloud_and_a_near_one_a_branch():
    sky = np.zeros((32, 64), bool)
    sky[:20] = True
    sky[4:8, 10:20] = sky[4:8, 40:50] = sky[15:20, 30:34] = False  # a cloud, a branch, a tower
    disparity = np.full((32, 64), 0.05, np.float32)
    disparity[20:] = 1
    disparity[4:8, 40:50] = 0.8
    expected = sky.copy()
    expected[4:8, 10:20] = True
    np.testing.assert_array_equal(with_clouds(sky, sky.astype(np.float32), disparity), expected)


def test_a_cloud_is_as_far_as_the_sky_beside_it_and_not_quite_denied():
    sky = np.zeros((32, 64), bool)
    sky[:10, :30] = True
    disparity = np.ones((32, 64), np.float32)
    disparity[:10] = 0.02
    probability = np.where(sky, 0.9, 0.001).astype(np.float32)
    probability[:10, 30:50] = 0.05  # a cloud; right of it something far that is surely no sky
    probability[10:20] = 0.05  # nearer
    expected = sky.copy()
    expected[:10, 30:50] = True
    np.testing.assert_array_equal(with_clouds(sky, probability, disparity), expected)


def test_missing_weights_say_how_to_get_them(tmp_path):
    with pytest.raises(MissingWeights, match=r"git checkout -- recon/builtin/weights$"):
        BuiltinDepth(tmp_path / "none.onnx").load()


def test_the_estimator_imports_no_torch(tiny):
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\n"
        "from recon.builtin.estimator import BuiltinDepth\n"
        "assert 'onnxruntime' not in sys.modules\n"
        f"BuiltinDepth(Path({str(tiny[1])!r})).estimate(np.zeros((64, 64, 3), np.uint8))\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_shipped_weights_tell_sky_from_ground():
    """A blue gradient over a brown floor: the ground comes nearer downwards, the sky is sky and far."""
    assert WEIGHTS.stat().st_size < 12e6
    rng = np.random.default_rng(0)
    photo = np.empty((480, 640, 3), np.float64)
    fade = np.linspace(0, 1, 230)[:, None]
    photo[:230] = ((1 - fade) * [90, 140, 220] + fade * [190, 215, 240])[:, None]
    photo[230:] = np.array([120, 100, 80]) + rng.normal(0, 12, (250, 640, 1))
    disparity, sky = BuiltinDepth().maps(photo.clip(0, 255).astype(np.uint8))
    assert np.isfinite(disparity).all()
    height = len(disparity)
    assert sky[: height // 3].mean() > 0.8
    assert sky[-height // 3 :].mean() < 0.1
    rows = disparity[height * 6 // 10 :].mean(1)
    assert (np.diff(rows) > 0).mean() > 0.8
    assert disparity[: height // 3].mean() < 0.2 * rows[-1]
