"""Losses for disparity of unknown scale and shift, after MiDaS (Ranftl et al. 2020, "Towards Robust Monocular Depth
Estimation", section 5).

Maps are (B, 1, H, W); losses are means over the batch. Truth is disparity (1/m), 0 in the sky.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def normalised(truth: Tensor) -> Tensor:
    """Truth divided by its mean absolute deviation from the median (eq. 5, scale only), so that images weigh alike."""
    flat = truth.flatten(1)
    spread = (flat - flat.median(1, keepdim=True).values).abs().mean(1)
    return truth / spread.clamp_min(1e-6).view(-1, 1, 1, 1)


def align(prediction: Tensor, truth: Tensor) -> Tensor:
    """Prediction scaled and shifted per image to fit the truth by least squares (eq. 3 and 4)."""
    p, t = prediction.flatten(1), truth.flatten(1)
    p0, t0 = p.mean(1, keepdim=True), t.mean(1, keepdim=True)
    variance = ((p - p0) ** 2).mean(1, keepdim=True)
    scale = ((p - p0) * (t - t0)).mean(1, keepdim=True) / variance.clamp_min(1e-8)
    return (scale * (p - p0) + t0).view_as(prediction)


def gradient_loss(difference: Tensor, scales: int = 4) -> Tensor:
    """Multi-scale gradient matching (eq. 11): mean |d/dx| + |d/dy| of the difference, each level at half the size."""
    total = difference.new_zeros(())
    for level in range(scales):
        d = difference[..., :: 2**level, :: 2**level]
        total = total + (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()
    return total


def disparity_loss(prediction: Tensor, truth: Tensor, anchor: float = 0.1) -> Tensor:
    """Scale- and shift-invariant L1 + gradient matching (eq. 12), and a little of scale-only L1.

    The anchor keeps the network's zero at infinity and its scale in bounds; without it both drift freely.
    """
    truth = normalised(truth)
    difference = align(prediction, truth) - truth
    return difference.abs().mean() + 0.5 * gradient_loss(difference) + anchor * (prediction - truth).abs().mean()


def sky_loss(logit: Tensor, sky: Tensor) -> Tensor:
    """Binary cross-entropy of the sky."""
    return F.binary_cross_entropy_with_logits(logit, sky)


def delta1_absrel(prediction: Tensor, truth: Tensor) -> tuple[float, float]:
    """delta1 and AbsRel of depth after a least-squares fit in disparity; one-dimensional tensors of valid pixels.

    A fitted disparity below 1/100 of the largest true one is clamped there: it would lie behind infinity.
    """
    fitted = align(prediction.view(1, 1, 1, -1).double(), truth.view(1, 1, 1, -1).double()).flatten()
    ratio = truth.double() / fitted.clamp_min(float(truth.max()) / 100)
    delta1 = (torch.maximum(ratio, 1 / ratio) < 1.25).double().mean()
    return float(delta1), float((ratio - 1).abs().mean())
