"""The image tokenizer: a ViT (Dosovitskiy et al. 2021) as DINO trained it, its parts named as transformers 4.35 did.

Later versions of transformers renamed them, which left weights unread and tokens random where loading was not strict.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from recon.models.triposr.attention import attended
from recon.models.triposr.plan import VisionPlan

MEAN = (0.485, 0.456, 0.406)
SPREAD = (0.229, 0.224, 0.225)
"""Of ImageNet's colours, by which pictures are normalised."""
NORM_EPS = 1e-12
OFFSET = 0.1
"""Added to the number of patches when positions are resampled: DINO's guard against rounding, which shifts them all by a
little and with which the network was trained."""


class VisionTokenizer(nn.Module):
    """A picture, RGB in 0..1, to a class token and one token for each patch."""

    mean: Tensor
    spread: Tensor

    def __init__(self, plan: VisionPlan) -> None:
        super().__init__()
        self.model = _Vision(plan)
        self.register_buffer("mean", torch.tensor(MEAN, device="cpu").view(3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(SPREAD, device="cpu").view(3, 1, 1), persistent=False)

    def forward(self, picture: Float[Tensor, "b 3 s s"]) -> Float[Tensor, "b t c"]:
        """Tokens, the class token first."""
        return self.model((picture - self.mean) / self.spread)


class _Vision(nn.Module):
    """`pooler` is in the published file and answers to nobody."""

    def __init__(self, plan: VisionPlan) -> None:
        super().__init__()
        self.embeddings = _Embeddings(plan)
        self.encoder = nn.ModuleDict({"layer": nn.ModuleList([_VisionBlock(plan) for _ in range(plan.blocks)])})
        self.layernorm = nn.LayerNorm(plan.width, NORM_EPS)
        self.pooler = nn.ModuleDict({"dense": nn.Linear(plan.width, plan.width)})

    def forward(self, normalised: Tensor) -> Tensor:
        tokens = self.embeddings(normalised)
        for block in self.encoder["layer"]:  # type: ignore[attr-defined]
            tokens = block(tokens)
        return self.layernorm(tokens)


class _Embeddings(nn.Module):
    def __init__(self, plan: VisionPlan) -> None:
        super().__init__()
        self.grid = plan.side // plan.patch
        self.cls_token = nn.Parameter(torch.zeros(1, 1, plan.width))
        self.position_embeddings = nn.Parameter(torch.zeros(1, self.grid**2 + 1, plan.width))
        self.patch_embeddings = nn.ModuleDict(
            {"projection": nn.Conv2d(3, plan.width, plan.patch, plan.patch)},
        )

    def forward(self, normalised: Tensor) -> Tensor:
        patches = self.patch_embeddings["projection"](normalised)
        positions = self.positions(patches.shape[-1])
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches.flatten(2).transpose(1, 2)], 1)
        return tokens + positions

    def positions(self, across: int) -> Tensor:
        """The learnt positions, resampled to a square of so many patches."""
        if across == self.grid:
            return self.position_embeddings
        learnt = self.position_embeddings[:, 1:].transpose(1, 2).unflatten(2, (self.grid, self.grid))
        factor = (across + OFFSET) / self.grid
        resampled = F.interpolate(learnt, scale_factor=(factor, factor), mode="bicubic", align_corners=False)
        return torch.cat([self.position_embeddings[:, :1], resampled.flatten(2).transpose(1, 2)], 1)


class _VisionBlock(nn.Module):
    """Attention and a network of two layers, each normalised first and added."""

    def __init__(self, plan: VisionPlan) -> None:
        super().__init__()
        width = plan.width
        self.heads = plan.heads
        parts = {name: nn.Linear(width, width) for name in ("query", "key", "value")}
        self.attention = nn.ModuleDict(
            {"attention": nn.ModuleDict(parts), "output": nn.ModuleDict({"dense": nn.Linear(width, width)})}
        )
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(width, 4 * width)})
        self.output = nn.ModuleDict({"dense": nn.Linear(4 * width, width)})
        self.layernorm_before = nn.LayerNorm(width, NORM_EPS)
        self.layernorm_after = nn.LayerNorm(width, NORM_EPS)

    def forward(self, tokens: Tensor) -> Tensor:
        dense = self.intermediate["dense"]
        parts = self.attention["attention"]
        seen = self.layernorm_before(tokens).to(dense.weight.dtype)
        asked, keys, values = (parts[name](seen) for name in ("query", "key", "value"))  # type: ignore[index]
        mixed = attended(asked, keys, values, self.heads)
        tokens = tokens + self.attention["output"]["dense"](mixed)  # type: ignore[index]
        hidden = F.gelu(dense(self.layernorm_after(tokens).to(dense.weight.dtype)))
        return tokens + self.output["dense"](hidden)
