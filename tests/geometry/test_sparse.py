"""Sparse maps made dense: given samples untouched, planes exact, steps left open."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.sparse import REACH, densified, is_sparse
from tests.scenes import camera_of, frozen, plane, room, sphere, step

LAW = settings(max_examples=15, deadline=None, derandomize=True)
CAMERA = camera_of(80, 60, 160.0)


def thinned(z: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    return frozen(np.where(np.random.default_rng(seed).random(z.shape) < share, z, np.float32(np.nan)))


@LAW
@given(st.integers(0, 99), st.floats(0.15, 0.4), st.floats(-0.6, 0.6), st.floats(-0.6, 0.6))
def test_planes_are_filled_exactly_and_samples_stay(seed: int, share: float, x: float, y: float) -> None:
    exact = plane(CAMERA, (x, y, -1))
    z = thinned(exact, share, seed)
    found = densified(z, step=10.0)
    given_ = ~np.isnan(z)
    np.testing.assert_array_equal(found[given_], z[given_])
    filled = ~np.isnan(found)
    np.testing.assert_allclose(found[filled], exact[filled], rtol=2e-6)
    assert filled[8:-8, 8:-8].mean() > 0.9


@LAW
@given(st.integers(0, 99), st.floats(0.05, 0.4), st.floats(1.03, 10))
def test_nothing_is_filled_in_across_a_step(seed: int, share: float, far: float) -> None:
    found = densified(thinned(step(CAMERA, 37, 1.0, far), share, seed))
    known = found[~np.isnan(found)]
    assert (np.isclose(known, 1, rtol=1e-6) | np.isclose(known, far, rtol=1e-6)).all()
    assert len(known) > 2 * share * 0.5 * found.size  # and yet each side is filled


def test_a_wide_gap_stays_open() -> None:
    z = np.array(thinned(plane(CAMERA), 0.3))
    z[:, 30:50] = np.nan
    found = densified(frozen(z))
    assert np.isnan(found[:, 30 + int(REACH) : 50 - int(REACH)]).all()


@pytest.mark.parametrize("share", [0.04, 0.1, 0.25, 0.5])
def test_scattered_samples_are_sparse(share: float) -> None:
    assert is_sparse(thinned(room(CAMERA), share))


def test_dense_maps_are_not_sparse() -> None:
    holed = np.array(room(CAMERA))
    holed[10:30, 20:60] = np.nan
    for z in (room(CAMERA), holed, sphere(CAMERA), thinned(room(CAMERA), 0.9)):
        assert not is_sparse(z)
    assert not is_sparse(np.full((9, 9), np.nan, np.float32))


def test_too_few_samples_are_given_back() -> None:
    z = np.full((9, 9), np.nan, np.float32)
    z[0, 0] = z[8, 8] = z[0, 8] = 1
    np.testing.assert_array_equal(densified(frozen(z)), z)


def test_samples_on_one_line_are_given_back() -> None:
    """One line of a laser scanner spans no triangle: neither level, upright nor aslant."""
    for line in ((4, slice(None, None, 2)), (slice(None, None, 2), 4), (np.arange(9), np.arange(9))):
        z = np.full((9, 9), np.nan, np.float32)
        z[line] = 1
        np.testing.assert_array_equal(densified(frozen(z)), z)


@pytest.mark.parametrize(("apart", "filled"), [(6, True), (12, False)])
def test_columns_of_samples_are_joined_only_where_they_lie_near(apart: int, filled: bool) -> None:
    z = np.full((20, 40), np.nan, np.float32)
    z[:, 10], z[:, 10 + apart] = 2.0, 2.0
    between = densified(frozen(z))[1:-1, 11 : 10 + apart]
    assert apart < REACH or not filled
    assert (~np.isnan(between)).all() if filled else np.isnan(between).all()
