"""Cuts where a surface breaks and nowhere else; flying samples snapped and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from recon.geometry.discontinuity import GRAZING_DEG, STEP, depth_cuts, snap_flying_pixels
from recon.geometry.points import _shifted
from tests.scenes import box, camera_of, frozen, lattice_of, nearest, plane, rays, room, sphere, step

LAW = settings(max_examples=60, deadline=None, derandomize=True)
strides = st.sampled_from([1, 2, 3, 5])


def steepness(normal: np.ndarray, ray: np.ndarray) -> float:
    """Largest relative change of a plane's depth along the image's axes, per unit of footprint."""
    facing = -(ray @ normal)
    return float((np.abs(normal[:2]).max() / facing).max()) if facing.min() > 0 else math.inf


@LAW
@given(st.floats(0, 360), st.floats(0, 89), strides, st.floats(60, 400))
def test_no_legal_plane_is_cut_however_grazing(around: float, tilt: float, stride: int, focal: float) -> None:
    camera = camera_of(60, 45, focal)
    a, t = math.radians(around), math.radians(tilt)
    normal = np.array([math.sin(t) * math.cos(a), math.sin(t) * math.sin(a), -math.cos(t)])
    assume(steepness(normal, rays(camera)) < 0.999 * math.tan(math.radians(GRAZING_DEG)))
    lattice = lattice_of(plane(camera, normal), camera, stride)
    across, down = depth_cuts(lattice.z, lattice.footprint)
    assert not across.any()
    assert not down.any()


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_a_plane_is_cut_exactly_where_it_grows_too_grazing(stride: int) -> None:
    camera = camera_of(60, 90, 400.0)
    lattice = lattice_of(plane(camera, (0, -1, 0.02), 1.0), camera, stride)  # a floor and its horizon
    across, down = depth_cuts(lattice.z, lattice.footprint)
    with np.errstate(invalid="ignore"):
        jump = np.abs(np.diff(lattice.z, axis=0)) / np.fmin(lattice.z[1:], lattice.z[:-1])
        legal = jump <= max(STEP, math.tan(math.radians(GRAZING_DEG)) * lattice.footprint)
    np.testing.assert_array_equal(down, ~legal)
    hole = np.isnan(lattice.z)
    np.testing.assert_array_equal(across, hole[:, 1:] | hole[:, :-1])


@LAW
@given(st.integers(3, 57), strides, st.floats(1.03, 30), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.booleans())
def test_a_step_between_two_tilted_planes_is_cut_at_the_step_alone(
    column: int, stride: int, ratio: float, lean: float, far_lean: float, turned: bool
) -> None:
    camera = camera_of(60, 60, 100.0)
    near = plane(camera, (lean, 0.1, -1), 1.0)
    far = plane(camera, (far_lean, -0.2, -1), ratio * 1.6)
    z = np.where(np.arange(60) < column, near, far)
    lattice = lattice_of(frozen(z), camera, stride)
    jump = lattice.z[:, 1:] / lattice.z[:, :-1]
    edge = int(np.searchsorted(lattice.u, column)) - 1  # between this sample and the next
    assume(0 < edge < lattice.z.shape[1] - 2)
    assume((jump[:, edge] > 1.1).all())
    across, down = depth_cuts(lattice.z.T.copy() if turned else lattice.z, lattice.footprint)
    if turned:
        across, down = down.T, across.T
    expected = np.zeros_like(across)
    expected[:, edge] = True
    np.testing.assert_array_equal(across, expected)
    assert not down.any()


@LAW
@given(st.integers(0, 999))
def test_next_to_a_hole_there_is_always_a_cut(seed: int) -> None:
    z = np.array(plane(camera_of(20, 15)))
    z[np.random.default_rng(seed).random(z.shape) < 0.3] = np.nan
    hole = np.isnan(z)
    across, down = depth_cuts(z, 0.01)
    np.testing.assert_array_equal(across, hole[:, 1:] | hole[:, :-1])
    np.testing.assert_array_equal(down, hole[1:] | hole[:-1])


@LAW
@given(st.integers(0, 999), st.sampled_from([0.125, 0.5, 4.0, 64.0]))
def test_cuts_know_no_unit_and_no_handedness(seed: int, factor: float) -> None:
    z = np.random.default_rng(seed).choice([1, 1.01, 1.02, 1.2, 2], (12, 14)).astype(np.float32)
    across, down = depth_cuts(z, 0.003)
    scaled = depth_cuts(z * np.float32(factor), 0.003)
    mirrored = depth_cuts(np.ascontiguousarray(z[::-1, ::-1]), 0.003)
    turned = depth_cuts(np.ascontiguousarray(z.T), 0.003)
    for found, same in ((scaled[0], across), (mirrored[0][::-1, ::-1], across), (turned[1].T, across)):
        np.testing.assert_array_equal(found, same)
    for found, same in ((scaled[1], down), (mirrored[1][::-1, ::-1], down), (turned[0].T, down)):
        np.testing.assert_array_equal(found, same)


def test_sensor_noise_on_a_wall_is_not_cut() -> None:
    z = plane(camera_of(), (0.3, 0.2, -1)) * (1 + np.random.default_rng(0).normal(0, 0.001, (72, 96)))
    across, down = depth_cuts(z.astype(np.float32), 1 / 80)
    assert not across.any()
    assert not down.any()


@LAW
@given(st.floats(1.05, 20), st.floats(0.02, 0.98), st.integers(3, 16), st.booleans(), st.booleans())
def test_a_flying_sample_moves_to_the_nearer_side(
    ratio: float, between: float, column: int, turned: bool, mirrored: bool
) -> None:
    z = np.array(step(camera_of(20, 12), column, 1.0, ratio))
    exact = z.copy()
    z[:, column] = 1 + between * (ratio - 1)
    exact[:, column] = 1 if between < 0.5 else ratio
    assume(abs(between - 0.5) > 1e-3)
    if mirrored:
        z, exact = z[:, ::-1], exact[:, ::-1]
    if turned:
        z, exact = z.T, exact.T
    found = snap_flying_pixels(frozen(z))
    np.testing.assert_array_equal(found, exact)
    np.testing.assert_array_equal(snap_flying_pixels(found), found)


SHARP = {
    "plane": (lambda camera: plane(camera, (0.8, 0.5, -1)), 0),
    "floor": (lambda camera: plane(camera, (0, -1, 0.05), 1.0), 0),
    "sphere": (sphere, 0),
    "far sphere": (lambda camera: sphere(camera, (0, 0, 30), 9.0), 0),
    "tilted plane before a wall": (
        lambda camera: frozen(
            np.where(np.arange(camera.width) < 101, plane(camera, (-0.9, 0.3, -1)), plane(camera, distance=9.0))
        ),
        0,
    ),
    "box before a wall": (
        lambda camera: nearest(box(camera, (-1, -1, 2), (0.5, 0.7, 3)), plane(camera, distance=6.0)),
        0,
    ),
    "sphere before a wall": (lambda camera: nearest(sphere(camera), plane(camera, distance=6.0)), 0.002),
    "room": (room, 0.01),  # sides that are one or two samples wide cannot be told from a ramp
}


@pytest.mark.parametrize("scene", SHARP)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_surfaces_stay_up_to_their_very_edges(scene: str, stride: int) -> None:
    camera = camera_of(240, 180, 200.0)
    build, share = SHARP[scene]
    lattice = lattice_of(build(camera), camera, stride)
    moved = (snap_flying_pixels(lattice.z) != lattice.z) & ~np.isnan(lattice.z)
    assert moved.sum() <= share * moved.size


@LAW
@given(st.integers(0, 9999))
def test_a_snapped_sample_takes_a_neighbour_s_depth(seed: int) -> None:
    z = np.random.default_rng(seed).choice([1, 1.01, 1.5, 2, 3, np.nan], (9, 11)).astype(np.float32)
    found = snap_flying_pixels(frozen(z))
    np.testing.assert_array_equal(np.isnan(found), np.isnan(z))
    moved = (found != z) & ~np.isnan(z)
    beside = np.stack([_shifted(m, i, j) for m in (z, found) for i, j in ((0, 1), (0, -1), (1, 0), (-1, 0))])
    assert (beside == found)[:, moved].any(axis=0).all()


def ramp(rise: float, between: float, slope: float) -> np.ndarray:
    """Rows that lead with `slope` (in parts of the rise) to a side at 1, then one sample, then a level side at 1 + rise."""
    left = 1 - slope * rise * np.arange(5, -1, -1)
    row = np.concatenate([left, [1 + between * rise], np.full(6, 1 + rise)])
    return frozen(np.tile(row, (7, 1)).astype(np.float32))


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize(
    ("rise", "between", "slope", "flying"),
    [
        (1.005 * STEP, 0.7, 0.0, True),  # in parts of the nearer side
        (0.995 * STEP, 0.7, 0.0, False),  # no step: the sides are one surface
        (0.5, 0.9, 0.24, True),
        (0.5, 0.9, 0.26, False),  # the side is not level: it may well lead there
        (0.5, 0.51, 0.2, True),
        (0.5, 0.49, 0.2, False),  # the side's last step, as steep as a round rim's
    ],
)
def test_what_counts_as_flying(
    rise: float, between: float, slope: float, flying: bool, mirrored: bool, turned: bool
) -> None:
    z = ramp(rise, between, slope)
    z = z[:, ::-1] if mirrored else z
    z = frozen(z.T if turned else z)
    assert bool((snap_flying_pixels(z) != z).any()) == flying


def across_a_row(disparity: list[float], footprint: float) -> list[bool]:
    """Whether each two neighbours of a row are cut, where all rows are alike."""
    z = frozen(np.tile(1 / np.array(disparity, np.float32), (4, 1)))
    return depth_cuts(z, footprint)[0][0].tolist()


@pytest.mark.parametrize(("explained", "cut"), [(0.48, True), (0.52, False)])
def test_a_jump_goes_on_where_one_side_s_slope_explains_half_of_it(explained: float, cut: bool) -> None:
    """Depth jumps by a twentieth between the third and the fourth sample, less than a grazing surface's."""
    jump = 0.05
    disparity = [1 + 2 * explained * jump, 1 + explained * jump, 1.0, 1 - jump, 1 - jump, 1 - jump]
    for row in (disparity, [2 - each for each in disparity]):
        assert across_a_row(row, 1 / 80)[2] == cut
        assert across_a_row(row[::-1], 1 / 80)[-3] == cut


@pytest.mark.parametrize(("share", "cut"), [(0.98, False), (1.02, True)])
def test_a_plane_is_cut_where_it_is_seen_at_more_than_88_degrees(share: float, cut: bool) -> None:
    footprint = 1 / 80
    jump = share * math.tan(math.radians(88)) * footprint  # in parts of the nearer sample's depth
    disparity = [1.0 + 2 * jump, 1.0 + jump, 1.0]
    near, far = 1 / disparity[1], 1.0
    steep = [each / disparity[1] for each in disparity]
    assert (far - near) / near == pytest.approx(jump)
    assert across_a_row(steep, footprint)[1] == cut


@pytest.mark.parametrize(("change", "cut"), [(0.28, False), (0.33, True)])
def test_a_change_of_disparity_within_its_noise_is_no_cut(change: float, cut: bool) -> None:
    """Whatever it is in depth, which is the more of it the farther away. What is beyond the noise is judged as ever."""
    z = frozen(np.tile(1 / np.array([1, 1, 1 - change, 1 - change], np.float32), (4, 1)))
    assert depth_cuts(z, 1e-4, noise=0.3)[0][0].tolist() == [False, cut, False]
    assert depth_cuts(z, 1e-4)[0][0].tolist() == [False, True, False]
