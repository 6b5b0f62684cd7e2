"""Losses: where they are 0, what they are blind to, brute-force twins, finite gradients at the bad point."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.losses import (
    colour_loss,
    entropy_loss,
    mask_loss,
    opacity_loss,
    orientation_loss,
    pearson_loss,
)
from tests.render.scene import seed

LAW = settings(max_examples=40, deadline=None, derandomize=True)


def numbers(*shape: int, number: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=seed(number), dtype=torch.float64)


@pytest.mark.parametrize("kind", ["l1", "l2"])
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
    assert mask_loss(hard, hard) == 0
    assert mask_loss(hard, 1 - hard) == 1


@LAW
@given(st.integers(0, 99), st.floats(1e-3, 1e3), st.floats(-50, 50))
def test_pearson_is_blind_to_scale_and_shift_and_sees_a_flip(number: int, scale: float, shift: float) -> None:
    depth, other = numbers(50, number=number), numbers(50, number=number + 1)
    moved = scale * (depth + shift)  # a spread below 1e-5 of the values counts as none
    torch.testing.assert_close(pearson_loss(moved, other), pearson_loss(depth, other), atol=1e-6, rtol=0)
    assert float(pearson_loss(moved, depth)) == pytest.approx(0, abs=1e-6)
    assert float(pearson_loss(-moved, depth)) == pytest.approx(2, abs=1e-6)
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


def test_orientation_punishes_only_visible_normals_that_look_away() -> None:
    normal, directions = torch.eye(3), torch.eye(3)
    weight = torch.tensor((0.5, 0.0, 1.0), requires_grad=True)
    assert float(orientation_loss(weight, -normal, directions, 3)) == 0
    normal.requires_grad_()
    loss = orientation_loss(weight, normal, directions, 3)
    loss.backward()
    assert loss.item() == pytest.approx(0.5)
    assert weight.grad is None and normal.grad is not None and float(normal.grad[1].abs().max()) == 0


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
