"""The edges of a triangle mesh: who is beside whom. Integers only, no gradients."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor


@dataclass(frozen=True)
class Edges:
    """Every edge once. ends: its two vertices, the smaller index first; faces: the two faces beside it, the second −1 on a
    boundary; opposite: these faces' third vertices, the first one twice on a boundary."""

    ends: Int64[Tensor, "e 2"]
    faces: Int64[Tensor, "e 2"]
    opposite: Int64[Tensor, "e 2"]

    @property
    def inner(self) -> Int64[Tensor, "i 2"]:
        """The pairs of faces that share an edge."""
        return self.faces[self.faces[:, 1] >= 0]


def edges_of(faces: Int64[Tensor, "f 3"]) -> Edges:
    """The edges of a mesh by sorting its half edges. Where more than two faces meet, the first two are taken."""
    start, end, across = faces.flatten(), faces.roll(-1, 1).flatten(), faces.roll(-2, 1).flatten()
    low, high = torch.minimum(start, end), torch.maximum(start, end)
    key, order = (low << 32 | high).sort(stable=True)
    fresh = torch.ones_like(key, dtype=torch.bool)
    fresh[1:] = key[1:] != key[:-1]
    first = fresh.nonzero().squeeze(1)
    follower = (first + 1).clamp_max(max(len(key) - 1, 0))
    paired = ~fresh[follower]
    one = order[first]
    other = torch.where(paired, order[follower], one)
    beside = torch.stack([one // 3, torch.where(paired, other // 3, -1)], 1)
    return Edges(torch.stack([low[one], high[one]], 1), beside, torch.stack([across[one], across[other]], 1))
