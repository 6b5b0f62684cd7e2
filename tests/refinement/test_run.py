"""A run can be left and taken up, ends well, and keeps what it had when it does not."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch

from bench.score import psnr
from recon.errors import BadOption
from recon.refinement.checkpoint import CHECKPOINT
from recon.refinement.run import Diverged, Refinement
from recon.refinement.settings import PRESETS, preset
from recon.refinement.stages.radiance_field import Coarse
from tests.refinement import toy
from tests.refinement.toy import TOY


def finished(run: Refinement) -> dict[str, torch.Tensor]:
    """Do the rest; all parameters and buffers."""
    for _ in run.steps():
        pass
    assert run.fine is not None
    return run.coarse.state_dict() | run.fine.state_dict()


@pytest.mark.parametrize("first", [2, 4, 6])
def test_a_run_taken_up_again_ends_bit_for_bit_like_one_never_left(first: int, tmp_path: Path) -> None:
    target = toy.target()
    whole = finished(Refinement(target, TOY, 3))
    left = Refinement(target, TOY, 3, tmp_path)
    steps = left.steps()
    assert [step.number for step in islice(steps, first)] == [1, 2, 3, 4, 1, 2, 3, 4][:first]
    steps.close()
    again = Refinement(target, TOY, 3, tmp_path)
    assert (again.stage, again.done) == (left.stage, left.done)
    parts = finished(again)
    assert parts.keys() == whole.keys()
    for name, values in whole.items():
        assert torch.equal(values, parts[name]), name


def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path) -> None:
    target = toy.target()
    finished(Refinement(target, TOY, 0, tmp_path))
    assert list(Refinement(target, TOY, 0, tmp_path).steps()) == []
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_the_seed_decides(tmp_path: Path) -> None:
    target = toy.target()
    one, same, other = (finished(Refinement(target, TOY, seed)) for seed in (1, 1, 2))
    assert all(torch.equal(values, same[name]) for name, values in one.items())
    assert not torch.equal(one["distance"], other["distance"])


def test_a_state_of_other_settings_is_not_taken_up(tmp_path: Path) -> None:
    target = toy.target()
    next(Refinement(target, TOY, 0, tmp_path).steps())
    with pytest.raises(BadOption, match="another photo or of other settings"):
        Refinement(target, TOY, 1, tmp_path)
    Refinement(target, replace(TOY, save_every=1.0), 0, tmp_path)  # how often it is saved changes nothing


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_what_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Refinement(toy.target(), replace(TOY, save_every=0.0), 0, tmp_path)
    steps = run.steps()
    next(steps)
    next(steps)
    good = (tmp_path / CHECKPOINT).read_bytes()
    before = {name: values.clone() for name, values in run.coarse.state_dict().items()}
    monkeypatch.setattr(Coarse, "loss", lambda self, *_: sum(p.sum() for p in self.parameters()) * torch.nan)
    with pytest.raises(Diverged, match="step 3 of the coarse stage"):
        next(steps)
    assert (tmp_path / CHECKPOINT).read_bytes() == good
    assert all(torch.equal(values, before[name]) for name, values in run.coarse.state_dict().items())


def test_the_mesh_is_closed_outward_and_wears_the_photo() -> None:
    photo, _, camera, _ = toy.ball()
    run = Refinement(toy.target(128), replace(TOY, photo=128, texture=replace(TOY.texture, side=512)), 0)
    finished(run)
    mesh = run.mesh
    import trimesh

    whole = trimesh.Trimesh(mesh.vertices, mesh.faces)
    assert whole.is_watertight
    assert abs(whole.volume / (4 / 3 * np.pi * toy.RADIUS**3) - 1) < 0.1
    from bench.score import rendered

    assert mesh.uv is not None
    assert mesh.texture is not None
    picture, hit, _ = rendered(mesh.vertices, mesh.faces, mesh.uv, mesh.texture, camera)
    assert psnr(picture[hit], photo.rgb[hit]) > 20  # the bands are 30 pixels long, the crop's pixels a photo's


def test_previews_are_pictures_at_every_stage() -> None:
    run = Refinement(toy.target(), TOY, 0)
    for step in run.steps():
        if step.number == 1:
            picture = step.preview()
            assert picture.dtype == np.uint8
            assert (picture != 255).any(2).mean() > 0.2


def test_presets_take_steps_and_faces() -> None:
    asked = preset("quick", 7, 999)
    assert (asked.coarse.steps, asked.fine.steps, asked.texture.faces) == (7, 7, 999)
    assert preset("full") == PRESETS["full"]
    for wrong in (("best", None), ("quick", -1)):
        with pytest.raises(BadOption, match="--refine|--steps"):
            preset(*wrong)
