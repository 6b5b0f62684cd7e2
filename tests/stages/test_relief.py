"""A perfect relief of a known solid becomes that solid, wherever it is in the photo and whatever the camera."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from recon.builtin.estimator import LONGEST_WINDOW, SUBJECT_FILL, SUBJECT_SIDE, network_size
from recon.geometry.camera import project
from recon.geometry.cutout import window_around
from recon.stages.depth import to_depth_map
from recon.stages.surface_solid import make_solid
from recon.types import Camera, DepthMap, Mask, Mesh, RawDepth
from tests.scenes import camera_of, frozen, photo_of, volume
from tests.solids import Solid, crate, ellipsoid, relief_of, seen
from tests.stages.test_surface_solid import check_solid

BALL = ellipsoid((0, 0, 4), (1, 1, 1))
EGG = ellipsoid((0.5, -0.3, 4), (0.9, 0.5, 0.7))
SMALL = ellipsoid((-1.1, 0.8, 4), (0.25, 0.3, 0.2))
TURNED = crate((-0.7, -0.5, 3.5), (0.7, 0.6, 4.5), 0.6)
LANDSCAPE, PORTRAIT = camera_of(480, 360, 420.0), camera_of(360, 480, 420.0)
TELE = camera_of(480, 360, 1500.0)
FAR_BALL = ellipsoid((0.2, 0, 12), (1, 1, 1))
CASES = {
    "a ball": (BALL, LANDSCAPE),
    "a ball, upright photo": (BALL, PORTRAIT),
    "a ball from afar": (FAR_BALL, TELE),
    "an egg off the centre": (EGG, LANDSCAPE),
    "an egg off the centre, upright photo": (EGG, PORTRAIT),
    "small and in a corner": (SMALL, LANDSCAPE),
    "a turned box": (TURNED, LANDSCAPE),
}


def known(solid: Solid, camera: Camera) -> tuple[RawDepth, Mask, float]:
    """What a perfect network says of a solid, the solid's mask, and the median depth of its front."""
    inside = frozen(~np.isnan(seen(solid, camera)[0]))
    window = window_around(inside, SUBJECT_FILL, LONGEST_WINDOW)
    relief, middle = relief_of(solid, camera, window, network_size(window.width, window.height, SUBJECT_SIDE))
    raw = RawDepth(frozen(np.ones((24, 32), np.float32)), "disparity", "builtin", relief=relief)
    return raw, Mask(inside, "file"), middle


def depth_found(solid: Solid, camera: Camera, **ends: float) -> tuple[DepthMap, Mask, float]:
    raw, mask, middle = known(solid, camera)
    return to_depth_map(raw, photo_of(camera), mask, camera, **ends), mask, middle


def solid_found(solid: Solid, camera: Camera) -> tuple[Mesh, float]:
    depth, mask, middle = depth_found(solid, camera)
    return make_solid(photo_of(camera), mask, depth, camera), middle


@pytest.mark.parametrize("case", CASES)
def test_depth_is_the_solid_s_near_and_far_side(case: str) -> None:
    solid, camera = CASES[case]
    found, mask, middle = depth_found(solid, camera)
    near, far = seen(solid, camera)
    assert mask.inside is not None and found.back is not None
    for z in (found.z, found.back):
        np.testing.assert_array_equal(~np.isnan(z), mask.inside)
    assert np.nanmedian(found.z) == pytest.approx(1, abs=1e-3)
    assert (found.back[mask.inside] >= found.z[mask.inside]).all()
    assert (found.metric, found.kind) == (False, "scale")
    thickness = float(np.nanmax(far - near))
    deep = cv2.distanceTransform(mask.inside.astype(np.uint8), cv2.DIST_L2, 5) > 6
    for z, true in ((found.z, near), (found.back, far)):
        off = np.abs(z * middle - true)[deep] / thickness
        assert off.mean() < 0.006
        assert np.quantile(off, 0.99) < 0.04


@pytest.mark.parametrize("case", CASES)
def test_the_solid_is_the_solid(case: str) -> None:
    solid, camera = CASES[case]
    mesh, middle = solid_found(solid, camera)
    check_solid(mesh)
    vertices = mesh.vertices * middle
    size = solid.volume ** (1 / 3)
    off = solid.off(vertices.astype(np.float64)) / size
    assert volume(vertices, mesh.faces) == pytest.approx(solid.volume, rel=0.01)
    assert off.mean() < 0.003
    assert np.quantile(off, 0.99) < 0.012
    assert off.max() < 0.02


def test_a_subject_cut_by_the_photo_s_edge_is_closed_there() -> None:
    solid = ellipsoid((0, 1.9, 4), (1, 1, 1))
    mesh, middle = solid_found(solid, LANDSCAPE)
    check_solid(mesh)
    off = solid.off(mesh.vertices.astype(np.float64) * middle)
    row = project(mesh.vertices, LANDSCAPE)[:, 1] / LANDSCAPE.height
    on_the_edge = row > 0.98
    assert np.quantile(off[~on_the_edge], 0.99) < 0.05
    floor = mesh.vertices[row > 0.999]
    assert np.ptp(floor[:, 0]) * middle > 1.9  # its widest part lies near the edge


@pytest.mark.parametrize("focal", [300.0, 420.0, 900.0])
def test_a_wrong_focal_length_moves_the_solid_but_hardly_changes_its_shape(focal: float) -> None:
    raw, mask, _ = known(BALL, LANDSCAPE)
    camera = replace(LANDSCAPE, focal=focal)
    depth = to_depth_map(raw, photo_of(camera), mask, camera)
    mesh = make_solid(photo_of(camera), mask, depth, camera)
    check_solid(mesh)
    wide, high, deep = np.ptp(mesh.vertices, axis=0)
    assert wide / high == pytest.approx(1, abs=0.02)
    assert deep / wide == pytest.approx(1, abs=0.12)


def test_the_relief_does_not_depend_on_the_focal_length() -> None:
    raw, mask, _ = known(EGG, LANDSCAPE)
    maps = [
        (to_depth_map(raw, photo_of(camera), mask, camera), camera.focal)
        for camera in (LANDSCAPE, replace(LANDSCAPE, focal=1000.0))
    ]
    for name in ("z", "back"):
        one, other = ((getattr(depth, name) - 1) * focal for depth, focal in maps)
        np.testing.assert_allclose(one, other, atol=1e-3 * np.nanmax(np.abs(one)), equal_nan=True)


def test_near_and_far_place_what_is_visible() -> None:
    free, _, _ = depth_found(EGG, LANDSCAPE)
    near, _, _ = depth_found(EGG, LANDSCAPE, near=3.0)
    far, _, _ = depth_found(EGG, LANDSCAPE, far=3.0)
    both, _, _ = depth_found(EGG, LANDSCAPE, near=3.0, far=4.5)
    assert near.metric and far.metric and both.metric
    assert np.nanmin(near.z) == pytest.approx(3)
    assert np.nanmax(far.z) == pytest.approx(3)
    for scaled in (near, far):
        np.testing.assert_allclose(scaled.z / np.nanmedian(scaled.z), free.z / np.nanmedian(free.z), rtol=1e-5)
        np.testing.assert_allclose(scaled.back / scaled.z, free.back / free.z, rtol=1e-5)
    assert [np.nanmin(both.z), np.nanmax(both.z)] == pytest.approx([3, 4.5])
    stretch = 1.5 / np.ptp(free.z[~np.isnan(free.z)])
    np.testing.assert_allclose(both.back - both.z, (free.back - free.z) * stretch, atol=1e-4)


def test_nonsense_from_a_network_still_gives_a_closed_solid() -> None:
    """A back in front of the front, noise, and a view so wide that the front would lie behind the camera."""
    raw, mask, _ = known(BALL, LANDSCAPE)
    rng = np.random.default_rng(0)
    shape = raw.relief.front.shape
    noisy = replace(
        raw.relief,
        front=rng.normal(0, 0.4, shape).astype(np.float32),
        back=rng.normal(0, 0.4, shape).astype(np.float32),
    )
    inside = mask.inside & (rng.random(mask.inside.shape) < 0.9)
    camera = replace(LANDSCAPE, focal=60.0)
    for each in (mask, Mask(frozen(inside), "file")):
        depth = to_depth_map(replace(raw, relief=noisy), photo_of(camera), each, camera)
        assert np.nanmin(depth.back - depth.z) >= 0
        assert np.nanmin(depth.z) > 0
        check_solid(make_solid(photo_of(camera), each, depth, camera))


def test_the_space_between_chair_legs_stays_open() -> None:
    seat, left, right = (crate(*ends) for ends in (
        ((-0.8, -0.2, 3.6), (0.8, 0.1, 4.4)), ((-0.8, 0.1, 3.6), (-0.6, 1.0, 4.4)), ((0.6, 0.1, 3.6), (0.8, 1.0, 4.4)),
    ))  # fmt: skip

    def span(ray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [part.span(ray) for part in (seat, left, right)]
        near, far = parts[0]
        for part in parts[1:]:
            near, far = np.fmin(near, part[0]), np.fmax(far, part[1])
        return near, far

    table = Solid(span, lambda p: np.minimum.reduce([part.off(p) for part in (seat, left, right)]), 0.0)
    mesh, middle = solid_found(table, LANDSCAPE)
    check_solid(mesh)
    between = (np.abs(mesh.vertices[:, 0] * middle) < 0.45) & (mesh.vertices[:, 1] * middle > 0.25)
    assert not between.any()
    assert np.quantile(table.off(mesh.vertices.astype(np.float64) * middle), 0.95) < 0.05
