"""What a rendered view should be like. Every loss is a mean over what it is given, so that weights do not depend on sizes;
its value is 0 when it is content, unless the docstring says otherwise."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor
from torch.nn import functional as F

EPS = 1e-6


def colour_loss(
    seen: Float[Tensor, "*n 3"],
    wanted: Float[Tensor, "*n 3"],
    weight: Float[Tensor, "*n"] | None = None,
    kind: Literal["l1", "l2", "huber"] = "l2",
) -> Float[Tensor, ""]:
    """Difference of colours, weighted per pixel. Huber's is quadratic below 0.1."""
    if kind == "huber":
        error = F.huber_loss(seen, wanted, reduction="none", delta=0.1)
    else:
        error = (seen - wanted).abs() if kind == "l1" else (seen - wanted) ** 2
    if weight is None:
        return error.mean()
    return (error.mean(-1) * weight).sum() / weight.sum().clamp_min(EPS)


def mask_loss(
    opacity: Float[Tensor, "*n"], mask: Float[Tensor, "*n"], kind: Literal["bce", "l2"] = "bce"
) -> Float[Tensor, ""]:
    """Opacity against the subject's mask in 0..1. Cross-entropy has the mask's own entropy as its minimum."""
    if kind == "l2":
        return ((opacity - mask) ** 2).mean()
    p = opacity.clamp(1e-5, 1 - 1e-5)  # float32's opacity can round to 1
    return -(mask * p.log() + (1 - mask) * (1 - p).log()).mean()


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


def total_variation(picture: Float[Tensor, "h w c"], mask: Bool[Tensor, "h w"] | None = None) -> Float[Tensor, ""]:
    """Mean squared difference of neighbours of which both are in the mask: smooth normals in the picture."""
    across, down = picture[:, 1:] - picture[:, :-1], picture[1:] - picture[:-1]
    if mask is not None:
        across = across[mask[:, 1:] & mask[:, :-1]]
        down = down[mask[1:] & mask[:-1]]
    return ((across**2).sum() + (down**2).sum()) / max(across.numel() + down.numel(), 1)


def blur_difference(normal: Float[Tensor, "h w 3"], size: int = 9) -> Float[Tensor, ""]:
    """Mean squared difference of normals and their Gaussian blur, which is held fixed as the paper says and the released
    code does not (Magic123, eq. 8)."""
    place = torch.arange(size, dtype=normal.dtype, device=normal.device) - (size - 1) / 2
    kernel = F.softmax(-(place**2) / (2 * (size / 6) ** 2), 0)
    image = normal.permute(2, 0, 1)[:, None]
    padded = F.pad(image, [size // 2] * 4, mode="replicate")
    blurred = F.conv2d(F.conv2d(padded, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1))
    return ((image - blurred.detach()) ** 2).mean()


def smooth_normals(
    normal: Float[Tensor, "n 3"], near_by: Float[Tensor, "n 3"], weight: Float[Tensor, " n"] | None = None
) -> Float[Tensor, ""]:
    """Mean absolute difference of normals at points and at points a little off them (3D smoothness; Make-It-3D takes
    normal offsets of 0.01)."""
    difference = (normal - near_by).abs().sum(1)
    if weight is None:
        return difference.mean()
    return (weight.detach() * difference).sum() / weight.detach().sum().clamp_min(EPS)


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


def distortion_loss(edges: Float[Tensor, "n edges"], weights: Float[Tensor, "n s"]) -> Float[Tensor, ""]:
    """Mean over rays of the expected distance of two draws from a ray's histogram (Mip-NeRF 360, eq. 15): matter should lie
    together. In O(s): for sorted middles the double sum is a single one over sums so far."""
    middle, width = (edges[:, 1:] + edges[:, :-1]) / 2, edges.diff(dim=1)
    so_far = weights.cumsum(1) - weights
    moment_so_far = (weights * middle).cumsum(1) - weights * middle
    between = 2 * (weights * (middle * so_far - moment_so_far)).sum(1)
    return (between + (weights**2 * width).sum(1) / 3).mean()


def packed_distortion_loss(
    ray: Int64[Tensor, " m"], middle: Float[Tensor, " m"], weight: Float[Tensor, " m"], step: float, rays: int
) -> Float[Tensor, ""]:
    """The same for intervals of one length, in any order."""
    order = (ray.double() * 1e3 + middle.double()).argsort()  # no middle lies 1000 away
    ray, middle, weight = (values.index_select(0, order) for values in (ray, middle, weight))
    w, wt = weight.double(), weight.double() * middle.double()
    so_far, moment = w.cumsum(0) - w, wt.cumsum(0) - wt
    start = torch.searchsorted(ray, ray)  # of each interval's ray
    so_far, moment = so_far - so_far.index_select(0, start), moment - moment.index_select(0, start)
    between = 2 * (w * (middle.double() * so_far - moment)).sum()
    return ((between + (w**2).sum() * step / 3) / max(rays, 1)).to(weight.dtype)


def histogram_bound(
    edges: Float[Tensor, "n edges"], outer_edges: Float[Tensor, "n outer"], outer_weights: Float[Tensor, "n s"]
) -> Float[Tensor, "n t"]:
    """For each interval between `edges` the sum of the outer weights whose intervals it touches (Mip-NeRF 360, eq. 12):
    what a histogram could have there at most, if the outer one is true."""
    total = torch.cat((torch.zeros_like(outer_weights[:, :1]), outer_weights.cumsum(1)), 1)
    last = outer_weights.shape[1]
    low = torch.searchsorted(outer_edges.contiguous(), edges[:, :-1].contiguous(), right=True) - 1
    high = torch.searchsorted(outer_edges.contiguous(), edges[:, 1:].contiguous(), right=False)
    low, high = low.clamp(0, last), high.clamp(0, last)
    return total.gather(1, torch.maximum(low, high)) - total.gather(1, low)


def proposal_loss(
    edges: Float[Tensor, "n edges"],
    weights: Float[Tensor, "n t"],
    outer_edges: Float[Tensor, "n outer"],
    outer_weights: Float[Tensor, "n s"],
) -> Float[Tensor, ""]:
    """How far a proposal's histogram fails to bound the fine one (Mip-NeRF 360, eq. 13): mean over rays of the sum of
    max(0, w - bound)²/w. Only the proposal learns from it."""
    w = weights.detach()
    excess = (w - histogram_bound(edges.detach(), outer_edges, outer_weights)).clamp_min(0)
    return (excess**2 / (w + EPS)).sum(1).mean()
