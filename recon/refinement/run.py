"""A refinement that can be trusted: a generator of steps that reports, can be stopped between any two, and goes on.

    run = Refinement(subject, recipe, seed, folder)
    for step in run.steps():     # leave the loop whenever you like
        print(step.stage, step.number, step.loss)
    vertices, faces = run.surface()

It goes through its recipe's stages one after the other; what each of them is, it does not know. It runs where its subject
lies, on a CPU or on CUDA. With a folder its state (models, guidances, optimiser, random state, step) is saved there every
few seconds, when the loop is left and when a stage ends, each time to a temporary file that is then renamed. A run that
finds its own state there goes on from it; on a CPU the result is bit for bit that of a run that was never stopped. A loss
that is not finite ends the run with Diverged; what was saved last stays. Where a GPU's memory does not suffice, a stage
goes on with half of what it takes, once, and `notes` says so.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray
from torch import nn

from recon.errors import BadOption, UnflatError
from recon.messages import Message, note
from recon.models.device import Where
from recon.refinement import checkpoint
from recon.refinement.guidance import GuidancePlan, guidances_of
from recon.refinement.progress import PREVIEW_SIDE, Reporter, Step
from recon.refinement.protocols import Diverged, Stage, StageContext, State, Subject, Triangles, nothing_left
from recon.refinement.recipes import RefinementRecipe
from recon.refinement.stages import STAGES
from recon.render.cameras import distance_to_fit, orbit
from recon.types import PointCloud

WHOLE = note("refine.whole", "this refinement")


class OutOfMemory(UnflatError):
    """The GPU's memory does not suffice, not even for half."""

    exit_code = 2


class Refinement:
    """One refinement of one subject. `seed` and the recipe decide all that is random in it. `report` hears of what takes
    long between the steps; where it raises, the run stops. `where`: for guidances with models of their own. Raises
    BadOption where there is neither a photo nor a guidance."""

    def __init__(
        self,
        subject: Subject,
        recipe: RefinementRecipe,
        seed: int = 0,
        folder: Path | None = None,
        report: Reporter | None = None,
        where: Where = Where(),
    ) -> None:
        if subject.reference is None and not recipe.guidance:
            raise BadOption("guidance.needed", "without a photo something has to guide a refinement; give <guidance>.")
        self.subject, self.recipe, self.folder, self.report = subject, recipe, folder, report or Reporter()
        self.generator = torch.Generator().manual_seed(seed)
        self.key = _key(subject, recipe, seed)
        self.guidances = guidances_of(GuidancePlan(subject, recipe, where))
        self.context = StageContext(subject, self.guidances, seed, self.report.heartbeat)
        self.stages: list[Stage] = []
        self.losses: dict[str, float] = {}
        self.halved: list[str] = []
        self.notes: list[Message] = []  # what a person should know of how it went
        self.report.begin("target", 1, self.preview)
        state = None if folder is None else checkpoint.load(folder, self.key)
        self._take_up(state) if state is not None else self._begin_stage()
        self.report.heartbeat()  # torch takes its time for the first optimiser
        self._announce(0 if state is None else state["done"])
        self.saved = time.monotonic()

    @property
    def stage(self) -> Stage:
        """The one that is at work, or was last."""
        return self.stages[-1]

    @property
    def done(self) -> int:
        """Steps of the stage that are done."""
        return self._done

    @property
    def finished(self) -> bool:
        """Whether every stage has done its steps."""
        return len(self.stages) == len(self.recipe.stages) and self._done >= self.stage.steps

    @property
    def planned(self) -> dict[str, int]:
        """Steps of every stage."""
        return {stage.stage: stage.steps for stage in self.recipe.stages}

    def steps(self) -> Generator[Step, None, None]:
        """Do the rest, one step at a time."""
        try:
            while not self.finished:
                if self._done >= self.stage.steps:
                    self._next_stage()
                    continue
                self.losses[self.stage.name] = loss = self._step()
                self._done += 1
                if time.monotonic() - self.saved > self.recipe.save_every:
                    self.save()
                if self.finished:
                    self.save()
                yield self.report.done(loss)
        except GeneratorExit:  # left between two steps; what is interrupted within a step is not saved
            self.save()
            raise

    def surface(self) -> Triangles:
        """The closed mesh as far as the run has come. Raises Diverged where nothing is left of it."""
        while len(self.stages) < len(self.recipe.stages):
            self._begin_stage()
        vertices, faces = self.stage.surface(self.report.heartbeat)
        if not len(faces):
            raise nothing_left()
        return vertices.to(self.context.device), faces.to(self.context.device)

    @property
    def cloud(self) -> PointCloud | None:
        """The points in the photo's camera frame, where the stage is made of points."""
        return self.stage.cloud(self.subject.frame)

    def preview(self, azimuth: float = 30.0, elevation: float = 10.0) -> UInt8[ndarray, "s s 3"]:
        """A picture of the model as it is, over white; of the photo's subject while there is none."""
        reference = self.subject.reference
        if self.stages:
            view = orbit(azimuth, elevation, distance_to_fit(30.0), 30.0, PREVIEW_SIDE).to(self.context.device)
            picture = self.stage.view(view)
        elif reference is not None:
            picture = reference.at(PREVIEW_SIDE).over_white()
        else:
            picture = torch.ones(PREVIEW_SIDE, PREVIEW_SIDE, 3)
        return (255 * picture.clamp(0, 1)).round().byte().cpu().numpy()

    def save(self) -> None:
        """Write the state into the folder, if there is one."""
        self.saved = time.monotonic()
        if self.folder is None:
            return
        state = {
            "key": self.key, "done": self._done, "random": self.generator.get_state(),
            "stages": [stage.state_dict() for stage in self.stages], "adam": self.adam.state_dict(),
            "guidances": [guidance.state_dict() for guidance in self.guidances],
            "losses": self.losses, "halved": self.halved,
        }  # fmt: skip
        checkpoint.save(self.folder, state)

    def _take_up(self, state: State) -> None:
        self.losses, self.halved = state["losses"], list(state["halved"])
        for guidance, kept in zip(self.guidances, state["guidances"], strict=True):
            guidance.load_state_dict(kept)
        for kept in state["stages"]:
            self._begin_stage(_moved(kept, self.context.device))
        self.adam.load_state_dict(state["adam"])
        self.generator.set_state(state["random"])
        self._done = state["done"]

    def _begin_stage(self, state: State | None = None) -> None:
        """The next one of the recipe, as it begins or from a state that was kept."""
        settings = self.recipe.stages[len(self.stages)]
        with memory_told():
            stage = STAGES[type(settings)](settings, self.context, self.stages, state)
        if stage.name in self.halved:
            self.notes.append(stage.halve())
        self.stages.append(stage)
        self.adam, self._done = stage.optimiser(), 0

    def _next_stage(self) -> None:
        self.save()  # a stop while the next stage is made ready loses nothing
        settings = self.recipe.stages[len(self.stages)]
        self.report.begin(settings.stage, settings.steps, self.preview)
        self._begin_stage()
        self.save()

    def _announce(self, done: int) -> None:
        self.report.begin(self.stage.name, self.stage.steps, self.preview, done)

    def _step(self) -> float:
        """One step, with half of what it takes where the GPU's memory does not suffice."""
        random, name = self.generator.get_state(), self.stage.name
        try:
            return self._stepped()
        except torch.OutOfMemoryError:
            if name in self.halved:
                raise _too_much(_half_of(name)) from None
        self.adam.zero_grad()
        torch.cuda.empty_cache()
        self.generator.set_state(random)
        self.halved.append(name)
        self.notes.append(self.stage.halve())
        with memory_told(_half_of(name)):
            return self._stepped()

    def _stepped(self) -> float:
        share = self._done / max(self.stage.steps, 1)
        loss = self.stage.loss(self._done, self.generator)
        self.adam.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.stage.parameters(), 1.0)
        if not math.isfinite(float(loss.detach()) + float(norm)):
            raise Diverged(
                "refine.diverged",
                "the refinement's loss is no finite number at step {step} of the {stage} stage; what was saved last was"
                " kept, another <seed> may do.",
                step=self._done + 1, stage=self.stage.name,
            )  # fmt: skip
        for group in self.adam.param_groups:  # a cosine to a tenth
            group.setdefault("first", group["lr"])
            group["lr"] = group["first"] * (0.1 + 0.45 * (1 + math.cos(math.pi * share)))
        self.adam.step()
        return float(loss.detach())


@contextmanager
def memory_told(what: Message = WHOLE) -> Iterator[None]:
    """Raise OutOfMemory where a GPU's memory does not suffice for something."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise _too_much(what) from None


def _half_of(stage: str) -> Message:
    return note("refine.half", "half of what the {stage} stage takes", stage=stage)


def _too_much(what: Message) -> OutOfMemory:
    return OutOfMemory(
        "refine.gpu_memory",
        "the GPU's memory does not suffice for {what}; give <device> cpu, or <preset> quick.",
        what=what,
    )


def _key(subject: Subject, recipe: RefinementRecipe, seed: int) -> str:
    """Tells one refinement from another."""
    digest = hashlib.sha256(repr((replace(recipe, save_every=0.0), seed)).encode())
    for part in subject.identity():
        digest.update(np.ascontiguousarray(part.cpu().numpy()).tobytes())
    return digest.hexdigest()


def _moved(state: State, device: torch.device) -> State:
    return {name: part.to(device) for name, part in state.items()}
