"""The built-in network alone: how long it takes to load and to run.

    python -m bench.network

One file, onnxruntime, every core; medians. At 224 px it is what the first network was run at.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from recon.builtin.weights import GEOMETRY

SIDES = (224, 384)
LOADS, RUNS = 5, 20


def main() -> None:
    """Print the table."""
    import onnxruntime

    def load() -> Any:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = os.cpu_count() or 1
        return onnxruntime.InferenceSession(str(GEOMETRY), options, providers=["CPUExecutionProvider"])

    session = load()
    (photo,) = session.get_inputs()
    load_ms = milliseconds(load, LOADS)
    print(
        f"{GEOMETRY.stat().st_size / 2**20:.1f} MB; {os.cpu_count()} cores; load {load_ms:.0f} ms (median of {LOADS})"
    )
    print(f"{'side':>6} {'run ms':>8}   (median of {RUNS} after one warm-up)")
    for side in SIDES:
        batch = np.random.default_rng(0).random((1, photo.shape[1], side, side), np.float32)
        batch[:, 3:] = 0  # no hint about the subject
        session.run(None, {photo.name: batch})
        taken = milliseconds(lambda batch=batch: session.run(None, {photo.name: batch}), RUNS)  # type: ignore[misc]
        print(f"{side:6} {taken:8.0f}", flush=True)


def milliseconds(work: Callable[[], object], times: int) -> float:
    """The median time of a piece of work."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return median(taken)


if __name__ == "__main__":
    main()
