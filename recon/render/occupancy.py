"""Where there is matter: a grid of cells over the cube from -1 to 1 that lets rays skip empty space.

The update rule is Instant-NGP's (Müller et al. 2022, appendix C) with nerfacc's threshold. All rays march at once: the comb
of all steps of all rays is looked up in one go.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from .cameras import Rays
from .sampling import ball_span, box_span, uniform

DECAY = 0.95
"""Per update, of what was once seen in a cell. Less in a training of a few hundred steps, or its beginning stays."""
VISIBLE = 1e-2
"""A cell is occupied if one step through it is more opaque than this, or than the mean cell if that is less."""
WARM_UP = 256
"""Training steps during which every cell is looked at."""


class Intervals(NamedTuple):
    """Packed intervals of one length in the order of their rays, near to far: whose each is, and its middle."""

    ray: Int64[Tensor, " m"]
    middle: Float[Tensor, " m"]


class Occupancy(nn.Module):
    """`cells`³ cells, indexed [z, y, x]; `step` is the length of a ray's step, which the threshold depends on.

    It begins all occupied. Cells that the unit ball does not touch never are.
    """

    density: Tensor
    occupied: Tensor
    inside: Tensor
    box: Tensor

    def __init__(self, cells: int = 64, step: float = 2 / 128, decay: float = DECAY) -> None:
        super().__init__()
        self.cells, self.step, self.decay = cells, step, decay
        edge = (torch.arange(cells + 1) * 2 / cells - 1).abs()
        nearest = torch.minimum(edge[1:], edge[:-1]) ** 2  # of a cell's points to the axis' origin
        inside = (nearest[:, None, None] + nearest[:, None] + nearest < 1).flatten()
        self.register_buffer("inside", inside, persistent=False)
        self.register_buffer("density", torch.zeros(cells**3))
        self.register_buffer("occupied", inside.clone())
        self.register_buffer("box", torch.tensor([[-1.0] * 3, [1.0] * 3]))

    @torch.no_grad()
    def update(
        self,
        density: Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]],
        training_step: int,
        generator: torch.Generator,
    ) -> None:
        """Look at cells, each at a random point: all of them until WARM_UP, then a quarter drawn uniformly and as many
        drawn among the occupied. A cell keeps the larger of its decayed density and the new one."""
        index = self._looked_at(training_step, generator)
        axes = torch.stack((index % self.cells, index // self.cells % self.cells, index // self.cells**2), 1)
        place = (axes + uniform(axes.shape, self.density, generator)) * (2 / self.cells) - 1
        new = torch.cat([density(part) for part in place.split(65536)])
        decayed = self.density.index_select(0, index) * self.decay
        self.density.index_copy_(0, index, torch.maximum(decayed, new.to(decayed.dtype)))
        self._threshold()

    def _looked_at(self, training_step: int, generator: torch.Generator) -> Int64[Tensor, " k"]:
        """Cells of this update, each once."""
        valid = self.inside.nonzero().squeeze(1)
        if training_step < WARM_UP:
            return valid
        occupied = self.occupied.nonzero().squeeze(1)
        quarter = len(valid) // 4
        draws = uniform(torch.Size((2, quarter)), self.density, generator)
        pools = [
            pool[(draw * len(pool)).long()] for pool, draw in zip((valid, occupied), draws, strict=True) if len(pool)
        ]
        return torch.cat(pools).unique()

    def _threshold(self) -> None:
        seen = -torch.expm1(-self.density * self.step)
        self.occupied.copy_((seen > seen[self.inside].mean().clamp(max=VISIBLE)) & self.inside)
        self._fit_box()

    def _fit_box(self) -> None:
        """The world's box around the occupied cells: rays need not march outside of it."""
        grid = self.occupied.view(self.cells, self.cells, self.cells)
        if not bool(grid.any()):
            self.box.zero_()
            return
        for axis, other in enumerate(((0, 1), (0, 2), (1, 2))):
            filled = grid.any(other[1]).any(other[0]).nonzero()
            self.box[0, axis] = filled[0, 0] * (2 / self.cells) - 1
            self.box[1, axis] = (filled[-1, 0] + 1) * (2 / self.cells) - 1

    @torch.no_grad()
    def fill(self, density: Float[Tensor, "z y x"]) -> None:
        """Set every cell's density, as from a known solid."""
        self.density.copy_(density.flatten())
        self._threshold()

    @torch.no_grad()
    def march(self, rays: Rays, jitter: Float[Tensor, " n"] | None = None) -> Intervals:
        """All intervals of `step` whose middles lie in the unit ball and in occupied cells.

        A ray's intervals are [k + jitter, k + 1 + jitter]·step with whole k, wherever the occupied cells lie: to skip empty
        ones changes none of the others. Jitter is in 0..1; 0 if not given.
        """
        near, far = ball_span(rays)
        enter, leave = box_span(rays, self.box[0], self.box[1])
        near, far = torch.maximum(near, enter), torch.minimum(far, leave)
        offset = 0.5 if jitter is None else jitter + 0.5
        first = (near / self.step - offset).ceil().clamp_min(0)
        count = ((far / self.step - offset).floor() - first + 1).clamp_min(0)
        most = int(count.max()) if len(rays) else 0
        steps = torch.arange(most, device=near.device, dtype=near.dtype)
        middle = ((first + offset)[:, None] + steps) * self.step
        marked = self._at(rays, middle) & (steps < count[:, None])
        flat = marked.flatten().nonzero().squeeze(1)
        return Intervals(flat // max(most, 1), middle.flatten().index_select(0, flat))

    def _at(self, rays: Rays, distance: Float[Tensor, "n k"]) -> torch.Tensor:
        """Whether the points at distances along rays lie in occupied cells; anything where they leave the cube."""
        scale, index = self.cells / 2, None
        for axis in (2, 1, 0):
            start = (rays.origins[:, axis, None] + 1) * scale
            place = (
                torch.addcmul(start, distance, rays.directions[:, axis, None] * scale).int().clamp_(0, self.cells - 1)
            )
            index = place if index is None else index.mul_(self.cells).add_(place)
        assert index is not None
        return self.occupied.index_select(0, index.flatten()).view(distance.shape)
