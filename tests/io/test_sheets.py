"""A mesh with sheets behind it, in every format: named, each with its own texture, and never part of what is printed."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from recon import reconstruct
from recon.io.write import write_mesh
from recon.io.write_stl import printable
from recon.settings import ViewSettings
from recon.types import Mesh
from tests.scenes import box, camera_of, frozen, nearest, photo_of, plane
from web_3d_app.work.sheets import mesh_arrays, mesh_from


def square(z: float, grey: int, name: str, behind: tuple[Mesh, ...] = ()) -> Mesh:
    corners = np.array([[-1, -1, z], [1, -1, z], [-1, 1, z], [1, 1, z]], np.float32)
    faces = np.array([[0, 2, 3], [0, 3, 1]], np.int32)
    uv = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    texture = np.full((8, 8, 3), grey, np.uint8)
    parts = (frozen(corners), frozen(faces), frozen(np.full((4, 3), grey, np.uint8)), frozen(uv), frozen(texture))
    return Mesh(*parts, name=name, behind=behind)


MESH = square(1.0, 200, "photo", (square(2.0, 90, "hidden"), square(9.0, 30, "sky")))


def glb_json(path: Path) -> dict:  # type: ignore[type-arg]
    data = path.read_bytes()
    (length,) = struct.unpack("<I", data[12:16])
    found: dict = json.loads(data[20 : 20 + length])  # type: ignore[type-arg]
    return found


@pytest.mark.parametrize("view", [None, ViewSettings()])
def test_a_glb_has_one_named_opaque_mesh_for_each_sheet(tmp_path: Path, view: ViewSettings | None) -> None:
    write_mesh(MESH, tmp_path / "m.glb", view=view)
    document = glb_json(tmp_path / "m.glb")
    assert [node["name"] for node in document["nodes"]] == ["photo", "hidden", "sky"]
    assert len(document["images"]) == len(document["materials"]) == 3
    for material in document["materials"]:
        assert material.get("alphaMode", "OPAQUE") != "BLEND" and "KHR_materials_unlit" in material["extensions"]
    for mesh in document["meshes"]:
        (primitive,) = mesh["primitives"]
        count = document["accessors"][primitive["attributes"]["POSITION"]]["count"]
        assert count == 4 and document["accessors"][primitive["indices"]]["count"] == 6
    scene = trimesh.load(tmp_path / "m.glb")
    greys = {name: np.asarray(each.visual.material.baseColorTexture)[0, 0, 0] for name, each in scene.geometry.items()}
    assert greys == pytest.approx({"photo": 200, "hidden": 90, "sky": 30}, abs=2)
    assert scene.geometry["sky"].vertices[:, 2].max() == pytest.approx(-9, abs=1e-3)


def test_an_obj_has_one_group_material_and_texture_for_each(tmp_path: Path) -> None:
    files = write_mesh(MESH, tmp_path / "m.obj")
    assert [file.name for file in files] == ["m.obj", "m.mtl", "m_texture.jpg", "m_hidden.jpg", "m_sky.jpg"]
    assert sorted(files) == sorted(tmp_path.iterdir())
    lines = (tmp_path / "m.obj").read_text().splitlines()
    assert [line for line in lines if line.startswith("o ")] == ["o photo", "o hidden", "o sky"]
    scene = trimesh.load(tmp_path / "m.obj", split_object=True, group_material=True)
    parts = scene.geometry if isinstance(scene, trimesh.Scene) else {"one": scene}
    assert sorted(round(-each.vertices[0, 2]) for each in parts.values()) == [1, 2, 9]


@pytest.mark.parametrize("ending", [".ply", ".vtk"])
def test_where_there_is_no_texture_all_sheets_are_one_coloured_mesh(tmp_path: Path, ending: str) -> None:
    import pyvista

    write_mesh(MESH, tmp_path / f"m{ending}")
    read = pyvista.read(tmp_path / f"m{ending}")
    assert (read.n_points, read.n_cells) == (12, 6)
    assert sorted({round(-z) for z in read.points[:, 2]}) == [1, 2, 9]


def test_printing_measuring_and_welding_see_the_first_sheet_alone(tmp_path: Path) -> None:
    write_mesh(MESH, tmp_path / "m.stl")
    assert len(trimesh.load(tmp_path / "m.stl").faces) == 2
    assert len(printable(MESH).faces) == len(MESH.welded().faces) == len(MESH.to_trimesh().faces) == 2
    assert MESH.welded().behind == ()


@pytest.mark.parametrize("surface", ["poisson", "solid", "grid"])
def test_other_surfaces_points_and_prints_are_made_without_what_is_hidden(
    surface: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the sheets behind the photo were asked for")

    monkeypatch.setattr("recon.stages.surface_layered.make_layers", refused)
    camera = camera_of(80, 60, 80.0)
    z = nearest(plane(camera, (0, 0, -1), 4.0), box(camera, (-0.5, -0.4, 2.0), (0.5, 0.4, 2.3)))
    found = reconstruct(photo_of(camera).rgb, depth=z, depth_kind="metric", focal_px=80.0, mask="none", surface=surface)
    assert len(found.points.positions) and len(found.mesh.faces) and not found.mesh.behind
    found.save(tmp_path / "print.stl")
    with pytest.raises(AssertionError, match="asked for"):
        found.with_options(surface="layered").mesh  # noqa: B018


def test_a_mesh_without_sheets_is_joined_to_itself() -> None:
    alone = square(1.0, 5, "model")
    assert alone.joined() is alone and alone.sheets() == (alone,)
    assert len(MESH.joined().faces) == 6 and MESH.joined().faces.max() == 11


def test_sheets_go_through_a_file_of_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "m.npz", **mesh_arrays(MESH))  # type: ignore[arg-type]
    with np.load(tmp_path / "m.npz", allow_pickle=False) as file:
        again = mesh_from(file)
    assert again is not None
    for mine, theirs in zip(MESH.sheets(), again.sheets(), strict=True):
        assert mine.name == theirs.name
        for name in ("vertices", "faces", "colors", "uv", "texture"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
    assert mesh_from({}) is None
