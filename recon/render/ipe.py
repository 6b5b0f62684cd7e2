"""Cones of light instead of lines: the integrated positional encoding of Mip-NeRF (Barron et al. 2021).

An interval of a ray is a conical frustum; it is approximated by the Gaussian with its mean and covariance, and the encoding
is the expected value of sines and cosines under that Gaussian.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from .cameras import Rays


def frustum_moments(
    edges: Float[Tensor, "n edges"], radii: Float[Tensor, " n"]
) -> tuple[Float[Tensor, "n s"], Float[Tensor, "n s"], Float[Tensor, "n s"]]:
    """Mean and variance of the distance, and variance across the axis, of the conical frusta between edges; the cone's
    radius at distance 1 is `radii`. Eq. 7 in the stable form of the authors' supplement."""
    middle, half = (edges[:, 1:] + edges[:, :-1]) / 2, (edges[:, 1:] - edges[:, :-1]) / 2
    m2, h2 = middle**2, half**2
    norm = (3 * m2 + h2).clamp_min(torch.finfo(edges.dtype).tiny)
    mean = middle + 2 * middle * h2 / norm
    along = h2 / 3 - (4 / 15) * h2**2 * (12 * m2 - h2) / norm**2
    across = radii[:, None] ** 2 * (m2 / 4 + 5 / 12 * h2 - (4 / 15) * h2**2 / norm)
    return mean, along, across


def gaussians(rays: Rays, edges: Float[Tensor, "n edges"]) -> tuple[Float[Tensor, "n s 3"], Float[Tensor, "n s 3"]]:
    """Mean and diagonal of the covariance (eq. 8 and 16) of the frusta in the world."""
    mean, along, across = frustum_moments(edges, rays.radii)
    d2 = (rays.directions**2)[:, None]  # of a unit vector
    points = rays.origins[:, None] + mean[..., None] * rays.directions[:, None]
    return points, along[..., None] * d2 + across[..., None] * (1 - d2)


def integrated_encoding(
    mean: Float[Tensor, "*batch 3"], variance: Float[Tensor, "*batch 3"] | None, degrees: int
) -> Float[Tensor, "*batch width"]:
    """Expected sin and cos of 2^l·x, l < `degrees`, for Gaussian x with this mean and diagonal covariance (eq. 14); without
    a variance NeRF's plain positional encoding. Width 6·degrees: all sines first, degree by degree."""
    frequency = 2.0 ** torch.arange(degrees, dtype=mean.dtype, device=mean.device)[:, None]
    phase = (mean[..., None, :] * frequency).flatten(-2)
    waves = torch.cat((phase.sin(), phase.cos()), -1)
    if variance is None:
        return waves
    damping = (-0.5 * variance[..., None, :] * frequency**2).exp().flatten(-2)
    return waves * torch.cat((damping, damping), -1)
