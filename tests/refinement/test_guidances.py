"""A list of opinions steers a run: each is shown what it asks for, moves shape and colours, and is kept with the run."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from recon.errors import BadOption
from recon.models.device import Where
from recon.options import RefineOptions, option_of
from recon.protocols import Denoiser
from recon.refinement import guidance
from recon.refinement.guidance import GUIDANCES, GuidancePlan
from recon.refinement.protocols import Guidance, InitialShape, Rendering, Stage, State, ViewBudget, ViewRequest
from recon.refinement.recipes import RefinementRecipe, recipe
from recon.refinement.refine import textured_mesh
from recon.refinement.run import Refinement
from recon.render.cameras import orbit
from tests.refinement import toy
from tests.refinement.toy import FIELD, MESH, TOY, TOY_POINTS
from tests.test_protocols import Grey, distillation

RIGHT = orbit(90.0, 0.0, 4.0, 30.0, 24)


@dataclass
class Green:
    """Wants the right side to be green, in some stages; counts what it was shown, as something that learns would."""

    stages: tuple[str, ...] = ("coarse", "fine", "points")
    request_: ViewRequest = field(default_factory=lambda: ViewRequest((RIGHT,)))
    seen: list[Rendering] = field(default_factory=list)
    told: list[tuple[str, float]] = field(default_factory=list)
    learnt: Tensor = field(default_factory=lambda: torch.zeros(()))
    paints: bool = True

    def request(self, budget: ViewBudget, progress: float, generator: torch.Generator) -> ViewRequest | None:
        """From the right."""
        self.told.append((budget.stage, progress))
        return self.request_ if budget.stage in self.stages else None

    def loss(self, seen: Rendering, progress: float, generator: torch.Generator) -> Tensor:
        """Squared difference from green."""
        self.seen.append(seen)
        self.learnt = self.learnt + 1
        assert seen.colour is not None
        inside = seen.opacity.detach()[..., None]
        return 50 * (inside * (seen.colour - seen.colour.new_tensor([0.0, 1.0, 0.0])).square()).mean()

    def state_dict(self) -> State:
        """How often it was asked."""
        return {"learnt": self.learnt}

    def load_state_dict(self, state: State) -> None:
        """Go on counting."""
        self.learnt = state["learnt"]


def steered(
    green: Green, asked: RefinementRecipe, monkeypatch: pytest.MonkeyPatch, folder: Path | None = None
) -> Refinement:
    """A run that the guidance steers, not begun."""
    monkeypatch.setitem(GUIDANCES, "green", lambda plan: green)
    return Refinement(toy.subject(), replace(asked, guidance=("builtin", "green")), 0, folder)


def finished(run: Refinement) -> Refinement:
    """Do the rest."""
    for _ in run.steps():
        pass
    return run


def middle(picture: Tensor) -> Tensor:
    """Mean colour in the middle of a square picture."""
    side = len(picture)
    return picture[side // 3 : -side // 3, side // 3 : -side // 3].mean((0, 1))


def test_names_are_those_that_can_be_built_and_each_meets_its_protocol() -> None:
    assert list(GUIDANCES) == [choice.value for choice in option_of(RefineOptions, "guidance").choices]
    run = finished(Refinement(toy.subject(), TOY))
    assert len(run.guidances) == 1
    for each in (*run.guidances, Green()):
        assert isinstance(each, Guidance)
    parts = {name for name in [*vars(Stage), *Stage.__annotations__] if not name.startswith("_")}
    assert len(parts) > 10
    for stage in (*run.stages, finished(Refinement(toy.subject(), TOY_POINTS)).stage):
        assert isinstance(stage, Stage)
        assert (
            parts <= vars(type(stage)).keys() | vars(stage).keys()
        )  # none is left to the protocol, which does nothing
    assert isinstance(run.subject.shape, InitialShape)


def test_a_list_of_names_is_read_and_unknown_ones_are_told() -> None:
    assert recipe("quick").guidance == ("builtin",)
    assert recipe("quick", guidance="none").guidance == ()
    assert recipe("quick", guidance=" builtin,builtin ").guidance == ("builtin",)
    for wrong, name in (("zero456", "zero456"), ("builtin,none", "none"), ("", ""), ("builtin,", "")):
        with pytest.raises(BadOption, match=f"guidance is '{wrong}' and '{name}' is unknown; give none, or builtin"):
            recipe("quick", guidance=wrong)


def test_a_guidance_is_shown_what_it_asked_for_and_moves_the_field(monkeypatch: pytest.MonkeyPatch) -> None:
    green = Green()
    asked = replace(TOY, stages=(replace(FIELD, steps=40, rate=3e-2), MESH))
    views = []
    for run in (steered(green, asked, monkeypatch), Refinement(toy.subject(), replace(asked, guidance=()), 0)):
        for step in run.steps():
            if (step.stage, step.number) == ("coarse", 40):
                views.append(middle(run.stage.view(RIGHT)))
    assert views[0][1] > views[1][1] + 0.05
    assert green.told == [("coarse", i / 40) for i in range(40)] + [("fine", i / 4) for i in range(4)]
    for seen in green.seen:
        assert seen.pixels is None
        assert seen.colour is not None
        assert seen.colour.shape == (1, 24 * 24, 3)
        assert seen.opacity.shape == seen.depth.shape == (1, 24 * 24)
        assert seen.opacity.requires_grad
        assert ((seen.depth - 4).abs()[seen.opacity.detach() > 0.99] < 1).all()


def test_a_guidance_that_looks_at_colours_paints_the_mesh(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the mesh's stage alone: its surface stays, what the photo does not show turns green, and so do texture and
    vertices, which wear the same."""
    asked = replace(TOY, stages=(FIELD, replace(MESH, steps=60, colour_rate=5e-2)))
    run = finished(steered(Green(stages=("fine",)), asked, monkeypatch))
    alone = finished(Refinement(toy.subject(), asked, 0))
    one, other = (middle(each.stage.view(RIGHT)) for each in (run, alone))
    assert one[1] > other[1] + 0.3
    assert one[0] < other[0] - 0.1
    away = run.surface()[0].norm(dim=1).median() - alone.surface()[0].norm(dim=1).median()
    assert away.abs() < 0.02
    mesh = textured_mesh(run)
    assert mesh.texture is not None and mesh.uv is not None
    right = mesh.vertices[:, 0] > mesh.vertices[:, 0].max() - 0.2 * toy.RADIUS
    columns, rows = (mesh.uv * mesh.texture.shape[1::-1]).astype(int).T
    texels = mesh.texture[rows, columns]
    assert mesh.colors is not None
    for worn in (texels, mesh.colors):
        red, greens, _ = worn[right].mean(0)
        assert greens > red + 60
    assert np.abs(texels.astype(int) - mesh.colors).mean() < 8  # the photo's own pixels are finer than the run's
    near = mesh.vertices[:, 2] < toy.CENTRE[2] - 0.8 * toy.RADIUS
    assert mesh.colors[near, 2].mean() > 100  # the photo's own, which is blue


def test_what_is_painted_does_not_pull_the_surface_along() -> None:
    """Colours inside of the outline have gradients to the field alone."""
    run = Refinement(toy.subject(), TOY, 0)
    next(step for step in run.steps() if step.stage == "fine")
    run.adam.zero_grad()
    request = ViewRequest((RIGHT,), torch.tensor([[12 * 24 + 12]]), frozenset({"colour"}))
    seen = run.stage.render(request, torch.Generator().manual_seed(0))
    assert seen.colour is not None
    seen.colour.sum().backward()
    latent, *colours = run.stage.parameters()
    assert latent.grad is None or not latent.grad.any()
    assert any(part.grad is not None and part.grad.any() for part in colours)


@pytest.mark.parametrize("stage", ["coarse", "fine", "points"])
def test_views_come_in_batches_with_normals_lit_and_over_the_ground_that_was_asked_for(stage: str) -> None:
    run = Refinement(toy.subject(), TOY_POINTS if stage == "points" else TOY, 0)
    for step in run.steps():
        if step.stage == stage:
            break
    cameras = tuple(orbit(azimuth, 0.0, 4.0, 30.0, 16) for azimuth in (0.0, 90.0, 180.0))
    lamp = torch.tensor([0.0, 0.0, -1.0])  # at the reference camera
    red = torch.tensor([[1.0, 0.0, 0.0]]).expand(3, 3)
    pixels = torch.tensor([[0, 119, 120, 135, 136]]).expand(3, 5)  # a corner, and the four in the middle
    request = ViewRequest(cameras, pixels, frozenset({"colour", "normal"}), "textureless", red, lamp, ambient=0.2)
    seen = run.stage.render(request, torch.Generator().manual_seed(0))
    assert seen.colour is not None and seen.normal is not None
    assert seen.colour.shape == seen.normal.shape == (3, 5, 3)
    towards = torch.stack([torch.nn.functional.normalize(camera.position, dim=0) for camera in cameras])
    facing = torch.nn.functional.cosine_similarity(seen.normal[:, 1:], towards[:, None], dim=-1)
    assert facing.min() > 0.6  # the middle of a ball faces every camera
    if stage == "points":  # its renderer knows neither lamps nor grounds
        return
    torch.testing.assert_close(seen.colour[:, 0], red, atol=1e-3, rtol=0)
    lit = seen.colour[:, 1:].mean((1, 2))
    assert lit[0] > 0.7
    torch.testing.assert_close(lit[2], torch.tensor(0.2), atol=0.15, rtol=0)  # ambient light alone
    assert lit[0] > lit[1] > lit[2] - 0.02


def test_what_a_guidance_has_learnt_is_kept_with_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = steered(Green(), TOY, monkeypatch, tmp_path).steps()
    assert len(list(islice(steps, 3))) == 3
    steps.close()
    green = Green()
    finished(steered(green, TOY, monkeypatch, tmp_path))
    assert len(green.seen) == 5
    assert green.learnt == 8


def test_a_builder_is_told_where_a_model_may_run(monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[GuidancePlan] = []

    def build(plan: GuidancePlan) -> Guidance:
        plans.append(plan)
        return Green()

    monkeypatch.setitem(guidance.GUIDANCES, "green", build)
    where = Where("cpu", offline=True, memory=1 << 30)
    run = Refinement(toy.subject(), replace(TOY, guidance=("green",)), 0, where=where)
    assert [plan.where for plan in plans] == [where]
    assert plans[0].subject is run.subject


@dataclass(frozen=True)
class Distilled:
    """What a denoiser believes of the right side, in the field's stage."""

    model: Denoiser
    paints: bool = True

    def request(self, budget: ViewBudget, progress: float, generator: torch.Generator) -> ViewRequest | None:
        """From the right."""
        return ViewRequest((RIGHT,)) if budget.stage == "coarse" else None

    def loss(self, seen: Rendering, progress: float, generator: torch.Generator) -> Tensor:
        """Its pictures distilled."""
        assert seen.colour is not None
        pictures = seen.colour.unflatten(1, (RIGHT.height, RIGHT.width)).permute(0, 3, 1, 2)
        return distillation(self.model, pictures, generator)

    def state_dict(self) -> State:
        """Nothing."""
        return {}

    def load_state_dict(self, state: State) -> None:
        """Nothing."""


def test_a_denoiser_can_be_a_guidance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its side of the model becomes as grey as the denoiser believes it is."""
    model = Grey()
    model.grey = 0.9
    monkeypatch.setitem(GUIDANCES, "grey", lambda plan: Distilled(model))
    field_alone = replace(TOY, stages=(replace(FIELD, steps=60, rate=3e-2),))
    runs = (Refinement(toy.subject(), replace(field_alone, guidance=names), 0) for names in (("grey",), ()))
    grey, own = ((middle(finished(run).stage.view(RIGHT)) - 0.9).abs().max() for run in runs)
    assert own > 0.3  # measured: 0.17 against 0.48
    assert grey < 0.5 * own


def test_without_guidance_the_photo_alone_is_fitted() -> None:
    run = Refinement(toy.subject(), replace(TOY, guidance=()), 0)
    assert run.guidances == []
    for step in run.steps():
        assert 0 < step.loss < 10
    assert len(run.surface()[1]) > 100
