"""A principal point beside the picture's middle, as a cut-out has it: every stage sees the same things in their places."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon.errors import BadOption
from recon.io.turntable import write_preview
from recon.pipeline import reconstruct
from recon.stages.camera import find_camera
from recon.stages.surface_solid import make_solid
from recon.types import Camera, DepthMap, Mask, Mesh, Photo
from tests.scenes import camera_of, frozen, photo_of, room, seen_depth, sphere

WHOLE = camera_of(320, 240, 288.0)
ROWS, COLUMNS = slice(100, 220), slice(180, 320)
"""A part of the photo: the principal point lies to its upper left, outside of it."""
CENTRE = (160.0 - 180, 120.0 - 100)
PHOTO, TRUE = photo_of(WHOLE), room(WHOLE)
PART = Photo(frozen(PHOTO.rgb[ROWS, COLUMNS]))
PART_Z = frozen(TRUE[ROWS, COLUMNS])


def same_places(mesh: Mesh) -> None:
    """Seen by the whole photo's camera, the mesh of the part lies where the room does."""
    z = seen_depth(mesh, WHOLE)[ROWS, COLUMNS][3:-3, 3:-3]
    true = PART_Z[3:-3, 3:-3]
    hit = np.isfinite(z)
    assert hit.mean() > 0.97
    assert np.median(np.abs(z[hit] / true[hit] - 1)) < 2e-3
    assert (np.abs(z[hit] / true[hit] - 1) > 0.02).mean() < 0.02


@pytest.mark.parametrize("surface", ["grid", "poisson"])
def test_a_part_of_a_photo_gives_that_part_of_the_room(surface: str) -> None:
    found = reconstruct(PART, depth=PART_Z, depth_kind="metric", focal_px=288.0, centre=CENTRE, surface=surface)
    same_places(found.mesh)
    whole = reconstruct(PHOTO, depth=TRUE, depth_kind="metric", focal_px=288.0)
    inside = np.zeros(TRUE.shape, bool)
    inside[ROWS, COLUMNS] = True
    expected = whole.points.positions[inside.ravel()] if len(whole.points.positions) == TRUE.size else None
    if expected is not None and len(found.points.positions) == len(expected):
        np.testing.assert_allclose(found.points.positions, expected, atol=1e-5)
    assert found.report()["camera"]["centre_px"] == list(CENTRE)


def test_the_closed_solid_too() -> None:
    z = sphere(WHOLE, (0.9, 0.5, 3.0), 0.35)
    inside = ~np.isnan(z)
    at = Camera(140, 120, 288.0, *CENTRE)
    pieces = []
    for photo, depth, camera in ((PHOTO, z, WHOLE), (PART, frozen(z[ROWS, COLUMNS]), at)):
        mask = Mask(frozen(~np.isnan(depth)), "file")
        pieces.append(make_solid(photo, mask, DepthMap(depth, True), camera))
    assert inside[ROWS, COLUMNS].sum() == inside.sum()  # the ball is not cut
    for low, high in ((pieces[0].vertices.min(0), pieces[1].vertices.min(0)),
                      (pieces[0].vertices.max(0), pieces[1].vertices.max(0))):  # fmt: skip
        np.testing.assert_allclose(low, high, atol=0.01)


def test_what_a_refinement_is_fitted_to_is_the_same() -> None:
    pytest.importorskip("torch")
    from recon.refinement.reference import frame_of, reference_of

    z = sphere(WHOLE, (0.9, 0.5, 3.0), 0.35)
    solid = make_solid(PHOTO, Mask(frozen(~np.isnan(z)), "file"), DepthMap(z, True), WHOLE)
    frame = frame_of(solid.vertices)
    whole = reference_of(PHOTO, Mask(frozen(~np.isnan(z)), "file"), WHOLE, frame, 64)
    part = reference_of(
        PART, Mask(frozen(~np.isnan(z[ROWS, COLUMNS])), "file"), Camera(140, 120, 288.0, *CENTRE), frame, 64
    )
    inside = (whole.mask > 0.99).numpy()
    assert np.abs(part.mask.numpy() - whole.mask.numpy()).mean() < 0.02
    assert np.abs(part.photo.numpy() - whole.photo.numpy())[inside].mean() < 0.03


def test_a_preview_shows_the_whole_part(tmp_path: Path) -> None:
    """Its view turns around the middle of the picture, wherever the optical axis is."""
    filled = []
    for camera in (camera_of(140, 120, 288.0), Camera(140, 120, 288.0, *CENTRE)):
        flat = reconstruct(PART, depth=np.full(PART.size, 2.0, np.float32), depth_kind="metric", focal_px=288.0,
                           centre=(camera.cx, camera.cy), surface="grid")  # fmt: skip
        write_preview(flat.mesh, flat.camera, tmp_path / "a.png", closed=False)
        seen = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
        filled.append((np.abs(seen - seen[0, 0]).sum(axis=2) > 30).mean())
    assert filled[1] == pytest.approx(filled[0], abs=0.1)


def test_the_field_of_view_is_between_the_pictures_ends() -> None:
    for cx in (0.5, 100.0, 300.0, 320.0, 511.0):
        for fov in (20.0, 60.0, 90.0, 120.0):
            camera = find_camera(Photo(np.zeros((300, 600, 3), np.uint8)), fov, centre=(cx, 150.0))
            assert camera.fov_x == pytest.approx(fov, rel=1e-6)
            assert (camera.cx, camera.cy, camera.source) == (cx, 150.0, "user")
    with pytest.raises(BadOption, match="fov with a centre outside of the photo"):
        find_camera(Photo(np.zeros((300, 600, 3), np.uint8)), 60.0, centre=(-5.0, 150.0))


def test_the_users_35_mm_equivalent_is_over_the_diagonal() -> None:
    for size in ((400, 600), (600, 400)):
        camera = find_camera(Photo(np.zeros((*size, 3), np.uint8), focal_35mm=80.0), focal_mm=24.0)
        assert camera.source == "user"
        assert camera.fov_long == pytest.approx(np.degrees(2 * np.arctan(36 / 48)))
    with pytest.raises(BadOption, match="focal_mm is 2; .* from 5 to 1500"):
        find_camera(PHOTO, focal_mm=2.0)
    with pytest.raises(BadOption, match="fov and focal_px and focal_mm were given; give one of them"):
        find_camera(PHOTO, 50.0, 300.0, focal_mm=24.0)


def test_of_a_photo_that_was_read_smaller_pixels_are_the_files() -> None:
    half = Photo(np.zeros((300, 400, 3), np.uint8), full_size=(600, 800))
    camera = find_camera(half, focal_px=900.0, centre=(410.0, 280.0))
    assert (camera.focal, camera.cx, camera.cy) == (450.0, 205.0, 140.0)
