"""The exported network is the trained one, at any size, and runs without torch."""

import numpy as np
import onnx
import pytest
import torch

from training.export import export, load_run
from training.net import NETWORKS
from training.train import Plan, Trainer

TINY = Plan(
    seed=1, steps=4, widths=(8, 16, 16, 16, 32), fine=8, heads=4, frozen=0, stages=((0, 2, ((32, 64),), "scenes"),)
)


@pytest.fixture(scope="module", params=sorted(NETWORKS))
def tiny(request, tmp_path_factory):
    """A random tiny network with uneven batch statistics, and its ONNX file."""
    torch.manual_seed(0)
    net = NETWORKS[request.param](TINY.widths, TINY.fine, TINY.heads)
    torch.nn.init.normal_(net.attention.out.weight, std=0.1)
    for _ in range(3):
        net(torch.rand(4, 4, 64, 96))
    path = tmp_path_factory.mktemp("export") / "tiny.onnx"
    export(net.eval(), path, {"seed": "0"})
    return net, path


@pytest.mark.parametrize("size", [(96, 128), (64, 64), (160, 256), (288, 32)])
def test_onnx_and_torch_agree_at_sizes_other_than_the_traced_one(tiny, size):
    onnxruntime = pytest.importorskip("onnxruntime")
    net, path = tiny
    photo = torch.rand(1, 4, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        expected = net(photo)
    if net.NAME == "geometry":
        expected = expected._replace(sky=expected.sky.sigmoid(), subject=expected.subject.sigmoid())
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    found = session.run(expected._fields, {"photo": photo.numpy()})
    for name, truth, got in zip(expected._fields, expected, found, strict=True):
        assert got.shape == truth.shape
        # Weights are stored with 11 significant bits.
        assert np.allclose(got, truth.numpy(), atol=5e-3 * float(truth.abs().max())), name


def test_large_weights_are_stored_as_half(tiny):
    model = onnx.load(tiny[1])
    large = [w for w in model.graph.initializer if np.prod(w.dims) >= 256]
    assert large
    assert all(w.data_type == onnx.TensorProto.FLOAT16 for w in large)
    assert {p.key: p.value for p in model.metadata_props} == {"seed": "0", "network": tiny[0].NAME}


def test_a_run_is_exported_with_its_facts(tmp_path):
    trainer = Trainer(tmp_path, TINY)
    trainer.advance()
    trainer.save()
    net, facts = load_run(tmp_path)
    assert (facts["seed"], facts["steps"], facts["images"], facts["licence"]) == ("1", "1", "4", "Apache-2.0")
    assert "photographs" not in facts["data"]
    for name, value in net.state_dict().items():
        assert torch.equal(value, trainer.ema.state_dict()[name])
