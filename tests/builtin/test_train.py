"""The trainer: what a run follows from, and that an interruption changes nothing."""

import pytest
import torch

from recon.builtin.train import Plan, Trainer

TINY = Plan(seed=3, steps=6, large_share=0.34, batch=2, widths=(8, 8, 8, 8, 8), depths=(1, 1, 1, 1, 1))


def test_an_interrupted_run_ends_bit_equal(tmp_path):
    whole = Trainer(tmp_path / "whole", TINY)
    losses = [whole.advance() for _ in range(TINY.steps)]
    first = Trainer(tmp_path / "parts", TINY)
    parts = [first.advance() for _ in range(3)]
    first.save()
    second = Trainer(tmp_path / "parts", TINY)
    assert second.step == 3
    parts += [second.advance() for _ in range(3)]
    assert parts == losses
    for name, value in whole.net.state_dict().items():
        assert torch.equal(value, second.net.state_dict()[name]), name
    for name, value in whole.ema.state_dict().items():
        assert torch.equal(value, second.ema.state_dict()[name]), name
    assert not list(tmp_path.glob("*/*.part"))


def test_a_run_is_not_continued_under_another_plan(tmp_path):
    Trainer(tmp_path, TINY).save()
    with pytest.raises(ValueError, match="use another --run"):
        Trainer(tmp_path, Plan(seed=4))


def test_the_schedule_warms_up_peaks_once_and_ends_near_zero():
    plan = Plan(steps=1000)
    rates = [plan.rate_at(step) for step in range(plan.steps)]
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(plan.rate)
    assert peak == pytest.approx(30, abs=1)
    assert rates[:peak] == sorted(rates[:peak])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)
    assert rates[-1] < 0.011 * plan.rate


def test_large_images_come_last_and_every_size_fits_the_net():
    plan = Plan(steps=100, large_share=0.1)
    assert [plan.large(step) for step in range(100)] == [False] * 90 + [True] * 10
    assert all(side % 32 == 0 for step in range(100) for side in plan.size(step))
