"""Compositing: closed forms, one sum in two layouts, gradients, shading."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.volume import (
    columns_by_ray,
    composite_over,
    mean_distance,
    packed_weights,
    shade,
)
from tests.render.scene import seed

LAW = settings(max_examples=40, deadline=None, derandomize=True)


def interval_weights(density: torch.Tensor, length: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The dense twin, (rays, intervals): weights, and the transmittance behind the last interval."""
    through = torch.cat([torch.ones_like(density[:, :1]), (-density * length).exp()], 1).cumprod(1)
    return through[:, :-1] - through[:, 1:], through[:, -1]


def some_intervals(number: int, rays: int = 6, most: int = 9) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Packed (density, length, ray) in float64; some rays have no interval."""
    g = seed(number)
    counts = torch.randint(0, most, (rays,), generator=g)
    ray = torch.repeat_interleave(torch.arange(rays), counts)
    density = 8 * torch.rand(len(ray), generator=g, dtype=torch.float64) ** 3
    return density, torch.rand(len(ray), generator=g, dtype=torch.float64), ray


def test_the_mean_distance_in_fog_is_the_mean_free_path() -> None:
    widths = torch.full((20_000,), 1e-3, dtype=torch.float64)
    ray, before = torch.zeros(20_000, dtype=torch.int64), torch.zeros(1, dtype=torch.float64)
    weights, _ = packed_weights(torch.full_like(widths, 2.0), widths, ray, before)
    middle = widths.cumsum(0) - widths / 2
    seen = columns_by_ray(weights, torch.stack([middle, torch.ones_like(middle)], 1), ray, 1)
    assert float(mean_distance(seen[:, 0], seen[:, 1])) == pytest.approx(1 / 2, rel=1e-6)


@LAW
@given(st.integers(0, 999))
def test_weights_and_what_is_left_sum_to_one(number: int) -> None:
    density, length, ray = some_intervals(number)
    weights, depth = packed_weights(20 * density, length, ray, torch.zeros(6, dtype=torch.float64))
    assert (weights >= 0).all()
    seen = columns_by_ray(weights, torch.ones_like(weights)[:, None], ray, 6)[:, 0]
    torch.testing.assert_close(seen + (-depth).exp(), torch.ones(6, dtype=torch.float64))


@LAW
@given(st.integers(0, 999))
def test_packed_is_dense(number: int) -> None:
    density, length, ray = some_intervals(number)
    before = torch.rand(6, generator=seed(number), dtype=torch.float64)
    weights, depth = packed_weights(density, length, ray, before)
    for index in range(6):
        mine = ray == index
        expected, behind = interval_weights(density[None, mine], length[None, mine]) if mine.any() else (None, None)
        if expected is None:
            assert depth[index] == before[index]
            continue
        assert behind is not None
        torch.testing.assert_close(weights[mine], expected[0] * (-before[index]).exp())
        torch.testing.assert_close((-depth[index]).exp(), behind[0] * (-before[index]).exp())


def test_in_float32_a_ray_does_not_feel_the_rays_before_it() -> None:
    density, length, ray = (torch.full((200_000,), 900.0), torch.full((200_000,), 0.02), torch.arange(200_000) // 20)
    density[-20:] = 0.01
    weights, _ = packed_weights(density, length, ray, torch.zeros(10_000))
    expected, _ = interval_weights(density[-20:].double()[None], length[-20:].double()[None])
    torch.testing.assert_close(weights[-20:].double(), expected[0], rtol=1e-5, atol=0)


@pytest.mark.parametrize(("density", "length"), [(0.3, 2.0), (5.0, 1.0), (80.0, 0.5), (0.0, 1.0)])
def test_a_slab_of_constant_density_has_its_closed_form(density: float, length: float) -> None:
    widths = torch.rand(50, generator=seed(1), dtype=torch.float64)
    widths = widths / widths.sum() * length
    ray, before = torch.zeros(50, dtype=torch.int64), torch.zeros(1, dtype=torch.float64)
    weights, behind = packed_weights(torch.full_like(widths, density), widths, ray, before)
    assert float(weights.sum()) == pytest.approx(1 - math.exp(-density * length), abs=1e-12)
    assert float(behind[0]) == pytest.approx(density * length, abs=1e-12)


def test_gradients() -> None:
    density, length, ray = some_intervals(3)
    density.requires_grad_(), length.requires_grad_()
    before = torch.rand(6, generator=seed(4), dtype=torch.float64, requires_grad=True)
    values = torch.rand(len(ray), 3, generator=seed(5), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda d, x, b: packed_weights(d, x, ray, b), (density, length, before))
    assert torch.autograd.gradcheck(lambda w, v: columns_by_ray(w, v, ray, 6), (density, values))


def test_a_colour_over_a_background() -> None:
    seen = composite_over(torch.tensor([[0.25, 0.0, 0.0]]), torch.tensor([0.25]), torch.ones(1, 3))
    torch.testing.assert_close(seen, torch.tensor([[1.0, 0.75, 0.75]]))


def test_nothing_seen_has_a_finite_gradient() -> None:
    total = torch.zeros(3, requires_grad=True)
    mean_distance(total, total).sum().backward()
    assert total.grad is not None and total.grad.isfinite().all()


def test_shading_in_closed_form() -> None:
    albedo = torch.rand(50, 3, generator=seed(7))
    normal = torch.nn.functional.normalize(torch.randn(50, 3, generator=seed(8)), dim=1)
    assert torch.equal(shade(albedo, None, None), albedo)
    towards = shade(albedo, normal, normal, "lambertian", 0.3)
    torch.testing.assert_close(towards, albedo)  # light from the front, whatever the ambient part
    torch.testing.assert_close(shade(albedo, normal, -normal, "lambertian", 0.3), 0.3 * albedo)
    grey = shade(albedo, normal, torch.tensor([[0.0, 0.0, -1.0]]), "textureless", 0.1)
    torch.testing.assert_close(grey, (0.1 + 0.9 * (-normal[:, 2:]).clamp_min(0)).expand(-1, 3))
    with pytest.raises(ValueError, match="lambertian shading needs normals and a light"):
        shade(albedo, None, None, "lambertian")
