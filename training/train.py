"""`python -m training.train --run runs/first --steps N`: train a network of net.NETWORKS on the synthetic world.

A step's batch and learning rate follow from (seed, step) alone and a checkpoint holds weights, EMA, optimiser and step,
so an interrupted run goes on to bit-equal weights on a CPU. The run folder gets `last.pt`, `log.csv`, `curve.png`.
Rows of the log: step, seconds, the losses (running means), and scores of the EMA weights on held-back synthetic pictures
and, with --real, of the geometry network on RGB-D frames (scored only, never trained on).
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import math
import os
import signal
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from recon.geometry.cutout import GROUND

from .evaluate import draw_curve, log_row, score_real, score_world
from .losses import ANCHOR, OBJECT_RELIEF, RELIEF, UPRIGHT, loss_parts
from .net import FINE, HEADS, NETWORKS, WIDTHS, GeometryNet, ObjectNet, PhotoNet, take_over
from .object_scores import score_objects
from .sample_pool import TAKEN, Recipe, SamplePool, SamplePoolAhead, Stage

# Sizes that real photos are looked at in: a network knows best what it saw last, and scores at other sizes fall.
SMALL = ((128, 128), (128, 160), (160, 128), (96, 192), (160, 160), (128, 192), (64, 224), (192, 160))
LARGE = ((224, 224), (192, 256), (256, 192), (224, 288), (256, 256), (288, 224), (160, 320), (256, 320))
LARGEST = ((256, 256), (256, 352), (352, 256), (288, 384), (320, 320), (384, 288), (224, 416), (320, 384))
# What a fresh decoder begins with, and what a run goes on with from another's weights. The largest pictures come last, when
# the rates fall (see cooled).
STAGES = ((3000, 8, SMALL, "wide"), (15_000, 4, LARGE, "wide"), (0, 4, LARGEST, "wide"))
LATER = ((400, 4, LARGE, "both"), (17_600, 4, LARGE, "wide"), (0, 4, LARGEST, "wide"))
# The network of objects: one thing alone in a square, its mask always told.
OBJECT = ((3000, 12, ((128, 128),), "alone"), (15_000, 6, ((192, 192),), "alone"), (0, 4, ((256, 256),), "alone"))
# Root of the pixel count at which real frames are scored.
REAL_SIDE = 256
# Steps over which the learning rate rises.
WARM = 300
# A subject's mask is told in this share of the pictures.
HINTED = 0.4
# Peak learning rates by the beginnings of the weights' names, the first that fits: what is fresh under a trained decoder
# learns faster, the encoder knows nearly all that it will.
RATES = (("encoder.", 1e-4), ("fine.", 1.5e-3), ("metric.", 1.5e-3), ("", 7e-4))
FRESH_STEPS = 600


@dataclass(frozen=True)
class Plan:
    """Everything a run follows from: which network (net.NETWORKS); seed; steps in all; how often a rendered picture is
    used; peak learning rates (AdamW) by the names of the weights; the last part of the steps, in which the rates fall; EMA
    decay per step; share of the pictures whose mask is told; weight of the relief; the decoder's size; stages of the
    pictures (see sample_pool); how many steps the encoder stays as it is and disparity is anchored (see losses), which a
    fresh decoder needs; what is left out: layouts, losses ("gradients" too), of the camera "looks" (or only "borders",
    "styles"), "overlays"; SHA-256 of the weights it begins with."""

    seed: int = 2
    steps: int = 24_000
    reuse: int = 3
    rates: tuple[tuple[str, float], ...] = RATES
    decay: float = 0.25
    ema: float = 0.998
    hinted: float = HINTED
    relief: float = RELIEF
    widths: tuple[int, ...] = WIDTHS
    fine: int = FINE
    heads: int = HEADS
    stages: tuple[Stage, ...] = STAGES
    frozen: int = FRESH_STEPS
    without: tuple[str, ...] = ()
    start: str = ""
    photographs: bool = False
    network: str = GeometryNet.NAME

    def fresh(self, pretrained: bool = False) -> PhotoNet:
        """The network with random weights, the encoder with those of its package if `pretrained`."""
        return NETWORKS[self.network](self.widths, self.fine, self.heads, pretrained)

    def until(self, step: int) -> Plan:
        """The plan without what comes after a step whose rate is steady: how long the run will be, how it ends, how it is
        averaged, and later stages."""
        if step > self.steady:
            return self
        past: list[Stage] = []
        for number, (steps, *rest) in enumerate(self.stages):
            last = number == len(self.stages) - 1
            if step > 0:
                past.append((step if last else min(steps, step), *rest))  # type: ignore[arg-type]
            step -= steps
        return replace(self, steps=0, decay=0.0, ema=0.0, stages=tuple(past))

    @property
    def steady(self) -> int:
        """The step at which the rate begins to fall. Until then, how long the run will be makes no difference."""
        return round((1 - self.decay) * self.steps)

    def pace(self, step: int, begun: int = 0) -> float:
        """The part of the peak rate: warm up from step `begun`, stay, and in the end fall along a cosine to 1 %
        (Hu et al. 2024, MiniCPM, section 4.2)."""
        if step < self.steady:
            return min(1.0, (step - begun + 1) / WARM)
        fall = (step - self.steady) / max(1, self.steps - self.steady)
        return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * fall))

    def rate_at(self, step: int, part: str) -> float:
        """The learning rate of the weights whose names begin with `part`, one of `rates`."""
        rate = dict(self.rates)[part]
        if part == "encoder.":
            return rate * self.pace(step, self.frozen) if step >= self.frozen else 0.0
        return rate * self.pace(step)

    def pictures(self, step: int) -> int:
        """Pictures used in all steps before this one."""
        total, left = 0, step
        for number, (steps, chunk, *_) in enumerate(self.stages):
            own = left if number == len(self.stages) - 1 else min(left, steps)
            total, left = total + TAKEN * chunk * own, left - own
        return total


def cooled(plan: Plan) -> Plan:
    """The plan with its last stage beginning where the rates begin to fall."""
    *first, (_, *rest), last = plan.stages
    steady = max(0, plan.steady - sum(steps for steps, *_ in first))
    return replace(plan, stages=(*first, (steady, *rest), last))  # type: ignore[arg-type]


def native_bfloat16(device: str) -> bool:
    """Whether the device multiplies in bfloat16 itself. A processor that does not imitates it: a step then takes 1.7 times
    as long as in float32 (AVX-512 without its bfloat16 part, torch 2.15)."""
    if device != "cpu":
        return True
    able = torch.cpu.get_capabilities()
    return any(able.get(name, False) for name in ("amx_bf16", "avx512_bf16", "bf16"))


class Trainer:
    """A run in a folder: its plan, weights, EMA weights, optimiser and step. With `ahead` another process makes the
    pictures, which lie in the folder. A run may be given another length, end, averaging and other stages to come as
    long as its rate is steady. A run that begins
    with nobody's weights takes the encoder's from its package if `pretrained`, else they are random. photographs: a folder
    of grounds (see photographs.py)."""

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        device: str = "cpu",
        ahead: bool = False,
        pretrained: bool = False,
        photographs: Path | None = None,
    ) -> None:
        plan = replace(plan, photographs=photographs is not None)
        torch.manual_seed(plan.seed)
        self.folder, self.plan, self.device, self.step, self.seconds = folder, plan, device, 0, 0.0
        chunks = folder / "chunks" if ahead else None
        recipe = Recipe(plan.seed, plan.stages, plan.reuse, plan.without, chunks, photographs)
        self.pool: SamplePool | SamplePoolAhead = SamplePoolAhead(recipe) if ahead else SamplePool(recipe, device)
        fresh = not plan.start and not (folder / "last.pt").exists()
        net = plan.fresh(pretrained=fresh and pretrained).to(device)
        self.net = net.to(memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.net).eval().requires_grad_(False)
        self.optimiser = torch.optim.AdamW(_groups(self.net, plan.rates), lr=1e-3, weight_decay=0.02)
        self.losses: dict[str, float] = {}
        if (folder / "last.pt").exists():
            self._load()

    def _load(self) -> None:
        state = torch.load(self.folder / "last.pt", map_location=self.device, weights_only=True)
        begun = Plan(**state["plan"])
        if begun.until(state["step"]) != self.plan.until(state["step"]):
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
            group["lr"] = plan.rate_at(step, group["part"])
        self.net.frozen = step < plan.frozen
        self.net.train()
        with torch.autocast(self.device.split(":")[0], torch.bfloat16, enabled=native_bfloat16(self.device)):
            prediction = self.net(photo.contiguous(memory_format=torch.channels_last))
        anchor = UPRIGHT if step < plan.frozen else ANCHOR
        parts = loss_parts(prediction, batch.labels, plan.without, plan.relief, anchor)
        loss = torch.stack(list(parts.values())).sum()
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss of step {step} is {float(loss.detach())}; the last checkpoint is kept")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.net.parameters(), 2.0)
        self.optimiser.step()
        # The early weights of a fresh net are worth forgetting sooner (as in timm's ModelEmaV3).
        decay = plan.ema if plan.start else min(plan.ema, (1 + step) / (10 + step))
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


def started(
    folder: Path,
    plan: Plan,
    weights: Path,
    device: str = "cpu",
    ahead: bool = False,
    photographs: Path | None = None,
) -> Trainer:
    """A run that begins with the averaged weights of another, given its last.pt; its plan tells which. The other network
    may be of another kind (see net.take_over)."""
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
    trainer = Trainer(folder, replace(plan, start=digest), device, ahead, photographs=photographs)
    if trainer.step == 0:
        state = torch.load(weights, map_location=device, weights_only=True)
        for net in (trainer.net, trainer.ema):
            take_over(net, state["ema"], NETWORKS[Plan(**state.get("plan", {})).network])
    return trainer


def _groups(net: nn.Module, rates: tuple[tuple[str, float], ...]) -> list[dict[str, object]]:
    """The weights by the first of the `rates` that fits their names; weight decay on matrices only, not on biases and
    norms."""
    groups: list[dict[str, object]] = []
    for part, _ in rates:
        own = [p for name, p in net.named_parameters() if part == next(b for b, _ in rates if name.startswith(b))]
        groups.append({"part": part, "params": [p for p in own if p.ndim > 1]})
        groups.append({"part": part, "params": [p for p in own if p.ndim <= 1], "weight_decay": 0.0})
    return groups


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
    whole = trainer.plan.network == GeometryNet.NAME
    row |= (score_world if whole else score_objects)(trainer.ema, trainer.plan.seed, trainer.device)
    if whole and real is not None:
        row |= score_real(trainer.ema, real, REAL_SIDE)
    path = trainer.folder / "log.csv"
    log_row(path, row)
    draw_curve(path, trainer.folder / "curve.png")


def train(trainer: Trainer, minutes: float, every: float, real: Path | None) -> None:
    """Run until the plan's last step, for some minutes, or until the process is told to end (after the step that it is at);
    save and evaluate every `every` minutes and at the end."""
    stopped: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: stopped.append(number))
    begun = due = time.perf_counter()
    while trainer.step < trainer.plan.steps and time.perf_counter() - begun < minutes * 60 and not stopped:
        trainer.advance()
        if time.perf_counter() - due > every * 60:
            due = time.perf_counter()
            trainer.save()
            _evaluate(trainer, real)
    trainer.save()
    if not stopped:
        _evaluate(trainer, real)
    trainer.pool.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.train", description="Train the network that ships.")
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; goes on where it stopped")
    parser.add_argument("--start", type=Path, help="a run's last.pt, whose averaged weights a new run begins with")
    parser.add_argument("--object", action="store_true", help="train the network of objects, not that of whole photos")
    parser.add_argument("--seed", type=int, default=Plan.seed)
    parser.add_argument("--steps", type=int, default=Plan.steps)
    parser.add_argument(
        "--decay", type=float, default=Plan.decay, help="last part of the steps, in which the rates fall"
    )
    parser.add_argument("--ema", type=float, default=Plan.ema, help="of the averaged weights, what stays at a step")
    parser.add_argument("--reuse", type=int, default=Plan.reuse, help="how often a rendered picture is used")
    parser.add_argument("--without", nargs="*", default=(), help="layouts and losses to leave out (ablations)")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop after this time (the plan stays as it is)"
    )
    parser.add_argument("--every", type=float, default=5.0, help="minutes between checkpoints with scores")
    parser.add_argument("--real", type=Path, help="folder of RGB-D frames to score on")
    parser.add_argument("--photographs", type=Path, help="folder of photographs that subjects are pasted on")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    plan = replace(Plan(), seed=args.seed, steps=args.steps, decay=args.decay, ema=args.ema, reuse=args.reuse)
    plan = replace(plan, without=tuple(args.without))
    ahead = args.device == "cpu"
    if args.object:
        plan = replace(plan, network=ObjectNet.NAME, stages=OBJECT, hinted=1.0, relief=OBJECT_RELIEF)
    elif args.start:
        plan = replace(plan, stages=LATER)
    plan = cooled(replace(plan, frozen=0) if args.start else plan)
    if args.start:
        trainer = started(args.run, plan, args.start, args.device, ahead, args.photographs)
    else:
        trainer = Trainer(args.run, plan, args.device, ahead, pretrained=True, photographs=args.photographs)
    train(trainer, args.minutes, args.every, args.real)


if __name__ == "__main__":
    main()
