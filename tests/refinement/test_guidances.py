"""A list of opinions steers a run; none leaves the photo alone."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from recon.errors import BadOption
from recon.refinement.guidance import solid
from recon.refinement.guidance.solid import GUIDANCES, Guidance, Seen, Stage
from recon.refinement.run import Refinement
from recon.refinement.settings import GUIDANCES as NAMES
from recon.refinement.settings import preset
from recon.render.cameras import Pinhole, orbit
from tests.refinement import toy
from tests.refinement.toy import TOY


class Green:
    """Wants the right side to be green, and sees it whole."""

    coloured = True

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.steps: Counter[tuple[str, int]] = Counter()

    def draw(self, stage: Stage, generator: torch.Generator) -> tuple[Pinhole, None]:
        """From the right."""
        return orbit(90.0, 0.0, 4.0, 30.0, 24), None

    def loss(self, seen: Seen, step: int, generator: torch.Generator) -> Tensor:
        """Squared difference from green; of the mesh, which has no colours of its own, nothing."""
        self.seen.append(seen)
        self.steps[seen.stage, step] += 1
        assert seen.colour is not None
        if seen.stage == "fine":
            return 0 * seen.opacity.sum()
        inside = seen.opacity.detach()[:, None]
        return 50 * (inside * (seen.colour - seen.colour.new_tensor([0.0, 1.0, 0.0])).square()).mean()


def test_names_are_those_that_can_be_built_and_each_is_a_guidance() -> None:
    assert tuple(GUIDANCES) == NAMES
    run = Refinement(toy.target(), TOY)
    assert len(run.guidances) == 1
    for each in (*run.guidances, Green()):
        assert isinstance(each, Guidance)


def test_a_list_of_names_is_read_and_unknown_ones_are_told() -> None:
    assert preset("quick").guidance == ("builtin",)
    assert preset("quick", guidance="none").guidance == ()
    assert preset("quick", guidance=" builtin,builtin ").guidance == ("builtin",)
    for wrong, name in (("zero456", "zero456"), ("builtin,none", "none"), ("", ""), ("builtin,", "")):
        with pytest.raises(BadOption, match=f"--guidance is '{wrong}' and '{name}' is unknown; give none, or builtin"):
            preset("quick", guidance=wrong)


def test_a_guidance_is_shown_what_it_asked_for_and_moves_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    green = Green()
    monkeypatch.setitem(solid.GUIDANCES, "green", lambda *_: green)
    settings = replace(TOY, coarse=replace(TOY.coarse, steps=40, rate=3e-2), guidance=("builtin", "green"))
    views = {}
    for asked in (settings, replace(settings, guidance=())):
        run = Refinement(toy.target(), asked, 0)
        for step in run.steps():
            if (step.stage, step.number) == ("coarse", 40):
                views[asked.guidance] = run.coarse.view(orbit(90.0, 0.0, 4.0, 30.0, 24))
    steered, alone = (view[8:16, 8:16].mean((0, 1)) for view in views.values())
    assert steered[1] > alone[1] + 0.05
    assert green.steps == Counter([("coarse", i) for i in range(40)] + [("fine", i) for i in range(4)])
    for seen in green.seen:
        assert seen.pixels is None
        assert seen.colour is not None
        assert seen.colour.shape == (24 * 24, 3)
        assert seen.opacity.shape == seen.depth.shape == (24 * 24,)
        assert seen.opacity.requires_grad
        assert ((seen.depth - 4).abs()[seen.opacity.detach() > 0.99] < 1).all()


def test_without_guidance_the_photo_alone_is_fitted() -> None:
    run = Refinement(toy.target(), replace(TOY, guidance=()), 0)
    assert run.guidances == []
    for step in run.steps():
        assert 0 < step.loss < 10
    assert run.fine is not None
    assert len(run.fine.final().faces) > 100
