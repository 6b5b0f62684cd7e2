"""The sampling lattice: places, exact back-projection, gaps filled from the block."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.camera import project
from recon.geometry.lattice import corner_lines, sample_lattice, stride_for
from tests.scenes import camera_of, frozen, lattice_of, plane, points_of

LAW = settings(max_examples=60, deadline=None, derandomize=True)
side = st.integers(16, 120)


@LAW
@given(st.integers(16, 300), st.integers(16, 300), st.floats(0, 1), st.integers(10, 10**5))
def test_the_stride_is_the_smallest_that_keeps_the_limit(height: int, width: int, share: float, limit: int) -> None:
    z = np.where(np.random.default_rng(limit).random((height, width)) < share, np.float32(1), np.float32(np.nan))
    known, stride = np.count_nonzero(~np.isnan(z)), stride_for(z, limit)
    assert known <= limit * stride**2
    assert stride == 1 or known > limit * (stride - 1) ** 2


@LAW
@given(side, side, st.integers(1, 12))
def test_samples_are_the_pixels_at_their_own_places(width: int, height: int, stride: int) -> None:
    camera = camera_of(width, height, 50.0)
    z = frozen(np.random.default_rng(stride).uniform(1, 9, (height, width)).astype(np.float32))
    lattice = sample_lattice(z, camera, math.ceil(z.size / stride**2))
    assert lattice.z.size <= 1.2 * math.ceil(z.size / stride**2) + width + height
    np.testing.assert_array_equal(np.diff(lattice.u), lattice.stride)
    np.testing.assert_array_equal(np.diff(lattice.v), lattice.stride)
    rows, columns = (lattice.v - 0.5).astype(int), (lattice.u - 0.5).astype(int)
    np.testing.assert_array_equal(lattice.u, columns + 0.5)  # pixel centres
    np.testing.assert_array_equal(lattice.z, z[np.ix_(rows, columns)])
    np.testing.assert_array_equal(lattice.points(), points_of(z, camera)[np.ix_(rows, columns)])
    pixels = project(lattice.points().reshape(-1, 3), camera)
    uv = lattice.uv().reshape(-1, 2) * np.array([width, height], np.float32)
    np.testing.assert_allclose(uv, pixels, atol=1e-3)


@LAW
@given(side, side, st.integers(1, 12))
def test_corner_lines_span_the_photo_and_hold_each_sample_between_them(width: int, height: int, stride: int) -> None:
    camera = camera_of(width, height, 50.0)
    lattice = sample_lattice(plane(camera), camera, math.ceil(width * height / stride**2))
    for line, place, end in zip(corner_lines(lattice), (lattice.u, lattice.v), (width, height), strict=True):
        assert line[0] == 0
        assert line[-1] == end
        assert (line[:-1] < place).all()
        assert (place < line[1:]).all()
        np.testing.assert_array_equal(line[1:-1], (place[:-1] + place[1:]) / 2)


@LAW
@given(st.integers(0, 999), st.integers(2, 6), st.floats(0.3, 0.98))
def test_a_gap_takes_the_first_depth_of_its_own_block(seed: int, stride: int, empty: float) -> None:
    rng = np.random.default_rng(seed)
    camera = camera_of(43, 37)
    z = rng.uniform(1, 9, (37, 43)).astype(np.float32)
    z[rng.random(z.shape) < empty] = np.nan
    lattice = lattice_of(frozen(z), camera, stride)
    for i, row in enumerate(lattice.z):
        for j, found in enumerate(row):
            block = z[i * stride : (i + 1) * stride, j * stride : (j + 1) * stride]
            own = z[i * stride + stride // 2, j * stride + stride // 2]
            known = block[~np.isnan(block)]
            if not np.isnan(own):
                assert found == own
            elif len(known):
                assert found == known[0] or (np.isnan(found) and np.isnan(lattice.z).mean() < 0.02)
            else:
                assert np.isnan(found)


def test_a_dense_map_s_own_samples_are_never_replaced() -> None:
    camera = camera_of(64, 48)
    z = np.array(plane(camera, (0.5, 0.2, -1)))
    z[20:30, 20:30] = np.nan
    lattice = lattice_of(frozen(z), camera, 4)
    own = z[2::4, 2::4]
    np.testing.assert_array_equal(lattice.z[~np.isnan(own)], own[~np.isnan(own)])
