"""A field's surface, coarse to fine: the dense one, wherever a coarse look sees it, at a fraction of the cost."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from recon.geometry.closed import is_closed
from recon.geometry.pieces import main_pieces
from recon.render.extraction import COARSE, extract_surface, lattice_values
from tests.objects import BODY, KNOBS, KnobbedBall

LEVEL = 0.5


def volume(vertices: np.ndarray, faces: np.ndarray) -> float:
    a, b, c = (vertices[corner].astype(np.float64) for corner in faces.T)
    return float((a * np.cross(b, c)).sum()) / 6


def lumps(x: Tensor) -> Tensor:
    """A wavy ellipsoid, and a rod through it that is thinner than a coarse cell and leaves it far behind."""
    waves = 0.08 * torch.sin(9 * x[:, 0]) * torch.sin(8 * x[:, 1] + 1) * torch.sin(7 * x[:, 2] + 0.5)
    body = 0.5 - (x * x.new_tensor([1.0, 1.3, 0.9])).norm(dim=1) + waves
    rod = torch.minimum(0.011 - (x[:, 1:] - x.new_tensor([0.1, 0.05])).norm(dim=1), 0.9 - x[:, 0].abs())
    return LEVEL + 20 * torch.maximum(body, rod)


def dense(field: Callable[[Tensor], Tensor], resolution: int) -> np.ndarray:
    line = torch.arange(resolution + 1) * (2 / resolution) - 1
    points = torch.cartesian_prod(line, line, line)
    return (field(points) - LEVEL).numpy().reshape((resolution + 1,) * 3)


def test_every_axis_and_every_side_is_where_the_field_has_it() -> None:
    field = KnobbedBall()
    vertices, faces = extract_surface(field.density_logit, field.level, COARSE)
    assert is_closed(faces)
    gaps = [np.linalg.norm(vertices - centre, axis=1) - radius for centre, radius, _ in KNOBS.values()]
    gaps.append(np.linalg.norm(vertices, axis=1) - BODY)
    off = np.abs(np.min(gaps, axis=0))
    assert np.quantile(off, 0.98) < 0.001 and off.max() < 1 / COARSE, "but for the creases between balls"
    wide = {"right": (0, 0.7), "up": (1, -0.61), "front": (2, -0.58), "back": (2, 0.67)}
    for axis, end in wide.values():
        assert (vertices[:, axis].max() if end > 0 else vertices[:, axis].min()) == pytest.approx(end, abs=0.004)


def test_faces_wind_counter_clockwise_seen_from_outside() -> None:
    field = KnobbedBall()
    vertices, faces = extract_surface(field.density_logit, field.level, 48)
    a, b, c = (torch.from_numpy(vertices[corner]) for corner in faces.T)
    middle, normal = (a + b + c) / 3, torch.linalg.cross(b - a, c - a)
    falls = field(middle, normals=True).normal
    assert falls is not None
    falls = falls.detach()
    agree = (torch.nn.functional.normalize(normal, dim=1) * falls).sum(1)
    assert float(agree.median()) > 0.99 and float((agree > 0).float().mean()) > 0.99
    assert volume(vertices, faces) > 4 / 3 * np.pi * BODY**3


def test_coarse_to_fine_is_the_dense_surface_and_follows_what_is_thinner_than_a_coarse_cell() -> None:
    values, cells = lattice_values(lumps, LEVEL, 2 * COARSE)
    whole = dense(lumps, 2 * COARSE)
    assert ((whole > 0) == (values > 0)).all()
    for corner in itertools.product((0, 1), repeat=3):
        at = tuple((cells + np.array(corner)).T)
        np.testing.assert_allclose(values[at], whole[at], atol=1e-5)
    vertices, faces = main_pieces(*extract_surface(lumps, LEVEL, 2 * COARSE), 0.01)
    assert is_closed(faces)
    assert np.abs(vertices[:, 0]).max() == pytest.approx(0.9, abs=1 / COARSE), "to the rod's very end"


def test_a_fine_surface_costs_less_than_a_fifth_of_a_dense_one() -> None:
    field = KnobbedBall()
    _, cells = lattice_values(field.density_logit, field.level, 4 * COARSE)
    assert field.asked < 0.2 * (4 * COARSE + 1) ** 3
    assert len(cells) > 50_000


def test_what_reaches_through_the_walls_is_closed_there() -> None:
    vertices, faces = extract_surface(lambda x: 5 * (0.8 - x[:, 0].abs()) + LEVEL, LEVEL, 2 * COARSE)
    assert is_closed(faces)
    assert volume(vertices, faces) == pytest.approx(1.6 * 2 * 2, rel=0.05)
    assert np.abs(vertices).max() <= 1


def test_nothing_dense_is_no_surface() -> None:
    vertices, faces = extract_surface(lambda x: x[:, 0] * 0 - 5, LEVEL, 16)
    assert vertices.shape == (0, 3) and faces.shape == (0, 3)


@pytest.mark.parametrize(("asked", "cells"), [(2, 2), (50, 50), (64, 64), (65, 66), (100, 100), (192, 192), (257, 264)])
def test_any_resolution_is_taken_or_one_a_little_finer(asked: int, cells: int) -> None:
    values, _ = lattice_values(lumps, LEVEL, asked)
    assert values.shape == (cells + 1,) * 3 and asked <= cells <= 1.04 * asked


def test_floaters_and_hollows_are_no_parts() -> None:
    def shell(x: Tensor) -> Tensor:
        far = 0.1 - (x - x.new_tensor([0.8, 0.8, 0.8])).norm(dim=1)
        return LEVEL + 10 * torch.maximum(torch.minimum(0.6 - x.norm(dim=1), x.norm(dim=1) - 0.3), far)

    vertices, faces = extract_surface(shell, LEVEL, 32)
    kept, triangles = main_pieces(vertices, faces, 0.01)
    assert is_closed(triangles) and len(triangles) < len(faces)
    assert np.linalg.norm(kept, axis=1) == pytest.approx(0.6, abs=0.01)
