"""How far views of a model are from what they should show."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from recon.refinement.protocols import Rendering
from recon.refinement.settings import ViewWeights
from recon.render.cameras import Pinhole
from recon.render.losses import colour_loss, entropy_loss, mask_loss, pearson_loss


def some_pixels(camera: Pinhole, count: int, generator: torch.Generator) -> Int64[Tensor, " n"]:
    """`count` random pixels of a camera."""
    return torch.randint(camera.width * camera.height, (count,), generator=generator)


def view_loss(
    seen: Rendering,
    colour: Float[Tensor, "b n 3"],
    mask: Float[Tensor, "b n"],
    depth: Float[Tensor, "b n"],
    weights: ViewWeights,
) -> Float[Tensor, ""]:
    """How far pixels of a field are from the colour, mask and depth (0: unknown) that they should have; depth up to scale
    and shift."""
    assert seen.colour is not None, "colours were asked for"
    wanted = colour * mask[..., None] + (1 - mask[..., None]) * seen.background[:, None]
    both = ((mask > 0.99) & (depth > 0)).float()
    loss = colour_loss(seen.colour, wanted) + weights.mask * mask_loss(seen.opacity, mask)
    off = [pearson_loss(*view) for view in zip(seen.depth, depth, both, strict=True)]
    return loss + weights.depth * torch.stack(off).mean() + weights.entropy * entropy_loss(seen.opacity)


def depth_loss(seen: Rendering, depth: Float[Tensor, "b n"]) -> Float[Tensor, ""]:
    """Mean over pictures of how far a mesh's depth is off where it fills the pixel and the wanted depth is known (> 0)."""
    both = (depth > 0) & (seen.opacity.detach() == 1)
    off = (seen.depth - depth)[both].abs()
    return off.clamp_max(0.1).sum() / both.numel()
