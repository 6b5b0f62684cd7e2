"""A network of the contract's inputs and outputs that reads its maps off the photo's colours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FOV, FOV_ERROR = 50.0, 6.0


def write_toy_object(path: Path, fov: float = FOV, fov_error: float = FOV_ERROR) -> Path:
    """A network of objects: front: green − ½; back: front + blue − ½; the back has the photo's opposite colours; normals:
    to the camera; field of view: constant."""
    constants = {
        "half": np.float32(0.5),
        "one": np.float32(1),
        "none": np.float32(0),
        "found": np.array([[fov, fov_error]], np.float32),
    }
    nodes = [
        helper.make_node("Split", ["photo"], ["red", "green", "blue", "hint"], axis=1, num_outputs=4),
        helper.make_node("Sub", ["green", "half"], ["front"]),
        helper.make_node("Sub", ["blue", "half"], ["thick"]),
        helper.make_node("Add", ["front", "thick"], ["back"]),
        helper.make_node("Concat", ["red", "green", "blue"], ["rgb"], axis=1),
        helper.make_node("Sub", ["one", "rgb"], ["back_colour"]),
        helper.make_node("Mul", ["red", "none"], ["zero"]),
        helper.make_node("Sub", ["zero", "one"], ["away"]),
        helper.make_node("Concat", ["zero", "zero", "away"], ["normals"], axis=1),
        helper.make_node("Identity", ["found"], ["fov"]),
    ]
    channels = {"normals": 3, "front": 1, "back": 1, "back_colour": 3}
    return _written(path, nodes, constants, channels, ("fov",), {"network": "object"})


def write_toy(
    path: Path, fov: float = FOV, fov_error: float = FOV_ERROR, distance: tuple[float, float] | None = None
) -> Path:
    """disparity: green + hint, at least 0; subject: red; front: green − ½; back: front + blue − ½; sky: nowhere; normals:
    to the camera; field of view, and the distance if there is one: constant."""
    channels = {"disparity": 1, "sky": 1, "normals": 3, "subject": 1, "front": 1, "back": 1}
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
    if distance is None:
        return _written(path, nodes, constants, channels, ("fov",), {})
    constants["far"] = np.array([distance], np.float32)
    nodes.append(helper.make_node("Identity", ["far"], ["distance"]))
    return _written(path, nodes, constants, channels, ("fov", "distance"), {})


def _written(
    path: Path,
    nodes: list[onnx.NodeProto],
    constants: dict[str, Any],
    channels: dict[str, int],
    numbers: tuple[str, ...],
    metadata: dict[str, str],
) -> Path:
    size = ["height", "width"]
    graph = helper.make_graph(
        nodes,
        "toy",
        [helper.make_tensor_value_info("photo", TensorProto.FLOAT, [1, 4, *size])],
        [
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, c, *size]) for name, c in channels.items()),
            *(helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in numbers),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    helper.set_model_props(model, metadata)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
