"""A ball whose colour tells where on it one looks: the exact picture of any camera in closed form."""

from __future__ import annotations

import torch
from torch import Tensor

from recon.render.cameras import Rays


def seed(number: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(number)


def ball_picture(rays: Rays, background: Tensor, radius: float = 0.6) -> tuple[Tensor, Tensor]:
    """(colour (n, 3), which rays hit) of the ball around the origin."""
    middle = -(rays.origins * rays.directions).sum(1)
    nearest = rays.origins + middle[:, None] * rays.directions
    half = radius**2 - (nearest**2).sum(1)
    points = rays.origins + (middle - half.clamp_min(0).sqrt())[:, None] * rays.directions
    colour = 0.5 + 0.45 * torch.sin(points * torch.tensor((4.0, 5.0, 6.0)) / radius)
    return torch.where((half > 0)[:, None], colour, background), half > 0


def psnr(seen: Tensor, wanted: Tensor) -> float:
    """Peak signal-to-noise ratio in dB of colours in 0..1."""
    return float(-10 * ((seen - wanted) ** 2).mean().log10())
