"""Shapes told exactly, with handles and holes too, become closed and right surfaces, the same in every window and photo."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from scipy.spatial import cKDTree

from recon.settings import SolidSettings
from recon.stages.surface_solid import subject_solid
from recon.types import Camera, DepthMap, Mask, Mesh
from tests.scenes import camera_of, frozen, is_closed, volume
from tests.solids import Solid, crate, ellipsoid, mug, seen, torus

CAMERA = camera_of(120, 100, 130.0)
EGG = ellipsoid((0.2, -0.1, 4), (0.9, 0.6, 0.7))
FACE_ON, TILTED = torus((0, 0, 4), 0.8, 0.25), torus((0.1, 0, 4), 0.8, 0.25, 0.7)
UPRIGHT, SEEN_INTO = mug((-0.1, 0, 3)), mug((-0.1, 0, 3), -0.6)
SHAPES: dict[str, tuple[Solid, int]] = {
    "a ring from its front": (FACE_ON, 0),
    "a tilted ring": (TILTED, 0),
    "a mug from its side": (UPRIGHT, 0),
    "a mug seen into": (SEEN_INTO, 0),
    "a box": (crate((-0.8, -0.5, 3.6), (0.7, 0.6, 4.4), 0.5), 2),
    "an egg": (EGG, 2),
}
"""With the Euler characteristic of the surface: 0 with one hole, 2 without."""


def told(solid: Solid, camera: Camera = CAMERA) -> tuple[Mask, DepthMap]:
    z, back = seen(solid, camera)
    return Mask(frozen(~np.isnan(z)), "file"), DepthMap(z, False, "builtin", "scale", 0.0, back)


def solid_of(solid: Solid, camera: Camera = CAMERA, samples: int = 50_000) -> Mesh:
    return subject_solid(*told(solid, camera), camera, SolidSettings(samples))


def euler(mesh: Mesh) -> int:
    edges = np.sort(np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]), axis=1)
    return len(mesh.vertices) - len(np.unique(edges, axis=0)) + len(mesh.faces)


@pytest.mark.parametrize("case", SHAPES)
def test_it_is_closed_of_the_right_genus_and_lies_on_the_true_surface(case: str) -> None:
    solid, characteristic = SHAPES[case]
    mesh = solid_of(solid)
    assert is_closed(mesh.faces)
    assert euler(mesh) == characteristic
    assert volume(mesh.vertices, mesh.faces) > 0
    off = solid.off(mesh.vertices.astype(float))
    size = float(np.ptp(mesh.vertices, axis=0).max())
    assert np.median(off) < 0.006 * size  # the rim is rounded, and a relief bridges what the rays pass by within a mug
    assert np.quantile(off, 0.8) < 0.03 * size


@pytest.mark.parametrize("tilt", [0.0, 0.5, 1.0])
def test_a_ring_has_its_volume_from_every_side(tilt: float) -> None:
    ring = torus((0, 0, 12), 0.8, 0.25, tilt)
    mesh = solid_of(ring, camera_of(120, 100, 450.0))
    assert volume(mesh.vertices, mesh.faces) == pytest.approx(ring.volume, rel=0.1 if tilt < 0.9 else 0.3)


def outline(mesh: Mesh) -> np.ndarray:
    return np.stack([mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)])


def test_a_photo_of_twice_the_size_gives_the_same_solid() -> None:
    small, large = solid_of(UPRIGHT), solid_of(UPRIGHT, camera_of(240, 200, 260.0))
    np.testing.assert_allclose(outline(small), outline(large), atol=0.02)
    assert volume(small.vertices, small.faces) == pytest.approx(volume(large.vertices, large.faces), rel=0.03)


def test_a_photo_cropped_around_it_gives_the_same_solid() -> None:
    """Bit by bit, where the samples are the pixels: the window of the photo does not matter."""
    mask, depth = told(FACE_ON)
    assert mask.inside is not None and depth.back is not None
    whole = subject_solid(mask, depth, CAMERA)
    rows, columns = slice(5, 95), slice(15, 110)
    cut = replace(depth, z=frozen(depth.z[rows, columns].copy()), back=frozen(depth.back[rows, columns].copy()))
    camera = replace(CAMERA, width=95, height=90, cx=CAMERA.cx - 15, cy=CAMERA.cy - 5)
    cropped = subject_solid(Mask(frozen(mask.inside[rows, columns].copy()), "file"), cut, camera)
    np.testing.assert_array_equal(whole.faces, cropped.faces)
    np.testing.assert_allclose(whole.vertices, cropped.vertices, atol=1e-5)


def test_a_mirrored_depth_gives_the_mirrored_solid() -> None:
    mask, depth = told(UPRIGHT)
    assert mask.inside is not None and depth.back is not None
    flipped = replace(depth, z=frozen(depth.z[:, ::-1].copy()), back=frozen(depth.back[:, ::-1].copy()))
    one = subject_solid(mask, depth, CAMERA)
    other = subject_solid(Mask(frozen(mask.inside[:, ::-1].copy()), "file"), flipped, CAMERA)
    assert len(one.vertices) == len(other.vertices)
    images = other.vertices * np.array([-1, 1, 1], np.float32)
    off = cKDTree(one.vertices).query(images)[0]
    assert np.quantile(off, 0.9) < 1e-5
    assert off.max() < 0.025  # of two samples equally near, which one fills what is beside the rim: one spacing


def test_the_same_input_gives_the_same_bytes() -> None:
    one, other = solid_of(TILTED), solid_of(TILTED)
    assert one.vertices.tobytes() == other.vertices.tobytes()
    assert one.faces.tobytes() == other.faces.tobytes()


def masked(inside: np.ndarray) -> Mesh:
    z = np.full(inside.shape, 3, np.float32)
    back = np.full(inside.shape, 3.5, np.float32)
    depth = DepthMap(frozen(np.where(inside, z, np.float32(np.nan))), False, "builtin", "scale", 0.0,
                     frozen(np.where(inside, back, np.float32(np.nan))))  # fmt: skip
    return subject_solid(Mask(frozen(inside), "file"), depth, CAMERA)


def test_a_mask_of_one_pixel_of_everything_and_of_two_things() -> None:
    empty = np.zeros((100, 120), bool)
    everything, two, one = ~empty, empty.copy(), empty.copy()
    cv2.circle(pair := two.astype(np.uint8), (30, 50), 20, 1, -1)
    cv2.circle(pair, (90, 50), 15, 1, -1)
    one[50, 60] = True
    for inside, pieces in ((everything, 1), (pair > 0, 2), (one, 1)):
        mesh = masked(inside)
        assert is_closed(mesh.faces)
        assert volume(mesh.vertices, mesh.faces) > 0
        assert mesh.to_trimesh().body_count == pieces
