"""The benchmark of the renderer compares like with like."""

from __future__ import annotations

import math

import pytest
import torch

from bench.plain_nerf import RowGrid, render_nerf
from bench.volume_rendering import SHAPE, Contender, seconds_to
from recon.render.cameras import orbit
from recon.render.hashgrid import HashGrid
from recon.render.sampling import ball_span


def test_the_plain_grid_is_the_same_function_as_ours() -> None:
    plain, ours = RowGrid(SHAPE, 8), HashGrid(SHAPE)
    with torch.no_grad():
        ours.table.copy_(plain.table)
    seen = []
    plain.network = torch.nn.Sequential(torch.nn.Identity())
    plain.network.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    x = 2 * torch.rand(500, 3, generator=torch.Generator().manual_seed(1)) - 1
    plain(x)
    torch.testing.assert_close(seen[0], ours((x + 1) / 2), atol=1e-9, rtol=1e-5)


def test_the_plain_renderer_has_a_ball_s_closed_form() -> None:
    class Ball(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            return 2.0 * (x.norm(dim=1) < 0.9), torch.zeros_like(x)

    rays = orbit(20.0, 10.0, 3.0, 40.0, 16).rays()
    near, far = ball_span(rays, 0.9)
    seen = render_nerf(Ball(), rays, torch.ones(1, 3))[:, 0]
    torch.testing.assert_close(seen, (-2 * (far - near)).exp(), atol=2 * 2 / 64, rtol=0)  # one sample more or less


def test_the_seconds_to_a_score_lie_between_its_turns() -> None:
    runner = Contender("r", lambda _: None, lambda _: torch.zeros(0), curve=[(2.0, 10.0), (4.0, 20.0), (6.0, 18.0)])
    assert seconds_to(runner, 15.0) == pytest.approx(3)
    assert seconds_to(runner, 5.0) == pytest.approx(1)
    assert seconds_to(runner, 21.0) == math.inf
