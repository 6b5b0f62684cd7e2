"""Fewer samples: no more than asked for, where they are missed least, and without a gap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.geometry.layers import Sheet
from recon.geometry.splat_budget import WIDENED, thinned_sheets
from recon.geometry.splats import seen_discs
from recon.geometry.subdivision import cut_triangles, parts_by_area
from tests.scenes import camera_of, frozen, plane, points_of, step
from tests.splats import leaks

CAMERA = camera_of(64, 48, 80.0)


def sheet_of(z: np.ndarray, colors: np.ndarray) -> Sheet:
    points = points_of(z, CAMERA)
    normals = np.tile(np.float32([0, 0, -1]), (*z.shape, 1))
    return Sheet(
        "photo",
        points,
        frozen(colors),
        frozen(normals),
        frozen(~np.isnan(z)),
        frozen(np.ones(z.shape, np.float32)),
        1 / 80,
    )


def noisy(seed: int = 0) -> np.ndarray:
    """Grey on the left, noise on the right."""
    colors = np.full((48, 64, 3), 120, np.uint8)
    colors[:, 32:] = np.random.default_rng(seed).integers(0, 256, (48, 32, 3))
    return colors


def test_within_the_budget_every_sample_stays_as_it_is() -> None:
    colors = noisy()
    z = np.array(plane(CAMERA))
    z[3, 4] = np.nan
    sheet = sheet_of(frozen(z), colors)
    found = thinned_sheets([sheet], z.size)
    kept = sheet.valid
    np.testing.assert_array_equal(found.colors, colors[kept])
    np.testing.assert_array_equal(found.points, sheet.points[kept])
    np.testing.assert_allclose(found.width, z[kept] / 80, rtol=1e-6)


@given(st.integers(100, 64 * 48), st.integers(0, 10))
@settings(deadline=None, max_examples=25)
def test_the_budget_is_met_and_hardly_undershot_and_the_area_stays(most: int, seed: int) -> None:
    sheet = sheet_of(plane(CAMERA), np.random.default_rng(seed).integers(0, 256, (48, 64, 3)).astype(np.uint8))
    found = thinned_sheets([sheet], most)
    assert most - 3 < len(found.width) <= most
    sides = found.width / found.points[:, 2] * 80
    joined = sides > 1.5
    np.testing.assert_allclose(np.square(sides / np.where(joined, WIDENED, 1)).sum(), 64 * 48, rtol=1e-3)


def test_what_is_even_is_joined_first_and_what_is_not_stays() -> None:
    colors = noisy()
    found = thinned_sheets([sheet_of(plane(CAMERA), colors)], 48 * 32 + 30)
    single = np.isclose(found.width, 2.0 / 80, rtol=1e-4)
    assert (found.points[single, 0] > 0).all()
    right = found.points[:, 0] > 0
    assert single[right].all() and right.sum() == 48 * 32
    assert (found.colors[~right] == 120).all()


def test_no_sample_joins_another_across_a_step() -> None:
    z = step(CAMERA, 31)
    found = thinned_sheets([sheet_of(z, np.zeros((48, 64, 3), np.uint8))], 400)
    assert len(found.width) <= 400
    assert set(found.points[:, 2]) == {1.0, 2.0}


def test_sheets_share_one_budget() -> None:
    even, uneven = sheet_of(plane(CAMERA), np.full((48, 64, 3), 9, np.uint8)), sheet_of(plane(CAMERA), noisy()[:, ::-1])
    found = thinned_sheets([even, uneven], 2000)
    assert len(found.width) <= 2000
    assert (found.colors == 9).all(axis=1).sum() < 10
    np.testing.assert_array_equal(found.sheet == 0, (found.colors == 9).all(axis=1))


def test_discs_of_several_sizes_let_less_than_three_per_cent_through() -> None:
    """2 % where all are of one size."""
    found = thinned_sheets([sheet_of(plane(CAMERA), noisy())], 1700)
    assert len(np.unique(np.rint(np.log2(found.width)))) > 2
    splats = seen_discs(found.points, found.normals, found.width, found.colors, found.alpha)
    edge = found.points[:, :2].min(axis=0) / 2
    places = np.column_stack([np.random.default_rng(2).uniform(edge, -edge, (1500, 2)), np.full(1500, 2.0)])
    let = leaks(splats, places, np.array([1.0, 0, 0]), np.array([0, 1.0, 0]))
    assert let.max() < 0.03 and let.mean() < 0.015


def test_it_is_the_same_each_time() -> None:
    first, second = (thinned_sheets([sheet_of(plane(CAMERA), noisy())], 1000) for _ in range(2))
    for name in vars(first):
        np.testing.assert_array_equal(vars(first)[name], vars(second)[name])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_a_triangle_is_cut_into_equal_parts_that_fill_it(n: int) -> None:
    triangle = np.random.default_rng(6).normal(size=(1, 3, 3)).astype(np.float32)
    parts, owner = cut_triangles(triangle, np.array([n]))
    cross = np.cross(parts[:, 1] - parts[:, 0], parts[:, 2] - parts[:, 0])
    whole = np.cross(triangle[0, 1] - triangle[0, 0], triangle[0, 2] - triangle[0, 0])
    np.testing.assert_allclose(cross, np.tile(whole / n**2, (n * n, 1)), atol=1e-4)  # none of them turned over
    assert len(parts) == n * n and (owner == 0).all()
    middles = np.linalg.solve(triangle[0].T.astype(float), parts.mean(axis=1).T.astype(float)).T
    assert (middles > 0).all() and len(np.unique(middles.round(4), axis=0)) == n * n


@given(st.lists(st.floats(1e-6, 10), min_size=1, max_size=50), st.integers(1, 5000))
def test_parts_go_by_area_within_the_budget(areas: list[float], most: int) -> None:
    parts = parts_by_area(np.float32(areas), most)
    assert parts.min() >= 1 and (parts**2).sum() <= max(most, len(areas))
    order = np.argsort(areas, kind="stable")
    assert (np.diff(parts[order]) >= 0).all()
