"""Several looks at one subject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recon.refine.looks import looks_of
from recon.stages.depth import to_depth_map
from tests.refine import toy
from tests.refine.toy import Inflating


def looked(estimator: Inflating, turns: tuple[float, ...]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The first look and what each further one makes of it, front and back."""
    photo, mask, camera, _ = toy.ball()
    first = to_depth_map(estimator.estimate(photo.rgb, mask.inside), photo, mask, camera)
    found = looks_of(estimator, photo, mask, camera, first, turns)
    return np.stack([first.z, first.back]), [np.stack([d.z, d.back]) for d in found]


def test_turned_looks_agree_where_the_network_does_not_mind() -> None:
    first, (*_, last) = looked(Inflating(), (0.0, 15.0, -15.0))
    inside = ~np.isnan(first[0])
    assert np.abs(last - first)[:, inside].max() < 0.02 * np.median(first[0][inside])


def test_a_mirrored_look_takes_away_what_the_network_prefers_to_one_side() -> None:
    straight, _ = looked(Inflating(), ())
    leaning, (evened,) = looked(Inflating(lean=0.3), (0.0,))
    inside = ~np.isnan(straight[0])
    # the median is taken over a subject off the axis: what is left is one shift of both maps
    assert np.ptp((evened - straight)[:, inside]) < 0.25 * np.ptp((leaning - straight)[:, inside])


def test_every_look_sees_the_subject_whole_and_the_median_stays() -> None:
    estimator = Inflating()
    _, mask, *_ = toy.ball()
    assert mask.inside is not None
    first, found = looked(estimator, (0.0, 10.0))
    assert (len(found), len(estimator.seen)) == (3, 4)
    for inside in estimator.seen:
        assert abs(inside.sum() / mask.inside.sum() - 1) < 0.02
    assert abs(np.nanmedian(found[-1][0]) / np.nanmedian(first[0]) - 1) < 1e-2


def test_without_a_back_nothing_is_looked_at() -> None:
    photo, mask, camera, depth = toy.ball()
    estimator = Inflating()
    assert list(looks_of(estimator, photo, mask, camera, replace(depth, back=None), (0.0,))) == []
    assert estimator.seen == []
