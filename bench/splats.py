"""Gaussian splats of a one-megapixel scene: seconds and bytes of each format, beside its meshes in the same run.

    python -m bench.splats

In one process, libraries loaded, the depth given; medians of five rounds, in each of which everything is made and written
once. Seconds are the processor's: on a busy machine the clock on the wall tells of the others.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import cv2

from bench.frames import RgbdFrame, frames
from recon import Reconstruction, reconstruct, write_mesh, write_splats

ROUNDS = 5
PIXELS = 1_100_000
FORMATS = (".ply", ".splat", ".spz", ".glb")


def main() -> None:
    """Print the table."""
    scene = megapixel(next(frames()))
    rows: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as name:
        counts = [one_round(scene, Path(name), rows) for _ in range(ROUNDS)]
        sizes = {path.name: f"{path.stat().st_size / 1e6:.1f}" for path in Path(name).iterdir()}
    print(f"{counts[0]:,} splats of {scene.photo.rgb.size // 3:,} pixels\n\n| what | seconds | MB |\n|---|---|---|")
    for what, seconds in rows.items():
        print(f"| {what} | {median(seconds):.2f} | {sizes.get(what, '')} |")


def megapixel(frame: RgbdFrame) -> Reconstruction:
    """A frame enlarged, its depth given, as a scene with nothing made of it."""
    height, width = frame.z.shape
    grown = (PIXELS / (height * width)) ** 0.5
    size = (round(width * grown), round(height * grown))
    rgb = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_CUBIC)
    z = cv2.resize(frame.z, size, interpolation=cv2.INTER_NEAREST)
    return reconstruct(rgb, depth=z, depth_kind="metric", focal_px=frame.focal * grown, mask="none")


def one_round(scene: Reconstruction, folder: Path, rows: dict[str, list[float]]) -> int:
    """Make and write everything once; returns the number of splats."""

    def timed(what: str, make: Callable[[], object]) -> None:
        start = time.process_time()
        make()
        rows.setdefault(what, []).append(time.process_time() - start)

    for surface in ("grid", "layered"):
        fresh = scene.with_options(surface=surface)
        timed(f"{surface}, made", partial(getattr, fresh, "mesh"))
        timed(f"{surface}.glb", partial(write_mesh, fresh.mesh, folder / f"{surface}.glb"))
        timed(f"splats of {surface}, made", partial(getattr, fresh, "splats"))
    for ending in FORMATS:
        timed(f"splats{ending}", partial(write_splats, fresh.splats, folder / f"splats{ending}"))
    return len(fresh.splats.centres)


if __name__ == "__main__":
    main()
