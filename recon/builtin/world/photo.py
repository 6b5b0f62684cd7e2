"""What a camera does to light: exposure, white balance, blur, noise, tone curve, colour; images (B, 3, H, W)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def _blur(image: Tensor, weight: Tensor) -> Tensor:
    """Separable 3-tap blur whose side taps are `weight` (B,) of the whole."""
    side = weight.view(-1, 1, 1, 1)
    wide = F.pad(image, (1, 1, 0, 0), mode="replicate")
    image = image + side * (wide[..., :-2] + wide[..., 2:] - 2 * image)
    tall = F.pad(image, (0, 0, 1, 1), mode="replicate")
    return image + side * (tall[..., :-2, :] + tall[..., 2:, :] - 2 * image)


def develop(linear: Tensor, generator: torch.Generator) -> Tensor:
    """Linear colour to an sRGB-like photo in [0, 1], each with its own exposure, cast, blur, noise and curve."""
    count, device = len(linear), linear.device

    def draw(low: float, high: float, *shape: int) -> Tensor:
        values = torch.rand(count, *(shape or (1, 1, 1)), generator=generator, device=device)
        return low + (high - low) * values

    def often(probability: float) -> Tensor:
        return draw(0.0, 1.0) < probability

    image = _blur(linear, torch.where(often(0.15), draw(0.2, 0.32), draw(0.05, 0.16)).flatten())
    image = torch.where(often(0.08), _blur(_blur(image, draw(0.3, 0.33).flatten()), draw(0.3, 0.33).flatten()), image)
    grey = image.mean(dim=(1, 2, 3), keepdim=True).clamp_min(1e-4)
    # A photographer exposes for a middle grey around 0.25 linear, up or down one stop.
    image = image / grey * 0.25 * torch.exp2(draw(-1.0, 1.0)) * torch.exp2(draw(-0.25, 0.25, 3, 1, 1))
    noise = torch.randn(image.shape, generator=generator, device=device)
    image = (image + noise * draw(0.0, 0.013) * often(0.6)).clamp_min(1e-4)
    # The filmic shoulder keeps highlights below 1; the hard clip of cheap cameras is the other half.
    shoulder = image * 1.6 * (1 + image / 4) / (1 + image)
    image = torch.where(often(0.5), shoulder, image.clamp_max(1)).pow(1 / draw(1.9, 2.6))
    luma = image.mean(1, keepdim=True)
    saturation = torch.where(often(0.04), torch.zeros_like(luma[:, :, :1, :1]), draw(0.8, 1.6))
    image = luma + (image - luma) * saturation
    image = (image - 0.5) * draw(0.85, 1.4) + 0.5 + draw(-0.06, 0.06)
    return image.clamp(0, 1)
