"""Outlier removal and voxel thinning: spikes go, surfaces stay, one representative per voxel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.points import depth_outliers, voxel_representatives
from tests.scenes import box, camera_of, frozen, nearest, plane, room, sphere

LAW = settings(max_examples=30, deadline=None, derandomize=True)
CAMERA = camera_of(160, 120, 140.0)
FOOTPRINT = 1 / CAMERA.focal
SURFACES = {
    "wall": plane(CAMERA),
    "tilted plane": plane(CAMERA, (0.7, 0.3, -1)),
    "sphere": sphere(CAMERA, radius=1.2),
    "box before a wall": nearest(box(CAMERA, (-1, -1, 2), (0.5, 0.7, 3)), plane(CAMERA, distance=6.0)),
    "room": room(CAMERA),
}


@pytest.mark.parametrize("name", SURFACES)
@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_surfaces_and_their_edges_are_kept(name: str, noise: float) -> None:
    """All but the one-sample tips of a round silhouette, whose neighbours truly lie far behind them."""
    share = {"sphere": 0.006, "room": 0.0015}.get(name, 0.0)
    z = SURFACES[name]
    z = frozen((z * (1 + np.random.default_rng(0).normal(0, noise, z.shape))).astype(np.float32))
    lost = depth_outliers(z, FOOTPRINT)
    valid = ~np.isnan(z)
    assert not lost[~valid].any()
    assert lost.sum() <= share * valid.sum()


@pytest.mark.parametrize("name", ["wall", "tilted plane", "room"])
@pytest.mark.parametrize("factor", [0.6, 1.5])
def test_every_planted_spike_is_found_and_nothing_else(name: str, factor: float) -> None:
    z = np.array(SURFACES[name]) * (1 + np.random.default_rng(0).normal(0, 0.001, (120, 160)))
    spikes = np.zeros(z.shape, bool)
    spikes[3::11, 2::9] = True
    z[spikes] *= factor
    lost = depth_outliers(frozen(z.astype(np.float32)), FOOTPRINT)
    assert lost[spikes].all()
    assert lost[~spikes].sum() <= 0.0015 * z.size


@LAW
@given(st.integers(0, 999), st.sampled_from([0.25, 2.0, 1024.0]))
def test_the_unit_does_not_matter(seed: int, factor: float) -> None:
    rng = np.random.default_rng(seed)
    z = rng.choice([1, 1.001, 1.002, 5], (20, 30), p=[0.4, 0.3, 0.28, 0.02]).astype(np.float32)
    z[rng.random(z.shape) < 0.1] = np.nan
    np.testing.assert_array_equal(depth_outliers(z, 0.01), depth_outliers(z * np.float32(factor), 0.01))


def test_a_lone_sample_far_from_all_others_is_an_outlier() -> None:
    z = np.full((60, 60), np.nan, np.float32)
    z[:20, :20] = 2
    z[50, 50] = 2
    lost = depth_outliers(frozen(z), 0.01)
    assert lost[50, 50]
    assert lost.sum() == 1


def test_a_few_samples_are_all_kept() -> None:
    z = np.full((9, 9), np.nan, np.float32)
    z[::4, ::4] = [[1, 2, 9], [1, 50, 1], [3, 1, 1]]
    assert not depth_outliers(frozen(z), 0.01).any()


def test_sparse_samples_of_a_wall_are_kept() -> None:
    """A laser scanner's lines: neighbours are far in the image and close in space."""
    z = np.array(SURFACES["tilted plane"])
    holes = np.ones(z.shape, bool)
    holes[::4, ::2] = False
    z[holes] = np.nan
    assert depth_outliers(frozen(z), FOOTPRINT).sum() <= 0.001 * (~holes).sum()


@LAW
@given(st.integers(0, 9999), st.integers(1, 200), st.floats(0.05, 5))
def test_one_point_stands_for_each_occupied_voxel(seed: int, count: int, size: float) -> None:
    positions = np.random.default_rng(seed).uniform(-3, 3, (count, 3)).astype(np.float32)
    found = voxel_representatives(frozen(positions), size)
    first: dict[tuple[int, ...], int] = {}
    for i, cell in enumerate(np.floor((positions - positions.min(axis=0)) / size).astype(int)):
        first.setdefault(tuple(cell), i)
    np.testing.assert_array_equal(found, sorted(first.values()))


def test_tiny_voxels_keep_every_point_and_a_huge_one_keeps_the_first() -> None:
    positions = np.random.default_rng(0).normal(size=(500, 3)).astype(np.float32)
    for size in (1e-6, 1e-9):
        np.testing.assert_array_equal(voxel_representatives(positions, size), np.arange(500))
    np.testing.assert_array_equal(voxel_representatives(positions, 1e3), [0])
