"""Signals, full disks and listeners that go away: nothing is left half-written, whatever ends a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import GEN, Outcome, full_disk, started, tree, words
from PIL import Image

FULL = {
    "mesh.ply": "out", "mesh.obj": "out", "mesh.glb": "out", "mesh.stl": "out", "mesh.vtk": "out",
    "cloud.ply": "points_out", "cloud.vtk": "points_out", "d.npy": "depth_out", "d.png": "depth_out",
    "m.png": "mask_out", "p.png": "preview", "t.gif": "turntable", "t.mp4": "turntable",
    "w.webp": "parallax", "f.mp4": "parallax", "r.json": "report",
}  # fmt: skip


@pytest.mark.parametrize("name", FULL)
def test_a_full_disk_leaves_the_old_files(
    run: Callable[..., Outcome], place: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[str, Any] = {FULL[name]: f"out/{name}"}
    if FULL[name] != "out":
        monkeypatch.setattr("recon.io.write.write_mesh", lambda *_: [])  # the model finds room
    if FULL[name] in ("turntable", "parallax"):
        frame = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)  # drawing takes seconds
        monkeypatch.setattr("recon.io.offscreen.OffscreenRenderer.render", lambda *_: frame)
    if FULL[name] == "mask_out":  # one of a plain outline would still fit
        noise = np.random.default_rng(0).random((48, 64)) < 0.8
        Image.fromarray(noise).save(place / "noise.png")
        options["mask"] = "noise.png"
    old = dict.fromkeys((name, "mesh.mtl", "mesh_texture.jpg"), b"old")
    for file, data in old.items():
        (place / "out" / file).write_bytes(data)
    with full_disk():
        done = run("--quiet", **options)
    assert (done.code, done.out, len(done.err)) == (2, [], 1), done
    assert f"cannot write 'out/{name[:4]}" in done.err[0]
    assert tree(place / "out") == old


STEPS = {
    "reading": "recon.pipeline.read_photo",
    "the mask": "recon.pipeline.find_subject",
    "the mesh": "recon.results.Reconstruction.mesh",
    "writing": "recon.io.write_ply.write_bytes",
    "flushing": "recon.io.files.os.fsync",
    "renaming": "recon.io.files.os.replace",
    "the preview": "recon.io.offscreen.OffscreenRenderer.render",
    "the turntable": "recon.io.turntable.turntable_angles",
    "the parallax": "recon.io.parallax.parallax_views",
    "the report": "recon.io.write.write_report",
}


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("step", STEPS)
def test_a_signal_at_any_step_leaves_nothing_half_written(
    run: Callable[..., Outcome], place: Path, monkeypatch: pytest.MonkeyPatch, step: str, sent: signal.Signals
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        os.kill(os.getpid(), sent)
        time.sleep(5)

    later = {
        "the preview": "out/p.png",
        "the turntable": "out/t.gif",
        "the parallax": "out/f.gif",
        "the report": "out/r.json",
    }.get(step)
    if later:  # the model is whole by then
        monkeypatch.setattr("recon.io.write.write_mesh", lambda *_: [])
    monkeypatch.setattr(STEPS[step], property(interrupted) if step == "the mesh" else interrupted)
    (place / "out/model.ply").write_bytes(b"old")
    before = tree(place)
    done = run("--quiet", **({step.removeprefix("the "): later} if later else {}))
    assert (done.code, done.out) == (130, [])
    assert done.err == ["gen.py: interrupted; nothing half-written was left"]
    assert tree(place) == before


def test_a_signal_that_a_library_swallows_is_obeyed_at_the_next_stage(
    run: Callable[..., Outcome], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swallows(*_: object) -> None:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    def turns_it_into_its_own(*_: object) -> None:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            raise ImportError("initialization failed") from None

    before = tree(place)
    for reaction in (swallows, turns_it_into_its_own):
        monkeypatch.setattr("recon.pipeline.find_camera", reaction)
        done = run("--quiet")
        assert (done.code, done.err) == (130, ["gen.py: interrupted; nothing half-written was left"])
        assert tree(place) == before


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_process_that_is_told_to_stop_in_its_work(place: Path, rgb: np.ndarray, z: np.ndarray, sent: int) -> None:
    pytest.importorskip("open3d")
    Image.fromarray(np.tile(rgb, (8, 8, 1))).save(place / "large.png")
    np.save(place / "large.npy", np.tile(z, (8, 8)))
    before = tree(place)
    child = started(place, "--rgb=large.png", "--depth-in=large.npy", "--depth-kind=metric", "--surface=poisson",
                    "--poisson-depth=9", "--out=out/model.ply", "--turntable=out/t.gif")  # fmt: skip
    assert child.stderr is not None
    lines = []
    while lines[-1:] != [b"mesh\n"]:
        lines.append(child.stderr.readline())
        assert lines[-1], lines
    time.sleep(0.2)
    child.send_signal(sent)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, out) == (130, b"")
    assert err.decode().splitlines() == ["gen.py: interrupted; nothing half-written was left"]
    assert tree(place) == before


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_process_that_is_told_to_stop_before_it_has_begun(sent: int) -> None:
    code = (
        "import signal, sys; sys.path.insert(0, sys.argv[1]); sys.argv[0] = 'gen.py'; from recon.cli import process;"
        f" process._open_standard_streams = lambda: signal.raise_signal({int(sent)}); process.start()"
    )
    done = subprocess.run([sys.executable, "-c", code, str(GEN.parent)], capture_output=True, text=True, check=False)
    said = (done.returncode, done.stdout, done.stderr)
    assert said == (130, "", "gen.py: interrupted; nothing half-written was left\n")


def test_results_stay_whole_when_nobody_listens(place: Path) -> None:
    """Standard output or error that is closed, a broken pipe or a full device: no traceback, the model is there."""
    arguments = words({})
    read_end, write_end = os.pipe()
    os.close(read_end)
    with open("/dev/full", "wb") as full:
        cases: list[tuple[dict[str, Any], int]] = [
            ({"stdout": write_end}, 0), ({"stderr": write_end}, 0), ({"stdout": write_end, "stderr": write_end}, 0),
            ({"stdout": full}, 2), ({"stderr": full}, 0),
            ({"preexec_fn": lambda: os.close(1)}, 0), ({"preexec_fn": lambda: os.close(2)}, 0),
        ]  # fmt: skip
        children = [started(place, *arguments[:-1], f"--out=out/{i}.ply", **c) for i, (c, _) in enumerate(cases)]
        ends = [(child.communicate(timeout=60), child.returncode) for child in children]
    os.close(write_end)
    for i, (((out, err), code), (_, expected)) in enumerate(zip(ends, cases, strict=True)):
        assert code == expected, (i, err)
        assert b"Traceback" not in (err or b"") + (out or b"")
        assert b"Exception ignored" not in (err or b"")
    assert (ends[3][0][1] or b"").splitlines()[-1].startswith(b"gen.py: cannot write to the standard output: No space")
    sizes = {path.name: path.stat().st_size for path in (place / "out").iterdir()}
    assert set(sizes) == {f"{i}.ply" for i in range(len(cases))}
    assert len(set(sizes.values())) == 1


def test_help_and_models_need_no_photo(place: Path) -> None:
    for option, word in (("--help", b"--poisson-depth"), ("--models", b"builtin")):
        child = started(place, option)
        out, err = child.communicate(timeout=60)
        assert (child.returncode, err) == (0, b"")
        assert word in out
    listener = started(place, "--models", stdout=subprocess.PIPE)
    assert listener.stdout is not None
    listener.stdout.close()
    assert listener.wait(60) == 0
    assert listener.stderr is not None
    with listener.stderr as errors:
        assert errors.read() == b""


def test_a_process_says_one_line_to_a_stranger(place: Path) -> None:
    """As a person sees it, with nothing of pytest's around it: also what C libraries print."""
    (place / "photo.jpg").write_bytes(b"II*\0" + bytes(range(256)) * 9)
    for bad in ({"rgb": "photo.jpg"}, {"fov": "abc"}, {"out": "model.xyz"}):
        child = started(place, *words(bad))
        out, err = child.communicate(timeout=60)
        assert (child.returncode, out, err.count(b"\n")) == (2, b"", 1), err
