"""Scores of a network of objects on held-back pictures of one thing alone: front, thickness, normals, unseen colours.

Run alone: `python -m training.object_scores [--onnx FILE] [--sides 128 192 256]` scores an exported network, also one that
knows no colours.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from recon.builtin.estimator import Network
from recon.builtin.weights import SHAPES
from recon.geometry.cutout import GROUND

from .evaluate import HELD_BACK
from .synthetic import Batch, World
from .synthetic.labels import Labels

SIDE = 192
# Maps and numbers by name, for one picture (1, 4, H, W).
Say = Callable[[Tensor], dict[str, Tensor]]


def shown_alone(rgb: Tensor, subject: Tensor) -> Tensor:
    """The network's input (B, 4, H, W): things on the product's plain ground, their masks (B, 1, H, W) told."""
    return torch.cat([torch.where(subject > 0, rgb, GROUND / 255), 2 * subject - 1], 1)


def torch_say(net: nn.Module) -> Say:
    """A network in memory."""

    @torch.no_grad()
    def say(photo: Tensor) -> dict[str, Tensor]:
        return net(photo)._asdict()

    return say


def onnx_say(weights: Path) -> Say:
    """An exported network."""
    session = Network(weights).load()
    names = [output.name for output in session.get_outputs()]

    def say(photo: Tensor) -> dict[str, Tensor]:
        return dict(zip(names, map(torch.from_numpy, session.run(names, {"photo": photo.numpy()})), strict=True))

    return say


def score_objects(
    net: nn.Module, seed: int, device: str = "cpu", batches: int = 4, side: int = SIDE
) -> dict[str, float]:
    """Mean scores of a network in memory on held-back things (see score_things)."""
    return score_things(torch_say(net), seed, device, batches, side)


def score_things(say: Say, seed: int, device: str = "cpu", batches: int = 4, side: int = SIDE) -> dict[str, float]:
    """Means over the held-back things of the errors of front, up to a shift, and thickness, in parts of the picture, of 1 -
    cosine of the normals, of the field of view in parts of 90 degrees, and of the unseen side's colours in 0..1; beside
    these what costs nothing: `through`, the photo's own pixels, and `plain`, its mean colour inside the mask."""
    values: dict[str, list[float]] = defaultdict(list)
    for rgb, truth in held_back_things(seed, device, batches, side):
        said = say(shown_alone(rgb, truth.subject))
        for name, value in _errors(said, rgb, truth).items():
            values[name].append(value)
    return {name: round(sum(each) / len(each), 4) for name, each in values.items()}


def held_back_things(seed: int, device: str, batches: int, side: int) -> Iterator[tuple[Tensor, Labels]]:
    """Photos (1, 3, side, side) of things that no run is trained on, with their labels."""
    for batch in _batches(seed, device, batches, side):
        for k in range(len(batch.rgb)):
            if batch.labels.subject[k].any():
                yield batch.rgb[k : k + 1], batch.labels[k : k + 1]


@cache
def _batches(seed: int, device: str, batches: int, side: int) -> list[Batch]:
    world = World(seed, device)
    generators = [torch.Generator(device).manual_seed(seed * 1_000_003 + HELD_BACK + i) for i in range(batches)]
    pictures = [world.expose(HELD_BACK + i, 16, side, side, "alone") for i in range(batches)]
    return [picture.developed(generator) for picture, generator in zip(pictures, generators, strict=True)]


def _errors(said: dict[str, Tensor], rgb: Tensor, truth: Labels) -> dict[str, float]:
    """Errors of one picture."""
    inside = truth.subject[0, 0] > 0
    off = (said["front"] - truth.front)[0, 0][inside]
    thickness = ((said["back"] - said["front"]) - (truth.back - truth.front))[0, 0][inside]
    errors = {
        "front": (off - off.median()).abs().mean(),
        "thickness": thickness.abs().mean(),
        "normals": 1 - (said["normals"] * truth.normals).sum(1)[0][inside].mean(),
        "fov": (said["fov"][0, 0] - truth.fov[0]).abs() / 90,
    }
    assert truth.back_colour is not None
    unseen, seen = truth.back_colour[0][:, inside], rgb[0][:, inside]
    if "back_colour" in said:
        errors["colour"] = (said["back_colour"][0][:, inside] - unseen).abs().mean()
    errors["through"] = (seen - unseen).abs().mean()
    errors["plain"] = (seen.mean(1, keepdim=True) - unseen).abs().mean()
    return {name: float(value) for name, value in errors.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m training.object_scores", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--onnx", type=Path, default=SHAPES, help="exported network (default: the one that ships)")
    parser.add_argument("--sides", type=int, nargs="+", default=(128, 192, 256), help="sides of the pictures, each")
    parser.add_argument("--seed", type=int, default=99, help="of the held-back world")
    args = parser.parse_args()
    for side in args.sides:
        scores = score_things(onnx_say(args.onnx), args.seed, side=side)
        percent = {name: 100 * scores.pop(name) for name in ("front", "thickness")}
        print(f"{side} px: " + "  ".join(f"{name} {value:.1f} %" for name, value in percent.items()), end="  ")
        print("  ".join(f"{name} {value:.3f}" for name, value in scores.items()), flush=True)


if __name__ == "__main__":
    main()
