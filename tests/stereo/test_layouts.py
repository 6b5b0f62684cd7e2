"""Layouts and containers: grey stays grey, nothing is swapped, other programs read the files."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from recon.errors import BadInput, BadOption
from recon.messages import note
from recon.stereo.anaglyph import METHODS, anaglyph
from recon.stereo.layouts import PACKED, depth_beside, layout_of_name, packed, unpacked
from recon.stereo.mpo import mpo_bytes, mpo_frames
from recon.stereo.pair import StereoPair
from recon.stereo.write import layout_for
from tests.scenes import frozen

NAMED = note("thing.photo", "the photo")


def eyes(width: int = 64, height: int = 48) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    left, right = (cv2.resize(rng.integers(0, 256, (6, 8, 3), np.uint8), (width, height)) for _ in range(2))
    return frozen(left), frozen(right)


KEEPS_GREY = sorted(set(METHODS) - {"true", "improved"})


@pytest.mark.parametrize("method", KEEPS_GREY)
def test_grey_in_is_grey_out(method: str) -> None:
    """True anaglyphs have no green, and Wimmer's second brightens red on purpose."""
    grey = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    off = anaglyph(grey, grey, method).astype(int) - grey
    assert np.abs(off).max() <= 1


@pytest.mark.parametrize("method", sorted(METHODS))
def test_black_and_the_filters_colours(method: str) -> None:
    left, right = eyes()
    black = np.zeros_like(left)
    assert not anaglyph(black, black, method).any()
    if method != "dubois":  # his filters leak, and he makes up for it
        assert not anaglyph(left, black, method)[..., 1:].any() and not anaglyph(black, right, method)[..., 0].any()


def test_dubois_mixes_linear_light() -> None:
    """sRGB 128 is 0.2159 of linear light; 0.437 + 0.449 + 0.164 = 1.05 of it in red, but for the right eye's −0.05."""
    white, black = np.full((1, 1, 3), 128, np.uint8), np.zeros((1, 1, 3), np.uint8)
    red = anaglyph(white, black, "dubois")[0, 0]
    linear = 1.05 * ((128 / 255 + 0.055) / 1.055) ** 2.4
    assert abs(int(red[0]) - 255 * (1.055 * linear ** (1 / 2.4) - 0.055)) <= 1
    assert not red[1:].any()


@pytest.mark.parametrize("layout", PACKED)
def test_what_is_packed_is_found_again(layout: str) -> None:
    smooth = [cv2.GaussianBlur(eye, (0, 0), 3) for eye in eyes()]
    again = unpacked(packed(*smooth, layout), layout, NAMED)
    for one, other in zip(smooth, again, strict=True):
        worst = np.abs(one.astype(int) - other).max()
        assert one.shape == other.shape and worst <= (0 if layout in ("sbs", "tb", "cross") else 24)


def test_swapping_eyes_twice_is_nothing() -> None:
    left, right = eyes()
    assert np.array_equal(packed(right, left, "sbs"), packed(left, right, "cross"))
    assert np.array_equal(packed(left, right, "sbs")[:, :64], left)
    assert np.array_equal(packed(left, right, "tb")[:48], left)
    assert np.array_equal(packed(left, right, "rows")[::2], left[::2])


def test_half_layouts_average_full_ones() -> None:
    left, right = eyes()
    half = packed(left, right, "half-sbs")
    means = packed(left, right, "sbs").astype(float).reshape(48, 64, 2, 3).mean(axis=2)
    assert half.shape == left.shape and np.abs(half - means).max() <= 0.5
    odd = packed(left[:, :63], right[:, :63], "half-sbs")
    assert odd.shape == (48, 62, 3)


def test_an_mpo_has_two_pictures_of_a_pair_for_other_programs(tmp_path: Path) -> None:
    left, right = eyes()
    data = mpo_bytes(left, right)
    with Image.open(io.BytesIO(data)) as found:
        assert (found.format, found.n_frames) == ("MPO", 2)
        assert [each["Attribute"]["MPType"] for each in found.mpinfo[0xB002]] == ["Multi-Frame Image: (Disparity)"] * 2
        for number, eye in enumerate((left, right)):
            found.seek(number)
            assert np.abs(np.asarray(found.convert("RGB")).astype(int) - eye).mean() < 3
    alone = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)  # who knows no MPO sees the left eye's
    assert np.abs(alone[..., ::-1].astype(int) - left).mean() < 3
    assert [frame.data[:2] for frame in mpo_frames(data, NAMED)] == [b"\xff\xd8"] * 2


def test_an_mpo_of_one_picture_is_told() -> None:
    file = io.BytesIO()
    Image.fromarray(eyes()[0]).save(file, format="JPEG")
    for data in (file.getvalue(), mpo_bytes(*eyes())[:2000], b"no picture"):
        with pytest.raises(BadInput, match="holds one picture"):
            mpo_frames(data, NAMED)


@pytest.mark.parametrize(
    ("name", "layout"),
    [("a_LRF_Full_SBS.jpg", "sbs"), ("film_3dh.mp4", "half-sbs"), ("a.half-sbs.png", "half-sbs"), ("x_TB.png", "tb"),
     ("x_3dv.png", "half-tb"), ("absurd.png", None), ("lrx.png", None), ("my_cross_2.jpg", "cross")],
)  # fmt: skip
def test_names_carry_layouts(name: str, layout: str | None) -> None:
    assert layout_of_name(Path(name)) == layout


@pytest.mark.parametrize(
    ("name", "asked", "layout"),
    [("a.mpo", "auto", "mpo"), ("a.jps", "auto", "jps"), ("a.gif", "auto", "wiggle"), ("a.png", "auto", "sbs"),
     ("a_3dh.png", "auto", "half-sbs"), ("a_3dh.png", "tb", "tb"), ("a.jps", "cross", "cross")],
)  # fmt: skip
def test_the_layout_follows_from_the_name_unless_it_is_told(name: str, asked: str, layout: str) -> None:
    assert layout_for(Path(name), asked) == layout


@pytest.mark.parametrize(
    ("name", "asked"), [("a.png", "mpo"), ("a.mpo", "sbs"), ("a.png", "wiggle"), ("a.txt", "auto")]
)
def test_what_a_file_cannot_hold_is_told(name: str, asked: str) -> None:
    with pytest.raises(BadOption, match="give a name that ends with"):
        layout_for(Path(name), asked)


def test_files_are_read_back_by_other_programs(tmp_path: Path) -> None:
    left, right = eyes()
    pair = StereoPair(left, right, None)
    sbs, jps = tmp_path / "p_sbs.png", tmp_path / "p.jps"
    assert pair.save(sbs) == [sbs]
    assert np.array_equal(cv2.imread(str(sbs))[..., ::-1], packed(left, right, "sbs"))
    pair.save(jps)
    with Image.open(jps) as found:
        assert found.format == "JPEG" and found.size == (128, 48)
        assert np.abs(np.asarray(found).astype(int) - packed(right, left, "sbs")).mean() < 3
    files = pair.save(tmp_path / "q.png", "separate")
    assert [file.name for file in files] == ["q_left.png", "q_right.png"]
    assert np.array_equal(np.asarray(Image.open(files[1])), right)
    for name in ("w.gif", "w.webp"):
        pair.save(tmp_path / name)
        with Image.open(tmp_path / name) as found:
            assert found.n_frames == 2 and found.info["loop"] == 0


def test_an_anaglyph_as_jpeg_keeps_its_colours_apart(tmp_path: Path) -> None:
    StereoPair(*eyes(), None).save(tmp_path / "a.jpg", "anaglyph")
    with Image.open(tmp_path / "a.jpg") as found:
        assert {layer[1:3] for layer in found.layer} == {(1, 1)}, "no colour is stored at half resolution"


def test_depth_stands_on_the_photos_right() -> None:
    near = frozen(np.linspace(-0.2, 1.2, 48 * 64, dtype=np.float32).reshape(48, 64))
    out = depth_beside(eyes()[0], near)
    assert np.array_equal(out[:, :64], eyes()[0])
    assert (out[0, 64], out[-1, -1]) == (pytest.approx([0] * 3), pytest.approx([255] * 3))
