"""Splats of photos and of meshes."""

from __future__ import annotations

import numpy as np
import pytest

from recon.errors import BadInput
from recon.geometry.layers import Sheet
from recon.results import PhotoGeometry, Reconstruction
from recon.settings import SplatSettings
from recon.stages.splats import mesh_splats, seen_sheet, sheet_splats
from recon.types import Camera, DepthMap, Mask, Mesh, Photo, Splats
from tests.scenes import WHOLE, area, box, camera_of, depth_of, frozen, nearest, photo_of, plane, room, sphere
from tests.splats import angles, thinnest_axes

CAMERA = camera_of(120, 90, 100.0)
PHOTO = photo_of(CAMERA)


def seen_splats(
    photo: Photo, mask: Mask, depth: DepthMap, camera: Camera, settings: SplatSettings = SplatSettings()
) -> Splats:
    return sheet_splats(lambda limit: [seen_sheet(photo, mask, depth, camera, limit)], settings)


def test_each_sample_is_a_splat_where_it_is_seen_with_its_colour() -> None:
    z = plane(CAMERA, (0.5, -1, -1))
    splats = seen_splats(PHOTO, WHOLE, depth_of(z), CAMERA)
    assert len(splats.centres) == z.size
    assert all(np.isfinite(values).all() for values in vars(splats).values())
    np.testing.assert_array_equal(splats.colors.reshape(PHOTO.rgb.shape), PHOTO.rgb)
    seen = splats.centres[:, :2] / splats.centres[:, 2:] * CAMERA.focal + (60, 45)
    u, v = np.meshgrid(np.arange(120) + 0.5, np.arange(90) + 0.5)
    np.testing.assert_allclose(seen, np.stack([u.ravel(), v.ravel()], axis=1), atol=1e-3)


@pytest.mark.parametrize("normal", [(0, 0, -1), (0.5, -1, -1)])
def test_a_planes_splats_lie_in_it(normal: tuple[float, float, float]) -> None:
    splats = seen_splats(PHOTO, WHOLE, depth_of(plane(CAMERA, normal)), CAMERA)
    assert angles(thinnest_axes(splats), np.tile(normal, (len(splats.centres), 1))).max() < 1


def test_a_balls_splats_have_its_normals() -> None:
    z = sphere(CAMERA, (0, 0, 3), 1.0)
    splats = seen_splats(PHOTO, WHOLE, depth_of(z), CAMERA)
    out = splats.centres - np.float32([0, 0, 3])
    inner = (out * splats.centres).sum(axis=1) < -1.2  # at its rim, neighbours lie on one side only
    assert inner.mean() > 0.7 and angles(thinnest_axes(splats), out)[inner].max() < 3


def test_the_budget_holds_and_the_picture_stays() -> None:
    splats = seen_splats(PHOTO, WHOLE, depth_of(room(CAMERA)), CAMERA, SplatSettings(4000))
    assert 3990 < len(splats.centres) <= 4000
    z = np.array(room(CAMERA))
    z[np.indices(z.shape).sum(axis=0) % 2 == 0] = np.nan  # nothing can be joined
    assert len(seen_splats(PHOTO, WHOLE, depth_of(frozen(z)), CAMERA, SplatSettings(1000)).centres) <= 1000


def test_the_photos_transparency_is_the_opacity_of_its_subject() -> None:
    alpha = np.full((90, 120), 255, np.uint8)
    alpha[:, :60] = 128
    photo = Photo(PHOTO.rgb, frozen(alpha))
    splats = seen_splats(photo, Mask(frozen(alpha > 100), "alpha"), depth_of(plane(CAMERA)), CAMERA)
    left = splats.centres[:, 0] < 0
    np.testing.assert_allclose(splats.opacity[left], 0.98 * 128 / 255, atol=1e-6)
    np.testing.assert_allclose(splats.opacity[~left], 0.98, atol=1e-6)


def test_nothing_seen_is_told() -> None:
    z = np.full((90, 120), np.float32(np.nan))
    z[40, 40] = z[10, 100] = 2
    z[:20, :20] = np.float32([1, 3])[np.indices((20, 20)).sum(axis=0) % 2]
    with pytest.raises(BadInput, match="no connected surface"):
        seen_splats(PHOTO, WHOLE, depth_of(frozen(z)), CAMERA)


SQUARE = Mesh(
    np.float32([[0, 0, 2], [1, 0, 2], [0, 1, 2], [1, 1, 2]]),
    np.int32([[0, 2, 1], [1, 2, 3]]),
    np.uint8([[0, 0, 0], [200, 0, 0], [0, 200, 0], [200, 200, 0]]),
)


def test_a_mesh_has_its_splats_by_area_in_its_colours() -> None:
    thin = SQUARE.with_(vertices=SQUARE.vertices * np.float32([2, 1, 1]))
    splats = mesh_splats(thin, 1000)
    assert 900 < len(splats.centres) <= 1000
    discs = splats.scales[:, 0].astype(float) * splats.scales[:, 1]
    np.testing.assert_allclose(discs.std() / discs.mean(), 0, atol=1e-3)
    assert angles(thinnest_axes(splats), np.tile([0, 0, 1], (len(discs), 1))).max() < 0.1
    np.testing.assert_allclose(splats.colors[:, 0], 100 * splats.centres[:, 0], atol=1)
    np.testing.assert_allclose(splats.colors[:, 1], 200 * splats.centres[:, 1], atol=1)


def test_a_textured_mesh_has_the_textures_colours() -> None:
    texture = np.zeros((64, 64, 3), np.uint8)
    texture[:, :32], texture[:, 32:] = (250, 0, 0), (0, 0, 250)
    uv = SQUARE.vertices[:, :2].copy()
    splats = mesh_splats(SQUARE.with_(uv=uv, texture=texture), 2000)
    away = np.abs(splats.centres[:, 0] - 0.5) > 0.05
    left = splats.centres[:, 0] < 0.5
    np.testing.assert_array_equal(splats.colors[left & away], np.tile([250, 0, 0], ((left & away).sum(), 1)))
    np.testing.assert_array_equal(splats.colors[~left & away], np.tile([0, 0, 250], ((~left & away).sum(), 1)))


def test_every_triangle_with_an_area_has_a_splat() -> None:
    faces = np.concatenate([SQUARE.faces, np.int32([[0, 0, 1]])])
    assert len(mesh_splats(SQUARE.with_(faces=faces), 1).centres) == 2
    with pytest.raises(BadInput, match="no triangle with an area"):
        mesh_splats(SQUARE.with_(faces=np.int32([[0, 0, 1]])), 10)


def test_a_subjects_splats_are_all_round_it_and_a_scenes_are_its_samples() -> None:
    z = sphere(CAMERA, (0, 0, 3), 1.0)
    inside = Mask(frozen(~np.isnan(z)), "file")
    subject = Reconstruction(PhotoGeometry(PHOTO, inside, CAMERA, depth_of(z)))
    subject = subject.with_options(splats=20_000)
    assert subject.surface == "solid"
    splats = subject.splats
    assert len(splats.centres) <= 20_000
    assert {-1, 1} == set(np.sign(splats.centres[:, 2] - 3.0)) and subject.report()["counts"]["splats"] > 10_000
    mesh = subject.with_options(faces=20_000).mesh
    spread = np.pi * 4 * (splats.scales[:, 0].astype(float) * splats.scales[:, 1]).sum()
    assert 0.5 < area(mesh.vertices, mesh.faces) * (0.68**2 * 4 * np.pi) / spread < 2
    scene = Reconstruction(PhotoGeometry(PHOTO, WHOLE, CAMERA, depth_of(room(CAMERA)))).with_options(surface="grid")
    assert 0.999 < len(scene.splats.centres) / (120 * 90) <= 1


def test_a_scenes_splats_are_those_of_what_is_seen_and_of_what_lies_behind_it() -> None:
    z = nearest(plane(CAMERA, distance=4.0), box(CAMERA, (-0.4, -0.4, 2.0), (0.4, 0.4, 2.5)))
    scene = Reconstruction(PhotoGeometry(PHOTO, WHOLE, CAMERA, depth_of(z)))
    assert scene.surface == "layered"
    sheets = scene.layers.sheets()
    assert [sheet.name for sheet in sheets] == ["photo", "hidden"]
    assert len(scene.splats.centres) == sum(int(sheet.valid.sum()) for sheet in sheets)
    behind = scene.splats.centres[int(sheets[0].valid.sum()) :]
    np.testing.assert_allclose(behind[:, 2], 4, rtol=0.05)
    middle = np.abs(behind[:, :2] / behind[:, 2:]).max(axis=1) < 0.19  # hidden by the box
    assert middle.sum() > 200


def test_a_sheet_without_cuts_stays_closed_where_it_is_steep_and_the_photos_does_not_grow_fur() -> None:
    steep = np.float32([0.05, 0, -1]) @ np.float32([[0, 0, -1], [0, 1, 0], [1, 0, 0]])  # 3° off the line of sight
    points, normals = np.zeros((4, 4, 3), np.float32) + np.float32([0, 0, 2]), np.zeros((4, 4, 3), np.float32)
    normals[:] = steep / np.linalg.norm(steep)
    rest = (np.zeros((4, 4, 3), np.uint8), normals, np.ones((4, 4), bool), np.ones((4, 4), np.float32), 0.01)
    sheets = [Sheet(name, points, *rest) for name in ("photo", "hidden")]
    splats = sheet_splats(lambda limit: sheets)
    longest = splats.scales[:, 0] / splats.scales[:, 1]
    np.testing.assert_allclose(longest[:16], 1, rtol=1e-4)
    np.testing.assert_allclose(longest[16:], np.hypot(1, 0.05) / 0.05, rtol=1e-3)


def test_a_smooth_surface_has_splats_too() -> None:
    scene = Reconstruction(PhotoGeometry(PHOTO, WHOLE, CAMERA, depth_of(room(CAMERA)))).with_options(
        surface="poisson", splats=5000
    )
    assert 1000 < len(scene.splats.centres) <= 5000
