"""Runtime: each step, each order, each bad value, a folder with a bad photo in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from recon.errors import BadInput, BadOption
from recon.geometry.closed import is_closed
from recon.runtime import Runtime, Variables
from recon.runtime.pictures import depth_picture, subject_alone
from recon.types import DepthMap, Mask, Photo
from tests.models import toy_triposr

SIDE = 96


def cup(path: Path, shift: int = 0) -> Path:
    """A round thing on clear ground."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    inside = np.hypot(rows - 48, columns - 48 - shift) < 30
    shade = (120 + 100 * np.cos(columns / 9)).astype(np.uint8)
    Image.fromarray(np.dstack([shade, shade // 2, 255 - shade, inside.astype(np.uint8) * 255])).save(path)
    return path


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Runtime, Path]:
    """All steps of a folder of three photos, one of them bad."""
    place = tmp_path_factory.mktemp("runtime")
    (place / "photos").mkdir()
    cup(place / "photos/a.png")
    cup(place / "photos/b.png", 10)
    (place / "photos/bad.jpg").write_text("Dear photo,")
    heard: list[str] = []
    runtime = Runtime(tell=heard.append)
    runtime.set_variables(input_path=place / "photos", output_path=place / "output", views=3, model_save_format=".GLB")
    runtime.initilize().img_process().modelRun().render().export_mesh()
    assert heard == runtime.log
    return runtime, place / "output"


def test_everything_that_is_promised_is_there(done: tuple[Runtime, Path]) -> None:
    runtime, output = done
    there = {str(path.relative_to(output)) for path in output.rglob("*") if path.is_file()}
    frames = [f"render_{i:03}.png" for i in range(3)]
    wanted = {"runtime.log"}
    for name in ("a", "b"):
        wanted |= {f"images/{name}{end}" for end in (".png", "_depth.png", "_depth.npy")}
        wanted |= {f"renderfiles/{name}/{file}" for file in (*frames, "render.mp4")}
        wanted |= {f"3dfiles/{name}{end}" for end in (".glb", "_points.ply", "_poisson.ply")}
    assert there == wanted
    assert {str(path.relative_to(output)) for path in runtime.files} == wanted - {"runtime.log"}


def test_a_bad_photo_is_told_and_left_out(done: tuple[Runtime, Path]) -> None:
    runtime, _ = done
    assert list(runtime.failed) == ["bad.jpg"]
    assert "is no picture that can be read" in runtime.failed["bad.jpg"]


def test_each_step_is_timed_in_the_log(done: tuple[Runtime, Path]) -> None:
    runtime, output = done
    steps = ["initialize", "img_process", "modelRun", "render", "export_mesh"]
    assert list(runtime.seconds) == steps and all(seconds >= 0 for seconds in runtime.seconds.values())
    log = (output / "runtime.log").read_text()
    assert log.splitlines() == runtime.log
    for step in steps:
        assert re.search(rf"^{step} took \d+\.\d\d s$", log, re.MULTILINE)
    assert "whole objects by the built-in solid" in log and "on c" in log
    assert re.search(r"^  a\.png: \d+\.\d\d s$", log, re.MULTILINE)


def test_the_models_are_what_they_are_called(done: tuple[Runtime, Path]) -> None:
    runtime, output = done
    whole = trimesh.load(output / "3dfiles/a.glb", force="mesh")
    assert is_closed(runtime.result("a").mesh.welded().faces)
    assert len(whole.faces) == len(runtime.result("a").mesh.faces)
    points = trimesh.load(output / "3dfiles/a_points.ply")
    assert len(points.vertices) == len(runtime._work[0].points.positions) > 500
    smooth = trimesh.load(output / "3dfiles/a_poisson.ply")
    assert len(smooth.faces) > 100
    gaps = np.abs(smooth.vertices[:, None] - points.vertices[None, ::7]).max(2).min(1)
    assert np.median(gaps) < 0.1 * np.ptp(points.vertices, axis=0).max(), "both are of the same thing"
    middle = np.asarray(Image.open(output / "renderfiles/a/render_000.png"))[256, 256]
    assert np.abs(middle.astype(int) - 242).max() > 40, "the model is in the middle"


def test_the_pictures_show_the_subject_and_its_depth(done: tuple[Runtime, Path]) -> None:
    _, output = done
    alone = Image.open(output / "images/b.png")
    assert alone.mode == "RGBA" and alone.width == alone.height
    left, top, right, bottom = alone.getchannel("A").getbbox()
    assert max(right - left, bottom - top) / alone.width == pytest.approx(0.85, abs=0.02)
    exact = np.load(output / "images/b_depth.npy")
    shown = np.asarray(Image.open(output / "images/b_depth.png"))
    assert exact.shape == shown.shape == (SIDE, SIDE)
    assert np.array_equal(np.isnan(exact), shown == 0)
    border = np.ones((SIDE, SIDE), bool)
    border[12:-12, 12:-12] = False
    assert np.isnan(exact[border]).all(), "an eighth of a small photo's side, where the padding would be more"


ORDER = ["set_variables", "initialize", "img_process", "modelRun", "render"]


@pytest.mark.parametrize(("step", "next_step"), [
    ("initialize", "set_variables"), ("initilize", "set_variables"), ("img_process", "set_variables"),
    ("modelRun", "set_variables"), ("render", "set_variables"), ("export_mesh", "set_variables"),
    ("result", "set_variables"), ("variables", "set_variables"),
])  # fmt: skip
def test_nothing_runs_before_the_variables_are_set(step: str, next_step: str) -> None:
    with pytest.raises(BadInput, match=rf"the next step is {next_step}\(\)"):
        found = getattr(Runtime(print), step)
        found()


def test_each_step_names_the_one_that_is_missing(tmp_path: Path) -> None:
    runtime = Runtime(lambda _: None).set_variables(input_path=cup(tmp_path / "a.png"), output_path=tmp_path / "o")
    for step in ("img_process", "modelRun", "render", "export_mesh"):
        with pytest.raises(BadInput, match=rf"{step} needs .*; the next step is initialize\(\)"):
            getattr(runtime, step)()
    runtime.initialize()
    for step in ("modelRun", "render", "export_mesh"):
        with pytest.raises(BadInput, match=rf"{step} needs .*; the next step is img_process\(\)"):
            getattr(runtime, step)()
    assert not (tmp_path / "o").exists(), "nothing is written by a look"
    runtime.set_variables(input_path=tmp_path / "a.png")
    with pytest.raises(BadInput, match=r"the next step is initialize\(\)"):
        runtime.img_process()


WRONG: dict[str, tuple[Any, str]] = {
    "input_path": ("no.jpg", "input_path is 'no.jpg', which is not there; give a photo"),
    "output_path": (__file__, "output_path is .*, which is a file; give a folder"),
    "pretrained_model": ("", "pretrained_model is empty; give auto"),
    "depth_model": (None, "depth_model is empty"),
    "chunk_size": (0, "chunk_size is 0; give .* from 1 to"),
    "padding": (-1, "padding is -1; give .* from 0 to 256"),
    "foreground_ratio": (1.2, "foreground_ratio is 1.2; give .* from 0.3 to 1"),
    "mc_resolution": (8, "mc_resolution is 8; give cells along a side of marching cubes from 16 to 1024"),
    "model_save_format": ("fbx", "model_save_format is 'fbx'; give ply, obj, glb, stl, vtk"),
    "views": (0, "views is 0; give a number of pictures from 1 to 1000"),
    "elevation": (90.0, "elevation is 90; give an angle in degrees from -89 to 89"),
    "distance": (0.5, "distance is 0.5; give .* from 1.1 to 100"),
    "device": ("tpu", "device is 'tpu'; give auto, cpu, cuda"),
}


@pytest.mark.parametrize("name", WRONG)
def test_each_variable_says_what_came_and_what_is_allowed(tmp_path: Path, name: str) -> None:
    assert WRONG.keys() == Variables.__dataclass_fields__.keys() - {"offline"}
    value, told = WRONG[name]
    with pytest.raises(BadOption, match=told):
        Runtime(print).set_variables(**{"input_path": cup(tmp_path / "a.png"), name: value})


@pytest.mark.parametrize(("variable", "told"), [
    ("pretrained_model", "pretrained_model 'nope' is unknown; give auto, builtin, one of triposr"),
    ("depth_model", "depth_model 'nope' is unknown; give auto, one of builtin"),
])  # fmt: skip
def test_a_model_of_no_name_is_told_by_its_variable_before_anything_runs(
    tmp_path: Path, variable: str, told: str
) -> None:
    given = {"input_path": cup(tmp_path / "a.png"), "output_path": tmp_path / "o", variable: "nope"}
    with pytest.raises(BadOption, match=told):
        Runtime(lambda _: None).set_variables(**given).initialize()


def test_an_unknown_variable_and_a_missing_photo_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match="'mc_res' is no option; the nearest are mc_resolution"):
        Runtime(print).set_variables(input_path=cup(tmp_path / "a.png"), mc_res=3)
    with pytest.raises(BadOption, match="input_path is '', which is not there"):
        Runtime(print).set_variables()
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="there is no photo in the folder"):
        Runtime(lambda _: None).set_variables(input_path=tmp_path / "empty", output_path=tmp_path / "o").initialize()


def test_a_photo_that_is_none_is_an_error_by_itself(tmp_path: Path) -> None:
    (tmp_path / "bad.jpg").write_text("Dear photo,")
    runtime = Runtime(lambda _: None).set_variables(input_path=tmp_path / "bad.jpg", output_path=tmp_path / "o")
    with pytest.raises(BadInput, match="no picture that can be read"):
        runtime.initialize().img_process()


def test_a_subject_takes_the_share_that_is_asked_for() -> None:
    inside = np.zeros((60, 90), bool)
    inside[20:40, 30:80] = True
    photo = Photo(np.full((60, 90, 3), 200, np.uint8))
    for ratio in (0.5, 0.85, 1.0):
        alone = subject_alone(photo, Mask(inside, "file"), ratio)
        assert alone.shape == (round(50 / ratio), round(50 / ratio), 4)
        assert (alone[..., 3] > 0).sum() == 20 * 50
    assert np.array_equal(subject_alone(photo, Mask(None, "none"), 0.5)[..., :3], photo.rgb)


def test_near_is_bright_in_a_depth_picture() -> None:
    z = np.linspace(1, 4, 100, dtype=np.float32).reshape(10, 10)
    z[0, 0] = np.nan
    shown = depth_picture(DepthMap(z, True))
    assert shown[0, 0] == 0
    rest = shown.ravel()[1:].astype(int)
    assert (np.diff(rest) <= 0).all() and rest.min() == 35 and rest.max() == 255


def test_an_object_models_weights_in_a_folder_are_used_as_the_variables_say(tmp_path: Path) -> None:
    triposr = toy_triposr.write(tmp_path / "weights", toy_triposr.ellipsoid())
    runtime = Runtime(lambda _: None)
    sizes = []
    for resolution in (16, 48):
        runtime.set_variables(input_path=cup(tmp_path / "a.png"), output_path=tmp_path / "o", padding=4,
                              pretrained_model=str(triposr), mc_resolution=resolution, chunk_size=1000)  # fmt: skip
        runtime.initialize().img_process().modelRun()
        assert "whole objects by the built-in" not in "".join(runtime.log)
        found = runtime.result()
        assert is_closed(found.mesh.welded().faces)
        assert found.whole is not None and found.whole.seen.shape.chunk == 1000
        sizes.append(len(found.whole.faces))
    assert sizes[1] > 4 * sizes[0], "the surface's cells shrink with mc_resolution in both directions"


def test_missing_weights_are_told_and_the_solid_stands_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "none"))
    for name in ("auto", "triposr"):
        runtime = Runtime(lambda _: None)
        runtime.set_variables(input_path=cup(tmp_path / "a.png"), pretrained_model=name, offline=True,
                              output_path=tmp_path / "o")  # fmt: skip
        runtime.initialize()
        log = "\n".join(runtime.log)
        assert "whole objects by the built-in solid" in log
        assert "built-in solid stands for it" in log
