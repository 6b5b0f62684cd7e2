"""`python -m recon.builtin.train --run runs/first --steps N`: train GeometryNet on the synthetic world.

A step's batch and learning rate follow from (seed, step) alone and a checkpoint holds weights, EMA, optimiser and step,
so an interrupted run goes on to bit-equal weights on a CPU. The run folder gets `last.pt`, `log.csv`, `curve.png`.
Rows of the log: step, seconds, the losses (running means), and scores of the EMA weights on held-back synthetic scenes
and, with --real, on RGB-D frames (scored only, never trained on).
"""

from __future__ import annotations

import argparse
import copy
import csv
import hashlib
import math
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from recon.geometry.cutout import GROUND

from .evaluate import draw_curve, score_real, score_world
from .losses import RELIEF, loss_parts
from .net import DEPTHS, HEADS, WIDTHS, GeometryNet
from .pool import TAKEN, Pool, PoolAhead, Stage

# Square, landscape, portrait, panorama. Small pictures come first: what a room, a street or a thing looks like is learnt
# from four times as many of them in the same time (progressive resizing, as in Tan and Le 2021, EfficientNetV2).
SMALL = ((64, 64), (64, 96), (96, 64), (64, 96), (96, 96), (32, 96))
LARGE = ((128, 128), (128, 160), (160, 128), (96, 192), (160, 160), (128, 192), (64, 224), (192, 160))
LARGER = ((160, 160), (160, 192), (192, 160), (128, 224), (192, 192), (160, 224), (96, 256), (224, 160))
# What a run that goes on from another's weights trains on.
LATER = ((0, 8, LARGER, "both"),)
# The network of shapes: one thing alone, its mask always told; four heads are left as they were.
ALONE = ((3000, 12, ((128, 128),), "alone"), (0, 8, ((160, 160), (160, 192), (192, 160)), "alone"))
NO_SHAPE = ("disparity", "sky", "subject", "fov")
# Steps over which the learning rate rises.
WARM = 300
# A subject's mask is told in this share of the pictures.
HINTED = 0.4


@dataclass(frozen=True)
class Plan:
    """Everything a run follows from: seed; steps in all; how often a rendered picture is used; peak learning rate (AdamW);
    EMA decay per step; share of the pictures whose mask is told; weight of the relief; size of the net; stages of the
    pictures (see pool); what is left out: layouts, losses ("gradients" too), of the camera "looks" (or only "borders",
    "styles"); SHA-256 of the weights it begins with."""

    seed: int = 2
    steps: int = 11400
    reuse: int = 4
    rate: float = 1e-3
    ema: float = 0.998
    hinted: float = HINTED
    relief: float = RELIEF
    widths: tuple[int, ...] = WIDTHS
    depths: tuple[int, ...] = DEPTHS
    heads: int = HEADS
    stages: tuple[Stage, ...] = ((6000, 24, SMALL, "scenes"), (1353, 8, LARGE, "scenes"), (0, 8, LARGE, "subjects"))
    without: tuple[str, ...] = ()
    start: str = ""

    @property
    def steady(self) -> int:
        """The step at which the rate begins to fall. Until then, how long the run will be makes no difference."""
        return round(0.75 * self.steps)

    def rate_at(self, step: int) -> float:
        """Warm up, stay, and in the last quarter fall along a cosine to 1 % (Hu et al. 2024, MiniCPM, section 4.2)."""
        if step < self.steady:
            return self.rate * min(1.0, (step + 1) / WARM)
        fall = (step - self.steady) / max(1, self.steps - self.steady)
        return self.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall)))

    def pictures(self, step: int) -> int:
        """Pictures used in all steps before this one."""
        total, left = 0, step
        for number, (steps, chunk, *_) in enumerate(self.stages):
            own = left if number == len(self.stages) - 1 else min(left, steps)
            total, left = total + TAKEN * chunk * own, left - own
        return total


class Trainer:
    """A run in a folder: its plan, weights, EMA weights, optimiser and step. With `ahead` another process makes the
    pictures. A run may be given another length as long as its rate is steady."""

    def __init__(self, folder: Path, plan: Plan, device: str = "cpu", ahead: bool = False) -> None:
        torch.manual_seed(plan.seed)
        self.folder, self.plan, self.device, self.step, self.seconds = folder, plan, device, 0, 0.0
        self.pool: Pool | PoolAhead
        if ahead:
            self.pool = PoolAhead(plan.seed, plan.stages, plan.reuse, plan.without)
        else:
            self.pool = Pool(plan.seed, plan.stages, plan.reuse, device, plan.without)
        net = GeometryNet(plan.widths, plan.depths, plan.heads).to(device)
        self.net = net.to(memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(_groups(self.net), lr=plan.rate, weight_decay=0.02)
        self.losses: dict[str, float] = {}
        if (folder / "last.pt").exists():
            self._load()

    def _load(self) -> None:
        state = torch.load(self.folder / "last.pt", map_location=self.device, weights_only=True)
        begun = Plan(**state["plan"])
        settled = state["step"] <= min(begun.steady, self.plan.steady)
        if begun != (replace(self.plan, steps=begun.steps) if settled else self.plan):
            raise ValueError(f"{self.folder} was begun as {begun}, asked for {self.plan}: use another --run")
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        """Write last.pt by an atomic rename."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {
            "plan": asdict(self.plan),
            "step": self.step,
            "seconds": self.seconds,
            "net": self.net.state_dict(),
            "ema": self.ema.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        torch.save(state, self.folder / "last.pt.part")
        os.replace(self.folder / "last.pt.part", self.folder / "last.pt")

    def advance(self) -> float:
        """One step; returns its loss."""
        plan, step = self.plan, self.step
        begun = time.perf_counter()
        batch = self.pool.batch(step)
        hint = self._hint(batch.labels.subject)
        rgb = torch.where(hint < 0, GROUND / 255, batch.rgb) if plan.hinted == 1 else batch.rgb
        photo = torch.cat([rgb, hint], 1)
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate_at(step)
        self.net.train()
        with torch.autocast(self.device.split(":")[0], torch.bfloat16):
            prediction = self.net(photo.contiguous(memory_format=torch.channels_last))
        parts = loss_parts(prediction, batch.labels, plan.without, plan.relief)
        loss = torch.stack(list(parts.values())).sum()
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss of step {step} is {float(loss.detach())}; the last checkpoint is kept")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        # Early weights are worth forgetting sooner: the decay grows to its value (as in timm's ModelEmaV3).
        decay = min(plan.ema, (1 + step) / (10 + step))
        _follow(self.ema.state_dict(), self.net.state_dict(), decay)
        self.step += 1
        self.seconds += time.perf_counter() - begun
        for name, part in {**parts, "loss": loss}.items():
            value = float(part.detach())
            key = name if name == "loss" else f"loss_{name}"
            self.losses[key] = 0.99 * self.losses.get(key, value) + 0.01 * value
        return float(loss.detach())

    def _hint(self, subject: Tensor) -> Tensor:
        """The fourth channel: the subject's mask as +1 and -1 in some pictures that have one, 0 in the others."""
        generator = torch.Generator(subject.device).manual_seed(self.plan.seed * 31 + self.step)
        told = torch.rand(len(subject), 1, 1, 1, generator=generator, device=subject.device) < self.plan.hinted
        return torch.where(told & (subject.amax((1, 2, 3), keepdim=True) > 0), 2 * subject - 1, 0.0)


def started(folder: Path, plan: Plan, weights: Path, device: str = "cpu", ahead: bool = False) -> Trainer:
    """A run that begins with the averaged weights of another, given its last.pt; its plan tells which."""
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
    trainer = Trainer(folder, replace(plan, start=digest), device, ahead)
    if trainer.step == 0:
        state = torch.load(weights, map_location=device, weights_only=True)["ema"]
        trainer.net.load_state_dict(state)
        trainer.ema.load_state_dict(state)
    return trainer


def _groups(net: nn.Module) -> list[dict[str, object]]:
    """Weight decay on matrices only, not on biases and norms."""
    matrices = [p for p in net.parameters() if p.ndim > 1]
    return [{"params": matrices}, {"params": [p for p in net.parameters() if p.ndim <= 1], "weight_decay": 0.0}]


@torch.no_grad()
def _follow(slow: dict[str, Tensor], fast: dict[str, Tensor], decay: float) -> None:
    """Move averaged weights and batch statistics towards the current ones; counters are copied."""
    for name, value in fast.items():
        if value.is_floating_point():
            slow[name].lerp_(value, 1 - decay)
        else:
            slow[name].copy_(value)


def _evaluate(trainer: Trainer, real: Path | None) -> None:
    """Append a row of scores to log.csv and redraw curve.png."""
    row: dict[str, float] = {"step": trainer.step, "seconds": round(trainer.seconds)}
    row |= {name: round(value, 4) for name, value in trainer.losses.items()}
    row |= score_world(trainer.ema, trainer.plan.seed, trainer.device)
    if real is not None:
        row |= score_real(trainer.ema, real)
    path = trainer.folder / "log.csv"
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, row.keys())
        if new:
            writer.writeheader()
        writer.writerow(row)
    draw_curve(path, trainer.folder / "curve.png")
    print(" ".join(f"{k}={v:g}" for k, v in row.items()), flush=True)


def train(trainer: Trainer, minutes: float, every: float, real: Path | None) -> None:
    """Run until the plan's last step or for some minutes; save and evaluate every `every` minutes and at the end."""
    begun = due = time.perf_counter()
    while trainer.step < trainer.plan.steps and time.perf_counter() - begun < minutes * 60:
        trainer.advance()
        if time.perf_counter() - due > every * 60:
            due = time.perf_counter()
            trainer.save()
            _evaluate(trainer, real)
    trainer.save()
    _evaluate(trainer, real)
    trainer.pool.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recon.builtin.train", description="Train the network that ships.")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; goes on where it stopped")
    parser.add_argument("--start", type=Path, help="a run's last.pt, whose averaged weights a new run begins with")
    parser.add_argument("--shapes", action="store_true", help="train the network of shapes (needs --start)")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--reuse", type=int, default=Plan.reuse, help="how often a rendered picture is used")
    parser.add_argument("--without", nargs="*", default=(), help="layouts and losses to leave out (ablations)")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop after this time (the plan stays as it is)"
    )
    parser.add_argument("--every", type=float, default=5.0, help="minutes between checkpoints with scores")
    parser.add_argument("--real", type=Path, help="folder of RGB-D frames to score on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    plan = replace(Plan(), seed=args.seed, steps=args.steps, reuse=args.reuse, without=tuple(args.without))
    ahead = args.device == "cpu"
    if args.shapes:
        plan = replace(plan, stages=ALONE, without=NO_SHAPE, hinted=1.0, relief=0.1)
    elif args.start:
        plan = replace(plan, stages=LATER)
    if args.start:
        trainer = started(args.run, plan, args.start, args.device, ahead)
    else:
        trainer = Trainer(args.run, plan, args.device, ahead)
    train(trainer, args.minutes, args.every, args.real)


if __name__ == "__main__":
    main()
