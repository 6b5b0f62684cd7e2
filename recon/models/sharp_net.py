"""SHARP's network, its parts named as the published weights name them (Mescheder et al. 2025, "Sharp Monocular View
Synthesis in Less Than a Second", arXiv:2512.10685).

Two transformers read the picture in windows at three sizes (Depth Pro's encoder, Bochkovskii et al. 2024); a DPT decoder
makes two maps of disparity of their features, what is seen and what is behind it; two Gaussians stand at every second pixel
on those, and a second decoder says by how much each differs from that. Written after src/sharp/models in apple/ml-sharp.
What fits the depth to a measured one in training (`depth_alignment`) is left out, as are the transformers' classes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import timm
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

HEAD_WIDTH = 64
"""Channels of an attention head."""
LEVELS = 5
SIZES = 4
"""The picture is as many windows wide; it is read at this size, at half and at a quarter of it."""
LAYERS, STRIDE = 2, 2
"""Gaussians on each line of sight, and pixels between those."""
GROUPS = 8
DISPARITIES = (1e-4, 1e4)
FARTHEST = 100.0
"""Depths are scaled to begin at 1; what is farther than this is as far."""
LEARNT_OFFSET, LEARNT_COLOR = 1e-3, 0.1
LARGEST = 10.0
"""Parts of the first scale that a Gaussian may grow to."""
BATCH = 5
"""Windows read at a time."""


@dataclass(frozen=True)
class SharpPlan:
    """A network's measures, the published ones unless others are told. width, blocks, grid, patch: the transformers'
    channels, blocks, patches along a window's side and pixels along a patch's; channels: of the encoder's features, from
    the finest to the coarsest; decoder, gaussian_decoder: channels of the two decoders; hidden: of the disparity's last
    layer but one; features: that the Gaussians are made from."""

    width: int = 1024
    blocks: int = 24
    grid: int = 24
    patch: int = 16
    channels: tuple[int, ...] = (256, 256, 512, 1024, 1024)
    decoder: int = 256
    gaussian_decoder: int = 128
    hidden: int = 32
    features: int = 32

    @property
    def side(self) -> int:
        """Pixels along the picture's side."""
        return SIZES * self.grid * self.patch


class NdcGaussians(NamedTuple):
    """Gaussians in the frustum as a cube: x and y at depth z are those of z = 1 times z, -1 to 1 in the picture, left to
    right and top to bottom, z in metres. First all of the nearer layer, row by row, then the other's. scales: standard
    deviations along the axes that the quaternions, w x y z of any length, turn to; colors: sRGB, 0 to 1."""

    centres: Float[Tensor, "n 3"]
    scales: Float[Tensor, "n 3"]
    quaternions: Float[Tensor, "n 4"]
    colors: Float[Tensor, "n 3"]
    opacity: Float[Tensor, " n"]


class SharpNetwork(nn.Module):
    """The network of a plan. Call it with a picture of `plan.side` squared, whatever its photo's shape."""

    def __init__(self, plan: SharpPlan) -> None:
        super().__init__()
        self.plan = plan
        self.monodepth_model = nn.Module()
        self.monodepth_model.monodepth_predictor = _Monodepth(plan)
        self.feature_model = _GaussianFeatures(plan)
        self.prediction_head = nn.Module()
        self.prediction_head.geometry_prediction_head = nn.Conv2d(plan.features, 3 * LAYERS, 1)
        self.prediction_head.texture_prediction_head = nn.Conv2d(plan.features, 11 * LAYERS, 1)

    def forward(self, picture: Float[Tensor, "1 3 s s"], focal: float) -> NdcGaussians:
        """picture: sRGB, 0 to 1; focal: the photo's focal length in parts of its width."""
        disparity, encodings = self.monodepth_model.monodepth_predictor(picture)  # type: ignore[operator]
        with torch.autocast(picture.device.type, enabled=False):
            depth = focal / disparity.float().clamp(*DISPARITIES)
            unit = 1 / (depth.min() + 1e-6)  # lengths in which the nearest depth is 1
            inverse = 1 / (depth * unit).clamp(max=FARTHEST)
        seen = 2 * torch.cat([picture, inverse], dim=1) - 1
        texture, geometry = self.feature_model(seen, encodings)
        with torch.autocast(picture.device.type, enabled=False):
            heads = self.prediction_head
            moved = heads.geometry_prediction_head(geometry.float()).unflatten(1, (3, LAYERS))  # type: ignore[operator]
            other = heads.texture_prediction_head(texture.float()).unflatten(1, (11, LAYERS))  # type: ignore[operator]
            return composed(picture, inverse, torch.cat([moved, other], dim=1)[0], 1 / unit)


def composed(
    picture: Float[Tensor, "1 3 s s"],
    inverse: Float[Tensor, "1 2 s s"],
    learnt: Float[Tensor, "14 2 r r"],
    unit: Float[Tensor, ""],
) -> NdcGaussians:
    """The first Gaussians, two for each block of STRIDE² pixels, as the network changes them. inverse: 1/z of both layers;
    learnt: place, scale, quaternion, colour and opacity; unit: metres in z's unit."""
    rows = learnt.shape[-1]
    first = functional.max_pool2d(inverse, STRIDE)[0]
    # softplus and its inverse carry the step of 1/z; the small number is the authors'
    z = 1 / (functional.softplus(first + torch.log(-torch.expm1(-first)) + LEARNT_OFFSET * learnt[2]) + 1e-3)
    place = (2 * torch.arange(rows, device=z.device, dtype=z.dtype) + 1) / rows - 1
    x, y = place[None, None, :] + LEARNT_OFFSET * learnt[0], place[None, :, None] + LEARNT_OFFSET * learnt[1]
    # a sigmoid from 0 to LARGEST that is 1, with slope 1, where nothing is learnt
    growth = LARGEST * torch.sigmoid(LARGEST / (LARGEST - 1) * learnt[3:6] - math.log(LARGEST - 1))
    scales = 2 / rows * z * growth
    turned = learnt[6:10] + torch.tensor([1.0, 0, 0, 0], device=z.device)[:, None, None, None]
    shade = functional.avg_pool2d(picture, STRIDE)[0, :, None].clamp(0.01, 0.99)
    colors = torch.sigmoid(torch.logit(shade) + LEARNT_COLOR * learnt[10:13])
    opacity = torch.sigmoid(learnt[13])
    places = torch.stack([x * z, y * z, z])
    flat = [part.flatten(1).T for part in (unit * places, unit * scales, turned, colors)]
    return NdcGaussians(flat[0], flat[1], flat[2], flat[3], opacity.flatten())


class _Monodepth(nn.Module):
    """Disparity of the two layers, and the encoder's features."""

    def __init__(self, plan: SharpPlan) -> None:
        super().__init__()
        wide, half = plan.decoder, plan.decoder // 2
        self.encoder = _SlidingPyramid(plan)
        self.decoder = _Decoder((wide, *plan.channels[1:]), wide)
        self.head = nn.Sequential(
            nn.Conv2d(wide, half, 3, padding=1),
            nn.ConvTranspose2d(half, half, 2, 2),
            nn.Conv2d(half, plan.hidden, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(plan.hidden, LAYERS, 1),
            nn.ReLU(),
        )

    def forward(self, picture: Float[Tensor, "1 3 s s"]) -> tuple[Float[Tensor, "1 2 s s"], list[Tensor]]:
        """Disparity: focal length in parts of the width over depth in metres."""
        encodings = self.encoder(2 * picture - 1)
        return self.head(self.decoder(encodings)), encodings


class _SlidingPyramid(nn.Module):
    """Features at five sizes: of overlapping windows of the picture and of half of it, and of a quarter of it whole."""

    def __init__(self, plan: SharpPlan) -> None:
        super().__init__()
        self.plan = plan
        finest, fine, *rest = plan.channels
        self.patch_encoder, self.image_encoder = _transformer(plan), _transformer(plan)
        self.upsample_latent0 = _upsampling(plan.width, fine, finest, 3)
        self.upsample_latent1 = _upsampling(plan.width, fine, fine, 2)
        self.upsample0, self.upsample1, self.upsample2 = (_upsampling(plan.width, each, each, 1) for each in rest)
        self.upsample_lowres = nn.ConvTranspose2d(plan.width, rest[-1], 2, 2)
        self.fuse_lowres = nn.Conv2d(2 * rest[-1], rest[-1], 1)

    def forward(self, picture: Float[Tensor, "1 3 s s"]) -> list[Tensor]:
        """From the finest, half as wide as the picture, to the coarsest."""
        window, overlap = self.plan.side // SIZES, self.plan.grid // 8
        small = functional.interpolate(picture, scale_factor=0.25, mode="bilinear", align_corners=False)
        middle = functional.interpolate(picture, scale_factor=0.5, mode="bilinear", align_corners=False)
        tiles = [_windows(picture, window, window * 3 // 4), _windows(middle, window, window // 2), small]
        latent0, latent1, *last = self._read(tiles)
        fine = [self.upsample_latent0(latent0), self.upsample_latent1(latent1),
                self.upsample0(_joined(last[0], overlap)), self.upsample1(_joined(last[1], 2 * overlap))]  # fmt: skip
        whole = _features(self.image_encoder, small)
        coarsest = torch.cat([self.upsample2(last[2]), self.upsample_lowres(whole)], dim=1)
        return [*fine, self.fuse_lowres(coarsest)]

    def _read(self, tiles: list[Tensor]) -> list[Tensor]:
        """What the patches' transformer makes of the largest size's windows after a quarter and half of its blocks, joined,
        then of all sizes' windows at last."""
        early = [block * self.plan.blocks // 4 - 1 for block in (1, 2)]
        latents: list[list[Tensor]] = []
        last = []
        for group in tiles:
            found = []
            for part in group.split(BATCH):
                tokens, between = self.patch_encoder.forward_intermediates(part, indices=early, norm=False)
                found.append(_as_map(tokens, self.plan.grid))
                if group is tiles[0]:
                    latents.append(between)
            last.append(torch.cat(found))
        overlap = self.plan.grid // 8
        return [*(_joined(torch.cat(parts), overlap) for parts in zip(*latents, strict=True)), *last]


def _transformer(plan: SharpPlan) -> timm.models.VisionTransformer:
    """A plain vision transformer as DINOv2 trains it, without its classes."""
    return timm.models.VisionTransformer(
        img_size=plan.grid * plan.patch, patch_size=plan.patch, num_classes=0, global_pool="", embed_dim=plan.width,
        depth=plan.blocks, num_heads=plan.width // HEAD_WIDTH, init_values=1e-5,
    )  # fmt: skip


def _features(transformer: timm.models.VisionTransformer, picture: Float[Tensor, "n 3 w w"]) -> Tensor:
    grid: int = transformer.patch_embed.grid_size[0]
    return _as_map(transformer.forward_features(picture), grid)


def _as_map(tokens: Float[Tensor, "n t c"], grid: int) -> Float[Tensor, "n c g g"]:
    """The patches' tokens in their places; the class's is left out."""
    return tokens[:, 1:].transpose(1, 2).unflatten(2, (grid, grid))


def _windows(picture: Float[Tensor, "1 c s s"], side: int, step: int) -> Float[Tensor, "n c w w"]:
    """Windows of a picture, row by row."""
    starts = range(0, picture.shape[-1] - side + 1, step)
    return torch.cat([picture[..., top : top + side, left : left + side] for top in starts for left in starts])


def _joined(windows: Float[Tensor, "n c g g"], overlap: int) -> Float[Tensor, "1 c s s"]:
    """Maps of windows, each without `overlap` rows and columns along the sides where another window goes on."""
    count = math.isqrt(len(windows))

    def inner(place: int) -> slice:
        return slice(overlap if place else 0, -overlap if place < count - 1 else None)

    rows = (
        torch.cat([windows[row * count + i][:, inner(row), inner(i)] for i in range(count)], dim=-1)
        for row in range(count)
    )
    return torch.cat(list(rows), dim=-2)[None]


def _upsampling(seen: int, between: int, out: int, times: int) -> nn.Sequential:
    """Channels are mixed, then the map doubled several times."""
    doubled = [nn.ConvTranspose2d(out if i else between, out, 2, 2, bias=False) for i in range(times)]
    return nn.Sequential(nn.Conv2d(seen, between, 1, bias=False), *doubled)


class _Decoder(nn.Module):
    """DPT's decoder (Ranftl et al. 2021): features fused from the coarsest to the finest."""

    def __init__(self, seen: tuple[int, ...], wide: int) -> None:
        super().__init__()
        first = nn.Identity() if seen[0] == wide else nn.Conv2d(seen[0], wide, 1, bias=False)
        self.convs = nn.ModuleList([first, *(nn.Conv2d(each, wide, 3, padding=1, bias=False) for each in seen[1:])])
        self.fusions = nn.ModuleList(_Fusion(wide, doubles=level > 0) for level in range(LEVELS))

    def forward(self, encodings: list[Tensor]) -> Tensor:
        """A map as fine as the finest of the encodings."""
        found = None
        for conv, fusion, encoding in reversed(list(zip(self.convs, self.fusions, encodings, strict=True))):
            found = fusion(conv(encoding)) if found is None else fusion(found, conv(encoding))
        assert found is not None
        return found


class _Fusion(nn.Module):
    """A map, with what a finer one adds to it."""

    def __init__(self, wide: int, doubles: bool) -> None:
        super().__init__()
        self.resnet1, self.resnet2 = _Residual(_plain(wide)), _Residual(_plain(wide))
        self.deconv = nn.ConvTranspose2d(wide, wide, 2, 2, bias=False) if doubles else nn.Identity()
        self.out_conv = nn.Conv2d(wide, wide, 1)

    def forward(self, x: Tensor, finer: Tensor | None = None) -> Tensor:
        """The fused map, doubled if it is one that doubles."""
        x = x if finer is None else x + self.resnet1(finer)
        return self.out_conv(self.deconv(self.resnet2(x)))


class _Residual(nn.Module):
    """Layers whose result is added to what they were given."""

    def __init__(self, layers: list[nn.Module]) -> None:
        super().__init__()
        self.residual = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """What was given, and more."""
        return x + self.residual(x)


def _plain(wide: int) -> list[nn.Module]:
    return [nn.ReLU(), nn.Conv2d(wide, wide, 3, padding=1), nn.ReLU(), nn.Conv2d(wide, wide, 3, padding=1)]


def _normed(wide: int) -> list[nn.Module]:
    half = wide // 2
    return [nn.GroupNorm(GROUPS, wide), nn.ReLU(), nn.Conv2d(wide, half, 3, padding=1),
            nn.GroupNorm(GROUPS, half), nn.ReLU(), nn.Conv2d(half, wide, 3, padding=1)]  # fmt: skip


class _GaussianFeatures(nn.Module):
    """Features for the Gaussians, of the picture, its depths and the encoder's features."""

    def __init__(self, plan: SharpPlan) -> None:
        super().__init__()
        wide = plan.gaussian_decoder
        self.decoder = _Decoder(plan.channels, wide)
        self.image_encoder = nn.Module()
        self.image_encoder.conv = nn.Conv2d(3 + LAYERS, wide, STRIDE, STRIDE)
        self.fusion = _Fusion(wide, doubles=False)
        self.texture_head, self.geometry_head = (_head(wide, plan.features) for _ in range(2))

    def forward(self, seen: Float[Tensor, "1 5 s s"], encodings: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Features of texture and of geometry, one for each block of STRIDE² pixels."""
        found = self.fusion(self.decoder(encodings), self.image_encoder.conv(seen))  # type: ignore[operator]
        return self.texture_head(found), self.geometry_head(found)


def _head(wide: int, out: int) -> nn.Sequential:
    return nn.Sequential(
        _Residual(_normed(wide)), _Residual(_normed(wide)), nn.ReLU(), nn.Conv2d(wide, out, 1), nn.ReLU()
    )
