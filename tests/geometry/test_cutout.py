"""A subject on plain ground, and windows around it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.cutout import GROUND, Window, crop_window, on_plain_ground, paste_window, window_around
from tests.scenes import camera_of, frozen, photo_of

RGB = photo_of(camera_of(64, 48)).rgb
DISC = frozen(np.hypot(*np.mgrid[-24:24, -32:32]) < 15)
LAW = settings(max_examples=60, deadline=None, derandomize=True)
WINDOWS = st.builds(Window, st.integers(-80, 80), st.integers(-80, 80), st.integers(1, 90), st.integers(1, 90))


def test_plain_ground_hides_all_but_the_subject_and_keeps_it_to_the_bit() -> None:
    found = on_plain_ground(RGB, DISC)
    far = cv2.distanceTransform(np.uint8(~DISC), cv2.DIST_L2, 5) > 6
    deep = cv2.distanceTransform(np.uint8(DISC), cv2.DIST_L2, 5) > 6
    np.testing.assert_array_equal(found[deep], RGB[deep])
    assert (found[far] == GROUND).all()
    assert (found >= np.minimum(RGB, GROUND)).all()
    assert (found <= np.maximum(RGB, GROUND)).all()


@LAW
@given(WINDOWS)
def test_what_is_cut_is_the_photo_inside_and_the_ground_outside(window: Window) -> None:
    found = crop_window(RGB, window, 7)
    assert found.shape == (window.height, window.width, 3)
    v, u = np.mgrid[: window.height, : window.width] + np.array([window.top, window.left])[:, None, None]
    there = (v >= 0) & (v < 48) & (u >= 0) & (u < 64)
    np.testing.assert_array_equal(found[there], RGB[v[there], u[there]])
    assert (found[~there] == 7).all()


@LAW
@given(WINDOWS)
def test_pasting_what_was_cut_changes_nothing(window: Window) -> None:
    canvas = RGB.copy()
    paste_window(canvas, crop_window(RGB, window, 7), window)
    np.testing.assert_array_equal(canvas, RGB)


@LAW
@given(st.integers(0, 40), st.integers(0, 40), st.integers(1, 24), st.integers(1, 8), st.sampled_from([1.0, 2.0]))
def test_a_window_holds_the_subject_in_its_middle(left: int, top: int, wide: int, high: int, longest: float) -> None:
    inside = np.zeros((48, 64), bool)
    inside[top : top + high, left : left + wide] = True
    high = int(inside.any(axis=1).sum())
    window = window_around(inside, 0.75, longest)
    assert crop_window(inside, window, False).sum() == inside.sum()
    assert window.left + window.width / 2 == pytest.approx(left + wide / 2, abs=0.5)
    assert window.top + window.height / 2 == pytest.approx(top + high / 2, abs=0.5)
    assert window.long_side == pytest.approx(max(2, max(wide, high) / 0.75), abs=0.5)
    assert min(window.width, window.height) >= window.long_side / longest - 1
