"""Splats by their covariances: what moving and merging them must keep."""

from __future__ import annotations

import numpy as np
import pytest

from recon.geometry.ellipsoids import covariances, ellipsoids, merged, moved
from recon.geometry.splats import seen_discs
from recon.types import Splats
from tests import splats as measured


def some(count: int = 400, seed: int = 3) -> Splats:
    random = np.random.default_rng(seed)
    turns = random.standard_normal((count, 4)).astype(np.float32)
    centres = random.uniform((-1, -1, 2), (1, 1, 4), (count, 3)).astype(np.float32)
    return Splats(
        centres,
        np.exp(random.uniform(-5, -3, (count, 3))).astype(np.float32),
        turns / np.linalg.norm(turns, axis=1, keepdims=True),
        random.uniform(0.1, 0.9, count).astype(np.float32),
        random.integers(0, 256, (count, 3), np.uint8),
    )


def test_covariances_are_those_of_the_tests_own_reader_and_come_back() -> None:
    splats = some()
    spread = covariances(splats)
    np.testing.assert_allclose(spread, measured.covariances(splats), rtol=1e-6)
    again = ellipsoids(splats.centres, spread, splats.opacity, splats.colors)
    np.testing.assert_allclose(covariances(again), spread, atol=1e-6 * spread.max())
    assert (np.diff(again.scales, axis=1) <= 0).all()


def test_moving_there_and_back_changes_nothing() -> None:
    splats, matrix = some(), np.array([[1.4, 0.2, -0.3], [0, 0.7, 0.1], [0, 0, 1.0]])
    back = moved(moved(splats, matrix), np.linalg.inv(matrix))
    np.testing.assert_allclose(back.centres, splats.centres, atol=1e-5)
    np.testing.assert_allclose(covariances(back), covariances(splats), atol=1e-5 * covariances(splats).max())


def test_few_enough_splats_stay_as_they_are() -> None:
    splats = some()
    assert merged(splats, 400) is splats


@pytest.mark.parametrize("most", [399, 100, 10, 1])
def test_merging_keeps_mass_mean_and_covariance_of_all(most: int) -> None:
    """Until an opacity reaches its limit, the whole is the same Gaussian mixture to its second moment, at any number."""
    splats = some()
    faint = Splats(splats.centres, splats.scales, splats.quaternions, splats.opacity / 100, splats.colors)
    fewer = merged(faint, most)
    assert 0 < len(fewer.centres) <= most
    for one, other in zip(_moments(faint), _moments(fewer), strict=True):
        np.testing.assert_allclose(other, one, rtol=2e-4, atol=1e-6)


def _moments(splats: Splats) -> tuple[np.ndarray, np.ndarray]:
    area = splats.scales[:, 0] * splats.scales[:, 1]
    weight = splats.opacity * area / (splats.opacity * area).sum()
    mean = weight @ splats.centres
    arm = splats.centres - mean
    return mean, np.einsum("n,nij->ij", weight, covariances(splats) + arm[:, :, None] * arm[:, None, :])


def test_a_sheet_stays_closed_when_it_is_merged() -> None:
    """A wall of discs before the camera lets hardly more through with a third of them."""
    u, v = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(-1, 1, 41))
    points = np.stack([u, v, np.full_like(u, 3)], axis=-1).reshape(-1, 3).astype(np.float32)
    count = len(points)
    facing = np.broadcast_to(np.array([0, 0, -1], np.float32), points.shape).copy()
    sheet = seen_discs(points, facing, np.full(count, 0.05, np.float32), np.full((count, 3), 90, np.uint8))
    fewer = merged(sheet, count // 3)
    places = np.random.default_rng(0).uniform((-0.8, -0.8, 3), (0.8, 0.8, 3), (400, 3))
    through = measured.leaks(fewer, places, np.array([1.0, 0, 0]), np.array([0, 1.0, 0]))
    assert through.max() < 0.12 and through.mean() < 0.02
    np.testing.assert_array_equal(np.unique(fewer.colors), [90])
