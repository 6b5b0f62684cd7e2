"""The normalised world: there and back, the photo where its rays are, the solid's distance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from recon.geometry.camera import project
from recon.refine.colours import guessed_colours
from recon.refine.guidance import distance_at, distance_volume, guide_of, signed_distance, spread_colours, trust
from recon.render.cameras import orbit
from tests.refine import toy


def test_the_frame_leads_there_and_back_and_the_object_lies_in_the_ball() -> None:
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32) + np.float32((0, 0, 4))
    target = toy.target()
    np.testing.assert_allclose(target.frame.from_world(target.frame.to_world(points)), points, atol=1e-5)
    assert target.vertices.norm(dim=1).max() < 1
    centre = target.frame.to_world(np.array([toy.CENTRE], np.float32))
    assert np.linalg.norm(centre) < 0.05


def test_a_pixel_of_the_crop_is_the_photo_s_pixel_on_the_same_ray() -> None:
    photo, mask, camera, _ = toy.ball()
    target = toy.target(128)
    assert mask.inside is not None
    points = target.vertices[:: len(target.vertices) // 200]
    u, v, _ = target.camera.project(points).T
    whole = project(target.frame.from_world(points.numpy()), camera)
    there = target.mask[v.long(), u.long()] > 0.99
    columns, rows = whole.astype(int).T
    found, wanted = target.photo[v.long(), u.long()][there], torch.from_numpy(photo.rgb[rows, columns] / 255)[there]
    assert (found - wanted).abs().mean() < 0.05  # up to a pixel beside it; 0.3 for pixels drawn by chance


def test_the_solid_fills_the_mask() -> None:
    target = toy.target()
    _, cover, depth = guide_of(target, 4.0, 1e-3).view(target.camera)
    inside = target.mask > 0.5
    both = (cover > 0) & inside
    assert both.sum() / ((cover > 0) | inside).sum() > 0.95
    nearest = float(depth[depth > 0].min())
    assert abs(nearest - float(target.camera.position.norm()) + toy.RADIUS / target.frame.radius) < 0.02


def test_distances_are_a_ball_s() -> None:
    target = toy.target()
    volume = distance_volume(target, 24)
    points = torch.rand(500, 3, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8
    radius = toy.RADIUS / target.frame.radius
    wanted = radius - points.norm(dim=1)
    assert (distance_at(target, volume, points) - wanted).abs().max() < 0.1
    assert (signed_distance(target.vertices, target.faces, points) - wanted).abs().mean() < 0.03


def test_colours_are_the_photo_s_in_front_and_fade_to_its_blurred_mirror_image_behind() -> None:
    target = toy.target()
    plain = torch.full_like(target.photo, 0.25)
    flat = spread_colours(
        type(target)(plain, *list(vars(target).values())[1:]), target.vertices, target.faces, 4.0, 1e-3
    )
    torch.testing.assert_close(flat, torch.full_like(flat, 0.25), atol=1e-4, rtol=0)
    firm = spread_colours(target, target.vertices, target.faces, 1e4, 1e-3)
    front = target.vertices[:, 2] < -0.5 * float(target.vertices[:, 2].abs().max())
    u, v, _ = target.camera.project(target.vertices[front]).T
    assert (firm[front] - target.photo[v.long(), u.long()]).abs().mean() < 0.05
    faded = spread_colours(target, target.vertices, target.faces, 4.0, 1e3)
    torch.testing.assert_close(faded, guessed_colours(target, target.vertices), atol=0.02, rtol=0)


def test_the_guess_for_the_far_side_is_the_photo_without_its_details() -> None:
    target = toy.target()
    fine = torch.where(torch.arange(64)[:, None] % 2 == 0, 0.2, 0.6)[..., None].expand(64, 64, 3)
    halves = torch.where(torch.arange(64)[None] < 32, 0.2, 0.6)[..., None].expand(64, 64, 3)
    left = target.camera.project(target.vertices)[:, 0] < 20
    for picture, wanted in ((fine, 0.4), (halves, 0.25)):
        guess = guessed_colours(replace(target, photo=picture.contiguous()), target.vertices)
        assert (guess[left] - wanted).abs().max() < 0.06


def test_trust_falls_with_the_angle() -> None:
    trusts = [trust(orbit(azimuth, 0.0, 4.0, 30.0, 8)) for azimuth in (0.0, 60.0, 120.0, 180.0)]
    assert trusts == sorted(trusts, reverse=True)
    np.testing.assert_allclose((trusts[0], trusts[-1]), (1.0, 0.3), atol=1e-6)
