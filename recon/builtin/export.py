"""`python -m recon.builtin.export --run runs/first --out FILE.onnx`: the EMA weights of a run as ONNX.

Input `rgb` float32 (1, 3, H, W) in [0, 1] with H, W any multiples of 32; outputs `disparity` float32 (1, 1, H, W) >= 0
and `sky` float32 (1, 1, H, W), a probability. Weights are stored as float16 and cast when the file is loaded, which
halves the file and costs nothing at run time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import warnings
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from .net import GeometryNet
from .train import Plan

VERSION = "1"
LICENCE = "Apache-2.0"
# Smaller tensors (biases, norms, shapes) stay as they are: they weigh nothing and set ranges.
HALF_FROM = 256


class Probabilities(nn.Module):
    """The network with the sky as a probability."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        disparity, sky = self.net(rgb)
        return disparity, sky.sigmoid()


def store_half(model: onnx.ModelProto) -> None:
    """Replace the model's large float32 weights by float16 ones and a cast each, in place."""
    casts = []
    for weight in list(model.graph.initializer):
        array = numpy_helper.to_array(weight)
        if weight.data_type != onnx.TensorProto.FLOAT or array.size < HALF_FROM:
            continue
        name = weight.name
        weight.CopyFrom(numpy_helper.from_array(array.astype("float16"), name + ".half"))
        casts.append(onnx.helper.make_node("Cast", [name + ".half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def export(net: nn.Module, out: Path, metadata: dict[str, str]) -> None:
    """Write a GeometryNet as ONNX with metadata, by an atomic rename."""
    axes = {2: "height", 3: "width"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The tracing exporter is deprecated, but the newer one fixes H and W where they are doubled.
        warnings.simplefilter("ignore")
        raw = Path(folder) / "raw.onnx"
        torch.onnx.export(
            Probabilities(net).eval(),
            (torch.zeros(1, 3, 96, 128),),
            str(raw),
            dynamo=False,
            opset_version=17,
            input_names=["rgb"],
            output_names=["disparity", "sky"],
            dynamic_axes={"rgb": axes, "disparity": axes, "sky": axes},
        )
        model = onnx.load(raw)
    store_half(model)
    onnx.helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out.with_suffix(".part"))
    os.replace(out.with_suffix(".part"), out)


def load_run(folder: Path) -> tuple[GeometryNet, dict[str, str]]:
    """The EMA network of a run and what is to be said about it."""
    state = torch.load(folder / "last.pt", map_location="cpu", weights_only=True)
    plan = Plan(**state["plan"])
    net = GeometryNet(plan.widths, plan.depths)
    net.load_state_dict(state["ema"])
    images = sum(plan.images(step) for step in range(state["step"]))
    facts = {
        "version": VERSION,
        "licence": LICENCE,
        "seed": plan.seed,
        "steps": state["step"],
        "planned_steps": plan.steps,
        "images": images,
        "training_seconds": round(state["seconds"]),
        "data": "synthetic scenes only",
    }
    return net.eval(), {name: str(value) for name, value in facts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m recon.builtin.export", description="Export a run's weights as ONNX."
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of the run")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    args = parser.parse_args()
    net, metadata = load_run(args.run)
    export(net, args.out, metadata)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, {metadata}")


if __name__ == "__main__":
    main()
