"""Several looks at one subject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from recon.refinement.augmented_views import averaged_relief
from recon.stages.depth import relief_depth
from recon.types import Mask
from tests.refinement import toy
from tests.refinement.toy import Inflating


def looked(network: Inflating, turns: tuple[float, ...]) -> tuple[np.ndarray, list[np.ndarray]]:
    """One look, and the mean after each of all looks: front and back."""
    photo, mask, camera, depth = toy.ball()
    assert mask.inside is not None
    one = relief_depth(network.relief(photo.rgb, mask.inside), photo, mask.inside, camera)
    found = averaged_relief([network], photo, mask, camera, replace(depth, z=one[0], back=one[1]), turns)
    return one, [np.stack([d.z, d.back]) for d in found]


def test_turned_looks_agree_where_the_network_does_not_mind() -> None:
    first, (*_, last) = looked(Inflating(), (0.0, 15.0, -15.0))
    inside = ~np.isnan(first[0])
    assert np.abs(last - first)[:, inside].max() < 0.02 * np.median(first[0][inside])


def test_a_mirrored_look_takes_away_what_the_network_prefers_to_one_side() -> None:
    straight, _ = looked(Inflating(), ())
    leaning, (_, evened) = looked(Inflating(lean=0.3), (0.0,))
    inside = ~np.isnan(straight[0])
    # the median is taken over a subject off the axis: what is left is one shift of both maps
    assert np.ptp((evened - straight)[:, inside]) < 0.25 * np.ptp((leaning - straight)[:, inside])


def test_every_look_sees_the_subject_whole_and_the_median_stays() -> None:
    network = Inflating()
    _, mask, *_ = toy.ball()
    assert mask.inside is not None
    first, found = looked(network, (0.0, 10.0))
    assert (len(found), len(network.seen)) == (4, 5)
    for inside in network.seen:
        assert abs(inside.sum() / mask.inside.sum() - 1) < 0.02
    assert abs(np.nanmedian(found[-1][0]) / np.nanmedian(first[0]) - 1) < 1e-2


def test_another_models_front_stays_and_gets_the_networks_thickness() -> None:
    photo, mask, camera, depth = toy.ball()
    *_, found = averaged_relief([Inflating()], photo, mask, camera, replace(depth, back=None), (0.0,))
    first, _ = looked(Inflating(), ())
    inside = mask.inside
    assert inside is not None
    assert found.back is not None
    np.testing.assert_array_equal(found.z, depth.z)
    unit = np.median(depth.z[inside]) / np.median(first[0][inside])
    np.testing.assert_allclose((found.back - found.z)[inside], unit * (first[1] - first[0])[inside], atol=0.02 * unit)


def test_a_scene_is_not_looked_at() -> None:
    photo, _, camera, depth = toy.ball()
    network = Inflating()
    assert list(averaged_relief([network], photo, Mask(None, "none"), camera, depth, (0.0,))) == []
    assert network.seen == []
