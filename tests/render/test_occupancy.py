"""Occupancy: what is skipped was empty, what is found is all there is, and the grid learns by the published rule."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from recon.render.cameras import MAGIC123, Rays, orbit, random_orbits
from recon.render.occupancy import DECAY, VISIBLE, WARM_UP, Occupancy
from tests.render.scene import seed


def ball(x: Tensor, radius: float = 0.5) -> Tensor:
    return 40.0 * (x.norm(dim=1) < radius)


def learnt(cells: int = 24, step: float = 2 / 64) -> Occupancy:
    grid = Occupancy(cells, step)
    for index in range(4):  # a cell's random points may miss the ball that touches it
        grid.update(ball, index, seed(index))
    return grid


def some_rays(count: int = 4) -> Rays:
    return Rays.cat([camera.rays() for camera in random_orbits(count, 16, MAGIC123, seed(9))])


@pytest.mark.parametrize("shifted", [False, True])
def test_marching_finds_exactly_the_dense_steps_that_lie_in_occupied_cells(shifted: bool) -> None:
    grid, rays = learnt(), some_rays()
    jitter = torch.rand(len(rays), generator=seed(1)) if shifted else torch.zeros(len(rays))
    found = grid.march(rays, jitter if shifted else None)
    middle = (torch.arange(600) + 0.5 + jitter[:, None]) * grid.step  # every step from the camera on, of every ray
    points = rays.origins[:, None] + middle[..., None] * rays.directions[:, None]
    cell = ((points + 1) / 2 * grid.cells).floor().long()
    valid = ((cell >= 0) & (cell < grid.cells)).all(2) & (points.norm(dim=2) < 1)
    index = (cell.clamp(0, grid.cells - 1) * torch.tensor((1, grid.cells, grid.cells**2))).sum(2)
    wanted = (valid & grid.occupied[index]).nonzero()
    missed = len(wanted) - len(found.ray)
    assert abs(missed) <= 2  # a step on a cell's face may round to either side
    if missed == 0:
        assert torch.equal(found.ray, wanted[:, 0])
        torch.testing.assert_close(found.middle, middle[wanted[:, 0], wanted[:, 1]])


def test_packed_intervals_are_in_order() -> None:
    found = learnt().march(some_rays(), torch.rand(4 * 256, generator=seed(2)))
    assert len(found.ray) > 1000
    assert (found.ray.diff() >= 0).all()
    same = found.ray.diff() == 0
    assert (found.middle.diff()[same] > 0).all()


def test_every_cell_with_matter_is_found_and_little_else() -> None:
    grid = learnt()
    x = 2 * torch.rand(20_000, 3, generator=seed(3)) - 1
    index = (((x + 1) / 2 * grid.cells).long() * torch.tensor((1, grid.cells, grid.cells**2))).sum(1)
    marked = grid.occupied[index]
    diagonal = 2 / grid.cells * 3**0.5
    assert marked[x.norm(dim=1) < 0.5 - diagonal].all()
    assert not marked[x.norm(dim=1) > 0.5 + diagonal].any()
    torch.testing.assert_close(grid.box, torch.tensor([[-0.5] * 3, [0.5] * 3]), atol=2 / grid.cells, rtol=0)


def test_before_it_has_learnt_all_of_the_ball_is_marched_and_nothing_else() -> None:
    grid, rays = Occupancy(32, 2 / 128), orbit(0.0, 0.0, 3.0, 40.0, 9).rays()
    found = grid.march(rays)
    points = rays.origins[found.ray] + found.middle[:, None] * rays.directions[found.ray]
    assert points.norm(dim=1).max() <= 1
    through_the_centre = found.ray == 40
    assert int(through_the_centre.sum()) == pytest.approx(128, abs=1)


def test_the_update_rule() -> None:
    grid = Occupancy(8, 0.1)
    grid.update(lambda x: torch.full((len(x),), 3.0), 0, seed(1))
    inside = grid.inside
    torch.testing.assert_close(grid.density[inside], torch.full((int(inside.sum()),), 3.0))
    grid.update(lambda x: torch.full((len(x),), 1.0), 16, seed(1))
    torch.testing.assert_close(grid.density[inside], torch.full((int(inside.sum()),), 3.0 * DECAY))
    grid.update(lambda x: torch.full((len(x),), 4.0), WARM_UP, seed(2))
    share = float((grid.density[inside] == 4).double().mean())
    # a quarter uniformly and as many of the occupied, which are all: n/2 draws with replacement
    assert share == pytest.approx(1 - math.exp(-0.5), abs=0.05)
    assert not grid.density[~inside].any()


def test_the_threshold_is_a_visible_step_or_the_mean() -> None:
    grid = Occupancy(8, 0.1)
    grid.fill(torch.full((8, 8, 8), 1.0))
    assert torch.equal(grid.occupied, grid.inside)  # a step sees 0.095
    grid.fill(torch.full((8, 8, 8), 0.5 * VISIBLE / 0.1))
    assert not grid.occupied.any()  # none is above the mean of equals
    thin = torch.zeros(8, 8, 8)
    thin[3:5, 3:5, 3:5] = 0.5 * VISIBLE / 0.1
    grid.fill(thin)
    assert int(grid.occupied.sum()) == 8  # thinner than visible, but thicker than the mean
    assert len(grid.march(some_rays(1)).ray) > 0
    grid.fill(torch.zeros(8, 8, 8))
    assert len(grid.march(some_rays(1)).ray) == 0


def test_matter_that_moves_is_followed() -> None:
    grid = learnt()
    for index in range(60):
        grid.update(lambda x: ball(x - torch.tensor((0.4, 0.0, 0.0)), 0.2), WARM_UP + index, seed(index))
    for index in range(150):
        grid.update(lambda x: ball(x - torch.tensor((0.4, 0.0, 0.0)), 0.2), index % WARM_UP, seed(index))
    assert float(grid.box[0, 0]) >= 0.05


def test_state_is_all_in_the_buffers() -> None:
    grid, other = learnt(), Occupancy(24, 2 / 64)
    other.load_state_dict(grid.state_dict())
    first, second = grid.march(some_rays()), other.march(some_rays())
    assert torch.equal(first.ray, second.ray) and torch.equal(first.middle, second.middle)
