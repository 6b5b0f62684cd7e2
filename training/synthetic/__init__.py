"""A synthetic world to train on: random scenes rendered with exact geometry.

Photos are (B, 3, H, W) float32 in [0, 1], sRGB-like, with `Labels` (see labels.py), all in the camera's frame x right,
y down, z forward. Everything follows from (seed, index): the same pair gives the same batch on the same device.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import torch
from torch import Tensor

from .compose import focused, pasted
from .labels import Labels, label
from .layouts import LAYOUTS, MIXES, UNSEEN
from .packing import pack_scenes
from .photo import develop_with, plain_camera
from .render import joined, render_scenes
from .textures import make_bank


@dataclass(frozen=True)
class Batch:
    """Photos (B, 3, H, W) with what is true of them."""

    rgb: Tensor
    labels: Labels


@dataclass(frozen=True)
class Exposure:
    """Undeveloped pictures: linear colour (B, 3, H, W) with labels."""

    linear: Tensor
    labels: Labels

    def developed(self, generator: torch.Generator, without: tuple[str, ...] = ()) -> Batch:
        """Photos with their own exposures, casts, noise and curves, half of them mirrored; without "looks" by one plain
        camera; "borders", "styles" and "night" can be left out too. The far side is developed along with the photo."""
        flip = torch.rand(len(self.linear), generator=generator, device=self.linear.device) < 0.5
        linear = torch.where(flip.view(-1, 1, 1, 1), self.linear.flip(-1), self.linear)
        labels = self.labels.mirrored(flip)
        behind = labels.back_colour
        if behind is not None:
            # Nobody asks for the shape of a thing in a photo too dark to see it.
            without = (*without, "night")
        if "looks" in without:
            photo, shown = plain_camera(linear), None if behind is None else plain_camera(behind, linear)
        else:
            photo, shown = develop_with(linear, behind, generator, without)
        return Batch(photo, labels if shown is None else replace(labels, back_colour=shown * labels.subject))


class World:
    """Batches of rendered scenes; a group of images shares a layout, so that their primitives line up in tensors."""

    def __init__(
        self,
        seed: int = 0,
        device: torch.device | str = "cpu",
        group: int = 2,
        without: tuple[str, ...] = (),
    ) -> None:
        self.seed, self.device, self.group = seed, torch.device(device), group
        self.left_out = without
        self.bank = make_bank(seed).to(self.device)

    def expose(self, index: int, count: int, height: int, width: int, mix: str = "scenes") -> Exposure:
        """Pictures number `index` (`count` of even height and width), not yet developed; mix: of layouts.MIXES."""
        number = self.seed * 1_000_003 + index
        random, generator = Random(number), torch.Generator(self.device).manual_seed(number)
        pairs = zip(LAYOUTS, MIXES[mix], strict=True)
        shares = [0.0 if layout.__name__ in self.left_out else share for layout, share in pairs]
        scenes, parts = [], []
        for start in range(0, count, self.group):
            layout = random.choices(LAYOUTS, shares)[0]
            group = [layout(random) for _ in range(min(self.group, count - start))]
            packed = pack_scenes(group, height, width, self.device)
            parts.append(render_scenes(packed, self.bank, height, width, generator, unseen=mix in UNSEEN))
            scenes += group
        pictures = pasted(scenes, joined(parts), random)
        pictures = focused(pictures, generator)
        return Exposure(pictures.colour, label(pictures, [s.camera for s in scenes], [float(s.unit) for s in scenes]))

    def batch(self, index: int, count: int, height: int, width: int) -> Batch:
        """Photos number `index`."""
        generator = torch.Generator(self.device).manual_seed(self.seed * 1_000_003 + index + 500_000)
        return self.expose(index, count, height, width).developed(generator)
