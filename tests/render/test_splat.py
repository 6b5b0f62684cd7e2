"""Point splatting against a loop over every point at every pixel."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.splat import alpha_of, composite, splat

LAW = settings(max_examples=25, deadline=None, derandomize=True)
EYE = torch.eye(4, dtype=torch.float64)[:3]


def at(u: float, v: float, z: float, focal: float, size: tuple[int, int]) -> list[float]:
    """The point at a pixel position and a depth."""
    return [(u - size[1] / 2) * z / focal, (v - size[0] / 2) * z / focal, z]


def brute(points, features, focal: float, size: tuple[int, int], radius: float, layers: int) -> np.ndarray:
    """Every pixel asks every point."""
    out = np.zeros((*size, features.shape[1] + 1))
    front = [i for i in np.argsort(points[:, 2], kind="stable") if points[i, 2] > 1e-4]
    for row in range(size[0]):
        for column in range(size[1]):
            through, met = 1.0, 0
            for i in front:
                x, y, z = points[i]
                u, v = focal * x / z + size[1] / 2, focal * y / z + size[0] / 2
                distance = math.hypot(u - column - 0.5, v - row - 0.5)
                if distance <= radius and met < layers:
                    alpha = 1 - math.sqrt(min(max(0.1 * (distance / radius) ** 2, 1e-3), 1))
                    out[row, column] += through * alpha * np.append(features[i], 1)
                    through, met = through * (1 - alpha), met + 1
    return out


@LAW
@given(
    st.integers(0, 999),
    st.integers(1, 60),
    st.sampled_from([(1, 1), (7, 12), (13, 5)]),
    st.floats(0.3, 3.0),
    st.integers(1, 9),
)
def test_it_is_what_every_point_at_every_pixel_makes(
    seed: int, count: int, size: tuple[int, int], radius: float, layers: int
) -> None:
    rng = torch.Generator().manual_seed(seed)
    points = torch.randn(count, 3, generator=rng, dtype=torch.float64) + torch.tensor([0, 0, 1.5], dtype=torch.float64)
    features = torch.rand(count, 2, generator=rng, dtype=torch.float64)
    found = composite(splat(points, EYE, 8.0, size, radius, layers), features)
    np.testing.assert_allclose(found, brute(points.numpy(), features.numpy(), 8.0, size, radius, layers), atol=1e-9)


def test_one_point_is_a_disc_around_its_place() -> None:
    size, focal = (20, 24), 30.0
    point = torch.tensor([at(10.3, 7.9, 2.0, focal, size)], dtype=torch.float64)
    picture = composite(splat(point, EYE, focal, size, 2.5), torch.ones(1, 1, dtype=torch.float64))
    rows, columns = torch.meshgrid(torch.arange(20) + 0.5, torch.arange(24) + 0.5, indexing="ij")
    distance = torch.hypot(columns.double() - 10.3, rows.double() - 7.9)
    expected = torch.where(distance <= 2.5, alpha_of(distance, 2.5), 0)
    torch.testing.assert_close(picture[..., 0], expected)
    torch.testing.assert_close(picture[..., 1], expected)


def test_the_nearer_point_covers_the_farther_one_whatever_their_order() -> None:
    size, focal = (9, 9), 20.0
    near, far = at(4.5, 4.5, 1.0, focal, size), at(4.5, 4.5, 2.0, focal, size)
    alpha = 1 - math.sqrt(1e-3)
    for points, features in (([near, far], [[1.0], [0.0]]), ([far, near], [[0.0], [1.0]])):
        picture = composite(splat(torch.tensor(points), EYE.float(), focal, size), torch.tensor(features))
        assert picture[4, 4].tolist() == pytest.approx([alpha, alpha + (1 - alpha) * alpha], abs=1e-6)


def test_what_lies_behind_the_camera_or_beside_the_picture_is_not_seen() -> None:
    away = torch.tensor([[0.0, 0, -1], [90, 0, 1], [0, -90, 1], [0, 0, 0]])
    splats = splat(away, EYE.float(), 20.0, (8, 8))
    assert len(splats.pixel) == 0
    assert (composite(splats, torch.ones(4, 3)) == 0).all()


def test_the_gradient_of_a_feature_is_its_weight_and_that_of_a_place_the_formula_s() -> None:
    rng = torch.Generator().manual_seed(4)
    points = torch.rand(12, 3, generator=rng, dtype=torch.float64) + torch.tensor(
        [-0.5, -0.5, 1.0], dtype=torch.float64
    )
    features = torch.rand(12, 3, generator=rng, dtype=torch.float64).requires_grad_()
    splats = splat(points, EYE, 9.0, (10, 10))
    composite(splats, features)[..., :3].sum().backward()
    share = torch.zeros(12, dtype=torch.float64).index_add(0, splats.point, splats.weight)
    torch.testing.assert_close(features.grad, share[:, None].expand(-1, 3))

    def picture(moved: torch.Tensor) -> torch.Tensor:
        return composite(splat(moved, EYE, 9.0, (10, 10)), features.detach())

    assert torch.autograd.gradcheck(picture, (points.requires_grad_(),), fast_mode=True)
