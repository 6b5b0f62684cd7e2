"""What a rendered view should be like. Every loss is a mean over what it is given, so that weights do not depend on sizes;
its value is 0 when it is content, unless the docstring says otherwise."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

EPS = 1e-6


def colour_loss(
    seen: Float[Tensor, "*n 3"],
    wanted: Float[Tensor, "*n 3"],
    weight: Float[Tensor, "*n"] | None = None,
    kind: Literal["l1", "l2"] = "l2",
) -> Float[Tensor, ""]:
    """Difference of colours, weighted per pixel."""
    error = (seen - wanted).abs() if kind == "l1" else (seen - wanted) ** 2
    if weight is None:
        return error.mean()
    return (error.mean(-1) * weight).sum() / weight.sum().clamp_min(EPS)


def mask_loss(opacity: Float[Tensor, "*n"], mask: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """Squared difference of opacity and the subject's mask in 0..1."""
    return ((opacity - mask) ** 2).mean()


def pearson_loss(
    seen: Float[Tensor, " n"], wanted: Float[Tensor, " n"], weight: Float[Tensor, " n"] | None = None
) -> Float[Tensor, ""]:
    """1 - correlation of two depths, or of two disparities, over the same pixels: blind to scale and shift, 2 when near is
    taken for far (Make-It-3D; Magic123 uses half of it). If either is constant it is 1 with finite gradients."""
    weight = torch.ones_like(seen) if weight is None else weight
    weight = weight / weight.sum().clamp_min(EPS)
    a, b = seen - (weight * seen).sum(), wanted - (weight * wanted).sum()
    covariance = (weight * a * b).sum()
    return 1 - covariance / (_spread(seen, a, weight) * _spread(wanted, b, weight))


def _spread(
    values: Float[Tensor, " n"], centred: Float[Tensor, " n"], weight: Float[Tensor, " n"]
) -> Float[Tensor, ""]:
    """Standard deviation, at least 1e-5 of the values, or rounding errors of a constant depth would correlate."""
    least = 1e-10 * (weight * values**2).sum().detach() + 1e-12
    return (weight * centred**2).sum().clamp_min(least).sqrt()


def orientation_loss(
    weight: Float[Tensor, " m"], normal: Float[Tensor, "m 3"], directions: Float[Tensor, "m 3"], rays: int
) -> Float[Tensor, ""]:
    """Visible normals that point away from the camera (Ref-NeRF, eq. 11), mean over `rays`; weights are held fixed, so that
    matter is turned, not dissolved."""
    behind = (normal * directions).sum(1).clamp_min(0)
    return (weight.detach() * behind**2).sum() / max(rays, 1)


def opacity_loss(opacity: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """sqrt(opacity² + 0.01) (DreamFusion, appendix A.2): matter must be worth its while. Its least value is 0.1."""
    return (opacity**2 + 0.01).sqrt().mean()


def entropy_loss(opacity: Float[Tensor, "*n"]) -> Float[Tensor, ""]:
    """Binary entropy in bits: a ray is full or empty."""
    p = opacity.clamp(1e-5, 1 - 1e-5)
    return -(p * p.log2() + (1 - p) * (1 - p).log2()).mean()
