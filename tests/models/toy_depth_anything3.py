"""Depth Anything 3 at toy size, on disk as published: config.json and model.safetensors with every key that is there.

What the published files hold beyond the network of one picture (rays, poses) is listed here, so that at the published size
the tensors and their numbers can be counted against the published file's. Values come from each tensor's name, not from a
library's generator, so that the figures in the tests stay.
"""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

OBJECT = "depth_anything_3.model."


@dataclass(frozen=True)
class Size:
    """A network's measures, as in the authors' configurations."""

    width: int = 128
    blocks: int = 8
    grid: int = 5
    out_layers: tuple[int, ...] = (3, 5, 6, 7)
    start: int = 4
    features: int = 32
    out_channels: tuple[int, ...] = (16, 24, 32, 48)


TOY = Size()
SMALL = Size(384, 12, 37, (5, 7, 9, 11), 4, 64, (48, 96, 192, 384))


def config_of(name: str, size: Size) -> dict[str, Any]:
    """config.json: the name, and the authors' YAML as a tree."""

    def made(path: str, kind: str, **fields: Any) -> dict[str, Any]:
        return {"__object__": {"path": OBJECT + path, "name": kind, "args": "as_params"}, **fields}

    many = not name.startswith(("da3mono", "da3metric"))
    start = size.start if many else -1
    seen = size.width * (2 if many else 1)
    sizes = {"features": size.features, "out_channels": list(size.out_channels)}
    net = made("dinov2.dinov2", "DinoV2", name="vits", out_layers=list(size.out_layers), alt_start=start,
               qknorm_start=start, rope_start=start, cat_token=many)  # fmt: skip
    head = (
        made("dualdpt", "DualDPT", dim_in=seen, output_dim=2, **sizes)
        if many
        else made("dpt", "DPT", dim_in=seen, output_dim=1, **sizes)
    )
    poses = {
        "cam_enc": made("cam_enc", "CameraEnc", dim_out=size.width),
        "cam_dec": made("cam_dec", "CameraDec", dim_in=seen),
    }
    return {
        "model_name": name,
        "config": made("da3", "DepthAnything3Net", net=net, head=head, **(poses if many else {})),
    }


def shapes_of(name: str, size: Size) -> dict[str, tuple[int, ...]]:
    """Every tensor of the published file but for the prefix: PyTorchModelHubMixin writes those that share their memory
    once, which leaves one of the four norms of the rays' heads."""
    import torch

    from recon.models.depth_anything3 import plan_of
    from recon.models.depth_anything3_net import DepthAnything3Network

    many = not name.startswith(("da3mono", "da3metric"))
    told = {
        "backbone.pretrained.cls_token": [1, 1, size.width],
        "backbone.pretrained.pos_embed": [1, size.grid**2 + 1, 0],
    }
    told[f"backbone.pretrained.blocks.{size.blocks - 1}.norm1.weight"] = []
    with torch.device("meta"):
        network = DepthAnything3Network(plan_of(config_of(name, size)["config"], told))
    shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    return {**shapes, **(for_several(size) if many else {})}


def for_several(size: Size) -> dict[str, tuple[int, ...]]:
    """The tensors of rays, and of poses given and found."""
    wide, half, width = size.features, size.features // 2, size.width
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(key: str, *shape: int) -> None:
        shapes[key + ".weight"] = shape
        shapes[key + ".bias"] = (shape[0],)

    for level in range(1, 5):
        unit = f"head.scratch.refinenet{level}_aux"
        for part in ("resConfUnit1", "resConfUnit2")[level == 4 :]:
            layer(f"{unit}.{part}.conv1", wide, wide, 3, 3)
            layer(f"{unit}.{part}.conv2", wide, wide, 3, 3)
        layer(f"{unit}.out_conv", wide, wide, 1, 1)
        for i in range(5):
            layer(f"head.scratch.output_conv1_aux.{level - 1}.{i}", *((half, wide), (wide, half))[i % 2], 3, 3)
        layer(f"head.scratch.output_conv2_aux.{level - 1}.0", 32, half, 3, 3)
        layer(f"head.scratch.output_conv2_aux.{level - 1}.5", 7, 32, 1, 1)
    layer("head.scratch.output_conv2_aux.0.2", 32)
    for i in range(4):
        block = f"cam_enc.trunk.{i}"
        for key, shape in {
            "norm1": (width,),
            "attn.qkv": (3 * width, width),
            "attn.proj": (width, width),
            "norm2": (width,),
            "mlp.fc1": (4 * width, width),
            "mlp.fc2": (width, 4 * width),
        }.items():
            layer(f"{block}.{key}", *shape)
        shapes[f"{block}.ls1.gamma"] = shapes[f"{block}.ls2.gamma"] = (width,)
    layer("cam_enc.token_norm", width)
    layer("cam_enc.trunk_norm", width)
    layer("cam_enc.pose_branch.fc1", width // 2, 9)
    layer("cam_enc.pose_branch.fc2", width, width // 2)
    layer("cam_dec.fc_t", 3, 2 * width)
    layer("cam_dec.fc_qvec", 4, 2 * width)
    return shapes


def value_of(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor's value: of a size with which the maps have structure, the field of view about 60°, and a part is sky."""
    random = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    if key.endswith(("gamma", "norm.weight", "norm1.weight", "norm2.weight", "_aux.0.2.weight")):
        return 1 + random / 10
    if key.endswith("fc_fov.0.weight"):
        return random / 100
    if key.endswith("fc_fov.0.bias"):
        return np.array([0.9, 1.1], np.float32)
    if key.endswith(("token", "pos_embed")):
        return random / 2
    if len(shape) < 2:
        return random / 10
    return random / np.float32(math.sqrt(math.prod(shape[1:])))


def write(folder: Path, name: str = "da3-small", size: Size = TOY) -> Path:
    """A folder as published."""
    from safetensors.numpy import save_file

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_of(name, size)))
    tensors = {
        f"model.{key}": np.ascontiguousarray(value_of(key, shape)) for key, shape in shapes_of(name, size).items()
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
