"""Frusta and their encoding: Monte Carlo, limits, and the scale law."""

from __future__ import annotations

import math

import pytest
import torch

from recon.render.cameras import Rays, orbit
from recon.render.ipe import frustum_moments, gaussians, integrated_encoding
from tests.render.scene import seed

DRAWS = 1_000_000


def drawn_in_frustum(t0: float, t1: float, radius: float) -> tuple[torch.Tensor, torch.Tensor]:
    """(distance along the axis, one coordinate across it) of points uniform in a cone's piece."""
    u = torch.rand(3, DRAWS, generator=seed(3), dtype=torch.float64)
    t = (t0**3 + (t1**3 - t0**3) * u[0]) ** (1 / 3)  # the cross-section grows with t²
    return t, radius * t * u[1].sqrt() * (2 * math.pi * u[2]).cos()


@pytest.mark.parametrize("frustum", [(0.1, 4.0, 0.5), (1.0, 1.1, 0.02), (2.0, 3.0, 0.1), (0.0, 1.0, 1.0)])
def test_moments_of_a_frustum_are_monte_carlo_s(frustum: tuple[float, float, float]) -> None:
    t0, t1, radius = frustum
    edges, radii = torch.tensor([[t0, t1]], dtype=torch.float64), torch.tensor([radius], dtype=torch.float64)
    mean, along, across = (float(moment) for moment in frustum_moments(edges, radii))
    t, x = drawn_in_frustum(t0, t1, radius)
    # four standard errors
    assert mean == pytest.approx(float(t.mean()), abs=4 * math.sqrt(along / DRAWS))
    assert along == pytest.approx(float(t.var()), rel=4 * math.sqrt(2 / DRAWS))
    assert across == pytest.approx(float(x.var()), rel=4 * math.sqrt(2 / DRAWS))


def test_moments_stay_exact_in_float32_for_thin_far_frusta() -> None:
    edges = torch.tensor([[4.0, 4.001, 4.002]])
    exact, single = (
        torch.stack(frustum_moments(edges.to(kind), torch.tensor([1e-3], dtype=kind)))
        for kind in (torch.float64, torch.float32)
    )
    torch.testing.assert_close(single.double(), exact, rtol=1e-4, atol=0)  # the widths themselves have 4e-4 of an ulp


def test_gaussians_have_the_covariance_s_diagonal_in_the_world() -> None:
    directions = torch.nn.functional.normalize(torch.randn(20, 3, generator=seed(4), dtype=torch.float64), dim=1)
    ones = torch.ones(20, dtype=torch.float64)
    rays = Rays(torch.zeros(20, 3, dtype=torch.float64), directions, 0.2 * ones, ones)
    edges = torch.tensor([[1.0, 1.5]], dtype=torch.float64).expand(20, 2)
    mean, variance = gaussians(rays, edges)
    t, along, across = frustum_moments(edges, rays.radii)
    outer = directions[:, :, None] * directions[:, None]
    full = along[..., None] * outer + across[..., None] * (torch.eye(3, dtype=torch.float64) - outer)  # eq. 16
    torch.testing.assert_close(variance[:, 0], full.diagonal(dim1=1, dim2=2))
    torch.testing.assert_close(mean[:, 0], t * directions)


def test_the_encoding_is_the_expected_sine_and_cosine() -> None:
    mean = torch.tensor((0.3, -0.7, 1.1), dtype=torch.float64)
    variance = torch.tensor((0.04, 0.3, 1e-3), dtype=torch.float64)
    draws = mean + variance.sqrt() * torch.randn(DRAWS, 3, generator=seed(5), dtype=torch.float64)
    found = integrated_encoding(mean, variance, 4)
    expected = integrated_encoding(draws, None, 4).mean(0)
    torch.testing.assert_close(found, expected, atol=4 / math.sqrt(2 * DRAWS), rtol=0)


def test_without_variance_it_is_the_positional_encoding() -> None:
    x = torch.rand(7, 3, generator=seed(6), dtype=torch.float64)
    code = integrated_encoding(x, torch.zeros_like(x), 3)
    assert torch.equal(code, integrated_encoding(x, None, 3))
    expected = torch.cat([wave(x * 2**octave) for wave in (torch.sin, torch.cos) for octave in range(3)], 1)
    torch.testing.assert_close(code, expected)


def test_what_is_much_finer_than_the_cone_fades_away() -> None:
    wide = integrated_encoding(torch.zeros(3), torch.full((3,), 0.1), 8)
    assert wide[-3:].abs().max() < 1e-30
    assert wide[24:27].min() > 0.9


def test_a_pixel_s_cone_has_the_pixel_s_variance() -> None:
    camera = orbit(0.0, 0.0, 4.0, 40.0, 9)
    rays = camera.rays()
    _, _, across = frustum_moments(torch.tensor([[3.0, 3.0]]).expand(81, 2), rays.radii)
    # a pixel at distance 3 in the middle is 3 / focal wide; a uniform square has the variance width² / 12
    assert float(across[40, 0]) == pytest.approx((3 / camera.focal) ** 2 / 12, rel=1e-5)
