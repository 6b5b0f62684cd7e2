"""A photo, or a given pair, to a pair that can be looked at; the command line of it."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from recon import stereo
from recon.cli.main import main
from recon.errors import BadInput, BadOption
from recon.stereo.align import aligned_right, find_alignment
from recon.stereo.mpo import mpo_bytes
from recon.types import DepthMap, Photo
from tests.scenes import frozen


@pytest.fixture(scope="module")
def scene() -> tuple[np.ndarray, np.ndarray]:
    """A textured picture with a near card in its middle, and its metric depth."""
    noise = np.random.default_rng(1).integers(0, 256, (96, 128, 3), np.uint8)
    photo = cv2.GaussianBlur(noise, (0, 0), 1.2)
    z = np.full((96, 128), 4.0, np.float32)
    z[30:70, 45:85] = 1.5
    return frozen(photo), frozen(z)


def pair_of_scene(scene: tuple[np.ndarray, np.ndarray], **options: object) -> stereo.StereoPair:
    photo, z = scene
    return stereo.stereo_pair(photo, depth=z, depth_kind="metric", fov=60.0, **options)


def moved(pair: stereo.StereoPair, rows: slice, columns: slice) -> float:
    """Disparity x_left − x_right of a window, measured by matching."""
    window = pair.left[rows, columns]
    strip = pair.right[rows]
    cost = cv2.matchTemplate(strip, window, cv2.TM_SQDIFF)[0]
    return columns.start - int(cost.argmin())


CARD, WALL = (slice(35, 65), slice(55, 75)), (slice(5, 25), slice(20, 100))


def test_a_near_card_moves_left_in_the_right_eye(scene: tuple[np.ndarray, np.ndarray]) -> None:
    pair = pair_of_scene(scene, strength=10.0, screen="far", limit="off")
    assert abs(moved(pair, *CARD) - 12.8) <= 1 and moved(pair, *WALL) == 0
    behind = pair_of_scene(scene, strength=10.0, screen="near", limit="off")
    assert moved(behind, *CARD) == 0 and abs(moved(behind, *WALL) + 12.8) <= 1


def test_a_preview_of_known_depth_begins_where_the_pair_does(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """The same strength and screen, and the card nearer than the wall, by as much as their inverse depths say."""
    photo, z = scene
    found = stereo.preview_of_depth(Photo(photo), DepthMap(z, True, "given"))
    pair = pair_of_scene(scene)
    assert found.facts()["strength"] == pytest.approx(pair.facts["strength_percent"], abs=0.01)
    assert found.facts()["screen"] == pytest.approx(pair.facts["screen"], abs=0.01)
    assert (found.nearness[CARD] == 255).all() and (found.nearness[WALL] == 0).all()
    large = stereo.preview_of_depth(
        Photo(cv2.resize(photo, (2560, 1920))), DepthMap(cv2.resize(z, (2560, 1920)), True, "given")
    )
    assert large.rgb.shape == (720, 960, 3) and large.nearness.shape == (720, 960)


def test_true_disparity_is_the_cameras(scene: tuple[np.ndarray, np.ndarray]) -> None:
    """d = f·b·(1/Z − 1/Zc), with the wall in the screen's plane."""
    pair = pair_of_scene(scene, baseline=300.0, screen="far", limit="off", eyes="left")
    focal = 64 / np.tan(np.radians(30))
    assert abs(moved(pair, *CARD) - focal * 0.3 * (1 / 1.5 - 1 / 4)) <= 1
    assert np.array_equal(pair.left, scene[0])


def test_limits_are_kept_and_told(scene: tuple[np.ndarray, np.ndarray]) -> None:
    pair = pair_of_scene(scene, strength=10.0)
    assert pair.comfort is not None and pair.comfort.front < 0.01001 and pair.comfort.behind > -0.01501
    assert "limited" in " ".join(map(str, pair.told()))
    assert pair.report()["comfort"]["screens"][0]["comfortable"] is True
    wide = pair_of_scene(scene, strength=10.0, limit="off")
    assert wide.comfort is not None and wide.comfort.front - wide.comfort.behind == pytest.approx(0.10, abs=1e-3)
    assert "comfortable; give" in " ".join(map(str, wide.told()))


def test_true_disparity_within_limits_is_that_of_eyes_nearer_to_each_other(
    scene: tuple[np.ndarray, np.ndarray],
) -> None:
    pair = pair_of_scene(scene, baseline=300.0)
    told = " ".join(map(str, pair.told()))
    apart = float(re.search(r"what eyes (\d+) mm", told)[1])  # type: ignore[index]
    focal = 64 / np.tan(np.radians(30))
    assert apart == pytest.approx(1000 * 0.025 * 128 / (focal * (1 / 1.5 - 1 / 4)), abs=1)


def test_no_strength_is_the_photo_twice(scene: tuple[np.ndarray, np.ndarray]) -> None:
    pair = pair_of_scene(scene, strength=0.0)
    assert np.array_equal(pair.left, scene[0]) and np.array_equal(pair.right, scene[0])
    assert "flat" in " ".join(map(str, pair.told()))


def test_a_shallow_photo_keeps_shallow_unless_told(scene: tuple[np.ndarray, np.ndarray]) -> None:
    photo, z = scene
    wall = np.where(z < 2, np.float32(3.9), z)
    pair = stereo.stereo_pair(photo, depth=wall, depth_kind="metric")
    assert pair.report()["strength_percent"] == pytest.approx(2 * (0.1 / 4.0) / 0.5, rel=0.01)
    told = stereo.stereo_pair(photo, depth=wall, depth_kind="metric", strength=2.0)
    assert told.report()["strength_percent"] == 2.0


def test_borders_can_be_cut_off(scene: tuple[np.ndarray, np.ndarray]) -> None:
    whole, cropped = (
        pair_of_scene(scene, strength=8.0, screen="near", limit="off", crop=crop) for crop in (False, True)
    )
    lost = whole.left.shape[1] - cropped.left.shape[1]
    assert lost == pytest.approx(2 * 0.04 * 128, abs=3) and cropped.left.shape == cropped.right.shape


def test_arguments_that_contradict_each_other_are_told(scene: tuple[np.ndarray, np.ndarray]) -> None:
    photo, z = scene
    with pytest.raises(BadOption, match="both say how strong"):
        stereo.StereoOptions(strength=2.0, baseline=63.0)
    with pytest.raises(BadOption, match="screen is '1.5'"):
        stereo.StereoOptions(screen="1.5")
    with pytest.raises(BadOption, match="strength is 50; give the percent"):
        stereo.StereoOptions(strength=50.0)
    with pytest.raises(BadInput, match="needs depth in metres and a known field of view"):
        stereo.stereo_pair(photo, depth=z, depth_kind="metric", baseline=63.0)
    with pytest.raises(BadInput, match="is 50×40 pixels and the upright photo 128×96"):
        stereo.stereo_pair(photo, depth=z[:40, :50], depth_kind="metric")


def turned(picture: np.ndarray, degrees: float, down: float, across: float) -> np.ndarray:
    height, width = picture.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), degrees, 1.0)
    matrix[:, 2] += across, down
    return cv2.warpAffine(picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


@pytest.fixture(scope="module")
def view() -> np.ndarray:
    """A picture with corners that SIFT finds."""
    rng, out = np.random.default_rng(2), np.full((240, 320, 3), 128, np.uint8)
    for _ in range(400):
        x, y, w, h = rng.integers(0, 300), rng.integers(0, 220), *rng.integers(4, 20, 2)
        out[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return frozen(cv2.GaussianBlur(out, (0, 0), 0.8))


def test_lenses_that_are_not_parallel_are_aligned(view: np.ndarray) -> None:
    other = turned(view, 0.6, 3.0, -8.0)
    found = find_alignment(view, other)
    assert found is not None
    assert (found.degrees, found.down) == (pytest.approx(0.6, abs=0.05), pytest.approx(-3.0, abs=0.1))
    again = find_alignment(view, aligned_right(other, found))
    assert again is not None and abs(again.down) < 0.05 and abs(again.degrees) < 0.02
    assert again.behind == pytest.approx(8, abs=0.5) and again.front == pytest.approx(8, abs=0.5)


def test_a_pair_is_read_from_its_file_and_aligned(view: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "camera.mpo").write_bytes(mpo_bytes(view, turned(view, 0.0, 2.0, 40.0)))
    pair = stereo.stereo_pair(tmp_path / "camera.mpo")
    told = " ".join(map(str, pair.told()))
    assert "aligned: moved -2.0 pixels down" in told and "cut by 40 columns" in told
    assert pair.left.shape == (240, 280, 3) and pair.comfort is not None and abs(pair.comfort.front) < 0.005
    whole = stereo.stereo_pair(tmp_path / "camera.mpo", align="off")
    assert whole.left.shape == (240, 320, 3) and whole.comfort is None


def test_a_packed_picture_goes_from_layout_to_layout(view: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(stereo.packed(view, view, "tb")).save(tmp_path / "p_TB.png")
    stereo.stereo_pair(tmp_path / "p_TB.png").save(tmp_path / "p_sbs.png")
    assert np.array_equal(np.asarray(Image.open(tmp_path / "p_sbs.png")), stereo.packed(view, view, "sbs"))
    assert stereo.read_pair(tmp_path / "p_sbs.png", "sbs").right.shape == view.shape
    with pytest.raises(BadOption, match="is a pair of pictures already"):
        stereo.stereo_pair(tmp_path / "p_sbs.png", strength=3.0)


def test_an_mpo_whose_second_picture_is_no_eyes_is_told(view: np.ndarray, tmp_path: Path) -> None:
    def mpo(second: np.ndarray) -> Path:
        file = io.BytesIO()
        Image.fromarray(view).save(file, format="MPO", save_all=True, append_images=[Image.fromarray(second)])
        (tmp_path / "x.mpo").write_bytes(file.getvalue())
        return tmp_path / "x.mpo"

    with pytest.raises(BadInput, match="a second picture of 80×60, which is no other eye's"):
        stereo.stereo_pair(mpo(np.ascontiguousarray(view[::4, ::4])))
    grey = np.repeat(view.mean(axis=2, keepdims=True).astype(np.uint8), 3, axis=2)
    with pytest.raises(BadInput, match="a grey picture, as of its depth"):
        stereo.stereo_pair(mpo(grey))
    assert stereo.stereo_pair(mpo(grey), input="photo", strength=0.0).left.shape == view.shape


@pytest.fixture
def command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    scene: tuple[np.ndarray, np.ndarray],
    capfd: pytest.CaptureFixture[str],
) -> Callable[..., tuple[int, str, str]]:
    Image.fromarray(scene[0]).save(tmp_path / "photo.png")
    np.save(tmp_path / "z.npy", scene[1])
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["stereo", "--rgb", "photo.png", "--depth-in", "z.npy", "--depth-kind", "metric", *words])
        told = capfd.readouterr()
        return code, told.out, told.err

    return run


def test_one_command_makes_every_layout(command: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    names = ["p.mpo", "p.jps", "p.gif", "p_sbs.png", "p_3dh.jpg"]
    code, out, err = command(*(word for name in names for word in ("--out", name)), "--report", "r.json")
    assert code == 0 and out.split() == [*names, "r.json"] and "on a 27-inch screen" in err
    assert set(names) < {path.name for path in tmp_path.iterdir()}
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["comfort"]["front_percent"] <= 1 and report["files"] == names


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("--out", "a.png", "--strength", "-1"),
            "--strength is -1; give the percent of the picture's width from 0 to 15",
        ),
        (("--out", "a.png", "--screen", "mars"), "--screen is 'mars'; give auto"),
        (("--out", "a.mpo", "--layout", "sbs"), "--layout sbs cannot be written as 'a.mpo'"),
        (("--out", "photo.png"), "would overwrite the photo"),
        (("--out", "a.png", "--out", "a.png"), "would overwrite the stereo pair"),
        (("--out", "a.png", "--baseline", "63"), "--baseline needs depth in metres"),
        ((), "--rgb PHOTO and --out FILE are both needed"),
    ],
)
def test_bad_input_is_one_sentence(
    command: Callable[..., tuple[int, str, str]], tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = command(*words)
    assert (code, out) == (2, "") and said in err.splitlines()[-1]
    assert not list(tmp_path.glob("a*")) and not list(tmp_path.glob(".unflat*"))


def test_every_name_of_the_door_is_there_and_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/stereo.md").read_text()
    listed = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", page, re.MULTILINE)))
    assert sorted(name for names in stereo.DOOR.values() for name in names) == sorted(stereo.__all__)
    for name in stereo.__all__:
        assert getattr(stereo, name).__doc__.strip() and name in listed, name
