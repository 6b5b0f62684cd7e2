"""The selection layer: the right view as a mixture of shifted left views, with a gradient for every plane.

    R(y, x) = Σ_k p_k(y, x) · L(y, x + d_k)                        (section 3.1; edge pixels go on beyond the border)

The published layer has one channel more than shifts, whose light is lost; here every weight belongs to a plane.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def select(left: Tensor, weights: Tensor, disparities: Sequence[float | int]) -> Tensor:
    """The right view (B, C, H, W) of left views of that shape. weights (B, K, h, w): not negative, of any sum above 0, at
    the same size or a smaller one, to whose width the disparities belong; interpolated, as are colours between columns."""
    scale, size = left.shape[3] / weights.shape[3], left.shape[2:]
    if weights.shape[2:] != size:
        weights = F.interpolate(weights, size, mode="bilinear", align_corners=False)
    weights = weights / weights.sum(1, keepdim=True)
    planes = (part * shifted_view(left, d * scale) for part, d in zip(weights.split(1, 1), disparities, strict=True))
    return torch.stack(list(planes)).sum(0)


def shifted_view(left: Tensor, disparity: float | int) -> Tensor:
    """L(x + d): what a right eye sees of a picture that lies at one disparity."""
    low = math.floor(disparity)
    columns = torch.arange(left.shape[3], device=left.device)
    near, far = (left[..., (columns + step).clamp(0, left.shape[3] - 1)] for step in (low, low + 1))
    return torch.lerp(near, far, disparity - low) if disparity != low else near
