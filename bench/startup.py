"""How soon the first stage begins, and what the built-in network adds to a run.

    python -m bench.startup

The first stage is seen from outside, as a person sees it: the first characters in a terminal after the process started.
"""

from __future__ import annotations

import os
import pty
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

from bench.frames import frames
from bench.speed import ROOT, measured

RUNS = 5


def main() -> None:
    """Print both figures, medians of five runs."""
    frame = next(f for f in frames() if f.rgb.shape[:2] == (480, 640))
    with tempfile.TemporaryDirectory() as name:
        photo, depth, out = (str(Path(name) / file) for file in ("photo.jpg", "depth.npy", "out.glb"))
        Image.fromarray(frame.rgb).save(photo, quality=92)
        np.save(depth, frame.z)
        common = [sys.executable, "gen.py", "--rgb", photo, "--surface", "grid", "--mask", "none", "--out", out]
        given = [*common, "--depth-in", depth, "--depth-kind", "metric", "--focal-px", str(frame.focal)]
        built_in = [*common, "--depth-model", "builtin"]
        print(f"first stage begins after {median(first_output(given) for _ in range(RUNS)):.2f} s")
        rows = [(measured(built_in)[0], measured(given)[0]) for _ in range(RUNS + 1)][1:]
    with_net, without = (median(column) for column in zip(*rows, strict=True))
    added = median(a - b for a, b in rows)
    print(f"640×480 to GLB: {without:.2f} s with a given depth map, {with_net:.2f} s with the network: {added:+.2f} s")


def first_output(command: list[str]) -> float:
    """Seconds from the start of a command in a terminal to its first output."""
    start = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execv(command[0], command)
    os.read(terminal, 1)
    seconds = time.perf_counter() - start
    try:
        while os.read(terminal, 4096):
            pass
    except OSError:  # the terminal closes when the process ends
        pass
    os.close(terminal)
    os.waitpid(child, 0)
    return seconds


if __name__ == "__main__":
    main()
