"""Where a run lies, and what it does when a GPU is too small for it. On CUDA where there is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from recon.refinement.refine import textured_mesh
from recon.refinement.run import OutOfMemory, Refinement
from recon.refinement.solid_prior import SolidPrior
from recon.refinement.stages.mesh import MeshStage
from recon.refinement.stages.radiance_field import RadianceField, RadianceFieldStage
from recon.render.cameras import orbit
from recon.render.fields import VolumePrior
from recon.render.hashgrid import HashGrid
from tests.refinement import toy
from tests.refinement.toy import TOY

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA here"))]


def tensors(value: Any, name: str = "run") -> Iterator[tuple[str, Tensor]]:
    """All tensors that a value holds, with their names."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, nn.Module):
        yield from ((f"{name}.{key}", part) for key, part in value.state_dict(keep_vars=True).items())
        yield from ((f"{name}.{key}", part) for key, part in value.named_buffers())
    elif isinstance(value, torch.optim.Optimizer):
        for state in value.state.values():
            yield from ((f"{name}.{key}", part) for key, part in state.items() if key != "step")
    elif isinstance(value, RadianceFieldStage | MeshStage | SolidPrior):
        yield from tensors(list(vars(value).values()), name)
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from tensors(getattr(value, field.name), f"{name}.{field.name}")
    elif isinstance(value, list | tuple):
        for i, part in enumerate(value):
            yield from tensors(part, f"{name}.{i}")


@pytest.mark.parametrize("device", DEVICES)
def test_all_of_a_run_lies_where_its_subject_does(device: str, tmp_path: Path) -> None:
    run = Refinement(toy.subject().to(device), TOY, 0, tmp_path)
    for step in run.steps():
        assert step.preview().shape == (192, 192, 3)
    again = Refinement(toy.subject().to(device), TOY, 0, tmp_path)
    for each in (run, again):
        held = list(tensors(list(vars(each).values())))
        assert len(held) > 20
        assert {tensor.device.type for _, tensor in held} == {device}
    one, other = textured_mesh(run), textured_mesh(again)
    assert (one.vertices == other.vertices).all()
    assert one.texture is not None
    assert run.subject.reference is not None
    for camera in (orbit(0.0, 0.0, 4.0, 30.0, 8).to(device), run.subject.reference.camera):
        assert {tensor.device.type for _, tensor in tensors(camera)} == {device}


def test_a_run_uses_our_grid_on_a_cpu_and_the_same_numbers_as_ever() -> None:
    model = RadianceField(VolumePrior(torch.zeros(9, 9, 9)), "cpu", 5, levels=2, finest=32)
    assert isinstance(model.grid, HashGrid)
    torch.testing.assert_close(model.grid.table, HashGrid(model.grid.shape, torch.Generator().manual_seed(5)).table)


def full(method: Any, times: int) -> Any:
    """A method that does not find enough memory the first times, in the midst of its work."""
    left = [times]

    def tried(*args: Any) -> Any:
        loss = method(*args)
        if left[0]:
            left[0] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory")
        return loss

    return tried


@pytest.mark.parametrize(("model", "stage"), [(RadianceFieldStage, "coarse"), (MeshStage, "fine")])
def test_a_full_gpu_halves_a_stage_once_and_says_so(
    model: Any, stage: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(model, "loss", full(model.loss, 1))
    run = Refinement(toy.subject(), TOY, 0, tmp_path)
    done = [(step.stage, step.number) for step in run.steps()]
    assert done == [(name, number) for name in ("coarse", "fine") for number in (1, 2, 3, 4)]
    settings = tuple(each.settings for each in run.stages)  # type: ignore[attr-defined]
    halves = replace(toy.FIELD, rays=64), replace(toy.MESH, side=32, guide_side=toy.MESH.guide_side // 2)
    assert settings == ((halves[0], toy.MESH) if stage == "coarse" else (toy.FIELD, halves[1]))
    assert len(run.notes) == 1
    assert f"the {stage} stage went on with half" in str(run.notes[0])
    again = Refinement(toy.subject(), TOY, 0, tmp_path)
    assert again.finished
    assert (again.notes, tuple(each.settings for each in again.stages)) == (run.notes, settings)  # type: ignore[attr-defined]
    half = replace(TOY, stages=settings)  # as if it had been asked for
    wanted = Refinement(toy.subject(), half, 0)
    for _ in wanted.steps():
        pass
    one, other = run.stage.state_dict(), wanted.stage.state_dict()
    assert torch.equal(one["latent"], other["latent"])


def test_a_gpu_that_is_full_again_ends_the_run_with_what_was_saved(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = Refinement(toy.subject(), replace(TOY, save_every=0.0), 0, tmp_path)
    steps = run.steps()
    next(steps)
    monkeypatch.setattr(RadianceFieldStage, "loss", full(RadianceFieldStage.loss, 2))
    with pytest.raises(OutOfMemory, match="half of what the coarse stage takes; give device cpu, or preset quick"):
        next(steps)
    monkeypatch.undo()
    again = Refinement(toy.subject(), TOY, 0, tmp_path)
    assert [step.number for step in again.steps()][:3] == [2, 3, 4]
