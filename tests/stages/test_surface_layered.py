"""The `layered` surface: nothing uncovered within the cone, nothing of the near side in what lies behind it."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest

from recon.settings import GridSettings, LayeredSettings
from recon.stages.surface_grid import make_grid
from recon.stages.surface_layered import Layers, make_layers
from recon.types import Camera, DepthMap, Mask, Mesh, Photo
from tests.scenes import (
    WHOLE,
    box,
    camera_of,
    cast,
    depth_of,
    frozen,
    nearest,
    photo_of,
    pixel_grid,
    plane,
    points_of,
    rays,
    room,
    seen_depth,
    sphere,
)

CAMERA = camera_of(120, 90, 100.0)
PHOTO = photo_of(CAMERA)
WALL = plane(CAMERA, (0, 0, -1), 4.0)
CARD = box(CAMERA, (-0.5, -0.4, 2.0), (0.5, 0.4, 2.001))
FLOOR = plane(CAMERA, (0.0, -1, -0.5), 1.5)
SCENES = {
    "card": nearest(WALL, CARD),
    "ball": nearest(plane(CAMERA, (0.3, 0, -1), 4.0), sphere(CAMERA, (0, 0, 2.5), 0.6)),
    "room": room(CAMERA),
    "at three borders": nearest(WALL, box(CAMERA, (-9, -0.2, 2.0), (0.3, 9, 2.5))),
}


def layers_of(z: np.ndarray, cone: float = 30.0, photo: Photo = PHOTO, camera: Camera = CAMERA, **about: str) -> Layers:
    return make_layers(photo, WHOLE, replace(depth_of(z), **about), camera, LayeredSettings(float(cone)))


def pivot_of(z: np.ndarray, camera: Camera = CAMERA) -> np.ndarray:
    return np.array([0, 0, float(np.nanmedian(z))])


def turned(mesh: Mesh, pivot: np.ndarray, yaw: float, pitch: float) -> Mesh:
    """The mesh as a camera sees it that is turned about the pivot."""
    a, b = math.radians(yaw), math.radians(pitch)
    about_y = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    whole = mesh.joined()
    return whole.with_(vertices=((whole.vertices - pivot) @ (about_y @ about_x).T + pivot).astype(np.float32))


def stretched(z: np.ndarray, camera: Camera = CAMERA) -> Mesh:
    """The sheet without cuts: what it covers, a picture may show."""
    height, width = z.shape
    number = np.arange(z.size, dtype=np.int32).reshape(height, width)
    tl, tr, bl, br = (each.ravel() for each in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    faces = np.concatenate([np.stack([tl, bl, br], 1), np.stack([tl, br, tr], 1)])
    return Mesh(points_of(z, camera).reshape(-1, 3).astype(np.float32), faces.astype(np.int32))


def uncovered(mesh: Mesh, z: np.ndarray, yaw: float, pitch: float) -> float:
    """Share of the frame that the stretched sheet covers and the mesh does not."""
    pivot = pivot_of(z)
    should, does = (np.isfinite(seen_depth(turned(each, pivot, yaw, pitch), CAMERA)) for each in (stretched(z), mesh))
    return float((should & ~does).mean())


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize(("yaw", "pitch"), [(-20, 0), (20, 0), (0, 20), (0, -20), (14, 14)])
def test_within_the_cone_nothing_is_uncovered(name: str, yaw: float, pitch: float) -> None:
    z = SCENES[name]
    layers = layers_of(z, cone=25)
    mesh = layers.mesh()
    grid = make_grid(PHOTO, WHOLE, depth_of(z), CAMERA)
    left = uncovered(mesh, z, yaw, pitch)
    assert left <= 0.002  # a ray in a thousand meets the joint of two triangles
    assert left <= uncovered(grid, z, yaw, pitch)


def test_the_cut_mesh_alone_leaves_holes_there() -> None:
    """What the test above measures is not always nothing."""
    z = SCENES["card"]
    assert uncovered(make_grid(PHOTO, WHOLE, depth_of(z), CAMERA), z, 20, 0) > 0.03


@pytest.mark.parametrize("z", [plane(CAMERA), plane(CAMERA, (0.6, -0.2, -1)), FLOOR], ids=["wall", "slanted", "floor"])
def test_without_a_step_it_is_the_grid_mesh_bit_by_bit(z: np.ndarray) -> None:
    z = np.where(np.isnan(z), np.float32(9), z) if np.isnan(z).any() else z
    z = frozen(np.ascontiguousarray(plane(CAMERA, (0.2, -0.3, -1), 3.0))) if z is FLOOR else z
    mesh, grid = layers_of(z).mesh(), make_grid(PHOTO, WHOLE, depth_of(z), CAMERA)
    assert mesh.behind == () and mesh.name == grid.name
    for name in ("vertices", "faces", "uv", "texture", "colors"):
        np.testing.assert_array_equal(getattr(mesh, name), getattr(grid, name))


@pytest.mark.parametrize("name", SCENES)
def test_seen_from_the_photo_s_place_the_front_is_before_all_else(name: str) -> None:
    z = SCENES[name]
    mesh = layers_of(z).mesh()
    for sheet in mesh.behind:
        behind = seen_depth(sheet, CAMERA)
        before = behind < z * np.float32(0.999)
        assert before.mean() < 0.003  # single pixels on the rims of round things, between two of its samples
    seen = seen_depth(mesh.joined(), CAMERA)
    assert np.isfinite(seen).all()
    assert (np.abs(seen / z - 1) < 0.01).mean() > 0.97


def test_a_plane_before_a_plane_is_carried_on_exactly() -> None:
    tilted = plane(CAMERA, (0.25, -0.1, -1), 4.0)
    z = nearest(tilted, CARD)
    (hidden,) = layers_of(z).behind
    lattice = hidden.lattice
    u, v = lattice.u[None], lattice.v[:, None]
    there = ~np.isnan(lattice.z) & (np.abs(u - CAMERA.cx) < 23) & (np.abs(v - CAMERA.cy) < 18)  # under the card
    assert there.sum() > 200
    x, y, depth = lattice.points()[there].T.astype(np.float64)
    normal = np.array([0.25, -0.1, -1]) / np.linalg.norm([0.25, -0.1, -1])
    off = np.abs(np.stack([x, y, depth], 1) @ -normal / 4.0 - 1)  # relative depth along each ray
    assert off.max() < 1e-4


def test_a_smaller_cone_needs_no_more_of_it() -> None:
    counts = [
        sum(np.count_nonzero(~np.isnan(each.lattice.z)) for each in layers_of(SCENES["room"], cone).behind)
        for cone in (5, 10, 20, 30, 45)
    ]
    assert counts == sorted(counts) and counts[0] < counts[-1]


def test_it_reaches_as_far_as_the_step_opens() -> None:
    """R = f·b·(n − q) with b = pivot·tan(cone): no cell is needed beyond it, none is missing before it."""
    z = SCENES["card"]
    cone = 10.0
    (hidden,) = layers_of(z, cone).behind
    reach = CAMERA.focal * float(np.median(z)) * math.tan(math.radians(cone)) * (1 / 2.0 - 1 / 4.0)
    there = ~np.isnan(hidden.lattice.z)
    row = there[np.argmin(np.abs(hidden.lattice.v - CAMERA.cy))]
    left = CAMERA.cx - 0.25 * CAMERA.focal  # the card's left side in the photo
    inside = hidden.lattice.u[row & (hidden.lattice.u > left) & (hidden.lattice.u < CAMERA.cx)]
    assert abs(inside.max() - left - reach) < 8  # cells are two pixels wide, and overlap by two


def test_nothing_of_a_red_card_is_in_the_grey_wall_behind_it() -> None:
    z = SCENES["card"]
    rgb = np.full((*z.shape, 3), 120, np.uint8)
    rgb[z < 3] = (220, 20, 30)
    layers = layers_of(z, photo=Photo(frozen(rgb)))
    (hidden,) = layers.behind
    there = np.repeat(np.repeat(~np.isnan(hidden.lattice.z), 2, 0), 2, 1)
    assert (hidden.texture[there] == 120).all()
    sheet = layers.sheets()[1]
    assert (sheet.colors[sheet.valid] == 120).all()


def test_a_network_s_outline_that_is_too_small_leaves_no_near_colour_behind_it() -> None:
    """A dark card whose outline the depth draws six pixels inside the photo's: the wall is carried on light."""
    z = np.array(nearest(WALL, CARD))
    card = (z < 3).astype(np.uint8)
    seen = cv2.dilate(card, np.ones((13, 13), np.uint8)).astype(bool)
    rgb = np.where(seen[..., None], np.uint8([40, 20, 10]), np.uint8([220, 210, 190])).astype(np.uint8)
    photo = replace(PHOTO, rgb=frozen(rgb))
    plates = {noise: make_layers(photo, WHOLE, replace(depth_of(frozen(z)), noise=noise), CAMERA).behind[0]
              for noise in (0.0, 1e-3)}  # fmt: skip
    darkest = {noise: int(plate.texture[~np.isnan(plate.lattice.z).repeat(2, 0).repeat(2, 1)].min(axis=0)[0])
               for noise, plate in plates.items()}  # fmt: skip
    assert darkest[1e-3] > 200 > 100 > darkest[0.0]


def test_another_unit_of_length_gives_the_same_sheets_in_that_unit() -> None:
    z = SCENES["room"]
    one, other = layers_of(z).mesh(), layers_of(frozen(z * np.float32(4))).mesh()
    for mine, theirs in zip(one.sheets(), other.sheets(), strict=True):
        np.testing.assert_array_equal(mine.faces, theirs.faces)
        np.testing.assert_allclose(4 * mine.vertices, theirs.vertices, rtol=1e-4, atol=1e-4)


def test_it_is_the_same_every_time() -> None:
    one, other = (layers_of(SCENES["room"]).mesh() for _ in range(2))
    for mine, theirs in zip(one.sheets(), other.sheets(), strict=True):
        assert (
            mine.vertices.tobytes() == theirs.vertices.tobytes() and mine.texture.tobytes() == theirs.texture.tobytes()
        )


def test_the_plate_is_one_sheet_without_cuts() -> None:
    """Every inner edge has two faces: a ray that crosses its outline meets it."""
    (hidden,) = layers_of(SCENES["card"]).behind
    mesh = hidden.mesh()
    edges = np.sort(np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]), axis=1)
    _, counts = np.unique(edges, axis=0, return_counts=True)
    assert counts.max() == 2
    there = ~np.isnan(hidden.lattice.z)
    whole = there[:-1, :-1] & there[1:, :-1] & there[:-1, 1:] & there[1:, 1:]
    assert len(mesh.faces) == 2 * whole.sum()


def test_sky_is_a_dome_far_behind_and_no_curtain() -> None:
    hill = frozen(np.where(pixel_grid(CAMERA)[1] > 40, FLOOR, np.float32(np.nan)))
    tree = box(CAMERA, (-0.3, -1.2, 2.0), (0.3, 0.8, 2.2))
    z = nearest(hill, tree)
    layers = layers_of(z, model="network")
    assert [each.name for each in layers.behind] == ["hidden", "sky"]
    sky = layers.behind[1]
    radius = np.linalg.norm(sky.lattice.points()[~np.isnan(sky.lattice.z)], axis=1)
    assert np.ptp(radius) < 1e-3 * radius.mean()
    assert radius.min() > 1.9 * np.nanpercentile(z, 98)
    mesh = layers.mesh()
    assert np.isfinite(seen_depth(mesh.joined(), CAMERA)).all()  # the sky that the photo shows is there, too
    assert np.isfinite(seen_depth(turned(mesh, pivot_of(z), 15, 0), CAMERA))[:40, 30:90].all()


def test_of_a_measured_map_missing_samples_are_covered_and_no_sky() -> None:
    z = SCENES["room"].copy()
    z[20:32, 40:60] = np.nan
    layers = layers_of(frozen(z))
    assert [each.name for each in layers.behind] == ["hidden"]
    assert np.isfinite(seen_depth(layers.mesh().joined(), CAMERA)).all()


def test_the_subject_of_a_mask_gets_nothing_beside_it() -> None:
    z = SCENES["ball"]
    inside = frozen(sphere(CAMERA, (0, 0, 2.5), 0.6) > 0)
    cut = frozen(np.where(inside, z, np.float32(np.nan)))
    layers = make_layers(PHOTO, Mask(inside, "file"), depth_of(cut), CAMERA)
    for each in layers.behind:  # the rim of the ball is steep enough for steps
        there = seen_depth(each.mesh(), CAMERA)
        reached = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
        assert not (np.isfinite(there) & ~reached).any()


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_at_every_pixel_is_sane_and_bounded(seed: int) -> None:
    z = frozen(np.random.default_rng(seed).uniform(1, 4, (CAMERA.height, CAMERA.width)).astype(np.float32))
    layers = make_layers(PHOTO, WHOLE, DepthMap(z, True), CAMERA, LayeredSettings(45.0))
    mesh = layers.mesh()
    for sheet in mesh.sheets():
        assert np.isfinite(sheet.vertices).all()
        assert len(sheet.faces) < 12 * z.size
    assert 0 <= layers.invented < 1


def test_a_panorama_and_a_strip_are_no_crash() -> None:
    for size in ((400, 16), (16, 300)):
        camera = camera_of(*size, 60.0)
        z = nearest(plane(camera, (0, 0, -1), 4.0), box(camera, (-0.2, -0.2, 2.0), (0.2, 0.2, 2.2)))
        mesh = make_layers(photo_of(camera), WHOLE, depth_of(z), camera).mesh()
        assert np.isfinite(seen_depth(mesh.joined(), camera)).all()


def test_a_large_photo_costs_no_more_samples_than_its_lattice() -> None:
    z = nearest(plane(CAMERA, (0, 0, -1), 4.0), CARD)
    settings = LayeredSettings(30.0, grid=GridSettings(max_samples=2_000))
    layers = make_layers(PHOTO, WHOLE, depth_of(z), CAMERA, settings)
    (hidden,) = layers.behind
    assert hidden.lattice.z.size <= 2_000 / 4 * (1 + 2 * 0.35) ** 2 * 1.3
    assert np.isfinite(seen_depth(layers.mesh().joined(), CAMERA)).all()
    assert uncovered(layers.mesh(), z, 15, 0) < 0.004


def test_sheets_say_what_the_mesh_shows() -> None:
    layers = layers_of(SCENES["card"])
    front, hidden = layers.sheets()
    assert (front.name, hidden.name) == ("photo", "hidden")
    assert front.points.shape == (90, 120, 3) and front.valid.all()
    assert np.isnan(hidden.points[~hidden.valid]).all() and np.isfinite(hidden.points[hidden.valid]).all()
    assert hidden.pitch == pytest.approx(2 * front.pitch)
    assert (hidden.alpha == hidden.valid).all() and 0.5 <= front.alpha.min() < front.alpha.max() == 1
    length = np.linalg.norm(front.normals, axis=-1)
    assert ((np.abs(length - 1) < 1e-5) | (length == 0)).all()
    assert (np.einsum("ijk,ijk->ij", front.normals, rays(CAMERA).astype(np.float32)) <= 1e-6).all()


def test_rays_beside_the_cast_agree_with_it() -> None:
    """The plate where the card covers it, by a ray through it alone."""
    (hidden,) = layers_of(SCENES["card"]).behind
    mesh = hidden.mesh()
    at = cast(mesh.vertices, mesh.faces, np.array([[CAMERA.cx - 10, CAMERA.cy]]), CAMERA)
    assert at[0] == pytest.approx(4.0, rel=2e-3)
