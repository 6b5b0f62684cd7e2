"""Rasterisation against ray casting by brute force, its interpolation against geometry, its gradients against autograd."""

from __future__ import annotations

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.raster import depth_map, face_normals, interpolate, pixel_directions, rasterise, scatter, to_camera
from recon.render.visibility import fastest_visibility, nvdiffrast, scanline
from tests.render.shapes import ball, camera, crate, ring

LAW = settings(max_examples=30, deadline=None, derandomize=True)
EYE = torch.eye(4)[:3]


def cast(vertices: torch.Tensor, faces: torch.Tensor, focal: float, size: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """(depth, face, doubt) per pixel by a plane and three half spaces per face, in float64; doubt: how near the ray comes
    to a change of the answer, in barycentric coordinates or parts of the depth."""
    height, width = size
    v, u = np.mgrid[:height, :width] + 0.5
    d = np.stack([(u - width / 2) / focal, (v - height / 2) / focal, np.ones_like(u)], -1).reshape(-1, 3)
    best, face, doubt = np.full(len(d), np.inf), np.full(len(d), -1), np.full(len(d), np.inf)
    for i, triangle in enumerate(vertices.double().numpy()[faces.numpy()]):
        a, b, c = triangle
        normal = np.cross(b - a, c - a)
        with np.errstate(all="ignore"):
            z = a @ normal / (d @ normal)
            p = d * z[:, None]
            weights = np.stack(
                [np.cross(e - s, p - s) @ normal / (normal @ normal) for s, e in ((b, c), (c, a), (a, b))], 1
            )
        margin = weights.min(1)
        doubt = np.minimum(doubt, np.where(z > 0, np.abs(margin), np.inf))
        hit = (margin >= 0) & (z > 0)
        doubt = np.where(hit & np.isfinite(best), np.minimum(doubt, np.abs(z / best - 1)), doubt)
        nearer = hit & (z < best)
        best, face = np.where(nearer, z, best), np.where(nearer, i, face)
    return best.reshape(size), face.reshape(size), doubt.reshape(size)


def soup(seed: int, count: int, spread: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Random triangles around the camera's axis, some of which reach behind it."""
    rng = torch.Generator().manual_seed(seed)
    centres = torch.randn(count, 1, 3, generator=rng) + torch.tensor([0.0, 0, 2])
    corners = centres + spread * torch.randn(count, 3, 3, generator=rng)
    return corners.reshape(-1, 3), torch.arange(3 * count).view(-1, 3)


@LAW
@given(
    st.integers(0, 999), st.integers(1, 40), st.sampled_from([0.05, 0.5, 2.0]), st.integers(1, 40), st.integers(1, 40)
)
def test_every_pixel_shows_the_face_that_its_ray_meets_first(
    seed: int, count: int, spread: float, height: int, width: int
) -> None:
    vertices, faces = soup(seed, count, spread)
    depth, face, doubt = cast(vertices, faces, 30.0, (height, width))
    seen = rasterise(vertices, faces, EYE, 30.0, (height, width))
    found = np.full(height * width, -1)
    found[seen.pixel] = seen.face
    sure = doubt > 1e-5
    np.testing.assert_array_equal(found.reshape(height, width)[sure], face[sure])
    same = sure & (face >= 0) & (depth < 100)
    np.testing.assert_allclose(depth_map(seen).numpy()[same], depth[same], rtol=1e-3)


@LAW
@given(st.integers(0, 99), st.booleans())
def test_neighbouring_faces_leave_no_crack(seed: int, on_centres: bool) -> None:
    """A wall of random triangles before the whole picture, its corners at pixel centres or anywhere."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(-4, 36, (60, 2))
    places = np.concatenate([np.round(places) if on_centres else places, [[-9, -9], [-9, 41], [41, -9], [41, 41]]])
    from scipy.spatial import Delaunay

    wall = np.concatenate([(places - 15.5) / 32.0, np.ones((len(places), 1))], 1) * rng.uniform(1, 5)
    faces = torch.tensor(Delaunay(places).simplices, dtype=torch.int64)
    seen = scanline(torch.tensor(wall, dtype=torch.float32), faces, 32.0, (32, 32))
    assert (seen >= 0).all()


@pytest.mark.parametrize("shape", [ball, crate, ring])
def test_interpolated_positions_are_where_the_rays_meet_the_surface(shape) -> None:
    vertices, faces = shape()
    c2w, focal, size = camera(2.5, 0.4, 0.9), 60.0, (48, 64)
    seen = rasterise(vertices, faces, c2w, focal, size)
    x, y = pixel_directions(seen.pixel, focal, size)
    expected = seen.depth[:, None] * torch.stack([x, y, torch.ones_like(x)], 1)
    torch.testing.assert_close(to_camera(interpolate(vertices, seen), c2w), expected, atol=2e-5, rtol=0)
    assert len(seen.pixel) > 200
    assert (seen.bary > -1e-3).all()
    torch.testing.assert_close(seen.bary.sum(1), torch.ones(len(seen.pixel)))
    cosine = (face_normals(to_camera(vertices, c2w), faces)[seen.face] * expected).sum(1)
    assert (cosine < 0).all()  # a closed surface shows its outside


def test_interpolation_is_perspective_correct() -> None:
    """Half way across the picture of a slanted edge is not half way along it: 1/z is linear there, z is not."""
    vertices = torch.tensor([[-1.0, -1, 1], [-1, 1, 1], [4, 0, 4]])
    seen = rasterise(vertices, torch.tensor([[0, 1, 2]]), EYE, 50.0, (1, 101))
    x, _ = pixel_directions(seen.pixel, 50.0, (1, 101))
    share = interpolate(torch.tensor([[0.0], [0], [1]]), seen)[:, 0]
    z = 1 / (0.625 - 0.375 * x)  # the line from (−1, 1) to (4, 4) in (x, z)
    torch.testing.assert_close(share, (z - 1) / 3, atol=1e-5, rtol=0)


def test_gradients_of_coordinates_and_depth_are_those_of_the_formulas() -> None:
    vertices, faces = crate(dtype=torch.float64)
    c2w = camera(2.0, 0.5, 0.7, torch.float64)

    def values(moved: torch.Tensor, pose: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen = rasterise(moved, faces, pose, 7.0, (8, 8), lambda *_: fixed)
        return interpolate(moved, seen), seen.depth

    fixed = scanline(to_camera(vertices, c2w), faces, 7.0, (8, 8))
    inputs = vertices.clone().requires_grad_(), c2w.clone().requires_grad_()
    assert torch.autograd.gradcheck(values, inputs, fast_mode=True)


def test_the_gradient_of_a_colour_is_its_share_of_the_picture() -> None:
    vertices, faces = ball(2)
    colours = torch.rand(len(vertices), 3, requires_grad=True)
    seen = rasterise(vertices, faces, camera(), 40.0, (32, 32))
    picture = scatter(interpolate(colours, seen), seen, torch.tensor([0.1, 0.2, 0.3]))
    picture.sum().backward()
    share = torch.zeros(len(vertices)).index_add(0, faces[seen.face].flatten(), seen.bary.flatten())
    torch.testing.assert_close(colours.grad, share[:, None].expand(-1, 3))
    empty = torch.ones(32 * 32, dtype=torch.bool).index_fill(0, seen.pixel, False).view(32, 32)
    assert (picture[empty] == torch.tensor([0.1, 0.2, 0.3])).all()


def test_nothing_in_view_is_an_empty_picture() -> None:
    vertices, faces = crate()
    for away in (camera(-2.5), camera(1.0) + torch.tensor([0, 0, 0, 50.0]), camera(1e30)):
        seen = rasterise(vertices, faces, away, 30.0, (16, 16))
        assert len(seen.pixel) == 0
        assert depth_map(seen).isinf().all()
        assert (scatter(interpolate(vertices, seen), seen) == 0).all()
    assert (scanline(torch.full((3, 3), torch.nan), torch.tensor([[0, 1, 2]]), 30.0, (4, 4)) == -1).all()


def test_the_inside_of_a_room_is_seen_from_within() -> None:
    """Half of the walls' corners lie behind the camera."""
    vertices, faces = crate(2.0)
    seen = rasterise(vertices, faces, EYE, 10.0, (24, 24))
    assert len(seen.pixel) == 24 * 24
    x, y = pixel_directions(seen.pixel, 10.0, (24, 24))
    torch.testing.assert_close(seen.depth, 1 / torch.maximum(x.abs(), y.abs()).clamp_min(1))


def test_nvdiffrast_gets_the_clip_space_of_its_manual(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that does what the manual says: x, y and z over w in −1..1, row 0 at y = −1, the smallest z/w is seen,
    the fourth channel is the face's index plus one."""
    fake = ModuleType("nvdiffrast.torch")
    fake.RasterizeCudaContext = lambda device: "context"

    def rasterize(context, clip, faces, size):
        assert context == "context"
        assert faces.dtype == torch.int32
        ndc = clip[0].numpy() / clip[0].numpy()[:, 3:]
        assert (np.abs(ndc[:, 2]) <= 1).all()
        rows, columns = np.mgrid[: size[0], : size[1]]
        p = np.stack([(2 * columns + 1) / size[1] - 1, (2 * rows + 1) / size[0] - 1], -1)
        out, nearest = torch.zeros(1, *size, 4), np.full(size, np.inf)
        for i, face in enumerate(faces.numpy()):
            a, b, c = ndc[face]
            area = np.cross(np.append(b[:2] - a[:2], 0), np.append(c[:2] - a[:2], 0))[2]
            if area == 0:
                continue
            second = ((p[..., 0] - a[0]) * (c[1] - a[1]) - (p[..., 1] - a[1]) * (c[0] - a[0])) / area
            third = ((b[0] - a[0]) * (p[..., 1] - a[1]) - (b[1] - a[1]) * (p[..., 0] - a[0])) / area
            depth = a[2] + second * (b[2] - a[2]) + third * (c[2] - a[2])
            seen = (second >= 0) & (third >= 0) & (second + third <= 1) & (depth < nearest)
            nearest = np.where(seen, depth, nearest)
            out[0, ..., 3][torch.tensor(seen)] = i + 1.0
        return out, None

    fake.rasterize = rasterize
    package = ModuleType("nvdiffrast")
    package.torch = fake
    monkeypatch.setitem(sys.modules, "nvdiffrast", package)
    monkeypatch.setitem(sys.modules, "nvdiffrast.torch", fake)
    vertices, faces = ball(1)
    local = to_camera(vertices, camera(2.2, 0.3, 0.5))
    torch.testing.assert_close(nvdiffrast(local, faces, 31.0, (24, 40)), scanline(local, faces, 31.0, (24, 40)))
    assert fastest_visibility(torch.device("cpu")) is scanline
