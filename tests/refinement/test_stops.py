"""All of a refinement is told, and what is told can stop it, wherever it is."""

from __future__ import annotations

import math
import subprocess
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from recon import pipeline
from recon.refinement.checkpoint import CHECKPOINT
from recon.refinement.progress import STAGES, Reporter, Step
from recon.refinement.run import Refinement
from recon.refinement.solid_prior import SolidPrior
from recon.render import distance, unwrapping
from recon.render.atlas import unwrap
from recon.results import Reconstruction
from tests.refinement import toy
from tests.refinement.toy import TOY, TOY_MESH
from tests.render.shapes import ball


class Stop(Exception):
    """What a listener raises."""


def told(found: Reconstruction, tell: Callable[[Step], None], **options: Any) -> Reconstruction:
    """A refinement of a few steps."""
    return pipeline.refine(found, steps=2, device="cpu", networks=[toy.Inflating()], tell=tell, **options)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Reconstruction:
    """The ball's reconstruction, and a recipe that does little."""
    monkeypatch.setattr("recon.refinement.recipes.RECIPES", {"quick": {"mesh": replace(TOY_MESH, turns=(0.0, 10.0))}})
    return toy.found()


def test_every_stage_is_told_in_its_order_with_what_there_is_to_see(found: Reconstruction) -> None:
    heard: list[Step] = []
    sights: dict[str, np.ndarray] = {}

    def tell(step: Step) -> None:
        heard.append(step)
        if step.stage not in sights:
            sights[step.stage] = step.preview()

    result = told(found, tell)
    assert tuple(dict.fromkeys(step.stage for step in heard)) == STAGES == tuple(sights)
    for stage in STAGES:
        steps = [step for step in heard if step.stage == stage]
        assert [step.number for step in steps] == sorted(step.number for step in steps)
        if stage != "target":  # it ends with the first step of the next
            assert steps[-1].number == steps[-1].steps, stage
        assert any(math.isfinite(step.loss) for step in steps) == (stage == "fine")
    for picture in sights.values():
        assert picture.shape == (192, 192, 3)
        assert 0.1 < (picture != 255).any(2).mean() < 0.9
    assert result.refinement is not None
    assert result.refinement.steps == {"fine": 2}
    assert result.refinement.losses == {
        stage: next(s.loss for s in reversed(heard) if s.stage == stage and s.number == 2 and math.isfinite(s.loss))
        for stage in ("fine",)
    }


@pytest.mark.parametrize("stage", STAGES)
def test_a_listener_that_raises_stops_it_in_any_stage(stage: str, found: Reconstruction, tmp_path: Path) -> None:
    after = Counter[str]()

    def tell(step: Step) -> None:
        after[step.stage] += 1
        if step.stage == stage and (step.number >= 1 or stage == "target"):
            raise Stop

    with pytest.raises(Stop):
        told(found, tell, folder=tmp_path)
    assert list(after)[-1] == stage
    assert (tmp_path / CHECKPOINT).exists() == (stage in ("fine", "texture"))
    heard: list[Step] = []
    told(found, heard.append, folder=tmp_path)  # nobody holds the folder, and what was done is not done again
    steps = [(step.stage, step.number) for step in heard if math.isfinite(step.loss)]
    wanted = [("fine", 1), ("fine", 2)]
    assert steps == {"fine": wanted[1:], "texture": []}.get(stage, wanted)


def test_a_finished_run_goes_straight_to_its_texture(
    found: Reconstruction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = told(found, lambda _: None, folder=tmp_path, judged=False)
    for name in ("colours", "volume", "triangles"):
        monkeypatch.setattr(SolidPrior, name, None)
    again = told(found, lambda _: None, folder=tmp_path, judged=False)
    assert first.refined is not None
    assert again.refined is not None
    for name, values in vars(first.refined).items():
        np.testing.assert_array_equal(values, getattr(again.refined, name))
    assert first.refinement is not None
    assert again.refinement == replace(first.refinement, seconds=again.refinement.seconds)  # type: ignore[union-attr]


def test_the_process_that_unwraps_is_dead_once_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    children: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def started(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        children.append(popen(*args, **options))
        return children[-1]

    def stop() -> None:
        if children:
            assert children[0].poll() is None  # it is at work
            raise Stop

    monkeypatch.setattr(subprocess, "Popen", started)
    with pytest.raises(Stop):
        unwrap(*ball(), 256, stop)
    assert [child.returncode for child in children] == [-9]


def test_a_process_that_cannot_unwrap_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unwrapping, "ROOT", Path("/nowhere"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(RuntimeError, match="ended with code 1: .*recon"):
        unwrap(*ball(1), 64)


def test_many_points_are_looked_up_in_parts_that_sum_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    solid = toy.prior()
    points = torch.rand(5000, 3, generator=torch.Generator().manual_seed(0)) * 1.6 - 0.8
    whole = distance.signed_distance(solid.vertices, solid.faces, points)
    beats = Counter[str]()
    monkeypatch.setattr(distance, "PART", 512)
    parts = distance.signed_distance(solid.vertices, solid.faces, points, lambda: beats.update("b"))
    torch.testing.assert_close(parts, whole)
    assert beats["b"] == 10


def test_a_run_says_that_it_goes_on_before_its_first_step() -> None:
    heard: list[Step] = []
    Refinement(toy.subject(), TOY, report=Reporter(heard.append))
    assert {step.stage for step in heard} == {"target"}
    assert len(heard) > 2 * toy.FIELD.cells  # every slice of the field, every part of the distances
