"""`python -m training.export --run runs/first --out FILE.onnx`: the EMA weights of a run as ONNX.

Input `photo` float32 (1, 4, H, W) with H, W any multiples of 32: RGB in [0, 1] and the hint; outputs, all float32, are
those of net.Geometry, with sky and subject as probabilities, or of net.Shape: maps (1, C, H, W), `fov` and `distance`
(1, 2). The metadata's `network` says which. Weights are stored as float16 and cast when the file is loaded, which halves
the file and costs nothing at run time.
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

from .net import Geometry, PhotoNet, Shape
from .train import Plan

# Of each network; it counts what a reader of the file must know.
VERSIONS = {"geometry": "4", "object": "1"}
LICENCE = "Apache-2.0"
ORIGIN = "synthetic scenes only; the encoder began with ImageNet weights"
GROUNDS = "; free photographs as grounds of the subject's mask"
# Smaller tensors (biases, norms, shapes) stay as they are: they weigh nothing and set ranges.
HALF_FROM = 256
# Outputs that are no maps.
NUMBERS = ("fov", "distance")


class Probabilities(nn.Module):
    """A network with sky and subject, if it has them, as probabilities."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, photo: Tensor) -> Geometry | Shape:
        said: Geometry | Shape = self.net(photo)
        if isinstance(said, Geometry):
            return said._replace(sky=said.sky.sigmoid(), subject=said.subject.sigmoid())
        return said


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


def export(net: PhotoNet, out: Path, metadata: dict[str, str]) -> None:
    """Write a network as ONNX with its name and metadata, by an atomic rename."""
    axes, example = {2: "height", 3: "width"}, torch.zeros(1, 4, 96, 128)
    with torch.no_grad():
        outputs = list(net.eval()(example)._fields)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # The tracing exporter is deprecated, but the newer one fixes H and W where they are doubled.
        warnings.simplefilter("ignore")
        raw = Path(folder) / "raw.onnx"
        torch.onnx.export(
            Probabilities(net).eval(),
            (example,),
            str(raw),
            dynamo=False,
            opset_version=17,
            input_names=["photo"],
            output_names=outputs,
            dynamic_axes={name: axes for name in ("photo", *outputs) if name not in NUMBERS},
        )
        model = onnx.load(raw)
    store_half(model)
    onnx.helper.set_model_props(model, {"network": net.NAME, **metadata})
    onnx.checker.check_model(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out.with_suffix(".part"))
    os.replace(out.with_suffix(".part"), out)


def load_run(folder: Path) -> tuple[PhotoNet, dict[str, str]]:
    """The EMA network of a run and what is to be said about it."""
    state = torch.load(folder / "last.pt", map_location="cpu", weights_only=True)
    plan = Plan(**state["plan"])
    net = plan.fresh()
    net.load_state_dict(state["ema"])
    facts = {
        "version": VERSIONS[net.NAME],
        "licence": LICENCE,
        "seed": plan.seed,
        "steps": state["step"],
        "planned_steps": plan.steps,
        "images": plan.pictures(state["step"]),
        "start": plan.start,
        "reuse": plan.reuse,
        "training_seconds": round(state["seconds"]),
        "data": ORIGIN + GROUNDS * plan.photographs,
    }
    return net.eval(), {name: str(value) for name, value in facts.items()}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.export", description="Export a run's weights as ONNX.")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run")
    parser.add_argument("--out", type=Path, required=True, help="ONNX file to write")
    args = parser.parse_args()
    net, metadata = load_run(args.run)
    export(net, args.out, metadata)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.2f} MB, {metadata}")


if __name__ == "__main__":
    main()
