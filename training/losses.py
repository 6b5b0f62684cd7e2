"""Losses, one per head, and their sum.

Disparity of unknown scale and shift is compared as in MiDaS (Ranftl et al. 2020, "Towards Robust Monocular Depth
Estimation", section 5). Maps are (B, 1, H, W); losses are means over the batch. True disparity is in 1/m, 0 in the sky.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from .net import Geometry, Shape
from .synthetic.labels import Labels

# Share of scale-only L1 in the loss of disparity: always a little, and nearly all of it while a fresh decoder may still
# hold near for far, which a fit without negative scales cannot tell it.
ANCHOR, UPRIGHT = 0.1, 1.0
# Neighbouring depths whose ratio is at least this are an edge; how many pixels to its sides it may be smeared over.
EDGE, REACH = 1.15, 2
# Over so many pixels colours are compared with each other.
STEPS = (1, 4, 16)


def normalised(truth: Tensor) -> Tensor:
    """Truth divided by its mean absolute deviation from the median (eq. 5, scale only), so that images weigh alike; a
    tenth of its mean is added, or a flat wall's tiny differences would weigh more than a whole street."""
    flat = truth.flatten(1)
    spread = (flat - flat.median(1, keepdim=True).values).abs().mean(1) + 0.1 * flat.mean(1)
    return truth / spread.clamp_min(1e-6).view(-1, 1, 1, 1)


def align(prediction: Tensor, truth: Tensor) -> Tensor:
    """Prediction scaled and shifted per image to fit the truth by least squares (eq. 3 and 4), never by a negative scale:
    far must not be taken for near."""
    p, t = prediction.flatten(1), truth.flatten(1)
    p0, t0 = p.mean(1, keepdim=True), t.mean(1, keepdim=True)
    variance = ((p - p0) ** 2).mean(1, keepdim=True)
    scale = ((p - p0) * (t - t0)).mean(1, keepdim=True) / variance.clamp_min(1e-8)
    return (scale.clamp_min(0) * (p - p0) + t0).view_as(prediction)


def gradient_loss(difference: Tensor, scales: int = 4) -> Tensor:
    """Multi-scale gradient matching (eq. 11): mean |d/dx| + |d/dy| of the difference, each level at half the size."""
    total = difference.new_zeros(())
    for level in range(scales):
        d = difference[..., :: 2**level, :: 2**level]
        total = total + (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()
    return total


def edge_loss(prediction: Tensor, truth: Tensor) -> Tensor:
    """What is missing and what is too much at the true edges, in parts of the edges' own height, at full size: 1 for a
    map without edges, 0 for the truth, near 2 for an edge that is smeared over its surroundings.

    An edge is where neighbours' depths differ by EDGE or more; its surroundings reach REACH pixels to both sides. Disparity
    is fitted first; truth as it comes from `normalised`.
    """
    fitted = align(prediction, truth)
    error, height = truth.new_zeros(len(truth)), truth.new_zeros(len(truth))
    for axis in (-1, -2):
        first, second = (truth.narrow(axis, at, truth.shape[axis] - 1) for at in (0, 1))
        edge = (torch.maximum(first, second) > EDGE * torch.minimum(first, second)).to(truth.dtype)
        window = (1, 2 * REACH + 1) if axis == -1 else (2 * REACH + 1, 1)
        near = F.max_pool2d(edge, window, 1, tuple(side // 2 for side in window))
        error = error + ((fitted - truth).diff(dim=axis).abs() * near).sum((1, 2, 3))
        height = height + (truth.diff(dim=axis).abs() * near).sum((1, 2, 3))
    # A picture of nothing but a few faint steps counts less than one.
    return (error / (height + 0.05 * math.sqrt(truth[0].numel()))).mean()


def disparity_loss(prediction: Tensor, truth: Tensor, anchor: float = ANCHOR, gradients: float = 0.5) -> Tensor:
    """Scale- and shift-invariant L1 + gradient matching (eq. 12), and a little of scale-only L1.

    The anchor keeps the network's zero at infinity and its scale in bounds; without it both drift freely, and a prediction
    that is upside down, which is fitted by the scale 0, would get no gradient at all.
    """
    truth = normalised(truth)
    difference = align(prediction, truth) - truth
    absolute = difference.abs().mean() + anchor * (prediction - truth).abs().mean()
    return absolute + gradients * gradient_loss(difference)


def mask_cross_entropy(logit: Tensor, truth: Tensor) -> Tensor:
    """Binary cross-entropy."""
    return F.binary_cross_entropy_with_logits(logit, truth)


def subject_loss(logit: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy, and in pictures with a subject half the Dice loss (Milletari et al. 2016, V-Net, section 3, not
    squared): where the subject is hard to see, a decided guess overlaps more than a calibrated doubt."""
    probability = logit.sigmoid()
    overlap = 2 * (probability * truth).sum((1, 2, 3))
    dice = 1 - overlap / (probability.sum((1, 2, 3)) + truth.sum((1, 2, 3))).clamp_min(1e-6)
    has = (truth.amax((1, 2, 3)) > 0).to(dice.dtype)
    return mask_cross_entropy(logit, truth) + 0.5 * (dice * has).mean()


def normals_loss(prediction: Tensor, truth: Tensor, surface: Tensor) -> Tensor:
    """1 - cosine of the angle between unit normals (B, 3, H, W), where there is a surface (B, 1, H, W)."""
    away = (1 - (prediction * truth).sum(1, keepdim=True)) * surface
    return away.sum() / surface.sum().clamp_min(1)


def relief_loss(front: Tensor, back: Tensor, labels: Labels, gradients: float = 1.0) -> Tensor:
    """Mean absolute error of the subject's front and back relief, in percent of the picture's longer side, after one
    shift per picture that is the same for both (where the zero lies does not matter), and that of their gradients: thin
    parts must not melt into each other."""
    inside = labels.subject
    area = inside.sum((1, 2, 3), keepdim=True).clamp_min(1)
    shift = ((labels.front - front) * inside).sum((1, 2, 3), keepdim=True) / area
    error = torch.cat([front + shift - labels.front, back + shift - labels.back], 1)
    return 100 * _inside(error, inside, gradients, (1,))


def back_colour_loss(prediction: Tensor, truth: Tensor, inside: Tensor, gradients: float = 0.5) -> Tensor:
    """Mean absolute error of colours (B, 3, H, W) in 0..1 inside a mask, and that of their differences over STEPS pixels: a
    fog of the right mean has its edges still to pay for."""
    return _inside((prediction - truth) / prediction.shape[1], inside, gradients, STEPS)


def _inside(error: Tensor, inside: Tensor, gradients: float, steps: tuple[int, ...]) -> Tensor:
    """Sum over channels of the mean |error| inside a mask (B, 1, H, W), and of its differences between pixels inside that
    are so many pixels apart; mean over the pictures that have an inside."""
    error = error * inside
    total = error.abs().sum((1, 2, 3))
    for axis, step in ((axis, step) for step in steps for axis in (-1, -2)):
        ends = [slice(step, None), slice(None, -step)]
        (first, second), (a, b) = (
            [x[..., end] if axis == -1 else x[..., end, :] for end in ends] for x in (inside, error)
        )
        total = total + gradients * ((a - b).abs() * first * second).sum((1, 2, 3))
    area = inside.sum((1, 2, 3))
    return (total / area.clamp_min(1)).sum() / (area > 0).sum().clamp_min(1)


def distance_loss(prediction: Tensor, distance: Tensor) -> Tensor:
    """The same likelihood of the logarithm of the distance in metres, over the pictures (B,) whose distance is known."""
    known = distance.isfinite()
    mean, spread = prediction.unbind(1)
    error = (mean - torch.where(known, distance, 1.0).clamp_min(1e-3).log()).abs() / spread + spread.log()
    return torch.where(known, error, 0.0).sum() / known.sum().clamp_min(1)


def fov_loss(prediction: Tensor, fov: Tensor) -> Tensor:
    """Negative log-likelihood of a Laplace distribution: prediction (B, 2) is its mean and its mean absolute deviation
    in degrees (Kendall and Gal 2017, eq. 8, with L1)."""
    mean, spread = prediction.unbind(1)
    return ((mean - fov).abs() / spread + spread.log()).mean()


# Weights that bring the losses of a half-trained network to the same order; disparity, the hardest, leads. For one thing
# alone the relief does.
SKY, SUBJECT, NORMALS, RELIEF, FOV, EDGES, DISTANCE = 0.3, 1.5, 1.0, 0.03, 0.05, 0.15, 0.05
OBJECT_RELIEF, BACK_COLOUR = 0.1, 2.0


def loss_parts(
    prediction: Geometry | Shape,
    labels: Labels,
    without: tuple[str, ...] = (),
    relief: float = RELIEF,
    anchor: float = ANCHOR,
) -> dict[str, Tensor]:
    """The weighted losses by head; the training loss is their sum. `without` names heads to leave out, or "gradients",
    the disparity's gradient matching; relief: that head's weight; anchor: share of scale-only L1 in disparity's.

    Where the field of view is not a number, nothing but the subject is known (a photograph): such pictures count in the
    subject's loss alone, and where all are so, it is the only part."""
    known = labels.fov.isfinite()
    if known.all() or not isinstance(prediction, Geometry):
        return _known_parts(prediction, labels, without, relief, anchor)
    parts = {"subject": SUBJECT * subject_loss(prediction.subject, labels.subject)}
    if known.any():
        some = Geometry(*(values[known] for values in prediction))
        parts = _known_parts(some, labels[known], without, relief, anchor) | parts
    return {name: part for name, part in parts.items() if name not in without}


def _known_parts(
    prediction: Geometry | Shape, labels: Labels, without: tuple[str, ...], relief: float, anchor: float
) -> dict[str, Tensor]:
    """The same of pictures of which everything is known."""
    surface = 1 - labels.sky if isinstance(prediction, Geometry) else labels.subject
    parts = {
        "normals": NORMALS * normals_loss(prediction.normals, labels.normals, surface),
        "relief": relief * relief_loss(prediction.front, prediction.back, labels),
        "fov": FOV * fov_loss(prediction.fov, labels.fov),
    }
    if isinstance(prediction, Geometry):
        parts |= _scene_losses(prediction, labels, anchor, 0.0 if "gradients" in without else 0.5)
    else:
        assert labels.back_colour is not None, "only pictures of things alone say what lies behind"
        colour = back_colour_loss(prediction.back_colour, labels.back_colour, labels.subject)
        parts["back_colour"] = BACK_COLOUR * colour
    return {name: part for name, part in parts.items() if name not in without}


def _scene_losses(prediction: Geometry, labels: Labels, anchor: float, gradients: float) -> dict[str, Tensor]:
    """Of what a thing alone has not."""
    return {
        "disparity": disparity_loss(prediction.disparity, labels.disparity, anchor, gradients),
        "edges": EDGES * edge_loss(prediction.disparity, normalised(labels.disparity)),
        "sky": SKY * mask_cross_entropy(prediction.sky, labels.sky),
        "subject": SUBJECT * subject_loss(prediction.subject, labels.subject),
        "distance": DISTANCE * distance_loss(prediction.distance, labels.distance),
    }


def delta1_absrel(prediction: Tensor, truth: Tensor) -> tuple[float, float]:
    """delta1 and AbsRel of depth after a least-squares fit in disparity; one-dimensional tensors of valid pixels.

    A fitted disparity below 1/100 of the largest true one is clamped there: it would lie behind infinity.
    """
    fitted = align(prediction.view(1, 1, 1, -1).double(), truth.view(1, 1, 1, -1).double()).flatten()
    ratio = truth.double() / fitted.clamp_min(float(truth.max()) / 100)
    delta1 = (torch.maximum(ratio, 1 / ratio) < 1.25).double().mean()
    return float(delta1), float((ratio - 1).abs().mean())
