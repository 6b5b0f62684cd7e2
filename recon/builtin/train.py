"""`python -m recon.builtin.train --run runs/first --steps N`: train GeometryNet on the synthetic world.

A step's batch and learning rate follow from (seed, step) alone and a checkpoint holds weights, EMA, optimiser and step,
so an interrupted run goes on to bit-equal weights on a CPU. The run folder gets `last.pt`, `log.csv`, `curve.png`.
Rows of the log: step, seconds, and scores of the EMA weights on held-back synthetic scenes and, with --real, on RGB-D
frames (scored only, never trained on).
"""

from __future__ import annotations

import argparse
import copy
import csv
import math
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from .evaluate import draw_curve, score_real, score_world
from .losses import disparity_loss, sky_loss
from .net import DEPTHS, WIDTHS, GeometryNet
from .world import World

# (height, width) of the batches in the first and in the last phase; about equal numbers of pixels.
SMALL = ((128, 128), (128, 160), (96, 160), (160, 128), (128, 128), (64, 224))
LARGE = ((224, 224), (192, 256), (160, 256), (256, 192), (192, 256), (128, 320))


@dataclass(frozen=True)
class Plan:
    """Everything a run follows from: seed; steps in all, of which the last `large_share` at 224-256 px; images a step;
    peak learning rate (AdamW, one cycle); EMA decay per step; size of the net."""

    seed: int = 1
    steps: int = 8400
    large_share: float = 0.1
    batch: int = 8
    rate: float = 1.5e-3
    ema: float = 0.998
    widths: tuple[int, ...] = WIDTHS
    depths: tuple[int, ...] = DEPTHS

    def large(self, step: int) -> bool:
        return step >= self.steps * (1 - self.large_share)

    def images(self, step: int) -> int:
        """Images in a step: as many pixels in either phase, roughly."""
        return max(2, self.batch * 3 // 8) if self.large(step) else self.batch

    def size(self, step: int) -> tuple[int, int]:
        sizes = LARGE if self.large(step) else SMALL
        return sizes[step % len(sizes)]

    def rate_at(self, step: int) -> float:
        """Warm up over 3 % of the steps, then half a cosine down to 1 % of the peak."""
        warm = max(1.0, 0.03 * self.steps)
        if step < warm:
            return self.rate * (step + 1) / warm
        return self.rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (step - warm) / (self.steps - warm))))


class Trainer:
    """A run in a folder: its plan, weights, EMA weights, optimiser and step."""

    def __init__(self, folder: Path, plan: Plan, device: str = "cpu") -> None:
        torch.manual_seed(plan.seed)
        self.folder, self.plan, self.device, self.step, self.seconds = folder, plan, device, 0, 0.0
        self.world = World(plan.seed, device)
        self.net = GeometryNet(plan.widths, plan.depths).to(device).to(memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(_groups(self.net), lr=plan.rate, weight_decay=0.02)
        if (folder / "last.pt").exists():
            self._load()

    def _load(self) -> None:
        state = torch.load(self.folder / "last.pt", map_location=self.device, weights_only=True)
        if Plan(**state["plan"]) != self.plan:
            raise ValueError(
                f"{self.folder} was begun as {Plan(**state['plan'])}, asked for {self.plan}: use another --run"
            )
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
        batch = self.world.batch(step, plan.images(step), *plan.size(step))
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate_at(step)
        self.net.train()
        if plan.large(step):
            _freeze_statistics(self.net)
        disparity, sky = self.net(batch.rgb.contiguous(memory_format=torch.channels_last))
        loss = disparity_loss(disparity, batch.disparity) + 0.3 * sky_loss(sky, batch.sky)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        # Early weights are worth forgetting sooner: the decay grows to its value (as in timm's ModelEmaV3).
        decay = min(plan.ema, (1 + step) / (10 + step))
        _follow(self.ema.state_dict(), self.net.state_dict(), decay)
        self.step += 1
        self.seconds += time.perf_counter() - begun
        return float(loss.detach())


def _groups(net: nn.Module) -> list[dict[str, object]]:
    """Weight decay on matrices only, not on biases and norms."""
    matrices = [p for p in net.parameters() if p.ndim > 1]
    return [{"params": matrices}, {"params": [p for p in net.parameters() if p.ndim <= 1], "weight_decay": 0.0}]


def _freeze_statistics(net: nn.Module) -> None:
    """Batch norms keep the statistics of the first phase: batches of the last one are too small for their own."""
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()


@torch.no_grad()
def _follow(slow: dict[str, Tensor], fast: dict[str, Tensor], decay: float) -> None:
    """Move averaged weights and batch statistics towards the current ones; counters are copied."""
    for name, value in fast.items():
        if value.is_floating_point():
            slow[name].lerp_(value, 1 - decay)
        else:
            slow[name].copy_(value)


def _evaluate(trainer: Trainer, loss: float, real: Path | None) -> None:
    """Append a row of scores to log.csv and redraw curve.png."""
    row: dict[str, float] = {"step": trainer.step, "seconds": round(trainer.seconds), "loss": round(loss, 4)}
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
    mean = 0.0
    while trainer.step < trainer.plan.steps and time.perf_counter() - begun < minutes * 60:
        loss = trainer.advance()
        mean = loss if mean == 0 else 0.99 * mean + 0.01 * loss
        if time.perf_counter() - due > every * 60:
            due = time.perf_counter()
            trainer.save()
            _evaluate(trainer, mean, real)
    trainer.save()
    _evaluate(trainer, mean, real)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recon.builtin.train", description="Train the network that ships.")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; goes on where it stopped")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument("--batch", type=int, default=Plan.batch)
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop after this time (the plan stays as it is)"
    )
    parser.add_argument("--every", type=float, default=5.0, help="minutes between checkpoints with scores")
    parser.add_argument("--real", type=Path, help="folder of RGB-D frames to score on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    plan = replace(Plan(), seed=args.seed, steps=args.steps, batch=args.batch)
    train(Trainer(args.run, plan, args.device), args.minutes, args.every, args.real)


if __name__ == "__main__":
    main()
