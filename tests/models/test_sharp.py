"""SHARP's adapter: the published file at toy size, against figures of the authors' own code.

The figures were made with apple/ml-sharp at 1eaa046: its `predict_image` and its predictor with narrower transformers, the
tensors of `toy_sharp` loaded into it. There windows overlap by three patches of 24 where the toy's overlap by one of eight.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import recon
from recon import registry
from recon.errors import BadOption, MissingWeights
from recon.geometry.ellipsoids import covariances
from recon.models.sharp import FILE, Sharp, squared_photo, unprojection
from recon.models.sharp_net import SharpPlan
from recon.models.weights import WeightsSpec
from recon.protocols import SplatEstimator
from recon.types import Camera
from tests.models import toy_sharp as published
from tests.models.test_depth_anything3 import checked_photo
from tests.models.test_depth_hf import no_sockets
from tests.splats import read_spz

CAMERA = Camera(200, 120, 150.0, 100.0, 60.0)
SHOWN = [2580, 32896, 51450, 98432, 81096]
"""Numbers of the splats of the figures: three of the nearer layer, two of the other."""
CENTRES = [[-0.81364, -0.53471, 1.45638], [0.00486, 0.00204, 1.47832], [0.93995, 0.33424, 1.47377],
           [0.00763, 0.00431, 2.72038], [1.04781, -0.58489, 2.77634]]  # fmt: skip
SPREAD = [[3.5427e-05, 3.3484e-05, 0.00015329, 5.8206e-06, -7.853e-06, 2.538e-06],
          [8.3714e-05, 2.4212e-05, 0.00037891, 2.2587e-05, 9.8602e-05, 3.6053e-05],
          [0.00013487, 1.358e-05, 0.0010082, 3.2693e-06, 0.00027784, 3.5997e-06],
          [0.00045446, 0.00013373, 0.00092345, -9.7032e-05, -0.00017324, -9.4963e-05],
          [0.0012085, 0.00027375, 0.001433, -0.00025777, -0.00015959, -2.746e-05]]  # fmt: skip
"""Covariances: xx, yy, zz, xy, xz, yz."""
COLORS = [[18.22, 15.35, 147.07], [134.89, 143.06, 147.08], [193.49, 250.32, 190.73], [133.6, 138.24, 148.3],
          [212.92, 47.81, 149.95]]  # fmt: skip
OPACITY = [0.53483, 0.52387, 0.51135, 0.67195, 0.62751]


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published.write(tmp_path_factory.mktemp("sharp"))


@pytest.fixture(scope="module")
def made(toy: Path) -> Callable[[], Sharp]:
    model = adapter(toy)
    return lambda: model


def adapter(file: Path) -> Sharp:
    return Sharp(WeightsSpec("sharp", files=(FILE,), given=str(file)), "cpu", offline=True)


def test_splats_agree_with_the_authors_code(made: Callable[[], Sharp]) -> None:
    splats = made().splats(checked_photo(), CAMERA)
    assert len(splats.centres) == 2 * 256 * 256
    np.testing.assert_allclose(splats.centres[SHOWN], CENTRES, atol=2e-5)
    spread = covariances(splats)[SHOWN]
    flat = np.stack([spread[:, i, j] for i, j in ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))], axis=1)
    np.testing.assert_allclose(flat, SPREAD, rtol=1e-3, atol=1e-8)
    np.testing.assert_allclose(splats.colors[SHOWN], COLORS, atol=0.51)
    np.testing.assert_allclose(splats.opacity[SHOWN], OPACITY, atol=2e-5)
    np.testing.assert_allclose(np.linalg.norm(splats.quaternions, axis=1), 1, atol=1e-5)


def test_the_layout_is_the_published_one() -> None:
    """The authors' create_predictor(PredictorParams()) has 1038 tensors of 702,305,169 numbers, the same by name and
    shape."""
    shapes = published.shapes_of(SharpPlan(), published.CLASSES)
    assert (len(shapes), sum(map(math.prod, shapes.values()))) == (1038, 702_305_169)
    assert SharpPlan().side == 1536 and published.TOY.side == 512


def test_what_serves_training_is_not_kept(made: Callable[[], Sharp]) -> None:
    network = made().load()
    assert isinstance(made(), SplatEstimator) and made().load() is network
    kept = set(network.state_dict())  # type: ignore[attr-defined]
    assert set(published.shapes_of(published.TOY, 7)) - kept == set(published.for_training(128, 7))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("feature_model.fusion.out_conv.bias"),
         "1 missing keys: feature_model.fusion.out_conv.bias"),
        (lambda state: state.update(extra=state["prediction_head.geometry_prediction_head.bias"]),
         "1 unexpected keys: extra"),
        (lambda state: state.update({"feature_model.image_encoder.conv.bias":
                                     state["prediction_head.geometry_prediction_head.bias"]}),
         "1 keys of another shape: feature_model.image_encoder.conv.bias"),
        (lambda state: state.pop("monodepth_model.monodepth_predictor.encoder.patch_encoder.cls_token"), "missing keys: "),
    ],
)  # fmt: skip
def test_a_file_that_does_not_fit_is_told_by_name_and_first_key(
    toy: Path, tmp_path: Path, change: Callable[[dict[str, object]], object], told: str
) -> None:
    import torch

    state = torch.load(toy, weights_only=True)
    change(state)
    torch.save(state, tmp_path / FILE)
    with pytest.raises(MissingWeights, match=told) as caught:
        adapter(tmp_path / FILE).load()
    assert str(tmp_path / FILE) in str(caught.value)


@pytest.mark.parametrize("what", ["torn", "other", "code"])
def test_what_is_no_table_of_tensors_is_told(toy: Path, tmp_path: Path, what: str) -> None:
    """A pickle that would run something is refused unread."""
    import torch

    ran = tmp_path / "ran"

    class Harmful:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (ran,)  # type: ignore[return-value]

    if what == "torn":
        (tmp_path / FILE).write_bytes(toy.read_bytes()[:10_000])
    else:
        torch.save([1, 2] if what == "other" else {"x": Harmful()}, tmp_path / FILE)
    with pytest.raises(MissingWeights, match="do not fit"):
        adapter(tmp_path / FILE).load()
    assert not ran.exists()


def test_the_square_has_the_photos_corners_and_is_linear_between() -> None:
    rgb = np.zeros((3, 5, 3), np.uint8)
    rgb[..., 0], rgb[..., 1] = np.arange(5) * 10, np.arange(3)[:, None] * 20
    seen = squared_photo(rgb, 9)
    np.testing.assert_allclose(seen[0, :, 0], np.arange(9) * 5)
    np.testing.assert_allclose(seen[:, 0, 1], np.arange(9) * 5)
    assert squared_photo(rgb[:1, :1], 4).shape == (4, 4, 3)


def test_the_frustum_is_the_cameras() -> None:
    """What lies in the photo's corner at z = 1 is seen in its corner, also where the principal point is not its middle."""
    camera = Camera(200, 120, 150.0, 110.0, 50.0)
    for x, y in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        place = unprojection(camera, 200, 120) @ np.array([x, y, 1.0]) * 3
        u, v = camera.focal * place[:2] / place[2] + (camera.cx, camera.cy)
        assert (u, v, place[2]) == pytest.approx((100 + 100 * x, 60 + 60 * y, 3))


def test_a_photo_becomes_splats_in_a_file_without_a_socket(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the library and the same writers, within the number that was asked for; whose they are is told."""
    monkeypatch.setenv("UNFLAT_WEIGHTS_SHARP", str(toy))
    monkeypatch.setattr(socket, "socket", no_sockets)
    assert registry.is_here(registry.cards("splats")["sharp"])
    found = recon.reconstruct(
        checked_photo(), splat_model="sharp", splats=20_000, fov=60.0, offline=True, device="cpu", mask="none"
    )
    found.save(tmp_path / "scene.spz")
    splats, _ = read_spz(tmp_path / "scene.spz")
    assert 10_000 < len(splats.centres) <= 20_000
    assert any("Apple AMLR (research only)" in note.text() for note in found.notes)
    assert found.report()["options"]["splat_model"] == "sharp"


def test_a_model_that_is_not_there_is_told_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("UNFLAT_MODELS", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(MissingWeights, match=rf"curl -L .*{FILE}$"):
        recon.reconstruct(checked_photo(), splat_model="sharp", offline=True)
    with pytest.raises(BadOption, match="'sharpe' is unknown; give surface, one of sharp"):
        recon.reconstruct(checked_photo(), splat_model="sharpe")
    with pytest.raises(BadOption, match="is of type int"):
        recon.reconstruct(checked_photo(), splat_model=3)
