"""What was written is read back by other programs' readers."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recon.errors import BadOption
from recon.io import write, write_stl
from recon.io.read import read_mask
from recon.types import DepthMap, Mask, Mesh, PointCloud

CORNERS = np.array([[1, 2, 3], [3, 2, 3], [1, 4, 3], [3, 4, 5]], np.float32)
"""A small square before the camera, in its frame (x right, y down, z forward); the first point is at (1, 2, 3)."""
IN_GLTF = CORNERS * np.array([1, -1, -1], np.float32)
FACES = np.array([[0, 1, 2], [1, 3, 2]], np.int32)
"""Wound so that the normals (right-hand rule, y up) point to the camera once turned into glTF's frame."""
UV = np.array([[0.125, 0.125], [0.875, 0.125], [0.125, 0.875], [0.875, 0.875]], np.float32)
GREYS = np.array([[128, 128, 128], [255, 0, 0], [0, 255, 0], [10, 20, 30]], np.uint8)


@pytest.fixture
def texture() -> np.ndarray:
    """Four quarters: red at the top left, green at the top right, blue at the bottom left, white at the bottom right."""
    out = np.zeros((32, 64, 3), np.uint8)
    out[:16, :32], out[:16, 32:], out[16:, :32], out[16:, 32:] = (250, 0, 0), (0, 250, 0), (0, 0, 250), (250, 250, 250)
    out.flags.writeable = False
    return out


@pytest.fixture
def textured(texture: np.ndarray) -> Mesh:
    return Mesh(CORNERS, outward(FACES), GREYS, UV, texture)


@pytest.fixture
def coloured() -> Mesh:
    return Mesh(CORNERS, outward(FACES), GREYS)


@pytest.fixture
def cloud() -> PointCloud:
    return PointCloud(CORNERS, GREYS, np.tile(np.array([0, 0, -1], np.float32), (4, 1)))


def outward(faces: np.ndarray) -> np.ndarray:
    """The faces wound counter-clockwise seen from the camera, at the origin."""
    a, b, c = (CORNERS[faces[:, i]] for i in range(3))
    toward = (np.cross(b - a, c - a) * -a).sum(axis=1) > 0
    return np.where(toward[:, None], faces, faces[:, ::-1]).astype(np.int32)


def expected_at(texture: np.ndarray) -> np.ndarray:
    return np.array([texture[0, 0], texture[0, -1], texture[-1, 0], texture[-1, -1]])


def face_the_camera(vertices: np.ndarray, faces: np.ndarray) -> bool:
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return bool(((np.cross(b - a, c - a) * -(a + b + c)).sum(axis=1) > 0).all())


@pytest.mark.parametrize("ending", [".ply", ".obj", ".glb", ".vtk", ".PLY", ".OBJ", ".GLB", ".VTK"])
def test_every_format_holds_the_same_triangles_in_gltfs_axes(textured: Mesh, tmp_path: Path, ending: str) -> None:
    files = write.write_mesh(textured, tmp_path / f"a b{ending}")
    assert sorted(files) == sorted(tmp_path.iterdir())
    vertices, faces = read_back(files[0])
    corners, expected = vertices[faces].reshape(-1, 9), IN_GLTF[textured.faces].reshape(-1, 9)
    assert np.allclose(np.sort(corners, axis=0), np.sort(expected, axis=0), atol=1e-5)
    assert np.abs(vertices - [1, -2, -3]).sum(axis=1).min() < 1e-5
    assert face_the_camera(vertices, faces)


def read_back(path: Path) -> tuple[np.ndarray, np.ndarray]:
    if path.suffix.lower() == ".vtk":
        import pyvista

        data = pyvista.read(path)
        return np.asarray(data.points), data.regular_faces
    import trimesh

    mesh = trimesh.load(path, force="mesh", process=False, file_type=path.suffix[1:].lower())
    return np.asarray(mesh.vertices), np.asarray(mesh.faces)


def test_ply_meshes_are_read_by_trimesh_and_open3d(coloured: Mesh, tmp_path: Path) -> None:
    import open3d
    import trimesh

    path = write.write_mesh(coloured, tmp_path / "a.ply")[0]
    mesh = trimesh.load(path, process=False)
    assert np.array_equal(mesh.visual.vertex_colors[:, :3], GREYS)
    other = open3d.io.read_triangle_mesh(str(path))
    assert np.array_equal(np.asarray(other.vertices), IN_GLTF)
    assert np.array_equal(np.asarray(other.triangles), coloured.faces)
    assert np.allclose(np.asarray(other.vertex_colors) * 255, GREYS)


def test_ply_clouds_are_read_by_trimesh_and_open3d(cloud: PointCloud, tmp_path: Path) -> None:
    import open3d
    import trimesh

    path = write.write_cloud(cloud, tmp_path / "a.ply")[0]
    other = open3d.io.read_point_cloud(str(path))
    assert np.array_equal(np.asarray(other.points), IN_GLTF)
    assert np.allclose(np.asarray(other.colors) * 255, GREYS)
    assert np.array_equal(np.asarray(other.normals), np.tile([0, 0, 1], (4, 1)))  # the camera looks along -z
    assert np.array_equal(trimesh.load(path).vertices, IN_GLTF)


def test_vtk_files_are_read_by_pyvista(cloud: PointCloud, coloured: Mesh, textured: Mesh, tmp_path: Path) -> None:
    import pyvista

    points = pyvista.read(write.write_cloud(cloud, tmp_path / "c.vtk")[0])
    assert np.array_equal(points.points, IN_GLTF)
    assert np.array_equal(points["rgb"], GREYS)
    mesh = pyvista.read(write.write_mesh(coloured, tmp_path / "m.vtk")[0])
    assert np.array_equal(mesh["rgb"], GREYS)
    mapped = pyvista.read(write.write_mesh(textured, tmp_path / "t.vtk")[0])
    assert np.allclose(mapped.active_texture_coordinates, np.column_stack([UV[:, 0], 1 - UV[:, 1]]))


def glb_parts(path: Path) -> tuple[dict[str, Any], bytes]:
    """The JSON document and the binary chunk, after the container's own laws were checked (glTF 2.0, 4.4)."""
    data = path.read_bytes()
    magic, version, total, size, kind = struct.unpack("<4sIII4s", data[:20])
    assert (magic, version, total, kind, size % 4) == (b"glTF", 2, len(data), b"JSON", 0)
    binary_size, binary_kind = struct.unpack("<I4s", data[20 + size : 28 + size])
    assert (binary_kind, binary_size % 4, 28 + size + binary_size) == (b"BIN\0", 0, len(data))
    return json.loads(data[20 : 20 + size]), data[28 + size :]


SIZES = {5123: 2, 5125: 4, 5126: 4}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}


def test_glb_obeys_the_standard(textured: Mesh, coloured: Mesh, tmp_path: Path) -> None:
    for mesh in (textured, coloured):
        document, binary = glb_parts(write.write_mesh(mesh, tmp_path / "a.glb")[0])
        assert document["extensionsUsed"] == ["KHR_materials_unlit"]
        assert "extensionsRequired" not in document
        assert document["materials"][0]["extensions"] == {"KHR_materials_unlit": {}}
        for view in document["bufferViews"]:
            assert view["byteOffset"] % 4 == 0
            assert view["byteOffset"] + view["byteLength"] <= len(binary)
        for accessor in document["accessors"]:
            view = document["bufferViews"][accessor["bufferView"]]
            size = SIZES[accessor["componentType"]] * WIDTHS[accessor["type"]]
            assert accessor["count"] * size == view["byteLength"]
            assert view["target"] == (34963 if accessor["type"] == "SCALAR" else 34962)
            assert size % 4 == 0 or accessor["type"] == "SCALAR"
        position = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
        assert position["min"] == IN_GLTF.min(axis=0).tolist()
        assert position["max"] == IN_GLTF.max(axis=0).tolist()


def test_glb_texture_is_found_at_its_coordinates(textured: Mesh, texture: np.ndarray, tmp_path: Path) -> None:
    import trimesh

    path = write.write_mesh(textured, tmp_path / "a.glb")[0]
    mesh = trimesh.load(path, force="mesh", process=False)
    assert np.allclose(mesh.visual.to_color().vertex_colors[:, :3], expected_at(texture), atol=6)
    document, binary = glb_parts(path)
    view = document["bufferViews"][document["images"][0]["bufferView"]]
    picture = Image.open(io.BytesIO(binary[view["byteOffset"] :][: view["byteLength"]]))
    assert (picture.format, picture.size) == ("JPEG", (64, 32))
    assert np.abs(np.asarray(picture).astype(int) - texture).max() < 10  # blocks of one colour: no chroma is lost


def test_glb_vertex_colours_are_linear_light(coloured: Mesh, tmp_path: Path) -> None:
    document, binary = glb_parts(write.write_mesh(coloured, tmp_path / "a.glb")[0])
    accessor = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["COLOR_0"]]
    assert (accessor["componentType"], accessor["normalized"], accessor["type"]) == (5123, True, "VEC4")
    start = document["bufferViews"][accessor["bufferView"]]["byteOffset"]
    colours = np.frombuffer(binary, "<u2", 16, start).reshape(4, 4) / 65535
    assert np.allclose(colours[0], [0.2158605, 0.2158605, 0.2158605, 1], atol=1e-5)  # IEC 61966-2-1 of 128
    assert np.allclose(colours[1:3], [[1, 0, 0, 1], [0, 1, 0, 1]])


def test_obj_texture_is_found_and_the_right_way_up(textured: Mesh, texture: np.ndarray, tmp_path: Path) -> None:
    import trimesh

    files = write.write_mesh(textured, tmp_path / "a name with spaces #1.obj")
    assert [f.name for f in files[1:]] == ["a_name_with_spaces__1.mtl", "a_name_with_spaces__1_texture.jpg"]
    mesh = trimesh.load(files[0], force="mesh", process=False)
    assert np.asarray(mesh.visual.material.image).shape == texture.shape
    assert np.allclose(mesh.visual.to_color().vertex_colors[:, :3], expected_at(texture), atol=6)
    lines = files[0].read_text().splitlines()
    first = lines[[line.startswith("vt") for line in lines].index(True)]
    assert first == "vt 0.125000 0.875000"  # v counts from the bottom


def test_obj_without_a_texture_has_vertex_colours(coloured: Mesh, tmp_path: Path) -> None:
    files = write.write_mesh(coloured, tmp_path / "a.obj")
    assert [f.name for f in files] == ["a.obj"]
    rows = [list(map(float, line.split()[1:])) for line in files[0].read_text().splitlines() if line.startswith("v ")]
    assert np.allclose(np.array(rows)[:, 3:] * 255, GREYS, atol=0.02)


def depth_map(values: np.ndarray, metric: bool = True) -> DepthMap:
    return DepthMap(values.astype(np.float32), metric)


def test_depth_as_npy_is_exact(z: np.ndarray, tmp_path: Path) -> None:
    values = z.copy()
    values[3:5, 7:9] = np.nan
    assert write.write_depth(depth_map(values), tmp_path / "a.npy") == 1
    back = np.load(tmp_path / "a.npy", allow_pickle=False)
    assert back.dtype == np.float32
    assert np.array_equal(back, values, equal_nan=True)


@pytest.mark.parametrize(("stretch", "scale"), [(1, 1000), (20, 1000), (100, 256), (1000, None), (1e-4, 1000)])
def test_depth_as_png_says_its_scale(z: np.ndarray, tmp_path: Path, stretch: float, scale: float | None) -> None:
    values = z * np.float32(stretch)
    values[3:5, 7:9] = np.nan
    used = write.write_depth(depth_map(values), tmp_path / "a.png")
    assert used == scale or scale is None
    back = Image.open(tmp_path / "a.png")
    pixels = np.asarray(back)
    assert (back.mode, pixels.dtype.itemsize, back.size) == ("I;16", 2, (64, 48))
    assert np.array_equal(pixels == 0, np.isnan(values))  # the nearest surface never becomes none
    error = np.abs(pixels / used - values)[~np.isnan(values)]
    assert error.max() <= (0.51 if stretch >= 1 else 1) / used


def test_a_mask_is_grey_and_read_back_as_it_was(tmp_path: Path) -> None:
    inside = np.random.default_rng(0).random((48, 64)) < 0.5
    write.write_mask(Mask(inside, "alpha"), (48, 64), tmp_path / "a.PNG")
    with Image.open(tmp_path / "a.PNG") as back:
        assert (back.mode, back.size) == ("L", (64, 48))
        np.testing.assert_array_equal(np.asarray(back), np.where(inside, 255, 0))
    np.testing.assert_array_equal(read_mask(tmp_path / "a.PNG", (48, 64)), inside)


def test_the_mask_of_a_scene_keeps_all_of_it(tmp_path: Path) -> None:
    write.write_mask(Mask(None, "none"), (48, 64), tmp_path / "a.png")
    assert read_mask(tmp_path / "a.png", (48, 64)).all()


def test_a_mask_is_a_png(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"the mask '.*a\.jpg' ends with '\.jpg'; give a name that ends with \.png\."):
        write.write_mask(Mask(None, "none"), (48, 64), tmp_path / "a.jpg")
    assert not list(tmp_path.iterdir())


def test_reports_hold_any_name(tmp_path: Path) -> None:
    report = {"photo": {"name": 'a"b\\n\udcff Ω'}, "seconds": {"read": 0.1}, "files": []}
    write.write_report(report, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_bytes()) == report


def test_names_may_be_text(textured: Mesh, cloud: PointCloud, z: np.ndarray, tmp_path: Path) -> None:
    """As programs that call the library write them."""
    names = ["mesh.ply", "mesh.obj", "mesh.glb", "mesh.stl", "mesh.vtk"]
    assert [write.write_mesh(textured, f"{tmp_path}/{name}")[0].name for name in names] == names
    assert write.write_cloud(cloud, f"{tmp_path}/cloud.ply") == [tmp_path / "cloud.ply"]
    write.write_depth(depth_map(z), f"{tmp_path}/depth.npy")
    write.write_mask(Mask(None, "none"), z.shape, f"{tmp_path}/mask.png")
    write.write_report({}, f"{tmp_path}/report.json")
    write_stl.write_print(textured, f"{tmp_path}/print.stl", 80.0, base=False)
    assert {*names, "cloud.ply", "depth.npy", "mask.png", "report.json", "print.stl"} <= {
        path.name for path in tmp_path.iterdir()
    }


@pytest.mark.parametrize("name", ["a.xyz", "a", ".ply", "a.ply.gz", "a.gltf"])
def test_unknown_endings_are_refused_with_the_known_ones(coloured: Mesh, tmp_path: Path, name: str) -> None:
    with pytest.raises(BadOption, match=r"\.ply, \.obj, \.glb, \.stl, \.vtk"):
        write.write_mesh(coloured, tmp_path / name)
    assert not list(tmp_path.iterdir())
