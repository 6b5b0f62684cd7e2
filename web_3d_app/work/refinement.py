"""The refine lane: a better mesh of a finished job's subject, in minutes.

The reconstruction is made anew from photo and options, which takes less than a second; how far the refinement itself came
lies in the job's checkpoint. What people are told on the way is in facts["refinement"]:

    preset, key      what was asked for, and under which idempotency key
    stage            one of STAGES["refine"]
    step, steps      of this stage
    losses           stage -> [[step, loss], …], at most POINTS of them each
    seconds          so far, of all tries; seconds_left: an estimate, None at first
    vertices, faces  of the new mesh, at the end
    notes            what is to be known of it, at the end
    print_mm         width, depth and height of its STL, at the end
    kept_first       at the end, where the new mesh was no better than the first: why; it has no files then
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from recon.io import write
from recon.messages import Message
from recon.pipeline import refine
from recon.progress import Stopwatch
from recon.results import Reconstruction
from recon.settings import ViewSettings
from recon.threads import limited
from web_3d_app.jobs.claims import Cancelled, Lost, Made, Stopped
from web_3d_app.jobs.photo_facts import PhotoFacts
from web_3d_app.jobs.tables import SKETCH
from web_3d_app.work.photo import (
    FILES_MADE,
    REFINED,
    Models,
    print_to,
    read_checked,
    reconstructed,
    zipped,
)

if TYPE_CHECKING:
    from recon.refinement.run import Step

STATE = "refine.pt"
"""Where the refinement keeps its state."""
BEGINS = {"looks": 0.0, "target": 0.06, "coarse": 0.13, "fine": 0.5, "texture": 0.88}
"""Where each stage begins: shares of the seconds that the quick one takes on two cores."""
POINTS = 100
TELL_SECONDS, SKETCH_SECONDS = 1.0, 4.0
SKETCH_SHARE = 0.1
"""Of the time at most so much goes into pictures."""
HONEST_SHARE = 0.15
"""An estimate of the time left comes after this share."""


def _as_data(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """To be phrased where they are shown."""
    return [message.to_json() for message in messages]


@dataclass
class Diary:
    """What is told of a refinement. told: facts["refinement"], as an earlier try left it."""

    told: dict[str, Any]
    began: float = field(default_factory=time.monotonic)
    share: float = 0.0
    _sum: float = 0.0
    _count: int = 0

    def __post_init__(self) -> None:
        self._before = float(self.told.get("seconds", 0.0))
        self.told = {"step": 0, "steps": 0, "losses": {}, **self.told}

    def begin(self, stage: str) -> None:
        """A stage begins, perhaps again."""
        self.told |= {"stage": stage, "step": 0, "steps": 0}
        self.share = BEGINS[stage]
        self._sum, self._count = 0.0, 0

    def take(self, number: int, steps: int, loss: float) -> None:
        """A step of the present stage was done. A point of the curve is the mean of the losses since the last one."""
        stage = self.told["stage"]
        self.told |= {"step": number, "steps": steps}
        end = min([start for start in BEGINS.values() if start > BEGINS[stage]], default=1.0)
        self.share = min(end, BEGINS[stage] + (end - BEGINS[stage]) * number / max(steps, 1))
        if math.isfinite(loss):
            self._sum, self._count = self._sum + loss, self._count + 1
        between = number % math.ceil(steps / POINTS) and number != steps
        if between or not self._count:
            return
        self._forget_what_comes_anew(stage, number)
        self.told["losses"].setdefault(stage, []).append([number, float(f"{self._sum / self._count:.4g}")])
        self._sum, self._count = 0.0, 0

    def _forget_what_comes_anew(self, stage: str, number: int) -> None:
        """After a crash the run goes on from its checkpoint, which is older than the last point."""
        order = list(BEGINS)
        losses = {
            name: points for name, points in self.told["losses"].items() if order.index(name) <= order.index(stage)
        }
        if stage in losses:
            losses[stage] = [point for point in losses[stage] if point[0] < number]
        self.told["losses"] = losses

    def now(self) -> dict[str, Any]:
        """As of this moment."""
        seconds = self._before + time.monotonic() - self.began
        left = round(seconds * (1 - self.share) / self.share) if self.share >= HONEST_SHARE else None
        return {**self.told, "seconds": round(seconds, 1), "seconds_left": left}


@dataclass
class Hooks:
    """What a refinement needs of its worker; each may raise Stopped, Lost or Cancelled. heed: nothing but that; stage: one
    begins at a share of the whole; tell: facts["refinement"] at such a share; keep: a checkpoint; add: files."""

    heed: Callable[[], None]
    stage: Callable[[str, float], None]
    tell: Callable[[str, float, dict[str, Any]], None]
    keep: Callable[[Path], None]
    add: Callable[[Sequence[Made]], None]


@dataclass
class Refining:
    """One try. told: facts["refinement"] so far; folder: empty, or with the state of an earlier try; steps: of each stage
    at most, None: as many as it has; threads: of the processor."""

    photo_file: Path
    focal_35mm: float | None
    params: dict[str, Any]
    told: dict[str, Any]
    folder: Path
    models: Models
    steps: int | None
    threads: int
    hooks: Hooks
    photo_facts: PhotoFacts | None = None

    def __post_init__(self) -> None:
        self.diary = Diary(self.told)
        self._told_at = self._sketched_at = self._sketch_pause = 0.0
        self._stage, self._fitting, self._kept = "", False, self._stamp()

    def run(self) -> None:
        """Do it. Raises UnflatError, or what the hooks raise."""
        with limited(self.threads):
            self._run()

    def _run(self) -> None:
        self._begin("looks")
        photo = read_checked(self.photo_file, self.focal_35mm, self.photo_facts)
        found = reconstructed(photo, self.params, self.models, Stopwatch())
        try:
            better = self._refined(found)
        except Stopped:
            self._keep()
            raise
        assert better.model is not None and better.refinement is not None
        if better.refined is None:
            self.diary.told |= {"notes": [], "kept_first": _as_data(better.refinement.verdict.reasons)}
            files = []
        else:
            self.diary.told |= {
                "vertices": len(better.mesh.vertices), "faces": len(better.mesh.faces),
                "notes": _as_data(better.model.notes),
            }  # fmt: skip
            files = self._written(better)
        self.diary.share = 1.0
        self._tell()
        self.hooks.add(files)

    def _refined(self, found: Reconstruction) -> Reconstruction:
        """Goes on from the state that is there; anew, if that cannot be used, as after a change of the program."""
        was_there = self._kept is not None
        try:
            return self._once(found)
        except (Stopped, Cancelled, Lost):
            raise
        except Exception:
            if self._fitting or not was_there:
                raise
            (self.folder / STATE).unlink()
            return self._once(found)

    def _once(self, found: Reconstruction) -> Reconstruction:
        watch = Stopwatch(lambda name: self._begin(name) if name in BEGINS else None)
        return refine(found, self.told["preset"], steps=self.steps, folder=self.folder, device=self.models.device,
                      threads=self.threads, tell=self._step, watch=watch)  # fmt: skip

    def _begin(self, stage: str) -> None:
        """A stage begins; told once."""
        if stage == self._stage:
            return
        self._stage = stage
        self.diary.begin(stage)
        self.hooks.stage(stage, self.diary.share)
        self._tell()

    def _step(self, step: Step) -> None:
        self._begin(step.stage)
        self._fitting = step.stage not in ("looks", "target")  # there is a model
        self.diary.take(step.number, step.steps, step.loss)
        self.hooks.heed()
        now = time.monotonic()
        if now - self._told_at >= TELL_SECONDS:
            self._tell()
        if self._fitting and now - self._sketched_at >= max(SKETCH_SECONDS, self._sketch_pause):
            self._sketch(step)
        if self._stamp() != self._kept:
            self._keep()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        self.hooks.tell(self._stage, self.diary.share, self.diary.now())

    def _sketch(self, step: Step) -> None:
        began = time.monotonic()
        path = self.folder / "sketch.jpg"
        Image.fromarray(step.preview()).save(path, quality=88)
        self.hooks.add([(path.name, SKETCH, "image/jpeg", path)])
        self._sketched_at = time.monotonic()
        self._sketch_pause = (self._sketched_at - began) / SKETCH_SHARE

    def _keep(self) -> None:
        """Store the state, if it is there and newer than what was stored."""
        stamp = self._stamp()
        if stamp is not None and stamp != self._kept:
            self._kept = stamp
            self.hooks.keep(self.folder / STATE)

    def _stamp(self) -> int | None:
        path = self.folder / STATE
        return path.stat().st_mtime_ns if path.exists() else None

    def _written(self, better: Reconstruction) -> list[Made]:
        """Every file of the new mesh; they become visible together."""
        folder, mesh = self.folder, better.mesh
        write.write_mesh(mesh, folder / "refined_view.glb", view=ViewSettings())
        for ending in ("glb", "ply"):
            self.hooks.heed()
            write.write_mesh(mesh, folder / f"refined.{ending}")
        self.diary.told["print_mm"] = print_to(folder / "refined.stl", mesh, better.options)
        zipped(write.write_mesh(mesh, folder / "refined.obj"), folder / "refined_obj.zip")
        return [(name, *FILES_MADE[name], folder / name) for name in REFINED]
