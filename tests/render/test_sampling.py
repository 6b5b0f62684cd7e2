"""Sampling along rays: spans in closed form, the exact inverse distribution function, histograms that are kept."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.cameras import Rays
from recon.render.sampling import ball_span, blurred, box_span, inverse_cdf, resample, stratified
from tests.render.scene import seed

LAW = settings(max_examples=40, deadline=None, derandomize=True)


def some_rays(number: int, count: int = 200) -> Rays:
    g = seed(number)
    origins = 3 * torch.nn.functional.normalize(torch.randn(count, 3, generator=g, dtype=torch.float64), dim=1)
    targets = 1.4 * torch.rand(count, 3, generator=g, dtype=torch.float64) - 0.7
    directions = torch.nn.functional.normalize(targets - origins, dim=1)
    ones = torch.ones(count, dtype=torch.float64)
    return Rays(origins, directions, 0.01 * ones, ones)


def some_histogram(number: int, empty: float = 0.3, count: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    g = seed(number)
    edges = torch.rand(5, count + 1, generator=g, dtype=torch.float64).cumsum(1)
    weights = torch.rand(5, count, generator=g, dtype=torch.float64)
    return edges, weights * (torch.rand(5, count, generator=g, dtype=torch.float64) > empty)


def test_rays_enter_and_leave_the_ball_on_its_surface() -> None:
    rays = some_rays(1)
    near, far = ball_span(rays)
    hit = far > near
    assert hit.sum() > 150
    for t in (near, far):
        points = rays.origins + t[:, None] * rays.directions
        torch.testing.assert_close(points[hit].norm(dim=1), torch.ones(int(hit.sum()), dtype=torch.float64))
    inside = Rays(rays.origins * 0, rays.directions, rays.radii, rays.forward)
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
    along = Rays(torch.tensor([[-3.0, 0.0, -0.5]]), torch.tensor([[1.0, 0.0, 0.0]]), torch.ones(1), torch.ones(1))
    near, far = box_span(along, low.float(), high.float())
    assert (float(near), float(far)) == pytest.approx((2.5, 3.1))  # two zeros in the direction


def test_equal_intervals_without_a_generator_and_strata_with_one() -> None:
    near, far = torch.tensor((1.0, 2.0)), torch.tensor((2.0, 5.0))
    equal = stratified(near, far, 10)
    torch.testing.assert_close(equal.diff(dim=1), ((far - near) / 10)[:, None].expand(2, 10))
    draws = torch.stack([stratified(near, far, 10, seed(k)) for k in range(400)])
    assert (draws.diff(dim=2) >= 0).all()
    assert (draws >= near[:, None]).all() and (draws <= far[:, None]).all()
    middle = (equal[:, 1:] + equal[:, :-1]) / 2
    assert (draws[:, :, 1:-1] >= middle[:, :-1]).all() and (draws[:, :, 1:-1] <= middle[:, 1:]).all()
    torch.testing.assert_close(draws[:, :, 1:-1].mean(0), equal[:, 1:-1], atol=0.02, rtol=0)


@LAW
@given(st.integers(0, 999), st.floats(0, 0.9))
def test_the_distribution_function_of_its_inverse_is_u(number: int, empty: float) -> None:
    edges, weights = some_histogram(number, empty)
    u = torch.rand(5, 300, generator=seed(number + 1), dtype=torch.float64)
    t = inverse_cdf(edges, weights, u)
    weights = torch.where(weights.sum(1, keepdim=True) > 0, weights, 1.0)
    share = ((t[..., None] - edges[:, None, :-1]) / edges.diff(dim=1)[:, None]).clamp(0, 1)
    cdf = (share * weights[:, None]).sum(2) / weights.sum(1, keepdim=True)  # brute force over all intervals
    torch.testing.assert_close(cdf, u, atol=1e-9, rtol=0)


def test_a_single_full_interval_takes_all_samples_evenly() -> None:
    """The delta of Mip-NeRF's tests: one interval of ten has all the weight."""
    edges = torch.linspace(0, 10, 11, dtype=torch.float64)[None]
    weights = torch.zeros(1, 10, dtype=torch.float64)
    weights[0, 4] = 1e-20
    u = torch.linspace(0, 1, 21, dtype=torch.float64)[None]
    torch.testing.assert_close(inverse_cdf(edges, weights, u), 4 + u)


def test_samples_fill_a_histogram_as_it_says() -> None:
    edges, weights = some_histogram(7)
    u = torch.rand(5, 100_000, generator=seed(8), dtype=torch.float64)
    t = inverse_cdf(edges, weights, u)
    for row in range(5):
        count = torch.histogram(t[row], edges[row]).hist / 100_000
        expected = weights[row] / weights[row].sum()
        torch.testing.assert_close(count, expected, atol=5 * 0.5 / 100_000**0.5, rtol=0)  # five standard errors at most


@LAW
@given(st.integers(0, 999), st.booleans())
def test_resampled_edges_are_sorted_and_within(number: int, random: bool) -> None:
    edges, weights = some_histogram(number)
    new = resample(edges, weights, 33, seed(number) if random else None)
    assert new.shape == (5, 34)
    assert (new.diff(dim=1) >= 0).all()
    assert (new[:, 0] >= edges[:, 0]).all() and (new[:, -1] <= edges[:, -1]).all()
    if not random:
        torch.testing.assert_close(new[:, [0, -1]], edges[:, [0, -1]])


def test_resampling_stops_gradients() -> None:
    edges, weights = some_histogram(3)
    assert not resample(edges.requires_grad_(), weights.requires_grad_(), 9).requires_grad


def test_the_blur_bounds_the_histogram_and_spreads_a_peak_by_one() -> None:
    _, weights = some_histogram(9)
    assert (blurred(weights) >= weights / 2).all()
    peak = torch.zeros(1, 9)
    peak[0, 4] = 1
    assert blurred(peak).tolist() == [[0, 0, 0, 0.5, 1, 0.5, 0, 0, 0]]
