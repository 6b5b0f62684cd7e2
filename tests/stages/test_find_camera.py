"""The ladder: the user's value → EXIF → the model's, if it is sure enough → 60° along the longer side."""

from __future__ import annotations

import numpy as np
import pytest

from recon.errors import BadOption
from recon.stages.camera import MAX_FOV_ERROR, find_camera
from recon.types import Photo
from tests.scenes import frozen


def photo(width: int = 600, height: int = 400, focal_35mm: float | None = None) -> Photo:
    return Photo(frozen(np.zeros((height, width, 3), np.uint8)), None, focal_35mm)


def test_each_rung_gives_way_to_the_one_above() -> None:
    known = photo(focal_35mm=24.0)
    rungs = [
        (find_camera(known, 50.0, None, 40.0), "user", 50.0),
        (find_camera(known, None, 300.0, 40.0), "user", 90.0),
        (find_camera(known, None, None, 40.0), "exif", np.degrees(2 * np.arctan(36 / 48))),
        (find_camera(photo(), None, None, 40.0), "model", 40.0),
        (find_camera(photo()), "default", 60.0),
    ]
    for camera, source, fov in rungs:
        assert camera.source == source
        assert camera.fov_x == pytest.approx(fov, rel=1e-9)
        assert (camera.width, camera.height, camera.cx, camera.cy) == (600, 400, 300, 200)


def test_a_model_is_believed_as_far_as_it_believes_itself() -> None:
    sure, unsure = (find_camera(photo(), None, None, 40.0, error) for error in (MAX_FOV_ERROR, MAX_FOV_ERROR + 0.1))
    assert (sure.source, sure.fov_error) == ("model", MAX_FOV_ERROR)
    assert sure.fov_x == pytest.approx(40)
    assert (unsure.source, unsure.fov_error) == ("default", None)
    assert unsure.fov_x == pytest.approx(60)
    assert find_camera(photo(focal_35mm=24.0), None, None, 40.0, 1.0).source == "exif"


@pytest.mark.parametrize("size", [(600, 400), (400, 600), (500, 500)])
def test_without_a_better_one_the_longer_side_spans_60_degrees(size: tuple[int, int]) -> None:
    camera = find_camera(photo(*size))
    assert 2 * np.degrees(np.arctan(max(size) / 2 / camera.focal)) == pytest.approx(60)


def test_turning_the_camera_changes_no_focal_length() -> None:
    assert find_camera(photo(600, 400, 28.0)).focal == find_camera(photo(400, 600, 28.0)).focal
    assert find_camera(photo(600, 400)).focal == find_camera(photo(400, 600)).focal


@pytest.mark.parametrize("fov", [1.0, 170.0])
def test_the_ends_of_the_range_are_allowed(fov: float) -> None:
    assert find_camera(photo(), fov).fov_x == pytest.approx(fov)


@pytest.mark.parametrize("fov", [0.0, 0.99, 170.1, -60.0, float("nan"), float("inf")])
def test_an_impossible_field_of_view_is_told_with_what_is_allowed(fov: float) -> None:
    with pytest.raises(BadOption, match=r"fov is .*from 1 to 170"):
        find_camera(photo(), fov)


@pytest.mark.parametrize("focal", [0.0, 29.0, 60001.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_focal_length_is_told_with_what_is_allowed(focal: float) -> None:
    with pytest.raises(BadOption, match=r"focal_px is .*from 30 to 60000"):
        find_camera(photo(), None, focal)


def test_two_answers_to_one_question_are_refused() -> None:
    with pytest.raises(BadOption, match="give one of them"):
        find_camera(photo(), 50.0, 500.0)
