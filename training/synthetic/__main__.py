"""`python -m training.synthetic --sheet out.png [--seed N]`: the world to look at, a row per layout.

Photos beside disparity; with --labels a photo is followed by normals, the subject's front and back relief too. With
`--mix alone` single things: photo, the colour of the far side, front, back, normals.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
import torch

from recon.geometry.cutout import GROUND

from . import World
from .labels import Labels
from .layouts import LAYOUTS, UNSEEN


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


def things_sheet(seed: int, size: int = 160, rows: int = 8, across: int = 2) -> np.ndarray:
    """The contact sheet of things alone, BGR uint8: `across` things in a row, each with all its maps, on the plain ground
    that the network sees."""
    batch = World(seed).expose(0, rows * across, size, size, "alone").developed(torch.Generator().manual_seed(seed))
    labels, tiles = batch.labels, []
    assert labels.back_colour is not None
    for i in range(rows * across):
        pictures = (batch.rgb[i], labels.back_colour[i])
        shown = [torch.where(labels.subject[i] > 0, x, GROUND / 255).permute(1, 2, 0).flip(-1) for x in pictures]
        _, normals, *reliefs = _pictures(labels, i, everything=True)
        tiles.append(np.hstack([*((255 * x).byte().numpy() for x in shown), *reliefs, normals]))
    return np.vstack([np.hstack(tiles[i : i + across]) for i in range(0, len(tiles), across)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.synthetic", description=__doc__)
    parser.add_argument("--sheet", required=True, help="PNG to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--labels", action="store_true", help="all labels, not disparity alone")
    parser.add_argument("--mix", choices=UNSEEN, help="single things with their far sides")
    args = parser.parse_args()
    if args.mix:
        sheet = things_sheet(args.seed)
    else:
        sheet = contact_sheet(args.seed, columns=4 if args.labels else 8, everything=args.labels)
    cv2.imwrite(args.sheet, sheet)


if __name__ == "__main__":
    main()
