"""`python -m recon.builtin.ablate --runs DIR --real DIR`: what each ingredient of the world and of the loss buys.

Short runs of a smaller network on small pictures that differ in one ingredient, and the whole again from another seed,
which shows what is only chance. Prints one table in Markdown; finished runs are not repeated.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from .evaluate import score_real, score_world
from .train import SMALL, Plan, Trainer

SMALLER = (16, 24, 48, 96, 160)
# Root of the pixel count at which real frames are scored: that of the pictures trained on.
SIDE = 96
# name: (seed, what is left out)
RUNS: dict[str, tuple[int, tuple[str, ...]]] = {
    "everything": (1, ()),
    "everything, second seed": (2, ()),
    "no camera looks": (1, ("looks",)),
    "no rooms": (1, ("room",)),
    "no streets": (1, ("street", "square")),
    "no cut-outs": (1, ("cutout", "pasted")),
    "no gradient matching": (1, ("gradients",)),
    "no normals": (1, ("normals",)),
    "depth and sky alone": (1, ("normals", "subject", "relief", "fov")),
}
COLUMNS = ("real_d1", "indoor", "street", "tabletop", "real_rel", "world_d1", "normals", "iou", "relief", "fov")


def scores(folder: Path, plan: Plan, real: Path) -> dict[str, float]:
    """Train a plan to its end and score its averaged weights, on the whole world whatever it was trained on."""
    trainer = Trainer(folder, plan)
    while trainer.step < plan.steps:
        trainer.advance()
        if trainer.step % 100 == 0 or trainer.step == plan.steps:
            trainer.save()
    return score_world(trainer.ema, 0, batches=8) | score_real(trainer.ema, real, SIDE)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recon.builtin.ablate", description=__doc__)
    parser.add_argument("--runs", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--real", type=Path, required=True, help="folder of RGB-D frames to score on")
    parser.add_argument("--steps", type=int, default=500)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print("| left out | " + " | ".join(COLUMNS) + " |\n|---|" + "---|" * len(COLUMNS), flush=True)
    for name, (seed, without) in RUNS.items():
        small = replace(Plan(), reuse=8, stages=((0, 16, SMALL, "subjects"),), widths=SMALLER, heads=5)
        plan = replace(small, seed=seed, steps=args.steps, without=without)
        row = scores(args.runs / name.replace(" ", "_").replace(",", ""), plan, args.real)
        print(f"| {name} | " + " | ".join(f"{row[c]:.3f}" for c in COLUMNS) + " |", flush=True)


if __name__ == "__main__":
    main()
