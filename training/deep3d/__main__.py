"""`python -m training.deep3d --run DIR [--pairs FOLDER_OR_FILM]`: train on stereo pairs, or on the synthetic world's;
`--export FILE.onnx`: write the run's network."""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from pathlib import Path

import torch

from .export import export_planes, load_stereo_run
from .train import StereoPlan, StereoTrainer, planes_for, source_of, train_stereo


def main() -> None:
    """Read the command line and train, or export."""
    parser = argparse.ArgumentParser(prog="python -m training.deep3d", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--run", type=Path, required=True, help="folder of the run; goes on where it stopped")
    parser.add_argument(
        "--export", type=Path, metavar="FILE", help="write the run's network as ONNX, and do nothing else"
    )
    parser.add_argument("--pairs", type=Path, help="folder of stereo pairs, or a side-by-side film")
    parser.add_argument(
        "--size", type=int, nargs=2, default=StereoPlan.size, metavar=("H", "W"), help="multiples of 32"
    )
    parser.add_argument("--encoder", choices=("lite0", "vgg11"), default=StereoPlan.encoder)
    parser.add_argument("--hidden", type=int, default=StereoPlan.hidden, help="units of the fully connected layers")
    parser.add_argument("--seed", type=int, default=StereoPlan.seed)
    parser.add_argument("--steps", type=int, default=StereoPlan.steps)
    parser.add_argument("--batch", type=int, default=StereoPlan.batch)
    parser.add_argument("--rate", type=float, default=StereoPlan.rate)
    parser.add_argument("--fresh", action="store_true", help="begin without the encoder's pretrained weights")
    parser.add_argument("--minutes", type=float, default=math.inf)
    parser.add_argument("--every", type=float, default=5.0, help="minutes between checkpoints with scores")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    if args.export:
        net, plan, step = load_stereo_run(args.run)
        export_planes(net, plan, args.export, step)
        print(f"{args.export}: {args.export.stat().st_size / 1e6:.1f} MB, {step} steps")
        return
    torch.set_num_threads(args.threads)
    size = (args.size[0], args.size[1])
    plan = replace(
        StereoPlan(), seed=args.seed, steps=args.steps, batch=args.batch, size=size, planes=planes_for(size[1])
    )
    plan = replace(plan, encoder=args.encoder, hidden=args.hidden, rate=args.rate)
    plan = replace(plan, pretrained=args.encoder == "lite0" and not args.fresh)
    train_stereo(StereoTrainer(args.run, plan, source_of(args.pairs, args.seed)), args.minutes, args.every)


if __name__ == "__main__":
    main()
