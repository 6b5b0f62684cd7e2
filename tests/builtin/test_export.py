"""The exported network is the trained one, at any size, and runs without torch."""

import numpy as np
import onnx
import pytest
import torch

from recon.builtin.export import export, load_run
from recon.builtin.net import GeometryNet, coordinates
from recon.builtin.train import Plan, Trainer

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
