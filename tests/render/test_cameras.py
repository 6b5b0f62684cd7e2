"""Cameras and rays: inverses, poses that are rotations, and distributions with the published moments."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.cameras import (
    DISTRIBUTIONS,
    DREAMFUSION,
    MAKE_IT_3D,
    Orbits,
    Pinhole,
    Rays,
    distance_to_fit,
    look_at,
    orbit,
    random_orbits,
)
from recon.render.sampling import ball_span
from tests.render.scene import seed

LAW = settings(max_examples=30, deadline=None, derandomize=True)
angles = st.floats(-180, 180)


def spherical(camera: Pinhole) -> tuple[float, float, float]:
    """(azimuth, elevation, distance) of a camera's position."""
    x, y, z = camera.position.tolist()
    distance = math.sqrt(x * x + y * y + z * z)
    return math.degrees(math.atan2(x, -z)), math.degrees(math.asin(-y / distance)), distance


def test_the_reference_camera_is_the_identity() -> None:
    camera = orbit(0.0, 0.0, 3.0, 40.0, 64)
    torch.testing.assert_close(camera.c2w[:, :3], torch.eye(3))
    torch.testing.assert_close(camera.position, torch.tensor((0.0, 0.0, -3.0)))


@LAW
@given(angles, st.floats(-90, 90), st.floats(1.5, 9))
def test_an_orbit_camera_is_a_rotation_that_looks_at_the_origin(
    azimuth: float, elevation: float, distance: float
) -> None:
    camera = orbit(azimuth, elevation, distance, 40.0, 65)
    rotation = camera.c2w[:, :3]
    torch.testing.assert_close(rotation @ rotation.T, torch.eye(3), atol=1e-6, rtol=0)
    assert float(torch.linalg.det(rotation)) == pytest.approx(1, abs=1e-5)
    centre = camera.project(torch.zeros(1, 3))[0]
    torch.testing.assert_close(centre, torch.tensor((32.5, 32.5, distance)), atol=1e-3, rtol=1e-5)
    assert float(camera.c2w[1, 1]) >= -1e-6  # the picture's down is never the world's up
    if abs(elevation) < 89:
        pose = look_at(camera.position, torch.zeros(3))
        torch.testing.assert_close(pose, camera.c2w, atol=1e-4, rtol=0)
        assert spherical(camera)[1] == pytest.approx(elevation, abs=1e-3)
        turn = (spherical(camera)[0] - azimuth + 180) % 360 - 180
        assert turn == pytest.approx(0, abs=1e-2 / math.cos(math.radians(elevation)))


@LAW
@given(angles, st.floats(-80, 80), st.floats(20, 100), st.floats(0.5, 4))
def test_projection_undoes_rays_and_forward_makes_depth(azimuth: float, elevation: float, fov: float, t: float) -> None:
    base = orbit(azimuth, elevation, 2.0, fov, 12)
    camera = Pinhole(base.c2w, base.focal, 12, 7)
    rays = camera.rays()
    torch.testing.assert_close(rays.directions.norm(dim=1), torch.ones(84))
    seen = camera.project(rays.origins + t * rays.directions)
    row, column = torch.meshgrid(torch.arange(7.0), torch.arange(12.0), indexing="ij")
    expected = torch.stack((column + 0.5, row + 0.5), 2).view(-1, 2)
    torch.testing.assert_close(seen[:, :2], expected, atol=1e-3, rtol=0)
    torch.testing.assert_close(seen[:, 2], t * rays.forward, atol=1e-5, rtol=1e-5)


def test_some_pixels_are_those_of_all() -> None:
    camera = orbit(30.0, 20.0, 3.0, 40.0, 9)
    pixels = torch.tensor((0, 5, 80, 44))
    some, every = camera.rays(pixels), camera.rays()[pixels]
    joined = Rays.cat([some, every])
    torch.testing.assert_close(joined.directions[:4], joined.directions[4:])
    torch.testing.assert_close(joined.forward[:4], joined.forward[4:])
    assert len(joined) == 8


def test_another_number_of_pixels_is_the_same_view() -> None:
    camera = orbit(10.0, 5.0, 3.0, 50.0, 60)
    small = camera.resized(20, 20).rays(torch.tensor([0]))
    centre = camera.rays(torch.tensor([61]))  # of the 3×3 pixels that become one
    torch.testing.assert_close(small.directions, centre.directions)


def test_at_the_fitting_distance_the_ball_touches_the_edges() -> None:
    for fov in (15.0, 40.0, 90.0):
        camera = orbit(0.0, 0.0, distance_to_fit(fov), fov, 1000)
        near, far = ball_span(camera.rays(torch.arange(1000) + 500 * 1000))
        hit = (far > near).nonzero()
        assert int(hit.min()) <= 1 and int(hit.max()) >= 998


@pytest.mark.parametrize("name", DISTRIBUTIONS)
def test_random_orbits_keep_to_their_spans_and_their_seed(name: str) -> None:
    orbits = DISTRIBUTIONS[name]
    still = Orbits(orbits.azimuths, orbits.elevation, orbits.on_sphere, orbits.margin, orbits.fov)
    cameras = random_orbits(300, 64, still, seed(1))
    for camera, again in zip(cameras, random_orbits(300, 64, still, seed(1)), strict=True):
        assert torch.equal(camera.c2w, again.c2w) and camera.focal == again.focal
        _, elevation, distance = spherical(camera)
        fov = math.degrees(2 * math.atan(32 / camera.focal))
        assert still.fov[0] - 1e-3 <= fov <= still.fov[1] + 1e-3
        assert still.elevation[0] - 0.1 <= elevation <= still.elevation[1] + 0.1
        assert still.margin[0] - 1e-3 <= distance / distance_to_fit(fov) <= still.margin[1] + 1e-3


def test_elevation_is_uniform_in_angle_or_on_the_sphere() -> None:
    for on_sphere, mean_sine in ((0.0, 2 / math.pi), (1.0, 0.5), (0.5, (2 / math.pi + 0.5) / 2)):
        orbits = Orbits(elevation=(0.0, 90.0), on_sphere=on_sphere)
        sines = [math.sin(math.radians(spherical(c)[1])) for c in random_orbits(2000, 8, orbits, seed(2))]
        assert sum(sines) / 2000 == pytest.approx(mean_sine, abs=4 * 0.31 / 2000**0.5)


def test_make_it_3d_s_mixture_of_azimuths() -> None:
    azimuths = torch.tensor([spherical(c)[0] for c in random_orbits(4000, 8, MAKE_IT_3D, seed(3))])
    for probability, (low, high) in MAKE_IT_3D.azimuths:
        share = float(((azimuths >= low) & (azimuths < high)).double().mean())
        assert share == pytest.approx(probability, abs=4 * 0.46 / 4000**0.5)
    assert sum(probability for probability, _ in MAKE_IT_3D.azimuths) == pytest.approx(1)


def test_dreamfusion_s_jitter_moves_the_centre_and_tilts_the_picture() -> None:
    cameras = random_orbits(1500, 64, DREAMFUSION, seed(4))
    still = random_orbits(1500, 64, Orbits(elevation=(-10.0, 90.0), on_sphere=0.5, margin=(1.0, 1.5),
                                           fov=DREAMFUSION.fov), seed(4))  # fmt: skip
    moved = torch.stack([a.position - b.position for a, b in zip(cameras, still, strict=True)])
    assert moved.abs().max() <= 0.1 + 1e-6
    assert float(moved.std()) == pytest.approx(0.1 / 3**0.5, rel=0.05)
    assert moved.mean(0).abs().max() < 4 * 0.058 / 1500**0.5
    rotation = torch.stack([camera.c2w[:, :3] for camera in cameras])
    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3).expand(1500, 3, 3), atol=1e-5, rtol=0)
