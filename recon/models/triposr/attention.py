"""Attention over several heads (Vaswani et al. 2017)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def attended(
    asked: Float[Tensor, "b n c"], keys: Float[Tensor, "b m c"], values: Float[Tensor, "b m c"], heads: int
) -> Float[Tensor, "b n c"]:
    """The values that each query attends to, head by head."""
    parts = (each.unflatten(2, (heads, -1)).transpose(1, 2) for each in (asked, keys, values))
    return F.scaled_dot_product_attention(*parts).transpose(1, 2).flatten(2)
