"""What the built-in network says of the lens and of the distance, on frames where both are known:

    python -m bench.lens_and_scale [--onnx FILE] [--side N]

Printed is, per frame, the field of view along the longer side (true, found, expected error, in degrees), the median depth
(measured, found, in metres) and the expected relative error of what was found; below, the medians, of the distance over
the frames on which the network is sure.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np

from bench.frames import frames
from recon.builtin.depth import SURE_OF_DISTANCE
from recon.builtin.estimator import SIDE, Network
from recon.builtin.weights import GEOMETRY


def main() -> None:
    """Print one row per frame and the medians."""
    parser = argparse.ArgumentParser(prog="python -m bench.lens_and_scale")
    parser.add_argument("--onnx", type=Path, default=GEOMETRY, help="exported network (default: the one that ships)")
    parser.add_argument("--side", type=int, default=SIDE, help="root of the pixel count")
    args = parser.parse_args()
    network, lens, sure = Network(args.onnx, args.side), [], []
    print(f"{'frame':>20}  true  found  ± degrees   true  found  ± metres")
    for frame in frames():
        heads = network.heads(frame.rgb)
        assert heads.distance is not None and heads.distance_error is not None
        fov = 2 * math.degrees(math.atan(max(frame.rgb.shape[:2]) / 2 / frame.focal))
        true, found = float(np.nanmedian(frame.z)), math.exp(heads.distance)
        lens.append(abs(heads.fov - fov))
        if heads.distance_error < SURE_OF_DISTANCE:
            sure.append(max(true / found, found / true) - 1)
        print(
            f"{frame.name:>20}  {fov:4.0f}  {heads.fov:5.0f}  {heads.fov_error:9.1f}   "
            f"{true:4.1f}  {found:5.1f}  {heads.distance_error:8.2f}",
            flush=True,
        )
    off = f"{np.median(sure):.0%}" if sure else "unknown"
    print(f"field of view {np.median(lens):.1f} degrees off; sure of {len(sure)} of {len(lens)} distances, {off} off")


if __name__ == "__main__":
    main()
