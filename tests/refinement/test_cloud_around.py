"""Where the points lie, what they wear, and that other views add only what the photo does not show."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from recon.refinement.closed_surface import wrapped
from recon.refinement.reference import Reference
from recon.refinement.solid_prior import SolidPrior
from recon.refinement.stages.multiview_points import (
    FACING,
    Cloud,
    View,
    cameras_around,
    field_viewer,
    multiview_cloud,
    solid_viewer,
)
from recon.refinement.stages.radiance_field import RadianceField
from recon.render.cameras import Pinhole
from recon.render.distance import signed_distance
from tests.refinement import toy

RADIUS = toy.RADIUS


@cache
def made(side: int = 96, erosion: int = 2) -> tuple[Reference, SolidPrior, Cloud]:
    """A ball's photo, solid and cloud."""
    subject = toy.subject(side, replace(toy.TOY, texture=replace(toy.TEXTURE, guess_weight=2e-3)))
    reference, solid = subject.reference, subject.shape
    assert reference is not None
    assert isinstance(solid, SolidPrior)
    views = cameras_around((-30.0, 0.0, 30.0), 11, side)
    return reference, solid, multiview_cloud(reference, solid_viewer(solid), views, erosion)


def test_points_lie_on_the_solid_with_its_outward_normals() -> None:
    reference, solid, cloud = made()
    footprint = float(reference.camera.position.norm()) / reference.camera.focal
    distance = signed_distance(solid.vertices, solid.faces, cloud.points).abs()
    assert distance[~cloud.reference].max() < 1e-4
    beyond = distance[cloud.reference]  # pixels beyond the solid's outline are of its rim's depth
    assert beyond.max() < 4 * footprint
    assert beyond.quantile(0.9) < 1e-4
    centre = solid.vertices.mean(0)
    outward = torch.nn.functional.cosine_similarity(cloud.points - centre, cloud.normals)
    assert outward.mean() > 0.97
    assert (outward > 0.5).float().mean() > 0.99


def test_every_pixel_of_the_subject_is_a_point_in_the_photo_s_colour() -> None:
    reference, _, cloud = made()
    u, v, _ = reference.camera.project(cloud.points[cloud.reference]).unbind(1)
    pixels = v.long() * reference.camera.width + u.long()
    torch.testing.assert_close(u % 1, torch.full_like(u, 0.5), atol=1e-3, rtol=0)
    assert torch.equal(pixels.sort().values, (reference.mask > 0.5).flatten().nonzero().squeeze(1))
    assert torch.equal(reference.photo.flatten(0, 1)[pixels], cloud.colours[cloud.reference])


def test_other_views_add_nothing_that_the_photo_shows() -> None:
    reference, _, cloud = made()
    points, normals = cloud.points[~cloud.reference], cloud.normals[~cloud.reference]
    assert len(points) > 1000
    # on a ball: what the reference camera sees at less than 70°, but for the rim and the width of a pixel
    facing = torch.nn.functional.cosine_similarity(reference.camera.position - points, normals)
    near, _ = cKDTree(cloud.points[cloud.reference].numpy()).query(points.numpy())
    footprint = float(reference.camera.position.norm()) / reference.camera.focal
    doubled = (facing > FACING + 0.1).numpy() & (near < footprint)
    assert doubled.mean() < 0.02


def test_no_part_of_the_solid_is_left_bare() -> None:
    reference, solid, cloud = made()
    middles = solid.vertices[solid.faces].mean(1).numpy()
    gap, _ = cKDTree(cloud.points.numpy()).query(middles)
    assert gap.max() < 6 * float(reference.camera.position.norm()) / reference.camera.focal


def test_nothing_is_taken_beside_a_step_in_depth() -> None:
    reference = toy.reference(64)

    def steps(camera: Pinhole) -> View:
        """A wall whose left half is nearer, seen alike from everywhere."""
        depth = torch.full((camera.height, camera.width), 4.0)
        depth[:, : camera.width // 2] = 3.0
        towards = torch.nn.functional.normalize(camera.position - 0, dim=0).expand(*depth.shape, 3)
        return View(torch.zeros(*depth.shape, 3), depth, towards)

    view = cameras_around((0.0,), 2, 32)[1]
    cloud = multiview_cloud(reference, steps, [view], 0)
    u, _, _ = view.project(cloud.points[~cloud.reference]).unbind(1)
    assert sorted({int(column) for column in u.round(decimals=3)}) == [c for c in range(32) if c not in (15, 16)]


def test_a_field_gives_the_same_ball_as_the_solid_it_began_as() -> None:
    reference, solid = toy.reference(48), toy.prior(48)
    model = RadianceField(solid.prior(24), "cpu", levels=2, finest=32, hidden=8, cells=16)
    cloud = multiview_cloud(reference, field_viewer(model), cameras_around((0.0,), 4, 48), 2)
    distance = signed_distance(solid.vertices, solid.faces, cloud.points).abs()
    assert distance.quantile(0.9) < 0.1  # its density is a ramp, and a ray ends a little behind it
    outward = torch.nn.functional.cosine_similarity(cloud.points - solid.vertices.mean(0), cloud.normals)
    assert outward.median() > 0.97


def test_views_stand_all_round_and_the_nearest_to_the_photo_s_come_first() -> None:
    views = cameras_around((-10.0, 0.0, 10.0), 11, 8)
    assert len(views) == 33
    z = [float(view.position[2]) for view in views]
    assert z == sorted(z)
    torch.testing.assert_close(
        torch.stack([view.position for view in views]).mean(0), torch.zeros(3), atol=1e-4, rtol=0
    )


def test_the_mesh_around_a_ball_is_closed_and_has_its_volume() -> None:
    import trimesh

    generator = torch.Generator().manual_seed(0)
    normals = torch.nn.functional.normalize(torch.randn(4000, 3, generator=generator), dim=1)
    vertices, faces = wrapped(0.5 * normals, normals, 0.04)
    mesh = trimesh.Trimesh(vertices.numpy(), faces.numpy())
    assert mesh.is_watertight
    assert mesh.euler_number == 2
    np.testing.assert_allclose(mesh.volume, 4 / 3 * np.pi * 0.5**3, rtol=0.02)


def test_a_bubble_within_is_no_part_of_the_object() -> None:
    import trimesh

    generator = torch.Generator().manual_seed(0)
    normals = torch.nn.functional.normalize(torch.randn(4000, 3, generator=generator), dim=1)
    points = torch.cat([0.5 * normals, 0.15 * normals])
    vertices, faces = wrapped(points, torch.cat([normals, -normals]), 0.04)
    mesh = trimesh.Trimesh(vertices.numpy(), faces.numpy())
    assert mesh.is_watertight
    np.testing.assert_allclose(mesh.volume, 4 / 3 * np.pi * 0.5**3, rtol=0.02)


def test_too_few_points_are_told() -> None:
    from recon.errors import BadInput

    with pytest.raises(BadInput, match="only 3 points are there"):
        wrapped(torch.eye(3), torch.eye(3), 0.1)
