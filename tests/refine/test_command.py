"""--refine on the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

import gen
from tests.refine import toy


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A ball cut out."""
    picture, mask, *_ = toy.ball()
    assert mask.inside is not None
    path = tmp_path / "ball.png"
    Image.fromarray(np.dstack([picture.rgb, 255 * mask.inside.astype(np.uint8)])).save(path)
    return path


def run(photo: Path, out: Path, *options: str) -> tuple[int, str]:
    """(exit code, what stood on stderr) of one command."""
    command = [
        sys.executable,
        gen.__file__,
        "--rgb",
        str(photo),
        "--out",
        str(out),
        "--depth-model",
        "builtin",
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, done.stderr


@pytest.mark.slow
def test_refine_writes_a_closed_mesh_of_few_faces_and_keeps_its_state(photo: Path, tmp_path: Path) -> None:
    out, state = tmp_path / "ball.glb", tmp_path / "state"
    options = ["--refine", "quick", "--steps", "1", "--faces", "1500", "--resume", str(state), "--quiet"]
    assert run(photo, out, *options) == (0, "")
    mesh = trimesh.load(out, force="mesh")
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    assert mesh.is_watertight
    assert mesh.volume > 0
    assert 500 < len(mesh.faces) <= 1600
    assert [path.name for path in state.iterdir()] == ["refine.pt"]


@pytest.mark.slow
def test_points_are_written_as_a_cloud_and_as_a_closed_mesh(photo: Path, tmp_path: Path) -> None:
    out, cloud = tmp_path / "ball.glb", tmp_path / "cloud.ply"
    options = ["--refine", "quick", "--second", "points", "--steps", "1", "--points-out", str(cloud), "--quiet"]
    assert run(photo, out, *options) == (0, "")
    mesh = trimesh.load(out, force="mesh")
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    assert mesh.is_watertight
    assert mesh.volume > 0
    points = trimesh.load(cloud)
    assert len(points.vertices) > 50_000
    assert np.abs(trimesh.proximity.signed_distance(mesh, points.vertices[::1000])).max() < 0.02 * mesh.scale


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(["--steps", "3"], "--steps and --resume"),
     (["--refine", "quick", "--kind", "points"], "--kind is points"),
     (["--second", "points"], "--second points is for a refinement"),
     (["--refine", "quick", "--steps", "-1"], "--steps is -1"),
     (["--refine", "quick", "--mask", "none"], "no single subject")],
)  # fmt: skip
def test_options_that_make_no_sense_are_told(wrong: list[str], said: str, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.ply"
    code, told = run(photo, out, "--quiet", *wrong)
    assert code == 2
    assert said in told
    assert not out.exists()
