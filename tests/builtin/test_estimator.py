"""The shipped network at run time: heads in the photo's frame, sky, the field of view, and a second look at a subject."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from recon.builtin import object_network
from recon.builtin.depth import BuiltinDepth
from recon.builtin.estimator import (
    INDOORS,
    LONGEST_WINDOW,
    OUTDOORS,
    SIDE,
    SUBJECT_FILL,
    SUBJECT_SIDE,
    SURE,
    Heads,
    Network,
    _answer,
    network_size,
    open_sky,
    with_clouds,
    without_sky,
)
from recon.builtin.segmenter import BuiltinSegmenter
from recon.builtin.weights import GEOMETRY
from recon.errors import MissingWeights
from recon.geometry.cutout import window_around
from recon.protocols import DepthEstimator
from tests.builtin.toy import FOV, FOV_ERROR, write_toy
from tests.scenes import camera_of, frozen, photo_of


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy(tmp_path_factory.mktemp("toy") / "toy.onnx")


@pytest.mark.parametrize("size", [(300, 450), (450, 300), (40, 700), (48, 64)])
def test_heads_have_the_photo_s_shape_and_its_frame(toy: Path, size: tuple[int, int]) -> None:
    """The toy reads its maps off the colours, so each must lie where its colour lies."""
    rgb = np.zeros((*size, 3), np.uint8)
    rgb[..., 0] = np.linspace(0, 255, size[1])
    rgb[..., 1] = np.linspace(0, 255, size[0])[:, None]
    rgb[..., 2] = 255
    heads = Network(toy).heads(frozen(rgb))
    shape = network_size(size[1], size[0])[::-1]
    assert heads.disparity.shape == heads.subject.shape == heads.normals.shape[:2] == shape
    along, down = ((np.arange(n) + 0.5) / n for n in shape[::-1])
    np.testing.assert_allclose(heads.subject, np.broadcast_to(along, shape), atol=0.04)
    np.testing.assert_allclose(heads.disparity, np.broadcast_to(down[:, None], shape), atol=0.04)
    np.testing.assert_allclose(heads.front, heads.disparity - 0.5, atol=1e-6)
    np.testing.assert_allclose(heads.back, heads.disparity, atol=1e-6)
    assert (heads.fov, heads.fov_error) == (FOV, FOV_ERROR)


def test_the_hint_is_plus_and_minus_one_and_nothing_without_a_mask(toy: Path) -> None:
    rgb = np.full((SUBJECT_SIDE, SUBJECT_SIDE, 3), 255, np.uint8)
    inside = np.zeros((SUBJECT_SIDE, SUBJECT_SIDE), bool)
    inside[50:150, 60:100] = True
    assert (Network(toy).heads(rgb).disparity == 1).all()
    np.testing.assert_array_equal(Network(toy).heads(rgb, frozen(inside)).disparity, np.where(inside, 2, 0))


def test_a_back_is_never_in_front(toy: Path) -> None:
    heads = Network(toy).heads(np.zeros((64, 64, 3), np.uint8))  # says half a length in front
    np.testing.assert_array_equal(heads.back, heads.front)


def test_a_file_is_loaded_once_for_all_adapters(toy: Path) -> None:
    one, other = BuiltinDepth(toy), BuiltinDepth(toy)
    assert one.load() is other.load() is Network(toy, 2 * SIDE).load()


@pytest.mark.parametrize(("width", "height"), [(600, 400), (400, 600), (500, 500)])
def test_the_field_of_view_along_the_longer_side_becomes_the_horizontal_one(toy: Path, width: int, height: int) -> None:
    raw = BuiltinDepth(toy).estimate(np.zeros((height, width, 3), np.uint8))
    assert raw.fov_x is not None
    focal = width / 2 / np.tan(np.radians(raw.fov_x) / 2)
    assert 2 * np.degrees(np.arctan(max(width, height) / 2 / focal)) == pytest.approx(FOV)
    assert raw.fov_error == FOV_ERROR
    assert raw.relief is None


def test_a_subject_is_looked_at_a_second_time_alone(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Green grows rightwards and blue downwards: the relief tells which part of the photo was looked at.
    There is no network of objects."""
    monkeypatch.setattr(object_network, "SHAPES", toy.with_name("none.onnx"))
    v, u = np.mgrid[:400, :600]
    rgb = np.stack([0 * u, u * 255 // 600, 128 + v * 127 // 400], axis=-1).astype(np.uint8)
    inside = (u - 520) ** 2 + (v - 100) ** 2 < 120**2  # cut by the right edge
    raw = BuiltinDepth(toy).estimate(frozen(rgb), frozen(inside))
    assert isinstance(BuiltinDepth(toy), DepthEstimator)
    assert (raw.model, raw.kind, raw.relief is None) == ("builtin", "disparity", False)
    relief = raw.relief
    assert relief is not None
    window = window_around(inside, SUBJECT_FILL, LONGEST_WINDOW)
    assert (relief.left, relief.top, relief.width, relief.height) == window
    rows, columns = relief.front.shape
    assert (columns, rows) == network_size(window.width, window.height, SUBJECT_SIDE)
    x, y = np.meshgrid(
        window.left + (np.arange(columns) + 0.5) * window.width / columns,
        window.top + (np.arange(rows) + 0.5) * window.height / rows,
    )
    deep = ((x - 520) ** 2 + (y - 100) ** 2 < 112**2) & (x < 594) & (y > 6)
    assert np.abs(relief.front - (x / 600 - 0.5))[deep].max() < 0.01
    assert np.abs(relief.back - relief.front - y / 800)[deep].max() < 0.01
    beside = ((x - 520) ** 2 + (y - 100) ** 2 > 130**2) | (x > 606) | (y < -6)
    np.testing.assert_allclose(relief.front[beside], 230 / 255 - 0.5, atol=1e-6)


@pytest.mark.parametrize(("said", "given"), [(None, None), ((0.7, 0.2), 2.01375), ((0.7, 0.9), None)])
def test_a_distance_in_metres_is_given_where_the_network_is_sure_of_it(tmp_path, said, given):
    """A file of before version 4 says none."""
    path = write_toy(tmp_path / "toy.onnx", distance=said)
    photo = np.full((48, 64, 3), 90, np.uint8)
    heads, raw = Network(path).heads(photo), BuiltinDepth(path).estimate(photo)
    assert (heads.distance, heads.distance_error) == (pytest.approx(said) if said else (None, None))
    assert raw.distance == (None if given is None else pytest.approx(given, rel=1e-4))
    assert raw.distance_error == (None if said is None or given is None else pytest.approx(np.expm1(said[1]), rel=1e-4))


@pytest.mark.parametrize("size", [(640, 480), (375, 1242), (1, 5000), (4000, 3000), (32, 32)])
def test_network_size_is_legal_and_close_to_the_photo_s_shape(size):
    w, h = network_size(*size)
    assert w % 32 == h % 32 == 0
    assert min(w, h) >= 32
    if min(size) / max(size) > 0.2:
        assert abs(np.log((w / h) / (size[0] / size[1]))) < 0.35


def test_sky_is_in_one_piece_with_the_upper_edge():
    """What looks like sky under a roof is none; a cloud, of which nobody is sure, belongs to the sky around it."""
    likely = np.zeros((32, 64), np.float32)
    likely[:8, 10:40] = 0.9
    likely[8:16, 20:24] = 0.3
    expected = likely > 0
    likely[20:28, 30:60] = 0.99
    likely[:6, 50:60] = 0.4
    np.testing.assert_array_equal(open_sky(likely), expected)


@pytest.mark.parametrize(("columns", "is_sky"), [(4, False), (32, True)])
def test_a_little_sky_is_no_sky(columns: int, is_sky: bool) -> None:
    probability = np.zeros((32, 64), np.float32)
    probability[:16, :columns] = 0.9
    flat = np.ones((32, 64), np.float32)
    heads = Heads(flat, probability, np.zeros((32, 64, 3), np.float32), flat, flat, flat, 50.0, 5.0)
    found, ratio = without_sky(heads)
    np.testing.assert_array_equal(np.isnan(found), (probability > 0) & is_sky)
    assert ratio == (OUTDOORS if is_sky else INDOORS)


def test_a_far_island_in_the_sky_is_a_cloud_and_a_near_one_a_branch():
    sky = np.zeros((32, 64), bool)
    sky[:20] = True
    sky[4:8, 10:20] = sky[4:8, 40:50] = sky[15:20, 30:34] = False  # a cloud, a branch, a tower
    disparity = np.full((32, 64), 0.05, np.float32)
    disparity[20:] = 1
    disparity[4:8, 40:50] = 0.8
    expected = sky.copy()
    expected[4:8, 10:20] = True
    np.testing.assert_array_equal(with_clouds(sky, sky.astype(np.float32), disparity), expected)


def test_a_cloud_is_as_far_as_the_sky_beside_it_and_not_quite_denied():
    sky = np.zeros((32, 64), bool)
    sky[:10, :30] = True
    disparity = np.ones((32, 64), np.float32)
    disparity[:10] = 0.02
    probability = np.where(sky, 0.9, 0.001).astype(np.float32)
    probability[:10, 30:50] = 0.05  # a cloud; right of it something far that is surely no sky
    probability[10:20] = 0.05  # nearer
    expected = sky.copy()
    expected[:10, 30:50] = True
    np.testing.assert_array_equal(with_clouds(sky, probability, disparity), expected)


def test_missing_weights_say_how_to_get_them(tmp_path):
    with pytest.raises(MissingWeights, match=r"git checkout -- recon/builtin/weights$"):
        BuiltinDepth(tmp_path / "none.onnx").load()


def test_the_adapters_import_no_torch(toy: Path) -> None:
    code = (
        "import sys, numpy as np\nfrom pathlib import Path\n"
        "from recon.builtin.depth import BuiltinDepth\nfrom recon.builtin.segmenter import BuiltinSegmenter\n"
        "assert 'onnxruntime' not in sys.modules\n"
        f"toy, rgb = Path({str(toy)!r}), np.zeros((64, 64, 3), np.uint8)\n"
        "BuiltinDepth(toy).estimate(rgb)\nBuiltinSegmenter(toy).segment(rgb)\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_shipped_weights_tell_sky_from_ground() -> None:
    """A blue gradient over a brown floor: the ground comes nearer downwards, the sky is sky and far."""
    assert GEOMETRY.stat().st_size < 12e6
    rng = np.random.default_rng(0)
    photo = np.empty((480, 640, 3), np.float64)
    fade = np.linspace(0, 1, 230)[:, None]
    photo[:230] = ((1 - fade) * [90, 140, 220] + fade * [190, 215, 240])[:, None]
    photo[230:] = np.array([120, 100, 80]) + rng.normal(0, 12, (250, 640, 1))
    heads = Network().heads(photo.clip(0, 255).astype(np.uint8))
    height = len(heads.disparity)
    assert open_sky(heads.sky)[: height // 3].all()
    assert (heads.sky[: height // 3] > SURE).mean() > 0.9
    assert heads.sky[-height // 3 :].max() < 0.1
    rows = heads.disparity[height * 6 // 10 :].mean(1)
    assert (np.diff(rows) > 0).mean() > 0.8
    assert heads.disparity[: height // 3].mean() < 0.2 * rows[-1]


def test_the_shipped_weights_keep_the_contract() -> None:
    """Ranges and directions that hold for every photo, with and without a mask."""
    rgb = photo_of(camera_of(200, 120)).rgb
    inside = np.zeros((120, 200), bool)
    inside[30:90, 60:140] = True
    for mask in (None, inside):
        heads = Network().heads(rgb, mask)
        for name in ("disparity", "sky", "subject", "front", "back", "normals"):
            assert np.isfinite(getattr(heads, name)).all(), name
        assert heads.disparity.min() >= 0
        for probability in (heads.sky, heads.subject):
            assert 0 <= probability.min() <= probability.max() <= 1
        assert (heads.back >= heads.front).all()
        np.testing.assert_allclose(np.linalg.norm(heads.normals, axis=2), 1, atol=2e-3)
        assert heads.normals[..., 2].max() < 1e-3
        assert 1 < heads.fov < 170
        assert heads.fov_error > 0


def test_who_looks_for_the_subject_and_who_estimates_depth_see_the_same_two_looks() -> None:
    rgb = photo_of(camera_of(300, 200)).rgb
    _answer.cache_clear()
    BuiltinSegmenter().segment(rgb)
    BuiltinDepth().estimate(rgb)
    assert _answer.cache_info()[:2] == (2, 2)


def senseless(kind: str) -> np.ndarray:
    """A picture that shows nothing (h, w, 3)."""
    if kind == "noise":
        return np.random.default_rng(3).integers(0, 256, (480, 640, 3)).astype(np.uint8)
    picture = np.full((480, 640, 3), {"black": 0, "grey": 128}.get(kind, 255), np.uint8)
    for row in range(20, 480, 26) if kind == "text" else ():
        cv2.putText(picture, "the quick brown fox jumps over", (10, row), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (20,) * 3, 2)
    return picture


@pytest.mark.parametrize("kind", ["black", "white", "grey", "noise", "text"])
def test_where_nothing_is_seen_there_is_no_sky_no_subject_and_no_scale(kind: str) -> None:
    raw = BuiltinDepth().estimate(senseless(kind))
    assert np.isfinite(raw.values).all() and raw.values.min() >= 0
    assert raw.distance is None and raw.fov_x is not None and 30 < raw.fov_x < 90
    assert BuiltinSegmenter().segment(senseless(kind)) is None
