"""Flat pictures to paste things on: real photos that anybody may use, and dead leaves.

Dead leaves are shapes of all sizes that hide one another, as things in photos do (Lee, Mumford and Huang 2001). The photos
are the samples that come with Unflat (see samples/CREDITS.md). Colours are linear RGB (3, H, W).
"""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from random import Random

import cv2
import torch
from torch import Tensor
from torch.nn import functional as F

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
LEAVES = 80


@cache
def _photos() -> list[Tensor]:
    """The sample photos, linear, at most 320 pixels wide."""
    found = []
    for path in sorted(SAMPLES.glob("*.jpg")):
        photo = cv2.imread(str(path))[..., ::-1]
        photo = cv2.resize(photo, (320, round(320 * photo.shape[0] / photo.shape[1])), interpolation=cv2.INTER_AREA)
        found.append((torch.from_numpy(photo.copy()).permute(2, 0, 1).float() / 255).pow(2.2))
    return found


def photo(r: Random, height: int, width: int) -> Tensor:
    """A part of a photo, mirrored or not, its colour channels in any order and of any strength."""
    whole = r.choice(_photos())
    share = r.uniform(0.3, 1.0) * min(whole.shape[1] / height, whole.shape[2] / width)
    rows, columns = max(8, int(height * share)), max(8, int(width * share))
    top, left = r.randrange(whole.shape[1] - rows + 1), r.randrange(whole.shape[2] - columns + 1)
    part = whole[:, top : top + rows, left : left + columns]
    part = F.interpolate(part[None], size=(height, width), mode="bilinear", antialias=True, align_corners=False)[0]
    part = part.flip(-1) if r.random() < 0.5 else part
    part = part[r.sample(range(3), 3)] if r.random() < 0.4 else part
    return part.pow(r.uniform(0.7, 1.4)) * r.uniform(0.6, 1.3)


def dead_leaves(r: Random, height: int, width: int) -> Tensor:
    """Ellipses and turned boxes of all sizes alike, each of one colour, shaded and grained."""
    y, x = torch.meshgrid(torch.arange(height) - height / 2, torch.arange(width) - width / 2, indexing="ij")
    picture = torch.full((3, height, width), 0.3)
    palette = [[r.random() ** 2 for _ in range(3)] for _ in range(r.randrange(3, 9))]
    grain = torch.randn(1, 1, height, width, generator=torch.Generator().manual_seed(r.getrandbits(32)))
    grain = F.avg_pool2d(F.pad(grain, (1, 1, 1, 1), mode="replicate"), 3, 1)[0, 0]
    smallest, largest = 0.03 * width, 0.45 * width
    for _ in range(LEAVES):
        size = smallest * (largest / smallest) ** r.random()
        angle, aspect = r.uniform(0, math.pi), r.uniform(0.4, 1)
        dx, dy = x - r.uniform(-0.5, 0.5) * width, y - r.uniform(-0.5, 0.5) * height
        a = (dx * math.cos(angle) + dy * math.sin(angle)) / size
        b = (dy * math.cos(angle) - dx * math.sin(angle)) / (size * aspect)
        inside = (a * a + b * b < 1) if r.random() < 0.5 else (torch.maximum(a.abs(), b.abs()) < 1)
        colour = picture.new_tensor(r.choice(palette)) * r.uniform(0.5, 1.5)
        shade = (1 + r.uniform(-0.4, 0.4) * a + r.uniform(0, 0.5) * grain).clamp_min(0)
        picture = torch.where(inside, colour[:, None, None] * shade, picture)
    return picture
