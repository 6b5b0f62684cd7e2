"""Photographs as grounds: what is known of them, how many there are, and that everything else is left as it was."""

import math
from random import Random

import cv2
import numpy as np
import pytest
import torch

from training.losses import loss_parts
from training.net import Geometry
from training.photographs import INSIDE, LEAST, _moved, crop, decoded, read_photographs, with_photographs
from training.sample_pool import Recipe, SamplePool
from training.synthetic import World
from training.train import Plan, Trainer

PHOTOGRAPHS = [np.random.default_rng(i).integers(0, 256, (60 + 20 * i, 90, 3), np.uint8) for i in range(3)]
STAGES = ((9, 4, ((32, 64), (64, 32)), "both"), (0, 2, ((32, 32),), "alone"))


@pytest.fixture(scope="module")
def batch():
    return World(4).expose(0, 12, 48, 48, "subjects")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "photographs").mkdir()
    for i, image in enumerate(PHOTOGRAPHS):
        cv2.imwrite(str(tmp_path / f"photographs/{i}.png"), image[..., ::-1])
    return tmp_path / "photographs"


def drawn(batch, count=60):
    """Batches with photographs, and which of their pictures are some."""
    many = [with_photographs(batch, PHOTOGRAPHS, Random(seed)) for seed in range(count)]
    return many, torch.stack([pictures.labels.fov.isnan() for pictures in many])


def test_a_share_of_the_pictures_become_photographs_and_two_thirds_of_those_get_a_subject(batch):
    many, which = drawn(batch, 150)
    assert which.float().mean() == pytest.approx(0.15, abs=0.02)
    has = torch.cat([p.labels.subject[mine].amax((1, 2, 3)) > 0 for p, mine in zip(many, which, strict=True)])
    assert has.float().mean() == pytest.approx(2 / 3, abs=0.08)


def test_never_all_pictures_become_photographs():
    two = World(4).expose(0, 2, 32, 32, "subjects")
    assert max(int(with_photographs(two, PHOTOGRAPHS, Random(s)).labels.fov.isnan().sum()) for s in range(200)) == 1


def test_a_bare_photograph_has_no_subject_and_is_a_part_of_a_photograph(batch):
    """Photographs of one colour: what is bare is that colour everywhere, and its labels say nothing."""
    plain = [np.full((40, 60, 3), 128, np.uint8)]
    found = 0
    for seed in range(40):
        pictures = with_photographs(batch, plain, Random(seed))
        for i in pictures.labels.fov.isnan().nonzero().flatten().tolist():
            if pictures.labels.subject[i].max() == 0:
                found += 1
                assert torch.allclose(pictures.linear[i], decoded(torch.tensor(128 / 255)), atol=1e-5)
                for name, values in pictures.labels.maps().items():
                    if name not in ("fov", "distance"):
                        assert not values[i].any(), name
    assert found > 10


def test_a_pasted_subject_covers_its_mask_and_nothing_else(batch):
    """On a black photograph light is found only where the mask is, or one pixel beside it, where the edge is soft."""
    black = [np.zeros((40, 60, 3), np.uint8)]
    for seed in range(30):
        pictures = with_photographs(batch, black, Random(seed))
        for i in pictures.labels.fov.isnan().nonzero().flatten().tolist():
            near = torch.nn.functional.max_pool2d(pictures.labels.subject[i], 3, 1, 1)
            assert (pictures.linear[i] * (near == 0) == 0).all()


def test_pictures_that_are_no_photographs_stay_bit_equal_and_the_input_is_not_changed(batch):
    before = batch.linear.clone()
    pictures = with_photographs(batch, PHOTOGRAPHS, Random(5))
    same = pictures.labels.fov.isfinite()
    assert 0 < same.sum() < len(same)
    assert torch.equal(pictures.linear[same], batch.linear[same])
    for name, values in batch.labels[same].maps().items():
        assert torch.equal(values.nan_to_num(-1), getattr(pictures.labels[same], name).nan_to_num(-1)), name
    assert torch.equal(batch.linear, before)


def test_a_moved_subject_keeps_most_of_itself_and_enough_of_the_picture():
    light, mask = torch.ones(3, 64, 64), torch.zeros(1, 64, 64)
    mask[:, 20:40, 24:36] = 1
    for seed in range(60):
        moved = _moved(light, mask, Random(seed))[1]
        assert moved.mean() >= LEAST * INSIDE**2 * 0.9
        assert set(moved.unique().tolist()) <= {0.0, 1.0}


def test_a_subject_that_its_picture_cuts_off_is_mirrored_at_most():
    light, mask = torch.rand(3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.zeros(1, 32, 32)
    mask[:, 10:20, :9] = 1
    for seed in range(8):
        colour, moved = _moved(light, mask, Random(seed))
        turned = torch.equal(moved, mask.flip(-1))
        assert turned or torch.equal(moved, mask)
        assert torch.allclose(colour, light.flip(-1) if turned else light, atol=1e-5)


def test_a_crop_keeps_the_aspect_and_is_never_enlarged_much():
    """A ramp of one grey level per pixel shows the scale: between the whole and a third, and two thirds at the least."""
    ramp = np.broadcast_to(np.arange(240, dtype=np.uint8)[None, :, None], (160, 240, 3))
    for seed in range(40):
        light = crop(ramp, 48, 72, Random(seed))
        level = 255 * (1.055 * light[0, 24] ** (1 / 2.4) - 0.055)
        step = float(level[12:60].diff().abs().median())
        assert 240 / 72 / 3 * 0.95 <= step <= 240 / 72 * 1.05
    small = crop(ramp[:40, :60], 48, 72, Random(0))
    assert small.shape == (3, 48, 72)


def test_srgb_is_decoded_as_the_standard_has_it():
    assert decoded(torch.tensor([0.0, 0.5, 1.0])).tolist() == pytest.approx([0, 0.21404, 1], abs=1e-5)


def test_the_same_step_sees_the_same_photographs_and_things_alone_see_none(folder):
    first, second = (SamplePool(Recipe(3, STAGES, photographs=folder)) for _ in range(2))
    without, seen = SamplePool(Recipe(3, STAGES)), 0
    for step in (6, 0, 3, 1):
        one, other = first.batch(step), second.batch(step)
        assert torch.equal(one.rgb, other.rgb)
        seen += int(one.labels.fov.isnan().sum())
    assert seen > 0
    alone = first.batch(9)
    assert torch.equal(alone.rgb, without.batch(9).rgb) and alone.labels.fov.isfinite().all()


def prediction(count):
    r = torch.Generator().manual_seed(0)
    maps = [torch.rand(count, c, 32, 32, generator=r) + 0.5 for c in (1, 1, 3, 1, 1, 1)]
    return Geometry(*maps, torch.full((count, 2), 50.0), torch.full((count, 2), 0.5))


def test_unknown_labels_change_no_other_loss():
    labels = World(1).batch(0, 3, 32, 32).labels
    maps = {name: values.clone() for name, values in labels.maps().items()}
    maps["fov"][1] = math.nan
    for name in maps:
        if name not in ("fov", "subject"):
            maps[name][1] = 7.0
    got = loss_parts(prediction(3), type(labels)(**maps))
    whole, known = loss_parts(prediction(3), labels), [0, 2]
    rest = loss_parts(Geometry(*(x[known] for x in prediction(3))), labels[known])
    for name, value in got.items():
        assert torch.equal(value, (whole if name == "subject" else rest)[name]), name


def test_where_nothing_is_known_only_the_subject_has_a_loss_and_gradients_are_finite():
    labels = World(1).batch(0, 2, 32, 32).labels
    maps = {**labels.maps(), "fov": torch.full((2,), math.nan)}
    guess = Geometry(*(x.clone().requires_grad_() for x in prediction(2)))
    parts = loss_parts(guess, type(labels)(**maps))
    assert all(value == 0 for name, value in parts.items() if name != "subject") and parts["subject"] > 0
    torch.stack(list(parts.values())).sum().backward()
    assert guess.subject.grad.isfinite().all() and guess.disparity.grad is None


def test_a_run_trains_with_photographs_and_its_plan_says_so(tmp_path, folder):
    tiny = Plan(
        seed=3, steps=3, widths=(8,) * 5, fine=8, heads=2, frozen=1, stages=((0, 4, ((32, 64), (64, 32)), "both"),)
    )
    trainer = Trainer(tmp_path / "run", tiny, photographs=folder)
    assert all(math.isfinite(trainer.advance()) for _ in range(3))
    trainer.save()
    assert Trainer(tmp_path / "run", tiny, photographs=folder).step == 3
    with pytest.raises(ValueError, match="photographs=True"):
        Trainer(tmp_path / "run", tiny)


def test_a_folder_without_photographs_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no photographs"):
        read_photographs(tmp_path)
