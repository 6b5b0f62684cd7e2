"""A run of Deep3D's training: mean absolute error of the right view, made by the selection layer, and nothing else.

What a step sees follows from (seed, step), and a checkpoint holds weights, optimiser and step, so that an interrupted run
goes on to equal weights on a CPU. The run's folder gets `last.pt` and `log.csv`: step, the running error, and on held-back
pairs the errors of the network, of the left view itself and of the best single shift, in grey levels of 255.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ..evaluate import log_row
from .net import PLANES, Deep3DNet
from .pairs import Pairs, PairSource, RealPairs, SyntheticPairs, read_pairs
from .selection import select, shifted_view

# Numbers of the batches that are held back: no run gets so far.
HELD_BACK = 10_000_000
# The encoder knows nearly all that it will.
ENCODER_RATE = 0.1
# Steps over which the rate rises.
WARM = 50


@dataclass(frozen=True)
class StereoPlan:
    """Everything a run follows from. size: (height, width) of the pictures, multiples of 32; planes: disparities in pixels
    of that width; steps: over which the rate falls along a cosine."""

    seed: int = 1
    steps: int = 100_000
    batch: int = 8
    size: tuple[int, int] = (160, 384)
    planes: tuple[int, ...] = PLANES
    encoder: str = "lite0"
    hidden: int = 512
    dropout: float = 0.5
    rate: float = 1e-3
    pretrained: bool = True

    def fresh(self, pretrained: bool = False) -> Deep3DNet:
        """The network with random weights, the encoder with those of its package if asked for."""
        torch.manual_seed(self.seed)
        return Deep3DNet(len(self.planes), self.encoder, self.hidden, self.dropout, pretrained)


def planes_for(width: int) -> tuple[int, ...]:
    """The disparities that are four percent of a width to either side, a pixel apart."""
    most = max(2, round(PLANES[0] * width / 384))
    return tuple(range(most, -most - 1, -1))


class StereoTrainer:
    """A run in a folder. Raises ValueError where the folder holds another one."""

    def __init__(self, folder: Path, plan: StereoPlan, source: PairSource) -> None:
        self.folder, self.plan, self.source, self.step, self.error = folder, plan, source, 0, float("nan")
        self.net = plan.fresh(plan.pretrained and not (folder / "last.pt").exists())
        own = [p for name, p in self.net.named_parameters() if not name.startswith("encoder.")]
        self.optimiser = torch.optim.AdamW(
            [{"params": own, "part": 1.0}, {"params": list(self.net.encoder.parameters()), "part": ENCODER_RATE}]
        )
        if (folder / "last.pt").exists():
            self._load()

    def _load(self) -> None:
        state = torch.load(self.folder / "last.pt", weights_only=True)
        if StereoPlan(**state["plan"]) != self.plan:
            raise ValueError(f"{self.folder} was begun as {state['plan']}, asked for {self.plan}: use another --run")
        self.net.load_state_dict(state["net"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.error = state["step"], state["error"]

    def save(self) -> None:
        """Write last.pt by an atomic rename."""
        self.folder.mkdir(parents=True, exist_ok=True)
        state = {"plan": asdict(self.plan), "step": self.step, "error": self.error, "net": self.net.state_dict(),
                 "optimiser": self.optimiser.state_dict()}  # fmt: skip
        torch.save(state, self.folder / "last.part")
        os.replace(self.folder / "last.part", self.folder / "last.pt")

    def advance(self) -> float:
        """One step; returns its mean absolute error."""
        plan = self.plan
        left, right = self.source.batch(self.step, plan.batch, *plan.size)
        pace = min(1.0, (self.step + 1) / WARM) * 0.5 * (1 + math.cos(math.pi * min(1.0, self.step / plan.steps)))
        for group in self.optimiser.param_groups:
            group["lr"] = plan.rate * pace * group["part"]
        torch.manual_seed(plan.seed * 1_000_003 + self.step)  # of the dropout
        self.net.train()
        error = (select(left, self.net(left), plan.planes) - right).abs().mean()
        self.optimiser.zero_grad(set_to_none=True)
        error.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.step += 1
        value = float(error.detach())
        self.error = value if math.isnan(self.error) else 0.98 * self.error + 0.02 * value
        return value

    @torch.no_grad()
    def scores(self, batches: int = 4) -> dict[str, float]:
        """Mean absolute errors on held-back pairs, in grey levels."""
        self.net.eval()
        plan = self.plan
        pairs = [self.source.batch(HELD_BACK + i, plan.batch, *plan.size) for i in range(batches)]
        ways: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
            "network": lambda left, right: select(left, self.net(left), plan.planes),
            "left": lambda left, right: left,
            "shift": self._best_shift,
        }
        return {name: 255 * _mean_error(pairs, way) for name, way in ways.items()}

    def _best_shift(self, left: Tensor, right: Tensor) -> Tensor:
        """Each left view moved as a whole, by the plane that fits its right view best."""
        views = torch.stack([shifted_view(left, d) for d in self.plan.planes])
        best = (views - right).abs().mean((2, 3, 4)).argmin(0)
        return views[best, torch.arange(len(left))]

    def log(self) -> None:
        """Append a row of scores to log.csv, and print it."""
        row = {"step": float(self.step), "error": round(255 * self.error, 3)}
        row |= {name: round(value, 3) for name, value in self.scores().items()}
        log_row(self.folder / "log.csv", row)


def _mean_error(pairs: list[Pairs], way: Callable[[Tensor, Tensor], Tensor]) -> float:
    return float(np.mean([float((way(left, right) - right).abs().mean()) for left, right in pairs]))


def source_of(place: Path | None, seed: int) -> PairSource:
    """The synthetic world, or the pairs of a folder or film."""
    return SyntheticPairs(seed) if place is None else RealPairs(read_pairs(place), seed)


def train_stereo(trainer: StereoTrainer, minutes: float, every: float) -> None:
    """Go on for some minutes or to the plan's last step; save and score every `every` minutes and at the end."""
    begun = due = time.perf_counter()
    while trainer.step < trainer.plan.steps and time.perf_counter() - begun < 60 * minutes:
        trainer.advance()
        if time.perf_counter() - due > 60 * every:
            due = time.perf_counter()
            trainer.save()
            trainer.log()
    trainer.save()
    trainer.log()
