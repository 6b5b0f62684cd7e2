"""The right view of real stereo pairs made from the left one, against simpler ways, in one run; and what it costs.

    python -m bench.stereo [--data DIR] [--no-times]

The left view only is seen. With the pairs' own disparity (`true`, and `quarter`, reduced to a quarter and back), or with
the built-in network's, brought to it by one scale and shift (`network`), the right view is made with the left one kept.
Only what the left camera saw counts: columns left of the width less the greatest disparity. `holes`: where the right view
shows what the left one hides. Floors: the left view itself, the best shift of all of it, a ramp from top to bottom fitted
to the truth, and one backward `remap` by the left view's disparity. Then processor seconds, of a warp also in units of
one cubic `cv2.remap` of its picture; and how far still things move from frame to frame in a panned picture.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bench.frames import DEFAULT_FOLDER
from recon.builtin.depth import BuiltinDepth
from recon.geometry.upsample import guided_upsample
from recon.stereo import stereo_pair
from recon.stereo.disparity import grown
from recon.stereo.film import inverse_of
from recon.stereo.runs import filled_from_lower
from recon.stereo.temporal import ShotDepth
from recon.stereo.warp import right_view

PAIRS = ("cones", "cloth3", "reindeer", "aloe", "art", "motorcycle", "adirondack", "tsukuba")
"""Those with colours and dense truth."""
UNKNOWN_BELOW = {"art": 50.0}
BORDER = {"tsukuba": 18}
"""Pixels around a picture whose truth is unknown."""


class Pair:
    """A stereo pair and its left view's disparity in pixels, holes filled from their far side."""

    def __init__(self, folder: Path) -> None:
        about = json.loads((folder / "meta.json").read_text())
        self.name = folder.name
        self.left, self.right = (
            np.asarray(Image.open(folder / about[eye]).convert("RGB")) for eye in ("left", "right")
        )
        file = folder / about["disparity_left"]
        values = np.load(file)["arr_0"] if file.suffix == ".npz" else np.asarray(Image.open(file))
        values = values.astype(np.float32).reshape(*values.shape[:2], -1)[..., 0]
        known = np.isfinite(values) & (values > UNKNOWN_BELOW.get(self.name, 0.0))
        self.known = np.where(known, values / about["disparity_divisor"], np.nan).astype(np.float32)
        self.disparity = filled_from_lower(self.known)
        border, width = BORDER.get(self.name, 0), values.shape[1]
        self.seen = np.zeros(values.shape, bool)
        self.seen[border : len(values) - border, border : int(width - np.nanmax(self.known))] = True
        self.holes = right_view(self.left, self.disparity).invented & self.seen

    def scores(self, view: np.ndarray) -> tuple[float, float]:
        """(dB of all that counts, dB of the holes) of a right view."""
        error = (view.astype(float) - self.right) ** 2
        return tuple(10 * np.log10(255**2 / error[where].mean()) for where in (self.seen, self.holes))

    def fitted(self, values: np.ndarray) -> np.ndarray:
        """Values brought to the truth by one scale and shift, least squares over known pixels."""
        known = np.isfinite(self.known)
        scale, shift = np.polyfit(values[known].astype(float), self.known[known], 1)
        return (scale * values + shift).astype(np.float32)


def best_shift(pair: Pair) -> np.ndarray:
    """The left view moved as a whole."""
    every = np.arange(np.nanmin(pair.known), np.nanmax(pair.known), 0.5)
    views = (right_view(pair.left, np.full(pair.known.shape, by, np.float32)).rgb for by in every)
    return max(views, key=lambda view: pair.scores(view)[0])


def backward(pair: Pair) -> np.ndarray:
    """Each pixel of the right view from where the left view's disparity at the same place points."""
    x, y = np.meshgrid(*(np.arange(side, dtype=np.float32) for side in pair.known.shape[::-1]))
    return cv2.remap(pair.left, x + pair.disparity, y, cv2.INTER_CUBIC)


def ramp(pair: Pair) -> np.ndarray:
    """Disparity that grows from top to bottom."""
    rows = np.repeat(np.arange(len(pair.known), dtype=np.float32)[:, None], pair.known.shape[1], axis=1)
    return right_view(pair.left, pair.fitted(rows)).rgb


def quarter(pair: Pair) -> np.ndarray:
    """The truth at a quarter of its size, and back."""
    small = cv2.resize(pair.disparity, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    full = cv2.resize(small, pair.known.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return right_view(pair.left, cv2.dilate(full, np.ones((5, 5), np.uint8))).rgb


def true(pair: Pair) -> np.ndarray:
    """With the truth, things grown over their mixed edges as in a photo's pair."""
    span = float(np.ptp(pair.disparity))
    low = pair.disparity.min()
    return right_view(pair.left, grown((pair.disparity - low) / np.float32(span)) * np.float32(span) + low).rgb


def network(pair: Pair) -> np.ndarray:
    """With the built-in network's disparity."""
    full = guided_upsample(inverse_of(BuiltinDepth().estimate(pair.left)), pair.left)
    return right_view(pair.left, pair.fitted(grown(full))).rgb


WAYS: dict[str, Callable[[Pair], np.ndarray]] = {
    "left": lambda pair: pair.left, "shift": best_shift, "ramp": ramp, "network": network, "backward": backward,
    "quarter": quarter, "true": true,
}  # fmt: skip


def main() -> None:
    """Print dB of each pair by each way, then times, then movement."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER.parent / "stereo")
    parser.add_argument("--no-times", action="store_true", help="quality only")
    args = parser.parse_args()
    pairs = [Pair(args.data / name) for name in PAIRS]
    print(f"{'dB':>9} " + " ".join(f"{name[:8]:>8}" for name in PAIRS) + f" {'mean':>7} {'holes':>7}")
    for way, make in WAYS.items():
        rows = np.array([pair.scores(make(pair)) for pair in pairs])
        each = " ".join(f"{value:8.2f}" for value in rows[:, 0])
        print(f"{way:>9} {each} {rows[:, 0].mean():7.2f} {rows[:, 1].mean():7.2f}")
    print("\nstill things in panned pictures move from frame to frame, in pixels at a width of 1920 and 2 %:")
    for pair in (pairs[1], pairs[2], pairs[5]):
        rms, median = panned(pair.left)
        print(f"{pair.name:>11}: {rms:.3f} RMS, {median:.3f} in the median")
    if not args.no_times:
        times()


def panned(rgb: np.ndarray, frames: int = 16, step: int = 4) -> tuple[float, float]:
    """RMS and median movement of the same places between neighbouring frames of a window that is moved over a
    picture, with the built-in network, in pixels of a frame 1920 wide at a strength of 2 %."""
    shot, estimator, before, moved = ShotDepth(), BuiltinDepth(), None, []
    width = rgb.shape[1] - step * frames
    for i in range(frames):
        frame = np.ascontiguousarray(rgb[:, step * i : step * i + width])
        near = grown(
            guided_upsample(shot.follow(inverse_of(estimator.estimate(frame)), frame), frame)
        )  # as it is shown
        if before is not None:
            moved.append(np.abs(near[:, :-step] - before[:, step:]) * 0.02 * 1920)
        before = near
    return float(np.sqrt(np.mean(np.square(moved)))), float(np.median(moved))


def best_time(work: Callable[[], object], count: int = 5) -> float:
    """The least of some runs, in seconds of all processors together: other programs do not count."""
    found = []
    for _ in range(count):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def converted(rgb: np.ndarray) -> None:
    """Change a row of a photo, since the network keeps its answer to the last one, and make its pair."""
    rgb[: len(rgb) // 8] += 1
    stereo_pair(rgb, depth_model="builtin")


def times() -> None:
    """Processor seconds of a warp and of a whole photo."""
    rng = np.random.default_rng(0)
    for width, height in ((1920, 1080), (4000, 3000)):
        rgb = cv2.resize(rng.integers(0, 256, (height // 40, width // 40, 3), np.uint8), (width, height))
        shift = cv2.resize(rng.normal(0, 0.005 * width, (8, 12)).astype(np.float32), (width, height))
        x, y = np.meshgrid(np.arange(width, dtype=np.float32) + 0.3, np.arange(height, dtype=np.float32))
        one = best_time(lambda rgb=rgb, x=x, y=y: cv2.remap(rgb, x, y, cv2.INTER_CUBIC))  # type: ignore[misc]
        warp = best_time(lambda rgb=rgb, shift=shift: right_view(rgb, shift))  # type: ignore[misc]
        whole = best_time(lambda rgb=rgb: converted(rgb), 3)  # type: ignore[misc]
        print(f"{width}×{height}: warp {warp:.3f} s = {warp / one:.1f} remaps; photo to pair {whole:.2f} s")


if __name__ == "__main__":
    main()
