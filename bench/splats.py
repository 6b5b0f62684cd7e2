"""Gaussian splats of a one-megapixel photo: seconds and bytes of each format, beside the `grid` mesh in the same run.

    python -m bench.splats

In one process, libraries loaded, the depth given; medians of five rounds, in each of which everything is made and written
once.
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
        for _ in range(ROUNDS):
            one_round(scene, Path(name), rows)
        sizes = {path.name: path.stat().st_size / 1e6 for path in Path(name).iterdir()}
    print(
        f"{len(scene.with_options(surface='grid').splats.centres):,} splats of {scene.photo.rgb.size // 3:,} pixels\n"
    )
    print("| what | seconds | MB |\n|---|---|---|")
    for what, seconds in rows.items():
        print(f"| {what} | {median(seconds):.2f} | {sizes.get(what, float('nan')):.1f} |")


def megapixel(frame: RgbdFrame) -> Reconstruction:
    """A frame enlarged, its depth given, as a scene with nothing made of it."""
    height, width = frame.z.shape
    grown = (PIXELS / (height * width)) ** 0.5
    size = (round(width * grown), round(height * grown))
    rgb = cv2.resize(frame.rgb, size, interpolation=cv2.INTER_CUBIC)
    z = cv2.resize(frame.z, size, interpolation=cv2.INTER_NEAREST)
    return reconstruct(rgb, depth=z, depth_kind="metric", focal_px=frame.focal * grown, mask="none", surface="grid")


def one_round(scene: Reconstruction, folder: Path, rows: dict[str, list[float]]) -> None:
    """Make and write everything once."""

    def timed(what: str, make: Callable[[], object]) -> None:
        start = time.perf_counter()
        make()
        rows.setdefault(what, []).append(time.perf_counter() - start)

    fresh = scene.with_options(surface="grid")
    timed("grid, made", lambda: fresh.mesh)
    timed("grid.glb", lambda: write_mesh(fresh.mesh, folder / "grid.glb"))
    timed("splats, made", lambda: fresh.splats)
    for ending in FORMATS:
        timed(f"splats{ending}", partial(write_splats, fresh.splats, folder / f"splats{ending}"))


if __name__ == "__main__":
    main()
