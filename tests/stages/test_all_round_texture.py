"""A closed mesh in two pictures: the photo where the camera sees it, the far side elsewhere, one colour along the cut."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from recon.geometry.camera import project
from recon.stages.all_round_texture import FAR_SIDE, MARGIN, textured_all_round
from recon.stages.photo_texture import colors_at, without_fringe
from recon.types import Camera, Mask, Mesh, Photo
from tests.scenes import camera_of, frozen, is_closed, sphere


def ball(camera: Camera) -> tuple[Photo, Mask, Mesh]:
    """A ball and a photo of it whose red grows rightwards and green downwards."""
    shape = trimesh.creation.icosphere(4, 1.0)
    vertices = (np.asarray(shape.vertices) + np.array([0, 0, 3])).astype(np.float32)
    v, u = np.mgrid[: camera.height, : camera.width]
    rgb = np.stack([u * 255 // camera.width, v * 255 // camera.height, 0 * u + 80], axis=2).astype(np.uint8)
    mask = Mask(frozen(~np.isnan(sphere(camera))), "file")
    return Photo(frozen(rgb)), mask, Mesh(frozen(vertices), frozen(np.asarray(shape.faces, np.int32)))


CAMERAS = {"wide": camera_of(240, 160, 170.0), "high": camera_of(160, 240, 170.0)}


@pytest.mark.parametrize("which", CAMERAS)
def test_the_camera_sees_the_photo_and_the_rest_wears_the_other_picture(which: str) -> None:
    camera = CAMERAS[which]
    photo, mask, shape = ball(camera)
    behind = frozen(np.full((*photo.size, 3), (20, 30, 250), np.uint8))
    made = textured_all_round(shape, photo, mask, camera, behind)
    assert made.source is not None and made.uv is not None and made.texture is not None and made.colors is not None
    np.testing.assert_array_equal(made.vertices, shape.vertices[made.source])
    np.testing.assert_array_equal(made.source[made.faces], shape.faces)
    assert is_closed(made.welded().faces)
    size = np.array(made.texture.shape[1::-1], np.float32)
    worn = colors_at(made.texture, made.uv * size).astype(int)
    np.testing.assert_allclose(worn, made.colors, atol=3)  # the same pixel or, by rounding, the one beside it
    towards, off = np.einsum("ij,ij->i", made.vertices - (0, 0, 3), made.vertices), np.hypot(*made.vertices.T[:2])
    seen, hidden = towards < -0.3, (towards > 0) & (off < 0.35)  # far from the rim
    clean = without_fringe(photo, mask)
    np.testing.assert_allclose(worn[seen], colors_at(clean, project(made.vertices[seen], camera)).astype(int), atol=2)
    np.testing.assert_allclose(worn[hidden], np.broadcast_to((20, 30, 250), worn[hidden].shape), atol=3)


def test_both_pictures_have_one_colour_along_the_cut() -> None:
    camera = CAMERAS["wide"]
    made = textured_all_round(ball(camera)[2], *ball(camera)[:2], camera)
    assert made.source is not None and made.colors is not None
    order = np.argsort(made.source, kind="stable")
    twice = np.flatnonzero(np.diff(made.source[order]) == 0)
    assert len(twice) > 40
    apart = np.abs(made.colors[order[twice]].astype(int) - made.colors[order[twice + 1]])
    assert apart.max() <= 12


def test_the_photo_keeps_its_pixels_and_the_far_side_is_bounded() -> None:
    """Of a large photo the subject's window is taken as it is; nothing of the ground is left."""
    camera = camera_of(2400, 1600, 1700.0)
    photo, mask, shape = ball(camera)
    made = textured_all_round(shape, photo, mask, camera)
    assert mask.inside is not None and made.texture is not None
    high, wide = (np.ptp(np.flatnonzero(mask.inside.any(axis))) + 1 + 2 * MARGIN for axis in (1, 0))
    assert sorted(made.texture.shape[:2]) == sorted(
        (max(high, wide), min(high, wide) + round(FAR_SIDE * min(high, wide) / max(high, wide)))
    )


def test_a_subject_that_reaches_over_the_edge_is_taken() -> None:
    camera = camera_of(120, 80, 170.0)
    photo, mask, shape = ball(camera)
    made = textured_all_round(shape, photo, mask, camera)
    assert made.uv is not None and np.isfinite(made.uv).all() and made.uv.min() >= 0 and made.uv.max() <= 1
