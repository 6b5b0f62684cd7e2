"""Disparity is affine in inverse depth; comfort limits hold for anything."""

from __future__ import annotations

import numpy as np
import pytest

from recon.stereo.comfort import BEHIND, FRONT, SCREENS, Comfort, comfort_of, cut_share, drawn_back, limited_disparity
from recon.stereo.disparity import disparity_of, grown, middle_plane, nearness_of
from recon.types import DepthMap
from tests.scenes import camera_of, frozen, plane


def depth_of(z: np.ndarray, **about: object) -> DepthMap:
    return DepthMap(frozen(np.asarray(z, np.float32)), True, **about)


def test_true_disparity_is_that_of_two_cameras() -> None:
    """d = f·b·(1/Z − 1/Zc): with D = f·b·span the nearness gives exactly that, for a tilted plane."""
    camera = camera_of(96, 72, 80.0)
    z = plane(camera, (0.3, 0.2, -1), 2.0)
    near = nearness_of(depth_of(z))
    strength = camera.focal * 0.063 * near.span
    s_c = float(near.values[30, 40])
    expected = camera.focal * 0.063 * (1 / z - 1 / z[30, 40])
    assert np.allclose(disparity_of(near.values, strength, s_c), expected, atol=1e-4)


def test_nearness_does_not_depend_on_the_unit_nor_on_an_affine_change_of_inverse_depth() -> None:
    inverse = np.random.default_rng(0).uniform(0.2, 1, (40, 50))
    first = nearness_of(depth_of(1 / inverse)).values
    for other in (3.0 * inverse, 0.5 * inverse + 0.4):
        assert np.allclose(nearness_of(depth_of(1 / other)).values, first, atol=1e-4)


def test_what_has_no_surface_is_far_for_a_model_and_like_its_far_side_where_it_was_measured() -> None:
    z = np.full((10, 20), 4.0, np.float32)
    z[:, :5], z[:, 15:] = 1.0, 2.0
    z[:, 10:15] = np.nan
    assert (nearness_of(depth_of(z, model="builtin")).values[:, 10:15] == 0).all()
    measured = nearness_of(depth_of(z)).values
    assert np.array_equal(measured[:, 12], measured[:, 8])


def test_a_constant_map_has_no_disparity_on_the_plane_in_its_middle() -> None:
    near = nearness_of(depth_of(np.full((8, 9), 3.0)))
    assert (near.span, near.depth) == (0.0, 0.0)
    assert not disparity_of(near.values, 20.0, middle_plane(near.values)).any()


def test_growing_moves_steps_and_leaves_slopes() -> None:
    slope = np.broadcast_to(np.linspace(0, 1, 300, dtype=np.float32), (20, 300))
    assert np.array_equal(grown(slope, 1), slope)
    step = np.zeros((20, 30), np.float32)
    step[5:15, 10:20] = 1
    out = grown(step, 2)
    assert out[3:17, 8:22].min() == 1 and out.sum() == 14 * 14


def test_the_middle_counts_for_the_screen() -> None:
    near = np.zeros((60, 60), np.float32)
    near[20:40, 20:40] = 0.8
    assert middle_plane(near) == 0
    near[10:50, 10:50] = 0.8
    assert middle_plane(near) == pytest.approx(0.8)


@pytest.mark.parametrize("scale", [0.1, 5.0, 1e6])
def test_limits_hold_for_anything_and_keep_the_order(scale: float) -> None:
    width = 200.0
    d = frozen((scale * np.random.default_rng(0).standard_normal((20, 200))).astype(np.float32))
    out = limited_disparity(d)
    assert out.min() >= -BEHIND * width and out.max() <= FRONT * width
    order = np.argsort(d, axis=None)
    assert (np.diff(out.reshape(-1)[order]) >= 0).all()
    calm = (d <= 0.8 * FRONT * width) & (d >= -0.8 * BEHIND * width)
    assert np.array_equal(out[calm], d[calm])


def test_what_is_drawn_back_is_cut_no_more() -> None:
    d = np.full((10, 100), 1.0, np.float32)
    d[:, 40:60], d[5:] = -2.0, -1.0
    assert cut_share(d) == 0.5
    out = drawn_back(frozen(d))
    assert cut_share(out) < 1e-9 or out[:, [0, -1]].max() < 1e-3 * 100
    assert np.array_equal(out[d < 0], d[d < 0]) and np.array_equal(out[:5, 10:40], d[:5, 10:40])


def test_what_a_pair_is_on_a_screen() -> None:
    """The table of ../shared/references: at 27 inches 2 % behind are seen at 0.86 m, 2 % in front at 0.59."""
    found = Comfort(0.02, -0.02, 0.0).on(SCREENS[0])
    assert (found.nearest, found.farthest) == pytest.approx((0.59, 0.86), abs=0.006)
    assert found.comfortable
    assert Comfort(0.01, -0.06, 0.0).on(SCREENS[1]).farthest is None, "eyes would turn outwards from 5.3 %"


def test_comfort_is_told_in_words_and_numbers() -> None:
    d = np.zeros((10, 100), np.float32)
    d[:, :30], d[:, 50:] = 1.0, -1.5
    found = comfort_of(d)
    said = " ".join(map(str, found.notes()))
    for words in ("-1.50 %", "+1.00 %", "27-inch", "55-inch", "100 % of the height"):
        assert words in said
    assert found.to_json()["front_percent"] == 1.0
    assert "flat" in str(comfort_of(np.zeros((4, 4), np.float32)).notes()[0])
