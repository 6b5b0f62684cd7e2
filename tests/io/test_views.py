"""Novel views: the sides that cameras on a sphere see, how large, on which ground."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh
from command_line import Outcome
from PIL import Image

from recon.errors import BadOption
from recon.io.views import write_frames, write_orbit
from recon.settings import OrbitSettings
from recon.types import Mesh
from tests.scenes import frozen

FRONT, RIGHT, BACK, LEFT, TOP = (210, 30, 30), (30, 190, 30), (30, 30, 200), (200, 200, 30), (200, 40, 200)


def ball(radius: float = 0.7, middle: tuple[float, float, float] = (0.4, -0.2, 3.0)) -> Mesh:
    """A ball in the camera's frame (y down, z away), each side of which has a colour of its own."""
    sphere = trimesh.creation.icosphere(4)
    x, y, z = sphere.vertices.T
    sides = np.stack([-z, x, z, -x, -y], 1).argmax(1)
    colors = np.array([FRONT, RIGHT, BACK, LEFT, TOP], np.uint8)[sides]
    vertices = (sphere.vertices * radius + middle).astype(np.float32)
    return Mesh(frozen(vertices), frozen(sphere.faces.astype(np.int32)), frozen(colors))


def seen(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_cameras_go_round_to_the_right(tmp_path: Path) -> None:
    files = write_frames(ball(), tmp_path, OrbitSettings(count=4))
    assert [file.name for file in files] == [f"render_00{i}.png" for i in range(4)]
    middles = [seen(file)[256, 256].tolist() for file in files]
    assert middles == pytest.approx(np.array([FRONT, RIGHT, BACK, LEFT]), abs=3)


def test_the_elevation_is_upwards(tmp_path: Path) -> None:
    (file,) = write_frames(ball(), tmp_path, OrbitSettings(count=1, elevation=80.0))
    assert seen(file)[256, 256].tolist() == pytest.approx(TOP, abs=3)
    assert seen(file)[480, 256].tolist() == pytest.approx(FRONT, abs=3), "the photo's side is below"


@pytest.mark.parametrize("distance", [None, 4.0, 8.0])
def test_a_ball_is_as_large_as_its_angle(tmp_path: Path, distance: float | None) -> None:
    """Seen from D radii a ball's outline is the cone of half angle asin(1/D); unless told, it touches the frame."""
    (file,) = write_frames(ball(), tmp_path, OrbitSettings(count=1, distance=distance, transparent=True))
    alpha = seen(file)[..., 3] / 255
    slope = math.tan(math.radians(20))
    wanted = 1.0 if distance is None else math.tan(math.asin(1 / distance)) / slope
    assert alpha.mean() == pytest.approx(math.pi / 4 * wanted**2, rel=0.01)
    rows = np.nonzero(alpha.any(1))[0]
    assert rows.min() + rows.max() == pytest.approx(511, abs=2), "the model's middle is the picture's"


def test_clear_ground_colours_nothing(tmp_path: Path) -> None:
    red = ball().with_(colors=frozen(np.tile(np.uint8(FRONT), (len(ball().vertices), 1))))
    (file,) = write_frames(red, tmp_path, OrbitSettings(count=1, distance=4.0, transparent=True))
    picture = seen(file)
    half = (picture[..., 3] > 0) & (picture[..., 3] < 255)
    assert half.sum() > 300
    assert np.abs(picture[half][:, :3].astype(int) - FRONT).max() <= 2
    (file,) = write_frames(red, tmp_path, OrbitSettings(count=1, distance=4.0))
    assert seen(file).shape == (512, 512, 3)


@pytest.mark.parametrize("ending", ["gif", "webp"])
def test_a_clear_film(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"o.{ending}"
    write_orbit(ball(), path, OrbitSettings(count=4, distance=6.0, transparent=True))
    with Image.open(path) as film:
        assert film.n_frames == 4
        for i, colour in enumerate((FRONT, RIGHT, BACK, LEFT)):
            film.seek(i)
            picture = np.asarray(film.convert("RGBA"))
            assert picture[0, 0, 3] == 0 and picture[256, 256, 3] == 255
            assert picture[256, 256, :3].tolist() == pytest.approx(colour, abs=14)


def test_there_is_no_clear_mp4(tmp_path: Path) -> None:
    with pytest.raises(BadOption, match=r"'.*o\.mp4' cannot have transparent ground; give a name that ends with .webp"):
        write_orbit(ball(), tmp_path / "o.mp4", OrbitSettings(transparent=True))
    assert list(tmp_path.iterdir()) == []


def test_a_film_goes_round_in_three_seconds(tmp_path: Path) -> None:
    write_orbit(ball(), tmp_path / "o.gif", OrbitSettings())
    with Image.open(tmp_path / "o.gif") as film:
        assert film.n_frames * film.info["duration"] == 3000


REFUSED = {
    "an open surface": ({"surface": "grid", "frames": "f"}, "--surface grid is open; add --surface solid"),
    "a scene": ({"surface": "auto", "mask": "none", "orbit": "o.gif"}, "--surface layered is open"),
    "no views": ({"views": "3"}, "--views is for novel views; add --frames or --orbit"),
    "a clear mp4": ({"surface": "solid", "orbit": "o.mp4"}, "'o.mp4' cannot have --transparent ground"),
    "from above the pole": ({"elevation": "90", "frames": "f"}, "--elevation is 90; give an angle in degrees from"),
    "from within": ({"distance": "1", "frames": "f"}, "--distance is 1; give a distance in radii of the model from"),
    "no film": ({"orbit": "o.txt", "surface": "solid"}, "ends with '.txt'"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_seen_is_told(run: Callable[..., Outcome], place: Path, case: str) -> None:
    changes, told = REFUSED[case]
    more = ["--transparent"] if case == "a clear mp4" else []
    outcome = run("--quiet", *more, **changes)
    assert (outcome.code, outcome.out, len(outcome.err)) == (2, [], 1)
    assert told in outcome.err[0], outcome.err
    assert list((place / "out").iterdir()) == []


def test_the_command_line_draws_them(run: Callable[..., Outcome], place: Path) -> None:
    outcome = run("--quiet", surface="solid", frames="out/f", views="3", orbit="out/o.webp", faces="500")
    assert outcome.code == 0, outcome.err
    assert outcome.out == ["out/model.ply", "out/o.webp", *(f"out/f/render_00{i}.png" for i in range(3))]
    assert all((place / name).is_file() for name in outcome.out)
