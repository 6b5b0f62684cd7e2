"""A run's network as ONNX, as `recon.models.deep3d` reads it: `photo` in, `weights` out, its planes in the metadata."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path

import onnx
import torch

from ..export import store_half
from .net import Deep3DNet
from .train import StereoPlan


def export_planes(net: Deep3DNet, plan: StereoPlan, out: Path, steps: int = 0) -> None:
    """Write a network as ONNX for pictures of any height and width that 32 divides, by an atomic rename."""
    axes = {2: "height", 3: "width"}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # the tracing exporter is deprecated; the newer one fixes sizes (training.export)
        raw = Path(folder) / "raw.onnx"
        torch.onnx.export(
            net.eval(),
            (torch.zeros(1, 3, *plan.size),),
            str(raw),
            dynamo=False,
            opset_version=17,
            input_names=["photo"],
            output_names=["weights"],
            dynamic_axes={"photo": axes, "weights": axes},
        )
        model = onnx.load(raw)
    store_half(model)
    told = {"network": "deep3d", "disparities": " ".join(map(str, plan.planes)), "width": str(plan.size[1]),
            "encoder": plan.encoder, "steps": str(steps), "seed": str(plan.seed)}  # fmt: skip
    onnx.helper.set_model_props(model, told)
    onnx.checker.check_model(model)
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, out.with_suffix(".part"))
    os.replace(out.with_suffix(".part"), out)


def load_stereo_run(folder: Path) -> tuple[Deep3DNet, StereoPlan, int]:
    """The network of a run, its plan and its step."""
    state = torch.load(folder / "last.pt", map_location="cpu", weights_only=True)
    plan = StereoPlan(**state["plan"])
    net = plan.fresh()
    net.load_state_dict(state["net"])
    return net.eval(), plan, int(state["step"])
