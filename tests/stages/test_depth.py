"""Raw values to depth: units, kinds, masks, upsampling."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from recon.errors import BadInput
from recon.stages.depth import distance_for, to_depth_map
from recon.types import Mask, RawDepth
from tests.scenes import WHOLE, camera_of, frozen, photo_of, plane, room, sphere

CAMERA = camera_of(128, 96, 110.0)
PHOTO = photo_of(CAMERA)
TRUE = room(CAMERA)


def half(seed: int = 0) -> Mask:
    inside = np.zeros((96, 128), bool)
    inside[20:70, 30:100] = True
    return Mask(frozen(inside), "file")


def test_metric_depth_passes_unchanged() -> None:
    found = to_depth_map(RawDepth(TRUE, "metric", "m"), PHOTO, WHOLE, CAMERA)
    np.testing.assert_array_equal(found.z, TRUE)
    assert (found.metric, found.model, found.kind) == (True, "m", "metric")


@pytest.mark.parametrize("kind", ["scale", "disparity"])
def test_relative_depth_has_the_median_as_its_unit(kind: str) -> None:
    values = TRUE if kind == "scale" else frozen(1 / TRUE)
    found = to_depth_map(RawDepth(values, kind, "m"), PHOTO, WHOLE, CAMERA)
    assert np.median(found.z) == pytest.approx(1, rel=1e-6)
    assert not found.metric
    if kind == "scale":
        np.testing.assert_allclose(found.z, TRUE / np.median(TRUE), rtol=1e-6)


def test_a_scene_whose_scale_a_model_is_sure_of_is_in_metres() -> None:
    raw = RawDepth(frozen(1 / TRUE), "disparity", "m", distance=2.5, distance_error=0.2)
    plain = to_depth_map(RawDepth(raw.values, "disparity", "m"), PHOTO, WHOLE, CAMERA)
    found = to_depth_map(raw, PHOTO, WHOLE, CAMERA)
    assert found.metric and np.median(found.z) == pytest.approx(2.5, rel=1e-6)
    np.testing.assert_allclose(found.z, 2.5 * plain.z, rtol=1e-6)
    placed = to_depth_map(raw, PHOTO, WHOLE, CAMERA, near=1.0, far=4.0)
    assert placed.metric and placed.z.min() == pytest.approx(1, rel=1e-5)
    assert not to_depth_map(raw, PHOTO, half(), CAMERA).metric  # the distance is the scene's, not the thing's


def test_a_distance_seen_through_another_lens_grows_with_the_focal_length() -> None:
    raw = RawDepth(frozen(1 / TRUE), "disparity", "m", fov_x=CAMERA.fov_x, distance=2.5, distance_error=0.2)
    assert distance_for(raw, CAMERA) == pytest.approx(2.5)
    longer = camera_of(128, 96, 220.0)
    assert np.median(to_depth_map(raw, PHOTO, WHOLE, longer).z) == pytest.approx(5.0, rel=1e-5)


def test_scale_depth_knows_no_unit_but_the_median() -> None:
    """near and far are about disparity: they turn no scale-free depth into metres."""
    found = to_depth_map(RawDepth(TRUE, "scale", "m"), PHOTO, WHOLE, CAMERA, near=1.0, far=4.0)
    assert np.median(found.z) == pytest.approx(1, rel=1e-6)
    assert not found.metric


def test_disparity_between_known_ends_is_metric_and_exact() -> None:
    x = frozen((3 / TRUE + 0.7).astype(np.float32))
    found = to_depth_map(RawDepth(x, "disparity", "m"), PHOTO, WHOLE, CAMERA, float(TRUE.min()), float(TRUE.max()))
    np.testing.assert_allclose(found.z, TRUE, rtol=2e-5)
    assert found.metric


@pytest.mark.parametrize("kind", ["metric", "scale", "disparity"])
def test_there_is_depth_exactly_inside_the_mask_and_where_the_model_saw_some(kind: str) -> None:
    mask = half()
    holed = np.array(TRUE)
    holed[25:35, 40:50] = np.nan
    found = to_depth_map(RawDepth(frozen(holed), kind, "m"), PHOTO, mask, CAMERA)
    np.testing.assert_array_equal(~np.isnan(found.z), mask.inside & ~np.isnan(holed))


def test_a_subject_is_flatter_than_a_scene() -> None:
    x = frozen((1 / TRUE).astype(np.float32))
    scene = to_depth_map(RawDepth(x, "disparity", "m"), PHOTO, WHOLE, CAMERA).z
    subject = to_depth_map(RawDepth(x, "disparity", "m"), PHOTO, half(), CAMERA).z
    inside = half().inside
    assert np.nanmax(subject) / np.nanmin(subject) < 2 < scene[inside].max() / scene[inside].min()


@pytest.mark.parametrize("kind", ["metric", "scale", "disparity"])
@pytest.mark.parametrize("factor", [2, 4])
def test_a_smaller_map_of_a_plane_comes_out_as_that_plane(kind: str, factor: int) -> None:
    """Disparity is linear on planes, so that upsampling it is exact but at the border, where nothing lies beyond."""
    true = plane(CAMERA, (0.2, 0.3, -1))
    small = 1 / cv2.resize(1 / true, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    raw = RawDepth(frozen(1 / small if kind == "disparity" else small), kind, "m")
    ends = (float(small.min()), float(small.max())) if kind == "disparity" else (None, None)
    found = to_depth_map(raw, PHOTO, WHOLE, CAMERA, *ends).z
    inner = (slice(3 * factor, -3 * factor),) * 2
    ratio = found[inner] / true[inner]
    tolerance = 0.012 * factor
    assert np.abs(ratio / np.median(ratio) - 1).max() < tolerance
    if kind == "metric":
        assert np.median(ratio) == pytest.approx(1, abs=2e-3)


def test_sky_stays_sky_when_the_map_is_upsampled() -> None:
    ball = sphere(CAMERA, (0, 0, 3), 1.1)
    small = frozen(np.array(ball[2::4, 2::4]))
    found = to_depth_map(RawDepth(small, "metric", "m"), PHOTO, WHOLE, CAMERA).z
    wrong = np.isnan(found) != np.isnan(ball)
    near_the_rim = cv2.dilate(np.isnan(ball).astype(np.uint8), np.ones((13, 13))) != cv2.erode(
        np.isnan(ball).astype(np.uint8), np.ones((13, 13))
    )
    assert not (wrong & ~near_the_rim).any()
    known = ~np.isnan(found) & ~np.isnan(ball)
    assert found[known].min() > 1.8
    assert found[known].max() < 3.1


def test_nothing_left_is_told() -> None:
    empty = Mask(frozen(np.zeros((96, 128), bool)), "file")
    with pytest.raises(BadInput, match="check the mask"):
        to_depth_map(RawDepth(TRUE, "metric", "m"), PHOTO, empty, CAMERA)
    sky = RawDepth(frozen(np.full((24, 32), np.nan, np.float32)), "disparity", "m")
    with pytest.raises(BadInput, match="only sky"):
        to_depth_map(sky, PHOTO, WHOLE, CAMERA)
