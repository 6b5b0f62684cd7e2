"""A point map without its shift gives both back: exactly if it is exact, near by if it is noisy, doubted if it is flat."""

from __future__ import annotations

import time

import numpy as np
import pytest

from recon.geometry.camera import centred_camera, focal_from_fov
from recon.geometry.focal_shift import SAMPLES, focal_and_shift, sampled, shift_for
from recon.types import AffinePoints, Camera
from tests.scenes import plane, rays, room, sphere

SHIFT = 0.37
SIZES = [(480, 640), (640, 480), (300, 900)]


def camera(fov: float, size: tuple[int, int] = (480, 640)) -> Camera:
    return centred_camera(size[1], size[0], focal_from_fov(float(fov), size[1]), "user")


def points_of(z: np.ndarray, seen_by: Camera) -> np.ndarray:
    """The point map of a depth map, SHIFT too near."""
    return (rays(seen_by) * z[..., None] - [0, 0, SHIFT]).astype(np.float32)


def samples_of(points: np.ndarray) -> AffinePoints:
    return sampled(points, np.isfinite(points).all(axis=2))


def scenes(seen_by: Camera) -> dict[str, np.ndarray]:
    return {"room": room(seen_by), "slope": plane(seen_by, (0.3, -0.2, -1)), "ball": sphere(seen_by, (0, 0, 3), 1)}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fov", [15, 30, 60, 90, 110])
def test_exact_points_give_the_camera_and_the_shift_exactly(fov: float, size: tuple[int, int]) -> None:
    truth = camera(fov, size)
    for name, z in scenes(truth).items():
        lens = focal_and_shift(samples_of(points_of(z, truth)), size[0] / size[1])
        assert lens is not None, name
        assert lens.fov_x == pytest.approx(fov, abs=0.02), name
        assert lens.shift == pytest.approx(SHIFT, abs=0.002), name


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("fov", [30, 60, 90, 110])
def test_noise_and_points_that_fit_nowhere_do_little(fov: float, size: tuple[int, int]) -> None:
    """Half a percent of noise everywhere, and three in a hundred points anywhere."""
    truth, random = camera(fov, size), np.random.default_rng(1)
    for name, z in {"room": room(truth), "slope": plane(truth, (0.4, -0.3, -1))}.items():
        points = points_of(z, truth)
        points *= (1 + 0.005 * random.standard_normal(points.shape)).astype(np.float32)
        astray = random.random(z.shape) < 0.03
        points[astray] = random.normal([0, 0, 2], 1, (astray.sum(), 3))
        lens = focal_and_shift(samples_of(points), size[0] / size[1])
        assert lens is not None and abs(lens.fov_x - fov) < 1.0 and abs(lens.fov_x - fov) < lens.fov_error < 6, name
        assert lens.shift == pytest.approx(SHIFT, abs=0.06), name


@pytest.mark.parametrize("noise", [0, 0.005, 0.02])
@pytest.mark.parametrize("fov", [30, 60, 90])
def test_a_wall_seen_head_on_says_no_field_of_view_but_keeps_its_shift(fov: float, noise: float) -> None:
    """Any focal length fits: what comes out is doubted by more than what is known without it, and finite."""
    truth, random = camera(fov), np.random.default_rng(2)
    points = points_of(plane(truth), truth)
    points *= (1 + noise * random.standard_normal(points.shape)).astype(np.float32)
    lens = focal_and_shift(samples_of(points), 0.75)
    assert lens is not None and np.isfinite(lens).all() and lens.fov_error > 25
    assert shift_for(samples_of(points), truth) == pytest.approx(SHIFT, abs=0.001 + noise)


def test_a_known_camera_gives_the_shift_of_least_error() -> None:
    """Also for another camera than the true one, where no shift fits: its error is the least of all."""
    truth, other = camera(60), camera(45)
    seen = samples_of(points_of(room(truth), truth))

    def error(shift: float) -> float:
        x, y, z = seen.points.astype(np.float64).T
        told = np.stack([x, y], 1) * (other.focal / (z + shift))[:, None]
        return float(np.square(told - (seen.place - 0.5) * [640, 480]).mean())

    found = shift_for(seen, other)
    assert found > SHIFT
    tried = np.linspace(found - 0.5, found + 0.5, 41)
    assert error(found) < 1.05 * min(map(error, tried))
    assert shift_for(seen, truth) == pytest.approx(SHIFT, abs=1e-4)


def test_a_principal_point_that_is_not_the_middle() -> None:
    truth = Camera(640, 480, 500.0, 250.0, 300.0)
    seen = samples_of(points_of(room(truth), truth))
    assert shift_for(seen, truth) == pytest.approx(SHIFT, abs=1e-4)


def test_masks_however_small() -> None:
    truth = camera(60)
    points = points_of(sphere(truth, (0.8, 0.4, 3), 0.3), truth)
    valid = np.isfinite(points).all(axis=2)
    lens = focal_and_shift(sampled(points, valid), 0.75)
    assert lens is not None and lens.fov_x == pytest.approx(60, abs=0.5)
    assert len(sampled(points, valid).points) == min(SAMPLES, valid.sum())
    few = np.zeros_like(valid)
    few.flat[np.flatnonzero(valid)[::400]] = True
    assert focal_and_shift(sampled(points, few), 0.75) is not None
    for count in (0, 1, 7):
        none = np.zeros_like(valid)
        none.flat[np.flatnonzero(valid)[:count]] = True
        assert focal_and_shift(sampled(points, none), 0.75) is None
        assert shift_for(sampled(points, none), truth) == 0.0


def test_what_is_no_geometry_is_none_or_finite() -> None:
    random = np.random.default_rng(3)
    ones = np.ones((40, 50), bool)
    noise = random.standard_normal((40, 50, 3)).astype(np.float32)
    mirrored = points_of(room(camera(60, (40, 50))), camera(60, (40, 50))) * np.float32([-1, -1, 1])
    for points in (noise, 0 * noise, 1e20 * noise, mirrored, 0 * noise + 1):
        lens = focal_and_shift(sampled(points, ones), 0.8)
        assert lens is None or np.isfinite(lens).all()
        assert np.isfinite(shift_for(sampled(points, ones), camera(60, (40, 50))))
    assert focal_and_shift(sampled(mirrored, ones), 0.8) is None


def test_it_always_says_the_same_and_takes_milliseconds() -> None:
    truth = camera(60, (700, 900))
    seen = samples_of(points_of(room(truth), truth))
    first = focal_and_shift(seen, 7 / 9)
    taken = []
    for _ in range(5):
        start = time.process_time()
        assert focal_and_shift(seen, 7 / 9) == first
        taken.append(time.process_time() - start)
    assert min(taken) < 0.05
