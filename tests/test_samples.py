"""What a newcomer tries first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import trimesh
from PIL import Image

from recon.cli.main import main
from web_3d_app.http.options import SAMPLES, sample_names

ROOT = Path(__file__).resolve().parents[1]


def test_the_first_sample_shows_one_thing_that_is_cut_out_and_closed_by_itself(tmp_path: Path) -> None:
    first = SAMPLES / f"{sample_names()[0]}.jpg"
    assert main(["--rgb", str(first), "--out", str(tmp_path / "m.stl"), "--offline", "--quiet"]) == 0
    model = trimesh.load(tmp_path / "m.stl")
    assert model.is_watertight and model.body_count == 1


def test_the_readme_s_session_is_what_happens(tmp_path: Path) -> None:
    told = (ROOT / "README.md").read_text().split("```console\n$ .venv/bin/python gen.py ")[1].split("\n```")[0]
    command, *lines = told.splitlines()
    (tmp_path / "samples").symlink_to(SAMPLES)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("UNFLAT_")}
    run = subprocess.run(
        [sys.executable, ROOT / "gen.py", *command.split()], cwd=tmp_path, env=environment | {"UNFLAT_MODELS": "none"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert (run.stderr + run.stdout).splitlines() == lines


def test_every_sample_has_its_credit_and_nothing_else_in_the_file() -> None:
    credits = (SAMPLES / "CREDITS.md").read_text()
    assert len(sample_names()) >= 4
    for name in sample_names():
        assert f"`{name}.jpg`" in credits
        with Image.open(SAMPLES / f"{name}.jpg") as picture:
            assert not {"exif", "xmp", "photoshop"} & set(picture.info)
