"""A mirror plane: found where a thing has one, at every angle, and used; nothing is changed where it has none."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree

from recon.geometry.camera import back_project
from recon.stages.all_round_texture import textured_all_round
from recon.stages.surface_solid import subject_solid
from recon.stages.symmetry import completed_by_symmetry
from recon.types import Camera, DepthMap, Mask, Photo
from tests.scenes import camera_of, frozen, is_closed, pixel_grid
from tests.solids import Solid, crate, ellipsoid, seen, union

CAMERA = camera_of(320, 240, 300.0)
MIDDLE = np.array([0.0, 0.1, 4.0])
MASKED = Mask(None, "file")


def turned_about(middle: np.ndarray, offset: tuple[float, float, float], turn: float) -> np.ndarray:
    """A place of a thing that is turned about the vertical through its middle, as `crate` turns."""
    cos, sin = math.cos(turn), math.sin(turn)
    return middle + np.array([cos * offset[0] - sin * offset[2], offset[1], sin * offset[0] + cos * offset[2]])


def part(offset: tuple[float, float, float], half: tuple[float, float, float], turn: float) -> Solid:
    place = turned_about(MIDDLE, offset, turn)
    return crate(place - half, place + half, turn)


def vehicle(turn: float) -> Solid:
    """A body with a cabin further back: its own mirror image about one upright plane along it only."""
    return union(part((0, 0.15, 0), (1.0, 0.25, 0.45), turn), part((0.35, -0.3, 0), (0.4, 0.3, 0.35), turn))


def across(turn: float) -> np.ndarray:
    """The normal of its mirror plane."""
    return np.array([-math.sin(turn), 0, math.cos(turn)])


def painted(z: np.ndarray, camera: Camera, normal: np.ndarray, seed: int = 0) -> Photo:
    """Stripes and patches of colour that are their own mirror images about the plane through MIDDLE."""
    u, v = pixel_grid(camera)
    points = back_project(
        u.astype(np.float32), v.astype(np.float32), np.nan_to_num(z, nan=9.0).astype(np.float32), camera
    )
    side = np.abs((points - MIDDLE) @ normal)
    along = (points - MIDDLE) @ np.cross(normal, [0, 1, 0])
    rgb = np.stack(
        [128 + 90 * np.sin(5 * side + seed), 128 + 90 * np.sin(4 * along), 128 + 90 * np.cos(6 * points[..., 1])], 2
    )
    return Photo(frozen(np.where(np.isnan(z)[..., None], 230, rgb).clip(0, 255).astype(np.uint8)))


def known(solid: Solid, camera: Camera = CAMERA, thick: float | None = None) -> tuple[DepthMap, Mask]:
    """Depth and mask of a solid; thick: how far its back is guessed behind its front, instead of the true one."""
    z, back = seen(solid, camera)
    guess = back if thick is None else z + np.float32(thick)
    return DepthMap(z, False, "builtin", "scale", 0.01, frozen(guess)), Mask(frozen(~np.isnan(z)), "file")


def completed(depth: DepthMap, mask: Mask, photo: Photo, camera: Camera = CAMERA, how: str = "auto") -> DepthMap:
    return completed_by_symmetry(depth, photo, mask, camera, how)


@pytest.mark.parametrize("turn", [0.65, 1.1, math.pi / 2, 2.2])
def test_the_plane_is_found_at_every_angle(turn: float) -> None:
    depth, mask = known(vehicle(turn))
    found = completed(depth, mask, painted(depth.z, CAMERA, across(turn))).mirror
    assert found is not None
    assert abs(np.array(found.normal) @ across(turn)) > 0.995
    assert abs(np.array(found.normal) @ MIDDLE - found.offset) < 0.03


@pytest.mark.parametrize("turn", [1.0, 2.1])
def test_what_the_photo_shows_of_one_side_is_the_other_side(turn: float) -> None:
    """Seen three-quarter, with a back that is guessed too near, it gets its true back, and keeps its front and outline."""
    depth, mask = known(vehicle(turn), thick=0.35)
    made = completed(depth, mask, painted(depth.z, CAMERA, across(turn)))
    assert made.mirror is not None and made.back is not None and depth.back is not None and mask.inside is not None
    true = seen(vehicle(turn), CAMERA)[1]
    before, after = (np.abs(each - true)[mask.inside].mean() for each in (depth.back, made.back))
    assert after < 0.75 * before
    assert np.abs(made.z - depth.z)[mask.inside].mean() < 0.03
    for each in (made.z, made.back):
        np.testing.assert_array_equal(~np.isnan(each), mask.inside)
    assert (made.back >= made.z)[mask.inside].all()
    assert is_closed(subject_solid(mask, made, CAMERA).faces)


def asymmetric(seed: int) -> Solid:
    """A few parts anywhere, of any size and turn."""
    rng, parts = np.random.default_rng(seed), []
    for _ in range(4):
        offset, half = rng.uniform(-0.8, 0.8, 3), rng.uniform(0.12, 0.5, 3)
        place = MIDDLE + offset
        if rng.random() < 0.5:
            parts.append(ellipsoid(place, half))
        else:
            parts.append(crate(place - half, place + half, rng.uniform(0, 3)))
    return union(*parts)


@pytest.mark.parametrize("seed", range(12))
def test_things_without_a_plane_stay_as_they_are(seed: int) -> None:
    depth, mask = known(asymmetric(seed))
    rng = np.random.default_rng(seed)
    spots = cv2.resize(rng.integers(0, 256, (12, 16, 3)).astype(np.uint8), (320, 240), interpolation=cv2.INTER_CUBIC)
    assert completed(depth, mask, Photo(frozen(spots))) is depth


def test_off_a_scene_and_measured_depth_stay_as_they_are() -> None:
    depth, mask = known(vehicle(0.8))
    photo = painted(depth.z, CAMERA, across(0.8))
    assert completed(depth, mask, photo, how="off") is depth
    assert completed(depth, MASKED, photo) is depth
    measured = replace(depth, back=None)
    assert completed(measured, mask, photo) is measured


def test_a_mask_of_one_pixel_is_taken() -> None:
    depth, _ = known(vehicle(0.8))
    inside = np.zeros(depth.z.shape, bool)
    inside[100, 150] = True
    found = completed(depth, Mask(frozen(inside), "file"), painted(depth.z, CAMERA, across(0.8)))
    np.testing.assert_array_equal(found.z[~inside], depth.z[~inside])
    assert found.z[100, 150] == pytest.approx(depth.z[100, 150], rel=0.02)


def mirrored(depth: DepthMap, mask: Mask, photo: Photo) -> tuple[DepthMap, Mask, Photo]:
    assert mask.inside is not None and depth.back is not None
    flipped = replace(depth, z=frozen(depth.z[:, ::-1].copy()), back=frozen(depth.back[:, ::-1].copy()))
    return flipped, Mask(frozen(mask.inside[:, ::-1].copy()), "file"), Photo(frozen(photo.rgb[:, ::-1].copy()))


@pytest.mark.parametrize("turn", [1.0, math.pi / 2])
def test_a_mirrored_photo_gives_the_mirrored_thing(turn: float) -> None:
    depth, mask = known(vehicle(turn), thick=0.6)
    photo = painted(depth.z, CAMERA, across(turn))
    one, other = completed(depth, mask, photo), completed(*mirrored(depth, mask, photo))
    assert one.mirror is not None and other.mirror is not None and one.back is not None and other.back is not None
    np.testing.assert_allclose(np.abs(one.mirror.normal), np.abs(other.mirror.normal), atol=0.02)
    for a, b in ((one.z, other.z), (one.back, other.back)):
        assert np.nanmean(np.abs(a - b[:, ::-1])) < 0.004


def test_a_photo_that_is_its_own_mirror_image_gives_a_solid_that_is() -> None:
    """A head with ears, of which a network sees and guesses one half thicker than the other: both get the mean."""
    head = union(ellipsoid((0, 0.1, 4), (0.6, 0.8, 0.6)), ellipsoid((0.6, -0.7, 4), (0.3, 0.4, 0.15)),
                 ellipsoid((-0.6, -0.7, 4), (0.3, 0.4, 0.15)))  # fmt: skip
    depth, mask = known(head)
    assert depth.back is not None and mask.inside is not None
    dent = np.exp(-(((np.arange(320, dtype=np.float32) - 200) / 12) ** 2)) * np.float32(0.025)
    uneven = replace(depth, z=frozen(depth.z + dent), back=frozen(depth.back + 2 * dent))
    made = completed(uneven, mask, painted(depth.z, CAMERA, np.array([1.0, 0, 0])))
    assert made.mirror is not None and made.back is not None and uneven.back is not None
    assert made.mirror.normal == pytest.approx((1, 0, 0), abs=1e-3)
    for before, after in ((uneven.z, made.z), (uneven.back, made.back)):
        halves = [np.nanmean(np.abs(each - each[:, ::-1])) for each in (before, after)]
        assert halves[1] < 0.5 * halves[0]
    points = subject_solid(mask, made, CAMERA).vertices
    images = points - 2 * (points @ np.array(made.mirror.normal) - made.mirror.offset)[:, None] * made.mirror.normal
    assert np.quantile(cKDTree(points).query(images)[0], 0.95) < 0.03  # the spacing is 0.007


def test_the_far_side_wears_what_the_photo_shows_of_its_mirror_image_without_its_writing() -> None:
    """A vehicle with blue ends and red sides with black lines on them: the hidden side is red, too, and has none."""
    turn = 1.0
    depth, mask = known(vehicle(turn))
    assert mask.inside is not None
    u, v = pixel_grid(CAMERA)
    points = back_project(u.astype(np.float32), v.astype(np.float32), np.nan_to_num(depth.z, nan=9.0), CAMERA)
    along = (points - MIDDLE) @ np.array([math.cos(turn), 0, math.sin(turn)])
    side, lines = np.abs(along) < 0.97, (np.abs(np.sin(60 * points[..., 1])) > 0.95) & (np.abs(along) < 0.5)
    rgb = np.where(side[..., None], np.where(lines[..., None], (10, 10, 10), (200, 40, 30)), (30, 40, 200)).astype(
        np.uint8
    )
    rgb[~mask.inside] = 230
    made = completed(depth, mask, Photo(frozen(rgb)))
    assert made.mirror is not None
    solid = subject_solid(mask, made, CAMERA)
    worn = textured_all_round(solid, Photo(frozen(rgb)), mask, CAMERA, mirror=made.mirror)
    assert worn.colors is not None
    place = worn.vertices - MIDDLE
    far = np.abs(place @ across(turn) - 0.45 * np.sign(across(turn)[2])) < 0.03
    far &= (np.abs(place @ np.array([math.cos(turn), 0, math.sin(turn)])) < 0.7) & (np.abs(place[:, 1] - 0.15) < 0.2)
    assert far.sum() > 300
    red = np.array(worn.colors[far], int)
    assert np.median(red[:, 0]) > 150 and np.median(red[:, 2]) < 80
    assert (red.max(axis=1) < 100).mean() < 0.02  # no black line
