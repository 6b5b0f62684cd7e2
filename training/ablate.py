"""`python -m training.ablate --start RUN/last.pt --runs DIR --real DIR`: what each ingredient buys.

Short runs that go on from one network's weights and differ in one ingredient of the world or of the loss, and the whole
again from another seed, which shows what is only chance. Prints one table in Markdown; finished runs are not repeated.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from .evaluate import score_real, score_world
from .train import LATER, Plan, started

# name: (seed, what is left out)
RUNS: dict[str, tuple[int, tuple[str, ...]]] = {
    "nothing": (1, ()),
    "nothing, second seed": (2, ()),
    "camera looks": (1, ("looks",)),
    "borders": (1, ("borders",)),
    "mixed colours": (1, ("styles",)),
    "rooms": (1, ("room",)),
    "streets": (1, ("street", "square")),
    "cut-outs": (1, ("cutout", "pasted")),
    "gradient matching": (1, ("gradients",)),
    "all heads but depth, sky": (1, ("normals", "subject", "relief", "fov")),
}
COLUMNS = ("real_d1", "indoor", "street", "tabletop", "real_rel", "world_d1", "normals", "iou", "relief", "fov")


def train_and_score(folder: Path, plan: Plan, start: Path, real: Path) -> dict[str, float]:
    """Train a plan to its end and score its averaged weights, on the whole world whatever it was trained on."""
    trainer = started(folder, plan, start)
    while trainer.step < plan.steps:
        trainer.advance()
        if trainer.step % 100 == 0 or trainer.step == plan.steps:
            trainer.save()
    return score_world(trainer.ema, 0, batches=8) | score_real(trainer.ema, real)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.ablate", description=__doc__)
    parser.add_argument("--start", type=Path, required=True, help="a run's last.pt, where all runs begin")
    parser.add_argument("--runs", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--real", type=Path, required=True, help="folder of RGB-D frames to score on")
    parser.add_argument("--steps", type=int, default=400)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print("| left out | " + " | ".join(COLUMNS) + " |\n|---|" + "---|" * len(COLUMNS), flush=True)
    for name, (seed, without) in RUNS.items():
        plan = replace(Plan(), seed=seed, steps=args.steps, stages=LATER, frozen=0, without=without)
        row = train_and_score(args.runs / name.replace(" ", "_").replace(",", ""), plan, args.start, args.real)
        print(f"| {name} | " + " | ".join(f"{row[c]:.3f}" for c in COLUMNS) + " |", flush=True)


if __name__ == "__main__":
    main()
