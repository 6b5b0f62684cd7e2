"""Affine-invariant disparity to depth: exact inverse, order, invariance, bounds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.disparity import disparity_to_depth
from tests.scenes import camera_of, frozen, room

LAW = settings(max_examples=40, deadline=None, derandomize=True)


def some_depth(seed: int, near: float = 1.0, ratio: float = 8.0) -> np.ndarray:
    return frozen(np.random.default_rng(seed).uniform(near, near * ratio, (13, 17)).astype(np.float32))


@LAW
@given(st.integers(0, 999), st.floats(0.1, 50), st.floats(1.1, 100), st.floats(1e-3, 1e3), st.floats(-5, 5))
def test_with_the_true_ends_any_affine_disparity_gives_the_true_depth(
    seed: int, near: float, ratio: float, gain: float, shift: float
) -> None:
    z = some_depth(seed, near, ratio)
    x = (gain * (near / z + shift)).astype(np.float32)
    found = disparity_to_depth(x, float(z.min()), float(z.max()))
    # float32 of the disparity, seen through 1/z at the far end
    np.testing.assert_allclose(found, z, rtol=4e-7 * ratio * (2 + abs(shift)))


@LAW
@given(st.integers(0, 999), st.sampled_from([(None, None), (2.0, None), (None, 7.0), (1.5, 9.0)]), st.floats(0.01, 100),
       st.floats(-3, 3))  # fmt: skip
def test_gain_and_shift_change_nothing_and_order_is_kept(
    seed: int, ends: tuple[float | None, float | None], gain: float, shift: float
) -> None:
    x = (1 / some_depth(seed)).astype(np.float32)
    found = disparity_to_depth(x, *ends)
    np.testing.assert_allclose(disparity_to_depth(np.float32(gain) * (x + np.float32(shift)), *ends), found, rtol=2e-4)
    order = np.argsort(x.ravel())
    assert (np.diff(found.ravel()[order]) <= 0).all()


@LAW
@given(st.integers(0, 999), st.floats(1.2, 30), st.one_of(st.none(), st.floats(0.1, 9)), st.booleans())
def test_without_both_ends_depth_stays_in_the_documented_range(
    seed: int, ratio: float, end: float | None, far_is_given: bool
) -> None:
    x = np.random.default_rng(seed).standard_cauchy((20, 20)).astype(np.float32)  # wild extremes
    near, far = (None, end) if far_is_given else (end, None)
    z = disparity_to_depth(x, near, far, ratio)
    nearest = end / ratio if end is not None and far_is_given else (end or 1.0)
    tail = 1 + ratio / 20
    assert z.min() >= nearest / tail * (1 - 1e-6)
    assert z.max() <= nearest * ratio * tail * (1 + 1e-6)
    low, high = np.percentile(x, [1, 99])
    inner = z[(x >= low) & (x <= high)]
    assert inner.min() >= nearest * (1 - 1e-5)
    assert inner.max() <= nearest * ratio * (1 + 1e-5)


def test_with_both_ends_the_extremes_lie_exactly_there() -> None:
    z = disparity_to_depth((1 / some_depth(3)).astype(np.float32), 2.0, 6.0)
    assert z.min() == pytest.approx(2, rel=1e-6)
    assert z.max() == pytest.approx(6, rel=1e-6)


def test_a_plane_s_depth_from_a_room_s_disparity_stays_a_plane() -> None:
    """Depth off by an unknown gain and shift bends planes only by the projective map 1/z → A + B/z: lines stay lines."""
    x = (1 / room(camera_of())).astype(np.float32)
    back_wall = x == x.min()
    found = disparity_to_depth(x)
    assert np.ptp(found[back_wall]) <= 1e-4 * found[back_wall].mean()


def test_nan_stays_nan_and_changes_nothing_else() -> None:
    x = np.array(1 / some_depth(5), np.float32)
    holed = x.copy()
    holed[::3, ::4] = np.nan
    found = disparity_to_depth(holed, 1.0, 8.0)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(holed))
    kept = ~np.isnan(holed)
    low, high = holed[kept].min(), holed[kept].max()
    expected = 1 / (1 / 8 + (1 - 1 / 8) * (holed[kept] - low) / (high - low))
    np.testing.assert_allclose(found[kept], expected, rtol=1e-5)


def test_a_flat_disparity_is_one_finite_depth() -> None:
    for value in (0.0, 1e-30, 5.0):
        z = disparity_to_depth(np.full((4, 5), value, np.float32))
        assert np.isfinite(z).all()
        assert np.ptp(z) == 0


def test_a_disparity_that_is_mostly_one_value_still_uses_its_whole_range() -> None:
    x = np.zeros((50, 50), np.float32)
    x[0, :5] = 1  # fewer than a percent: the percentiles coincide
    z = disparity_to_depth(x, near=1.0, far=10.0)
    assert sorted(set(np.round(z.ravel(), 5))) == [1.0, 10.0]
    assert np.ptp(disparity_to_depth(x)) > 8
