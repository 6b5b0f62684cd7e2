"""The command line as strangers use it: every bad input is one line and exit 2, every interruption leaves nothing."""

from __future__ import annotations

import json
import os
import socket
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Outcome, tree
from PIL import Image

from recon.cli.arguments import read_options
from recon.cli.photo import parser
from recon.errors import BadOption
from recon.options import RefineOptions


def assert_refused(run: Callable[..., Outcome], place: Path, expected: list[str], *more: str, **changes: Any) -> None:
    before = tree(place)
    outcome = run(*more, **changes)
    assert outcome.code == 2, outcome
    assert outcome.out == []
    assert len(outcome.err) == 1, outcome.err
    line = outcome.err[0]
    assert line.startswith("gen.py: ")
    assert all(word in line for word in expected), line
    assert tree(place) == before


def bomb(width: int, height: int) -> bytes:
    """A PNG of one bit per pixel, all black: a thousandth of its pixels' size."""
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(bytes(1 + (width + 7) // 8) * 100) for _ in range(height // 100)) + packer.flush()
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)), (b"IDAT", rows), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def half_a_jpeg(path: Path) -> None:
    Image.effect_noise((200, 200), 60).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[:9000])


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)  # relative: the name of a socket may have 107 bytes at most


def transparent(path: Path) -> None:
    Image.new("RGBA", (64, 48), (200, 20, 20, 0)).save(path)


UNREADABLE: dict[str, tuple[str, Callable[[Path], object], list[str]]] = {
    "missing": ("no.jpg", lambda p: None, ["'no.jpg' does not exist", "give the path of a file"]),
    "a folder": ("folder.jpg", Path.mkdir, ["'folder.jpg' is a folder"]),
    "text": ("text.jpg", lambda p: p.write_text("Dear photo,"), ["'text.jpg' is no picture", "JPEG, PNG, WebP"]),
    "half a JPEG": ("half.jpg", half_a_jpeg, ["'half.jpg' breaks off or is damaged", "download it again"]),
    "zero bytes": ("zero.png", Path.touch, ["'zero.png' is empty (0 bytes)"]),
    "a bomb": ("bomb.png", lambda p: p.write_bytes(bomb(30_000, 30_000)),
               ["'bomb.png' is 30000×30000 pixels", "120 megapixels", "--max-megapixels"]),
    "transparent": ("glass.png", transparent, ["'glass.png' is fully transparent"]),
    "tiny": ("dot.png", lambda p: Image.new("RGB", (9, 9)).save(p), ["9×9 pixels", "at least 16 on each side"]),
    "a pipe": ("pipe.jpg", os.mkfifo, ["'pipe.jpg' is no regular file (a pipe"]),
    "a socket": ("socket.jpg", a_socket, ["no regular file"]),
    "a link to a device": ("device.jpg", lambda p: p.symlink_to("/dev/zero"), ["'device.jpg' is no regular file"]),
    "a link to itself": ("loop.jpg", lambda p: p.symlink_to("loop.jpg"), ["'loop.jpg' cannot be read"]),
    "a link to nothing": ("gone.jpg", lambda p: p.symlink_to("nothing"), ["'gone.jpg' does not exist"]),
    "a name in two lines": ("two\nlines.jpg", lambda p: None, [r"'two\nlines.jpg' does not exist"]),
    "a name that is no text": ("\udcff\udcfe.jpg", lambda p: None, ["does not exist"]),
    "a long name": ("x" * 300, lambda p: None, ["File name too long"]),
    "under a file": ("photo.png/x.png", lambda p: None, ["Not a directory"]),
    "PostScript": ("a.png", lambda p: p.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"), ["no picture"]),
    "an empty name": ("", lambda p: None, ["is a folder"]),
}  # fmt: skip


@pytest.mark.parametrize(("name", "make", "expected"), UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_photos(
    run: Callable[..., Outcome],
    place: Path,
    name: str,
    make: Callable[[Path], object],
    expected: list[str],
) -> None:
    make(place / name)
    assert_refused(run, place, expected, rgb=name)
    assert_refused(run, place, expected, rgb=name, depth_in=None, depth_kind=None)


@pytest.mark.parametrize("option", ["depth_in", "mask"])
@pytest.mark.parametrize("case", ["missing", "a folder", "text", "half a JPEG", "zero bytes", "a bomb", "a pipe"])
def test_unreadable_depth_maps_and_masks(run: Callable[..., Outcome], place: Path, case: str, option: str) -> None:
    name, make, expected = UNREADABLE[case]
    make(place / name)
    what = "the depth map" if option == "depth_in" else "the mask"
    expected = ["16-bit PNG" if option == "depth_in" and word == "JPEG, PNG, WebP" else word for word in expected]
    assert_refused(run, place, [what, *expected], **{option: name})


HEADER_OF_40_GB = b"\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (100000, 100000)}   "
BAD_DEPTHS = {
    "wrong size": (np.ones((64, 48)), "48×64 pixels and the upright photo 64×48"),
    "NaN": (np.full((48, 64), np.nan), "0 usable values (finite and above 0)"),
    "a pickle": (np.array({"a": 1}, dtype=object), "it holds object"),
    "40 GB": (HEADER_OF_40_GB, "its header promises 40000000000 bytes and 0 are there"),
    "complex": (np.ones((48, 64), complex), "it holds complex128"),
    "bool": (np.ones((48, 64), bool), "it holds bool"),
    "colours": (np.arange(48.0 * 64 * 3).reshape(48, 64, 3), "3 channels that differ"),
}


@pytest.mark.parametrize(("values", "expected"), BAD_DEPTHS.values(), ids=BAD_DEPTHS)
def test_unusable_depth_maps(run: Callable[..., Outcome], place: Path, values: Any, expected: str) -> None:
    if isinstance(values, bytes):
        (place / "bad.npy").write_bytes(values)
    else:
        np.save(place / "bad.npy", values, allow_pickle=True)
    assert_refused(run, place, ["the depth map 'bad.npy'", expected], depth_in="bad.npy")


def test_masks_that_do_not_fit(run: Callable[..., Outcome], place: Path) -> None:
    Image.new("L", (64, 47), 255).save(place / "small.png")
    assert_refused(run, place, ["'small.png' is 64×47 pixels and the upright photo 64×48"], mask="small.png")
    assert_refused(run, place, ["is a folder"], mask="")
    assert_refused(run, place, ["--mask 'grabcutt' is unknown", "auto, none, alpha", "grabcut"], mask="grabcutt")
    assert_refused(run, place, ["the mask 'away.png' does not exist"], mask="away.png")


BAD_VALUES = {
    "fov": {"0": "from 1 to 170", "180": "from 1 to 170", "-20": "is -20;", "nan": "is nan;", "abc": "'abc'",
            "1e999": "is inf;", "": "invalid float"},
    "focal_mm": {"0": "is 0;", "nan": "is nan", "1e9": "from 5 to 1500", "26mm": "invalid float"},
    "centre": {"5": "'5' is no pair", "a,b": "'a,b' is no pair", "1,2,3": "give two with a comma, U,V",
               "nan,1": "is nan,1;", "999,1": "not farther from this photo of 64×48 than its own size"},
    "focal_px": {"0": "is 0;", "inf": "from 3.2 to 6400", "nan": "is nan", "-5": "is -5", "1e9": "is 1000000000"},
    "poisson_depth": {"3": "from 4 to 12", "13": "is 13;", "-8": "is -8", "99999999999999999999": "from 4 to 12",
                      "8.5": "invalid int", "nan": "invalid int"},
    "faces": {"-5": "is -5; give a number of triangles, at least 4", "0": "is 0", "3": "is 3", "1e5": "'1e5'"},
    "voxel": {"nan": "is nan", "0": "is 0", "-1": "is -1", "inf": "is inf", "1e-30": "from 1e-06 to 1000000"},
    "near": {"0": "--near is 0", "nan": "--near is nan", "1e-300": "from 1e-06"},
    "far": {"-3": "--far is -3", "inf": "--far is inf"},
    "depth_scale": {"0": "--depth-scale is 0; give the depth map's units per metre from", "nan": "is nan",
                    "-1000": "is -1000", "1e-300": "from 1e-06"},
    "depth_kind": {"": "disparity", "metres": "invalid choice: 'metres'"},
    "max_mib": {"0": "--max-mib is 0", "nan": "is nan", "-1": "above 0", "1e-9": "'photo.png' has"},
    "max_megapixels": {"0": "--max-megapixels is 0", "inf": "is inf", "0.001": "at most 0.001 megapixels"},
    "splats": {"999": "is 999; give a number of Gaussian splats from 1000 to 5000000", "1e5": "'1e5'"},
    "kind": {"voxels": "points"},
    "surface": {"nurbs": "solid"},
    "device": {"tpu": "cuda"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("option", "value", "expected"), [(o, v, e) for o, values in BAD_VALUES.items() for v, e in values.items()]
)
def test_values_out_of_range(run: Callable[..., Outcome], place: Path, option: str, value: str, expected: str) -> None:
    assert_refused(run, place, [expected], **{option: value})


BAD_COMBINATIONS: dict[str, tuple[list[str], dict[str, str | None], list[str]]] = {
    "nothing": ([], dict.fromkeys(["rgb", "out", "depth_in", "depth_kind", "surface"]), ["--rgb PHOTO", "--out MODEL"]),
    "no photo": ([], {"rgb": None}, ["both needed", "--help"]),
    "no model": ([], {"out": None}, ["both needed", "--help"]),
    "no kind": ([], {"depth_kind": None}, ["without its kind", "metric, scale or disparity"]),
    "near behind far": (["--near", "5", "--far", "1"], {}, ["--near 5 is not nearer than --far 1"]),
    "a film's path without a film": (["--parallax-path", "dolly"], {}, ["--parallax-path is for a film", "--parallax"]),
    "two cameras": (["--fov", "50", "--focal-px", "60"], {}, ["both --fov and --focal-px"]),
    "a typo": (["--rbg", "x.png"], {}, ["unrecognized arguments: --rbg", "--help"]),
    "an abbreviation": (["--foca", "60"], {}, ["unrecognized arguments: --foca"]),
    "a second photo": (["other.jpg"], {}, ["unrecognized arguments: other.jpg"]),
    "two lines": (["other\njpg"], {}, ["unrecognized arguments: other jpg"]),
    "no value": (["--fov"], {}, ["expected one argument"]),
    "a flag's value": (["--quiet=yes"], {}, ["ignored explicit argument 'yes'"]),
    "unknown model": (["--depth-model", "midaz"], {"depth_in": None, "depth_kind": None},
                      ["--depth-model 'midaz' is unknown", "auto", "dpt-hybrid"]),
    "no model's name": (["--depth-model="], {"depth_in": None, "depth_kind": None}, ["--depth-model '' is unknown"]),
    "splats to print": (["--kind", "splats"], {"out": "x.stl"},
                        ["the splats 'x.stl' ends with '.stl'", "ends with .ply, .splat, .spz, .glb"]),
    "a mesh as splats": (["--kind", "mesh"], {"out": "x.spz"}, ["the model 'x.spz' ends with '.spz'", ".ply, .obj"]),
    "a cloud as splats": (["--kind", "points"], {"out": "x.splat"}, ["the model 'x.splat'", "ends with .ply, .vtk"]),
    "a stand under splats": (["--base"], {"out": "x.spz"}, ["are for printing", "ends with .stl"]),
    "nobody's model": (["--depth-model", "~nobody-at-all/x"], {"depth_in": None, "depth_kind": None}, ["is unknown"]),
}  # fmt: skip


@pytest.mark.parametrize(("more", "changes", "expected"), BAD_COMBINATIONS.values(), ids=BAD_COMBINATIONS)
def test_options_that_make_no_sense(
    run: Callable[..., Outcome], place: Path, more: list[str], changes: dict[str, str | None], expected: list[str]
) -> None:
    assert_refused(run, place, expected, *more, **changes)


@pytest.mark.parametrize(
    ("option", "endings"),
    [
        ("out", ".ply, .obj, .glb, .stl, .vtk"), ("points_out", ".ply, .vtk"), ("depth_out", ".npy, .png"),
        ("mask_out", ".png"), ("preview", ".png"), ("turntable", ".mp4, .gif, .webp"),
        ("parallax", ".mp4, .gif, .webp"), ("report", ".json"),
    ],
)  # fmt: skip
def test_results_that_cannot_be_written(run: Callable[..., Outcome], place: Path, option: str, endings: str) -> None:
    end = endings.split(",")[0]
    (place / f"folder{end}").mkdir()
    (place / "file").write_text("x")
    (place / f"null{end}").symlink_to("/dev/null")
    os.mkfifo(place / f"pipe{end}")
    for name, expected in {
        "model.xyz": f"ends with '.xyz'; give a name that ends with {endings}", "model": "has no ending",
        "": "has no ending", f"folder{end}": "is a folder", f"file/x{end}": "Not a directory",
        f"null{end}": "no regular file", f"pipe{end}": "no regular file", f"/proc/x{end}": "choose a place",
        "x" * 300 + end: "File name too long",
    }.items():  # fmt: skip
        assert_refused(run, place, [expected], **{option: name})


def test_inputs_and_results_are_not_overwritten(run: Callable[..., Outcome], place: Path, rgb: np.ndarray) -> None:
    Image.fromarray(rgb).save(place / "cup_texture.jpg")
    Image.new("L", (64, 48), 255).save(place / "mask.png")
    (place / "link.png").symlink_to("photo.png")
    os.link(place / "photo.png", place / "hard.png")
    clash = ["would overwrite the photo; give another name"]
    for name in ("photo.png", "./photo.png", "out/../photo.png", str(place / "photo.png"), "link.png", "hard.png"):
        assert_refused(run, place, clash, preview=name)
        assert_refused(run, place, clash, depth_out=name)
        assert_refused(run, place, clash, mask_out=name)
    assert_refused(run, place, clash, rgb="cup_texture.jpg", out="cup.obj")
    assert_refused(run, place, ["would overwrite the given mask"], preview="mask.png", mask="mask.png")
    assert_refused(run, place, ["would overwrite the given mask"], mask_out="out/../mask.png", mask="mask.png")
    assert_refused(run, place, ["would overwrite the given depth map"], depth_out="depth.npy")
    assert_refused(run, place, ["would overwrite the model"], points_out="out/model.ply")
    assert_refused(run, place, ["would overwrite the model"], "--out", "out/../out/model.ply")
    assert_refused(run, place, ["would overwrite the model"], "--out", "out/a b.obj", "--out", "out/a_b.obj")
    assert_refused(run, place, ["would overwrite the depth map"], depth_out="out/a.png", preview="out/a.png")
    assert_refused(run, place, ["would overwrite the mask"], mask_out="out/a.png", preview="out/a.png")


def test_a_good_run_prints_its_files_and_nothing_else_on_stdout(run: Callable[..., Outcome], place: Path) -> None:
    done = run(report="out/r.json", depth_out="out/d.npy", mask_out="out/m.png", points_out="out/p.ply",
               out="out/model.obj")  # fmt: skip
    names = ["out/p.ply", "out/model.obj", "out/model.mtl", "out/model_texture.jpg", "out/d.npy", "out/m.png",
             "out/r.json"]  # fmt: skip
    assert (done.code, done.out) == (0, names)
    assert done.err[:2] == ["read", "subject"]
    assert done.err[-2].startswith("note: the photo does not say its field of view: 60°")
    assert done.err[-1].startswith("note: 'm.png' is white everywhere, for no single subject was cut out")
    assert sorted(f"out/{path.name}" for path in (place / "out").iterdir()) == sorted(names)
    report = json.loads((place / "out/r.json").read_text())
    assert report["photo"] == {"name": "photo", "width": 64, "height": 48}
    assert report["camera"]["source"] == "default"
    assert report["camera"]["fov_x_deg"] == 60
    assert report["depth"]["model"] == "given"
    assert report["depth"]["unit"] == "metre"
    assert 1.8 <= report["depth"]["near"] < report["depth"]["far"] <= 2.2
    assert report["counts"]["points"] == 48 * 64
    assert report["files"] == names[:-1]
    assert set(report["seconds"]) == {"read", "subject", "points", "mesh", "write"}


def test_an_empty_list_of_words_is_as_if_left_out() -> None:
    """As a shell gives it for an unset variable."""
    given = parser().parse_args(["--refine", "full", "--guidance", ""])
    assert read_options(given, RefineOptions) == RefineOptions("full")
    with pytest.raises(BadOption, match="unknown"):
        read_options(parser().parse_args(["--refine", "full", "--guidance", ","]), RefineOptions)


def test_quiet_is_quiet(run: Callable[..., Outcome]) -> None:
    assert run("--quiet") == Outcome(0, ["out/model.ply"], [])


def test_a_missing_folder_is_made_and_said(run: Callable[..., Outcome], place: Path) -> None:
    done = run(out="new/deep er/model.ply", depth_out="new/deep er/d.png")
    assert done.code == 0
    assert [line for line in done.err if "folder" in line] == ["note: made the folder 'new/deep er'"]
    assert (place / "new/deep er/model.ply").stat().st_size > 1000


def test_a_missing_model_is_exit_3_and_the_command_that_gets_it(
    run: Callable[..., Outcome], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("HF_HOME", "UNFLAT_MODELS", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(place / "nowhere"))
    before = tree(place)
    for name, command in (("dpt-hybrid", "get them with: "), ("someone/something", "hf download someone/something")):
        done = run("--offline", depth_in=None, depth_kind=None, depth_model=name)
        assert (done.code, done.out, len(done.err)) == (3, [], 1), done
        assert command in done.err[0]
    assert tree(place) == before


NAMES = [
    "with space.png",
    "Käthe Ω.png",
    "🫖.png",
    "-dash.png",
    "two\nlines.png",
    "# %s {}.png",
    "\udcff.png",
    "UPPER.PNG",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_works_for_photos_and_results(run: Callable[..., Outcome], place: Path, name: str) -> None:
    (place / "photo.png").rename(place / name)
    stem = name[:-4]
    done = run(rgb=name, out=f"out/{stem}/{stem}.obj", report=f"out/{stem}.json", depth_out=f"out/{stem}.png")
    assert done.code == 0, done.err
    made = {path.name for path in (place / "out").rglob("*") if path.is_file()}
    safe = "".join("_" if letter in " \n#" else letter for letter in stem)
    assert made == {f"{stem}.obj", f"{safe}.mtl", f"{safe}_texture.jpg", f"{stem}.json", f"{stem}.png"}
    material = (place / "out" / stem / f"{safe}.mtl").read_bytes()
    assert b"map_Kd " + os.fsencode(f"{safe}_texture.jpg") in material.splitlines()
    assert json.loads((place / f"out/{stem}.json").read_bytes())["photo"]["name"] == stem


def test_what_the_camera_wrote_into_the_photo_is_in_no_result(
    run: Callable[..., Outcome], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyvista")
    monkeypatch.setattr("recon.io.film.PICTURE_FPS", 1)  # 8 small frames
    monkeypatch.setattr("recon.io.turntable.TURNTABLE_SIDE", 64)
    monkeypatch.setattr("recon.io.parallax.TURNTABLE_SIDE", 64)
    tags = Image.Exif()
    tags[0x010F], tags[0x9C9C] = "SECRETCAM", "SECRET comment".encode("utf-16-le")
    tags.get_ifd(0x8825)[2] = (48.0, 12.0, 3.0)
    tags.get_ifd(0x8769)[0xA405] = 50
    with Image.open(place / "photo.png") as picture:
        picture.save(place / "secret.jpg", exif=tags, comment=b"SECRETCOMMENT", xmp=b"<x:xmpmeta>SECRETXMP</x:xmpmeta>")
    more = [word for end in ("ply", "obj", "stl", "vtk") for word in ("--out", f"out/m.{end}")]
    done = run(*more, rgb="secret.jpg", out="out/m.glb", report="out/r.json", depth_out="out/d.png",
               mask_out="out/s.png", preview="out/p.png", points_out="out/c.ply", turntable="out/t.gif",
               parallax="out/f.webp")  # fmt: skip
    assert done.code == 0, done.err
    assert json.loads((place / "out/r.json").read_text())["camera"]["source"] == "exif"
    files = [path for path in (place / "out").iterdir() if path.is_file()]
    assert len(files) == 14
    for path in files:
        data = path.read_bytes()
        assert not any(word in data for word in (b"SECRET", b"Exif", b"xmpmeta", b"S\0E\0C\0R")), path
    assert np.asarray(Image.open(place / "out/p.png").convert("RGB")).std() > 5  # something is to be seen


@pytest.mark.parametrize(
    "option", ["--kind=points", "--surface=poisson", "--surface=solid", "--faces=4", "--voxel=1e-6"]
)
def test_extremes_of_depth_are_no_crash(run: Callable[..., Outcome], place: Path, option: str) -> None:
    """Depths over 12 decades, lone pixels and half a map: a model or one sentence; warnings of numpy would be errors."""
    pytest.importorskip("open3d")
    rng = np.random.default_rng(5)
    wild = np.exp(rng.uniform(np.log(1e-6), np.log(1e6), (48, 64))).astype(np.float32)
    lone = np.where(rng.random((48, 64)) < 0.01, wild, np.nan)
    half = np.where(np.arange(64) < 32, np.float32(2) + wild * 1e-9, np.nan).astype(np.float32)
    for values in (wild, lone, half):
        for kind in ("metric", "scale", "disparity"):
            np.save(place / "wild.npy", values)
            done = run(option, *(["--near", "1e-6", "--far", "1e6"] if kind == "disparity" else []), depth_in="wild.npy",
                       depth_kind=kind)  # fmt: skip
            assert done.code in (0, 2)
            assert done.code == 0 or done.err[-1].startswith("gen.py: ")
