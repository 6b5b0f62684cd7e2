"""Depth Anything 3's network for one picture, its parts named as the published weights name them.

A plain DINOv2 transformer reads the picture; from some block on it has a camera's token in place of the class token, rotary
position embeddings (RoPE), and global attention in every second block: over all pictures at once (here: the one), where
positions do not count. Features of four blocks go through a DPT head. What serves several pictures (rays, poses given and
found) is left out. Written after src/depth_anything_3/model in ByteDance-Seed/Depth-Anything-3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

PATCH = 14
HEAD_WIDTH = 64
"""Channels of an attention head, in all sizes of DINOv2."""
FREQUENCY_BASE = 100.0
"""Base of the frequencies of the rotary embeddings, and of the head's sinusoidal ones."""
POSITION_WEIGHT = 0.1
LAST_WIDTH = 32


@dataclass(frozen=True)
class NetworkPlan:
    """A network's measures. width, blocks, grid: the transformer's channels, blocks, and patches along a side of what its
    places were learnt for; out_layers: the blocks whose features are used; alt_start, qknorm_start, rope_start: the block
    from which on there is a camera's token and every second attention is global, queries and keys are normalised, and
    rotated, -1 for never; cat_token: features are those of the last block that saw one picture, and of the last; dual:
    depth with its confidence (and rays, which are left out), else depth and sky; features, out_channels: of the head."""

    width: int
    blocks: int
    grid: int
    out_layers: tuple[int, ...]
    alt_start: int
    qknorm_start: int
    rope_start: int
    cat_token: bool
    dual: bool
    features: int
    out_channels: tuple[int, ...]
    camera: bool

    @property
    def seen(self) -> int:
        """Channels of the features that the head sees."""
        return self.width * (2 if self.cat_token else 1)


class NetworkOutput(NamedTuple):
    """depth: positive, of unknown scale; sky: 0 or more, about 1 in the sky; fov: vertical and horizontal, in radians."""

    depth: Float[Tensor, "h w"]
    sky: Float[Tensor, "h w"] | None
    fov: Float[Tensor, " two"] | None


class DepthAnything3Network(nn.Module):
    """The network of a plan. Call it with a normalised picture whose sides are multiples of PATCH."""

    def __init__(self, plan: NetworkPlan) -> None:
        super().__init__()
        self.backbone = nn.Module()
        self.backbone.pretrained = _Transformer(plan)
        self.head = _DptHead(plan)
        self.cam_dec = _FovDecoder(plan.seen) if plan.camera else None

    def forward(self, picture: Float[Tensor, "1 3 h w"]) -> NetworkOutput:
        """Depth, sky and field of view; what is after the transformer is computed in float32."""
        features, camera = self.backbone.pretrained(picture)  # type: ignore[operator]
        with torch.autocast(picture.device.type, enabled=False):
            depth, sky = self.head([each.float() for each in features], picture.shape[-2], picture.shape[-1])
            fov = None if self.cam_dec is None else self.cam_dec(camera.float())[0]
        return NetworkOutput(depth, sky, fov)


class _Transformer(nn.Module):
    """DINOv2, with what makes it see several pictures."""

    def __init__(self, plan: NetworkPlan) -> None:
        super().__init__()
        self.plan = plan
        self.patch_embed = nn.Module()
        self.patch_embed.proj = nn.Conv2d(3, plan.width, PATCH, PATCH)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, plan.width))
        if plan.alt_start != -1:
            self.camera_token = nn.Parameter(torch.zeros(1, 2, plan.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, plan.grid**2 + 1, plan.width))
        self.blocks = nn.ModuleList(
            _Block(plan.width, plan.qknorm_start != -1 and i >= plan.qknorm_start) for i in range(plan.blocks)
        )
        self.norm = nn.LayerNorm(plan.width)

    def forward(self, picture: Float[Tensor, "1 3 h w"]) -> tuple[list[Float[Tensor, "1 n d"]], Float[Tensor, "1 d"]]:
        """The patches' features after each of the plan's blocks, and the last block's of the camera's token."""
        plan = self.plan
        x = self.patch_embed.proj(picture)  # type: ignore[operator]
        rows, columns = x.shape[-2:]
        x = torch.cat([self.cls_token, x.flatten(2).transpose(1, 2)], dim=1)
        x = x + self.position_embedding(rows, columns).to(x.dtype)
        by_place, alike = _rotary_embeddings(rows, columns, x) if plan.rope_start != -1 else (None, None)
        local, out = x, []
        for i, block in enumerate(self.blocks):
            if i == plan.alt_start:
                x = torch.cat([self.camera_token[:, :1].to(x.dtype), x[:, 1:]], dim=1)
            is_global = plan.alt_start != -1 and i >= plan.alt_start and i % 2 == 1
            x = block(x, (alike if is_global else by_place) if i >= plan.rope_start else None)
            local = local if is_global else x
            if i in plan.out_layers:
                out.append((local, x))
        camera = torch.cat(out[-1], dim=-1)[:, 0] if plan.cat_token else out[-1][1][:, 0]
        return [self.features(*each) for each in out], camera

    def features(self, local: Float[Tensor, "1 m c"], x: Float[Tensor, "1 m c"]) -> Float[Tensor, "1 n d"]:
        """The patches' features as the head takes them: the last block's are normalised."""
        seen = torch.cat([local, self.norm(x)], dim=-1) if self.plan.cat_token else self.norm(x)
        return seen[:, 1:]

    def position_embedding(self, rows: int, columns: int) -> Float[Tensor, "1 n c"]:
        """What tells the patches where they are, resized from a square; by factors, a tenth of a patch too large, as in
        DINOv2's training."""
        side = self.plan.grid
        if rows == columns == side:
            return self.pos_embed
        known = self.pos_embed.float()
        square = known[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        factors = ((rows + 0.1) / side, (columns + 0.1) / side)
        resized = functional.interpolate(square, scale_factor=factors, mode="bicubic")
        return torch.cat([known[:, :1], resized.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)


class _Block(nn.Module):
    """Attention, then two layers on each patch, both added with a weight for each channel."""

    def __init__(self, width: int, normed: bool) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = _Attention(width, normed)
        self.ls1 = _LayerScale(width)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = nn.Module()
        self.mlp.fc1 = nn.Linear(width, 4 * width)
        self.mlp.fc2 = nn.Linear(4 * width, width)
        self.ls2 = _LayerScale(width)

    def forward(self, x: Float[Tensor, "1 n c"], rotary: tuple[Tensor, Tensor] | None) -> Float[Tensor, "1 n c"]:
        """The patches after the block."""
        x = x + self.ls1(self.attn(self.norm1(x), rotary))
        return x + self.ls2(self.mlp.fc2(functional.gelu(self.mlp.fc1(self.norm2(x)))))  # type: ignore[operator]


class _LayerScale(nn.Module):
    """A weight for each channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "1 n c"]) -> Float[Tensor, "1 n c"]:
        """The weighted channels."""
        return x * self.gamma


class _Attention(nn.Module):
    """Attention between all patches."""

    def __init__(self, width: int, normed: bool) -> None:
        super().__init__()
        self.qkv = nn.Linear(width, 3 * width)
        self.q_norm = nn.LayerNorm(HEAD_WIDTH) if normed else nn.Identity()
        self.k_norm = nn.LayerNorm(HEAD_WIDTH) if normed else nn.Identity()
        self.proj = nn.Linear(width, width)

    def forward(self, x: Float[Tensor, "1 n c"], rotary: tuple[Tensor, Tensor] | None) -> Float[Tensor, "1 n c"]:
        """What each patch takes from all."""
        parts = self.qkv(x).reshape(1, x.shape[1], 3, -1, HEAD_WIDTH).permute(2, 0, 3, 1, 4)
        q, k = self.q_norm(parts[0]), self.k_norm(parts[1])
        if rotary is not None:
            q, k = _rotated(q, *rotary), _rotated(k, *rotary)
        taken = functional.scaled_dot_product_attention(q, k, parts[2])
        return self.proj(taken.transpose(1, 2).reshape(x.shape))


def _rotary_embeddings(rows: int, columns: int, x: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """(cosines, sines) for each token and channel of a head: by the patch's row and column, and alike for all patches. The
    camera's token is at 0, patches count from 1."""
    place = torch.cartesian_prod(torch.arange(1, rows + 1), torch.arange(1, columns + 1))
    place = torch.cat([torch.zeros(1, 2), place.float()]).to(x.device)
    quarter = HEAD_WIDTH // 4
    frequency = FREQUENCY_BASE ** -(torch.arange(quarter, device=x.device, dtype=torch.float32) / quarter)

    def embedded(place: Tensor) -> tuple[Tensor, Tensor]:
        angle = (place[:, :, None] * frequency).repeat(1, 1, 2).flatten(1)
        return angle.cos().to(x.dtype), angle.sin().to(x.dtype)

    return embedded(place), embedded(place.clamp(max=1))


def _rotated(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Channels rotated in pairs: the first half of a head's by the row, the second by the column, in each half the first
    quarter with the second."""
    first, second, third, fourth = x.chunk(4, dim=-1)
    return x * cosine + torch.cat([-second, first, -fourth, third], dim=-1) * sine


class _FovDecoder(nn.Module):
    """The field of view from the camera's token."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.fc_fov = nn.Sequential(nn.Linear(width, 2), nn.ReLU())

    def forward(self, camera: Float[Tensor, "1 c"]) -> Float[Tensor, "1 2"]:
        """Vertical and horizontal, in radians."""
        return self.fc_fov(self.backbone(camera))


class _DptHead(nn.Module):
    """DPT: features of four blocks at four resolutions, fused from the coarsest to the finest."""

    def __init__(self, plan: NetworkPlan) -> None:
        super().__init__()
        self.dual = plan.dual
        first, second, _, fourth = plan.out_channels
        self.norm = nn.LayerNorm(plan.seen) if plan.dual else nn.Identity()
        self.projects = nn.ModuleList(nn.Conv2d(plan.seen, channels, 1) for channels in plan.out_channels)
        self.resize_layers = nn.ModuleList(
            [
                nn.ConvTranspose2d(first, first, 4, 4),
                nn.ConvTranspose2d(second, second, 2, 2),
                nn.Identity(),
                nn.Conv2d(fourth, fourth, 3, 2, 1),
            ]
        )
        self.scratch = _Scratch(plan)

    def forward(
        self, features: list[Float[Tensor, "1 n d"]], height: int, width: int
    ) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w"] | None]:
        """Depth and, from a head that knows it, sky at the picture's size."""
        rows, columns = height // PATCH, width // PATCH
        maps = []
        for tokens, project, resize in zip(features, self.projects, self.resize_layers, strict=True):
            x = project(self.norm(tokens).transpose(1, 2).unflatten(2, (rows, columns)))
            maps.append(resize(self._with_positions(x, width / height)))
        x = _resized(self.scratch.output_conv1(self.scratch.fused(maps)), (height, width))
        x = self._with_positions(x, width / height)
        depth = self.scratch.output_conv2(x)[0, 0].exp()
        return depth, None if self.dual else self.scratch.sky_output_conv2(x)[0, 0].relu()

    def _with_positions(self, x: Tensor, aspect: float) -> Tensor:
        """The map with a sinusoidal position embedding added, as the dual head was trained."""
        return x + POSITION_WEIGHT * _sinusoidal_embedding(x, aspect) if self.dual else x


class _Scratch(nn.Module):
    """The head's convolutions from the fusion on."""

    def __init__(self, plan: NetworkPlan) -> None:
        super().__init__()
        wide = plan.features
        for level, channels in enumerate(plan.out_channels, 1):
            setattr(self, f"layer{level}_rn", nn.Conv2d(channels, wide, 3, padding=1, bias=False))
            setattr(self, f"refinenet{level}", _Fusion(wide, first=level == len(plan.out_channels)))
        self.output_conv1 = nn.Conv2d(wide, wide // 2, 3, padding=1)
        self.output_conv2 = _last(wide // 2, 2 if plan.dual else 1)
        if not plan.dual:
            self.sky_output_conv2 = _last(wide // 2, 1)

    def fused(self, maps: list[Float[Tensor, "1 _ _ _"]]) -> Float[Tensor, "1 c h w"]:
        """One map, twice as fine as the finest."""
        maps = [getattr(self, f"layer{level}_rn")(x) for level, x in enumerate(maps, 1)]
        out = None
        for level in range(len(maps), 0, -1):
            finer = maps[level - 2].shape[-2:] if level > 1 else [2 * side for side in maps[0].shape[-2:]]
            out = getattr(self, f"refinenet{level}")(out, maps[level - 1], tuple(finer))
        assert out is not None
        return out


class _Fusion(nn.Module):
    """What came from below and one level's map, refined and enlarged."""

    def __init__(self, channels: int, first: bool) -> None:
        super().__init__()
        if not first:
            self.resConfUnit1 = _Residual(channels)
        self.resConfUnit2 = _Residual(channels)
        self.out_conv = nn.Conv2d(channels, channels, 1)

    def forward(
        self, below: Float[Tensor, "1 c h w"] | None, own: Float[Tensor, "1 c h w"], size: tuple[int, int]
    ) -> Float[Tensor, "1 c _ _"]:
        """The map of the next finer level's size."""
        x = own if below is None else below + self.resConfUnit1(own)
        return self.out_conv(_resized(self.resConfUnit2(x), size))


class _Residual(nn.Module):
    """Two convolutions beside a map."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Float[Tensor, "1 c h w"]) -> Float[Tensor, "1 c h w"]:
        """The map and what they make of it."""
        return x + self.conv2(self.conv1(x.relu()).relu())


def _last(channels: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, LAST_WIDTH, 3, padding=1), nn.ReLU(), nn.Conv2d(LAST_WIDTH, outputs, 1))


def _resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    return functional.interpolate(x, size=size, mode="bilinear", align_corners=True)


def _sinusoidal_embedding(x: Float[Tensor, "1 c h w"], aspect: float) -> Float[Tensor, "c h w"]:
    """Sines and cosines of a map's places, a quarter of its channels each for across and down. Places are in parts of half
    the picture's diagonal from its middle."""
    channels, height, width = x.shape[1:]
    quarter, diagonal = channels // 4, math.hypot(aspect, 1)
    frequency = FREQUENCY_BASE ** -(torch.arange(quarter, device=x.device, dtype=torch.float32) / quarter)
    parts = []
    for count, reach in ((width, aspect / diagonal), (height, 1 / diagonal)):
        place = torch.linspace(-reach, reach, 2 * count + 1, device=x.device)[1::2]  # the middles of `count` cells
        angle = frequency[:, None] * place
        parts.append(torch.cat([angle.sin(), angle.cos()]))
    across, down = parts
    return torch.cat([across[:, None].expand(-1, height, -1), down[:, :, None].expand(-1, -1, width)])
