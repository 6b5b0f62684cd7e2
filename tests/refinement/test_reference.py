"""The normalised world: there and back, the photo where its rays are, the solid's distance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from recon.geometry.camera import project
from recon.refinement.refine import subject_from_solid
from recon.refinement.solid_prior import SolidPrior, trust
from recon.refinement.unseen_colours import colours_through, plain_photo
from recon.render.cameras import orbit
from recon.render.distance import signed_distance
from tests.refinement import toy


def test_the_frame_leads_there_and_back_and_the_object_lies_in_the_ball() -> None:
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32) + np.float32((0, 0, 4))
    frame = toy.subject().frame
    np.testing.assert_allclose(frame.from_world(frame.to_world(points)), points, atol=1e-5)
    assert toy.prior().vertices.norm(dim=1).max() < 1
    centre = frame.to_world(np.array([toy.CENTRE], np.float32))
    assert np.linalg.norm(centre) < 0.05


def test_a_pixel_of_the_crop_is_the_photo_s_pixel_on_the_same_ray() -> None:
    photo, mask, camera, _ = toy.ball()
    reference, vertices = toy.reference(128), toy.prior(128).vertices
    assert mask.inside is not None
    points = vertices[:: len(vertices) // 200]
    u, v, _ = reference.camera.project(points).T
    whole = project(toy.subject().frame.from_world(points.numpy()), camera)
    there = reference.mask[v.long(), u.long()] > 0.99
    columns, rows = whole.astype(int).T
    found, wanted = reference.photo[v.long(), u.long()][there], torch.from_numpy(photo.rgb[rows, columns] / 255)[there]
    assert (found - wanted).abs().mean() < 0.05  # up to a pixel beside it; 0.3 for pixels drawn by chance


def test_the_solid_fills_the_mask() -> None:
    reference = toy.reference()
    _, cover, depth = toy.prior().view(reference.camera)
    inside = reference.mask > 0.5
    both = (cover > 0) & inside
    assert both.sum() / ((cover > 0) | inside).sum() > 0.95
    nearest = float(depth[depth > 0].min())
    assert abs(nearest - float(reference.camera.position.norm()) + toy.RADIUS / toy.subject().frame.radius) < 0.02
    assert torch.equal(toy.prior().depth(reference.camera), depth)


def test_distances_are_a_ball_s() -> None:
    solid = toy.prior()
    points = torch.rand(500, 3, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8
    radius = toy.RADIUS / toy.subject().frame.radius
    wanted = radius - points.norm(dim=1)
    assert (solid.distance(points, 24) - wanted).abs().max() < 0.1
    assert (signed_distance(solid.vertices, solid.faces, points) - wanted).abs().mean() < 0.03


def test_a_photo_whose_middle_is_not_its_principal_point_makes_the_same_reference() -> None:
    photo, mask, camera, _ = toy.ball()
    assert mask.inside is not None
    whole, cut = toy.reference(128), np.s_[8:, 24:]
    part = subject_from_solid(
        replace(photo, rgb=photo.rgb[cut]), replace(mask, inside=mask.inside[cut]),
        replace(camera, width=104, height=88, cx=camera.cx - 24, cy=camera.cy - 8), toy.solid(),
        replace(toy.TOY, photo=128),
    ).reference  # fmt: skip
    assert part is not None
    torch.testing.assert_close(part.mask, whole.mask, atol=1e-5, rtol=0)
    inside = whole.mask > 0.99
    assert (part.photo - whole.photo)[inside].abs().mean() < 0.01  # OpenCV looks up in steps of 1/32 pixel


def test_a_subject_that_touches_the_photo_s_border_has_no_black_rim() -> None:
    photo, mask, camera, _ = toy.ball()
    assert mask.inside is not None
    columns = np.flatnonzero(mask.inside.any(0))
    cut = np.s_[:, : (columns[0] + 3 * columns[-1]) // 4]  # the photo ends within the ball
    bright = np.maximum(photo.rgb[cut], 90)
    reference = subject_from_solid(
        replace(photo, rgb=bright), replace(mask, inside=mask.inside[cut]), replace(camera, width=bright.shape[1]),
        toy.solid(), replace(toy.TOY, photo=128),
    ).reference  # fmt: skip
    assert reference is not None
    there = project(toy.subject().frame.from_world(toy.prior(128).vertices.numpy()), camera)[:, 0]
    beyond = torch.from_numpy(there > bright.shape[1] + 2)
    seen = reference.camera.project(toy.prior(128).vertices[beyond])[:, :2].long().T
    assert beyond.any() and reference.mask[seen[1], seen[0]].max() == 0
    for picture in (reference.photo, plain_photo(reference)):
        assert picture[seen[1], seen[0]].min() > 85 / 255


def test_colours_are_the_photo_s_in_front_and_fade_to_its_plain_mirror_image_behind() -> None:
    reference, solid = toy.reference(), toy.prior()

    def colours(photo: torch.Tensor, photo_weight: float, guess_weight: float) -> torch.Tensor:
        seen = replace(reference, photo=photo)
        return SolidPrior(solid.vertices, solid.faces, seen, photo_weight, guess_weight).colours()

    flat = colours(torch.full_like(reference.photo, 0.25), 4.0, 1e-3)
    torch.testing.assert_close(flat, torch.full_like(flat, 0.25), atol=4e-3, rtol=0)  # a byte's step
    firm = colours(reference.photo, 1e4, 1e-3)
    front = solid.vertices[:, 2] < -0.5 * float(solid.vertices[:, 2].abs().max())
    u, v, _ = reference.camera.project(solid.vertices[front]).T
    assert (firm[front] - reference.photo[v.long(), u.long()]).abs().mean() < 0.05
    faded = colours(reference.photo, 4.0, 1e3)
    plain = colours_through(plain_photo(reference), reference, solid.vertices)
    torch.testing.assert_close(faded, plain, atol=0.02, rtol=0)


def test_the_guess_for_the_far_side_loses_spots_and_keeps_edges() -> None:
    reference = toy.reference(128)
    halves = torch.where(torch.arange(128)[:, None] < 64, 0.2, 0.6)[..., None].expand(128, 128, 3).contiguous()
    spotted = halves.clone()
    spotted[40:48, 50:58] = 1.0
    for picture in (halves, spotted):
        plain = plain_photo(replace(reference, photo=picture))
        for rows, colour in ((np.s_[24:61], 0.2), (np.s_[67:104], 0.6)):  # three pixels from the edge it is all there
            assert (plain[rows, 24:104] - colour).abs().max() < 0.02


def test_trust_falls_with_the_angle() -> None:
    trusts = [trust(orbit(azimuth, 0.0, 4.0, 30.0, 8)) for azimuth in (0.0, 60.0, 120.0, 180.0)]
    assert trusts == sorted(trusts, reverse=True)
    np.testing.assert_allclose((trusts[0], trusts[-1]), (1.0, 0.3), atol=1e-6)
