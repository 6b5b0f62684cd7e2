"""`python -m training.synthetic --sheet out.png [--seed N]`: the world to look at, a row per layout.

Photos beside disparity; with --labels a photo is followed by normals, the subject's front and back relief too.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
import torch

from . import World
from .labels import Labels
from .layouts import LAYOUTS


def _heat(values: np.ndarray, low: float, high: float) -> np.ndarray:
    level = np.clip((values - low) / max(high - low, 1e-6), 0, 1)
    return cv2.applyColorMap((255 * level).astype(np.uint8), cv2.COLORMAP_INFERNO)


def _pictures(labels: Labels, i: int, everything: bool) -> list[np.ndarray]:
    """Disparity, and normals, front and back of picture i as BGR uint8."""
    disparity = labels.disparity[i, 0].numpy()
    tiles = [_heat(disparity, 0, float(np.percentile(disparity, 99)))]
    if everything:
        normals = labels.normals[i].permute(1, 2, 0).flip(-1).numpy()
        front, back = labels.front[i, 0].numpy(), labels.back[i, 0].numpy()
        outside = labels.subject[i, 0].numpy() < 0.5
        tiles.append((127.5 * (1 - normals)).astype(np.uint8))
        tiles += [np.where(outside[..., None], 0, _heat(-x, -0.4, 0.3)).astype(np.uint8) for x in (front, back)]
    return tiles


def contact_sheet(seed: int, size: int = 160, columns: int = 8, everything: bool = False) -> np.ndarray:
    """The contact sheet, BGR uint8: per layout one row of `columns` photos with their maps."""
    lines, generator = [], torch.Generator().manual_seed(seed)
    for number, layout in enumerate(LAYOUTS):
        # Cut-outs need other photos to be pasted on.
        kept = {layout.__name__, "room"} if layout.__name__ in ("cutout", "pasted") else {layout.__name__}
        world = World(seed, without=tuple(x.__name__ for x in LAYOUTS if x.__name__ not in kept))
        mix = "alone" if layout.__name__ == "alone" else "wide"
        batch = world.expose(number, columns, size, size, mix).developed(generator)
        tiles = []
        for i, rgb in enumerate(batch.rgb):
            tiles.append((rgb.permute(1, 2, 0).flip(-1) * 255).byte().numpy())
            tiles += _pictures(batch.labels, i, everything)
        lines.append(np.hstack(tiles))
    return np.vstack(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.synthetic", description=__doc__)
    parser.add_argument("--sheet", required=True, help="PNG to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--labels", action="store_true", help="all labels, not disparity alone")
    args = parser.parse_args()
    cv2.imwrite(args.sheet, contact_sheet(args.seed, columns=4 if args.labels else 8, everything=args.labels))


if __name__ == "__main__":
    main()
