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
from recon.refinement import checkpoint
from recon.refinement.checkpoint import CHECKPOINT
from recon.refinement.recipes import RECIPES, recipe
from recon.refinement.refine import textured_mesh
from recon.refinement.run import Diverged, Refinement
from recon.refinement.stages.radiance_field import RadianceFieldStage
from tests.refinement import toy
from tests.refinement.toy import TOY


def finished(run: Refinement) -> dict[str, torch.Tensor]:
    """Do the rest; all parameters and buffers."""
    for _ in run.steps():
        pass
    assert len(run.stages) == len(run.recipe.stages)
    return {f"{stage.name}.{name}": part for stage in run.stages for name, part in stage.state_dict().items()}


@pytest.mark.parametrize("first", [2, 4, 6])
def test_a_run_taken_up_again_ends_bit_for_bit_like_one_never_left(first: int, tmp_path: Path) -> None:
    subject = toy.subject()
    whole = finished(Refinement(subject, TOY, 3))
    left = Refinement(subject, TOY, 3, tmp_path)
    steps = left.steps()
    assert [step.number for step in islice(steps, first)] == [1, 2, 3, 4, 1, 2, 3, 4][:first]
    steps.close()
    again = Refinement(subject, TOY, 3, tmp_path)
    assert (again.stage.name, again.done) == (left.stage.name, left.done)
    parts = finished(again)
    assert parts.keys() == whole.keys()
    for name, values in whole.items():
        assert torch.equal(values, parts[name]), name


def test_a_finished_run_has_nothing_left_to_do(tmp_path: Path) -> None:
    subject = toy.subject()
    finished(Refinement(subject, TOY, 0, tmp_path))
    assert list(Refinement(subject, TOY, 0, tmp_path).steps()) == []
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_the_seed_decides(tmp_path: Path) -> None:
    subject = toy.subject()
    one, same, other = (finished(Refinement(subject, TOY, seed)) for seed in (1, 1, 2))
    assert all(torch.equal(values, same[name]) for name, values in one.items())
    assert not torch.equal(one["fine.latent"], other["fine.latent"])


def test_a_state_of_other_settings_is_not_taken_up(tmp_path: Path) -> None:
    subject = toy.subject()
    next(Refinement(subject, TOY, 0, tmp_path).steps())
    with pytest.raises(BadOption, match="another photo or of other settings"):
        Refinement(subject, TOY, 1, tmp_path)
    Refinement(subject, replace(TOY, save_every=1.0), 0, tmp_path)  # how often it is saved changes nothing


def test_a_loss_that_is_no_number_stops_the_run_and_keeps_what_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Refinement(toy.subject(), replace(TOY, save_every=0.0), 0, tmp_path)
    steps = run.steps()
    next(steps)
    next(steps)
    good = (tmp_path / CHECKPOINT).read_bytes()
    before = {name: values.clone() for name, values in run.stage.state_dict().items()}
    monkeypatch.setattr(
        RadianceFieldStage, "loss", lambda self, *_: sum(p.sum() for p in self.parameters()) * torch.nan
    )
    with pytest.raises(Diverged, match="step 3 of the coarse stage"):
        next(steps)
    assert (tmp_path / CHECKPOINT).read_bytes() == good
    assert all(torch.equal(values, before[name]) for name, values in run.stage.state_dict().items())


def test_the_mesh_is_closed_outward_and_wears_the_photo() -> None:
    photo, _, camera, _ = toy.ball()
    run = Refinement(toy.subject(128), replace(TOY, photo=128, texture=replace(TOY.texture, side=512)), 0)
    finished(run)
    mesh = textured_mesh(run)
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
    run = Refinement(toy.subject(), TOY, 0)
    for step in run.steps():
        if step.number == 1:
            picture = step.preview()
            assert picture.dtype == np.uint8
            assert (picture != 255).any(2).mean() > 0.2


def test_recipes_take_steps_and_faces() -> None:
    asked = recipe("quick", 7, 999)
    assert ([stage.steps for stage in asked.stages], asked.texture.faces) == ([7], 999)
    assert recipe("full") == RECIPES["full"]["mesh"]


def test_a_state_of_an_earlier_format_is_not_taken_up(tmp_path: Path) -> None:
    """What such a job's worker does then is to begin anew (tests/web/test_refining.py)."""
    subject = toy.subject()
    run = Refinement(subject, TOY, 0, tmp_path)
    next(run.steps())
    run.save()
    state = torch.load(tmp_path / CHECKPOINT, weights_only=True)
    old = {"key": state["key"], "stage": "coarse", "done": 1, "random": state["random"], "coarse": state["stages"][0],
           "fine": None, "adam": state["adam"], "losses": {"coarse": 1.0}, "halved": [], "format": 3}  # fmt: skip
    torch.save(old, tmp_path / CHECKPOINT)
    assert checkpoint.FORMAT > 3
    with pytest.raises(BadOption, match=r"another version of this program; delete it or give folder another folder\.$"):
        Refinement(subject, TOY, 0, tmp_path)
