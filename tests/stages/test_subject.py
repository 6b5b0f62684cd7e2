"""Which part of the photo counts."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from recon.geometry.cutout import on_plain_ground
from recon.stages.subject import find_subject, on_opaque_ground
from recon.types import Mask, Photo
from tests.scenes import camera_of, frozen, photo_of

CAMERA = camera_of(64, 48)
DISC = frozen(np.hypot(*np.mgrid[-24:24, -32:32]) < 15)


@dataclass
class Finder:
    """A segmenter that finds what it is told to."""

    name: str
    finds: np.ndarray | None

    def segment(self, rgb: np.ndarray) -> np.ndarray | None:
        return self.finds


def built(*finders: Finder, log: list[str] | None = None) -> list[Callable[[], Finder]]:
    def builder(finder: Finder) -> Callable[[], Finder]:
        def build() -> Finder:
            if log is not None:
                log.append(finder.name)
            return finder

        return build

    return [builder(finder) for finder in finders]


def with_alpha(alpha: np.ndarray) -> Photo:
    return Photo(photo_of(CAMERA).rgb, frozen(alpha))


def test_none_takes_the_whole_photo_and_asks_nobody() -> None:
    log: list[str] = []
    mask = find_subject(with_alpha(DISC.astype(np.uint8) * 255), "none", built(Finder("a", DISC), log=log))
    assert mask.inside is None
    assert log == []


@pytest.mark.parametrize("how", ["auto", "alpha"])
def test_alpha_counts_from_half_opacity(how: str) -> None:
    alpha = np.random.default_rng(0).integers(0, 256, (48, 64)).astype(np.uint8)
    mask = find_subject(with_alpha(alpha), how, built(Finder("a", DISC)))
    np.testing.assert_array_equal(mask.inside, alpha >= 128)
    assert mask.method == "alpha"


def is_whole(mask: Mask, said: str) -> bool:
    """The whole photo, though something was to be cut out of it, and the note says why."""
    return (
        mask.inside is None and mask.method == "none" and mask.fell_back and re.search(said, str(mask.note)) is not None
    )


def test_alpha_asked_for_and_absent_is_told_and_the_whole_photo_taken() -> None:
    assert is_whole(find_subject(photo_of(CAMERA), "alpha", []), "no transparency .*: the whole photo was taken")


def test_the_first_segmenter_that_finds_something_is_believed_and_no_other_built() -> None:
    log: list[str] = []
    finders = Finder("blind", None), Finder("speck", np.zeros_like(DISC)), Finder("good", DISC), Finder("late", ~DISC)
    mask = find_subject(photo_of(CAMERA), "auto", built(*finders, log=log))
    np.testing.assert_array_equal(mask.inside, DISC)
    assert mask.method == "good"
    assert log == ["blind", "speck", "good"]


def test_no_subject_means_a_scene_and_the_note_names_who_looked() -> None:
    mask = find_subject(photo_of(CAMERA), "auto", built(Finder("one", None), Finder("two", None)))
    assert is_whole(mask, "one, two")


def test_a_mask_file_is_taken_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    cv2.imwrite(str(path), DISC.astype(np.uint8) * 255)
    mask = find_subject(photo_of(CAMERA), path, built(Finder("a", ~DISC)))
    np.testing.assert_array_equal(mask.inside, DISC)
    assert mask.method == "file"


@pytest.mark.parametrize("how", ["auto", "alpha", "file"])
def test_a_mask_of_nearly_nothing_is_told_with_its_size_and_the_whole_photo_taken(how: str, tmp_path: Path) -> None:
    speck, path = np.zeros((48, 64), np.uint8), tmp_path / "mask.png"
    speck[5, 5:8] = 255
    for picture, said in ((speck, r"0\.098 % .* at least 0\.1 %"), (0 * speck, "nothing")):
        cv2.imwrite(str(path), picture)
        photo = photo_of(CAMERA) if how == "file" else with_alpha(picture)
        assert is_whole(find_subject(photo, path if how == "file" else how, []), said)


def test_what_is_transparent_shows_plain_ground() -> None:
    photo = photo_of(CAMERA)
    assert on_opaque_ground(photo) is photo.rgb
    found = on_opaque_ground(with_alpha(DISC.astype(np.uint8) * 255))
    np.testing.assert_array_equal(found, on_plain_ground(photo.rgb, DISC))
