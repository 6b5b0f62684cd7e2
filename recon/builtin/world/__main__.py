"""`python -m recon.builtin.world --sheet out.png [--seed N]`: photos beside disparity, a row of eight per layout."""

from __future__ import annotations

import argparse
from random import Random

import cv2
import numpy as np
import torch

from .layouts import LAYOUTS
from .photo import develop
from .render import pack, render
from .textures import make_bank


def sheet(seed: int, size: int = 160, columns: int = 8) -> np.ndarray:
    """The contact sheet, BGR uint8: per layout one row of `columns` pairs."""
    bank, generator, lines = make_bank(seed), torch.Generator().manual_seed(seed), []
    for number, (layout, _) in enumerate(LAYOUTS):
        random = Random(seed * 1000 + number)
        packed = pack([layout(random) for _ in range(columns)], size, size)
        linear, disparity = render(packed, bank, size, size, generator)
        photos = (develop(linear, generator).permute(0, 2, 3, 1).flip(-1) * 255).byte().numpy()
        tiles = []
        for photo, d in zip(photos, disparity[:, 0].numpy(), strict=True):
            level = (255 * np.clip(d / np.percentile(d, 99), 0, 1)).astype(np.uint8)
            tiles += [photo, cv2.applyColorMap(level, cv2.COLORMAP_INFERNO)]
        lines.append(np.hstack(tiles))
    return np.vstack(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m recon.builtin.world", description=__doc__)
    parser.add_argument("--sheet", required=True, help="PNG to write")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    cv2.imwrite(args.sheet, sheet(args.seed))


if __name__ == "__main__":
    main()
