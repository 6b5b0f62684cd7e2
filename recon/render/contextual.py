"""The contextual loss: two pictures compared by their features regardless of where these are.

Mechrez, Talmi and Zelnik-Manor 2018, "The contextual loss for image transformation with non-aligned data", with cosine
distances. The feature network is a parameter.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

EPSILON = 1e-5
"""Added to a distance before it divides and to a similarity before its logarithm, as in the paper."""


def similarity(x: Float[Tensor, "n c"], y: Float[Tensor, "m c"], bandwidth: float = 0.5) -> Float[Tensor, ""]:
    """CX(x, y) in 0..1 of two bags of features (eq. 1 to 4): the mean, over y, of the best share that a feature of x has in
    its likeness. It does not change if either bag is reordered."""
    centre = y.mean(0)
    x, y = (torch.nn.functional.normalize(f - centre, dim=1) for f in (x, y))
    distance = (1 - x @ y.T).clamp_min(0)
    relative = distance / (distance.amin(1, keepdim=True) + EPSILON)
    likeness = ((1 - relative) / bandwidth).softmax(1)  # exp over its sum, eq. 3 and 4
    return likeness.amax(0).mean()


def contextual_loss(
    x: Float[Tensor, "b _ _ _"],
    y: Float[Tensor, "b _ _ _"],
    features: Callable[[Float[Tensor, "b _ _ _"]], Float[Tensor, "b c _ _"]] | None = None,
    bandwidth: float = 0.5,
    limit: int = 4096,
    generator: torch.Generator | None = None,
) -> Float[Tensor, ""]:
    """−log CX of the features (b, c, h, w) of pictures, the mean over the batch; the pictures' sizes may differ.

    The distances are n×m: of more than `limit` places in a picture, so many are drawn by chance.
    """
    losses = []
    if features is not None:
        x, y = features(x), features(y)
    for one, other in zip(x, y, strict=True):
        bag, model = (_drawn(picture.flatten(1).T, limit, generator) for picture in (one, other))
        losses.append(-torch.log(similarity(bag, model, bandwidth) + EPSILON))
    return torch.stack(losses).mean()


def _drawn(bag: Float[Tensor, "n c"], limit: int, generator: torch.Generator | None) -> Float[Tensor, "m c"]:
    """At most `limit` rows."""
    if len(bag) <= limit:
        return bag
    return bag[torch.randperm(len(bag), generator=generator)[:limit].to(bag.device)]
