"""The trainer: what a run follows from, and that an interruption changes nothing."""

import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from training.net import GeometryNet, ObjectNet
from training.sample_pool import Recipe, SamplePool, SamplePoolAhead
from training.train import LARGEST, LATER, OBJECT, WARM, Plan, Trainer, cooled, started

LEG = Path(__file__).resolve().parents[2] / "training/weights/leg4.pt"
TINY = Plan(
    seed=3,
    steps=6,
    widths=(8, 8, 8, 8, 8),
    fine=8,
    heads=2,
    frozen=2,
    stages=((4, 4, ((32, 64), (64, 32)), "scenes"), (0, 2, ((64, 64),), "subjects")),
)


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


def test_the_rate_rises_stays_and_falls_to_nearly_nothing():
    plan = Plan(steps=4000)
    for part, peak in plan.rates:
        begun = plan.frozen if part == "encoder." else 0
        rates = [plan.rate_at(step, part) for step in range(plan.steps)]
        assert set(rates[:begun]) <= {0.0}
        assert rates[begun : begun + WARM] == sorted(rates[begun : begun + WARM])
        assert set(rates[begun + WARM : plan.steady]) == {peak}
        assert rates[plan.steady :] == sorted(rates[plan.steady :], reverse=True)
        assert rates[-1] < 0.011 * peak


def test_a_run_can_begin_with_the_weights_of_another(tmp_path):
    first = Trainer(tmp_path / "first", TINY)
    first.advance()
    first.save()
    weights, plan = tmp_path / "first" / "last.pt", replace(TINY, seed=4)
    second = started(tmp_path / "second", plan, weights)
    for name, value in first.ema.state_dict().items():
        assert torch.equal(value, second.net.state_dict()[name]) and torch.equal(value, second.ema.state_dict()[name])
    second.advance()
    second.save()
    third = started(tmp_path / "second", plan, weights)
    assert third.step == 1
    for name, value in second.net.state_dict().items():
        assert torch.equal(value, third.net.state_dict()[name])
    with pytest.raises(ValueError, match="use another --run"):
        Trainer(tmp_path / "second", plan)


def test_the_kept_leg_fits_the_net_and_sees_near_and_far(tmp_path):
    """What training/README.md says the next leg goes on from: strictly these weights, and they know a road from its end."""
    trainer = started(tmp_path, replace(Plan(), stages=LATER, frozen=0), LEG)
    ahead = torch.full((1, 4, 128, 192), 0.35)  # grey ground that grows paler up to a blue sky
    ahead[:, :3, 64:] += torch.linspace(0.2, 0, 64)[:, None]
    ahead[:, :3, :64] = torch.tensor([0.5, 0.7, 0.95])[:, None, None]
    ahead[:, 3] = 0
    with torch.no_grad():
        seen = trainer.ema(ahead)
    rows = seen.disparity[0, 0, 64:].mean(1)
    assert rows[-16:].mean() > 1.5 * rows[:16].mean() and seen.disparity.isfinite().all()


THINGS = replace(TINY, network="object", hinted=1.0, relief=0.1, frozen=0, stages=((0, 2, ((32, 32),), "alone"),))


def test_the_network_of_objects_begins_with_what_the_geometry_network_knows_and_goes_on(tmp_path):
    first = Trainer(tmp_path / "first", TINY)
    first.advance()
    first.save()
    weights = tmp_path / "first" / "last.pt"
    second = started(tmp_path / "second", THINGS, weights)
    assert isinstance(second.net, ObjectNet) and isinstance(first.net, GeometryNet)
    for name, value in first.ema.encoder.state_dict().items():
        assert torch.equal(value, second.net.encoder.state_dict()[name])
    losses = [second.advance() for _ in range(2)]
    second.save()
    third = started(tmp_path / "second", THINGS, weights)
    whole = started(tmp_path / "whole", THINGS, weights)
    losses.append(third.advance())
    assert [whole.advance() for _ in range(3)] == losses
    with pytest.raises(ValueError, match="use another --run"):
        Trainer(tmp_path / "second", replace(third.plan, network="geometry"))


def test_a_thing_alone_is_seen_on_the_products_ground_with_its_mask(tmp_path):
    trainer, seen = Trainer(tmp_path, THINGS), []
    trainer.net.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    trainer.advance()
    (photo,), labels = seen, trainer.pool.batch(0).labels
    assert torch.equal(photo[:, 3:], 2 * labels.subject - 1)
    ground = photo[:, :3][(labels.subject == 0).expand(-1, 3, -1, -1)]
    assert torch.allclose(ground, torch.tensor(230 / 255))
    assert photo[:, :3][(labels.subject == 1).expand(-1, 3, -1, -1)].std() > 0.02


def test_a_steady_run_may_be_made_longer_and_no_other(tmp_path):
    trainer = Trainer(tmp_path, TINY)
    trainer.advance()
    trainer.save()
    assert Trainer(tmp_path, replace(TINY, steps=8)).step == 1
    with pytest.raises(ValueError, match="use another --run"):
        Trainer(tmp_path, replace(TINY, rates=(("", 0.1),)))
    trainer.step = TINY.steady + 1
    trainer.save()
    with pytest.raises(ValueError, match="use another --run"):
        Trainer(tmp_path, replace(TINY, steps=8))


def test_a_steady_run_may_be_given_other_stages_to_come_and_no_other_past(tmp_path):
    trainer = Trainer(tmp_path, TINY)
    for _ in range(3):
        trainer.advance()
    trainer.save()
    first, second = TINY.stages
    assert Trainer(tmp_path, replace(TINY, stages=(first, (0, 2, ((96, 64),), "wide")))).step == 3
    assert Trainer(tmp_path, replace(TINY, stages=((3, *first[1:]), second))).step == 3
    for stages in ((second,), ((2, *first[1:]), second), ((4, 2, *first[2:]), second)):
        with pytest.raises(ValueError, match="use another --run"):
            Trainer(tmp_path, replace(TINY, stages=stages))


def test_a_run_told_to_end_saves_after_its_step_and_leaves_no_helper(tmp_path):
    code = (
        "import sys, signal, os, threading\n"
        "from pathlib import Path\n"
        "from tests.training.test_train import TINY\n"
        "from training.train import Trainer, train\n"
        "if __name__ == '__main__':\n"
        f"    trainer = Trainer(Path({str(tmp_path)!r}), TINY, ahead=True)\n"
        "    advance = trainer.advance\n"
        "    def once():\n"
        "        advance()\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    trainer.advance = once\n"
        "    train(trainer, 60, 60, None)\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code)
    root = Path(__file__).parents[2]
    subprocess.run(
        [sys.executable, str(script)], cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=True, timeout=300
    )
    assert Trainer(tmp_path, TINY).step == 1


def test_pictures_made_ahead_are_the_same():
    """In another process or in this one, a step sees the same pictures."""
    alone, helped = SamplePool(Recipe(3, TINY.stages)), SamplePoolAhead(Recipe(3, TINY.stages))
    try:
        for step in (0, 1, 7):
            first, second = alone.batch(step), helped.batch(step)
            assert torch.equal(first.rgb, second.rgb)
            assert torch.equal(first.labels.back, second.labels.back)
    finally:
        helped.close()


def test_chunks_on_disk_are_the_same_and_are_not_rendered_again(tmp_path, monkeypatch):
    plain, kept = SamplePool(Recipe(3, TINY.stages)), SamplePool(Recipe(3, TINY.stages, folder=tmp_path))
    for step in (0, 3):
        assert torch.equal(plain.batch(step).rgb, kept.batch(step).rgb)
    again = SamplePool(Recipe(3, TINY.stages, folder=tmp_path))
    monkeypatch.setattr(again.world, "expose", None)
    assert torch.equal(plain.batch(3).rgb, again.batch(3).rgb)


def test_old_chunks_are_thrown_away(tmp_path, monkeypatch):
    monkeypatch.setattr("training.sample_pool.ON_DISK", 20)
    pool = SamplePool(Recipe(3, ((0, 1, ((32, 32),), "scenes"),), reuse=1, folder=tmp_path))
    for step in range(30):
        pool.batch(step)
    assert 16 <= len(list(tmp_path.iterdir())) <= 24


def test_a_frozen_encoder_stays_as_it_is_and_then_learns(tmp_path):
    trainer = Trainer(tmp_path, TINY)
    before = {name: value.clone() for name, value in trainer.net.encoder.named_parameters()}
    for _ in range(TINY.frozen):
        trainer.advance()
    assert all(torch.equal(value, before[name]) for name, value in trainer.net.encoder.named_parameters())
    trainer.advance()
    moved = [not torch.equal(value, before[name]) for name, value in trainer.net.encoder.named_parameters()]
    assert np.mean(moved) > 0.9


def test_every_weight_has_one_rate(tmp_path):
    trainer = Trainer(tmp_path, TINY)
    groups = trainer.optimiser.param_groups
    assert sum(len(group["params"]) for group in groups) == len(list(trainer.net.parameters()))
    encoder = {id(p) for p in trainer.net.encoder.parameters()}
    for group in groups:
        assert {id(p) in encoder for p in group["params"]} <= {group["part"] == "encoder."}
        assert all((p.ndim > 1) == ("weight_decay" not in group or group["weight_decay"] > 0) for p in group["params"])


def test_every_picture_is_used_about_as_often_as_asked():
    pool = SamplePool(Recipe(0, ((0, 2, ((32, 32), (32, 64), (64, 32)), "scenes"),), reuse=4))
    uses = Counter(c for step in range(900) for c in pool.drawn(step))
    used = [uses[c] for c in range(3 * 100)]
    assert min(used) >= 1
    assert np.mean(used) == pytest.approx(4, rel=0.1)
    for step in range(300):
        assert len(set(pool.drawn(step))) == 2
        assert {c % 3 for c in pool.drawn(step)} == {step % 3}


def test_every_size_fits_the_net():
    assert all(
        side % 32 == 0
        for _, _, sizes, _ in (*Plan().stages, *LATER, *OBJECT, (0, 0, LARGEST, ""))
        for size in sizes
        for side in size
    )


def test_a_hint_is_the_mask_in_some_pictures_that_have_one(tmp_path):
    trainer = Trainer(tmp_path, TINY)
    subject = torch.zeros(64, 1, 4, 4)
    subject[:32, :, :2] = 1
    hint = trainer._hint(subject)
    told = hint[:, 0, 0, 0] != 0
    assert 6 <= told.sum() <= 20
    assert not told[32:].any()
    assert torch.equal(hint[told], 2 * subject[told] - 1)
    assert (hint[~told] == 0).all()


def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_the_checkpoint(tmp_path):
    trainer = Trainer(tmp_path, TINY)
    trainer.advance()
    trainer.save()
    with torch.no_grad():
        next(trainer.net.parameters()).fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="step 1"):
        trainer.advance()
    assert Trainer(tmp_path, TINY).step == 1


def test_a_few_steps_on_the_same_pictures_learn_them(tmp_path):
    """The loss falls by a quarter within forty steps over one pool of pictures."""
    plan = replace(
        TINY,
        steps=40,
        reuse=100,
        rates=(("encoder.", 1e-3), ("", 0.01)),
        stages=((0, 4, ((64, 64),), "scenes"),),
        widths=(16, 16, 16, 16, 16),
        frozen=0,
    )
    trainer = Trainer(tmp_path, plan)
    losses = [trainer.advance() for _ in range(plan.steps)]
    assert np.mean(losses[-5:]) < 0.75 * np.mean(losses[:3])


def test_stages_follow_each_other():
    plan = replace(TINY, steps=20)
    pool = SamplePool(Recipe(1, plan.stages))
    assert [pool.stage(step) for step in (0, 3, 4, 19)] == [(0, 0), (0, 3), (1, 0), (1, 15)]
    assert pool.batch(1).rgb.shape == (8, 3, 64, 32)
    assert pool.batch(4).rgb.shape == (4, 3, 64, 64)
    assert [plan.pictures(step) for step in (0, 1, 4, 5, 20)] == [0, 8, 32, 36, 96]


def test_the_largest_pictures_come_when_the_rates_fall_however_long_a_run_becomes() -> None:
    long, short = (cooled(replace(Plan(), stages=LATER, steps=steps, decay=0.2)) for steps in (24_000, 6_000))
    assert [stage[0] for stage in short.stages] == [400, 4_400, 0] and short.stages[-1][2] == LARGEST
    assert short.steady == 4_800 and long.until(4_800) == short.until(4_800) != short.until(4_801)
