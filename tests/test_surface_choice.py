"""Which surface is made where nobody says which: closed for one thing, what the photo shows for a scene."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from recon.cli.phrasebook import COMMAND_LINE
from recon.errors import BadOption
from recon.notes import AUTO_NOTE, BACK_NOTE
from recon.pipeline import reconstruct
from tests.command_line import Outcome

CHOSEN = {one: told.text(COMMAND_LINE) for one, told in AUTO_NOTE.items()}
CUT = {"none": ("layered", "auto"), "file": ("solid", "auto")}


def said(done: Outcome) -> str:
    """The notes on stderr in one line: a terminal's width does not matter."""
    return " ".join(" ".join(done.err).split())


@pytest.fixture
def mask(place: Path) -> Path:
    disc = np.hypot(*np.mgrid[-24:24, -32:32]) < 15
    Image.fromarray(disc.astype(np.uint8) * 255).save(place / "disc.png")
    return place / "disc.png"


@pytest.mark.parametrize("cut", ["none", "file"])
def test_one_thing_is_closed_and_a_scene_is_what_the_photo_shows(run, mask: Path, cut: str) -> None:  # type: ignore[no-untyped-def]
    asked = "none" if cut == "none" else str(mask)
    done: Outcome = run(f"--mask={asked}", "--report=r.json", surface=None)
    assert done.code == 0
    one = cut == "file"
    assert trimesh.load("out/model.ply").is_watertight == one
    report = json.loads(Path("r.json").read_text())
    assert (report["surface"], report["surface_source"]) == CUT[cut]
    assert f"note: {CHOSEN[one]}" in said(done) and CHOSEN[not one] not in said(done)


@pytest.mark.parametrize("surface", ["layered", "grid", "poisson", "solid"])
def test_a_surface_that_was_asked_for_is_made_and_not_explained(run, mask: Path, surface: str) -> None:  # type: ignore[no-untyped-def]
    done: Outcome = run(f"--mask={mask}", "--report=r.json", surface=surface)
    report = json.loads(Path("r.json").read_text())
    assert (report["surface"], report["surface_source"]) == (surface, "user")
    assert not any(note in said(done) for note in CHOSEN.values())
    assert trimesh.load("out/model.ply").is_watertight == (surface == "solid")


def test_points_have_no_surface_to_explain(run, mask: Path) -> None:  # type: ignore[no-untyped-def]
    done: Outcome = run("--kind=points", f"--mask={mask}", surface=None)
    assert done.code == 0
    assert not any(note in said(done) for note in (*CHOSEN.values(), *map(str, BACK_NOTE.values())))


@pytest.mark.parametrize(("cut", "why"), [
    ("black.png", "'black.png' (white is kept) leaves nothing of the photo to be seen"),
    ("dot.png", "leaves 0.033 % of the photo to be seen, at least 0.1 % are needed"),
    ("alpha", "the photo has no transparency to cut it out by"),
])  # fmt: skip
def test_a_cut_out_that_leaves_nothing_gives_the_whole_photo(run, place: Path, cut: str, why: str) -> None:  # type: ignore[no-untyped-def]
    dot = Image.new("L", (64, 48))
    dot.save(place / "black.png")
    dot.putpixel((3, 3), 255)
    dot.save(place / "dot.png")
    done: Outcome = run(f"--mask={cut}", "--report=r.json", surface=None)
    assert done.code == 0
    assert f"{why}: the whole photo was taken" in said(done)
    assert json.loads(Path("r.json").read_text())["subject"]["share"] == 1.0


def test_behind_a_transparency_that_shows_nothing_the_photo_is_still_seen(rgb: np.ndarray) -> None:
    """The colours go to the depth model as they are, not as the plain ground that stands for what is transparent."""
    faint = np.zeros(rgb.shape[:2], np.uint8)
    faint[0, 0] = 1  # all of nothing is refused by the reader
    hidden = reconstruct(np.dstack([rgb, faint]), offline=True)
    plain = reconstruct(rgb, mask="none", offline=True)
    np.testing.assert_array_equal(hidden.depth.z, plain.depth.z)
    assert hidden.surface == plain.surface == "layered"
    assert any("the photo's transparency leaves nothing" in str(note) for note in hidden.notes)


def test_the_mask_of_a_turned_transparent_photo_is_upright_and_taken_back(run, place: Path, rgb: np.ndarray) -> None:  # type: ignore[no-untyped-def]
    disc = np.hypot(*np.mgrid[-24:24, -28:36]) < 15
    turned = Image.Exif()
    turned[0x0112] = 6  # to be shown turned clockwise
    Image.fromarray(np.dstack([rgb, np.uint8(150) * disc])).save(place / "thing.png", exif=turned)
    given: dict[str, str | None] = {"rgb": "thing.png", "surface": "solid", "depth_in": None, "depth_kind": None}
    first: Outcome = run("--mask-out=used.png", "--depth-model=builtin", **given)
    assert (first.code, first.out) == (0, ["out/model.ply", "used.png"])
    assert "white everywhere" not in said(first)
    with Image.open("used.png") as used:
        np.testing.assert_array_equal(np.asarray(used), 255 * np.rot90(disc, -1))
    again: Outcome = run(
        "--mask=used.png", "--mask-out=again.png", "--depth-model=builtin", **given, out="out/again.ply"
    )
    assert again.code == 0
    assert Path("again.png").read_bytes() == Path("used.png").read_bytes()
    assert Path("out/again.ply").read_bytes() == Path("out/model.ply").read_bytes()


def test_the_mask_of_a_scene_is_white_and_the_note_says_how_to_take_it_whole_again(run, place: Path) -> None:  # type: ignore[no-untyped-def]
    for asked in ("none", "alpha"):
        done: Outcome = run(f"--mask={asked}", "--mask-out=used.png", "--report=r.json")
        assert (done.code, done.out) == (0, ["out/model.ply", "used.png", "r.json"])
        what, how = "for no single subject was cut out", "give --mask none to take the whole photo again"
        note = f"'used.png' is white everywhere, {what}; {how}"
        assert said(done).count(f"note: {note}") == 1
        report = json.loads(Path("r.json").read_text())
        assert report["files"] == ["out/model.ply", "used.png"]
        assert note in report["warnings"]
        with Image.open("used.png") as used:
            assert (used.mode, used.size, used.getextrema()) == ("L", (64, 48), (255, 255))


def test_what_the_geometry_came_from_is_not_changed_afterwards() -> None:
    """Another field of view would be another geometry: it was kept, and the report told of the new one."""
    rgb = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    depth = np.full((48, 64), 2.0) + rgb[..., 0] / 1000
    found = reconstruct(rgb, depth=depth, depth_kind="metric", mask="none", surface="grid")
    assert found.with_options(surface="poisson", mask="none", faces=900).options.faces == 900
    for name, value in {"fov": 40.0, "near": 2.0, "mask": "auto", "depth_kind": "scale"}.items():
        with pytest.raises(BadOption, match=f"{name} was needed to find the photo's geometry"):
            found.with_options(**{name: value})
