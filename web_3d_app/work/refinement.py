"""The work of a refinement (see `kinds.refinement`).

The reconstruction is made anew from photo and options, which takes less than a second; how far the refinement itself came
lies in the job's checkpoint.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from PIL import Image

from recon import Reconstruction, ViewSettings, limited, refine, write_mesh
from recon.messages import Message
from recon.progress import Stopwatch
from web_3d_app.jobs.claims import Cancelled, Lost, Stopped
from web_3d_app.kinds.refinement import REFINEMENT
from web_3d_app.work.context import Context
from web_3d_app.work.photo import print_to, reconstructed, zipped

if TYPE_CHECKING:
    from recon import Step

STATE = "refine.pt"
"""Where the refinement keeps its state."""
BEGINS = REFINEMENT.begins
REFINED = ("refined_view.glb", "refined.glb", "refined.ply", "refined.stl", "refined_obj.zip")
"""What becomes visible together."""
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
class RefinementProgress:
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


def run(context: Context) -> None:
    """One try. Raises UnflatError, or what the context raises."""
    RefinementRun(context).run()


class RefinementRun:
    """One try. The context's folder has the state of an earlier one, if there was one."""

    def __init__(self, context: Context) -> None:
        self.context, self.state = context, context.folder / STATE
        if context.checkpoint is not None:
            context.checkpoint.rename(self.state)
        self.told = {**context.told, "preset": context.params[REFINEMENT.option]}
        self.progress = RefinementProgress(self.told)
        self._told_at = self._sketched_at = self._sketch_pause = 0.0
        self._stage, self._fitting, self._kept = "", False, self._stamp()

    def run(self) -> None:
        """Do it. Raises UnflatError, or what the context raises."""
        with limited(self.context.settings.refine_threads):
            self._run()

    def _run(self) -> None:
        self._begin("looks")
        found = reconstructed(self.context, Stopwatch())
        try:
            better = self._refined(found)
        except Stopped:
            self._keep()
            raise
        assert better.model is not None and better.refinement is not None
        if better.refined is None:
            self.progress.told |= {"notes": [], "kept_first": _as_data(better.refinement.verdict.reasons)}
            files: tuple[str, ...] = ()
        else:
            self.progress.told |= {
                "vertices": len(better.mesh.vertices), "faces": len(better.mesh.faces),
                "notes": _as_data(better.model.notes),
            }  # fmt: skip
            self._write(better)
            files = REFINED
        self.progress.share = 1.0
        self._tell()
        self.context.add(*files)

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
            self.state.unlink()
            return self._once(found)

    def _once(self, found: Reconstruction) -> Reconstruction:
        watch = Stopwatch(lambda name: self._begin(name) if name in BEGINS else None)
        context, settings = self.context, self.context.settings
        return refine(found, self.told["preset"], steps=settings.refine_steps or None, folder=context.folder,
                      device=context.models.device, threads=settings.refine_threads, tell=self._step,
                      watch=watch)  # fmt: skip

    def _begin(self, stage: str) -> None:
        """A stage begins; told once."""
        if stage == self._stage:
            return
        self._stage = stage
        self.progress.begin(stage)
        self.context.stage(stage, self.progress.share)
        self._tell()

    def _step(self, step: Step) -> None:
        self._begin(step.stage)
        self._fitting = step.stage not in ("looks", "target")  # there is a model
        self.progress.take(step.number, step.steps, step.loss)
        self.context.check_stop()
        now = time.monotonic()
        if now - self._told_at >= TELL_SECONDS:
            self._tell()
        if self._fitting and now - self._sketched_at >= max(SKETCH_SECONDS, self._sketch_pause):
            self._sketch(step)
        if self._stamp() != self._kept:
            self._keep()

    def _tell(self) -> None:
        self._told_at = time.monotonic()
        self.context.progress(self._stage, self.progress.share, self.progress.now())

    def _sketch(self, step: Step) -> None:
        began = time.monotonic()
        Image.fromarray(step.preview()).save(self.context.folder / "sketch.jpg", quality=88)
        self.context.add("sketch.jpg")
        self._sketched_at = time.monotonic()
        self._sketch_pause = (self._sketched_at - began) / SKETCH_SHARE

    def _keep(self) -> None:
        """Store the state, if it is there and newer than what was stored."""
        stamp = self._stamp()
        if stamp is not None and stamp != self._kept:
            self._kept = stamp
            self.context.keep(self.state)

    def _stamp(self) -> int | None:
        return self.state.stat().st_mtime_ns if self.state.exists() else None

    def _write(self, better: Reconstruction) -> None:
        """Every file of the new mesh."""
        folder, mesh = self.context.folder, better.mesh
        write_mesh(mesh, folder / "refined_view.glb", view=ViewSettings())
        for ending in ("glb", "ply"):
            self.context.check_stop()
            write_mesh(mesh, folder / f"refined.{ending}")
        self.progress.told["print_mm"] = print_to(folder / "refined.stl", mesh, better.options)
        zipped(write_mesh(mesh, folder / "refined.obj"), folder / "refined_obj.zip")
