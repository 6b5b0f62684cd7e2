"""`python -m training.average A.pt B.pt --out C.pt`: the mean of the averaged weights of runs, to begin another with.

Runs that began with the same weights, or one with the other's, lie in one valley, and the middle is often better than
each (Wortsman et al. 2022, "Model soups"). Given runs' `last.pt` or files that this or a leg has left; all of one network.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from torch import Tensor


def mean_weights(states: list[dict[str, Any]]) -> dict[str, Tensor]:
    """The mean of the `ema` of checkpoints, float16; counters are the first's. Raises ValueError for other networks'."""
    first, *rest = [state["ema"] for state in states]
    for other in rest:
        if other.keys() != first.keys() or any(other[name].shape != value.shape for name, value in first.items()):
            raise ValueError("these are weights of different networks; give runs of one")
    return {
        name: torch.stack([one[name].float() for one in (first, *rest)]).mean(0).half()
        if value.is_floating_point()
        else value
        for name, value in first.items()
    }


def main() -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(prog="python -m training.average", description="The mean of runs' weights.")
    parser.add_argument("runs", type=Path, nargs="+", help="last.pt of runs, or files of weights")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    states = [torch.load(path, map_location="cpu", weights_only=True) for path in args.runs]
    kept = {name: states[0][name] for name in ("plan",) if name in states[0]}
    torch.save({"ema": mean_weights(states), **kept}, args.out)


if __name__ == "__main__":
    main()
