"""TripoSR's network: a picture to a triplane, and the decoder of what is read from it.

Linear layers may be of a reduced precision (`precision`): what goes into one is turned into its own, while norms and the
stream to which the blocks add stay in float32.
"""

from __future__ import annotations

import itertools

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from recon.models.triposr.attention import attended
from recon.models.triposr.plan import TripoSRPlan
from recon.models.triposr.vision import VisionTokenizer

GROUPS = 32
"""Of the group norm before the backbone."""


class TripoSRNetwork(nn.Module):
    """The network of a plan. Call it with a picture of the plan's side."""

    def __init__(self, plan: TripoSRPlan) -> None:
        super().__init__()
        self.plan = plan
        self.image_tokenizer = VisionTokenizer(plan.vision)
        self.tokenizer = _TriplaneTokens(plan)
        self.backbone = _Backbone(plan)
        self.post_processor = nn.ModuleDict({"upsample": nn.ConvTranspose2d(plan.channels, plan.features, 2, 2)})
        self.decoder = Decoder(3 * plan.features, plan.hidden, plan.layers)

    def forward(self, picture: Float[Tensor, "1 3 s s"]) -> Float[Tensor, "3 c p p"]:
        """The planes (x, y), (x, z) and (y, z), of TripoSR's axes, the first of the two along a row."""
        tokens = self.backbone(self.tokenizer.embeddings, self.image_tokenizer(picture))
        return self.post_processor["upsample"](tokens)


class _TriplaneTokens(nn.Module):
    """What the backbone begins with: one learnt token for each cell of three planes."""

    def __init__(self, plan: TripoSRPlan) -> None:
        super().__init__()
        self.embeddings = nn.Parameter(torch.zeros(3, plan.channels, plan.plane, plan.plane))


class _Backbone(nn.Module):
    """Blocks in which the planes' tokens look at each other and at the picture's; what comes out is added to the planes."""

    def __init__(self, plan: TripoSRPlan) -> None:
        super().__init__()
        width = plan.heads * plan.head_width
        self.norm = nn.GroupNorm(GROUPS, plan.channels, eps=1e-6)
        self.proj_in = nn.Linear(plan.channels, width)
        self.transformer_blocks = nn.ModuleList(
            [_Block(width, plan.heads, plan.vision.width) for _ in range(plan.blocks)]
        )
        self.proj_out = nn.Linear(width, plan.channels)

    def forward(self, planes: Float[Tensor, "3 c p p"], seen: Float[Tensor, "1 t d"]) -> Float[Tensor, "3 c p p"]:
        """The planes, once looked at the picture."""
        whole = planes.transpose(0, 1).flatten(1)[None]  # 1×c×3p²: a norm's group takes in all three planes
        tokens = _taken(self.proj_in, self.norm(whole).transpose(1, 2)).float()
        seen = seen.to(self.proj_in.weight.dtype)
        for block in self.transformer_blocks:
            tokens = block(tokens, seen)
        found = _taken(self.proj_out, tokens).float() + whole.transpose(1, 2)
        return found[0].T.unflatten(1, (3, *planes.shape[2:])).transpose(0, 1)


class _Block(nn.Module):
    """Attention among the tokens, attention to the picture, a gated network; each normalised first and added."""

    def __init__(self, width: int, heads: int, seen: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(width) for _ in range(3))
        self.attn1, self.attn2 = _Attention(width, width, heads), _Attention(width, seen, heads)
        self.ff = _GatedNetwork(width)

    def forward(self, tokens: Float[Tensor, "1 n c"], seen: Float[Tensor, "1 t d"]) -> Float[Tensor, "1 n c"]:
        low = seen.dtype
        own = self.norm1(tokens).to(low)
        tokens = tokens + self.attn1(own, own)
        tokens = tokens + self.attn2(self.norm2(tokens).to(low), seen)
        return tokens + self.ff(self.norm3(tokens).to(low))


class _Attention(nn.Module):
    def __init__(self, width: int, seen: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k, self.to_v = (nn.Linear(seen, width, bias=False) for _ in range(2))
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, tokens: Float[Tensor, "1 n c"], seen: Float[Tensor, "1 m d"]) -> Float[Tensor, "1 n c"]:
        return self.to_out[0](attended(self.to_q(tokens), self.to_k(seen), self.to_v(seen), self.heads))


class _GatedNetwork(nn.Module):
    """GEGLU (Shazeer 2020), four times as wide."""

    def __init__(self, width: int) -> None:
        super().__init__()
        gated = nn.ModuleDict({"proj": nn.Linear(width, 8 * width)})
        self.net = nn.ModuleList([gated, nn.Identity(), nn.Linear(4 * width, width)])

    def forward(self, tokens: Float[Tensor, "1 n c"]) -> Float[Tensor, "1 n c"]:
        value, gate = self.net[0]["proj"](tokens).chunk(2, dim=-1)  # type: ignore[index]
        return self.net[2](value * F.gelu(gate))


class Decoder(nn.Module):
    """Features of a point to its raw density and its three colours' logits."""

    def __init__(self, features: int, hidden: int, layers: int) -> None:
        super().__init__()
        widths = [features, *[hidden] * layers]
        parts: list[nn.Module] = []
        for inputs, outputs in itertools.pairwise(widths):
            parts += [nn.Linear(inputs, outputs), nn.SiLU(inplace=True)]
        self.layers = nn.Sequential(*parts, nn.Linear(hidden, 4))

    def forward(self, features: Float[Tensor, "n c"]) -> Float[Tensor, "n 4"]:
        """Raw density first."""
        return self.layers(features)


def _taken(layer: nn.Linear, values: Tensor) -> Tensor:
    """What a layer makes of values of another precision."""
    return layer(values.to(layer.weight.dtype))
