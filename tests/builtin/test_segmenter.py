"""The network's subject: none where it is unsure, scattered or everywhere; else drawn to the photo's edges."""

from __future__ import annotations

import numpy as np
import pytest

from recon.builtin.segmenter import BuiltinSegmenter, agreement, shows_subject
from recon.protocols import Segmenter
from tests.builtin.toy import write_toy
from tests.scenes import frozen

V, U = np.mgrid[:300, :400]
DISC = np.hypot(U - 220, V - 140) < 80


@pytest.fixture(scope="module")
def segmenter(tmp_path_factory: pytest.TempPathFactory) -> BuiltinSegmenter:
    return BuiltinSegmenter(write_toy(tmp_path_factory.mktemp("toy") / "toy.onnx"))


def painted(red: np.ndarray, green: int = 60) -> np.ndarray:
    return frozen(np.stack([red, 0 * red + green, 0 * red + 60], axis=-1).astype(np.uint8))


@pytest.mark.parametrize("turned", [False, True])
def test_a_subject_is_found_at_the_photo_s_size(segmenter: BuiltinSegmenter, turned: bool) -> None:
    inside, rgb = DISC, painted(np.where(DISC, 250, 10))
    if turned:
        inside, rgb = DISC.T, frozen(rgb.transpose(1, 0, 2))
    found = segmenter.segment(rgb)
    assert isinstance(segmenter, Segmenter)
    assert found is not None and found.shape == inside.shape
    assert agreement(found, inside) > 0.97


def test_where_the_colours_do_not_tell_the_network_s_own_outline_is_kept(segmenter: BuiltinSegmenter) -> None:
    """The subject's other colours are the ground's, half and half in stripes."""
    red = np.where(DISC, 230, 25)
    stripes = np.where((U // 6) % 2 == 0, 255, 0)
    rgb = frozen(np.stack([red, stripes, 255 - stripes], axis=-1).astype(np.uint8))
    found = segmenter.segment(rgb)
    assert found is not None
    assert agreement(found, DISC) > 0.9


def test_a_scene_has_no_subject(segmenter: BuiltinSegmenter) -> None:
    rng = np.random.default_rng(0)
    everywhere = np.full(DISC.shape, 250)
    unsure = np.where(DISC, 140, 10)
    scattered = 250 * np.kron(rng.random((15, 20)) < 0.3, np.ones((20, 20), int))
    speck = np.where(np.hypot(U - 200, V - 150) < 9, 250, 0)
    for red in (0 * everywhere, everywhere, unsure, scattered, speck):
        assert segmenter.segment(painted(red)) is None


def test_what_a_probability_map_must_show() -> None:
    sure = np.where(DISC, 0.95, 0.02).astype(np.float32)
    assert shows_subject(sure)
    assert not shows_subject(np.where(DISC, 0.6, 0.02).astype(np.float32))
    two = np.where((U % 200 > 40) & (U % 200 < 160) & (V > 100) & (V < 200), 0.95, 0.02).astype(np.float32)
    assert not shows_subject(two)


def test_the_more_is_sure_the_sooner_there_is_a_subject() -> None:
    """A disc at 0.8 around a sure core: the answer changes once, as the core grows."""
    away = np.hypot(U - 220, V - 140)
    shown = [
        shows_subject(np.where(away < core, 0.95, np.where(DISC, 0.8, 0.02)).astype(np.float32))
        for core in range(0, 80, 4)
    ]
    assert not shown[0] and shown[-1]
    assert shown == sorted(shown)
