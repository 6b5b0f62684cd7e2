"""Things pasted on scenes while training: what is true of the composite, and how often there is one."""

import math
from dataclasses import replace
from random import Random

import pytest
import torch

from training.synthetic import Exposure
from training.synthetic.labels import Labels
from training.synthetic.overlay import BEHIND, _overlaid, overlaid

SIDE = 32
PICTURES = 8


def flat(subject: bool, colour: float, depth: float) -> Exposure:
    """One picture of one colour at one depth; with a subject, its middle is half as far and twice as bright."""
    plane = torch.ones(1, 1, SIDE, SIDE)
    inside = torch.zeros_like(plane)
    if subject:
        inside[..., 8:24, 8:24] = 1
    labels = Labels(
        (1 + inside) / depth,
        torch.zeros_like(plane),
        torch.tensor([0.6, 0, -0.8]).view(1, 3, 1, 1) * plane,
        inside,
        0.1 * inside,
        0.2 * inside,
        torch.tensor([50.0 + 10 * subject]),
        torch.tensor([depth]),
    )
    return Exposure(colour * (1 + inside) * plane.expand(1, 3, -1, -1), labels)


def joined(pictures: list[Exposure]) -> Exposure:
    names = pictures[0].labels.maps()
    labels = Labels(**{name: torch.cat([getattr(p.labels, name) for p in pictures]) for name in names})
    return Exposure(torch.cat([p.linear for p in pictures]), labels)


@pytest.fixture
def batch():
    """Even pictures have a subject 1 m away, odd ones are scenes 5 m away."""
    return joined([flat(i % 2 == 0, 0.1 + 0.1 * i, 2.0 if i % 2 == 0 else 5.0) for i in range(PICTURES)])


def test_a_composite_has_the_subject_s_labels_inside_and_the_scene_s_behind_it(batch):
    labels = _overlaid(batch, 0, 1, Random(0)).labels
    inside = batch.labels.subject[:1] > 0
    for name in ("subject", "front", "back", "fov"):
        assert torch.equal(getattr(labels, name), getattr(batch.labels, name)[:1])
    assert torch.equal(labels.disparity[inside], batch.labels.disparity[:1][inside])
    assert (labels.disparity[~inside] <= batch.labels.disparity[:1][inside].min() / BEHIND + 1e-6).all()
    assert labels.distance.isnan().all()


def test_the_background_turns_with_its_normals(batch):
    """Mirrored or not, the normal across a mirrored background has its other sign."""
    turned = {round(float(_overlaid(batch, 0, 1, Random(seed)).labels.normals[0, 0, 0, 0]), 4) for seed in range(20)}
    assert turned == {0.6, -0.6}


def test_far_things_of_the_scene_stay_in_their_order(batch):
    near = torch.linspace(0.1, 3, SIDE * SIDE).view(1, 1, SIDE, SIDE)
    pictures = replace(batch, labels=replace(batch.labels, disparity=batch.labels.disparity.clone()))
    pictures.labels.disparity[1] = near
    for seed in range(6):
        behind = _overlaid(pictures, 0, 1, Random(seed)).labels.disparity[0, 0, 0]
        assert behind.diff().sign().unique().numel() == 1


def test_some_pictures_become_composites_and_scenes_stay_scenes(batch):
    changed, kept_scenes = [], []
    for seed in range(200):
        labels = overlaid(batch, Random(seed), 0.35).labels
        new = [not torch.equal(labels.disparity[i], batch.labels.disparity[i]) for i in range(PICTURES)]
        changed.append(sum(new[::2]) / 4)
        kept_scenes.append(sum(float(labels.subject[i].sum()) == 0 for i in range(1, PICTURES, 2)) / 4)
    assert sum(changed) / 200 == pytest.approx(0.35, abs=0.06)
    assert sum(kept_scenes) / 200 == pytest.approx(1 - 0.35 / 2, abs=0.05)


def test_the_same_source_of_chance_gives_the_same_pictures_and_the_input_is_left_alone(batch):
    before = batch.linear.clone()
    first, second = (overlaid(batch, Random(3), 0.9) for _ in range(2))
    assert torch.equal(first.linear, second.linear)
    assert torch.equal(batch.linear, before)
    assert first.linear.isfinite().all()


def test_a_batch_without_scenes_or_without_things_stays_as_it_is(batch):
    for which in (slice(0, None, 2), slice(1, None, 2)):
        some = Exposure(batch.linear[which], batch.labels[which])
        assert overlaid(some, Random(0), 1.0) is some


def test_unknown_distances_are_not_a_number_and_known_ones_stay(batch):
    labels = overlaid(batch, Random(1), 0.35).labels
    pasted = [not torch.equal(labels.disparity[i], batch.labels.disparity[i]) for i in range(PICTURES)]
    for i, new in enumerate(pasted):
        assert math.isnan(labels.distance[i]) == new
