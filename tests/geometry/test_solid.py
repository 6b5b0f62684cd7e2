"""Sheets, walls and inflation: closed for every mask, with closed-form volumes."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from recon.geometry.solid import back_faces, corner_mesh, each_sample_doubled, front_faces, inflate, rim_walls
from tests.scenes import frozen, is_closed, volume

LAW = settings(max_examples=40, deadline=None, derandomize=True)

PINCH = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], bool)
RING = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 1, 1], [1, 1, 1, 0]], bool)
STRIP = np.array([[1, 1, 1, 1, 1]], bool)
DIAGONAL_HOLES = np.array([[1, 1, 1, 1], [1, 0, 1, 1], [1, 1, 0, 1], [1, 1, 1, 1]], bool)
MASKS = {"pinch": PINCH, "ring": RING, "strip": STRIP, "upright strip": STRIP.T, "one": STRIP[:, :1],
         "diagonal holes": DIAGONAL_HOLES}  # fmt: skip


def random_mask(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mask = rng.random((7, 8)) < rng.uniform(0.2, 0.9)
    mask[3, 3] = True
    return frozen(mask)


def upright(inside: np.ndarray, place: np.ndarray, z: np.ndarray | float) -> np.ndarray:
    """Vertices over the corners of a mask's lattice with unit spacing."""
    rows, columns = np.divmod(place, inside.shape[1] + 1)
    return np.column_stack([columns, rows, np.broadcast_to(z, len(place))]).astype(np.float32)


def check_walled(inside: np.ndarray) -> None:
    corners, place, rim = corner_mesh(inside)
    front, count = front_faces(corners), len(place)
    faces = np.concatenate([front, back_faces(corners) + count, rim_walls(front, count)])
    vertices = np.concatenate([upright(inside, place, 1.0), upright(inside, place, 3.0)])
    assert is_closed(faces)
    mesh = trimesh.Trimesh(vertices, faces, process=False)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    assert volume(vertices, faces) == pytest.approx(2 * inside.sum(), rel=1e-6)
    assert mesh.body_count == ndimage.label(inside)[1]  # pieces that touch at a corner only stay apart
    solid_euler = 2 * (ndimage.label(inside)[1] - holes(inside))
    assert mesh.euler_number == solid_euler
    assert set(np.unique(place[rim])) == rim_corners(inside)


def holes(inside: np.ndarray) -> int:
    return ndimage.label(np.pad(~inside, 1, constant_values=True), np.ones((3, 3)))[1] - 1


def rim_corners(inside: np.ndarray) -> set[int]:
    """Corners with some but not all of their four samples inside."""
    padded = np.pad(inside, 1).astype(int)
    around = padded[:-1, :-1] + padded[1:, :-1] + padded[:-1, 1:] + padded[1:, 1:]
    return set(np.flatnonzero((around > 0) & (around < 4)))


@pytest.mark.parametrize("name", MASKS)
def test_a_walled_sheet_is_closed_with_the_volume_of_its_samples(name: str) -> None:
    check_walled(MASKS[name])


@LAW
@given(st.integers(0, 9999))
def test_a_walled_sheet_over_any_mask_is_closed_with_the_volume_of_its_samples(seed: int) -> None:
    check_walled(random_mask(seed))


def check_joined_at_the_rim(inside: np.ndarray) -> None:
    inside = each_sample_doubled(inside)
    corners, place, rim = corner_mesh(inside)
    base, height = inflate(corners, rim, np.full(len(place), 5, np.float32))
    assert not height[rim].any()
    assert (height[~rim] > 0).all()
    np.testing.assert_allclose(base, 5, rtol=1e-5)
    interior = np.flatnonzero(~rim)
    back_of = np.arange(len(place), dtype=np.int32)
    back_of[interior] = len(place) + np.arange(len(interior), dtype=np.int32)
    faces = np.concatenate([front_faces(corners), back_faces(back_of[corners])])
    front = upright(inside, place, 5.0)
    vertices = np.concatenate([front, upright(inside, place, 5 + height)[interior]])
    assert is_closed(faces)
    assert trimesh.Trimesh(vertices, faces, process=False).is_watertight
    assert volume(vertices, faces) > 0


@pytest.mark.parametrize("name", MASKS)
def test_an_inflated_sheet_is_closed(name: str) -> None:
    check_joined_at_the_rim(MASKS[name])


@LAW
@given(st.integers(0, 9999))
def test_an_inflated_sheet_over_any_mask_is_closed(seed: int) -> None:
    check_joined_at_the_rim(random_mask(seed))


@LAW
@given(st.integers(0, 9999))
def test_doubling_repeats_every_sample_four_times(seed: int) -> None:
    inside = random_mask(seed)
    twice = each_sample_doubled(inside)
    assert twice.shape == (14, 16)
    for i in range(14):
        for j in range(16):
            assert twice[i, j] == inside[i // 2, j // 2]


@pytest.mark.parametrize("radius", [10, 25])
def test_a_disc_inflates_to_a_hemisphere(radius: int) -> None:
    y, x = np.mgrid[: 2 * radius + 4, : 2 * radius + 4] + 0.5 - (radius + 2)
    inside = np.hypot(x, y) < radius
    corners, place, rim = corner_mesh(inside)
    _, height = inflate(corners, rim, np.zeros(len(place), np.float32))
    rows, columns = np.divmod(place, inside.shape[1] + 1)
    r = np.hypot(rows - radius - 2, columns - radius - 2)
    exact = np.sqrt(np.maximum(radius**2 - r**2, 0))
    inner = r < 0.8 * radius
    np.testing.assert_allclose(height[inner], exact[inner], rtol=0.8 / radius)
    assert np.abs(height - exact).mean() < 0.5  # the rim is a staircase
    assert not height[rim].any()


def test_a_long_strip_inflates_to_an_elliptic_vault() -> None:
    """∇²u = −4 between two lines 2a apart: √u = √2·√(a² − x²)."""
    a = 8
    inside = np.ones((2 * a, 200), bool)
    corners, place, rim = corner_mesh(inside)
    _, height = inflate(corners, rim, np.zeros(len(place), np.float32))
    rows, columns = np.divmod(place, 201)
    middle = columns == 100
    np.testing.assert_allclose(height[middle], np.sqrt(2.0 * (a**2 - (rows[middle] - a) ** 2)), atol=1e-3)


@LAW
@given(st.integers(0, 9999), st.floats(-1, 1), st.floats(-1, 1))
def test_the_base_is_harmonic(seed: int, x: float, y: float) -> None:
    """A plane through the rim is continued as that plane; any rim bounds the base."""
    inside = random_mask(seed)
    corners, place, rim = corner_mesh(each_sample_doubled(inside))
    rows, columns = np.divmod(place, 17)
    plane = (3 + x * columns + y * rows).astype(np.float32)
    base, _ = inflate(corners, rim, np.where(rim, plane, np.float32(99)))
    np.testing.assert_allclose(base, plane, atol=2e-5)
    values = np.random.default_rng(seed).uniform(1, 2, len(place)).astype(np.float32)
    bounded, _ = inflate(corners, rim, values)
    np.testing.assert_array_equal(bounded[rim], values[rim])
    assert bounded.min() >= values[rim].min() - 1e-6
    assert bounded.max() <= values[rim].max() + 1e-6
