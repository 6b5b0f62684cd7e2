"""Films: no frame is lost or doubled, times and sound stay, a stopped run goes on, still things stay still."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from recon import stereo
from recon.errors import BadInput, BadOption, Unwritable
from recon.io.mp4_boxes import write_tagged
from recon.io.video import ffmpeg, frames_of, open_film
from recon.stereo import film as film_module
from recon.stereo.temporal import ShotDepth, affine_fit
from tests.scenes import ByBrightness, frozen


def make(path: Path, *flags: str, source: str = "testsrc2=s=96x64:r=15:d=1") -> Path:
    """A film by ffmpeg's own pictures."""
    subprocess.run([ffmpeg(), "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", source, *flags, f"file:{path}"],
                   check=True)  # fmt: skip
    return path


TONES = (
    "-f",
    "lavfi",
    "-i",
    "sine=440:d=1",
    "-f",
    "lavfi",
    "-i",
    "sine=880:d=1",
    "-map",
    "0",
    "-map",
    "1",
    "-map",
    "2",
)
EVERY_FIFTH_LOST = ("-vf", "select='not(eq(mod(n,5),3))'", "-fps_mode", "passthrough")


def times_of(path: Path) -> list[Fraction]:
    return [frame.time for frame in frames_of(open_film(path))]


def stereo_box(path: Path) -> int | None:
    """What `st3d` says, read by hand: a box of 13 bytes whose last one is the layout."""
    data = path.read_bytes()
    found = data.find(b"\0\0\0\x0dst3d\0\0\0\0")
    return None if found < 0 else data[found + 12]


def sounds_of(path: Path) -> list[str]:
    said = subprocess.run([ffmpeg(), "-v", "error", "-i", str(path), "-map", "0:a?", "-c", "copy", "-f", "streamhash", "-"],
                          capture_output=True, text=True, check=True).stdout  # fmt: skip
    return re.findall(r"SHA256=(\w+)", said)


def convert(path: Path, out: Path, **options: object) -> stereo.StereoFilm:
    return stereo.stereo_film(path, out, depth_model=ByBrightness(), **options)


@pytest.fixture(scope="module")
def short_parts() -> object:
    before, film_module.PART_SECONDS = film_module.PART_SECONDS, Fraction(1, 2)
    yield None
    film_module.PART_SECONDS = before


def test_frames_times_and_all_sound_stay(tmp_path: Path, short_parts: object) -> None:
    """Of a film of variable rate with two sounds, made in several parts."""
    film = make(tmp_path / "-in.mp4", *TONES, *EVERY_FIFTH_LOST, "-c:a", "aac")
    told: list[tuple[int, int | None]] = []
    made = convert(film, tmp_path / "out.mp4", tell=lambda done, all: told.append((done, all)))
    before, after = times_of(film), times_of(tmp_path / "out.mp4")
    assert len(before) == len(after) == made.frames == 12
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) < Fraction(1, 10_000)
    assert sounds_of(film) == sounds_of(tmp_path / "out.mp4") and len(sounds_of(film)) == 2
    assert [done for done, _ in told] == list(range(1, 13))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["-in.mp4", "out.mp4"]


@pytest.mark.parametrize(
    ("name", "layout", "size"),
    [
        ("a.mp4", "sbs", (192, 64)),
        ("a.mp4", "half-sbs", (96, 64)),
        ("a.mkv", "tb", (96, 128)),
        ("a.mov", "anaglyph", (96, 64)),
    ],
)
def test_layouts_have_their_size_and_tell_players(
    tmp_path: Path, name: str, layout: str, size: tuple[int, int]
) -> None:
    film = make(tmp_path / "in.mp4", source="testsrc2=s=97x65:r=15:d=0.2")
    convert(film, tmp_path / name, layout=layout)
    found = open_film(tmp_path / name)
    assert len(list(frames_of(found))) == 3
    assert (found.width, found.height) == size
    said = subprocess.run([ffmpeg(), "-i", str(tmp_path / name), "-vf", "showinfo", "-f", "null", "-"], capture_output=True,
                          text=True).stderr  # fmt: skip
    word = {"sbs": "side by side", "half-sbs": "side by side", "tb": "top and bottom", "anaglyph": None}[layout]
    assert word is None or word in said
    if name.endswith(".mkv"):  # StereoMode (RFC 9559): 3 is top and bottom, the left eye's above
        assert b"\x53\xb8\x81\x03" in (tmp_path / name).read_bytes()[:4000]
    else:
        assert stereo_box(tmp_path / name) == {"sbs": 2, "half-sbs": None, "anaglyph": None}[layout]
        data = (tmp_path / name).read_bytes()
        assert data.find(b"moov") < data.find(b"mdat"), "players on a network need the index first"
    assert ("yuv444p" in said) == (layout == "anaglyph")


def test_a_layout_in_the_file_changes_no_place_of_a_picture(tmp_path: Path) -> None:
    """What lies behind the index moves by its length: with sound between the pictures every piece is still found."""
    film = make(tmp_path / "in.mp4", *TONES, "-c:a", "aac")
    assert stereo_box(film) is None
    for layout, told in (("tb", 1), ("cross", 4)):
        write_tagged(film, tmp_path / "out.mp4", layout)
        assert stereo_box(tmp_path / "out.mp4") == told
        before, after = ([frame.rgb for frame in frames_of(open_film(file))] for file in (film, tmp_path / "out.mp4"))
        assert len(after) == 15 and all(map(np.array_equal, before, after))
        assert sounds_of(film) == sounds_of(tmp_path / "out.mp4")


def test_two_files_hold_what_one_has_side_by_side(tmp_path: Path) -> None:
    film = make(tmp_path / "in.mp4", source="testsrc2=s=96x64:r=15:d=0.2")
    both = convert(film, tmp_path / "both.mp4", layout="sbs")
    apart = convert(film, tmp_path / "a.mp4", layout="separate")
    assert [path.name for path in apart.files] == ["a_left.mp4", "a_right.mp4"] and both.files == (
        tmp_path / "both.mp4",
    )
    eyes = [[frame.rgb for frame in frames_of(open_film(file))] for file in apart.files]
    for frame, left, right in zip(frames_of(open_film(both.files[0])), *eyes, strict=True):
        assert np.abs(frame.rgb.astype(int) - np.concatenate([left, right], axis=1)).mean() < 3
    assert np.abs(eyes[0][0].astype(int) - eyes[1][0]).mean() > 1
    assert not list(tmp_path.glob("*.parts"))


def test_a_turned_film_comes_out_upright(tmp_path: Path) -> None:
    film = make(tmp_path / "flat.mp4", source="testsrc2=s=96x64:r=15:d=0.2")
    subprocess.run([ffmpeg(), "-v", "error", "-display_rotation", "90", "-i", str(film), "-c", "copy",
                    str(tmp_path / "r.mp4")], check=True)  # fmt: skip
    assert (open_film(tmp_path / "r.mp4").width, open_film(tmp_path / "r.mp4").height) == (64, 96)
    convert(tmp_path / "r.mp4", tmp_path / "o.mp4", strength=0.0)
    out = next(frames_of(open_film(tmp_path / "o.mp4"))).rgb
    seen = next(frames_of(open_film(tmp_path / "r.mp4"))).rgb
    assert out.shape == (96, 128, 3) and np.abs(out[:, :64].astype(int) - seen).mean() < 6


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    film = make(tmp_path / "in.mp4", "-vf", "setsar=4/3", source="testsrc2=s=96x64:r=15:d=0.2")
    assert (open_film(film).width, next(frames_of(open_film(film))).rgb.shape) == (128, (64, 128, 3))


def test_a_high_dynamic_range_is_mapped_and_told(tmp_path: Path) -> None:
    tags = "setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=tv,format=yuv420p10le"
    x265 = "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc"
    film = make(tmp_path / "hdr.mp4", "-vf", tags, "-c:v", "libx265", "-x265-params", x265, "-frames:v", "2")
    assert open_film(film).hdr
    assert "high dynamic range" in " ".join(map(str, convert(film, tmp_path / "o.mp4").told()))
    out = next(frames_of(open_film(tmp_path / "o.mp4"))).rgb
    assert out.std() > 30, "not the grey of values that were taken for others"


def test_fields_become_frames(tmp_path: Path) -> None:
    flags = ("-vf", "tinterlace=interleave_top,setfield=tff", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-flags",
             "+ilme+ildct", "-x264-params", "tff=1")  # fmt: skip
    film = make(tmp_path / "fields.mp4", *flags)
    assert open_film(film).interlaced and len(times_of(film)) == 7


def test_a_stopped_run_goes_on_and_gives_the_same_frames(tmp_path: Path, short_parts: object) -> None:
    film, out = make(tmp_path / "in.mp4"), tmp_path / "out.mp4"

    def stop_at_10(done: int, all: int | None) -> None:
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert(film, out, tell=stop_at_10)
    assert not out.exists() and stereo.parts_folder(out).is_dir()
    with pytest.raises(BadInput, match="made with other options"):
        convert(film, out, resume=True, strength=1.0)
    told: list[int] = []
    convert(film, out, resume=True, tell=lambda done, all: told.append(done))
    assert told == list(range(9, 16)) and not stereo.parts_folder(out).exists()
    convert(film, tmp_path / "at_once.mp4")
    for one, other in zip(frames_of(open_film(out)), frames_of(open_film(tmp_path / "at_once.mp4")), strict=True):
        assert np.array_equal(one.rgb, other.rgb) and one.time == other.time


def test_an_encoder_that_fails_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    film = make(tmp_path / "in.mp4")
    monkeypatch.setattr(film_module, "QUALITY", ("-preset", "nonsense"))
    with pytest.raises(Unwritable, match="the film cannot be written"):
        convert(film, tmp_path / "out.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_film_of_one_frame_and_one_that_breaks_off(tmp_path: Path) -> None:
    one = make(tmp_path / "one.mp4", "-frames:v", "1")
    assert convert(one, tmp_path / "o.mp4").frames == 1
    whole = make(tmp_path / "whole.mkv")
    (tmp_path / "half.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 0 < convert(tmp_path / "half.mkv", tmp_path / "h.mkv").frames < 15


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"depth_in": "z.npy", "depth_kind": "metric"}, "depth_in z.npy is for pictures and not for films"),
        ({"layout": "mpo"}, "layout mpo is for pictures"),
        ({"screen": "subject"}, "screen subject is for pictures"),
    ],
)
def test_what_only_pictures_can_have_is_told(tmp_path: Path, options: dict[str, object], said: str) -> None:
    film = make(tmp_path / "in.mp4", source="testsrc2=s=96x64:r=15:d=0.1")
    with pytest.raises(BadOption, match=said):
        convert(film, tmp_path / "o.mp4", **options)


@pytest.mark.parametrize("kind", ["sound", "text", "half", "tiny"])
def test_what_is_no_film_is_told_in_one_sentence(tmp_path: Path, kind: str) -> None:
    film = tmp_path / "in.mp4"
    makers: dict[str, Callable[[], object]] = {
        "sound": lambda: make(film, source="sine=440:d=0.2"),
        "text": lambda: film.write_text("no film at all"),
        "half": lambda: film.write_bytes(make(film).read_bytes()[:5000]),
        "tiny": lambda: make(film, source="testsrc2=s=16x16:r=5:d=0.2"),
    }
    makers[kind]()
    with pytest.raises(BadInput) as error:
        convert(film, tmp_path / "o.mp4")
    assert str(error.value).count("\n") == 0 and str(film) in str(error.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_scale_and_shift_are_found_among_outliers() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(0, 1, 2000).astype(np.float32)
    y = 1.7 * x - 0.4
    y[rng.permutation(2000)[:600]] += rng.uniform(-5, 5, 600)
    assert affine_fit(x, y.astype(np.float32)) == (pytest.approx(1.7, abs=1e-5), pytest.approx(-0.4, abs=1e-5))


def toy_shot(noise: float, frames: int = 30) -> float:
    """RMS movement from frame to frame of a still background, in pixels at 1920 and 2 %, while a near thing walks in and
    the network's scale and shift jitter."""
    rng, shot = np.random.default_rng(1), ShotDepth()
    rows, columns = np.mgrid[:36, :64]
    ground = (0.2 + 0.4 * rows / 36 + 0.05 * np.sin(columns)).astype(np.float32)
    picture = np.repeat((60 + 100 * ground)[..., None], 3, axis=2)
    seen, moved = None, []
    for i in range(frames):
        depth, rgb, place = ground.copy(), picture.copy(), slice(2 * i - 12, 2 * i)
        if i > 5:
            depth[8:30, place], rgb[8:30, place] = 1.3, 220
        scale, shift = 1 + noise * rng.standard_normal(), noise * rng.standard_normal()
        near = shot.follow(frozen((scale * depth + shift).astype(np.float32)), frozen(rgb.astype(np.uint8)))
        still = near[:6] * 0.02 * 1920
        if seen is not None:
            moved.append(np.sqrt(np.mean((still - seen) ** 2)))
        seen = still
    return float(np.sqrt(np.mean(np.square(moved))))


def test_still_things_stay_still_while_a_network_jitters() -> None:
    assert toy_shot(0.03) < 0.1


def test_a_long_pan_keeps_what_is_sharp() -> None:
    """A sharp card that moves by part of a pixel for 200 frames keeps its two depths."""
    rng, shot = np.random.default_rng(2), ShotDepth()
    wide = cv2.resize(rng.integers(0, 256, (9, 60), np.uint8), (480, 72), interpolation=cv2.INTER_CUBIC)
    near = np.zeros((72, 480), np.float32)
    near[:, 200:280] = 1
    for i in range(200):
        move = np.array([[1, 0, -1.3 * i], [0, 1, 0]])
        rgb, depth = (cv2.warpAffine(each, move, (128, 72)) for each in (wide, near))
        shot.follow(frozen(depth), frozen(np.repeat(rgb[..., None], 3, axis=2)))
    assert shot.inverse is not None and shot.inverse.min() > -0.05 and shot.inverse.max() < 1.05
    card = depth > 0.5
    assert shot.inverse[card].mean() > 0.9 and shot.inverse[~card].mean() < 0.1


def test_a_cut_begins_anew_and_a_fade_does_not() -> None:
    rng, shot = np.random.default_rng(0), ShotDepth()
    scenes = [rng.integers(0, 256, (36, 64, 3), np.uint8) for _ in range(2)]
    depth = [rng.random((9, 16)).astype(np.float32) for _ in range(2)]
    for i in range(12):
        shot.follow(depth[i // 6], scenes[i // 6])
    assert shot.cuts == 1
    assert np.array_equal(ShotDepth.of_state(shot.state()).state()["numbers"], shot.state()["numbers"])
    fading = ShotDepth()
    for i in range(25):
        fading.follow(depth[0], (scenes[0] * (1 - i / 24) + scenes[1] * (i / 24)).astype(np.uint8))
    assert fading.cuts == 0
