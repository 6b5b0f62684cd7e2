"""The networks that ship: a pretrained encoder, one attention layer and a residual decoder, from a photo to all that is
known of its geometry (GeometryNet), or of one thing alone, from all sides (ObjectNet).

Tensors are (B, C, H, W) with H and W multiples of 32. The decoder's 3x3 convolutions are dense (He et al. 2016), not
depthwise: on a CPU they train 2.5 times as fast at equal size. Maps are predicted at half resolution; every full pixel is
a convex combination of the nine around it there, so that an edge may stay an edge.
"""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .encoder import CHANNELS, Encoder

# The decoder's channels at 1/2, 1/4, 1/8, 1/16, 1/32, and of the step that draws edges.
WIDTHS = (24, 32, 64, 128, 240)
FINE = 32
# Logarithms of the weights of the last step stay within this.
LARGEST = 15.0
HEADS = 6
FOV_CENTRE, FOV_SPREAD = 55.0, 20.0
# Natural logarithm of metres: what the distance of a picture is about, before anything is known.
DISTANCE_CENTRE = 1.0


class Geometry(NamedTuple):
    """What the network gives: disparity (B, 1, H, W) >= 0, 0 at infinity, of unknown scale; logits of sky and subject
    (B, 1, H, W); unit normals (B, 3, H, W) in the camera's frame; front and back >= front, the subject's relief
    (B, 1, H, W) in units of the picture's longer side (see synthetic.labels); fov (B, 2): degrees along the longer side,
    and the expected absolute error of that; distance (B, 2): the natural logarithm of the median depth in metres of all
    but the sky, and the expected absolute error of that."""

    disparity: Tensor
    sky: Tensor
    normals: Tensor
    subject: Tensor
    front: Tensor
    back: Tensor
    fov: Tensor
    distance: Tensor


class Shape(NamedTuple):
    """What the network of objects gives: unit normals (B, 3, H, W) in the camera's frame; front and back >= front, the
    relief (B, 1, H, W) in units of the picture's longer side; back_colour (B, 3, H, W): sRGB in 0..1 of the place where
    each pixel's ray leaves the thing for the last time; fov (B, 2): degrees along the longer side, and their expected
    error."""

    normals: Tensor
    front: Tensor
    back: Tensor
    back_colour: Tensor
    fov: Tensor


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """Two 3x3 convolutions around a skip; the last norm begins at zero, so that a fresh block is the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        last = nn.BatchNorm2d(width)
        nn.init.zeros_(last.weight)
        self.body = nn.Sequential(_conv(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False), last)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.body(x))


class Attention(nn.Module):
    """Every place at 1/32 sees every other: multi-head self-attention (Vaswani et al. 2017) on a residual path.

    Places are known from the coordinates that the net gets as input channels.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.BatchNorm2d(width)
        self.qkv = nn.Conv2d(width, 3 * width, 1)
        self.out = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.out.weight)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(self.norm(x)).flatten(2).unflatten(1, (3, self.heads, -1)).unbind(1)
        score = (q.transpose(-1, -2) @ k) * (1 / math.sqrt(x.shape[1] / self.heads))
        mixed = v @ score.softmax(-1).transpose(-1, -2)
        return x + self.out(mixed.flatten(1, 2).unflatten(-1, x.shape[-2:]))


class Up(nn.Module):
    """Decoder step: upsample by two, join the encoder's map of that size, mix; the largest maps are mixed once only."""

    def __init__(self, deep: int, side: int, last: bool) -> None:
        super().__init__()
        self.narrow = nn.Conv2d(deep, side, 1, bias=False)
        self.mix = nn.Sequential(_conv(2 * side, side), *([] if last else [Residual(side)]))

    def forward(self, deep: Tensor, side: Tensor) -> Tensor:
        deep = F.interpolate(self.narrow(deep), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.mix(torch.cat([deep, side], 1))


def coordinates(photo: Tensor) -> Tensor:
    """Two channels (B, 2, H, W): x and y of pixel centres in units of half the longer side, 0 in the picture's centre;
    built by cumulative sums, so that an exported graph takes any H and W."""
    one = torch.ones_like(photo[:, :1])
    x, y = one.cumsum(3), one.cumsum(2)
    width, height = x[:, :, :, -1:], y[:, :, -1:, :]
    longer = torch.maximum(width[:, :, :1], height[:, :, :, :1])
    return torch.cat([(2 * x - 1 - width) / longer, (2 * y - 1 - height) / longer], 1)


class FullSizeHead(nn.Module):
    """The last step: maps at half resolution, drawn to the photo's own edges. It sees the pixels themselves, and takes each
    full pixel as a convex combination of the 3x3 half pixels around it (Teed and Deng 2020, RAFT, section 3.3); a fresh one
    interpolates bilinearly."""

    def __init__(self, width: int, hidden: int, maps: int) -> None:
        super().__init__()
        self.look = _conv(width + 16, hidden)
        last = nn.BatchNorm2d(width)
        nn.init.zeros_(last.weight)
        self.mix = nn.Sequential(nn.Conv2d(hidden, width, 3, padding=1, bias=False), last)
        self.head = nn.Conv2d(width, maps, 3, padding=1)
        self.weights = nn.Conv2d(hidden, 4 * 9, 1)
        nn.init.zeros_(self.weights.weight)
        with torch.no_grad():
            self.weights.bias.copy_(_bilinear().clamp_min(1e-3).log().flatten())  # type: ignore[union-attr]

    def forward(self, x: Tensor, photo: Tensor) -> Tensor:
        seen = self.look(torch.cat([x, F.pixel_unshuffle(photo, 2)], 1))
        maps = self.head(F.relu(x + self.mix(seen))).float()
        # A softmax in two steps: over an axis that is not the last, onnxruntime's takes as long as a convolution.
        weights = self.weights(seen).float().clamp(-LARGEST, LARGEST).exp()
        return convex_upsample(maps, weights.unflatten(1, (4, 9)))


def _bilinear() -> Tensor:
    """Weights (4, 9) of the 3x3 half pixels for each of the four full pixels inside the middle one."""
    first, second = torch.tensor([0.25, 0.75, 0.0]), torch.tensor([0.0, 0.75, 0.25])
    return torch.stack([torch.outer(y, x).flatten() for y in (first, second) for x in (first, second)])


def convex_upsample(maps: Tensor, weights: Tensor) -> Tensor:
    """Maps (B, C, h, w) at twice the size: for each full pixel the mean of the 3x3 around it by positive weights
    (B, 4, 9, h, w), edges repeated."""
    padded = F.pad(maps, (1, 1, 1, 1), mode="replicate")
    ends = (slice(0, -2), slice(1, -1), slice(2, None))
    total = None
    for k in range(9):
        part = weights[:, None, :, k] * padded[:, :, None, ends[k // 3], ends[k % 3]]
        total = part if total is None else total + part
    assert total is not None
    return F.pixel_shuffle((total / weights.sum(2)[:, None]).flatten(1, 2), 2)


class PhotoNet(nn.Module):
    """photo (B, 4, H, W): RGB in [0, 1] and a hint: +1 inside a known mask of the subject, -1 outside, 0 unknown.

    The encoder sees RGB alone; hint and coordinates join its features at every stride. While `frozen`, the encoder gets no
    gradient. What a network says is data: NAME, in a file's metadata; MAPS, channels of each map of the last step, in their
    order; NUMBERS, pairs that belong to the whole picture. `say` gives them their meaning."""

    NAME: ClassVar[str]
    MAPS: ClassVar[dict[str, int]]
    NUMBERS: ClassVar[tuple[str, ...]]

    def __init__(
        self,
        widths: tuple[int, ...] = WIDTHS,
        fine: int = FINE,
        heads: int = HEADS,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        self.frozen = False
        self.encoder = Encoder(pretrained)
        self.laterals = nn.ModuleList(_lateral(c + 3, w) for c, w in zip(CHANNELS, widths, strict=True))
        deepest = widths[-1]
        self.attention = Attention(deepest, heads)
        for name in self.NUMBERS:
            self.add_module(name, nn.Sequential(nn.Linear(deepest, 64), nn.ReLU(inplace=True), nn.Linear(64, 2)))
        self.scene = nn.Linear(deepest, deepest)
        pairs = zip(widths[:0:-1], widths[-2::-1], strict=True)
        self.ups = nn.ModuleList(Up(deep, side, last=side == widths[0]) for deep, side in pairs)
        self.fine = FullSizeHead(widths[0], fine, sum(self.MAPS.values()))

    def _features(self, rgb: Tensor) -> list[Tensor]:
        """The encoder's; in float32 where a gradient is wanted: on a CPU the depthwise convolutions' backward pass is
        slower in bfloat16."""
        if self.frozen:
            with torch.no_grad():
                return self.encoder(rgb)
        if self.training:
            with torch.autocast(rgb.device.type, enabled=False):
                return self.encoder(rgb.float())
        return self.encoder(rgb)

    def forward(self, photo: Tensor) -> Geometry | Shape:
        extra, sides = torch.cat([photo[:, 3:], coordinates(photo)], 1), []
        for feature, lateral in zip(self._features(photo[:, :3]), self.laterals, strict=True):
            extra = F.avg_pool2d(extra, 2)
            sides.append(lateral(torch.cat([feature, extra.to(feature.dtype)], 1)))
        x = self.attention(sides.pop())
        pooled = x.mean((2, 3))
        x = x + self.scene(pooled)[..., None, None]
        for up, side in zip(self.ups, reversed(sides), strict=True):
            x = up(x, side)
        maps = self.fine(x, torch.cat([(photo[:, :3] - 0.45) / 0.25, photo[:, 3:]], 1))
        named = dict(zip(self.MAPS, maps.split(tuple(self.MAPS.values()), 1), strict=True))
        return self.say(named | {name: self.get_submodule(name)(pooled).float() for name in self.NUMBERS})

    def say(self, raw: dict[str, Tensor]) -> Geometry | Shape:
        """The meaning of the raw maps (B, C, H, W) and numbers (B, 2)."""
        raise NotImplementedError


class GeometryNet(PhotoNet):
    """All that is known of a photo's geometry."""

    NAME = "geometry"
    MAPS: ClassVar = {"disparity": 1, "sky": 1, "normals": 3, "subject": 1, "front": 1, "thickness": 1}
    NUMBERS = ("lens", "metric")

    def say(self, raw: dict[str, Tensor]) -> Geometry:
        """See Geometry."""
        metric, disparity = raw["metric"], F.softplus(raw["disparity"])
        distance = torch.stack([DISTANCE_CENTRE + metric[:, 0], 0.03 + F.softplus(metric[:, 1])], 1)
        relief = _relief(raw["front"], raw["thickness"])
        sky, subject = raw["sky"], raw["subject"]
        return Geometry(
            disparity, sky, _facing(raw["normals"]), subject, *relief, _field_of_view(raw["lens"]), distance
        )


class ObjectNet(PhotoNet):
    """One thing alone on plain ground, its mask told."""

    NAME = "object"
    MAPS: ClassVar = {"normals": 3, "front": 1, "thickness": 1, "back_colour": 3}
    NUMBERS = ("lens",)

    def say(self, raw: dict[str, Tensor]) -> Shape:
        """See Shape."""
        relief, colour = _relief(raw["front"], raw["thickness"]), raw["back_colour"].sigmoid()
        return Shape(_facing(raw["normals"]), *relief, colour, _field_of_view(raw["lens"]))


NETWORKS: dict[str, type[PhotoNet]] = {net.NAME: net for net in (GeometryNet, ObjectNet)}
"""By the name in a plan and in a file's metadata."""


def _facing(normals: Tensor) -> Tensor:
    """Unit normals that face the camera: z is negative, and never all zero."""
    normals = torch.cat([normals[:, :2], -F.softplus(normals[:, 2:]) - 1e-3], 1)
    return normals * (normals * normals).sum(1, keepdim=True).rsqrt()


def _relief(front: Tensor, thickness: Tensor) -> tuple[Tensor, Tensor]:
    """Front and back."""
    front = 0.25 * front
    return front, front + 0.25 * F.softplus(thickness)


def _field_of_view(lens: Tensor) -> Tensor:
    """Degrees (B, 2), and their expected error."""
    return torch.stack([FOV_CENTRE + FOV_SPREAD * lens[:, 0], 1 + 10 * F.softplus(lens[:, 1])], 1)


@torch.no_grad()
def take_over(net: PhotoNet, state: dict[str, Tensor], other: type[PhotoNet]) -> None:
    """Give a network the weights of another kind: all that both have, each map's own rows of the last step. What only the
    other has is left out, what only this one has stays as it is. Both are of one size."""
    own = net.state_dict()
    if type(net) is other:
        net.load_state_dict(state)
        return
    for name, value in state.items():
        if name.startswith("fine.head."):
            theirs = dict(zip(other.MAPS, value.split(tuple(other.MAPS.values())), strict=True))
            for part, rows in zip(net.MAPS, own[name].split(tuple(net.MAPS.values())), strict=True):
                if part in theirs:
                    rows.copy_(theirs[part])
        elif name in own:
            own[name].copy_(value)
        elif name.split(".")[0] not in other.NUMBERS:
            raise ValueError(f"{name} of the given weights fits nothing in the network {net.NAME!r}")


def _lateral(inputs: int, outputs: int) -> nn.Sequential:
    """1x1 convolution, batch norm, ReLU: from the encoder's features to the decoder's width."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))
