"""sRGB and linear light; the turn into glTF's frame."""

from __future__ import annotations

import numpy as np
import pytest

from recon.geometry.axes import to_gltf
from recon.geometry.colour import linear_16bit, to_linear


def to_srgb(linear: np.ndarray) -> np.ndarray:
    """The standard's other direction, which the product does not need."""
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


def test_linear_and_srgb_are_inverse_and_rise() -> None:
    x = np.linspace(0, 1, 100_001)
    np.testing.assert_allclose(to_srgb(to_linear(x)), x, atol=1e-7)
    np.testing.assert_allclose(to_linear(to_srgb(x)), x, atol=1e-7)
    assert (np.diff(to_linear(x)) > 0).all()
    assert (np.diff(to_srgb(x)) > 0).all()


KNOWN = [(0.0, 0), (1.0, 1), (0.5, 0.2140411), (0.04045, 0.0031308), (0.02, 0.02 / 12.92)]


@pytest.mark.parametrize(("encoded", "linear"), KNOWN)
def test_known_values_of_the_standard(encoded: float, linear: float) -> None:
    assert to_linear(np.array([encoded]))[0] == pytest.approx(linear, abs=2e-7)


def test_16_bit_linear_keeps_every_8_bit_colour_apart() -> None:
    every = np.arange(256, dtype=np.uint8)[:, None]
    found = linear_16bit(every)[:, 0].astype(int)
    assert found[0] == 0
    assert found[-1] == 65535
    assert (np.diff(found) > 0).all()
    np.testing.assert_array_equal(np.rint(to_srgb(found / 65535) * 255), np.arange(256))


def test_the_turn_to_gltf_is_a_half_turn_about_x() -> None:
    vectors = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    np.testing.assert_array_equal(to_gltf(to_gltf(vectors)), vectors)
    matrix = to_gltf(np.eye(3, dtype=np.float32))
    assert np.linalg.det(matrix) == pytest.approx(1)
    np.testing.assert_array_equal(to_gltf(np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)),
                                  [[1, 0, 0], [0, -1, 0], [0, 0, -1]])  # fmt: skip
