"""One job's files, in order and readable, by a network that reads depth off the colours."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from recon.errors import BadInput, Unwritable
from recon.pipeline import reconstruct
from recon.types import Photo, RawDepth
from web_3d_app.jobs.claims import Cancelled
from web_3d_app.kinds.photo import FILM, PHOTO, VIEW
from web_3d_app.phrasebook import as_text, from_text, told
from web_3d_app.settings import Settings
from web_3d_app.work import checkpoint, models
from web_3d_app.work import photo as work
from web_3d_app.work.context import Context
from web_3d_app.work.worker import explained

LANES = [lane.name for lane in PHOTO.lanes]
PARAMS = {"surface": "auto", "depth_model": "auto", "mask": "alpha", "fov": None, "faces": None}
FIRST = ["photo_thumb.jpg", "grid_view.glb", "points_view.ply", "mask.png", "mask_thumb.png", "depth_view.jpg",
         "depth_thumb.jpg", "stereo_view.jpg", "nearness_view.png"]  # fmt: skip
MESHES = ["mesh_view.glb", "mesh.glb"]
SMOOTH = ["smooth_view.glb", "smooth.glb", "smooth.ply"]
REST = ["grid.glb", "mesh.ply", "mesh.stl", "mesh_obj.zip", "points.ply", "depth.npy", "depth.png",
        "splats_view.splat", "splats.spz", *SMOOTH, "report.json"]  # fmt: skip
MASKS = ("mask.png", "mask_thumb.png")


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


@dataclass
class Told(Context):
    """A context that tells a run."""

    run: Run = field(kw_only=True)

    def add(self, *names: str) -> None:
        for name in names:
            assert (self.folder / name).stat().st_size > 0 and "/" in PHOTO.artefacts[name][1]
        self.run.made.extend(name for name in names if not name.startswith("preview"))  # which may be in time or not

    def stage(self, name: str, share: float) -> None:
        self.run.shares.append(share)
        self.run.stage(name)

    def tell(self, facts: dict[str, Any]) -> None:
        self.run.facts.update(facts)

    def hurry(self) -> bool:
        return self.lane != FILM.name  # which would come again and again


class Run:
    """The lanes one after another, each with nothing but the checkpoint of the one before."""

    def __init__(self, photo: Path, monkeypatch: pytest.MonkeyPatch, film_seconds: float = 0.0, **changes: Any) -> None:
        monkeypatch.setattr(models, "depth_estimator", lambda *_, **__: Slope())
        self.photo, self.made, self.lanes, self.stages = photo, [], [], []
        self.params, self.facts, self.shares = PARAMS | changes, {}, []
        self.settings = Settings(preview_seconds=0.01, film_seconds=film_seconds)

    def stage(self, name: str) -> None:
        self.stages.append(name)

    def lane(self, lane: str, given: Path | None) -> tuple[str, Path | None] | None:
        self.lanes.append(lane)
        return work.run(Told(lane, self.params, self.photo.parent, models.Models("cpu"), self.settings, self.photo,
                             28.0, None, given, self.facts, run=self))  # fmt: skip

    def all(self) -> Run:
        after: tuple[str, Path | None] | None = (VIEW.name, None)
        while after is not None:
            after = self.lane(*after)
        return self


def test_the_first_view_comes_first_and_everything_opens(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(photo, monkeypatch, film_seconds=600.0).all()
    assert (run.made, run.lanes) == ([*FIRST, *MESHES, *REST, "film.mp4"], LANES)
    assert [stage for stage in run.stages if stage != "write"] == list(PHOTO.begins)
    folder = photo.parent
    for name in ("grid.glb", "mesh.glb", "mesh.ply", "mesh.stl", "smooth.glb"):
        assert trimesh.load(folder / name, force="mesh").faces.shape[0] > 100, name
    assert trimesh.load(folder / "points_view.ply").vertices.shape == trimesh.load(folder / "points.ply").vertices.shape
    with zipfile.ZipFile(folder / "mesh_obj.zip") as files:
        assert {Path(name).suffix for name in files.namelist()} >= {".obj"} and files.testzip() is None
    depth = np.load(folder / "depth.npy")
    mask = np.asarray(Image.open(folder / "mask.png"))
    assert depth.shape == mask.shape == (48, 64) and (np.isnan(depth) == (mask == 0)).all()
    facts = run.facts
    assert (facts["unit"], facts["fov_source"], facts["depth_model"]) == ("metre", "exif", "slope")
    assert facts["points"] > 0 and facts["faces"] > 0
    assert (facts["surface"], facts["surface_source"]) == (
        "solid",
        "auto",
    )  # the photo's transparency cuts one thing out
    assert trimesh.load(folder / "mesh.ply").is_watertight and not trimesh.load(folder / "smooth.ply").is_watertight
    report = json.loads((folder / "report.json").read_text())
    assert (
        report["options"]["surface"] == "auto"
        and report["surface"] == "solid"
        and set(report["seconds"]) == set(run.stages) - {"film"}
    )


def test_the_grid_is_made_once_if_it_was_asked_for(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(photo, monkeypatch, surface="grid").all()
    assert run.made == FIRST + REST and run.lanes == ["view", "files"]


def test_a_scene_is_layered_from_the_first_view(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(photo, monkeypatch, mask="none").all()
    first = [name.replace("grid_view", "instant_view") for name in FIRST if name not in MASKS]
    assert run.made == [*first, *MESHES, "grid_view.glb", *REST]
    assert run.lanes == ["view", "mesh", "files"]
    assert (run.facts["surface"], run.facts["surface_source"]) == ("layered", "auto")


def test_poisson_has_no_second_one_beside_it(photo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(photo, monkeypatch, surface="poisson").all()
    assert run.made == FIRST + MESHES + [name for name in REST if name not in SMOOTH]
    assert (run.facts["surface"], run.facts["surface_source"]) == ("poisson", "user")


def test_a_smooth_mesh_that_does_not_come_together_is_told_and_nothing_else_is_lost(
    photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object) -> None:
        raise BadInput("poisson.empty", "no surface is left after trimming; check the depth map or use <surface> grid.")

    monkeypatch.setattr("recon.stages.surface_poisson.make_poisson", nothing)
    run = Run(photo, monkeypatch).all()
    assert run.made == FIRST + MESHES + [name for name in REST if name not in SMOOTH]
    said = list(map(told, run.facts["warnings"]))
    assert any(
        note.startswith("there is no smooth mesh") and note.endswith("choose the surface Sharp.") for note in said
    )


def test_a_checkpoint_gives_back_what_was_kept(tmp_path: Path) -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8)
    first = reconstruct(rgb, surface="solid", faces=4000, depth_model=Slope(), mask="none", fov=50.0)
    assert len(first.mesh.faces)  # made, hence kept
    again = checkpoint.load(checkpoint.save(first, tmp_path / "c.npz"), first.photo)
    assert again.report() == {**first.report(), "counts": again.report()["counts"]}
    for part in ("mask", "camera", "depth", "mesh"):
        for name, value in vars(getattr(first, part)).items():
            np.testing.assert_equal(getattr(getattr(again, part), name), value)


@pytest.mark.parametrize("lane", LANES[1:])
def test_a_job_of_an_older_program_begins_anew_and_ends(
    photo: Path, monkeypatch: pytest.MonkeyPatch, lane: str
) -> None:
    """As it was written before there were options in a checkpoint: the server was updated while the job waited."""
    old = {
        "surface": "solid",
        "surface_source": "auto",
        "faces": None,
        "warnings": ["a note"],
        "mask": {"method": "none"},
    }
    np.savez(photo.parent / "old.npz", json=np.array(json.dumps(old)))
    run = Run(photo, monkeypatch)
    after = run.lane(lane, photo.parent / "old.npz")
    while after is not None:
        after = run.lane(*after)
    assert (run.made, run.lanes) == (FIRST + MESHES + REST, [lane, *LANES[1:-1]])


def test_a_checkpoint_cannot_carry_objects(tmp_path: Path) -> None:
    np.savez(tmp_path / "c.npz", json=np.array([print]))
    with pytest.raises(ValueError, match="allow_pickle"):
        checkpoint.load(tmp_path / "c.npz", Photo(np.zeros((1, 1, 3), np.uint8)))


@pytest.mark.parametrize("last", ["subject", "depth", "grid", "points", "mesh", "files", "smooth", "preview", "film"])
def test_it_stops_at_every_stage(photo: Path, monkeypatch: pytest.MonkeyPatch, last: str) -> None:
    run = Run(photo, monkeypatch, film_seconds=600.0)

    def stage(name: str) -> None:
        run.stages.append(name)
        if name == last:
            raise Cancelled

    run.stage = stage
    with pytest.raises(Cancelled):
        run.all()
    assert run.shares == sorted(run.shares) and len(run.shares) == len(run.stages)


def test_errors_are_told_in_a_page_s_words() -> None:
    asked = BadInput("a.b", "use <mask> auto, not {model}.", model="builtin")
    word, message = explained(asked)
    assert (word, from_text(as_text(message))) == (
        "bad_input",
        "use the way to cut out auto, not the built-in network.",
    )
    assert explained(Unwritable("a.b", "no room"))[0] == explained(OSError(28, "full"))[0] == "disk_full"
    word, message = explained(RuntimeError("secret path"))
    assert word == "internal" and "secret" not in str(message)
