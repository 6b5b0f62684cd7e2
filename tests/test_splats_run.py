"""Gaussian splats from the command line and the library."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from recon.notes import BACK_NOTE
from recon.pipeline import reconstruct
from tests.command_line import Outcome
from tests.splats import read_glb, read_ply, read_splat, read_spz


@pytest.mark.parametrize(("name", "more"), [
    ("a.splat", ()), ("a.spz", ()), ("a.SPZ", ()), ("a.ply", ("--kind=splats",)), ("a.glb", ("--kind=splats",)),
    ("a.splat", ("--kind=splats",)),
])  # fmt: skip
def test_an_ending_or_the_kind_asks_for_splats(run, z: np.ndarray, name: str, more: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    done: Outcome = run("--report=r.json", *more, out=name)
    assert (done.code, done.out) == (0, [name, "r.json"])
    path = Path(name)
    readers = {
        ".splat": read_splat,
        ".ply": read_ply,
        ".spz": lambda p: read_spz(p)[0],
        ".glb": lambda p: read_glb(p)[0],
    }
    splats = readers[path.suffix.lower()](path)
    counts = json.loads(Path("r.json").read_text())["counts"]
    assert counts == {"splats": len(splats.centres)} and len(splats.centres) == z.size
    assert abs(np.median(splats.centres[:, 2]) - np.median(z)) < 0.01


def test_a_mesh_and_splats_come_of_one_run(run) -> None:  # type: ignore[no-untyped-def]
    done: Outcome = run("--out=m.glb", "--out=s.spz", "--splats=1000", out=None)
    assert done.code == 0 and sorted(done.out) == ["m.glb", "s.spz"]
    assert trimesh.load("m.glb", force="mesh").faces.shape[0] > 1000
    assert 700 < len(read_spz(Path("s.spz"))[0].centres) <= 1000


def test_a_subjects_splats_tell_where_its_back_is_from(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    disc = np.hypot(*np.mgrid[-24:24, -32:32]) < 15
    Image.fromarray(disc.astype(np.uint8) * 255).save(place / "disc.png")
    done: Outcome = run("--mask=disc.png", "--splats=2000", out="s.splat", surface=None)
    assert done.code == 0 and BACK_NOTE[False].text()[:20] in " ".join(" ".join(done.err).split())
    splats = read_splat(Path("s.splat"))
    assert 1000 < len(splats.centres) <= 2000


def test_a_result_is_saved_as_splats_by_its_ending(rgb: np.ndarray, z: np.ndarray, tmp_path: Path) -> None:
    result = reconstruct(rgb, depth=z, depth_kind="metric", surface="grid", mask="none", splats=1500)
    assert result.save(tmp_path / "a.splat") == [tmp_path / "a.splat"]
    assert len(read_splat(tmp_path / "a.splat").centres) == len(result.splats.centres) <= 1500
