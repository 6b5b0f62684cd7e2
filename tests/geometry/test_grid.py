"""The image-grid mesh against a slow twin, and in closed form on planes and spheres."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from recon.geometry.camera import project
from recon.geometry.discontinuity import STEP, depth_cuts
from recon.geometry.grid import connected_pieces, grid_mesh, without_floaters, without_unused_vertices
from recon.geometry.lattice import Lattice
from tests.scenes import (
    area,
    box,
    camera_of,
    cast,
    face_cross,
    faces_camera,
    frozen,
    lattice_of,
    nearest,
    pixel_grid,
    plane,
    rays,
    room,
    sphere,
    step,
)

LAW = settings(max_examples=40, deadline=None, derandomize=True)
seeds = st.integers(0, 9999)
AROUND = ((0, 0), (0, 1), (1, 0), (1, 1))
"""The four samples around a corner, or the four corners of a sample."""


def broken_map(seed: int, height: int = 6, width: int = 7) -> np.ndarray:
    """A small map full of steps, slopes and holes."""
    rng = np.random.default_rng(seed)
    z = rng.choice([1, 1.01, 1.5, 1.52], (height, width)) * (1 + 0.002 * np.arange(width))
    z[rng.random(z.shape) < 0.15] = np.nan
    return frozen(z.astype(np.float32))


def twin_groups(z: np.ndarray, cut_h: np.ndarray, cut_v: np.ndarray) -> dict[tuple, frozenset]:
    """(corner, sample) → the valid samples that it is joined to around that corner."""
    height, width = z.shape
    out = {}
    for i in range(height + 1):
        for j in range(width + 1):
            around = [(i - 1 + di, j - 1 + dj) for di, dj in AROUND]
            around = [(r, c) for r, c in around if 0 <= r < height and 0 <= c < width and not np.isnan(z[r, c])]
            group = {sample: {sample} for sample in around}
            for a in around:
                for b in around:
                    beside = a[0] == b[0] and a[1] + 1 == b[1] and not cut_h[a]
                    below = a[1] == b[1] and a[0] + 1 == b[0] and not cut_v[a]
                    if beside or below:
                        union = group[a] | group[b]
                        for sample in union:
                            group[sample] = union
            for sample in around:
                out[(i, j), sample] = frozenset(group[sample])
    return out


def twin_disparity(z: np.ndarray, sample: tuple[int, int], corner: tuple[int, int], cut_h, cut_v) -> float:
    """A sample's disparity carried half a sample along its own slope to its corner."""
    i, j = sample
    own = 1 / float(z[sample])
    out = own
    for cut, (di, dj), way in ((cut_h, (0, 1), corner[1] - j), (cut_v, (1, 0), corner[0] - i)):
        changes = []
        if (j if dj else i) < cut.shape[1 if dj else 0] and not cut[i, j]:
            changes.append(1 / float(z[i + di, j + dj]) - own)
        if (j if dj else i) > 0 and not cut[i - di, j - dj]:
            changes.append(own - 1 / float(z[i - di, j - dj]))
        half = np.mean(changes) / 2 if changes else 0.0
        out += (1 if way else -1) * float(np.clip(half, -STEP / 2 * own, STEP / 2 * own))
    return out


def quads(faces: np.ndarray) -> np.ndarray:
    """Each sample's corners (top left, top right, bottom left, bottom right), from its two triangles."""
    pair = faces.reshape(-1, 2, 3)
    return np.stack([pair[:, 0, 0], pair[:, 1, 2], pair[:, 0, 1], pair[:, 1, 1]], axis=1)


@LAW
@given(seeds)
def test_the_mesh_is_the_one_that_a_slow_twin_builds(seed: int) -> None:
    z = broken_map(seed)
    camera = camera_of(7, 6, 60.0)
    lattice = lattice_of(z, camera)
    cut_h, cut_v = depth_cuts(z, lattice.footprint)
    group = twin_groups(z, cut_h, cut_v)
    vertices, faces, _ = grid_mesh(lattice, 1)
    samples = list(zip(*np.nonzero(~np.isnan(z)), strict=True))
    assert len(faces) == 2 * len(samples)
    twin: dict[tuple, int] = {}
    for sample, corners in zip(samples, quads(faces), strict=True):
        for (di, dj), vertex in zip(AROUND, corners, strict=True):
            corner = (sample[0] + di, sample[1] + dj)
            key = corner, group[corner, sample]
            assert twin.setdefault(key, vertex) == vertex  # one vertex for all that hang together around the corner …
    assert len(set(twin.values())) == len(twin) == len(vertices)  # … and its own for all that do not
    for (corner, members), vertex in twin.items():
        carried = [twin_disparity(z, sample, corner, cut_h, cut_v) for sample in members]
        assert vertices[vertex, 2] == pytest.approx(1 / np.mean(carried), rel=1e-5)


@LAW
@given(seeds)
def test_each_quad_is_split_along_the_diagonal_that_changes_depth_less(seed: int) -> None:
    lattice = lattice_of(broken_map(seed), camera_of(7, 6, 60.0))
    vertices, faces, pixels = grid_mesh(lattice, 1)
    depth = vertices[:, 2]
    moved = (pixels % 1 != 0).any(axis=1)
    for first, second in faces.reshape(-1, 2, 3):
        if moved[list({*first, *second})].sum() > 2:
            continue  # a bent quad is split so that no triangle of it collapses
        shared = set(first) & set(second)
        other = set(first) ^ set(second)
        assert len(shared) == len(other) == 2
        assert abs(np.subtract(*depth[list(shared)])) <= abs(np.subtract(*depth[list(other)]))


@LAW
@given(seeds)
def test_corners_move_only_where_a_crack_turns_and_by_a_quarter(seed: int) -> None:
    z = broken_map(seed)
    lattice = lattice_of(z, camera_of(7, 6, 60.0))
    cut_h, cut_v = depth_cuts(z, lattice.footprint)
    vertices, faces, pixels = grid_mesh(lattice, 1)
    np.testing.assert_allclose(project(vertices, lattice.camera), pixels, atol=1e-4)
    for sample, corners in zip(np.argwhere(~np.isnan(z)), quads(faces), strict=True):
        for (di, dj), vertex in zip(AROUND, corners, strict=True):
            i, j = sample[0] + di, sample[1] + dj
            up, down = (int(0 < j < 7 and 0 <= r < 6 and cut_h[r, j - 1]) for r in (i - 1, i))
            left, right = (int(0 < i < 6 and 0 <= c < 7 and cut_v[i - 1, c]) for c in (j - 1, j))
            shift = np.zeros(2)
            if up + down == 1 and left + right == 1:
                shift = np.array([right - left, down - up]) / 4
            np.testing.assert_allclose(pixels[vertex], np.array([j, i]) + shift, atol=1e-6)


@LAW
@given(seeds)
def test_no_face_winds_away_from_the_camera_and_no_place_is_left_open(seed: int) -> None:
    """On any map, cracked as it may be: the rays through a thousand places of a photo without holes all hit."""
    z = np.nan_to_num(broken_map(seed), nan=2.0)
    camera = camera_of(7, 6, 8.0)
    vertices, faces, pixels = grid_mesh(lattice_of(frozen(z), camera), 1)
    flat = np.column_stack([pixels, np.ones(len(pixels))])
    turn = -face_cross(flat, faces)[:, 2] / 2  # area in the photo, positive where it faces the camera
    assert turn.reshape(-1, 2).sum(axis=1).min() > 0.2
    assert turn.sum() == pytest.approx(7 * 6, rel=1e-5)
    assert turn.min() > 0.1
    places = np.random.default_rng(seed).uniform(1e-3, 1 - 1e-3, (1000, 2)) * (7, 6)
    assert np.isfinite(cast(vertices, faces, places, camera)).all()


@LAW
@given(seeds, st.floats(0.3, 0.95))
def test_euler_characteristic_counts_pieces_less_holes(seed: int, share: float) -> None:
    inside = np.random.default_rng(seed).random((9, 11)) < share
    camera = camera_of(11, 9, 60.0)
    if not inside.any():
        return
    z = frozen(np.where(inside, np.float32(2), np.float32(np.nan)))
    vertices, faces, _ = grid_mesh(lattice_of(z, camera), 1)
    edges = np.unique(np.sort(np.concatenate([faces[:, :2], faces[:, 1:], faces[:, ::2]]), axis=1), axis=0)
    pieces = ndimage.label(inside)[1]
    holes = ndimage.label(np.pad(~inside, 1, constant_values=True), np.ones((3, 3)))[1] - 1  # less the outside
    assert len(vertices) - len(edges) + len(faces) == pieces - holes


@LAW
@given(st.floats(0, 6.28), st.floats(0, 60), st.sampled_from([1, 2, 3, 4, 5]), st.integers(40, 60), st.integers(30, 50))
def test_a_plane_is_reproduced_exactly_up_to_the_photo_s_border(
    around: float, tilt: float, stride: int, width: int, height: int
) -> None:
    t = math.radians(tilt)
    normal = np.array([math.sin(t) * math.cos(around), math.sin(t) * math.sin(around), -math.cos(t)])
    camera = camera_of(width, height, 900.0)
    vertices, faces, pixels = grid_mesh(lattice_of(plane(camera, normal, 2.0), camera, stride), 4)
    np.testing.assert_allclose(vertices @ normal, -2, atol=1e-5)
    np.testing.assert_allclose(pixels.min(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(pixels.max(axis=0), [width, height], atol=1e-4)
    corner_rays = np.array([[x, y, 1] for x in (-width, width) for y in (-height, height)]) / np.array([1800, 1800, 1])
    corners = corner_rays * (-2 / (corner_rays @ normal))[:, None]
    exact = np.linalg.norm(np.cross(corners[1] - corners[0], corners[2] - corners[0])) / 2
    exact += np.linalg.norm(np.cross(corners[1] - corners[3], corners[2] - corners[3])) / 2
    assert area(vertices, faces) == pytest.approx(exact, rel=1e-4)


def test_the_area_of_a_sphere_s_cap_converges() -> None:
    """2πR²(1 − cos θ) for the cap whose points lie within θ of the line to the camera."""
    errors = []
    for width in (60, 240):
        camera = camera_of(width, width, 1.3 * width)
        z = sphere(camera)
        points = rays(camera) * z[..., None]
        cap = points[..., 2] < 3 - math.cos(math.radians(50))
        vertices, faces, _ = grid_mesh(lattice_of(frozen(np.where(cap, z, np.float32(np.nan))), camera), 4)
        exact = 2 * math.pi * (1 - math.cos(math.radians(50)))
        errors.append(abs(area(vertices, faces) / exact - 1))
    assert errors[0] < 0.02
    assert errors[1] < 0.004


SCENES = {
    "room": room,
    "step": lambda camera: step(camera, 40),
    "sphere alone": sphere,
    "sphere and box": lambda camera: nearest(
        sphere(camera, (-0.7, 0, 3), 0.7), box(camera, (0, -0.5, 2), (0.9, 0.6, 3)), plane(camera, (0, -0.3, -1), 5.0)
    ),
}


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_the_camera_sees_every_sample_at_its_own_depth(scene: str, stride: int) -> None:
    camera = camera_of(120, 90, 100.0)
    lattice = lattice_of(SCENES[scene](camera), camera, stride)
    vertices, faces, _ = grid_mesh(lattice, 1)
    places = np.stack([axis.ravel() for axis in np.meshgrid(lattice.u, lattice.v)], axis=1)
    valid = ~np.isnan(lattice.z.ravel())
    found = cast(vertices, faces, places, camera)
    assert np.isfinite(found[valid]).all()
    assert np.isinf(found[~valid]).all()
    around = np.pad(lattice.z, 1, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(around, (3, 3)).reshape(-1, 9)[valid]
    assert (found[valid] >= np.nanmin(windows, axis=1) * (1 - STEP)).all()
    assert (found[valid] <= np.nanmax(windows, axis=1) * (1 + STEP)).all()
    error = np.abs(found[valid] / lattice.z.ravel()[valid] - 1)
    assert np.median(error) < 2e-4 * stride**2
    assert error.mean() < 2e-3 * stride


@pytest.mark.parametrize("scene", SCENES)
def test_faces_of_a_scene_wind_towards_the_camera(scene: str) -> None:
    camera = camera_of(120, 90, 100.0)
    vertices, faces, _ = grid_mesh(lattice_of(SCENES[scene](camera), camera), 4)
    assert faces_camera(vertices, faces).all()


def test_no_face_spans_a_step() -> None:
    camera = camera_of()
    vertices, faces, _ = grid_mesh(lattice_of(step(camera, 40), camera), 4)
    assert set(np.round(vertices[:, 2], 6)) == {1.0, 2.0}
    assert (np.ptp(vertices[faces][..., 2], axis=1) == 0).all()


@LAW
@given(seeds, st.integers(1, 9), st.integers(1, 9), st.floats(0, 1))
def test_pieces_are_the_connected_components_of_the_sample_graph(
    seed: int, height: int, width: int, share: float
) -> None:
    rng = np.random.default_rng(seed)
    cut_h, cut_v = rng.random((height, width - 1)) < share, rng.random((height - 1, width)) < share
    labels, counts = connected_pieces(cut_h, cut_v)
    place = np.arange(height * width).reshape(height, width)
    a = np.concatenate([place[:, :-1][~cut_h], place[:-1][~cut_v]])
    b = np.concatenate([place[:, 1:][~cut_h], place[1:][~cut_v]])
    number, twin = connected_components(coo_matrix((np.ones(len(a)), (a, b)), (place.size, place.size)), directed=False)
    pairs = set(zip(labels.ravel(), twin, strict=True))
    assert len(pairs) == number == len({x for x, _ in pairs})
    np.testing.assert_array_equal(counts[labels.ravel()], np.bincount(twin)[twin])


@LAW
@given(seeds, st.integers(1, 6))
def test_floaters_under_the_limit_go_and_all_else_stays(seed: int, smallest: int) -> None:
    z = broken_map(seed, 8, 9)
    kept, cut_h, cut_v = without_floaters(z, 0.01, smallest)
    before = connected_pieces(*depth_cuts(z, 0.01))
    big = before[1][before[0]] >= smallest
    np.testing.assert_array_equal(kept, np.where(big, z, np.nan))
    for found, expected in zip((cut_h, cut_v), depth_cuts(z, 0.01), strict=True):
        lost = ~big[:, 1:] | ~big[:, :-1] if found.shape[1] == 8 else ~big[1:] | ~big[:-1]
        np.testing.assert_array_equal(found, expected | lost)


def test_a_small_piece_goes_and_a_big_one_stays() -> None:
    z = np.full((30, 40), 5, np.float32)
    z[3:5, 3:5] = 1  # 4 samples
    z[10:20, 10:20] = 2  # 100 samples
    kept, _, _ = without_floaters(frozen(z), 0.01, 5)
    np.testing.assert_array_equal(np.isnan(kept), z == 1)


def test_compact_keeps_the_used_vertices_in_order() -> None:
    faces = np.array([[7, 2, 4], [2, 4, 9]], np.int32)
    new, used = without_unused_vertices(faces, 12)
    np.testing.assert_array_equal(used, [2, 4, 7, 9])
    np.testing.assert_array_equal(used[new], faces)


def test_the_unit_scales_the_mesh_and_changes_nothing_else() -> None:
    camera = camera_of()
    one = grid_mesh(lattice_of(room(camera), camera), 4)
    lattice = lattice_of(room(camera), camera)
    four = grid_mesh(Lattice(lattice.z * np.float32(4), lattice.u, lattice.v, camera, 1), 4)
    np.testing.assert_allclose(four[0], 4 * one[0], rtol=1e-5)
    np.testing.assert_array_equal(four[1], one[1])
    np.testing.assert_array_equal(four[2], one[2])


def test_pixel_centres_lie_inside_their_own_quads() -> None:
    camera = camera_of(40, 30, 35.0)
    z = room(camera)
    _, faces, pixels = grid_mesh(lattice_of(z, camera), 1)
    u, v = pixel_grid(camera)
    for corners in (faces.reshape(-1, 2, 3),):
        low, high = pixels[corners].min(axis=(1, 2)), pixels[corners].max(axis=(1, 2))
        centre = np.stack([u.ravel(), v.ravel()], axis=1)
        assert (low < centre).all()
        assert (centre < high).all()
