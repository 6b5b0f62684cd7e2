"""Losses: where they are 0, what they are blind to, brute-force twins, finite gradients at the bad point."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.losses import (
    blur_difference,
    colour_loss,
    distortion_loss,
    entropy_loss,
    histogram_bound,
    mask_loss,
    opacity_loss,
    orientation_loss,
    packed_distortion_loss,
    pearson_loss,
    proposal_loss,
    smooth_normals,
    total_variation,
)
from tests.render.scene import seed

LAW = settings(max_examples=40, deadline=None, derandomize=True)


def numbers(*shape: int, number: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=seed(number), dtype=torch.float64)


def histogram(number: int, count: int = 12, rays: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    edges = numbers(rays, count + 1, number=number).cumsum(1)
    weights = numbers(rays, count, number=number + 1) ** 3
    return edges / edges[:, -1:] * 5, weights / weights.sum(1, keepdim=True) * 0.9


@pytest.mark.parametrize("kind", ["l1", "l2", "huber"])
def test_colours_that_agree_cost_nothing_and_weights_choose(kind: str) -> None:
    a, b = numbers(9, 3), numbers(9, 3, number=1)
    assert colour_loss(a, a, kind=kind) == 0  # type: ignore[arg-type]
    chosen = torch.zeros(9, dtype=torch.float64)
    chosen[4] = 7.0
    torch.testing.assert_close(colour_loss(a, b, chosen, kind), colour_loss(a[4:5], b[4:5], kind=kind))  # type: ignore[arg-type]
    even = torch.full((9,), 0.3, dtype=torch.float64)
    torch.testing.assert_close(colour_loss(a, b, even, kind), colour_loss(a, b, kind=kind))  # type: ignore[arg-type]


def test_the_mask_is_met_where_opacity_equals_it() -> None:
    mask = numbers(20)
    opacity = mask.clone().requires_grad_()
    mask_loss(opacity, mask).backward()
    torch.testing.assert_close(opacity.grad, torch.zeros(20, dtype=torch.float64), atol=1e-9, rtol=0)
    hard = (mask > 0.5).double()
    assert mask_loss(hard, hard) < 1e-4 and mask_loss(hard, hard, "l2") == 0
    full = torch.ones(3, requires_grad=True)  # saturated and wrong
    mask_loss(full, torch.zeros(3)).backward()
    assert full.grad is not None and full.grad.isfinite().all()


@LAW
@given(st.integers(0, 99), st.floats(1e-3, 1e3), st.floats(-50, 50))
def test_pearson_is_blind_to_scale_and_shift_and_sees_a_flip(number: int, scale: float, shift: float) -> None:
    depth, other = numbers(50, number=number), numbers(50, number=number + 1)
    torch.testing.assert_close(
        pearson_loss(scale * depth + shift, other), pearson_loss(depth, other), atol=1e-6, rtol=0
    )
    assert float(pearson_loss(scale * depth + shift, depth)) == pytest.approx(0, abs=1e-6)
    assert float(pearson_loss(-scale * depth + shift, depth)) == pytest.approx(2, abs=1e-6)
    expected = 1 - torch.corrcoef(torch.stack((depth, other)))[0, 1]
    torch.testing.assert_close(pearson_loss(depth, other), expected)


@pytest.mark.parametrize("value", [0.0, 3.7])
def test_pearson_of_a_constant_depth_is_one_with_a_finite_gradient(value: float) -> None:
    flat = torch.full((40,), value, requires_grad=True)
    wanted = numbers(40).float()
    loss = pearson_loss(flat, wanted)
    loss.backward()
    assert loss.item() == pytest.approx(1, abs=0.02)
    assert flat.grad is not None and flat.grad.isfinite().all()
    assert float(pearson_loss(wanted, flat.detach())) == pytest.approx(1, abs=0.02)


def test_pearson_counts_only_weighted_pixels() -> None:
    a, b, weight = numbers(30), numbers(30, number=1), torch.zeros(30, dtype=torch.float64)
    weight[:20] = 2.0
    torch.testing.assert_close(pearson_loss(a, b, weight), pearson_loss(a[:20], b[:20]))


def test_a_ramp_s_variation_and_a_constant_s() -> None:
    ramp = (0.1 * torch.arange(8.0))[None, :, None].expand(5, 8, 3).contiguous()
    expected = 0.01 * (5 * 7) / (5 * 7 + 4 * 8)
    assert float(total_variation(ramp)) == pytest.approx(expected, rel=1e-5)
    assert float(total_variation(torch.ones(4, 4, 3))) == 0
    mask = torch.ones(5, 8, dtype=torch.bool)
    mask[:, 4:] = False
    broken = ramp.clone()
    broken[:, 4:] = 100
    assert float(total_variation(broken, mask)) == pytest.approx(0.01 * 15 / 31, rel=1e-4)


def test_blur_leaves_flat_normals_and_pulls_single_ones_back() -> None:
    flat = torch.zeros(16, 16, 3)
    flat[..., 2] = -1
    assert float(blur_difference(flat)) == pytest.approx(0, abs=1e-12)
    bumpy = flat.clone()
    bumpy[8, 8] = torch.tensor((0.6, 0.0, -0.8))
    bumpy.requires_grad_()
    blur_difference(bumpy).backward()
    assert bumpy.grad is not None
    assert float(bumpy.grad[8, 8, 0]) > 0
    assert float(bumpy.grad[0, 0].abs().max()) == 0  # the blur itself is held fixed


def test_orientation_punishes_only_visible_normals_that_look_away() -> None:
    normal, directions = torch.eye(3), torch.eye(3)
    weight = torch.tensor((0.5, 0.0, 1.0), requires_grad=True)
    assert float(orientation_loss(weight, -normal, directions, 3)) == 0
    normal.requires_grad_()
    loss = orientation_loss(weight, normal, directions, 3)
    loss.backward()
    assert loss.item() == pytest.approx(0.5)
    assert weight.grad is None and normal.grad is not None and float(normal.grad[1].abs().max()) == 0


def test_smooth_normals_are_equal_ones() -> None:
    a, b = numbers(6, 3), numbers(6, 3, number=1)
    assert smooth_normals(a, a) == 0
    torch.testing.assert_close(smooth_normals(a, b, torch.full((6,), 0.2).double()), smooth_normals(a, b))


def test_opacity_s_and_entropy_s_extremes() -> None:
    empty, half, full = (torch.full((4,), v) for v in (0.0, 0.5, 1.0))
    assert float(opacity_loss(empty)) == pytest.approx(0.1)
    assert float(opacity_loss(full)) == pytest.approx(math.sqrt(1.01))
    assert float(entropy_loss(half)) == pytest.approx(1)
    assert float(entropy_loss(torch.cat((empty, full)))) < 1e-3
    for bad in (empty, full):
        bad.requires_grad_()
        entropy_loss(bad).backward()
        assert bad.grad is not None and bad.grad.isfinite().all()


@LAW
@given(st.integers(0, 999))
def test_distortion_is_the_double_integral(number: int) -> None:
    edges, weights = histogram(number)
    middle = (edges[:, 1:] + edges[:, :-1]) / 2
    apart = (middle[:, :, None] - middle[:, None]).abs()
    expected = (weights[:, :, None] * weights[:, None] * apart).sum((1, 2))
    expected = expected + (weights**2 * edges.diff(dim=1)).sum(1) / 3
    torch.testing.assert_close(distortion_loss(edges, weights), expected.mean())


def test_packed_distortion_is_the_dense_one_in_any_order() -> None:
    edges = 0.1 * torch.arange(13.0, dtype=torch.float64).expand(4, 13) + 3
    _, weights = histogram(5)
    ray = torch.arange(4)[:, None].expand(4, 12).flatten()
    middle = ((edges[:, 1:] + edges[:, :-1]) / 2).flatten()
    order = torch.randperm(48, generator=seed(6))
    found = packed_distortion_loss(ray[order], middle[order], weights.flatten()[order], 0.1, 4)
    torch.testing.assert_close(found, distortion_loss(edges, weights))
    flat = weights.flatten()[order].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda w: packed_distortion_loss(ray[order], middle[order], w, 0.1, 4), flat)


@LAW
@given(st.integers(0, 999))
def test_a_histogram_bounds_itself_and_any_that_it_was_made_from(number: int) -> None:
    edges, weights = histogram(number)
    assert float(proposal_loss(edges, weights, edges, weights)) < 1e-25  # rounding of sums so far
    coarse_edges = edges[:, ::3]
    coarse = weights.view(4, 4, 3).sum(2)
    assert float(proposal_loss(edges, weights, coarse_edges, coarse)) < 1e-25
    assert float(proposal_loss(edges, weights, coarse_edges, 0.5 * coarse)) > 0


@LAW
@given(st.integers(0, 999))
def test_the_bound_is_the_brute_force_one(number: int) -> None:
    edges, _ = histogram(number, 7)
    outer_edges, outer = histogram(number + 50, 9)
    touches = (outer_edges[:, None, :-1] < edges[:, 1:, None]) & (outer_edges[:, None, 1:] > edges[:, :-1, None])
    expected = (touches * outer[:, None]).sum(2)
    torch.testing.assert_close(histogram_bound(edges, outer_edges, outer), expected)


def test_a_sparse_delta_is_bounded_only_where_it_is() -> None:
    """Two fine deltas; the proposal has all its weight on one of them."""
    edges = torch.linspace(0, 10, 101, dtype=torch.float64)[None]
    weights = torch.zeros(1, 100, dtype=torch.float64)
    weights[0, 20], weights[0, 70] = 0.5, 0.5
    outer_edges = torch.linspace(0, 10, 11, dtype=torch.float64)[None]
    outer = torch.zeros(1, 10, dtype=torch.float64)
    outer[0, 2] = 1.0
    outer.requires_grad_()
    loss = proposal_loss(edges, weights, outer_edges, outer)
    loss.backward()
    assert loss.item() == pytest.approx(0.5, rel=1e-4)  # 0.5² / 0.5 of the missed one
    assert outer.grad is not None
    assert outer.grad[0].nonzero().flatten().tolist() == [7]
    assert float(outer.grad[0, 7]) < 0


def test_only_the_proposal_learns_from_its_loss() -> None:
    edges, weights = histogram(1)
    outer_edges, outer = histogram(2, 5)
    weights.requires_grad_(), outer.requires_grad_()
    proposal_loss(edges, weights, outer_edges, outer).backward()
    assert weights.grad is None and outer.grad is not None
