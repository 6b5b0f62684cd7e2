"""Hash grid: a scalar twin, trilinear where it is dense, collisions only beyond the table, gradients of two orders."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from recon.render.hashgrid import (
    CHUNK,
    FEATURES,
    GridShape,
    HashGrid,
    PointEncoder,
    TinyCudaGrid,
    cell_corners,
    fastest_encoder,
)
from tests.render.scene import seed

SMALL = GridShape(levels=5, base=4, finest=40, log2_size=10)


def grid_of(shape: GridShape, dtype: torch.dtype = torch.float64) -> HashGrid:
    grid = HashGrid(shape, seed(1)).to(dtype)
    with torch.no_grad():
        grid.table *= 1e4  # from ±1e-4 to ±1
    return grid


def points(count: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.rand(count, 3, generator=seed(2), dtype=torch.float64).to(dtype)


def twin(x: np.ndarray, table: np.ndarray, shape: GridShape) -> np.ndarray:
    """One point, one corner, one number at a time, in Python's unbounded integers."""
    out, start = [], 0
    for level in range(shape.levels):
        growth = math.exp((math.log(shape.finest) - math.log(shape.base)) / (shape.levels - 1))
        scale = shape.base * growth**level - 1
        side = math.ceil(scale - 1e-6) + 1
        size = min(2**shape.log2_size, (side**3 + 7) // 8 * 8)
        place = [float(c) * scale + 0.5 for c in x]
        feature = np.zeros(FEATURES)
        for corner in itertools.product((0, 1), repeat=3):
            cell = [math.floor(p) + c for p, c in zip(place, corner, strict=True)]
            weight = math.prod(
                p - math.floor(p) if c else 1 - p + math.floor(p) for p, c in zip(place, corner, strict=True)
            )
            if side**3 <= size:
                row = cell[0] + cell[1] * side + cell[2] * side**2
            else:
                row = (cell[0] * 1) ^ (cell[1] * 2654435761 % 2**32) ^ (cell[2] * 805459861 % 2**32)
            feature += weight * table[start + row % size]
        out.append(feature)
        start += size
    return np.concatenate(out)


def test_it_equals_the_scalar_twin() -> None:
    grid = grid_of(SMALL)
    x = torch.cat((points(60), torch.tensor(list(itertools.product((0.0, 1.0), repeat=3)), dtype=torch.float64)))
    expected = [twin(row, grid.table.detach().numpy(), SMALL) for row in x.numpy()]
    np.testing.assert_allclose(grid(x).detach().numpy(), expected, atol=1e-12)


def test_the_published_sizes() -> None:
    shape = GridShape(levels=16, base=16, finest=2048, log2_size=19)
    assert shape.growth == pytest.approx(1.38, abs=0.01)  # Müller et al. 2022, table 1 and eq. 3
    assert (shape.resolutions[0], shape.resolutions[-1], shape.width) == (16, 2048, 32)
    assert shape.sizes[-1] == 2**19
    assert max(n**3 for n, size in zip(shape.resolutions, shape.sizes, strict=True) if size < 2**19) <= 2**19


def test_a_dense_level_is_trilinear_interpolation() -> None:
    shape = GridShape(levels=1, base=9, finest=9)
    grid = grid_of(shape)
    volume = grid.table[: 9**3].T.reshape(1, FEATURES, 9, 9, 9)
    x = 1 / 16 + points(500) * (7 / 8)  # between the first and the last vertex
    place = (x * 8 + 0.5) / 8 * 2 - 1
    expected = F.grid_sample(volume, place.view(1, 1, 1, -1, 3), align_corners=True).view(FEATURES, -1).T
    torch.testing.assert_close(grid(x), expected, atol=1e-12, rtol=0)


@pytest.mark.parametrize("log2_size", [8, 12, 15, 16])
def test_vertices_share_a_row_only_if_they_are_more_than_the_rows(log2_size: int) -> None:
    shape = GridShape(levels=1, base=32, finest=32, log2_size=log2_size)
    (size,) = shape.sizes
    axis = torch.arange(32, dtype=torch.float64)
    vertices = torch.cartesian_prod(axis, axis, axis).T
    row, weight = cell_corners((vertices - 0.5) / 31, 31.0, 32, size)
    assert (weight.max(0).values > 1 - 1e-12).all()
    own = row.gather(0, weight.argmax(0, keepdim=True)).squeeze(0)
    used = len(own.unique())
    assert own.min() >= 0 and own.max() < size
    if 2**log2_size >= 32**3:
        assert used == 32**3
    else:  # hashed: about as many rows stay empty as of a fair draw
        assert used / size >= 0.95 * (1 - math.exp(-(32**3) / size))


def test_weights_are_a_partition_of_unity() -> None:
    for scale, side, size in zip(SMALL.scales, SMALL.resolutions, SMALL.sizes, strict=True):
        row, weight = cell_corners(points(300).T, scale, side, size)
        torch.testing.assert_close(weight.sum(0), torch.ones(300, dtype=torch.float64))
        assert weight.min() >= 0
        assert row.min() >= 0 and row.max() < size


def test_gradients_of_both_orders() -> None:
    shape = GridShape(levels=2, base=2, finest=5, log2_size=4)
    grid, x = grid_of(shape), points(3).requires_grad_()
    table = grid.table.detach().clone().requires_grad_()

    def encoded(table: Tensor, x: Tensor) -> Tensor:
        return torch.func.functional_call(grid, {"table": table}, (x,))

    assert torch.autograd.gradcheck(encoded, (table, x))
    assert torch.autograd.gradgradcheck(encoded, (table, x), fast_mode=True)


def test_chunks_change_nothing() -> None:
    grid = grid_of(SMALL, torch.float32)
    x = points(2 * CHUNK + 5, torch.float32)
    seam = slice(CHUNK - 3, CHUNK + 3)
    torch.testing.assert_close(grid(x)[seam], grid(x[seam]), atol=1e-6, rtol=0)  # a row's end is summed without FMA
    assert grid(x[:0]).shape == (0, SMALL.width)


def test_outside_counts_as_on_the_faces() -> None:
    grid, x = grid_of(SMALL), 3 * points(100) - 1
    assert torch.equal(grid(x), grid(x.clamp(0, 1)))


def test_the_same_seed_gives_the_same_table_and_it_is_small() -> None:
    first, second = (HashGrid(SMALL, seed(5)).table for _ in range(2))
    assert torch.equal(first, second)
    assert 0.99e-4 < first.abs().max() <= 1e-4


def test_on_a_cpu_the_encoder_is_ours() -> None:
    grid = fastest_encoder(SMALL, "cpu", seed())
    assert isinstance(grid, HashGrid) and isinstance(grid, PointEncoder)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_tiny_cuda_nn_gives_the_same_function() -> None:
    pytest.importorskip("tinycudann")
    ours, theirs = HashGrid(GridShape()).cuda(), TinyCudaGrid(GridShape()).cuda()
    with torch.no_grad():
        ours.table *= 1e4
        next(theirs.encoding.parameters()).copy_(ours.table.flatten())
    x = points(4096, torch.float32).cuda()
    torch.testing.assert_close(theirs(x), ours(x), atol=5e-3, rtol=0)  # half precision of numbers up to 1
    torch.testing.assert_close(theirs(x, 3), ours(x, 3), atol=5e-3, rtol=0)
