"""Losses: zero at the truth, blind to scale and shift, the closed-form fit against numpy's."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.builtin.losses import align, delta1_absrel, disparity_loss, gradient_loss, normalised, sky_loss


def maps(seed, count=2):
    return torch.rand(count, 2, 1, 24, 40, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).unbind(1)


def test_zero_at_the_truth():
    _, truth = maps(0)
    assert disparity_loss(normalised(truth), truth) == pytest.approx(0, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.floats(-50, 50), st.integers(0, 99))
def test_invariant_under_scale_and_shift_of_the_prediction(scale, shift, seed):
    prediction, truth = maps(seed)
    plain = disparity_loss(prediction, truth, anchor=0.0)
    moved = disparity_loss(scale * prediction + shift, truth, anchor=0.0)
    assert moved.item() == pytest.approx(plain.item(), rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.001, 1000), st.integers(0, 99))
def test_invariant_under_the_unit_of_the_truth(unit, seed):
    prediction, truth = maps(seed)
    assert disparity_loss(prediction, unit * truth).item() == pytest.approx(
        disparity_loss(prediction, truth).item(), rel=1e-3
    )


def test_align_is_the_least_squares_fit():
    prediction, truth = maps(1)
    for p, t, fitted in zip(prediction, truth, align(prediction, truth), strict=True):
        x = p.flatten().numpy()
        scale, shift = np.linalg.lstsq(np.stack([x, np.ones_like(x)], 1), t.flatten().numpy(), rcond=None)[0]
        assert np.allclose(fitted.flatten().numpy(), scale * x + shift)


def test_a_constant_prediction_has_a_finite_gradient():
    prediction = torch.ones(1, 1, 16, 16, requires_grad=True)
    disparity_loss(prediction, torch.rand(1, 1, 16, 16)).backward()
    assert prediction.grad.isfinite().all()
    assert disparity_loss(prediction, torch.zeros(1, 1, 16, 16)).isfinite()


def test_gradient_loss_of_a_ramp():
    """A ramp of slope s per pixel differs by s 2^k at level k along one axis: s (1 + 2 + 4 + 8)."""
    ramp = 0.25 * torch.arange(32.0).expand(1, 1, 32, 32)
    assert gradient_loss(ramp) == pytest.approx(0.25 * 15)


def test_sky_loss_of_even_odds_is_log_two():
    assert sky_loss(torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)) == pytest.approx(np.log(2))


def test_scores_of_an_affine_copy_are_perfect_and_of_a_constant_are_not():
    truth = torch.rand(500, generator=torch.Generator().manual_seed(2)) + 0.2
    assert delta1_absrel(3 * truth + 7, truth) == pytest.approx((1.0, 0.0), abs=1e-5)
    constant = delta1_absrel(torch.ones(500), truth)
    expected = (torch.maximum(truth / truth.mean(), truth.mean() / truth) < 1.25).float().mean()
    assert constant[0] == pytest.approx(expected.item(), abs=1e-3)
