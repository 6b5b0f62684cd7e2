"""SHARP at toy size, on disk as published: one file with every key that is there.

What the published file holds beyond the network of one picture (the transformers' classes, and what fits depth to a
measured one) is listed here, so that at the published size the tensors and their numbers can be counted against those of
the authors' network. Values come from each tensor's name, so that the figures in the tests stay.
"""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np

from recon.models.sharp import ENCODER, FILE
from recon.models.sharp_net import SharpPlan

TOY = SharpPlan(128, 4, 8, 16, (16, 16, 24, 32, 40), 16, 32, 32, 32)
"""Its picture has 512 pixels along a side: as many windows as the published one, a third as wide."""
CLASSES = 21841


def shapes_of(plan: SharpPlan, classes: int) -> dict[str, tuple[int, ...]]:
    """Every tensor of the published file."""
    import torch

    from recon.models.sharp_net import SharpNetwork

    with torch.device("meta"):
        network = SharpNetwork(plan)
    return {key: tuple(value.shape) for key, value in network.state_dict().items()} | for_training(plan.width, classes)


def for_training(width: int, classes: int) -> dict[str, tuple[int, ...]]:
    """The tensors of classes, and of the network that fits depth to a measured one."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(key: str, *shape: int) -> None:
        shapes[key + ".weight"] = shape
        shapes[key + ".bias"] = (shape[0],)

    def block(key: str, seen: int, out: int) -> None:
        for place, *shape in ((0, seen), (2, out // 2, seen, 3, 3), (3, out // 2), (5, out, out // 2, 3, 3)):
            layer(f"{key}.residual.{place}", *shape)
        if seen != out:
            layer(f"{key}.shortcut", out, seen, 1, 1)

    for name in ("patch", "image"):
        layer(f"{ENCODER}.{name}_encoder.head", classes, width)
    unet, widths = "depth_alignment.scale_map_estimator", [16, 32, 64, 128, 256]
    layer(f"{unet}.encoder.conv_in.0", widths[0], 2, 3, 3)
    layer(f"{unet}.encoder.conv_in.1", widths[0])
    for step in range(4):
        block(f"{unet}.encoder.convs_down.{step}.1", widths[step], widths[step + 1])
        block(f"{unet}.encoder.convs_down.{step}.2", widths[step + 1], widths[step + 1])
        wide, narrow = widths[4 - step], widths[3 - step]
        block(f"{unet}.decoder.convs_up.{step}.1", wide * (2 if step else 1), narrow)
        block(f"{unet}.decoder.convs_up.{step}.2", narrow, narrow)
    layer(f"{unet}.decoder.conv_out.0", 2 * widths[0])
    layer(f"{unet}.decoder.conv_out.2", widths[0], 2 * widths[0], 1, 1)
    layer(f"{unet}.decoder.conv_out.3", widths[0])
    layer(f"{unet}.conv_out", 1, widths[0], 1, 1)
    return shapes


def value_of(key: str, shape: tuple[int, ...]) -> np.ndarray:
    """A tensor's value: of a size with which the maps have structure, and depths lie between 1 and 10 m."""
    random = np.random.default_rng(zlib.crc32(key.encode())).standard_normal(shape).astype(np.float32)
    if key.endswith("gamma") or (len(shape) == 1 and key.endswith("weight")):
        return 1 + random / 10
    if key.endswith("predictor.head.4.weight"):
        return random / 100
    if key.endswith("predictor.head.4.bias"):
        return np.array([0.5, 0.25], np.float32)
    if key.endswith(("token", "pos_embed")):
        return random / 2
    if len(shape) < 2:
        return random / 10
    return random / np.float32(math.sqrt(math.prod(shape[1:])))


def tensors_of(plan: SharpPlan = TOY) -> dict[str, np.ndarray]:
    """Every tensor of a file of a network of this size."""
    return {key: value_of(key, shape) for key, shape in shapes_of(plan, 7).items()}


def write(folder: Path, plan: SharpPlan = TOY) -> Path:
    """The file as published: a table of tensors, pickled by torch."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    torch.save(
        {key: torch.from_numpy(np.ascontiguousarray(each)) for key, each in tensors_of(plan).items()}, folder / FILE
    )
    return folder / FILE
