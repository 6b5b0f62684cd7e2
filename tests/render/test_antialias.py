"""Antialiasing against closed forms and against finite differences of a render at many samples per pixel."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.antialias import antialias, crossings
from recon.render.raster import interpolate, rasterise, scatter
from recon.render.topology import edges_of
from tests.render.shapes import Triangles, ball, camera, crate, ring, turned

LAW = settings(max_examples=15, deadline=None, derandomize=True)
EYE = torch.eye(4)[:3]
SIZE, FOCAL, SAMPLES = (48, 48), 52.0, 8


def coverage(vertices: torch.Tensor, faces: torch.Tensor, c2w: torch.Tensor, focal: float, size: tuple[int, int]):
    seen = rasterise(vertices, faces, c2w, focal, size)
    return antialias(scatter(torch.ones(len(seen.pixel), 1), seen), seen, edges_of(faces))[..., 0]


def square(left: float, top: float, right: float, bottom: float) -> Triangles:
    """A square in the plane z = 1."""
    corners = torch.tensor([[left, top], [right, top], [right, bottom], [left, bottom]])
    return torch.cat([corners, torch.ones(4, 1)], 1), torch.tensor([[0, 1, 2], [0, 2, 3]])


@LAW
@given(st.floats(2, 7), st.floats(10, 17), st.integers(2, 7), st.integers(9, 17))
def test_an_upright_edge_is_exact(left: float, right: float, top: int, bottom: int) -> None:
    """Coverage of a rectangle whose left and right lie anywhere: the share of every pixel, and the gradient of that."""
    vertices, faces = square(*((c - 10) / 20 for c in (left, top, right, bottom)))
    vertices.requires_grad_()
    found = coverage(vertices, faces, EYE, 20.0, (20, 20))
    column = torch.arange(20.0)
    share = (right - column).clamp(0, 1) * (column + 1 - left).clamp(0, 1)
    expected = torch.zeros(20, 20)
    expected[top:bottom] = share
    torch.testing.assert_close(found.detach(), expected, atol=1e-4, rtol=0)
    found.sum().backward()
    moved = vertices.grad[:, 0].view(4) / 20  # per pixel that a corner moves
    pull = torch.stack([-(moved[0] + moved[3]), moved[1] + moved[2]])
    torch.testing.assert_close(pull, torch.full((2,), float(bottom - top)), atol=1e-2, rtol=0)


@pytest.mark.parametrize(("level", "size"), [(2, 64), (4, 64), (4, 16), (6, 16)])
def test_the_area_of_a_disc_whatever_the_size_of_the_faces(level: int, size: int) -> None:
    """At 16×16 pixels the ball of level 6 has over 200 faces per pixel."""
    vertices, faces = ball(level)
    x = (vertices - torch.tensor([0.0, 0, -2.5])).double()
    places = 1.2 * size * x[:, :2] / x[:, 2:]
    from scipy.spatial import ConvexHull

    area = ConvexHull(places.numpy()).volume
    found = coverage(vertices, faces, camera(), 1.2 * size, (size, size))
    assert found.sum() == pytest.approx(area, rel=0.2 / size)
    assert found.min() > -1e-6
    assert found.max() < 1 + 1e-6


def picture(vertices: torch.Tensor, faces: torch.Tensor, look: torch.Tensor, samples: int) -> torch.Tensor:
    """With colours per vertex on a coloured ground: antialiased, or averaged over samples² of plain ones."""
    size = SIZE[0] * abs(samples), SIZE[1] * abs(samples)
    seen = rasterise(vertices, faces, camera(2.4, 0.3, 0.2), FOCAL * samples, size)
    out = scatter(interpolate(look, seen), seen, torch.tensor([0.9, 0.2, 0.4]))
    if samples == 1:
        out = antialias(out, seen, edges_of(faces))
    return torch.nn.functional.avg_pool2d(out.permute(2, 0, 1), samples)


@pytest.mark.parametrize("shape", [ball, crate, ring])
def test_coverage_is_that_of_a_supersampled_render(shape) -> None:
    """To the samples' own error, but for a few pixels in which silhouettes meet."""
    vertices, faces = shape()
    c2w = camera(2.4, 0.8, 0.9)
    found = coverage(vertices, faces, c2w, FOCAL, SIZE)
    seen = rasterise(vertices, faces, c2w, FOCAL * SAMPLES, (SIZE[0] * SAMPLES, SIZE[1] * SAMPLES))
    plain = scatter(torch.ones(len(seen.pixel), 1), seen).permute(2, 0, 1)
    expected = torch.nn.functional.avg_pool2d(plain, SAMPLES)[0]
    rim = (found - expected).abs()[(expected > 0) & (expected < 1)]
    assert rim.quantile(0.9) < 0.04
    assert rim.square().mean().sqrt() < 0.035
    assert found.sum().item() == pytest.approx(expected.sum().item(), rel=2e-3)


def eased(x: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    """A turn about the vertical axis by s to first order and more."""
    one, zero = torch.ones(()), torch.zeros(())
    rows = [[s.cos(), zero, s.sin()], [zero, one, zero], [-s.sin(), zero, s.cos()]]
    return x @ torch.stack([torch.stack(row) for row in rows])


MOVES = {
    "right": lambda x, s: x + s * torch.tensor([1.0, 0, 0]),
    "down": lambda x, s: x + s * torch.tensor([0, 1.0, 0]),
    "away": lambda x, s: x + s * torch.tensor([0, 0, 2.0]),
    "larger": lambda x, s: x * (1 + s),
    "taller": lambda x, s: x * torch.stack([torch.ones(()), 1 + s, torch.ones(())]),
    "turned": eased,
}
PHASES = [(0.0, 0.0), (0.33, 0.6), (0.67, 0.3)]


@pytest.mark.parametrize("shape", [ball, crate, ring])
@pytest.mark.parametrize("move", MOVES)
def test_gradients_are_those_of_a_supersampled_render(shape, move: str) -> None:
    """Of a weighted sum of the picture, by central differences, over three places in the pixel grid; to 2 % of a typical
    gradient. The round shapes have one colour: a texture's colour at their limb, which changes without bound from pixel to
    pixel, is known at pixel centres only."""
    vertices, faces = shape()
    waves = 1.0 if shape is crate else 0.0
    look = 0.5 + 0.4 * torch.sin(waves * vertices + torch.tensor([0.0, 1, 2]))
    rows, columns = torch.meshgrid(*(torch.arange(n) / n for n in SIZE), indexing="ij")
    weight = torch.stack([torch.sin(5 * rows + 3 * columns), torch.cos(4 * columns), rows * columns])
    found, expected, step = 0.0, 0.0, 0.02
    for right, down in PHASES:
        place = vertices @ turned(0.5, 0.7) + torch.tensor([right, down, 0]) * 2.4 / FOCAL
        s = torch.zeros((), requires_grad=True)
        (weight * picture(MOVES[move](place, s), faces, look, 1)).sum().backward()
        low, high = (
            (weight * picture(MOVES[move](place, torch.tensor(h)), faces, look, SAMPLES)).sum() for h in (-step, step)
        )
        found += s.grad.item()
        expected += (high - low).item() / (2 * step)
    assert found == pytest.approx(expected, abs=0.02 * 700 * len(PHASES))


def test_only_silhouettes_that_are_seen_are_blended() -> None:
    """A small square behind a large one leaves no trace; before it, it does."""
    large, faces = square(-0.61, -0.61, 0.61, 0.61)
    small, _ = square(-0.23, -0.23, 0.23, 0.23)
    both = torch.cat([faces, faces + 4])
    for z, rows in ((1.5, 24), (0.9, 24 + 10)):  # 24 rows of 1/20 fit into 1.22, 10 into 0.46
        seen = rasterise(torch.cat([large, z * small]), both, EYE, 20.0, (32, 32))
        found = crossings(seen, edges_of(both))
        assert len(found.covered) == 4 * rows
        assert ((found.reach >= 0) & (found.reach <= 1) & (found.slope == 0)).all()


def test_a_picture_of_one_colour_stays_what_it_is() -> None:
    vertices, faces = ring()
    seen = rasterise(vertices, faces, camera(2.4, 0.9), 60.0, (64, 64))
    flat = torch.full((64, 64, 3), 0.3)
    torch.testing.assert_close(antialias(flat, seen, edges_of(faces)), flat)


def test_an_empty_mesh_is_an_empty_picture() -> None:
    """What a field has become that is outside everywhere must not stop a run."""
    vertices, faces = torch.zeros(0, 3, requires_grad=True), torch.zeros(0, 3, dtype=torch.int64)
    found = coverage(vertices, faces, camera(), 30.0, (16, 16))
    assert (found == 0).all()
    found.sum().backward()
    assert vertices.grad.shape == (0, 3)


def test_nothing_in_view_has_no_silhouette() -> None:
    vertices, faces = crate()
    assert (coverage(vertices, faces, camera(-2.5), 30.0, (16, 16)) == 0).all()
    room = coverage(2 * vertices.requires_grad_(), faces, EYE, 10.0, (16, 16))
    assert (room == 1).all()
    room.sum().backward()
    assert (vertices.grad == 0).all()
