"""Measured depth at the photo's resolution: exact on planes, as sharp as the photo at steps, holes where they were."""

from __future__ import annotations

import numpy as np
import pytest

from recon.geometry.camera import scaled_camera
from recon.geometry.upsample_measured import upsample_measured
from tests.scenes import camera_of, frozen, photo_of, plane

CAMERA = camera_of(320, 240, 288.0)
SMALL = scaled_camera(CAMERA, 80, 60)
FOOTPRINT = 1 / SMALL.focal


def disc(width: int, height: int) -> np.ndarray:
    """Where a disc is seen, at any resolution."""
    v, u = (np.mgrid[:height, :width] + 0.5) / np.array([height, width])[:, None, None]
    return ((u - 0.5) * 4 / 3) ** 2 + (v - 0.5) ** 2 < 0.3**2


def test_a_plane_is_exact_between_its_samples() -> None:
    normal = (0.3, -0.4, -0.8)
    found = upsample_measured(plane(SMALL, normal), photo_of(CAMERA).rgb, FOOTPRINT)
    true = plane(CAMERA, normal)
    np.testing.assert_allclose(
        found[2:-2, 2:-2], true[2:-2, 2:-2], rtol=1e-5
    )  # beyond the last samples nothing is known


def test_a_step_runs_where_the_photo_has_its_edge() -> None:
    """Of four samples a pixel, nothing lies in mid-air, and the outline is the photo's to a pixel."""
    small, full = disc(80, 60), disc(320, 240)
    z = frozen(np.where(small, 1.0, 2.0).astype(np.float32))
    rgb = np.where(full[..., None], np.uint8([200, 60, 40]), np.uint8([40, 90, 160]))
    found = upsample_measured(z, frozen(rgb), FOOTPRINT)
    assert set(np.unique(found)) <= {1.0, 2.0}
    assert ((found == 1.0) != full).mean() < 0.002
    flat = upsample_measured(z, frozen(np.full((240, 320, 3), 128, np.uint8)), FOOTPRINT)
    assert set(np.unique(flat)) <= {1.0, 2.0}
    assert ((flat == 1.0) != full).mean() < 0.02  # where the photo shows nothing, half a sample


def test_a_hole_stays_a_hole_and_eats_nothing() -> None:
    z = np.full((60, 80), 2.0, np.float32)
    z[20:40, 30:50] = np.nan
    full = np.zeros((240, 320), bool)
    full[80:160, 120:200] = True
    rgb = np.where(full[..., None], np.uint8([250, 250, 250]), np.uint8([40, 90, 160]))
    found = upsample_measured(frozen(z), frozen(rgb), FOOTPRINT)
    np.testing.assert_array_equal(np.isnan(found), full)
    np.testing.assert_allclose(found[~full], 2.0, rtol=1e-6)


@pytest.mark.parametrize("shape", [(2, 2), (3, 50), (60, 2)])
def test_maps_of_a_few_samples(shape: tuple[int, int]) -> None:
    found = upsample_measured(np.full(shape, 1.5, np.float32), photo_of(CAMERA).rgb, 0.1)
    np.testing.assert_allclose(found, 1.5, rtol=1e-6)
