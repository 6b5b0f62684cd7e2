"""A folder of photos: all of them, or what is missing; a bad one, a kill and a writer beside cost nothing else."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from command_line import Outcome, started, tree
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recon import model_names, photos_in
from recon.cli.main import main
from recon.errors import BadInput

GIVEN = ["--depth-in=depth.npy", "--depth-kind=metric", "--surface=grid", "--mask=none"]
"""Quick: nothing is estimated."""
GOOD = [f"{i:02}.png" for i in range(18)]


@pytest.fixture
def album(place: Path, rgb: np.ndarray) -> Path:
    """Twenty photos, two of them bad, of which all but one are old; the current folder holds their depth map."""
    (place / "photos").mkdir()
    for i, name in enumerate(GOOD):
        Image.fromarray(np.roll(rgb, 3 * i, axis=1)).save(place / "photos" / name)
    (place / "photos/text.jpg").write_text("Dear photo,")
    Image.effect_noise((200, 200), 60).convert("RGB").save(place / "photos/half.jpg")
    (place / "photos/half.jpg").write_bytes((place / "photos/half.jpg").read_bytes()[:9000])
    for photo in (place / "photos").iterdir():
        os.utime(photo, (1e9, 1e9))
    (place / "photos/notes.txt").write_text("no photo")
    (place / "photos/within").mkdir()
    return place


def ran(*more: str) -> int:
    return main(["--rgb=photos", "--out=models", *GIVEN, "--quiet", *more])


def summary(place: Path) -> dict[str, dict]:
    return {row["photo"]: row for row in json.loads((place / "models/summary.json").read_text())["photos"]}


def times(place: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (place / "models").glob("[!.]*.glb")}


def test_twenty_photos_two_of_them_bad(album: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert ran() == 1
    out, err = capfd.readouterr()
    assert err == ""
    assert "18 done, 2 failed in" in out and "models/summary.csv" in out
    assert len(out.splitlines()) == 1 + 20 + 1 + 2
    names = {path.name for path in (album / "models").iterdir()}
    assert names == {name.replace(".png", ".glb") for name in GOOD} | {"summary.json", "summary.csv"}
    rows = summary(album)
    assert list(rows) == sorted([*GOOD, "half.jpg", "text.jpg"])
    assert {name for name, row in rows.items() if row["state"] == "failed"} == {"half.jpg", "text.jpg"}
    assert "breaks off or is damaged" in rows["half.jpg"]["told"][0]
    with (album / "models/summary.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [line["photo"] for line in table] == list(rows)
    assert all(int(line["faces"]) > 0 for line in table if line["state"] == "done")

    alone = ["--rgb=photos/07.png", "--out=alone.glb", *GIVEN, "--quiet"]
    assert main(alone) == 0
    assert (album / "models/07.glb").read_bytes() == (album / "alone.glb").read_bytes(), "the same as by itself"

    # what is done and newer is left alone, what has failed is tried again
    for name in GOOD[8:]:
        (album / "photos" / name).unlink()
    before = times(album)
    newer = time.time() - 60
    os.utime(album / "models/05.glb", (newer, newer))
    os.utime(album / "photos/05.png", (newer + 30, newer + 30))
    (album / "models/06.glb").unlink()
    (album / "models" / f".unflat-{2**22 + 1}-{'0' * 16}.glb").write_bytes(b"half")
    assert ran() == 1
    changed = {name for name, when in times(album).items() if when != before[name]}
    assert changed == {"05.glb", "06.glb"}
    states = {name: row["state"] for name, row in summary(album).items()}
    assert [name for name in GOOD[:8] if states[name] == "done"] == ["05.png", "06.png"]
    assert summary(album)["03.png"]["facts"] == rows["03.png"]["facts"], "the earlier run's facts are still told"
    assert not list((album / "models").glob(".unflat-*")), "what a killed run left is gone"

    # with other options everything is made anew
    for name in [*GOOD[2:], "text.jpg", "half.jpg"]:
        (album / "photos" / name).unlink(missing_ok=True)
    before = times(album)
    assert ran("--faces=200") == 0
    assert {name for name, when in times(album).items() if when != before[name]} == {"00.glb", "01.glb"}


def wait_for(what: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=["KILL", "TERM", "INT"])
def test_stopped_in_the_middle_and_begun_again(album: Path, sent: signal.Signals) -> None:
    child = started(album, "--rgb=photos", "--out=models", *GIVEN, "--jobs=2", start_new_session=True)
    wait_for(lambda: len(times(album)) >= 3)
    if sent == signal.SIGINT:  # as a terminal sends it, to all
        os.killpg(child.pid, sent)
    else:
        child.send_signal(sent)
    _, err = child.communicate(timeout=60)
    assert child.returncode == (-9 if sent == signal.SIGKILL else 130), err
    wait_for(lambda: not workers_of(child))
    made = times(album)
    assert 3 <= len(made) < 18
    if sent != signal.SIGKILL:
        assert err.decode().splitlines()[-1] == "gen.py: interrupted; nothing half-written was left"
        assert not list((album / "models").glob(".unflat-*"))
    assert ran() == 1
    after = times(album)
    assert len(after) == 18
    assert {name: after[name] for name in made} == made, "nothing is made twice"
    assert not list((album / "models").glob(".unflat-*"))
    assert {row["state"] for row in summary(album).values()} == {"done", "kept", "failed"}


def workers_of(child: subprocess.Popen[bytes]) -> list[int]:
    """Living processes of its session."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if int(fields[3]) == child.pid and fields[0] != "Z":
            found.append(int(entry.parent.name))
    return found


def test_a_photo_that_is_being_written_is_waited_for(album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("recon.cli.folder.SETTLED", 0.6)
    monkeypatch.setattr("recon.cli.folder.PATIENCE", 4.0)
    for name in [*GOOD[2:], "text.jpg", "half.jpg"]:
        (album / "photos" / name).unlink()
    whole = (album / "photos/00.png").read_bytes()
    for name in ("slow.png", "endless.png"):
        (album / "photos" / name).write_bytes(whole[:100])
    over = threading.Event()

    def write() -> None:
        for i in range(100, len(whole), 200):
            if over.wait(0.1):
                return
            with (album / "photos/slow.png").open("ab") as file:
                file.write(whole[i : i + 200])

    def write_endless() -> None:
        while not over.wait(0.1):
            with (album / "photos/endless.png").open("ab") as file:
                file.write(b"x")

    writers = [threading.Thread(target=write), threading.Thread(target=write_endless)]
    for writer in writers:
        writer.start()
    try:
        assert ran("--jobs=1") == 1
    finally:
        over.set()
        for writer in writers:
            writer.join()
    rows = summary(album)
    assert {name: row["state"] for name, row in rows.items()} == {
        "00.png": "done", "01.png": "done", "endless.png": "failed", "slow.png": "done"}  # fmt: skip
    assert rows["endless.png"]["code"] == "folder.being_written"
    assert rows["slow.png"]["facts"] == rows["00.png"]["facts"], "it was read whole"


REFUSED = {
    "no photo": (["--rgb=photos/within", "--out=models"], "there is no photo in the folder 'photos/within'"),
    "out is a file": (["--out=photo.png"], "--rgb 'photos' is a folder of photos and --out 'photo.png' a file"),
    "out is one model": (["--out=models/cup.glb"], "'models/cup.glb' would be one for all; give a folder, or"
                         " 'models/{name}.glb'"),
    "out is under a file": (["--out=photo.png/models"], "Not a directory"),
    "one preview": (["--out=models", "--preview=p.png"], "--preview 'p.png' would be one for all photos"),
    "one state": (["--out=models", "--refine=quick", "--resume=state"], "--resume 'state' would be one for all"),
    "among the photos": (["--out=photos", "--preview=photos/{name}_seen.png"], "would lie among the photos"),
    "no jobs": (["--out=models", "--jobs=0"], "--jobs is 0; give 1 or more"),
    "jobs of one": (["--rgb=photo.png", "--out=a.glb", "--jobs=2"], "--jobs is for a folder of photos"),
    "a wrong ending": (["--out=models/{name}.xyz"], "ends with '.xyz'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_told_before_a_photo_is_read(
    album: Path, capfd: pytest.CaptureFixture[str], case: str
) -> None:
    words, told = REFUSED[case]
    given = [] if any(word.startswith("--rgb") for word in words) else ["--rgb=photos"]
    before = tree(album)
    assert main([*given, *GIVEN, *words]) == 2
    out, err = capfd.readouterr()
    assert out == "" and len(err.splitlines()) == 1 and told in err, err
    assert tree(album) == before


def test_two_runs_do_not_write_into_one_folder(album: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from recon import alone_in

    (album / "models").mkdir()
    with alone_in(album / "models"):
        assert ran() == 2
    assert "another run is writing into 'models'" in capfd.readouterr().err


def test_each_photo_has_its_own_inputs_and_results(album: Path, z: np.ndarray, run: Callable[..., Outcome]) -> None:
    for name in [*GOOD[2:], "text.jpg", "half.jpg"]:
        (album / "photos" / name).unlink()
    for i, name in enumerate(("00", "01")):
        np.save(album / f"{name}.npy", z + i)
    given = ["--rgb=photos", "--out={name}/a.glb", "--out={name}/b.ply", "--depth-in={name}.npy", "--mask-out={name}/m.png",
             "--depth-kind=metric", "--surface=grid", "--report={name}/r.json"]  # fmt: skip
    assert main([*given, "--quiet"]) == 0
    assert {path.name for path in (album / "01").iterdir()} == {"a.glb", "b.ply", "m.png", "r.json"}
    near = [json.loads((album / name / "r.json").read_text())["depth"]["near"] for name in ("00", "01")]
    assert near[1] - near[0] == pytest.approx(1)


def test_photos_are_known_by_their_endings(album: Path) -> None:
    Image.new("RGB", (20, 20)).save(album / "photos/.hidden.png")
    (album / "photos/LOUD.JPG").write_bytes(b"")
    assert [path.name for path in photos_in(album / "photos")] == sorted([*GOOD, "half.jpg", "text.jpg", "LOUD.JPG"])
    with pytest.raises(BadInput, match="cannot be read"):
        photos_in(album / "nowhere")


@settings(max_examples=50)
@given(st.lists(st.from_regex(r"[aA _#.é]{1,4}\.(png|jpg)", fullmatch=True), unique=True, max_size=8))
def test_no_two_photos_results_are_called_the_same(names: list[str]) -> None:
    given = [Path(name) for name in names]
    found = model_names(given)
    assert len(found) == len(given)
    assert len({name.replace(" ", "_").replace("#", "_").casefold() for name in found}) == len(given)


def test_a_name_without_a_rival_is_the_photos_own() -> None:
    assert model_names([Path("cup.jpg"), Path("my cup.png")]) == ["cup", "my cup"]
    assert model_names([Path("cup.jpg"), Path("Cup.png")]) == ["cup_jpg", "Cup_png"]
