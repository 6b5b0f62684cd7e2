"""A folder of twenty photos by one command, against twenty commands one after another.

    python -m bench.many [--pairs N]

Photos of the samples, turned a little and 640 pixels long. Seconds of the clock, and of the processor: the
latter hardly know of other programs.
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

from PIL import Image

from bench.speed import ROOT

COUNT, LONG_SIDE, TURN_DEG = 20, 640, 2


def main() -> None:
    """Print the medians of a few pairs run in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1)
    pairs = parser.parse_args().pairs
    with tempfile.TemporaryDirectory() as name:
        photos = Path(name) / "photos"
        write_photos(photos)
        rows = [(_together(photos), _one_by_one(photos)) for _ in range(pairs)]
    for i, what in enumerate(("clock", "processor")):
        one, many = (median(row[side][i] for row in rows) for side in (0, 1))
        print(
            f"{COUNT} photos, seconds of the {what}: one command {one:.1f}, {COUNT} commands {many:.1f}: {many / one:.2f}×"
        )


def write_photos(folder: Path) -> None:
    """The samples again and again, each time turned a little more."""
    folder.mkdir()
    samples = sorted((ROOT / "samples").glob("*.jpg"))
    for i in range(COUNT):
        photo = Image.open(samples[i % len(samples)]).convert("RGB")
        scale = LONG_SIDE / max(photo.size)
        small = photo.resize((round(photo.width * scale), round(photo.height * scale)))
        turned = small.rotate(TURN_DEG * (i // len(samples)), Image.Resampling.BICUBIC)
        turned.save(folder / f"{i:02}.jpg", quality=92)


def _together(photos: Path) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as out:
        return _timed([["--rgb", str(photos), "--out", out]])


def _one_by_one(photos: Path) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as out:
        return _timed([["--rgb", str(photo), "--out", f"{out}/{photo.stem}.glb"] for photo in sorted(photos.iterdir())])


def _timed(commands: list[list[str]]) -> tuple[float, float]:
    """Seconds of the clock and of the processor of some commands, one after another, which must succeed."""
    start, before = time.perf_counter(), os.times()
    for arguments in commands:
        subprocess.run(
            [sys.executable, "gen.py", *arguments, "--quiet"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
        )
    after = os.times()
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - start, spent


if __name__ == "__main__":
    main()
