"""A synthetic world to train on: random scenes rendered with exact disparity.

Images are (B, 3, H, W) float32 in [0, 1], sRGB-like; disparity (B, 1, H, W) float32 is 1 / z in 1/m with z along the
optical axis (camera frame x right, y down, z forward), exactly 0 in the sky; sky (B, 1, H, W) float32 is 1 in the sky.
Everything follows from (seed, index): the same pair gives the same batch on the same device.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from .layouts import LAYOUTS
from .photo import develop
from .render import pack, render
from .textures import make_bank


@dataclass(frozen=True)
class Batch:
    """Photos with their disparity and sky mask, as the module says."""

    rgb: Tensor
    disparity: Tensor
    sky: Tensor


class World:
    """Batches of rendered scenes; a group of images shares a layout, so that their primitives line up in tensors."""

    def __init__(self, seed: int = 0, device: torch.device | str = "cpu", group: int = 2) -> None:
        self.seed, self.device, self.group = seed, torch.device(device), group
        self.bank = make_bank(seed).to(self.device)

    def batch(self, index: int, count: int, height: int, width: int) -> Batch:
        """Batch number `index` of `count` images of even height and width."""
        number = self.seed * 1_000_003 + index
        random, generator = Random(number), torch.Generator(self.device).manual_seed(number)
        layouts, shares = zip(*LAYOUTS, strict=True)
        parts = []
        for start in range(0, count, self.group):
            layout = random.choices(layouts, shares)[0]
            scenes = [layout(random) for _ in range(min(self.group, count - start))]
            packed = pack(scenes, height, width, self.device)
            parts.append(render(packed, self.bank, height, width, generator))
        linear, disparity = (torch.cat(p) for p in zip(*parts, strict=True))
        return Batch(develop(linear, generator), disparity, (disparity == 0).float())
