"""A parallax film's camera: it begins at the photo's view, comes back as it left, stays in the cone, keeps its promises."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest

from recon.geometry.parallax import LEAN, Reach, Standpoint, parallax_views, reach_of
from recon.settings import ParallaxPath
from tests.scenes import camera_of, frozen

PATHS = get_args(ParallaxPath)
REACH = Reach(near=1.5, ahead=2.0, pivot=4.0)
CONES = (5.0, 30.0, 80.0)


def state(view: Standpoint) -> np.ndarray:
    """Place, direction and focal length, as one vector."""
    ahead = view.aim - view.eye
    return np.concatenate([view.eye, ahead / np.linalg.norm(ahead), [view.zoom]])


def path(name: ParallaxPath, count: int, cone: float = 30.0) -> np.ndarray:
    return np.array([state(view) for view in parallax_views(name, count, REACH, cone)])


@pytest.mark.parametrize("name", PATHS)
def test_it_begins_at_the_photo_s_own_view(name: ParallaxPath) -> None:
    np.testing.assert_array_equal(path(name, 10)[0], [0, 0, 0, 0, 0, 1, 1])


@pytest.mark.parametrize("name", PATHS)
def test_it_comes_back_as_it_left(name: ParallaxPath) -> None:
    """Round the seam the first and second differences are those of a smooth curve: they shrink with the step and its
    square, and are no larger than elsewhere."""
    for count in (50, 500):
        around = np.vstack([seen := path(name, count), seen[:2]])
        first, second = (np.linalg.norm(np.diff(around, n, axis=0), axis=1) * count**n for n in (1, 2))
        assert first[-2:].max() <= 1.05 * first[:-2].max()
        assert second[-2:].max() <= 1.05 * second[:-2].max()
        assert second.max() < 60  # of units of length per turn squared; a corner would grow with the count


@pytest.mark.parametrize("cone", CONES)
@pytest.mark.parametrize("name", PATHS)
def test_nothing_ahead_is_turned_by_more_than_the_cone(name: ParallaxPath, cone: float) -> None:
    """Neither the pivot nor what a photo of 60° shows at the nearest depth in the middle, by which a dolly is bounded."""
    points = np.array([[0, 0, REACH.pivot], *([x, y, REACH.ahead] for x in (-0.5, 0, 0.5) for y in (-0.4, 0, 0.4))])
    most = 0.0
    for view in parallax_views(name, 60, REACH, cone):
        rays = points - view.eye
        cosine = (rays * points).sum(axis=1) / np.linalg.norm(rays, axis=1) / np.linalg.norm(points, axis=1)
        most = max(most, math.degrees(np.arccos(np.clip(cosine, -1, 1)).max()))
    assert 0.02 * cone < most <= cone


def magnification(view: Standpoint, depth: float) -> float:
    """Of something at a depth on the axis, against the photo."""
    return view.zoom * depth / (depth - view.eye[2])


@pytest.mark.parametrize("cone", CONES)
def test_a_dolly_makes_the_nearest_grow_and_leaves_the_far_away(cone: float) -> None:
    middle = list(parallax_views("dolly", 8, REACH, cone))[4]
    growth = 1 / (1 - math.sin(math.radians(cone / 2)))
    assert magnification(middle, REACH.ahead) == pytest.approx(growth)
    assert magnification(middle, 1e9) == pytest.approx(1)


@pytest.mark.parametrize("cone", CONES)
def test_a_dolly_zoom_keeps_the_nearest_and_shrinks_nothing(cone: float) -> None:
    for view in parallax_views("zoom", 12, REACH, cone):
        assert magnification(view, REACH.near) == pytest.approx(1)
        assert all(magnification(view, depth) >= 1 - 1e-12 for depth in (1.5, 2, 8, 1e6))
    middle = list(parallax_views("zoom", 12, REACH, cone))[6]
    assert magnification(middle, 1e9) == pytest.approx(1 / (1 - math.sin(math.radians(cone / 2))))


def test_an_orbit_keeps_its_distance_and_its_aim_and_is_even() -> None:
    views = list(parallax_views("orbit", 40, REACH, 30.0))
    for view in views:
        assert np.linalg.norm(view.eye - [0, 0, REACH.pivot]) == pytest.approx(REACH.pivot)
        np.testing.assert_array_equal(view.aim, [0, 0, REACH.pivot])
        assert 1 <= view.zoom <= 1 + 1.01 * LEAN + 0.02
    eyes = np.array([view.eye for view in views])
    np.testing.assert_allclose(eyes[1:], eyes[:0:-1] * [-1, 1, 1], atol=1e-12)  # there and back are mirrored
    assert eyes[:, 1].max() <= 0  # never from below the photo's place (y points down)


@pytest.mark.parametrize("name", PATHS)
def test_another_unit_of_length_is_the_same_path(name: ParallaxPath) -> None:
    ten = Reach(*(10 * depth for depth in vars(REACH).values()))
    for one, other in zip(parallax_views(name, 9, REACH, 30.0), parallax_views(name, 9, ten, 30.0), strict=True):
        np.testing.assert_allclose(other.eye, 10 * one.eye)
        assert other.zoom == pytest.approx(one.zoom)


def test_reach_looks_at_the_middle_and_not_at_strays() -> None:
    camera = camera_of(120, 90, 60.0)  # half slopes 1 and 0.75
    rng = np.random.default_rng(3)
    ahead = np.column_stack([rng.uniform(-0.3, 0.3, (980, 2)), rng.uniform(4, 6, 980)])
    aside = np.column_stack([np.full(100, 1.9), np.zeros(100), np.full(100, 2.0)])
    strays = np.column_stack([np.zeros((5, 2)), np.full(5, 0.1)])
    behind = np.column_stack([np.zeros((500, 2)), np.full(500, -1.0)])
    found = reach_of(frozen(np.vstack([ahead, aside, strays, behind]).astype(np.float32)), camera)
    assert found.near == pytest.approx(2.0)
    assert 4 <= found.ahead < 4.2 and 4.7 < found.pivot < 5.1
