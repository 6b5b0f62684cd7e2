"""Depth edges go where the photo's are; nothing else moves."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from recon.geometry.sharpen import RAMP, fitting, ramps, sharpened
from recon.stages.sharpen import sharpen_edges
from recon.types import DepthMap, Photo
from tests.scenes import frozen

HEIGHT, WIDTH = 240, 320
V, U = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
DISC = np.hypot(U - 170, V - 110) < 60
GREY = np.random.default_rng(3).normal(0, 4, (HEIGHT, WIDTH, 1))
PHOTO = frozen(np.clip(np.where(DISC[..., None], (210, 120, 60), (40, 70, 110)) + GREY, 0, 255).astype(np.uint8))
TRUE = frozen(np.where(DISC, np.float32(1.0), np.float32(0.4)))
REACH = round(RAMP * WIDTH)


def blurred(sigma: float) -> np.ndarray:
    return frozen(cv2.GaussianBlur(TRUE, (0, 0), sigma))


@pytest.mark.parametrize("sigma", [1.0, 2.0, 3.0])
def test_a_ramp_becomes_the_photo_s_edge(sigma: float) -> None:
    given = blurred(sigma)
    mid = (given > 0.5) & (given < 0.9)  # what is nearer to its side may stay
    sharp = sharpened(given, PHOTO)
    assert ((sharp > 0.5) & (sharp < 0.9)).sum() < 0.05 * mid.sum()
    assert ((sharp > 0.7) != DISC).sum() < 30  # of the outline's 377 samples


def test_a_displaced_edge_goes_back() -> None:
    given = frozen(np.roll(blurred(1.5), 4, axis=1))
    wrong = ((given > 0.7) != DISC).sum()
    assert ((sharpened(given, PHOTO) > 0.7) != DISC).sum() < 0.25 * wrong


def test_it_is_idempotent_within_a_sample() -> None:
    once = sharpened(blurred(2.0), PHOTO)
    twice = sharpened(frozen(once), PHOTO)
    moved = (np.abs(once - twice) > 0.05).astype(np.uint8)
    assert not cv2.erode(moved, np.ones((3, 3), np.uint8)).any()  # nowhere more than two samples wide
    assert moved.sum() < 40


def test_minimum_and_maximum_stay_and_no_value_is_new() -> None:
    given = blurred(2.0)
    sharp = sharpened(given, PHOTO)
    assert given.min() <= sharp.min() and sharp.max() <= given.max()


def test_outside_the_band_nothing_moves() -> None:
    given = blurred(2.0)
    band = ramps(given, REACH) | ramps(given, 2 * REACH)
    moved = sharpened(given, PHOTO) != given
    assert 0 < band.mean() < 0.4
    wide = cv2.dilate(band.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)  # decided at a smaller size
    assert not (moved & ~wide).any()


@pytest.mark.parametrize("slope", [(0.0, 0.0), (0.003, 0.001), (0.0, 0.004)])
def test_slanted_planes_are_left_alone(slope: tuple[float, float]) -> None:
    given = frozen((0.1 + slope[0] * U + slope[1] * V).astype(np.float32))
    assert sharpened(given, PHOTO) is given


def test_where_there_is_no_surface_there_is_none_afterwards() -> None:
    given = blurred(2.0).copy()
    given[:40] = np.nan
    sharp = sharpened(frozen(given), PHOTO)
    np.testing.assert_array_equal(np.isnan(sharp), np.isnan(given))


def test_another_unit_changes_nothing() -> None:
    given = blurred(2.0)
    np.testing.assert_allclose(sharpened(frozen(given * 8), PHOTO), 8 * sharpened(given, PHOTO), rtol=1e-5)


def test_noise_at_every_sample_ends_within_its_own_range() -> None:
    given = frozen(np.random.default_rng(0).uniform(0.1, 1, (HEIGHT, WIDTH)).astype(np.float32))
    sharp = sharpened(given, PHOTO)
    assert given.min() <= sharp.min() and sharp.max() <= given.max()


def test_a_tiny_photo_is_left_alone() -> None:
    given = frozen(np.random.default_rng(0).uniform(0.1, 1, (5, 5)).astype(np.float32))
    assert sharpened(given, frozen(np.zeros((5, 5, 3), np.uint8))) is given


def test_how_well_depth_fits_its_photo() -> None:
    flat = frozen(np.full((HEIGHT, WIDTH, 3), 90, np.uint8))
    assert fitting(TRUE, PHOTO) > 3 * fitting(frozen(np.roll(TRUE, 9, axis=1)), PHOTO)
    assert fitting(TRUE, flat) == 0
    assert fitting(frozen(np.ones((HEIGHT, WIDTH), np.float32)), PHOTO) == np.inf


class TestTheStage:
    def map_of(self, inverse: np.ndarray, model: str = "network") -> DepthMap:
        return DepthMap(frozen((1 / inverse).astype(np.float32)), False, model)

    def test_a_network_s_depth_is_sharpened_and_off_leaves_it(self) -> None:
        given = self.map_of(blurred(2.0))
        assert sharpen_edges(given, Photo(PHOTO), "off") is given
        assert (sharpen_edges(given, Photo(PHOTO), "auto").z != given.z).mean() > 0.01

    def test_a_measured_map_that_fits_keeps_every_bit(self) -> None:
        given = self.map_of(TRUE, "given")
        assert sharpen_edges(given, Photo(PHOTO), "auto") is given

    def test_a_measured_map_beside_the_photo_s_edges_is_mended(self) -> None:
        given = self.map_of(np.roll(TRUE, 3, axis=1), "given")
        mended = sharpen_edges(given, Photo(PHOTO), "auto")
        assert ((1 / mended.z > 0.7) != DISC).sum() < 0.3 * ((1 / given.z > 0.7) != DISC).sum()

    def test_a_measured_map_stays_where_the_photo_shows_no_edges(self) -> None:
        given = self.map_of(TRUE, "given")
        flat = Photo(frozen(np.full((HEIGHT, WIDTH, 3), 90, np.uint8)))
        assert sharpen_edges(given, flat, "auto") is given

    def test_what_did_not_move_keeps_its_bits(self) -> None:
        given = self.map_of(blurred(2.0))
        sharp = sharpen_edges(given, Photo(PHOTO), "auto")
        far = np.hypot(U - 170, V - 110) > 60 + 5 * REACH
        np.testing.assert_array_equal(sharp.z[far], given.z[far])
