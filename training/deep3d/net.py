"""Deep3D's network: from a photo to the weights of disparity planes at each pixel of the right view.

As published, but for its faults: an encoder's features at strides 2 to 32 each vote for planes by a 3x3 convolution, the
last ones by fully connected layers; the votes are brought to half size by deconvolutions that begin as bilinear
enlargements, and added; one more brings them to full size; softmax. It was published for one size; here the fully connected
part sees its features brought to a grid of fixed size, so that any multiple of 32 does. The plane whose light is lost is
gone. The encoder is today's (training.encoder) or the published one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..encoder import CHANNELS, Encoder

STRIDES = (2, 4, 8, 16, 32)
# Disparities in pixels: 33 of them at the published width of 384, four percent to either side.
PLANES = tuple(range(16, -17, -1))
# Rows and columns of the grid that the fully connected layers see: a picture of 160 x 384 at stride 32.
GRID = (5, 12)
# Mean of ImageNet's photos, which the published encoder is used to see taken off.
MEAN = (0.485, 0.456, 0.406)


class Vgg11(nn.Module):
    """The published encoder: eight 3x3 convolutions, features after each of five max pools."""

    CHANNELS = (64, 128, 256, 512, 512)
    GROUPS = ((3, 64), (64, 128), (128, 256, 256), (256, 512, 512), (512, 512, 512))

    def __init__(self) -> None:
        super().__init__()
        self.groups = nn.ModuleList(nn.Sequential(*self._group(widths)) for widths in self.GROUPS)

    @staticmethod
    def _group(widths: Sequence[int]) -> list[nn.Module]:
        pairs = pairwise(widths)
        return [part for a, b in pairs for part in (nn.Conv2d(a, b, 3, padding=1), nn.ReLU())] + [nn.MaxPool2d(2)]

    def forward(self, rgb: Tensor) -> list[Tensor]:
        x, features = (rgb - rgb.new_tensor(MEAN)[:, None, None]) * 255, []
        for group in self.groups:
            x = group(x)
            features.append(x)
        return features


class Enlarge(nn.ConvTranspose2d):
    """Planes brought to `stride` times their size, at first bilinearly, each from itself alone."""

    def __init__(self, planes: int, stride: int) -> None:
        kernel = 2 * stride if stride > 1 else 1
        super().__init__(planes, planes, kernel, stride, padding=(kernel - stride) // 2)
        with torch.no_grad():
            tent = 1 - (torch.arange(kernel) + 0.5 - kernel / 2).abs() / stride if stride > 1 else torch.ones(1)
            self.weight.zero_()
            self.weight[range(planes), range(planes)] = tent[:, None] * tent
            if self.bias is not None:
                self.bias.zero_()


class Deep3DNet(nn.Module):
    """weights (B, K, H, W), 1 in sum, of photos (B, 3, H, W); H and W multiples of 32. pretrained: the encoder begins
    with its package's weights, if it is today's."""

    def __init__(
        self,
        planes: int = len(PLANES),
        encoder: str = "lite0",
        hidden: int = 512,
        dropout: float = 0.5,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        self.encoder: nn.Module = Vgg11() if encoder == "vgg11" else Encoder(pretrained)
        channels = Vgg11.CHANNELS if encoder == "vgg11" else CHANNELS
        rows, columns = GRID
        self.branches = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(width), nn.Conv2d(width, planes, 3, padding=1)) for width in channels[:-1]
        )
        self.bottom = nn.Sequential(
            nn.Linear(channels[-1] * rows * columns, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(dropout),
            nn.Linear(hidden, planes * rows * columns), nn.Unflatten(1, (planes, rows, columns)),
        )  # fmt: skip
        self.to_half = nn.ModuleList(Enlarge(planes, stride // 2) for stride in STRIDES)
        self.to_full = Enlarge(planes, 2)
        self.last = nn.Conv2d(planes, planes, 3, padding=1)

    def forward(self, photo: Tensor) -> Tensor:
        features = self.encoder(photo)
        votes = [branch(x) for branch, x in zip(self.branches, features, strict=False)]
        deepest = features[-1]
        seen = F.interpolate(deepest, GRID, mode="bilinear", align_corners=False)
        votes.append(
            F.interpolate(self.bottom(seen.flatten(1)), deepest.shape[2:], mode="bilinear", align_corners=False)
        )
        half = torch.stack([big(F.relu(x)) for big, x in zip(self.to_half, votes, strict=True)]).sum(0)
        return self.last(F.relu(self.to_full(F.relu(half)))).softmax(1)
