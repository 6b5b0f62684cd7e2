"""The network that ships: a U-Net of inverted residuals (MobileNetV2, Sandler et al. 2018) from a photo to disparity.

Tensors are (B, C, H, W) with H and W multiples of 32. The photo is RGB in [0, 1]; disparity is >= 0 with unknown scale
(0 at infinity); the sky comes as a logit. Both are predicted at half resolution and upsampled bilinearly.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Channels at 1/2, 1/4, 1/8, 1/16, 1/32 and blocks per stage: two million weights, most of them where maps are small.
WIDTHS = (16, 24, 48, 96, 224)
DEPTHS = (1, 2, 2, 4, 4)
EXPAND = 4
LAST = 24


def _conv(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU, the cheapest on a CPU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Block(nn.Module):
    """Inverted residual: widen, depthwise, narrow; with a skip where the shape stays."""

    def __init__(self, inputs: int, outputs: int, stride: int, size: int = 3) -> None:
        super().__init__()
        wide = inputs * EXPAND
        self.body = nn.Sequential(
            _conv(inputs, wide, 1),
            _conv(wide, wide, size, stride, wide),
            nn.Conv2d(wide, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.skip else self.body(x)


class Scene(nn.Module):
    """What the whole image says, added everywhere: pooled features through two layers (cf. squeeze-and-excitation)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU(inplace=True), nn.Conv2d(width, width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.mix(x.mean((2, 3), keepdim=True))


class Up(nn.Module):
    """Decoder step: upsample by two, join the encoder's map of that size, mix by depthwise and pointwise layers."""

    def __init__(self, deep: int, side: int, outputs: int) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(deep, outputs, 1, bias=False)
        self.side = nn.Conv2d(side, outputs, 1, bias=False)
        self.mix = nn.Sequential(
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            _conv(outputs, outputs, 5, groups=outputs),
            _conv(outputs, outputs, 1),
            _conv(outputs, outputs, 3, groups=outputs),
            nn.Conv2d(outputs, outputs, 1, bias=False),
        )

    def forward(self, deep: Tensor, side: Tensor) -> Tensor:
        deep = F.interpolate(self.narrow(deep), scale_factor=2.0, mode="bilinear", align_corners=False)
        joined = deep + self.side(side)
        return joined + self.mix(joined)


def coordinates(rgb: Tensor) -> Tensor:
    """Two channels (B, 2, H, W): x and y of pixel centres in [-1, 1]; built by cumulative sums, so H, W may vary."""
    one = torch.ones_like(rgb[:, :1])
    x, y = one.cumsum(3), one.cumsum(2)
    return torch.cat([(2 * x - 1) / x[:, :, :, -1:] - 1, (2 * y - 1) / y[:, :, -1:, :] - 1], 1)


class GeometryNet(nn.Module):
    """rgb (B, 3, H, W) in [0, 1] -> disparity (B, 1, H, W) >= 0 and sky logit (B, 1, H, W)."""

    def __init__(self, widths: tuple[int, ...] = WIDTHS, depths: tuple[int, ...] = DEPTHS) -> None:
        super().__init__()
        self.stem = _conv(5, widths[0], 3, 2)
        stages, before = [], widths[0]
        for width, depth in zip(widths[1:], depths[1:], strict=True):
            size = 5 if width >= 48 else 3
            blocks = [Block(before, width, 2, size), *(Block(width, width, 1, size) for _ in range(depth - 1))]
            stages.append(nn.Sequential(*blocks))
            before = width
        self.stages = nn.ModuleList(stages)
        self.scene = Scene(widths[-1])
        # The decoder is as wide as the encoder, but never narrower than LAST.
        outputs = [widths[-1], *(max(w, LAST) for w in widths[-2::-1])]
        ups = zip(outputs, widths[-2::-1], outputs[1:], strict=False)
        self.ups = nn.ModuleList(Up(deep, side, out) for deep, side, out in ups)
        last = outputs[-1]
        self.head = nn.Sequential(nn.BatchNorm2d(last), nn.ReLU(inplace=True), nn.Conv2d(last, 2, 3, padding=1))

    def forward(self, rgb: Tensor) -> tuple[Tensor, Tensor]:
        x = self.stem(torch.cat([(rgb - 0.45) / 0.25, coordinates(rgb)], 1))
        sides = []
        for stage in self.stages:
            sides.append(x)
            x = stage(x)
        x = self.scene(x)
        for up, side in zip(self.ups, reversed(sides), strict=True):
            x = up(x, side)
        maps = F.interpolate(self.head(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        disparity, sky = maps.split(1, 1)
        return F.softplus(disparity), sky
