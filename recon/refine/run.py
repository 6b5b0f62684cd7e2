"""A refinement that can be trusted: a generator of steps that reports, can be stopped between any two, and goes on.

    run = Refinement(target, settings, seed, folder)
    for step in run.steps():     # leave the loop whenever you like
        print(step.stage, step.number, step.loss)
    mesh = run.mesh

With a folder its state (parameters, optimiser, random state, step) is saved there every few seconds, when the loop is left
and when a stage ends, each time to a temporary file that is then renamed. A run that finds its own state there goes on from
it; on a CPU the result is bit for bit that of a run that was never stopped. A loss that is not finite ends the run with
Diverged; what was saved last stays.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from numpy import ndarray
from torch import Tensor, nn

from recon.errors import BadOption, UnflatError
from recon.refine.cloud import cameras_around, field_viewer, make_cloud, solid_viewer
from recon.refine.coarse import Coarse
from recon.refine.fine import Fine
from recon.refine.guidance import Guide, distance_at, distance_volume, guide_of
from recon.refine.points import Features, Points
from recon.refine.settings import FineSettings, PointsSettings, Settings
from recon.refine.target import Target
from recon.refine.texture import textured
from recon.render.cameras import Pinhole, distance_to_fit, orbit
from recon.render.dmtet import lattice
from recon.stages.files import replacing
from recon.types import Mesh, PointCloud

CHECKPOINT = "refine.pt"
PREVIEW_SIDE = 192


class Diverged(UnflatError):
    """The loss was not a finite number."""


@dataclass(frozen=True)
class Step:
    """What was just done: step `number` of `steps` of a stage, its loss, and a picture of the model if one is asked for."""

    stage: str
    number: int
    steps: int
    loss: float
    preview: Callable[[], UInt8[ndarray, "s s 3"]]


class Refinement:
    """One refinement of one target. `seed` and the settings decide all that is random in it. `features`: of the contextual
    loss of points, where there is a network for it."""

    def __init__(
        self,
        target: Target,
        settings: Settings,
        seed: int = 0,
        folder: Path | None = None,
        features: Features | None = None,
    ) -> None:
        self.target, self.settings, self.folder = target, settings, folder
        self.seed, self.features = seed, features
        self.generator = torch.Generator().manual_seed(seed)
        self.key = _key(target, settings, seed)
        self.guide: Guide = guide_of(target, settings.texture.hold, settings.texture.fade)
        self.volume = distance_volume(target, settings.volume)
        self.coarse = Coarse(self.volume, settings.coarse, seed)
        self.fine: Fine | Points | None = None
        self.stage, self.done = "coarse", 0
        self.adam = self._optimiser()
        self.saved = time.monotonic()
        if folder is not None and (folder / CHECKPOINT).is_file():
            self._load(folder / CHECKPOINT)

    def steps(self) -> Iterator[Step]:
        """Do the rest, one step at a time."""
        try:
            while self.stage != "done":
                if self.done >= self._planned():
                    self._next_stage()
                    continue
                loss = self._step()
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
        fine = self.fine or self._fine()
        if isinstance(fine, Points):
            vertices, faces = fine.surface(self.settings.points.cell)
            return textured(self.target, fine, vertices, faces, replace(self.settings.texture, field=True))
        surface = fine.surface()
        return textured(self.target, self.coarse, surface.vertices, surface.faces, self.settings.texture)

    @property
    def cloud(self) -> PointCloud | None:
        """The points in the photo's camera frame, where these are the second stage and it has begun."""
        return self.fine.cloud(self.target.frame) if isinstance(self.fine, Points) else None

    def preview(self, azimuth: float = 30.0, elevation: float = 10.0) -> UInt8[ndarray, "s s 3"]:
        """A picture of the model as it is, over white."""
        view = orbit(azimuth, elevation, distance_to_fit(30.0), 30.0, PREVIEW_SIDE)
        picture = self._shown(view)
        return (255 * picture.clamp(0, 1)).round().byte().numpy()

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
            "adam": self.adam.state_dict(),
        }  # fmt: skip
        with replacing(self.folder / CHECKPOINT) as temporary:
            torch.save(state, temporary)

    def _load(self, path: Path) -> None:
        state: dict[str, Any] = torch.load(path, weights_only=True)
        if state["key"] != self.key:
            raise BadOption(
                f"{str(path)!r} holds the state of another photo or of other settings; give --resume another folder."
            )
        self.stage, self.done = state["stage"], state["done"]
        self.coarse.load_state_dict(state["coarse"])
        if state["fine"] is not None:
            self.fine = self._fine(state["fine"])
        self.adam = self._optimiser()
        self.adam.load_state_dict(state["adam"])
        self.generator.set_state(state["random"])

    def _planned(self) -> int:
        return (self.settings.coarse if self.stage == "coarse" else self._second()).steps

    def _second(self) -> FineSettings | PointsSettings:
        return self.settings.points if self.settings.second == "points" else self.settings.fine

    def _model(self) -> nn.Module:
        return self.coarse if self.fine is None else self.fine

    def _optimiser(self) -> torch.optim.Adam:
        if self.fine is not None:
            return torch.optim.Adam(self.fine.parameters(), lr=self._second().rate, betas=(0.9, 0.99))
        return torch.optim.Adam(self.coarse.groups(self.settings.coarse.rate), betas=(0.9, 0.99), eps=1e-15)

    def _next_stage(self) -> None:
        if self.stage == "coarse":
            self.fine = self._fine()
            self.stage, self.done = "points" if isinstance(self.fine, Points) else "fine", 0
            self.adam = self._optimiser()
        else:
            self.stage = "done"
        self.save()

    def _fine(self, state: dict[str, Tensor] | None = None) -> Fine | Points:
        """The second stage's model, from a state that was kept or as it begins."""
        if self.settings.second == "points":
            return self._points(state)
        resolution = self.settings.fine.resolution
        if state is None:
            return Fine(distance_at(self.target, self.volume, lattice(resolution)), resolution)
        return Fine(state["distance"], resolution)

    def _points(self, state: dict[str, Tensor] | None) -> Points:
        settings, camera = self.settings.points, self.target.camera
        disc = settings.radius * float(camera.position.norm()) / camera.focal
        if state is not None:
            return Points.of_state(state, settings.widths, disc)
        viewer = field_viewer(self.coarse) if settings.field else solid_viewer(self.guide)
        cameras = cameras_around(settings.elevations, settings.azimuths, settings.novel)
        cloud = make_cloud(self.target, viewer, cameras, settings.erosion)
        return Points(cloud, settings.features, settings.widths, disc, self.seed)

    def _step(self) -> float:
        model, part = self._model(), self.settings.coarse if self.fine is None else self._second()
        share = self.done / max(part.steps, 1)
        if self.fine is None:
            loss = self.coarse.loss(self.target, self.guide, self.done, self.generator)
        elif isinstance(self.fine, Points):
            small = self.target.at(self.settings.points.side)
            loss = self.fine.loss(small, self.guide, self.settings.points, self.generator, self.features)
        else:
            loss = self.fine.loss(
                self.target.at(self.settings.fine.side), self.guide, self.settings.fine, self.generator
            )
        self.adam.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
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


def _key(target: Target, settings: Settings, seed: int) -> str:
    """Tells one refinement from another."""
    digest = hashlib.sha256(repr((replace(settings, save_every=0.0), seed)).encode())
    for part in (target.photo, target.mask, target.vertices, target.faces):
        digest.update(np.ascontiguousarray(part.numpy()).tobytes())
    return digest.hexdigest()
