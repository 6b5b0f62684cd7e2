"""A network of the contract's inputs and outputs that reads its maps off the photo's colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOV, FOV_ERROR = 50.0, 6.0


def write_toy(
    path: Path, fov: float = FOV, fov_error: float = FOV_ERROR, distance: tuple[float, float] | None = None
) -> Path:
    """disparity: green + hint, at least 0; subject: red; front: green − ½; back: front + blue − ½; sky: nowhere; normals:
    to the camera; field of view, and the distance if there is one: constant."""
    axes = [1, 4, "height", "width"]
    outputs = ("disparity", "sky", "subject", "front", "back")
    constants = {
        "half": np.float32(0.5),
        "none": np.float32(0),
        "found": np.array([[fov, fov_error]], np.float32),
    }
    nodes = [
        helper.make_node("Split", ["photo"], ["red", "green", "blue", "hint"], axis=1, num_outputs=4),
        helper.make_node("Add", ["green", "hint"], ["told"]),
        helper.make_node("Relu", ["told"], ["disparity"]),
        helper.make_node("Mul", ["red", "none"], ["sky"]),
        helper.make_node("Identity", ["red"], ["subject"]),
        helper.make_node("Sub", ["green", "half"], ["front"]),
        helper.make_node("Sub", ["blue", "half"], ["thick"]),
        helper.make_node("Add", ["front", "thick"], ["back"]),
        helper.make_node("Exp", ["sky"], ["one"]),
        helper.make_node("Neg", ["one"], ["away"]),
        helper.make_node("Concat", ["sky", "sky", "away"], ["normals"], axis=1),
        helper.make_node("Identity", ["found"], ["fov"]),
    ]
    numbers = [helper.make_tensor_value_info("fov", TensorProto.FLOAT, [1, 2])]
    if distance is not None:
        constants["far"] = np.array([distance], np.float32)
        nodes.append(helper.make_node("Identity", ["far"], ["distance"]))
        numbers.append(helper.make_tensor_value_info("distance", TensorProto.FLOAT, [1, 2]))
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, axes)],
        [
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, *axes[2:]]) for name in outputs),
            helper.make_tensor_value_info("normals", TensorProto.FLOAT, [1, 3, *axes[2:]]),
            *numbers,
        ],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
