"""Where rays cross a ball and a box: in closed form and by brute force."""

from __future__ import annotations

import pytest
import torch
from hypothesis import settings

from recon.render.cameras import Rays
from recon.render.sampling import ball_span, box_span
from tests.render.scene import seed

LAW = settings(max_examples=40, deadline=None, derandomize=True)


def some_rays(number: int, count: int = 200) -> Rays:
    g = seed(number)
    origins = 3 * torch.nn.functional.normalize(torch.randn(count, 3, generator=g, dtype=torch.float64), dim=1)
    targets = 1.4 * torch.rand(count, 3, generator=g, dtype=torch.float64) - 0.7
    directions = torch.nn.functional.normalize(targets - origins, dim=1)
    return Rays(origins, directions, torch.ones(count, dtype=torch.float64))


def test_rays_enter_and_leave_the_ball_on_its_surface() -> None:
    rays = some_rays(1)
    near, far = ball_span(rays)
    hit = far > near
    assert hit.sum() > 150
    for t in (near, far):
        points = rays.origins + t[:, None] * rays.directions
        torch.testing.assert_close(points[hit].norm(dim=1), torch.ones(int(hit.sum()), dtype=torch.float64))
    inside = Rays(rays.origins * 0, rays.directions, rays.forward)
    assert torch.equal(ball_span(inside)[0], torch.zeros(200, dtype=torch.float64))


def test_rays_cross_the_box_where_brute_force_says() -> None:
    rays = some_rays(2)
    low, high = (
        torch.tensor((-0.5, -0.2, -0.9), dtype=torch.float64),
        torch.tensor((0.1, 0.6, -0.1), dtype=torch.float64),
    )
    near, far = box_span(rays, low, high)
    t = torch.linspace(0, 6, 6001, dtype=torch.float64)
    points = rays.origins[:, None] + t[:, None] * rays.directions[:, None]
    inside = ((points >= low) & (points <= high)).all(2)
    found = (t >= near[:, None]) & (t <= far[:, None])
    assert (found != inside).sum(1).max() <= 2  # the two samples nearest to the faces
    along = Rays(torch.tensor([[-3.0, 0.0, -0.5]]), torch.tensor([[1.0, 0.0, 0.0]]), torch.ones(1))
    near, far = box_span(along, low.float(), high.float())
    assert (float(near), float(far)) == pytest.approx((2.5, 3.1))  # two zeros in the direction
