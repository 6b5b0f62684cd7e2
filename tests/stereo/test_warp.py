"""The other eye's view: laws of the warp, against a brute-force twin too."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from recon.geometry.row_splat import EMPTY, splatted
from recon.geometry.runs import filled_from_lower, runs
from recon.stereo.warp import left_view, pair_of, right_view
from recon.threads import limited
from tests.scenes import frozen

HEIGHT, WIDTH = 70, 90  # more rows than one band


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    noise = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    return frozen(cv2.GaussianBlur(noise, (0, 0), 0.7))


def shift_of(seed: int, scale: float = 6.0) -> np.ndarray:
    """Random smooth disparity with steps and a thin pole."""
    rng = np.random.default_rng(seed)
    wave = cv2.resize(rng.normal(0, scale, (4, 5)).astype(np.float32), (WIDTH, HEIGHT))
    wave[20:50, 30:60] += 9.3
    wave[:, 10] += 7.7
    return frozen(wave)


@pytest.mark.parametrize("by", [0, 1, 5, -3])
def test_a_whole_number_of_pixels_moves_the_photo_to_the_bit(photo: np.ndarray, by: int) -> None:
    seen = right_view(photo, np.full((HEIGHT, WIDTH), by, np.float32)).rgb
    expected = np.roll(photo, -by, axis=1)
    inside = slice(max(0, -by), WIDTH - max(0, by))
    assert np.array_equal(seen[:, inside], expected[:, inside])


def test_a_part_of_a_pixel_is_what_the_kernel_gives(photo: np.ndarray) -> None:
    seen = right_view(photo, np.full((HEIGHT, WIDTH), 2.25, np.float32)).rgb
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32) + 2.25, np.arange(HEIGHT, dtype=np.float32))
    assert np.array_equal(seen[:, :-4], cv2.remap(photo, x, y, cv2.INTER_CUBIC)[:, :-4])


@pytest.mark.parametrize("eyes", ["both", "left", "right"])
def test_no_disparity_gives_both_eyes_the_photo(photo: np.ndarray, eyes: str) -> None:
    left, right = pair_of(photo, np.zeros((HEIGHT, WIDTH), np.float32), eyes)
    assert np.array_equal(left.rgb, photo) and np.array_equal(right.rgb, photo)
    assert not left.invented.any() and not right.invented.any()


@pytest.mark.parametrize("eye", ["left", "right"])
def test_the_eye_that_keeps_the_photo_keeps_it_to_the_bit(photo: np.ndarray, eye: str) -> None:
    kept = pair_of(photo, shift_of(1), eye)[("left", "right").index(eye)]
    assert np.array_equal(kept.rgb, photo)


def test_left_and_right_mirror_each_other_to_the_bit(photo: np.ndarray) -> None:
    shift = shift_of(2)
    left = left_view(photo, shift).rgb
    right = right_view(np.ascontiguousarray(photo[:, ::-1]), np.ascontiguousarray(shift[:, ::-1])).rgb
    assert np.array_equal(left, right[:, ::-1])


def test_rows_never_mix_but_in_the_colours_of_gaps(photo: np.ndarray) -> None:
    shift, order = shift_of(4), np.random.default_rng(5).permutation(HEIGHT)
    once, again = right_view(photo, shift), right_view(photo[order], shift[order])
    assert np.array_equal(once.invented[order], again.invented)
    beside = cv2.dilate(once.invented.astype(np.uint8), np.ones((1, 3), np.uint8)) > 0  # steps are smoothed with them
    assert np.array_equal(once.rgb[order][~beside[order]], again.rgb[~beside[order]])


def brute_force(shift: np.ndarray) -> np.ndarray:
    """Where everything lands, by loops, the greatest shift winning."""
    out = np.full(shift.shape, EMPTY)
    for y in range(shift.shape[0]):
        for x in range(shift.shape[1]):
            target = int(np.rint(np.float32(x + 1) - shift[y, x])) - 1
            if 0 <= target < shift.shape[1]:
                out[y, target] = max(out[y, target], shift[y, x])
    return out


@pytest.mark.parametrize("seed", range(3))
def test_the_nearest_wins_as_in_a_loop_over_all_pixels(seed: int) -> None:
    shift = np.random.default_rng(seed).normal(0, 8, (6, 200)).astype(np.float32)
    assert np.array_equal(splatted(shift), brute_force(shift))


@pytest.mark.parametrize("seed", range(3))
def test_no_gap_is_left_and_no_colour_is_new(photo: np.ndarray, seed: int) -> None:
    red = np.zeros_like(photo)
    red[..., 0] = 200
    shift = np.random.default_rng(seed).normal(0, 9, (HEIGHT, WIDTH)).astype(np.float32)
    for view in (right_view, left_view):
        assert np.array_equal(view(red, shift).rgb, red)


def card(value: float = 8.0) -> tuple[np.ndarray, np.ndarray]:
    """A black card before a white wall."""
    photo, shift = np.full((40, 80, 3), 255, np.uint8), np.zeros((40, 80), np.float32)
    photo[10:30, 30:50], shift[10:30, 30:50] = 0, value
    return frozen(photo), frozen(shift)


def test_a_step_is_filled_from_the_background() -> None:
    """A near card moves left in the right eye, and leaves as many columns as its disparity on its right."""
    photo, shift = card()
    right, left = right_view(photo, shift), left_view(photo, shift)
    assert np.array_equal(np.flatnonzero(right.invented[20]), np.arange(42, 50))
    assert np.array_equal(np.flatnonzero(left.invented[20]), np.arange(30, 38))
    dark = right.rgb[20, :, 0] < 128
    assert np.array_equal(np.flatnonzero(dark), np.arange(22, 42))
    for view in (right, left):
        inner = cv2.erode(view.invented.astype(np.uint8), np.ones((1, 3), np.uint8)) > 0
        assert (view.rgb[inner] == 255).all()


def test_of_two_cards_the_nearer_one_wins_in_both_eyes() -> None:
    photo, shift = (a.copy() for a in card(4.0))
    photo[15:25, 44:60], shift[15:25, 44:60] = (0, 0, 255), 12.0  # blue, nearer, over the black card's right end
    right = right_view(photo, shift).rgb[20]
    assert (right[33:47, 2] == 255).all() and (right[33:47, 0] == 0).all()
    photo[15:25, 20:36], shift[15:25, 20:36] = (0, 0, 255), 12.0
    left = left_view(photo, shift).rgb[20]
    assert (left[33:47, 2] == 255).all() and (left[33:47, 0] == 0).all()


def test_a_thin_pole_survives() -> None:
    photo, shift = np.full((20, 60, 3), 255, np.uint8), np.zeros((20, 60), np.float32)
    photo[:, 30], shift[:, 30] = 0, 7.0
    for view, column in ((right_view, 23), (left_view, 37)):
        seen = view(photo, shift).rgb[10, :, 0]
        assert seen.argmin() == column and seen[column] < 140


def test_threads_change_nothing(photo: np.ndarray) -> None:
    shift = shift_of(6)
    with limited(1):
        once = right_view(photo, shift).rgb
    with limited(2):
        assert np.array_equal(right_view(photo, shift).rgb, once)


def test_a_stretched_surface_has_no_cracks() -> None:
    """A wall that recedes to the right, before a ground of another colour that must not shine through."""
    photo, shift = np.full((8, 200, 3), 255, np.uint8), np.full((8, 200), -30, np.float32)
    photo[:, 40:160], shift[:, 40:160] = 0, np.linspace(20, 0, 120, dtype=np.float32)
    seen = right_view(photo, shift).rgb[4, :, 0]
    assert (seen[22:158] == 0).all()


def test_runs_are_found_as_they_are() -> None:
    mask = np.random.default_rng(0).random((9, 23)) < 0.6
    again = np.zeros_like(mask)
    for row, first, end in zip(*runs(mask), strict=True):
        assert not mask[row, first - 1 : first].any() and not mask[row, end : end + 1].any()
        again[row, first:end] = True
    assert np.array_equal(again, mask)


def test_holes_of_depth_take_the_farther_side() -> None:
    inverse = frozen(np.array([[np.nan, 3, np.nan, np.nan, 1, np.nan], [np.nan] * 6], np.float32))
    assert filled_from_lower(inverse).tolist() == [[3, 3, 1, 1, 1, 1], [1] * 6]
