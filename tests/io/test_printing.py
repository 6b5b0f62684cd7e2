"""STL: millimetres, upright, closed, on a stand; and what a slicer says of it."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from recon.cli.main import main
from recon.errors import BadInput, BadOption
from recon.geometry.closed import is_closed
from recon.io.write_stl import printable, printed_size, write_printable
from recon.pipeline import reconstruct
from recon.results import Model
from recon.settings import PrintSettings
from recon.types import Mesh, Photo
from tests import scenes


def solid(shape: trimesh.Trimesh, place: tuple[float, float, float] = (0.3, -0.2, 4)) -> Mesh:
    """A shape of trimesh's before the camera."""
    return Mesh((shape.vertices + place).astype(np.float32), np.asarray(shape.faces, np.int32))


EGG = solid(trimesh.creation.icosphere(3).apply_scale((0.5, 1.0, 0.25)))
"""As wide as one, as high as two, half as deep as wide."""


@pytest.mark.parametrize("size", [100.0, 37.5])
def test_it_is_upright_in_millimetres_and_stands_on_zero(size: float) -> None:
    found = printable(EGG, PrintSettings(size))
    assert printed_size(found) == pytest.approx((size / 2, size / 4, size), rel=1e-5)
    np.testing.assert_allclose(found.vertices.min(axis=0), [-size / 4, -size / 8, 0], atol=1e-4)
    exact = scenes.volume(EGG.vertices, EGG.faces) * (size / 2) ** 3
    assert scenes.volume(found.vertices, found.faces) == pytest.approx(exact, rel=1e-4)  # nor mirrored
    assert is_closed(found.faces)


def test_what_is_up_right_and_near_in_the_photo_is_so_in_print() -> None:
    corners = np.array([[0, 0, 5], [1, 0, 5], [0, -2, 5], [0, 0, 4]], np.float32)  # origin, right, up, nearer
    found = printable(Mesh(corners, np.array([[0, 1, 2], [0, 2, 3]], np.int32))).vertices
    origin, right, up, near = found
    assert (right - origin) @ [1, 0, 0] == pytest.approx(50)
    assert (up - origin) @ [0, 0, 1] == pytest.approx(100)
    assert (near - origin) @ [0, -1, 0] == pytest.approx(50)


def test_the_file_is_what_other_programs_read(tmp_path: Path) -> None:
    found = printable(EGG)
    write_printable(found, tmp_path / "a.stl")
    read = trimesh.load(tmp_path / "a.stl")
    assert read.is_watertight and read.is_winding_consistent
    np.testing.assert_allclose(read.extents, printed_size(found), rtol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(read.face_normals, axis=1), 1, atol=1e-5)
    raw = (tmp_path / "a.stl").read_bytes()
    assert len(raw) == 84 + 50 * len(found.faces)
    stored = np.frombuffer(raw[84:], [("n", "<f4", 3), ("c", "<f4", (3, 3)), ("u", "<u2")])["n"]
    np.testing.assert_allclose(stored, read.face_normals, atol=1e-5)


def test_a_stand_is_flat_wide_enough_and_one_with_the_subject() -> None:
    found = printable(EGG, PrintSettings(100.0, base=True))
    assert is_closed(found.faces)
    shape = trimesh.Trimesh(found.vertices, found.faces, process=False)
    assert shape.is_watertight and shape.body_count == 1
    assert printed_size(found)[2] == pytest.approx(100, rel=1e-5)
    down = (shape.face_normals[:, 2] < -0.999) & (shape.triangles_center[:, 2] < 1e-3)
    x, y, _ = printed_size(found)
    assert 0.95 * x * y < shape.area_faces[down].sum() < x * y  # round corners
    assert shape.volume > scenes.volume(printable(EGG).vertices, EGG.faces) * 0.9 + 0.9 * x * y * 3.5
    low, high = shape.bounds
    assert (low[:2] < shape.center_mass[:2]).all() and (shape.center_mass[:2] < high[:2]).all()


def test_a_piece_in_the_air_gets_a_pillar() -> None:
    two = trimesh.util.concatenate(
        [trimesh.creation.icosphere(2), trimesh.creation.icosphere(2, 0.4).apply_translation((1.2, -1.5, 0))]
    )
    found = printable(solid(two), PrintSettings(100.0, base=True))
    shape = trimesh.Trimesh(found.vertices, found.faces, process=False)
    assert shape.is_watertight and shape.body_count == 1
    assert trimesh.Trimesh(*_plain(printable(solid(two))), process=False).body_count == 2


def _plain(mesh: Mesh) -> tuple[np.ndarray, np.ndarray]:
    return mesh.vertices, mesh.faces


def test_an_open_mesh_has_no_stand_and_sizes_have_bounds(tmp_path: Path) -> None:
    opened = EGG.with_(faces=EGG.faces[1:])
    with pytest.raises(BadInput, match="not closed"):
        printable(opened, PrintSettings(base=True))
    assert printed_size(printable(opened))[2] == pytest.approx(100, rel=1e-3)
    for size in (0.0, 4.9, 2001.0, float("nan")):
        with pytest.raises(BadOption, match="size_mm"):
            reconstruct(np.zeros((20, 20, 3), np.uint8), size_mm=size)
        with pytest.raises(BadOption, match="size_mm"):
            Model(EGG).save(tmp_path / "a.stl", size_mm=size)


# from here on: photos, and a slicer


def ball_photo(folder: Path) -> tuple[Photo, Path]:
    """A ball on plain ground, and its mask as a file."""
    v, u = np.mgrid[:480, :640]
    r2 = ((u - 330) ** 2 + (v - 250) ** 2) / 150**2
    shade = (np.sqrt(np.clip(1 - r2, 0, 1)) * 160 + 60)[..., None] * np.array([1, 0.6, 0.3])
    rgb = np.where((r2 < 1)[..., None], shade, 235).astype(np.uint8)
    Image.fromarray((r2 < 1).astype(np.uint8) * 255).save(folder / "mask.png")
    return Photo(rgb, name="ball"), folder / "mask.png"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ball.stl, stand.stl, subject.stl and relief.stl, as the library saves them."""
    folder = tmp_path_factory.mktemp("prints")
    photo, mask = ball_photo(folder)
    ball = reconstruct(photo, surface="solid", mask=mask, faces=20_000)
    ball.save(folder / "ball.stl")
    ball.save(folder / "stand.stl", size_mm=60.0, base=True)
    camera = scenes.camera_of(320, 240, 290.0)
    scene = Photo(scenes.photo_of(camera).rgb)
    np.save(folder / "z.npy", scenes.room(camera))
    room = reconstruct(scene, surface="solid", depth_in=folder / "z.npy", depth_kind="metric", focal_px=290.0)
    room.save(folder / "relief.stl")
    return folder


def slicer(*words: str) -> str:
    """PrusaSlicer's words; skips where it is not installed."""
    program = shutil.which("prusa-slicer")
    if program is None:
        pytest.skip("no PrusaSlicer: apt-get install prusa-slicer")
    return subprocess.run([program, *words], capture_output=True, text=True, check=True, timeout=300).stdout


def told(model: Path) -> dict[str, str]:
    """What `--info` says."""
    return dict(re.findall(r"^(\w+) = +(\S+)", slicer("--info", str(model)).replace("=  ", "= "), re.MULTILINE))


@pytest.mark.parametrize(("name", "longest"), [("ball", 100), ("stand", 60), ("relief", 100)])
def test_a_slicer_finds_one_manifold_part_of_the_size(models: Path, name: str, longest: float) -> None:
    said = told(models / f"{name}.stl")
    assert (said["manifold"], said["number_of_parts"]) == ("yes", "1")
    assert max(float(said[f"size_{axis}"]) for axis in "xyz") == pytest.approx(longest, abs=0.01)
    assert float(said["min_z"]) == 0
    assert "open_edges" not in said and "facets_removed" not in said


@pytest.mark.parametrize(
    "name", ["ball", pytest.param("stand", marks=pytest.mark.slow), pytest.param("relief", marks=pytest.mark.slow)]
)
def test_a_slicer_slices_it(models: Path, tmp_path: Path, name: str) -> None:
    quick = ("--layer-height", "0.3", "--first-layer-height", "0.3", "--perimeters", "1", "--fill-density", "0%",
             "--top-solid-layers", "0", "--bottom-solid-layers", "1", "--skirts", "0")  # fmt: skip
    slicer("--export-gcode", *quick, "--output", str(tmp_path / "a.gcode"), str(models / f"{name}.stl"))
    heights = [float(z) for z in re.findall(r"^;Z:([\d.]+)", (tmp_path / "a.gcode").read_text(), re.MULTILINE)]
    top = trimesh.load(models / f"{name}.stl").extents[2]
    assert heights[0] < 0.5 and heights[-1] == pytest.approx(top, abs=0.4)
    assert np.diff(heights).max() < 0.31  # no layer is empty


def test_the_command_line_sizes_and_stands(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    photo, mask = ball_photo(tmp_path)
    Image.fromarray(photo.rgb).save(tmp_path / "p.png")
    common = ["--rgb", str(tmp_path / "p.png"), "--mask", str(mask), "--quiet"]
    out = ["--out", str(tmp_path / "o.stl")]
    assert main([*common, *out, "--surface", "solid", "--faces", "8000", "--size", "42", "--base"]) == 0
    read = trimesh.load(tmp_path / "o.stl")
    assert max(read.extents) == pytest.approx(42, abs=1e-3) and read.is_watertight
    capfd.readouterr()
    for wrong, said in (
        ([*out, "--surface", "solid", "--size", "1"], "--size is 1"),
        ([*out, "--surface", "grid", "--base"], "add --surface solid"),
        (["--out", str(tmp_path / "o.glb"), "--size", "50"], "ends with .stl"),
    ):
        assert main([*common, *wrong]) == 2
        assert said in capfd.readouterr().err


@pytest.mark.slow
def test_a_refined_subject_prints(tmp_path: Path) -> None:
    from recon.pipeline import refine

    photo, mask = ball_photo(tmp_path)
    better = refine(reconstruct(photo, surface="solid", mask=mask), "quick", steps=20)
    for name, base in (("plain", False), ("stand", True)):
        better.save(tmp_path / f"{name}.stl", base=base)
        said = told(tmp_path / f"{name}.stl")
        assert (said["manifold"], said["number_of_parts"]) == ("yes", "1")
        slicer("--export-gcode", "--output", str(tmp_path / "a.gcode"), str(tmp_path / f"{name}.stl"))
        assert (tmp_path / "a.gcode").stat().st_size > 100_000
