"""--refine on the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from command_line import GEN
from PIL import Image

from recon.render.distance import signed_distance
from tests.refinement import toy


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
        str(GEN),
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
def test_no_step_at_all_is_a_refinement_too_within_three_gigabytes(photo: Path, tmp_path: Path) -> None:
    """Peak memory of the process and of what it started; 1.2 GB on torch 2.15."""
    large, report = tmp_path / "large.png", tmp_path / "report.json"
    Image.open(photo).resize((512, 384), Image.Resampling.NEAREST).save(large)
    options = [f"--rgb={large}", f"--out={tmp_path / 'ball.ply'}", f"--out={tmp_path / 'ball.stl'}", f"--report={report}",
               "--depth-model=builtin", "--refine=quick", "--steps=0", "--seed=7", "--guidance=none"]  # fmt: skip
    child = subprocess.Popen([sys.executable, str(GEN), *options, "--quiet"])
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0
    assert 0.3e6 < used.ru_maxrss < 3e6  # in KiB
    told = json.loads(report.read_text())["refinement"]
    assert told.pop("seconds") > 0
    verdict = told.pop("verdict")
    assert verdict["better"] == (not verdict["reasons"])
    assert verdict["first"]["closed"] and verdict["refined"]["closed"]
    assert told == {"preset": "quick", "seed": 7, "steps": {"fine": 0}, "losses": {}, "guidance": [],
                    "device": told["device"]}  # fmt: skip
    for ending in ("ply", "stl"):
        mesh = trimesh.load(tmp_path / f"ball.{ending}")
        assert mesh.is_watertight
        assert mesh.volume > 0
        assert mesh.euler_number == 2


@pytest.mark.slow
@pytest.mark.parametrize("stage", ["looks", "target", "refine", "texture"])
def test_ctrl_c_in_any_stage_ends_it_and_leaves_nothing_half_written(stage: str, photo: Path, tmp_path: Path) -> None:
    out, state = tmp_path / "out", tmp_path / "state"
    out.mkdir()
    options = [f"--rgb={photo}", f"--out={out / 'm.glb'}", "--depth-model=builtin", "--refine=quick", f"--resume={state}",
               f"--steps={0 if stage == 'texture' else 5}"]  # fmt: skip
    child = subprocess.Popen([sys.executable, str(GEN), *options], stderr=subprocess.PIPE, text=True)
    assert child.stderr is not None
    for line in child.stderr:
        if line.strip() == stage:
            break
    child.send_signal(signal.SIGINT)
    _, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (130, "gen.py: interrupted; nothing half-written was left\n")
    assert list(out.iterdir()) == []
    assert {path.name for path in state.iterdir()} <= {"refine.pt"}


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
    corners, faces = torch.tensor(mesh.vertices).float(), torch.tensor(mesh.faces)
    away = signed_distance(corners, faces, torch.tensor(points.vertices[::1000]).float())
    assert away.abs().max() < 0.02 * mesh.scale


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(["--steps", "3"], "--steps is for a refinement"),
     (["--refine", "quick", "--kind", "points"], "--kind is points"),
     (["--second", "points"], "--refine-to is for a refinement"),
     (["--refine", "quick", "--seed", "9" * 23], "--seed is 1e+23; give a number from -9e+18 to 9e+18."),
     (["--guidance", "none"], "--guidance is for a refinement"),
     (["--refine", "quick", "--steps", "-1"], "--steps is -1"),
     (["--refine", "quick", "--guidance", "builtin,zero456"], "'zero456' is unknown; give none, or builtin"),
     (["--refine", "quick", "--resume", str(GEN)], "cannot write"),
     (["--refine", "quick", "--mask", "none"], "no single subject")],
)  # fmt: skip
def test_options_that_make_no_sense_are_told(wrong: list[str], said: str, photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "m.ply"
    code, told = run(photo, out, "--quiet", *wrong)
    assert code == 2
    assert said in told
    assert not out.exists()
