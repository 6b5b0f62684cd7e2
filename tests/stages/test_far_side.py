"""The far side's picture: joined to the photo at the rim, no second face, no mirrored writing, texture where it belongs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from recon.stages.far_side import far_side
from tests.scenes import frozen

SIDE = 200
V, U = np.mgrid[:SIDE, :SIDE]
DISC = frozen((U - 100) ** 2 + (V - 100) ** 2 < 80**2)
"""Its own mirror image: seen from the front."""
WEDGE = frozen((U > 20) & (U < 180) & (V < 190) & (V > 190 - U))
"""Lopsided: seen from the side."""
SHAPES = {"front": DISC, "side": WEDGE}


def written(inside: np.ndarray) -> np.ndarray:
    """Green with a word and two eyes in the middle of a silhouette."""
    picture = np.full((SIDE, SIDE, 3), (60, 140, 70), np.uint8)
    v, u = (int(each.mean()) for each in np.nonzero(inside))
    cv2.putText(picture, "TAXI", (u - 28, v + 16), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (250, 250, 250), 2)
    for side in (-14, 14):
        cv2.circle(picture, (u + side, v - 14), 6, (10, 10, 20), -1)
    return frozen(picture)


def deep(inside: np.ndarray, pixels: int) -> np.ndarray:
    return cv2.erode(inside.astype(np.uint8), np.ones((2 * pixels + 1,) * 2, np.uint8), borderValue=0) > 0


@pytest.mark.parametrize("shape", SHAPES)
def test_at_the_rim_it_is_the_photo_and_one_colour_stays_one_colour(shape: str) -> None:
    inside = SHAPES[shape]
    slopes = frozen(np.stack([U, V, 255 - U], axis=2).clip(0, 255).astype(np.uint8))
    rim = inside & ~deep(inside, 1)
    np.testing.assert_allclose(far_side(slopes, inside)[rim].astype(int), slopes[rim], atol=6)
    grey = frozen(np.full((SIDE, SIDE, 3), (90, 120, 30), np.uint8))
    np.testing.assert_allclose(far_side(grey, inside)[inside].astype(int), grey[inside], atol=1)


@pytest.mark.parametrize("shape", SHAPES)
def test_there_is_no_second_face_and_no_mirrored_writing(shape: str) -> None:
    inside, near = SHAPES[shape], written(SHAPES[shape])
    far, core = far_side(near, inside), deep(inside, 12)
    mark = near[core].mean(1) - near[core].mean()
    shade = far[core].mean(1) - far[core].mean()
    assert mark.std() > 25
    assert shade.std() < 0.1 * mark.std()
    assert abs((mark * shade).mean()) < 0.05 * mark.var()


def test_texture_is_made_anew_as_strong_as_it_is_and_nowhere_else() -> None:
    """Fur on the left half, varnish on the right one."""
    fur = cv2.GaussianBlur(np.random.default_rng(1).standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), 1.0)
    fur = np.where(U < 100, 12 * fur / fur.std(), 0)
    near = frozen((np.array([140, 90, 50]) + fur[..., None]).clip(0, 255).round().astype(np.uint8))
    for inside in (frozen(DISC & (U < 100)), frozen(DISC & (U > 104))):
        far, core = far_side(near, inside).astype(float), deep(inside, 12)
        strength = (far - cv2.GaussianBlur(far, (0, 0), 4))[core].std()
        own = (near - cv2.GaussianBlur(near.astype(float), (0, 0), 4))[core].std()
        assert 0.4 * own < strength + 0.3 and strength < 1.3 * own + 0.5
        if own > 1:
            assert abs(np.corrcoef(near[core].mean(1), far[core].mean(1))[0, 1]) < 0.2


def test_a_network_s_colours_lie_in_the_middle_and_the_photo_s_at_the_rim() -> None:
    near, behind = written(DISC), frozen(np.full((SIDE, SIDE, 3), (200, 40, 160), np.uint8))
    far, middle = far_side(near, DISC, behind), deep(DISC, 50)
    np.testing.assert_allclose(far[middle].astype(int), behind[middle], atol=3)
    rim = DISC & ~deep(DISC, 1)
    np.testing.assert_allclose(far[rim].astype(int), near[rim], atol=6)
    step = np.abs(np.diff(far.astype(int), axis=1))[DISC[:, 1:] & DISC[:, :-1]]
    assert step.max() < 25  # no seam between the two


MASKS = {"a pixel": np.eye(1, 900, 450, dtype=bool).reshape(30, 30), "everything": np.ones((30, 30), bool)}
MASKS["a picture of one pixel"] = np.ones((1, 1), bool)


@pytest.mark.parametrize("inside", MASKS.values(), ids=MASKS)
def test_small_and_large_masks_are_taken_and_the_answer_is_the_same_every_time(inside: np.ndarray) -> None:
    near = frozen(np.random.default_rng(0).integers(0, 256, (*inside.shape, 3)).astype(np.uint8))
    one = far_side(near, frozen(inside))
    assert one.shape == near.shape
    np.testing.assert_array_equal(one, far_side(near, frozen(inside)))


def test_it_grows_with_the_photo() -> None:
    near, twice = written(DISC), (2 * SIDE, 2 * SIDE)
    large = cv2.resize(near, twice, interpolation=cv2.INTER_LINEAR)
    inside = cv2.resize(DISC.astype(np.uint8), twice, interpolation=cv2.INTER_NEAREST) > 0
    small = cv2.resize(far_side(frozen(large), frozen(inside)), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    assert np.abs(small.astype(int) - far_side(near, DISC))[DISC].mean() < 3
