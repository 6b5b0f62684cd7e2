"""Textures: baked and read back, photographed and seen again, and what photos must not touch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from recon.render.atlas import (
    Atlas,
    Shot,
    away_from_steps,
    blended,
    occluded,
    padded,
    sample_texture,
    texels,
    unwrap,
)
from recon.render.raster import face_normals, interpolate, rasterise, scatter
from tests.render.shapes import ball, camera, crate, ring

SIDE = torch.tensor([[0.0, 1, 2], [2, 0, 1], [1, 2, 0]])


def colour(places: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
    """Smooth, different everywhere."""
    return 0.5 + 0.4 * torch.sin(4 * places @ SIDE + torch.tensor([0.0, 1, 2]))


def bake(atlas, vertices, faces, colour, shots=()) -> torch.Tensor:
    """The texture of a mesh: colour(positions, the faces' normals), and the photos over it."""
    covered = texels(atlas)
    points, normals = interpolate(vertices[atlas.source], covered), face_normals(vertices, faces)[covered.face]
    return padded(blended(colour(points, normals), points, normals, vertices, faces, shots), covered)


def psnr(one: torch.Tensor, other: torch.Tensor) -> float:
    return float(-10 * (one - other).square().mean().log10())


def on_surface(
    vertices: torch.Tensor, atlas: Atlas, faces: torch.Tensor, count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """(positions, uv) of random points on the mesh, many of them on its edges and at its corners."""
    rng = torch.Generator().manual_seed(0)
    face = torch.randint(len(faces), (count,), generator=rng)
    bary = torch.rand(count, 3, generator=rng)
    bary[: count // 3, 0] = 0
    bary[: count // 9, 1] = 0
    bary = bary / bary.sum(1, keepdim=True)
    return ((values[corners[face]] * bary[..., None]).sum(1) for values, corners in
            ((vertices, faces), (atlas.uv, atlas.faces)))  # fmt: skip


@pytest.fixture(scope="module")
def doughnut() -> tuple[torch.Tensor, torch.Tensor, Atlas]:
    vertices, faces = ring()
    return vertices, faces, unwrap(vertices, faces, 384)


@pytest.mark.parametrize("shape", [crate, ring])
def test_an_atlas_is_the_mesh_laid_flat(shape) -> None:
    vertices, faces = shape()
    atlas = unwrap(vertices, faces, 256)
    torch.testing.assert_close(atlas.source[atlas.faces], faces)
    assert ((atlas.uv >= 0) & (atlas.uv <= 1)).all()
    assert 100 < min(atlas.size) <= max(atlas.size) <= 256
    covered = texels(atlas)
    assert len(covered.pixel.unique()) == len(covered.pixel)
    # No two faces share a texel: what all faces cover is what each of them covers, but for texels cut by their edges.
    a, b, c = (atlas.uv * torch.tensor(atlas.size[::-1]))[atlas.faces].unbind(1)
    area = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).abs().sum() / 2
    assert len(covered.pixel) == pytest.approx(area.item(), rel=0.03)


def test_a_texture_baked_from_a_function_reads_as_that_function(doughnut) -> None:
    vertices, faces, atlas = doughnut
    texture = bake(atlas, vertices, faces, colour)
    places, uv = on_surface(vertices, atlas, faces, 9000)
    found, expected = sample_texture(texture, uv), colour(places, places)
    assert psnr(found, expected) > 42
    assert (found - expected).abs().max() < 0.12  # on the seams too, where half a texel beyond the chart is read


def test_normals_are_those_of_the_faces() -> None:
    vertices, faces = crate()
    atlas = unwrap(vertices, faces, 128)
    texture = bake(atlas, vertices, faces, lambda places, normals: 0.5 + 0.5 * normals)
    middles = atlas.uv[atlas.faces].mean(1)
    torch.testing.assert_close(
        sample_texture(texture, middles), 0.5 + 0.5 * face_normals(vertices, faces), atol=1e-5, rtol=0
    )


def test_lookup_is_bilinear_and_differentiable() -> None:
    texture = torch.rand(5, 7, 2, dtype=torch.float64)
    rows, columns = torch.meshgrid(torch.arange(5).double() + 0.5, torch.arange(7).double() + 0.5, indexing="ij")
    centres = torch.stack([columns / 7, rows / 5], -1).view(-1, 2)
    torch.testing.assert_close(sample_texture(texture, centres), texture.view(-1, 2))
    between = sample_texture(texture, torch.tensor([[2 / 7, 0.5]], dtype=torch.float64))
    torch.testing.assert_close(between[0], (texture[2, 1] + texture[2, 2]) / 2)
    assert torch.autograd.gradcheck(
        lambda t: sample_texture(t, centres * 0.9), (texture.requires_grad_(),), fast_mode=True
    )


def test_padding_takes_the_nearest_texel_and_keeps_the_covered_ones(doughnut) -> None:
    _, _, atlas = doughnut
    covered = texels(atlas)
    place = torch.stack([covered.pixel // atlas.size[1], covered.pixel % atlas.size[1]], 1).float()
    whole = padded(place, covered)
    torch.testing.assert_close(whole.view(-1, 2)[covered.pixel], place)
    from scipy.spatial import cKDTree

    there = np.stack(np.mgrid[: atlas.size[0], : atlas.size[1]], -1).reshape(-1, 2)
    best = cKDTree(place.numpy()).query(there)[0]
    given = np.linalg.norm(whole.view(-1, 2).numpy() - there, axis=1)
    assert (given <= 1.1 * best + 1e-6).all()


def photo(vertices: torch.Tensor, faces: torch.Tensor, c2w: torch.Tensor, focal: float, side: int) -> Shot:
    """What a camera sees of the coloured mesh, red where there is nothing."""
    seen = rasterise(vertices, faces, c2w, focal, (side, side))
    values = colour(interpolate(vertices, seen), seen.depth[:, None])
    mask = scatter(torch.ones_like(seen.depth)[:, None], seen)[..., 0]
    return Shot(scatter(values, seen, torch.tensor([1.0, 0, 0])), mask, c2w, focal)


def test_a_baked_photo_looks_like_itself_and_leaves_the_unseen_alone(doughnut) -> None:
    vertices, faces, atlas = doughnut
    shot = photo(vertices, faces, camera(2.6, 0.6, 0.5), 330.0, 256)
    grey = torch.tensor([0.2, 0.2, 0.2])
    texture = bake(atlas, vertices, faces, lambda places, normals: grey.expand(len(places), 3), [shot])
    covered = texels(atlas)
    normals = face_normals(vertices, faces)[covered.face]
    places = interpolate(vertices[atlas.source], covered)
    values = texture.view(-1, 3)[covered.pixel]
    way = torch.nn.functional.normalize(shot.c2w[:, 3] - places, dim=1)
    cosine = (way * normals).sum(1)
    assert (values[cosine < 0.15] == grey).all()
    shadow = occluded(places, shot.c2w[:, 3], vertices, faces)
    assert (values[shadow] == grey).all()
    full = (cosine > 0.5) & ((values - grey).abs().amax(1) > 0.02) & ~shadow
    assert full.sum() > 0.25 * len(values)
    assert psnr(values[full], colour(places, places)[full]) > 30
    seen = rasterise(vertices, faces, shot.c2w, 330.0, (256, 256))
    facing = -torch.nn.functional.cosine_similarity(
        interpolate(seen.vertices, seen), face_normals(seen.vertices, faces)[seen.face], dim=1
    )
    well = (facing > 0.5) & (away_from_steps(vertices, faces, shot).flatten()[seen.pixel] > 0)
    again = sample_texture(texture, interpolate(atlas.uv, replace(seen, faces=atlas.faces)))
    assert psnr(again[well], shot.picture.view(-1, 3)[seen.pixel][well]) > 32


def test_photos_from_all_around_give_the_whole_texture() -> None:
    """And none of their background's red, which lies beside every silhouette."""
    vertices, faces = ball(3)
    atlas = unwrap(vertices, faces, 256)
    around = [(0.0, 0.0), (0.0, 1.6), (0.0, 3.1), (0.0, 4.7), (1.5, 0.0), (-1.5, 0.0)]
    shots = [photo(vertices, faces, camera(2.6, x, y), 200.0, 192) for x, y in around]
    texture = bake(atlas, vertices, faces, lambda places, normals: torch.zeros(len(places), 3), shots)
    places, uv = on_surface(vertices, atlas, faces, 4000)
    assert psnr(sample_texture(texture, uv), colour(places, places)) > 32


def test_what_stands_behind_something_keeps_its_colour() -> None:
    """Two plates one behind the other: the photo of the front one must not appear on the rear one."""
    corners = torch.tensor([[-1.0, -1], [1, -1], [1, 1], [-1, 1]])
    front = torch.cat([0.4 * corners, torch.zeros(4, 1)], 1)
    rear = torch.cat([0.8 * corners, torch.full((4, 1), 0.5)], 1)
    vertices, faces = torch.cat([front, rear]), torch.tensor([[0, 2, 1], [0, 3, 2], [4, 6, 5], [4, 7, 6]])
    atlas = unwrap(vertices, faces, 128)
    shot = Shot(torch.ones(128, 128, 3), torch.ones(128, 128), camera(2.0), 150.0)
    black = lambda places, normals: torch.zeros(len(places), 3)  # noqa: E731
    texture = bake(atlas, vertices, faces, black, [shot])
    covered = texels(atlas)
    places = interpolate(vertices[atlas.source], covered)
    white = texture.view(-1, 3)[covered.pixel].amin(1)
    edge = 0.4 * 2.5 / 2.0  # where the front plate's rim falls on the rear one
    across = places[:, :2].abs().amax(1)
    assert (white[(places[:, 2] == 0) & (across < 0.35)] > 0.99).all()
    assert (white[(places[:, 2] > 0.4) & (across < edge)] == 0).all()
    assert (white[(places[:, 2] > 0.4) & (across > edge + 0.06) & (across < 0.74)] > 0.99).all()
