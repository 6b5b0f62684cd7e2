"""Whole processes, from start to written file: `gen.py --depth-in` against the usual Open3D recipe, side by side.

    python -m bench.speed [--pairs N] [--frame NAME]

Each pair runs both in turn, so that a drift of the machine's speed cancels in their ratio; medians are printed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import cv2
import numpy as np
from PIL import Image

from bench.frames import RgbdFrame, frames

ROOT = Path(__file__).resolve().parents[1]
SIZES = ((640, 480), (1920, 1440), (4032, 3024))


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--pairs", type=int, default=3)
    options.add_argument("--frame", default="", help="part of the frame's name; default: the first of 4:3")
    args = options.parse_args()
    frame = next(f for f in frames() if args.frame in f.name and f.rgb.shape[0] * 4 == f.rgb.shape[1] * 3)
    print(f"frame: {frame.name}; {os.cpu_count()} cores; medians of {args.pairs} pairs after one warm-up")
    print(f"{'size':>10} {'surface':>8} {'ours s':>7} {'ref s':>7} {'ratio':>6} {'ours MB':>8} {'ref MB':>7}")
    with tempfile.TemporaryDirectory() as folder:
        for width, height in SIZES:
            photo, depth, focal = _written(frame, width, height, Path(folder))
            reference = [sys.executable, "-m", "bench.open3d_recipe", photo, depth, str(focal), f"{folder}/ref"]
            for surface, out in (("grid", "o.glb"), ("poisson", "o.ply")):
                ours = [sys.executable, "gen.py", "--rgb", photo, "--depth-in", depth, "--depth-kind", "metric",
                        "--focal-px", str(focal), "--surface", surface, "--out", f"{folder}/{out}"]  # fmt: skip
                _print_row(f"{width}×{height}", surface, _pairs(ours, reference, args.pairs))


def _written(frame: RgbdFrame, width: int, height: int, folder: Path) -> tuple[str, str, float]:
    """The frame resized and written as JPEG and .npy; its focal length at that size."""
    rgb = cv2.resize(frame.rgb, (width, height), interpolation=cv2.INTER_CUBIC)
    z = cv2.resize(frame.z, (width, height), interpolation=cv2.INTER_NEAREST)
    photo, depth = folder / f"{width}.jpg", folder / f"{width}.npy"
    Image.fromarray(rgb).save(photo, quality=92)
    np.save(depth, z)
    return str(photo), str(depth), frame.focal * width / frame.rgb.shape[1]


def _pairs(ours: list[str], reference: list[str], count: int) -> list[tuple[float, float, float, float]]:
    """(our seconds, reference seconds, our MB, reference MB) of each pair, the warm-up dropped."""
    rows = []
    for _ in range(count + 1):
        (a, mem_a), (b, mem_b) = measured(ours), measured(reference)
        rows.append((a, b, mem_a, mem_b))
    return rows[1:]


def measured(command: list[str]) -> tuple[float, float]:
    """(wall seconds, peak memory in MB) of a command that must succeed."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def _print_row(size: str, surface: str, rows: list[tuple[float, float, float, float]]) -> None:
    ours, reference, mem, reference_mem = (median(column) for column in zip(*rows, strict=True))
    ratio = median(row[1] / row[0] for row in rows)
    print(
        f"{size:>10} {surface:>8} {ours:7.2f} {reference:7.2f} {ratio:5.1f}× {mem:8.0f} {reference_mem:7.0f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
