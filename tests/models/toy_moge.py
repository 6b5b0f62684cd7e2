"""A graph of MoGe-2's published inputs and outputs that reads exact geometry off the photo's colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOCAL = 0.9
"""Focal length in parts of the photo's width: 58.1°."""
SHIFT, SCALE = 0.37, 2.0
"""What is taken from z, and the factor to metres after that."""
NEAR, RANGE = 1.0, 3.0


def depth_of(red: np.ndarray) -> np.ndarray:
    """The metres that a photo with this red channel is at."""
    return (SCALE * (NEAR + RANGE * red.astype(np.float64) / 255)).astype(np.float32)


def write(path: Path, scale: str = "metric_scale", tokens: list[int] | None = None) -> Path:
    """z: 1 + 3·red, less SHIFT; x, y: where FOCAL sees each pixel's centre; mask: 1 − blue; metric_scale: SCALE; normal: to
    the camera. tokens: the shape of num_tokens, [] unless given, which the graph adds nothing of."""
    constants = {
        "zero": np.float32(0),
        "half": np.float32(0.5),
        "one": np.float32(1),
        "near": np.float32(NEAR),
        "range": np.float32(RANGE),
        "shift": np.float32(SHIFT),
        "focal": np.float32(FOCAL),
        "factor": np.array([SCALE], np.float32),
        "rows": np.int64(2),
        "columns": np.int64(3),
        "channel": np.array([1], np.int64),
    }
    steps = [
        ("Split", ["image"], ["red", "green", "blue"], {"axis": 1, "num_outputs": 3}),
        ("Mul", ["red", "range"], ["more"], {}),
        ("Add", ["more", "near"], ["depth"], {}),
        ("Mul", ["red", "zero"], ["nothing"], {}),
        ("Add", ["nothing", "one"], ["ones"], {}),
        ("CumSum", ["ones", "columns"], ["column"], {}),
        ("CumSum", ["ones", "rows"], ["row"], {}),
        ("ReduceMax", ["column"], ["width"], {"keepdims": 1}),
        ("ReduceMax", ["row"], ["height"], {"keepdims": 1}),
        *_place("column", "width"),
        *_place("row", "height"),
        ("Mul", ["column_at", "depth"], ["x"], {}),
        ("Mul", ["row_at", "depth"], ["y"], {}),
        ("Cast", ["num_tokens"], ["counted"], {"to": TensorProto.FLOAT}),
        ("Mul", ["counted", "zero"], ["used"], {}),
        ("Sub", ["depth", "shift"], ["nearer"], {}),
        ("Add", ["nearer", "used"], ["z"], {}),
        ("Concat", ["x", "y", "z"], ["xyz"], {"axis": 1}),
        ("Transpose", ["xyz"], ["points"], {"perm": [0, 2, 3, 1]}),
        ("Neg", ["ones"], ["away"], {}),
        ("Concat", ["nothing", "nothing", "away"], ["facing"], {"axis": 1}),
        ("Transpose", ["facing"], ["normal"], {"perm": [0, 2, 3, 1]}),
        ("Sub", ["one", "blue"], ["seen"], {}),
        ("Squeeze", ["seen", "channel"], ["mask"], {}),
        ("Identity", ["factor"], [scale], {}),
    ]
    image = [1, 3, "height", "width"]
    graph = helper.make_graph(
        [helper.make_node(kind, takes, gives, **more) for kind, takes, gives, more in steps],
        "toy",
        [
            helper.make_tensor_value_info("image", TensorProto.FLOAT, image),
            helper.make_tensor_value_info("num_tokens", TensorProto.INT64, tokens or []),
        ],
        [
            helper.make_tensor_value_info("points", TensorProto.FLOAT, [1, "h", "w", 3]),
            helper.make_tensor_value_info("normal", TensorProto.FLOAT, [1, "h", "w", 3]),
            helper.make_tensor_value_info("mask", TensorProto.FLOAT, [1, "h", "w"]),
            helper.make_tensor_value_info(scale, TensorProto.FLOAT, [1]),
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def _place(count: str, side: str) -> list[tuple[str, list[str], list[str], dict[str, int]]]:
    """(count − ½ − side/2) / (width · focal)."""
    return [
        ("Sub", [count, "half"], [f"{count}_centre"], {}),
        ("Mul", [side, "half"], [f"{count}_half"], {}),
        ("Sub", [f"{count}_centre", f"{count}_half"], [f"{count}_off"], {}),
        ("Div", [f"{count}_off", "width"], [f"{count}_part"], {}),
        ("Div", [f"{count}_part", "focal"], [f"{count}_at"], {}),
    ]
