"""Multiresolution hash grid (Müller et al. 2022, "Instant Neural Graphics Primitives", section 3).

Points lie in the unit cube. Level l has N_l vertices along each axis, and vertex i lies at (i - 1/2) / s_l with
s_l = N0·b^l - 1, as in tiny-cuda-nn, so that both give the same function for the same table. A level whose N_l³ vertices
fit into the table is dense, vertex (i, j, k) at i + j·N + k·N²; a finer one is hashed.

Each vertex carries two features, the published number: together they are one complex number. On a CPU torch looks up
one-dimensional complex tensors three times as fast as rows of two numbers, and adds them up (the gradient) tens of times
as fast. The whole is plain autograd, so that gradients of any order exist, in the table and in the points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

FEATURES = 2
"""Features of a vertex."""
PRIMES = (1, 2654435761 - 2**32, 805459861)
"""Of the spatial hash (eq. 4), as signed 32-bit integers; products wrap around."""
INITIAL = 1e-4
"""The table begins uniform in ± this (section 4)."""
CHUNK = 16384
"""Points looked up at once on a CPU: what is in flight then fits into its cache."""


@dataclass(frozen=True)
class GridShape:
    """The sizes of a hash grid: `levels` from `base` to `finest` vertices per axis, at most 2**`log2_size` rows each.

    The paper uses 16 levels, 16 to 2048 and 2**19; a view of 128 pixels sees no more than 8 levels to 256.
    """

    levels: int = 8
    base: int = 16
    finest: int = 256
    log2_size: int = 16

    @property
    def growth(self) -> float:
        """b of eq. 3."""
        return (self.finest / self.base) ** (1 / max(self.levels - 1, 1))

    @property
    def scales(self) -> tuple[float, ...]:
        """Cells per unit length of each level."""
        return tuple(self.base * self.growth**level - 1 for level in range(self.levels))

    @property
    def resolutions(self) -> tuple[int, ...]:
        """Vertices per axis of each level; a rounding error must not add one."""
        return tuple(math.ceil(scale - 1e-6) + 1 for scale in self.scales)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Rows of each level's table: all vertices, to the next multiple of 8, or 2**log2_size."""
        return tuple(min(2**self.log2_size, -(-(n**3) // 8) * 8) for n in self.resolutions)

    @property
    def width(self) -> int:
        """Numbers per point."""
        return FEATURES * self.levels


@runtime_checkable
class PointEncoder(Protocol):
    """Points of the unit cube to features."""

    shape: GridShape

    def __call__(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, "n width"]: ...


class HashGrid(nn.Module):
    """The encoding in torch, for every device. One parameter, `table`, (rows of all levels, 2)."""

    def __init__(self, shape: GridShape | None = None, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.shape = shape or GridShape()
        uniform = torch.rand(sum(self.shape.sizes), FEATURES, generator=generator)
        self.table = nn.Parameter((2 * uniform - 1) * INITIAL)

    def forward(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, "n width"]:
        """Features of points, coarsest level first. Points outside of the cube count as on its faces."""
        tables = self.table.split(self.shape.sizes)
        chunk = CHUNK if x.device.type == "cpu" else max(x.shape[0], 1)
        parts = [self._encode(tables, part) for part in x.clamp(0, 1).T.contiguous().split(chunk, 1)]
        return parts[0] if len(parts) == 1 else torch.cat(parts)

    def _encode(self, tables: tuple[Tensor, ...], x: Float[Tensor, "3 n"]) -> Float[Tensor, "n width"]:
        shape = self.shape
        levels = zip(tables, shape.scales, shape.resolutions, shape.sizes, strict=True)
        out = [interpolate_features(table, *cell_corners(x, s, n, size, FEATURES)) for table, s, n, size in levels]
        return torch.cat(out, 1)


def cell_corners(
    x: Float[Tensor, "3 n"], scale: float, resolution: int, size: int, repeat: int = 1
) -> tuple[Int[Tensor, "8 n"], Float[Tensor, "8 m"]]:
    """(row, weight) of the eight vertices around points of the unit cube on a level with `size` rows; x changes fastest.

    Corners lead and points come last, so that every operation runs over long contiguous rows; weights are repeated for as
    many neighbouring numbers as a vertex has.
    """
    position = x * scale + 0.5
    base = position.detach().floor()
    u = position - base
    if repeat > 1:
        u = u.repeat_interleave(repeat, 1)
    a, b, c = torch.stack((1 - u, u)).unbind(1)
    weight = ((c[:, None] * b).unsqueeze(2) * a).flatten(0, 2)
    return _rows(base.int(), resolution, size), weight


def _rows(cell: Int[Tensor, "3 n"], side: int, size: int) -> Int[Tensor, "8 n"]:
    """Rows of the corners of cells on a level with `side` vertices per axis."""
    if side**3 > size:
        primes = cell.new_tensor(PRIMES)[:, None]
        first = cell * primes
        i, j, k = torch.stack((first, first + primes)).unbind(1)
        return ((k[:, None] ^ j).unsqueeze(2) ^ i).flatten(0, 2).bitwise_and_(size - 1)
    first = (cell[2] * side + cell[1]) * side + cell[0]
    row = first + first.new_tensor([x + side * (y + side * z) for z in (0, 1) for y in (0, 1) for x in (0, 1)])[:, None]
    if row.is_cuda or (row.numel() and int(row[-1].max()) >= size):
        row = row.sub_((row >= size) * size)  # beyond the last vertex it wraps, as tiny-cuda-nn's does
    return row


def interpolate_features(
    table: Float[Tensor, "rows features"], row: Int[Tensor, "8 n"], weight: Float[Tensor, "8 m"]
) -> Float[Tensor, "n features"]:
    """Weighted sum of the corners' features, one or two of them; weights are repeated as often. The table's gradient is one
    one-dimensional `index_add`."""
    flat = torch.view_as_complex(table) if table.shape[1] == FEATURES else table.squeeze(1)
    found = flat.index_select(0, row.flatten())
    found = torch.view_as_real(found) if found.is_complex() else found
    return (found.view(weight.shape) * weight).sum(0).view(-1, table.shape[1])


class TinyCudaGrid(nn.Module):
    """The same function by tiny-cuda-nn, in half precision; needs CUDA and the package `tinycudann`."""

    def __init__(self, shape: GridShape | None = None, seed: int = 0) -> None:
        super().__init__()
        import tinycudann

        self.shape = shape or GridShape()
        config = {"otype": "HashGrid", "n_levels": self.shape.levels, "n_features_per_level": FEATURES,
                  "log2_hashmap_size": self.shape.log2_size, "base_resolution": self.shape.base,
                  "per_level_scale": self.shape.growth,
                  "interpolation": "Linear"}  # fmt: skip
        self.encoding = tinycudann.Encoding(3, config, seed=seed)

    def forward(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, "n width"]:
        """Features of points, float32, coarsest level first."""
        return self.encoding(x.clamp(0, 1)).float()


def fastest_encoder(
    shape: GridShape, device: torch.device | str = "cpu", generator: torch.Generator | None = None
) -> HashGrid | TinyCudaGrid:
    """The fastest grid here: tiny-cuda-nn's when it can be imported and `device` is CUDA, else ours."""
    if torch.device(device).type == "cuda":
        try:
            seed = int(torch.randint(2**31, (), generator=generator))
            return TinyCudaGrid(shape, seed).to(device)
        except (ImportError, OSError):  # OSError: the import finds no GPU it was built for
            pass
    return HashGrid(shape, generator).to(device)
