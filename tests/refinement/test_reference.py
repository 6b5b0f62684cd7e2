"""The normalised world: there and back, the photo where its rays are, the solid's distance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from recon.geometry.camera import project
from recon.refinement.refine import subject_from_solid
from recon.refinement.solid_prior import SolidPrior, trust
from recon.refinement.unseen_colours import LEVELS, Unseen
from recon.render.cameras import orbit
from recon.render.distance import inner_width, signed_distance
from recon.render.fields import VolumePrior
from recon.render.raster import vertex_normals
from recon.types import MirrorSymmetry
from tests.refinement import toy
from tests.render.shapes import ball


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
    assert (VolumePrior(solid.volume(24))(points) - wanted).abs().max() < 0.1
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
    for picture in (reference.photo, reference.far):
        assert picture[seen[1], seen[0]].min() > 85 / 255


def test_colours_are_the_photo_s_in_front_and_fade_to_the_guess_behind() -> None:
    reference, solid = toy.reference(), toy.prior()

    def colours(photo: torch.Tensor, photo_weight: float, guess_weight: float) -> torch.Tensor:
        seen = replace(reference, photo=photo, far=reference.far if photo is reference.photo else photo)
        return SolidPrior(solid.vertices, solid.faces, seen, photo_weight, guess_weight).colours()

    flat = colours(torch.full_like(reference.photo, 0.25), 4.0, 1e-3)
    torch.testing.assert_close(flat, torch.full_like(flat, 0.25), atol=4e-3, rtol=0)  # a byte's step
    firm = colours(reference.photo, 1e4, 1e-3)
    front = solid.vertices[:, 2] < -0.5 * float(solid.vertices[:, 2].abs().max())
    u, v, _ = reference.camera.project(solid.vertices[front]).T
    assert (firm[front] - reference.photo[v.long(), u.long()]).abs().mean() < 0.05
    faded = colours(reference.photo, 4.0, 1e3)
    guess = Unseen.of(reference).at(solid.vertices, vertex_normals(solid.vertices, solid.faces))
    torch.testing.assert_close(faded, guess.clamp(0, 1), atol=0.02, rtol=0)


def test_a_picture_is_taken_from_a_copy_as_blurred_as_it_is_stretched() -> None:
    reference = toy.reference(128)
    flat = torch.arange(LEVELS).float()[None, None, :, None, None].expand(1, 3, LEVELS, 128, 128)
    points, away = torch.zeros(LEVELS, 3), torch.tensor([0.0, 0.0, 1.0])
    angle = torch.acos(2.0 ** -torch.arange(LEVELS))[:, None]
    normals = torch.cos(angle) * away + torch.sin(angle) * torch.tensor([1.0, 0.0, 0.0])
    found = Unseen(reference, flat).at(points, normals)[:, 0]
    torch.testing.assert_close(found, torch.arange(LEVELS).float(), atol=1e-3, rtol=0)
    torch.testing.assert_close(Unseen(reference, flat).at(points, 7 * normals)[:, 0], found)
    assert Unseen(reference, flat).at(points[:1], torch.tensor([[1.0, 0.0, 0.0]]))[0, 0] == LEVELS - 1


def test_a_network_s_colours_are_worn_behind() -> None:
    photo, mask, camera, _ = toy.ball()
    red = np.zeros_like(photo.rgb)
    red[..., 0] = 255
    told = subject_from_solid(photo, mask, camera, toy.solid(), replace(toy.TOY, photo=128), red).reference
    assert told is not None
    own = toy.reference(128).far[56:72, 56:72].mean((0, 1))
    for middle in (told.far[56:72, 56:72].mean((0, 1)), told.at(64).far[28:36, 28:36].mean((0, 1))):
        assert middle[0] > 0.8 and (middle[0] - middle[2]) > (own[0] - own[2]) + 0.3


def test_what_the_photo_shows_of_the_mirror_image_is_worn_behind() -> None:
    photo, mask, camera, _ = toy.ball()
    assert mask.inside is not None
    middle = np.nonzero(mask.inside)[1].mean() + 0.5
    v, u = np.mgrid[: camera.height, : camera.width].astype(np.float32) + np.float32(0.5)
    place = np.stack([np.float32(2 * middle) - u, v], 2)
    size = (0, 0, camera.width, camera.height)
    mirror = MirrorSymmetry((1.0, 0.0, 0.0), 0.0, 0.1, size, place, np.ones_like(u))
    told = subject_from_solid(
        photo, mask, camera, toy.solid(), replace(toy.TOY, photo=128), mirror=mirror
    ).reference  # fmt: skip
    assert told is not None
    box = np.s_[40:88, 40:88]
    off, unlike = ((told.far - each)[box].abs().mean() for each in (told.photo.flip(1), told.photo))
    assert off < 0.4 * unlike


def test_the_sheet_is_the_photo_pixel_for_pixel() -> None:
    photo, _, camera, _ = toy.ball()
    sheet, vertices = toy.reference().sheet, toy.prior().vertices.numpy()
    front = vertices[vertices[:, 2] < -0.5]
    columns, rows = sheet.places(front).astype(int).T
    whole = project(toy.subject().frame.from_world(front), camera).astype(int)
    same = (sheet.picture[rows, columns] == photo.rgb[whole[:, 1], whole[:, 0]]).all(1)
    assert same.mean() > 0.95  # the rest lies on the line between two pixels


def test_a_ball_is_as_wide_as_its_diameter() -> None:
    vertices, faces = ball(4, 1.0)
    torch.testing.assert_close(inner_width(vertices, faces), torch.full((len(vertices),), 2.0), atol=0.02, rtol=0)


def test_trust_falls_with_the_angle() -> None:
    trusts = [trust(orbit(azimuth, 0.0, 4.0, 30.0, 8)) for azimuth in (0.0, 60.0, 120.0, 180.0)]
    assert trusts == sorted(trusts, reverse=True)
    np.testing.assert_allclose((trusts[0], trusts[-1]), (1.0, 0.3), atol=1e-6)
