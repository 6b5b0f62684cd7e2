"""A refinement that can be trusted: a generator of steps that reports, can be stopped between any two, and goes on.

    run = Refinement(target, settings, seed, folder)
    for step in run.steps():     # leave the loop whenever you like
        print(step.stage, step.number, step.loss)
    mesh = run.mesh

It runs where its target lies, on a CPU or on CUDA. With a folder its state (parameters, optimiser, random state, step) is
saved there every few seconds, when the loop is left and when a stage ends, each time to a temporary file that is then
renamed. A run that finds its own state there goes on from it; on a CPU the result is bit for bit that of a run that was
never stopped. A loss that is not finite ends the run with Diverged; what was saved last stays. Where a GPU's memory does
not suffice, a stage goes on with half its rays or half its side, once, and `notes` says so.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy import ndarray
from torch import Tensor, nn

from recon.errors import UnflatError
from recon.refine import checkpoint
from recon.refine.checkpoint import State
from recon.refine.coarse import Coarse
from recon.refine.fine import Fine
from recon.refine.guidance import Guide, distance_at, distance_volume, guide_of
from recon.refine.guidances import Guidance, guidances_of
from recon.refine.settings import Settings
from recon.refine.steps import PREVIEW_SIDE, Parts, Step, Tell, silent
from recon.refine.target import Target
from recon.refine.texture import PARTS, textured
from recon.render.cameras import Pinhole, distance_to_fit, orbit
from recon.render.dmtet import lattice
from recon.types import Mesh


class Diverged(UnflatError):
    """The loss was not a finite number."""


class OutOfMemory(UnflatError):
    """The GPU's memory does not suffice, not even for half."""

    exit_code = 2


class Refinement:
    """One refinement of one target. `seed` and the settings decide all that is random in it. `tell` hears of what takes
    long between the steps; where it raises, the run stops."""

    def __init__(
        self,
        target: Target,
        settings: Settings,
        seed: int = 0,
        folder: Path | None = None,
        tell: Tell = silent,
    ) -> None:
        self.target, self.settings, self.folder, self.tell = target, settings, folder, tell
        self.device = target.photo.device
        self.generator = torch.Generator().manual_seed(seed)
        self.key = _key(target, settings, seed)
        self.fine: Fine | None = None
        self.losses: dict[str, float] = {}
        self.halved: list[str] = []
        self.stage, self.done = "target", 0
        state = None if folder is None else checkpoint.load(folder, self.key)
        with memory_told():
            self.coarse = self._coarse(seed, fresh=state is None)
        self.stage, self.done = "coarse", 0
        self.adam = self._optimiser()
        self.beat()  # torch takes its time for the first optimiser
        self.saved = time.monotonic()
        if state is not None:
            self._take_up(state)

    @cached_property
    def guide(self) -> Guide:
        """The target's solid, coloured."""
        return guide_of(self.target, self.settings.texture.hold, self.settings.texture.fade, self.beat)

    @cached_property
    def volume(self) -> Float[Tensor, "n n n"]:
        """The signed distance of the target's solid."""
        return distance_volume(self.target, self.settings.volume, self.beat)

    @cached_property
    def guidances(self) -> list[Guidance]:
        """What guides it."""
        return guidances_of(self.target, self.guide, self.settings)

    @property
    def notes(self) -> list[str]:
        """What a person should know of how it went."""
        what = {"coarse": "rays at a time", "fine": "its pictures' side"}
        return [f"the GPU's memory did not suffice: the {stage} stage went on with half of {what[stage]}"
                for stage in self.halved]  # fmt: skip

    def beat(self) -> None:
        """Say that the step at hand goes on."""
        self.tell(Step(self.stage, self.done, self._planned(), math.nan, self.preview))

    def steps(self) -> Generator[Step, None, None]:
        """Do the rest, one step at a time."""
        try:
            while self.stage != "texture":
                if self.done >= self._planned():
                    self._next_stage()
                    continue
                self.losses[self.stage] = loss = self._step()
                self.done += 1
                if time.monotonic() - self.saved > self.settings.save_every:
                    self.save()
                yield Step(self.stage, self.done, self._planned(), loss, self.preview)
        except GeneratorExit:  # left between two steps; what is interrupted within a step is not saved
            self.save()
            raise

    @property
    def mesh(self) -> Mesh:
        """The textured mesh in the photo's camera frame, as far as the run has come."""
        parts = Parts("texture", PARTS, self.tell, self.preview)
        with memory_told():
            surface = (self.fine or self._fine()).final()
            if not len(surface.faces):
                raise Diverged("nothing is left of the model; another --seed or another --mask may do.")
            return textured(self.target, self.coarse, surface.vertices, surface.faces, self.settings.texture, parts)

    def preview(self, azimuth: float = 30.0, elevation: float = 10.0) -> UInt8[ndarray, "s s 3"]:
        """A picture of the model as it is, over white; of the photo's subject while there is none."""
        if self.stage == "target":
            small = self.target.at(PREVIEW_SIDE)
            picture = small.photo * small.mask[..., None] + 1 - small.mask[..., None]
        else:
            view = orbit(azimuth, elevation, distance_to_fit(30.0), 30.0, PREVIEW_SIDE).to(self.device)
            picture = self._shown(view)
        return (255 * picture.clamp(0, 1)).round().byte().cpu().numpy()

    def _shown(self, view: Pinhole) -> Tensor:
        if self.fine is None:
            return self.coarse.view(view)
        return self.fine.view(view, self.coarse)

    def save(self) -> None:
        """Write the state into the folder, if there is one."""
        self.saved = time.monotonic()
        if self.folder is None:
            return
        state = {
            "key": self.key, "stage": self.stage, "done": self.done, "random": self.generator.get_state(),
            "coarse": self.coarse.state_dict(), "fine": None if self.fine is None else self.fine.state_dict(),
            "adam": self.adam.state_dict(), "losses": self.losses, "halved": self.halved,
        }  # fmt: skip
        checkpoint.save(self.folder, state)

    def _take_up(self, state: State) -> None:
        self.stage, self.done, self.losses = state["stage"], state["done"], state["losses"]
        for stage in state["halved"]:
            self._halve(stage)
        self.coarse.load_state_dict(state["coarse"])
        if state["fine"] is not None:
            self.fine = self._fine(state["fine"]["distance"].to(self.device))
        self.adam = self._optimiser()
        self.adam.load_state_dict(state["adam"])
        self.generator.set_state(state["random"])

    def _planned(self) -> int:
        stages = {"target": 1, "coarse": self.settings.coarse.steps, "fine": self.settings.fine.steps, "texture": PARTS}
        return stages[self.stage]

    def _optimiser(self) -> torch.optim.Adam:
        if self.fine is not None:
            return torch.optim.Adam(self.fine.parameters(), lr=self.settings.fine.rate, betas=(0.9, 0.99))
        return torch.optim.Adam(self.coarse.groups(self.settings.coarse.rate), betas=(0.9, 0.99), eps=1e-15)

    def _next_stage(self) -> None:
        if self.stage == "coarse":
            self.stage, self.done = "fine", 0
            self.fine = self._fine()
            self.adam = self._optimiser()
        else:
            self.stage, self.done = "texture", 0
        self.save()

    def _coarse(self, seed: int, fresh: bool) -> Coarse:
        """The field at the beginning; what a saved state replaces is left empty."""
        side = (self.settings.volume + 1,) * 3
        volume = self.volume if fresh else torch.zeros(side, device=self.device)
        coarse = Coarse(volume, self.settings.coarse, seed)
        if fresh:
            _ = self.guide  # before the first step, which should not take longer than the others
            coarse.look(self.beat)
        self.beat()
        return coarse

    def _fine(self, distance: Tensor | None = None) -> Fine:
        resolution = self.settings.fine.resolution
        if distance is None:
            points = lattice(resolution).to(self.device)
            distance = self.coarse.moved(distance_at(self.target, self.volume, points, self.beat), points)
        return Fine(distance, resolution)

    def _step(self) -> float:
        """One step, with half of what it takes where the GPU's memory does not suffice."""
        random = self.generator.get_state()
        try:
            return self._stepped()
        except torch.OutOfMemoryError:
            if self.stage in self.halved:
                raise OutOfMemory(_too_much(f"half of what the {self.stage} stage takes")) from None
        self.adam.zero_grad()
        torch.cuda.empty_cache()
        self.generator.set_state(random)
        self._halve(self.stage)
        with memory_told(f"half of what the {self.stage} stage takes"):
            return self._stepped()

    def _halve(self, stage: str) -> None:
        """Half of the rays at a time, or of the pictures' side, from now on."""
        self.halved = [*self.halved, stage]
        coarse, fine = self.settings.coarse, self.settings.fine
        if stage == "coarse":
            coarse = replace(coarse, rays=max(coarse.rays // 2, 2))
        else:
            fine = replace(fine, side=max(fine.side // 2, 2))
        self.settings = replace(self.settings, coarse=coarse, fine=fine)
        self.__dict__.pop("guidances", None)  # they are made of the settings

    def _loss(self) -> Float[Tensor, ""]:
        settings, shared = self.settings, (self.guide, self.guidances)
        if self.fine is None:
            return self.coarse.loss(self.target, *shared, settings.coarse, self.done, self.generator)
        small = self.target.at(settings.fine.side)
        return self.fine.loss(small, *shared, self.coarse, settings.fine, self.done, self.generator)

    def _stepped(self) -> float:
        share = self.done / max(self._planned(), 1)
        loss = self._loss()
        self.adam.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_((self.fine or self.coarse).parameters(), 1.0)
        if not math.isfinite(float(loss.detach()) + float(norm)):
            raise Diverged(
                f"the refinement's loss is no finite number at step {self.done + 1} of the {self.stage} stage; what was"
                " saved last was kept, another --seed may do."
            )
        for group in self.adam.param_groups:  # a cosine to a tenth
            group.setdefault("first", group["lr"])
            group["lr"] = group["first"] * (0.1 + 0.45 * (1 + math.cos(math.pi * share)))
        self.adam.step()
        return float(loss.detach())


@contextmanager
def memory_told(what: str = "this refinement") -> Iterator[None]:
    """Raise OutOfMemory where a GPU's memory does not suffice."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise OutOfMemory(_too_much(what)) from None


def _too_much(what: str) -> str:
    return f"the GPU's memory does not suffice for {what}; give --device cpu, or --refine quick."


def _key(target: Target, settings: Settings, seed: int) -> str:
    """Tells one refinement from another."""
    digest = hashlib.sha256(repr((replace(settings, save_every=0.0), seed)).encode())
    for part in (target.photo, target.mask, target.vertices, target.faces):
        digest.update(np.ascontiguousarray(part.cpu().numpy()).tobytes())
    return digest.hexdigest()
