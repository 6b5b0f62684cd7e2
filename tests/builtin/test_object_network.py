"""The network of objects in the product: asked where the file is one, in its own window, with the back's colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recon.builtin import object_network
from recon.builtin.depth import BuiltinDepth
from recon.builtin.estimator import SUBJECT_FILL, Network
from recon.builtin.object_network import ObjectNetwork, fov_of_photo
from recon.builtin.weights import GEOMETRY, SHAPES
from recon.geometry.cutout import window_around
from recon.protocols import ShapeEstimator
from recon.registry import shape_estimators
from recon.stages.depth import to_depth_map
from recon.types import Mask, Photo, Relief
from tests.builtin.toy import FOV, FOV_ERROR, write_toy, write_toy_object
from tests.scenes import camera_of, frozen

V, U = np.mgrid[:300, :400]
RGB = frozen(np.stack([40 + U // 4, U * 255 // 400, 128 + V * 127 // 300], axis=-1).astype(np.uint8))
INSIDE = frozen((U - 240) ** 2 + (V - 120) ** 2 < 90**2)


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_object(tmp_path_factory.mktemp("toy") / "object.onnx")


def test_a_subject_is_seen_in_a_square_with_what_lies_behind(toy: Path) -> None:
    """Green grows rightwards and blue downwards, so the relief tells where each sample lies."""
    relief = ObjectNetwork(toy).relief(RGB, INSIDE)
    assert isinstance(ObjectNetwork(toy), ShapeEstimator)
    window = window_around(INSIDE, SUBJECT_FILL, 1.0)
    assert (relief.left, relief.top, relief.width, relief.height) == window and window.width == window.height
    side = object_network.SIDE
    assert relief.front.shape == (side, side) and (relief.fov, relief.fov_error) == (FOV, FOV_ERROR)
    places = (np.arange(side) + 0.5) * window.width / side
    x, y = np.meshgrid(window.left + places, window.top + places)
    deep = (x - 240) ** 2 + (y - 120) ** 2 < 82**2
    assert np.abs(relief.front - (x / 400 - 0.5))[deep].max() < 0.01
    assert np.abs(relief.back - relief.front - y / 600)[deep].max() < 0.01
    assert relief.back_colour is not None
    assert np.abs(relief.back_colour[..., 1] - (255 - x * 255 / 400))[deep].max() < 3


def test_the_back_s_colours_lie_behind_the_photo_s_pixels(toy: Path) -> None:
    camera = camera_of(400, 300, 350.0)
    raw = BuiltinDepth(write_toy(toy.with_name("geometry.onnx")), shapes=ObjectNetwork(toy)).estimate(RGB, INSIDE)
    found = to_depth_map(raw, Photo(RGB), Mask(INSIDE, "file"), camera)
    assert found.back_colour is not None
    off = np.abs(found.back_colour.astype(int) - (255 - RGB.astype(int)))
    assert off[(U - 240) ** 2 + (V - 120) ** 2 < 85**2].max() <= 3  # at the rim the ground shines through


@pytest.mark.parametrize(("own", "asked"), [(3.0, True), (9.0, False)])
def test_the_surer_look_says_the_field_of_view(tmp_path: Path, own: float, asked: bool) -> None:
    """The window is less than the photo, and its field of view too, at one focal length."""
    shapes = ObjectNetwork(write_toy_object(tmp_path / "o.onnx", 30.0, own))
    raw = BuiltinDepth(write_toy(tmp_path / "g.onnx"), shapes=shapes).estimate(RGB, INSIDE)
    assert raw.fov_x is not None
    window = window_around(INSIDE, SUBJECT_FILL, 1.0)
    focal = window.width / 2 / np.tan(np.radians(15)) if asked else 200 / np.tan(np.radians(FOV / 2))
    assert 200 / np.tan(np.radians(raw.fov_x / 2)) == pytest.approx(focal)


def test_the_error_of_the_field_of_view_grows_as_its_derivative_says() -> None:
    maps = np.zeros((2, 2), np.float32)
    fov, step = 40.0, 1e-3
    one, other = (fov_of_photo(Relief(maps, maps, 0, 0, 80, 100, fov=f, fov_error=2.0), 250) for f in (fov, fov + step))
    assert one is not None and other is not None
    assert one[1] == pytest.approx(2.0 * (other[0] - one[0]) / step, rel=1e-3)
    assert fov_of_photo(Relief(maps, maps, 0, 0, 80, 100), 250) is None


def test_the_file_itself_says_which_network_is_asked(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    geometry = BuiltinDepth(write_toy(tmp_path / "g.onnx"))
    for path, one in ((toy, True), (write_toy(tmp_path / "other.onnx"), False), (tmp_path / "none.onnx", False)):
        monkeypatch.setattr(object_network, "SHAPES", path)
        relief = geometry.estimate(RGB, INSIDE).relief
        assert relief is not None and (relief.back_colour is not None) == one
        asked = shape_estimators()
        assert len(asked) == 1 and isinstance(asked[0], ObjectNetwork if one else Network)


def test_the_network_of_objects_knows_things_alone_better_than_the_one_for_everything() -> None:
    """Front and thickness of held-back things."""
    from training.object_scores import onnx_say, score_things

    assert SHAPES.stat().st_size < 12e6

    def error(weights: Path, side: int) -> float:
        scores = score_things(onnx_say(weights), 991, batches=1, side=side)
        return scores["front"] + scores["thickness"]

    assert error(SHAPES, 192) < min(error(GEOMETRY, 192), error(GEOMETRY, 320))
