"""Several looks at one subject."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from recon.refine.looks import looks_of
from recon.types import RawDepth, Relief
from tests.refine import toy


@dataclass
class Inflating:
    """A network that makes a cushion of any silhouette, `lean` steeper to the right; it does not mind how that is turned."""

    lean: float = 0.0
    seen: list[np.ndarray] = field(default_factory=list)
    name: str = "inflating"

    def load(self) -> None:
        """Nothing to load."""

    def estimate(self, rgb: np.ndarray, inside: np.ndarray | None = None) -> RawDepth:
        """Front and back from the distance to the outline."""
        assert inside is not None
        self.seen.append(inside)
        height, width = inside.shape
        deep = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5) / width
        tilt = self.lean * np.linspace(-1, 1, width, dtype=np.float32)[None] * np.ones((height, 1), np.float32)
        return RawDepth(deep, "disparity", self.name, relief=Relief(tilt - deep, tilt + deep, 0, 0, width, height))


def means(estimator: Inflating, turns: tuple[float, ...]) -> list[np.ndarray]:
    photo, mask, camera, depth = toy.ball()
    return [np.stack([d.z, d.back]) for d in looks_of(estimator, photo, mask, camera, depth, turns)]


def test_turned_looks_agree_where_the_network_does_not_mind() -> None:
    one, *_, every = means(Inflating(), (0.0, 15.0, -15.0))
    inside = ~np.isnan(one[0])
    assert np.abs(every - one)[:, inside].max() < 0.02 * np.median(one[0][inside])


def test_a_mirrored_look_takes_away_what_the_network_prefers_to_one_side() -> None:
    straight, leaning = means(Inflating(), (0.0,)), means(Inflating(lean=0.3), (0.0,))
    inside = ~np.isnan(straight[0][0])
    assert np.abs(leaning[0] - straight[0])[:, inside].max() > 0.05
    # the median is taken over a subject off the axis: what is left is one shift of both maps
    left = (leaning[1] - straight[1])[:, inside]
    assert np.ptp(left) < 0.25 * np.ptp((leaning[0] - straight[0])[:, inside])


def test_every_look_sees_the_subject_whole_and_the_median_stays() -> None:
    estimator = Inflating()
    _, mask, _, depth = toy.ball()
    assert mask.inside is not None
    found = means(estimator, (0.0, 10.0))
    assert len(found) == len(estimator.seen) == 4
    for inside in estimator.seen:
        assert abs(inside.sum() / mask.inside.sum() - 1) < 0.02
    assert abs(np.nanmedian(found[0][0]) / np.nanmedian(depth.z) - 1) < 1e-3


def test_without_a_back_nothing_is_looked_at() -> None:
    photo, mask, camera, depth = toy.ball()
    estimator = Inflating()
    assert list(looks_of(estimator, photo, mask, camera, replace(depth, back=None), (0.0,))) == []
    assert estimator.seen == []
