"""An object in closed form, through an object model's stage and every format: each axis, winding and handedness."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from recon.errors import BadInput
from recon.geometry.camera import centred_camera, project
from recon.geometry.closed import is_closed
from recon.io.write import write_mesh
from recon.protocols import SeenObject
from recon.render.cameras import orbit
from recon.render.crossing import render_crossings
from recon.render.raster import interpolate, rasterise, scatter
from recon.settings import ObjectSettings
from recon.stages.whole_object import WholeObject, find_object, make_object
from recon.types import Camera, DepthMap, Mask, Mesh, Photo
from tests.objects import DISTANCE, KNOBS, SIDE, KnobbedBall, Knower, photo_of_object

SMALL = ObjectSettings(resolution=64, faces=3000, texture_side=192)
Case = tuple[Photo, Mask, DepthMap, Camera]


@pytest.fixture(scope="module")
def case() -> Case:
    return photo_of_object()


@pytest.fixture(scope="module")
def whole(case: Case) -> WholeObject:
    return find_object(Knower(), case[0], case[1], SMALL)


@pytest.fixture(scope="module")
def made(case: Case, whole: WholeObject) -> Mesh:
    return make_object(whole, *case, SMALL)


def coloured(mesh: Mesh, knob: str) -> np.ndarray:
    """The middle of the vertices of a knob's colour."""
    assert mesh.colors is not None
    wanted = 255 * np.array(KNOBS[knob][2])
    near = np.abs(mesh.colors - wanted).max(1) < 60
    assert near.sum() > 20, knob
    return np.asarray(mesh.vertices[near].mean(0))


def test_it_is_closed_and_of_the_size_asked_for(made: Mesh) -> None:
    assert is_closed(made.welded().faces)
    assert 2500 < len(made.faces) <= 3000
    assert made.texture is not None and max(made.texture.shape[:2]) <= 192


def test_it_stands_where_the_photo_shows_it(case: Case, made: Mesh) -> None:
    _, mask, depth, camera = case
    assert mask.inside is not None
    seen = project(made.vertices, camera)
    rows, columns = np.nonzero(mask.inside)
    assert seen.min(0) == pytest.approx([columns.min(), rows.min()], abs=1.5)
    assert seen.max(0) == pytest.approx([columns.max() + 1, rows.max() + 1], abs=1.5)
    middle = made.vertices.mean(0)
    right, up, front, back = (coloured(made, knob) for knob in KNOBS)
    assert right[0] > middle[0] + 0.3 and up[1] < middle[1] - 0.3, "y is down"
    assert front[2] < middle[2] - 0.3 and back[2] > middle[2] + 0.3
    for corner in made.faces[:: len(made.faces) // 200]:
        a, b, c = made.vertices[corner].astype(float)
        assert np.dot(np.cross(b - a, c - a), (a + b + c) / 3 - middle) > -0.02
    nearest = made.vertices[:, 2].min()
    assert nearest == pytest.approx(float(np.nanmin(depth.z)), abs=0.03)


@pytest.mark.parametrize(("fov", "dx"), [(25.0, 0), (60.0, 0), (60.0, 90)])
def test_another_lens_and_place_in_the_photo_keep_its_outline(
    case: Case, whole: WholeObject, fov: float, dx: int
) -> None:
    """The photo's own lens is not the model's: the outline stays, to the difference between the two perspectives."""
    photo, mask, depth, _ = case
    assert mask.inside is not None
    wide = SIDE + 2 * abs(dx)
    pad = ((0, 0), (abs(dx) + dx, abs(dx) - dx))
    moved = Photo(np.pad(photo.rgb, (*pad, (0, 0)), constant_values=255))
    inside = np.pad(mask.inside, pad)
    z = np.pad(depth.z, pad, constant_values=np.nan)
    camera = centred_camera(wide, SIDE, wide / 2 / np.tan(np.radians(fov) / 2), "user")
    seen = replace(whole.seen, left=float(pad[1][0]))
    made = make_object(replace(whole, seen=seen), moved, Mask(inside, "alpha"), DepthMap(z, False), camera, SMALL)
    found = project(made.vertices, camera)
    rows, columns = np.nonzero(inside)
    assert found.min(0) == pytest.approx([columns.min(), rows.min()], abs=0.06 * SIDE)
    assert found.max(0) == pytest.approx([columns.max(), rows.max()], abs=0.06 * SIDE)
    vertices, faces = torch.from_numpy(made.vertices), torch.from_numpy(made.faces.astype(np.int64))
    if dx == 0:
        seen_depth = rasterise(vertices, faces, torch.eye(4)[:3], camera.focal, (SIDE, SIDE)).depth
        assert float(seen_depth.median()) == pytest.approx(float(np.nanmedian(z)), rel=0.05)


def test_the_photo_lies_on_what_it_shows_and_the_field_on_the_rest(case: Case, whole: WholeObject) -> None:
    photo, mask, depth, camera = case
    dyed = np.where(mask.inside[..., None], np.uint8([20, 60, 90]), photo.rgb)  # type: ignore[index]
    made = make_object(whole, Photo(dyed), mask, depth, camera, SMALL)
    assert made.colors is not None
    middle = np.median(made.vertices[:, 2])
    facing = made.vertices[:, 2] < middle - 0.25
    dyed_there = np.abs(made.colors[facing].astype(int) - [20, 60, 90]).max(1) < 12
    assert dyed_there.mean() > 0.5, "all but the sides of the knob in front"
    coloured(made, "back")


def test_a_photo_of_something_else_is_not_put_on_it(case: Case, whole: WholeObject) -> None:
    photo, mask, _, camera = case
    bar = np.zeros_like(mask.inside)
    bar[70:80, 10:150] = True  # type: ignore[index]
    z = np.where(bar, np.float32(2), np.float32(np.nan))
    dyed = Photo(np.full_like(photo.rgb, 255))
    made = make_object(whole, dyed, Mask(bar, "alpha"), DepthMap(z, False), camera, SMALL)
    coloured(made, "front")
    coloured(made, "up")


def test_the_texture_shows_the_object_as_its_field_does(case: Case, made: Mesh) -> None:
    """Each texel at a vertex has that vertex's colour."""
    assert made.uv is not None and made.texture is not None and made.colors is not None
    height, width = made.texture.shape[:2]
    columns, rows = ((made.uv * [width, height]).astype(int).clip(0, [width - 1, height - 1])).T
    off = np.abs(made.texture[rows, columns].astype(int) - made.colors).max(1)
    assert np.median(off) < 6 and (off < 60).mean() > 0.9


def read_back(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Corner positions (m×3×3) and each face's colour, by other programs."""
    import pyvista
    import trimesh

    if path.suffix == ".vtk":
        grid = pyvista.read(path)
        faces = grid.faces.reshape(-1, 4)[:, 1:]
        return grid.points[faces], np.asarray(grid["rgb"])[faces].mean(1)
    mesh = trimesh.load(path, force="mesh", process=False)
    colours = np.zeros((len(mesh.faces), 3))
    if path.suffix != ".stl":
        visual = mesh.visual.to_color() if hasattr(mesh.visual, "uv") else mesh.visual
        colours = np.asarray(visual.vertex_colors)[:, :3][mesh.faces].mean(1)
    return np.asarray(mesh.triangles), colours


VIEWERS = {"right": (0, 1), "up": (1, 1), "front": (2, 1), "back": (2, -1)}
"""glTF's axes: x right, y up, the camera at +z."""
PRINTERS = {"right": (0, 1), "up": (2, 1), "front": (1, -1), "back": (1, 1)}
"""A printer's: x right, y away from who looks, z up."""


@pytest.mark.parametrize("ending", [".ply", ".obj", ".glb", ".vtk", ".stl"])
def test_every_format_has_its_axes_its_winding_and_its_handedness(made: Mesh, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"object{ending}"
    write_mesh(made, path)
    corners, colours = read_back(path)
    a, b, c = corners.transpose(1, 0, 2)
    assert (a * np.cross(b, c)).sum() > 0, "wound counter-clockwise seen from outside; a mirrored one would not be"
    if ending == ".stl":
        size = corners.reshape(-1, 3).max(0) - corners.reshape(-1, 3).min(0)
        mine = made.vertices.max(0) - made.vertices.min(0)
        assert size / size[2] == pytest.approx(mine[[0, 2, 1]] / mine[1], rel=1e-3)
    ball = (corners.reshape(-1, 3).max(0) + corners.reshape(-1, 3).min(0)) / 2
    for knob, (axis, sign) in (PRINTERS if ending == ".stl" else VIEWERS).items():
        reach = made.vertices.max(0) - made.vertices.min(0)
        if ending == ".stl":
            points = corners.reshape(-1, 3)
            far = points[np.argsort(sign * points[:, axis])[-30:]].mean(0)
            expected = {"right": 0, "up": 1, "front": 2, "back": 2}[knob]
            tip = made.vertices[np.argsort((1 if knob in ("right", "back") else -1) * made.vertices[:, expected])[-30:]]
            scale = np.ptp(points[:, 2]) / reach[1]
            own = scale * (tip.mean(0) - (made.vertices.max(0) + made.vertices.min(0)) / 2)
            assert far - ball == pytest.approx(own[[0, 2, 1]] * [1, 1, -1], abs=0.02 * np.ptp(points[:, 2]))
            continue
        near = np.abs(colours - 255 * np.array(KNOBS[knob][2])).max(1) < 70
        assert near.sum() > 20, knob
        place = corners[near].mean((0, 1)) - ball
        assert np.argmax(np.abs(place)) == axis and np.sign(place[axis]) == sign, knob


def test_an_object_that_is_empty_is_told(case: Case) -> None:
    class Air(KnobbedBall):
        def logits(self, x: torch.Tensor) -> torch.Tensor:
            return super().logits(x) - 1e3

    class Blind(Knower):
        def reconstruct(self, rgb: np.ndarray, inside: np.ndarray) -> SeenObject:
            return replace(super().reconstruct(rgb, inside), shape=Air())

    with pytest.raises(BadInput, match="knower sees no surface in this photo; give object solid"):
        find_object(Blind(), case[0], case[1], SMALL)


def test_a_model_that_gives_a_mesh_keeps_its_own_colours(case: Case, whole: WholeObject) -> None:
    colors = np.tile(np.uint8([9, 8, 7]), (len(whole.vertices), 1))
    shape = Mesh(whole.vertices, whole.faces, colors)

    class Meshed(Knower):
        def reconstruct(self, rgb: np.ndarray, inside: np.ndarray) -> SeenObject:
            return replace(super().reconstruct(rgb, inside), shape=shape)

    found = find_object(Meshed(), case[0], case[1], SMALL)
    made = make_object(found, *case, ObjectSettings(faces=1000))
    assert is_closed(made.faces) and len(made.faces) <= 1100
    assert made.colors is not None and (made.colors == [9, 8, 7]).all()
    assert len(make_object(found, *case, ObjectSettings(faces=10**6)).faces) == len(shape.faces)


def test_the_placed_mesh_looks_as_the_field_does(case: Case, made: Mesh) -> None:
    """A picture of the mesh from the photo's camera is the photo, but for its rims."""
    assert made.colors is not None
    vertices, faces = torch.from_numpy(made.vertices), torch.from_numpy(made.faces.astype(np.int64))
    seen = rasterise(vertices, faces, torch.eye(4)[:3], case[3].focal, case[0].size)
    shown = scatter(interpolate(torch.from_numpy(made.colors / np.float32(255)), seen), seen)
    wanted = render_crossings(KnobbedBall(), orbit(0.0, 0.0, DISTANCE, 40.0, SIDE), torch.zeros(3)).colour
    off = (shown[..., :3] - wanted).abs().amax(2)
    assert float(off.median()) < 0.02 and float((off < 0.1).float().mean()) > 0.93
