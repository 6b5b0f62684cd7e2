"""A small gated U-Net that turns splatted features into a picture.

Gated convolutions (Yu et al. 2019, "Free-form image inpainting with gated convolution") know which of their inputs are
holes. Each coarser scale of the splats enters at the encoder's level of that size.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


class Gated(nn.Module):
    """A 3×3 convolution times the sigmoid of another."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.both = nn.Conv2d(inputs, 2 * outputs, 3, stride, 1)

    def forward(self, x: Float[Tensor, "b i h w"]) -> Float[Tensor, "b o _ _"]:
        """Of height and width divided by the stride."""
        value, gate = self.both(x).chunk(2, 1)
        return F.elu(value) * gate.sigmoid()


class DeferredNet(nn.Module):
    """channels: of the splats at every scale, with their opacity; widths: of the levels, at least as many as scales."""

    def __init__(self, channels: int, scales: int = 3, widths: Sequence[int] = (16, 32, 64, 128)) -> None:
        super().__init__()
        if scales > len(widths):
            raise ValueError(f"{scales} scales of splats need as many levels, {len(widths)} widths came")
        self.scales = scales
        self.first = Gated(channels, widths[0])
        self.down = nn.ModuleList()
        self.mix = nn.ModuleList()
        self.up = nn.ModuleList()
        for level, (before, width) in enumerate(pairwise(widths), 1):
            self.down.append(Gated(before, width, 2))
            self.mix.append(Gated(width + (channels if level < scales else 0), width))
            self.up.append(Gated(width + before, before))
        self.last = nn.Conv2d(widths[0], 3, 3, padding=1)

    def forward(self, splats: Sequence[Float[Tensor, "b c _ _"]]) -> Float[Tensor, "b 3 h w"]:
        """splats: features at full, half, quarter … size. Colours in 0..1 at full size."""
        x = self.first(splats[0])
        sides = []
        for level, (down, mix) in enumerate(zip(self.down, self.mix, strict=True), 1):
            sides.append(x)
            x = down(x)
            if level < self.scales:
                x = torch.cat([x, F.interpolate(splats[level], size=x.shape[-2:], mode="nearest")], 1)
            x = mix(x)
        for up, side in zip(reversed(self.up), reversed(sides), strict=True):
            x = up(torch.cat([F.interpolate(x, size=side.shape[-2:], mode="nearest"), side], 1))
        return self.last(x).sigmoid()
