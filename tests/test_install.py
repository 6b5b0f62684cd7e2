"""What an installed package has and does: the built wheel, laid out as pip would, apart from the checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from PIL import Image

from tests.scenes import camera_of, photo_of

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", str(ROOT), "--no-deps", "--no-build-isolation", "--no-index", "-q"]
    subprocess.run([*command, "-w", str(folder)], check=True, cwd=folder, capture_output=True)
    return next(folder.glob("unflat-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path) -> Path:
    """The folder that its packages were laid out in."""
    folder = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def run(installed: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A Python command that finds the installed packages first, and the checkout not at all."""
    environment = os.environ | {"PYTHONPATH": str(installed), "UNFLAT_MODELS": "none"}
    return subprocess.run([sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True)


def test_a_wheel_holds_what_runs_and_nothing_of_tests_or_training(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {"recon", "web_3d_app", "unflat-0.1.0.dist-info"}
    for folder, package in (("recon", "recon"), ("web_3d_app", "web_3d_app"), ("templates", "web_3d_app/templates"),
                            ("static", "web_3d_app/static"), ("samples", "web_3d_app/samples")):  # fmt: skip
        there = [path for path in (ROOT / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts]
        assert there
        missing = {f"{package}/{path.relative_to(ROOT / folder).as_posix()}" for path in there} - names
        assert not missing, missing


def test_it_asks_for_what_it_runs_on_and_for_no_test_tool(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read("unflat-0.1.0.dist-info/METADATA").decode()
    asked = {Requirement(line).name for line in re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE)}
    assert {"numpy", "torch", "flask", "open3d"} <= asked
    assert not asked & {"pytest", "ruff", "mypy", "hypothesis", "playwright"}


def test_python_m_recon_makes_a_model_apart_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    Image.fromarray(photo_of(camera_of(96, 72, 80.0)).rgb).save(tmp_path / "photo.png")
    options = ["--rgb", "photo.png", "--out", "model.glb", "--surface", "grid", "--offline", "--quiet"]
    for verb in ([], ["photo"]):
        done = run(installed, tmp_path, "-m", "recon", *verb, *options)
        assert (done.returncode, done.stdout, done.stderr) == (0, "model.glb\n", "")
    assert "builtin" in run(installed, tmp_path, "-m", "recon", "models").stdout
    told = run(installed, tmp_path, "-m", "recon", "photo.png", "--out", "model.glb")
    assert (told.returncode, told.stdout) == (2, "")
    assert told.stderr.startswith("unflat: 'photo.png' is no command; give photo or stereo or models")


def test_the_server_finds_its_pages_apart_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    code = """
import web_3d_app
from web_3d_app.settings import Settings
client = web_3d_app.create_app(Settings(data=".", engine="none", min_free_mib=0)).test_client()
page = client.get("/").text
import re
style = re.search(r'href="([^"]+[.]css[^"]*)"', page)[1]
print([client.get(path).status_code for path in ("/", style, "/samples/coffee.jpg")], web_3d_app.__file__)
"""
    done = run(installed, tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("[200, 200, 200] " + str(installed))
