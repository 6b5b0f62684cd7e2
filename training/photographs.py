"""Real photographs as grounds, for the subject's mask only: the synthetic world lacks most how everything else looks.

Some pictures of a batch are replaced by a crop of a photograph, mostly with a synthetic subject of the batch pasted on it,
the others bare: scenes whose subject is nothing. The mask is exact; depth, sky, normals and field of view of a photograph
are not known, which its labels say by a field of view that is not a number (see losses.loss_parts). Pictures are linear
colour (B, 3, H, W) before they are developed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from .synthetic import Exposure
from .synthetic.overlay import laid_over, matching_gain, pasteable

# Share of the pictures that become photographs, and of those the share that gets a subject.
SHARE, WITH_SUBJECT = 0.15, 2 / 3
# A crop's longer side is this part of the photograph's, at least, and is enlarged this much, at most.
SMALLEST_CROP, ENLARGED = 1 / 3, 1.5
# The subject's size in parts of what it was; the least part of its height and width that stays in the picture; and of the
# picture that it covers, or it would be no subject.
SMALLER, LARGER, INSIDE, LEAST = 0.5, 1.3, 0.8, 0.02
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")


def read_photographs(folder: Path) -> list[np.ndarray]:
    """All photographs of a folder by their names' order, (H, W, 3) uint8, sRGB; raises ValueError where there are none."""
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in ENDINGS) if folder.is_dir() else []
    images = [cv2.imread(str(path), cv2.IMREAD_COLOR) for path in paths]
    found = [np.ascontiguousarray(image[..., ::-1]) for image in images if image is not None]
    if not found:
        raise ValueError(f"no photographs in {folder}: give a folder with {', '.join(ENDINGS)} files")
    return found


def decoded(srgb: Tensor) -> Tensor:
    """Linear light of sRGB values in [0, 1] (IEC 61966-2-1)."""
    return torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055).clamp_min(0) ** 2.4)


def crop(photograph: np.ndarray, height: int, width: int, r: Random) -> Tensor:
    """A random part of a photograph (H, W, 3) in this format and size, (3, height, width) linear, mirrored or not: any
    scale from the whole to a third, as long as it is not enlarged too much."""
    tall, wide = photograph.shape[:2]
    whole = min(tall / height, wide / width)
    scale = whole * max(r.uniform(SMALLEST_CROP, 1), min(1.0, 1 / (ENLARGED * whole)))
    rows, columns = max(1, round(scale * height)), max(1, round(scale * width))
    top, left = r.randint(0, max(0, tall - rows)), r.randint(0, max(0, wide - columns))
    part = photograph[top : top + rows, left : left + columns]
    if r.random() < 0.5:
        part = part[:, ::-1]
    light = decoded(torch.from_numpy(part.copy()).permute(2, 0, 1)[None].float() / 255)
    return F.interpolate(light, (height, width), mode="bilinear", antialias=True)[0]


def with_photographs(pictures: Exposure, photographs: list[np.ndarray], r: Random) -> Exposure:
    """Some of the pictures, never all, replaced by photographs with and without subjects of the batch."""
    things, (count, _, height, width) = pasteable(pictures), pictures.linear.shape
    chosen = [i for i in range(count) if r.random() < SHARE][: count - 1]
    colour = pictures.linear.clone()
    maps = {name: values.clone() for name, values in pictures.labels.maps().items()}
    for i in chosen:
        ground = crop(r.choice(photographs), height, width, r).to(colour)
        mask = torch.zeros_like(ground[:1])
        if things and r.random() < WITH_SUBJECT:
            ground, mask = _pasted(pictures, r.choice(things), ground, r)
        colour[i] = ground
        for name, values in maps.items():
            values[i] = math.nan if name in ("fov", "distance") else 0
        maps["subject"][i] = mask
    return Exposure(colour, replace(pictures.labels, **maps))


def _pasted(pictures: Exposure, thing: int, ground: Tensor, r: Random) -> tuple[Tensor, Tensor]:
    """The subject of picture `thing`, moved, scaled, mirrored or not, before a ground (3, H, W), and its mask."""
    light, mask = _moved(pictures.linear[thing], pictures.labels.subject[thing], r)
    light, inside, paper = light[None], mask[None], ground[None]
    return laid_over(light * matching_gain(light, inside > 0, paper, r), inside, paper, r)[0], mask


def _moved(light: Tensor, mask: Tensor, r: Random) -> tuple[Tensor, Tensor]:
    """Colour (3, H, W) and mask (1, H, W) scaled, moved and mirrored at random, most of the subject staying inside. One
    that its picture cuts off is mirrored only: elsewhere the cut would show."""
    height, width = mask.shape[-2:]
    rows, columns = mask[0].nonzero().unbind(1)
    low = torch.stack([columns.min(), rows.min()]).to(light.dtype)
    high = torch.stack([columns.max(), rows.max()]).to(light.dtype) + 1
    size, turn = light.new_tensor([width, height]), light.new_tensor([r.choice((-1.0, 1.0)), 1.0])
    old = new = size / 2
    zoom = 1.0
    if bool((low > 0).all() and (high < size).all()):
        least = math.sqrt(LEAST / float(mask.mean()))
        zoom = max(least, min(r.uniform(SMALLER, LARGER), float((size / (high - low)).min())))
        room = (size / 2 - (INSIDE - 0.5) * zoom * (high - low)).clamp_min(0)
        old, new = (low + high) / 2, size / 2 + room * light.new_tensor([r.uniform(-1, 1), r.uniform(-1, 1)])
    y, x = torch.meshgrid(*(torch.arange(n, device=light.device) + 0.5 for n in (height, width)), indexing="ij")
    source = (torch.stack([x, y], -1) - new) * turn / zoom + old
    grid = (2 * source / size - 1)[None]
    colour = F.grid_sample(light[None], grid, mode="bilinear", padding_mode="border", align_corners=False)[0]
    moved = F.grid_sample(mask[None], grid, mode="nearest", padding_mode="zeros", align_corners=False)[0]
    return colour, moved
