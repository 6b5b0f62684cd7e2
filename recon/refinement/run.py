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
from recon.messages import Message, note
from recon.refinement import checkpoint
from recon.refinement.checkpoint import State
from recon.refinement.closed_surface import without_crumbs
from recon.refinement.guidance.solid import Guidance, guidances_of
from recon.refinement.progress import PREVIEW_SIDE, Parts, Step, Tell, silent
from recon.refinement.reference import Target
from recon.refinement.settings import FineSettings, PointsSettings, Settings
from recon.refinement.smooth import smoothed
from recon.refinement.solid_prior import Guide, distance_at, distance_volume, guide_of
from recon.refinement.stages.mesh import Fine
from recon.refinement.stages.multiview_points import cameras_around, field_viewer, make_cloud, solid_viewer
from recon.refinement.stages.point_cloud import Features, Points
from recon.refinement.stages.radiance_field import Coarse
from recon.refinement.texture import PARTS, textured
from recon.refinement.thin_parts import thickened
from recon.render.cameras import Pinhole, distance_to_fit, orbit
from recon.render.dmtet import tetrahedral_lattice
from recon.types import Mesh, PointCloud

WHOLE = note("refine.whole", "this refinement")


class Diverged(UnflatError):
    """The loss was not a finite number."""


class OutOfMemory(UnflatError):
    """The GPU's memory does not suffice, not even for half."""

    exit_code = 2


class Refinement:
    """One refinement of one target. `seed` and the settings decide all that is random in it. `tell` hears of what takes
    long between the steps; where it raises, the run stops. `features`: of the contextual loss of points, where there is a
    network for it."""

    def __init__(
        self,
        target: Target,
        settings: Settings,
        seed: int = 0,
        folder: Path | None = None,
        tell: Tell = silent,
        features: Features | None = None,
    ) -> None:
        self.seed, self.features = seed, features
        self.target, self.settings, self.folder, self.tell = target, settings, folder, tell
        self.device = target.photo.device
        self.generator = torch.Generator().manual_seed(seed)
        self.key = _key(target, settings, seed)
        self.fine: Fine | Points | None = None
        self.losses: dict[str, float] = {}
        self.halved: list[str] = []
        self.stage, self.done = "target", 0
        state = None if folder is None else checkpoint.load(folder, self.key)
        with memory_told():
            self.coarse = self._coarse(seed, fresh=state is None)
        self.adam = self._optimiser()
        self.beat()  # torch takes its time for the first optimiser
        self.stage, self.done = "coarse", 0
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
    def notes(self) -> list[Message]:
        """What a person should know of how it went."""
        return [_halved(stage) for stage in self.halved]

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
            fine, settings = self.fine or self._fine(), self.settings.texture
            if isinstance(fine, Points):
                vertices, faces = fine.surface(self.settings.points.cell)
                colours: Coarse | Points = fine
                settings = replace(settings, field=True)
            else:
                surface, colours = fine.final(), self.coarse
                found = without_crumbs(surface.vertices.cpu().numpy(), surface.faces.int().cpu().numpy())
                vertices, faces = torch.from_numpy(found[0]).to(self.device), torch.from_numpy(found[1]).long()
                faces = faces.to(self.device)
            if not len(faces):
                raise Diverged(
                    "refine.nothing_left", "nothing is left of the model; another <seed> or another <mask> may do."
                )
            return textured(self.target, colours, vertices, faces, settings, parts)

    @property
    def cloud(self) -> PointCloud | None:
        """The points in the photo's camera frame, where these are the second stage and it has begun."""
        return self.fine.cloud(self.target.frame) if isinstance(self.fine, Points) else None

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
        return self.fine.view(view) if isinstance(self.fine, Points) else self.fine.view(view, self.coarse)

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
            self.fine = self._fine({name: part.to(self.device) for name, part in state["fine"].items()})
        self.adam = self._optimiser()
        self.adam.load_state_dict(state["adam"])
        self.generator.set_state(state["random"])

    def _planned(self) -> int:
        return ({"target": 1, "texture": PARTS} | self.planned)[self.stage]

    @property
    def planned(self) -> dict[str, int]:
        """Steps of the two stages that have a loss."""
        return {"coarse": self.settings.coarse.steps, self._second_name: self._second().steps}

    @property
    def _second_name(self) -> str:
        return "points" if self.settings.second == "points" else "fine"

    def _second(self) -> FineSettings | PointsSettings:
        return self.settings.points if self.settings.second == "points" else self.settings.fine

    def _optimiser(self) -> torch.optim.Adam:
        if self.fine is not None:
            return torch.optim.Adam(self.fine.parameters(), lr=self._second().rate, betas=(0.9, 0.99))
        return torch.optim.Adam(self.coarse.groups(self.settings.coarse.rate), betas=(0.9, 0.99), eps=1e-15)

    def _next_stage(self) -> None:
        if self.stage == "coarse":
            self.save()  # a stop while the next stage is made ready loses nothing
            self.stage, self.done = self._second_name, 0
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

    def _fine(self, state: dict[str, Tensor] | None = None) -> Fine | Points:
        """The second stage's model, from a state that was kept or as it begins."""
        if self.settings.second == "points":
            return self._points(state)
        resolution = self.settings.fine.resolution
        if state is not None:
            fine = Fine(state["distance"], resolution, state["least"])
            fine.load_state_dict(state)
            return fine
        points = tetrahedral_lattice(resolution).to(self.device)
        distance = self.coarse.moved(distance_at(self.target, self.volume, points, self.beat), points)
        smooth = smoothed(distance, resolution)
        distance, least = thickened(self.target, distance, smooth, points, 2 / resolution)
        return Fine(distance, resolution, least)

    def _points(self, state: dict[str, Tensor] | None) -> Points:
        settings, camera = self.settings.points, self.target.camera
        disc = settings.radius * float(camera.position.norm()) / camera.focal
        if state is not None:
            return Points.of_state(state, settings.widths, disc).to(self.device)
        viewer = field_viewer(self.coarse) if settings.field else solid_viewer(self.guide)
        cameras = [c.to(self.device) for c in cameras_around(settings.elevations, settings.azimuths, settings.novel)]
        cloud = make_cloud(self.target, viewer, cameras, settings.erosion, self.beat)
        return Points(cloud, settings.features, settings.widths, disc, self.seed).to(self.device)

    def _step(self) -> float:
        """One step, with half of what it takes where the GPU's memory does not suffice."""
        random = self.generator.get_state()
        try:
            return self._stepped()
        except torch.OutOfMemoryError:
            if self.stage in self.halved:
                raise _too_much(_half_of(self.stage)) from None
        self.adam.zero_grad()
        torch.cuda.empty_cache()
        self.generator.set_state(random)
        self._halve(self.stage)
        with memory_told(_half_of(self.stage)):
            return self._stepped()

    def _halve(self, stage: str) -> None:
        """Half of the rays at a time, or of the pictures' side, from now on."""
        self.halved = [*self.halved, stage]
        coarse, fine, points = self.settings.coarse, self.settings.fine, self.settings.points
        if stage == "coarse":
            coarse = replace(coarse, rays=max(coarse.rays // 2, 2))
        elif stage == "fine":
            fine = replace(fine, side=max(fine.side // 2, 2))
        else:
            points = replace(points, side=max(points.side // 2, 2), guide_side=max(points.guide_side // 2, 2))
        self.settings = replace(self.settings, coarse=coarse, fine=fine, points=points)
        self.__dict__.pop("guidances", None)  # they are made of the settings

    def _loss(self) -> Float[Tensor, ""]:
        settings, shared = self.settings, (self.guide, self.guidances)
        if self.fine is None:
            return self.coarse.loss(self.target, *shared, settings.coarse, self.done, self.generator)
        if isinstance(self.fine, Points):
            small = self.target.at(settings.points.side)
            return self.fine.loss(small, self.guide, settings.points, self.generator, self.features)
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
                "refine.diverged",
                "the refinement's loss is no finite number at step {step} of the {stage} stage; what was saved last was"
                " kept, another <seed> may do.",
                step=self.done + 1, stage=self.stage,
            )  # fmt: skip
        for group in self.adam.param_groups:  # a cosine to a tenth
            group.setdefault("first", group["lr"])
            group["lr"] = group["first"] * (0.1 + 0.45 * (1 + math.cos(math.pi * share)))
        self.adam.step()
        return float(loss.detach())


@contextmanager
def memory_told(what: Message = WHOLE) -> Iterator[None]:
    """Raise OutOfMemory where a GPU's memory does not suffice."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise _too_much(what) from None


def _halved(stage: str) -> Message:
    if stage == "coarse":
        return note(
            "refined.fewer_rays",
            "the GPU's memory did not suffice: the {stage} stage went on with half of rays at a time",
            stage=stage,
        )
    return note(
        "refined.smaller_pictures",
        "the GPU's memory did not suffice: the {stage} stage went on with half of its pictures' side",
        stage=stage,
    )


def _half_of(stage: str) -> Message:
    return note("refine.half", "half of what the {stage} stage takes", stage=stage)


def _too_much(what: Message) -> OutOfMemory:
    return OutOfMemory(
        "refine.gpu_memory",
        "the GPU's memory does not suffice for {what}; give <device> cpu, or <preset> quick.",
        what=what,
    )


def _key(target: Target, settings: Settings, seed: int) -> str:
    """Tells one refinement from another."""
    digest = hashlib.sha256(repr((replace(settings, save_every=0.0), seed)).encode())
    for part in (target.photo, target.mask, target.vertices, target.faces):
        digest.update(np.ascontiguousarray(part.cpu().numpy()).tobytes())
    return digest.hexdigest()
