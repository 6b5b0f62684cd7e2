"""Guided upsampling: constants, local range, edges where the photo has them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.upsample import guided_upsample
from tests.scenes import frozen

LAW = settings(max_examples=25, deadline=None, derandomize=True)


def some_photo(seed: int, height: int, width: int) -> np.ndarray:
    return frozen(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


@LAW
@given(st.integers(0, 99), st.floats(-100, 100), st.integers(8, 40), st.integers(8, 40))
def test_a_constant_stays_constant_whatever_the_photo_shows(seed: int, value: float, height: int, width: int) -> None:
    small = np.full((7, 6), value, np.float32)
    found = guided_upsample(small, some_photo(seed, height, width))
    assert found.shape == (height, width)
    np.testing.assert_allclose(found, value, rtol=1e-5, atol=1e-6)


@LAW
@given(st.integers(0, 99), st.sampled_from([(40, 56), (37, 51), (10, 14), (64, 30)]))
def test_nothing_leaves_the_local_range(seed: int, size: tuple[int, int]) -> None:
    height, width = size
    small = np.random.default_rng(seed).standard_cauchy((8, 10)).astype(np.float32)
    found = guided_upsample(small, some_photo(seed, height, width))
    for i in range(height):
        for j in range(width):
            row, column = (i + 0.5) * 8 / height - 0.5, (j + 0.5) * 10 / width - 0.5
            window = small[
                max(0, int(np.floor(row)) - 1) : int(np.floor(row)) + 3,
                max(0, int(np.floor(column)) - 1) : int(np.floor(column)) + 3,
            ]
            slack = 1e-5 * np.abs(window).max()
            assert window.min() - slack <= found[i, j] <= window.max() + slack


@pytest.mark.parametrize("edge", [77, 80, 83])
@pytest.mark.parametrize("turned", [False, True])
def test_an_edge_comes_out_where_the_photo_has_it(edge: int, turned: bool) -> None:
    """A step seen by the small map only to within its 8 pixels lands within one pixel of the photo's own edge."""
    rgb = np.full((160, 160, 3), 60, np.uint8)
    rgb[:, edge:] = 190
    exact = np.where(np.arange(160) < edge, np.float32(1), np.float32(3))[None].repeat(160, 0)
    small = cv2.resize(exact, (20, 20), interpolation=cv2.INTER_AREA)
    if turned:
        rgb, small, exact = np.ascontiguousarray(rgb.swapaxes(0, 1)), small.T.copy(), exact.T
    found = guided_upsample(small, frozen(rgb))
    wrong = np.abs(found - exact) > 1  # on the wrong side of the middle
    across = wrong.sum(axis=0 if turned else 1)
    assert across.max() <= 1
    plain = cv2.resize(small, (160, 160), interpolation=cv2.INTER_LINEAR)
    assert np.abs(found - exact).mean() < 0.6 * np.abs(plain - exact).mean()


def test_texture_on_a_flat_surface_does_not_print_through() -> None:
    small = np.full((12, 16), 2.0, np.float32) + np.linspace(0, 1, 16, dtype=np.float32)
    smooth = guided_upsample(small, frozen(np.full((96, 128, 3), 128, np.uint8)))
    textured = guided_upsample(small, some_photo(1, 96, 128))
    slope = 1 / 15
    assert np.abs(textured - smooth).max() <= 2 * slope + 1e-6  # one sample to either side, however loud the texture
    assert np.isfinite(textured).all()


@pytest.mark.parametrize(("contrast", "low", "high"), [(3, 0.0, 0.1), (80, 0.9, 1.0)])
def test_faint_texture_is_not_followed_and_strong_structure_is(contrast: int, low: float, high: float) -> None:
    """Stripes in map and photo alike, of so many grey levels to either side of a middle grey."""
    stripes = np.where(np.arange(48) % 4 < 2, 1, -1)
    photo = frozen(np.tile((128 + contrast * stripes).astype(np.uint8)[None, :, None], (48, 1, 3)))
    small = frozen(np.tile((10 + stripes).astype(np.float32), (48, 1)))
    inner = guided_upsample(small, photo)[8:-8, 8:-8]
    assert low <= (inner.max() - inner.min()) / 2 <= high


def test_on_a_plain_photo_a_spike_is_averaged_over_five_samples_twice() -> None:
    small = np.zeros((21, 21), np.float32)
    small[10, 10] = 1.0
    found = guided_upsample(frozen(small), np.full((21, 21, 3), 90, np.uint8))
    assert found[10, 10] == pytest.approx(1 / 25, rel=1e-4)
    assert found.min() >= 0 and found[10, 12] == 0  # no farther than the map's own range
