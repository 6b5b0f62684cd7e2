"""A closed mesh is closed in every format, by place as by number, for several programs' readers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import trimesh

from recon.geometry.axes import to_gltf, to_printer
from recon.geometry.closed import coincident, is_closed, separate_coincident
from recon.io.formats import MESH_FORMATS
from recon.io.write import write_mesh
from recon.stages.surface_solid import make_solid
from recon.types import Mask, Mesh
from tests import scenes

CAMERA = scenes.camera_of(60, 45, 50.0)
PHOTO = scenes.photo_of(CAMERA)
FORMATS = tuple(ending.removeprefix(".") for ending in MESH_FORMATS)
VALIDATOR = Path(__file__).resolve().parents[2] / "frontend" / "validate.mjs"


def ragged() -> Mesh:
    """A subject with holes, threads, and samples that touch at a corner only."""
    rng = np.random.default_rng(1)
    inside = np.zeros((45, 60), bool)
    inside[10:35, 10:50] = rng.random((25, 40)) < 0.7
    inside[20, 3:55] = inside[4:41, 30] = True
    return make_solid(
        PHOTO, Mask(scenes.frozen(inside), "file"), scenes.depth_of(scenes.plane(CAMERA, (0.2, 0, -1))), CAMERA
    )


def cut_up() -> Mesh:
    """A ball whose texture cuts every face off from its neighbours, its copies not equal to the last bit."""
    ball = trimesh.creation.icosphere(2, 0.7)
    faces = np.asarray(ball.faces, np.int32)
    source = faces.ravel()
    vertices = np.asarray(ball.vertices, np.float32)[source] + np.float32([0.1, 0.2, 3])
    vertices *= 1 + np.float32(1e-7) * np.random.default_rng(0).integers(-1, 2, vertices.shape)
    uv = np.random.default_rng(1).random((len(source), 2), np.float32)
    texture = np.full((16, 16, 3), 90, np.uint8)
    colors = np.full((len(source), 3), 90, np.uint8)
    rows = np.arange(len(source), dtype=np.int32).reshape(-1, 3)
    return Mesh(vertices.astype(np.float32), rows, colors, uv, texture, source)


def relief() -> Mesh:
    return make_solid(PHOTO, scenes.WHOLE, scenes.depth_of(scenes.room(CAMERA)), CAMERA)


MESHES = {"ragged": ragged, "cut up": cut_up, "relief": relief}


@pytest.fixture(scope="module", params=list(MESHES))
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Mesh, Path]:
    """A closed mesh, and the folder where it lies in every format."""
    mesh, folder = MESHES[request.param](), tmp_path_factory.mktemp("formats")
    assert is_closed(mesh.welded().faces)
    for ending in FORMATS:
        write_mesh(mesh, folder / f"m.{ending}")
    return mesh, folder


def by_place(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The faces over places: vertices are one where all bits are equal."""
    _, place = np.unique(np.asarray(vertices, np.float32), axis=0, return_inverse=True)
    return place.ravel()[faces].astype(np.int32)


def obj_rows(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and faces of an OBJ by its own vertex numbers, as Blender reads them."""
    rows = [line.split() for line in path.read_text().splitlines()]
    vertices = np.array([row[1:4] for row in rows if row[0] == "v"], float)
    return vertices, np.array([[int(word.split("/")[0]) - 1 for word in row[1:]] for row in rows if row[0] == "f"])


def read(folder: Path, ending: str, reader: str) -> tuple[np.ndarray, np.ndarray]:
    path = folder / f"m.{ending}"
    if reader == "open3d":
        import open3d

        found = open3d.io.read_triangle_mesh(str(path))
        return np.asarray(found.vertices), np.asarray(found.triangles)
    if reader == "pyvista":
        import pyvista

        found = pyvista.read(path)
        data = found.combine().extract_surface(algorithm=None) if ending == "glb" else found
        return np.asarray(data.points), data.regular_faces
    found = trimesh.load(path, force="mesh", process=False)
    return np.asarray(found.vertices), np.asarray(found.faces)


READERS = [
    *(("trimesh", ending) for ending in FORMATS if ending != "vtk"),
    *(("open3d", ending) for ending in FORMATS if ending != "vtk"),
    *(("pyvista", ending) for ending in FORMATS),
]


@pytest.mark.parametrize(("reader", "ending"), READERS)
def test_it_is_closed_by_place_and_the_same_in_every_format(
    written: tuple[Mesh, Path], reader: str, ending: str
) -> None:
    mesh, folder = written
    vertices, faces = read(folder, ending, reader)
    assert is_closed(by_place(vertices, faces))
    plain = mesh.welded()
    assert len(faces) == len(plain.faces)
    if ending == "stl":
        return
    first, _ = mesh.places()
    expected = to_gltf(mesh.vertices[first])[plain.faces].reshape(-1, 9)
    found = np.asarray(vertices, np.float32)[faces].reshape(-1, 9)
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(expected, axis=0))  # to the last bit


def test_an_obj_is_closed_by_its_own_numbers(written: tuple[Mesh, Path]) -> None:
    mesh, folder = written
    vertices, faces = obj_rows(folder / "m.obj")
    assert is_closed(faces.astype(np.int32))
    assert len(vertices) == len(mesh.welded().vertices)


def test_mergers_of_three_programs_find_it_watertight(written: tuple[Mesh, Path]) -> None:
    import open3d
    import pyvista

    _, folder = written
    for ending in ("ply", "obj", "glb", "stl"):
        merged = trimesh.load(folder / f"m.{ending}", force="mesh", process=False)
        merged.merge_vertices(merge_tex=True, merge_norm=True)
        assert merged.is_watertight and merged.is_winding_consistent and merged.volume > 0, ending
        other = open3d.io.read_triangle_mesh(str(folder / f"m.{ending}")).remove_duplicated_vertices()
        assert other.is_edge_manifold(allow_boundary_edges=False) and other.is_vertex_manifold(), ending
    for ending in ("ply", "vtk", "stl"):
        data = pyvista.read(folder / f"m.{ending}").clean(tolerance=0)
        assert data.n_open_edges == 0 and data.is_manifold, ending


def test_places_that_are_shared_are_moved_apart() -> None:
    """Two boxes that touch at one edge, and one that touches another with a whole side: merged by place they are no
    manifold."""
    box = trimesh.creation.box()
    for offset in ((1, 1, 0), (1, 0, 0)):
        vertices = np.concatenate([box.vertices, box.vertices + offset]).astype(np.float32)
        faces = np.concatenate([box.faces, box.faces + 8]).astype(np.int32)
        assert is_closed(faces) and coincident(vertices).any() and not is_closed(by_place(vertices, faces))
        moved = separate_coincident(vertices, faces)
        assert not coincident(moved).any() and is_closed(by_place(moved, faces))
        assert np.abs(moved - vertices).max() < 0.05
    assert separate_coincident(box.vertices.astype(np.float32), faces[:12]) is not None
    signed = np.float32([[0.0, 0, 0], [-0.0, 0, 0]])
    assert coincident(signed).all()


@pytest.mark.parametrize("seed", range(4))
def test_ragged_solids_have_no_two_vertices_in_one_place(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inside = rng.random((45, 60)) < 0.6
    z = scenes.frozen(np.full((45, 60), 2, np.float32))
    mesh = make_solid(PHOTO, Mask(scenes.frozen(inside), "file"), scenes.depth_of(z), CAMERA).welded()
    assert is_closed(mesh.faces) and is_closed(by_place(mesh.vertices, mesh.faces))
    assert not coincident(to_printer(mesh.vertices)).any()


def khronos(*paths: Path) -> list[dict[str, object]]:
    """The validator's reports; skips where it is not installed."""
    if shutil.which("node") is None or not (VALIDATOR.parent / "node_modules" / "gltf-validator").is_dir():
        pytest.skip("no glTF validator: .ci/validator installs it")
    out = subprocess.run(["node", str(VALIDATOR), *map(str, paths)], capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def test_the_khronos_validator_accepts_every_glb(tmp_path: Path) -> None:
    from recon.settings import ViewSettings

    paths = []
    for name, make in MESHES.items():
        mesh = make()
        for kind, changed in (("full", mesh), ("coloured", mesh.with_(texture=None)), ("plain", mesh.welded())):
            paths.append(write_mesh(changed, tmp_path / f"{name} {kind}.glb")[0])
        paths.append(write_mesh(mesh, tmp_path / f"{name} view.glb", view=ViewSettings())[0])
    for report in khronos(*paths):
        issues = report["issues"]
        assert isinstance(issues, dict)
        assert (issues["numErrors"], issues["numWarnings"]) == (0, 0), report
