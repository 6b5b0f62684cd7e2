"""The selection layer in both its forms against a brute-force twin, and what its gradient is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recon.geometry.row_splat import EMPTY, left_from_right, splatted
from recon.models.deep3d import Planes, mean_disparity
from recon.stereo.selection import selected_view
from recon.stereo.warp import right_view
from training.deep3d.selection import select, shifted_view

PLANES = (2.0, 1.0, 0.0, -1.0, -2.0)


def brute_force(left: np.ndarray, weights: np.ndarray, planes: tuple[float, ...]) -> np.ndarray:
    """R(y, x) = Σ_k p_k(y, x) L(y, clamp(x + d_k)), pixel by pixel; left (h, w, 3), weights (k, h, w)."""
    out = np.zeros(left.shape)
    for y in range(left.shape[0]):
        for x in range(left.shape[1]):
            for part, d in zip(weights[:, y, x], planes, strict=True):
                out[y, x] += part * left[y, min(max(x + int(d), 0), left.shape[1] - 1)]
    return out


def drawn(seed: int = 0, height: int = 6, width: int = 11) -> tuple[np.ndarray, np.ndarray]:
    r = np.random.default_rng(seed)
    weights = r.random((len(PLANES), height, width))
    return r.integers(0, 256, (height, width, 3), np.uint8), (weights / weights.sum(0)).astype(np.float32)


def test_both_forms_equal_the_brute_force_twin() -> None:
    left, weights = drawn()
    expected = brute_force(left.astype(float), weights.astype(float), PLANES)
    np.testing.assert_allclose(selected_view(left, weights, np.array(PLANES, np.float32)), expected, atol=0.51)
    planes = (torch.from_numpy(weights).double()[None], PLANES)
    found = select(torch.from_numpy(left).double().permute(2, 0, 1)[None], *planes)
    np.testing.assert_allclose(found[0].permute(1, 2, 0), expected, atol=1e-4)


def test_the_gradient_is_that_of_differences_for_any_number_of_planes() -> None:
    """Linear in the weights: each plane in range has a gradient, not only the neighbours of the best."""
    for planes in ((1.0, 0.0), (1.5, 0.0, -2.0, -2.25)):
        weights = torch.rand(1, len(planes), 2, 5, dtype=torch.float64, requires_grad=True)
        left = torch.rand(1, 3, 4, 10, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda a, b, planes=planes: select(a, b, planes), (left, weights + 0.1))


@pytest.mark.parametrize("disparity", [0, 3, -2])
def test_one_sure_plane_is_a_pure_shift_and_equals_the_warp(disparity: int) -> None:
    left, _ = drawn(1, 8, 40)
    weights = np.ones((1, 4, 20), np.float32)
    found = selected_view(left, weights, np.array([disparity / 2], np.float32))
    inside = slice(4, -4)
    np.testing.assert_array_equal(
        found[:, inside], right_view(left, np.full((8, 40), disparity, np.float32)).rgb[:, inside]
    )
    one = shifted_view(torch.from_numpy(left).permute(2, 0, 1)[None].float(), disparity)
    np.testing.assert_array_equal(found, one[0].permute(1, 2, 0).numpy())


def test_weights_of_any_sum_select_alike() -> None:
    """No light is lost, as the published layer's first plane loses it."""
    left, weights = drawn(2)
    planes = np.array(PLANES, np.float32)
    np.testing.assert_allclose(
        selected_view(left, weights, planes).astype(int), selected_view(left, 3 * weights, planes), atol=1
    )
    white = selected_view(np.full_like(left, 200), weights, planes)
    assert (white == 200).all()


def test_the_right_view_s_disparity_becomes_the_left_view_s() -> None:
    """A near box before a far wall: splatted to the right and back, seen pixels keep their depth, and what only the left
    eye sees has the wall's."""
    left = np.full((4, 40), 1.0, np.float32)
    left[:, 15:25] = 6.0
    right = np.where(splatted(left) == EMPTY, np.float32(1), splatted(left))
    assert (right[:, 9:19] == 6).all()
    np.testing.assert_array_equal(left_from_right(right)[:, 2:], left[:, 2:])


def test_the_mean_disparity_is_the_planes_weighted() -> None:
    weights = np.zeros((3, 2, 2), np.float32)
    weights[0], weights[2] = 0.75, 0.25
    np.testing.assert_allclose(mean_disparity(Planes(weights, np.array([4, 0, -4], np.float32))), 2.0)
