"""One job's files, in order and readable, by a network that reads depth off the colours."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from recon.types import RawDepth
from web_3d_app import work
from web_3d_app.claims import Cancelled
from web_3d_app.worker import explained

PARAMS = {"surface": "poisson", "depth_model": "auto", "mask": "alpha", "fov": None, "faces": None}
FIRST = ["points_view.ply", "grid.glb", "mask.png", "depth_view.jpg"]
REST = ["mesh.glb", "mesh.ply", "mesh.stl", "mesh_obj.zip", "points.ply", "depth.npy", "depth.png", "report.json"]


class Slope:
    """A depth model that sees a slope."""

    name = "slope"

    def load(self) -> object:
        return self

    def estimate(self, rgb: np.ndarray, inside: np.ndarray | None = None) -> RawDepth:
        return RawDepth(np.linspace(1, 2, 48 * 64, dtype=np.float32).reshape(48, 64), "metric", self.name)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    rgba = np.full((48, 64, 4), 120, np.uint8)
    rgba[..., 3] = 0
    rgba[8:40, 12:52, 3] = 255
    Image.fromarray(rgba).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def run(photo: Path, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> tuple[list[str], dict[str, Any]]:
    monkeypatch.setattr(work, "depth_estimator", lambda *_, **__: Slope())
    monkeypatch.setattr(work, "PREVIEW_SECONDS", 0.01)  # pictures are another module's
    made: list[str] = []
    facts: dict[str, Any] = {}
    stage = changes.pop("stage", lambda name, progress: None)

    def add(name: str, kind: str, media: str, file: Path) -> None:
        assert file.stat().st_size > 0 and "/" in media
        made.append(name)

    work.Work(photo, 28.0, PARAMS | changes, photo.parent, work.Models("cpu"), stage, facts.update, add).run()
    return made, facts


def test_the_first_view_comes_first_and_everything_opens(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, facts = run(photo, monkeypatch)
    assert made == FIRST + REST
    folder = photo.parent
    for name in ("grid.glb", "mesh.glb", "mesh.ply", "mesh.stl"):
        assert trimesh.load(folder / name, force="mesh").faces.shape[0] > 100, name
    assert trimesh.load(folder / "points_view.ply").vertices.shape == trimesh.load(folder / "points.ply").vertices.shape
    with zipfile.ZipFile(folder / "mesh_obj.zip") as files:
        assert {Path(name).suffix for name in files.namelist()} >= {".obj"} and files.testzip() is None
    depth = np.load(folder / "depth.npy")
    mask = np.asarray(Image.open(folder / "mask.png"))
    assert depth.shape == mask.shape == (48, 64) and (np.isnan(depth) == (mask == 0)).all()
    assert (facts["unit"], facts["fov_source"], facts["depth_model"]) == ("metre", "exif", "slope")
    assert facts["points"] > 0 and facts["faces"] > 0
    assert json.loads((folder / "report.json").read_text())["options"]["surface"] == "poisson"


def test_the_grid_is_made_once_if_it_was_asked_for(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = run(photo, monkeypatch, surface="grid")
    assert made == FIRST + [name for name in REST if name != "mesh.glb"]


@pytest.mark.parametrize("last", ["subject", "depth", "points", "grid", "mesh", "files", "preview"])
def test_it_stops_at_every_stage(photo: Path, monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    shares = []

    def stage(name: str, progress: float) -> None:
        shares.append(progress)
        if name == last:
            raise Cancelled

    with pytest.raises(Cancelled):
        run(photo, monkeypatch, surface="grid", stage=stage)
    assert shares == sorted(shares)


def test_errors_are_told_in_a_page_s_words() -> None:
    from recon.errors import BadInput, Unwritable

    assert explained(BadInput("use --mask auto.")) == ("bad_input", "use mask auto.")
    assert explained(Unwritable("no room"))[0] == explained(OSError(28, "full"))[0] == "disk_full"
    assert (
        explained(RuntimeError("secret path"))[0] == "internal" and "secret" not in explained(RuntimeError("secret"))[1]
    )
