"""Things pasted on scenes while training: every time a picture is used it can meet another background, for nothing.

Pictures are linear colour (B, 3, H, W) with labels, before they are developed.
"""

from __future__ import annotations

import math
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from .labels import Labels

if TYPE_CHECKING:
    from . import Exposure

# A background's nearest point lies this much farther than the subject's farthest.
BEHIND = 1.25
# Subjects of this share of a picture are pasted.
LEAST, MOST = 0.03, 0.6
# Of the scenes that were drawn, this share stays a scene.
KEPT = 0.5
# The thing was photographed by another camera: spread of its exposure and of its colours, in stops.
STOPS, CAST = 0.7, 0.15


def _areas(pictures: Exposure) -> list[float]:
    """The subject's share of each picture."""
    areas: list[float] = pictures.labels.subject.mean((1, 2, 3)).tolist()
    return areas


def pasteable(pictures: Exposure) -> list[int]:
    """The pictures whose subjects can be pasted on others: neither tiny nor nearly everything."""
    return [i for i, part in enumerate(_areas(pictures)) if LEAST < part < MOST]


def overlaid(pictures: Exposure, r: Random, share: float) -> Exposure:
    """Subjects of the batch laid over the batch's scenes: about `share` of the pictures with a subject get a scene behind
    it, half as many scenes get a subject before them."""
    area, things = _areas(pictures), pasteable(pictures)
    scenes = [i for i, part in enumerate(area) if part == 0]
    if not scenes or not things:
        return pictures
    colour = pictures.linear.clone()
    maps = {name: values.clone() for name, values in pictures.labels.maps().items()}
    for i in range(len(area)):
        drawn, kept = r.random() < share, r.random() < KEPT
        thing = i if i in things else r.choice(things)
        if not drawn or (i in scenes and kept) or not (i in scenes or i in things):
            continue
        picture = _overlaid(pictures, thing, r.choice(scenes), r)
        colour[i] = picture.linear[0]
        for name, values in picture.labels.maps().items():
            maps[name][i] = values[0]
    return replace(pictures, linear=colour, labels=Labels(**maps))


def _overlaid(pictures: Exposure, thing: int, scene: int, r: Random) -> Exposure:
    """One picture: the subject of picture `thing` before picture `scene`, which is moved behind it."""
    scene_at, thing_at = [scene], [thing]
    flip = torch.tensor([r.random() < 0.5], device=pictures.linear.device)
    behind, front = pictures.labels[scene_at].mirrored(flip), pictures.labels[thing_at]
    paper = pictures.linear[scene_at].flip(-1) if flip else pictures.linear[scene_at]
    light, inside = pictures.linear[thing_at], front.subject > 0
    gain = matching_gain(light, inside, paper, r)
    composite = laid_over(light * gain, front.subject, paper, r)
    farthest = float(front.disparity[inside].min())
    far = behind.disparity * min(1.0, farthest / BEHIND / max(float(behind.disparity.max()), 1e-6))
    disparity = torch.where(inside, front.disparity, far)
    if front.back_colour is not None:
        front = replace(front, back_colour=front.back_colour * gain)
    labels = replace(
        front,
        disparity=disparity,
        sky=torch.where(inside, 0.0, behind.sky),
        normals=torch.where(inside, front.normals, behind.normals),
        distance=torch.full_like(front.distance, math.nan),
    )
    return replace(pictures, linear=composite, labels=labels)


def matching_gain(light: Tensor, inside: Tensor, paper: Tensor, r: Random) -> Tensor:
    """What another camera makes of the thing `inside` (1, 1, H, W) a picture (1, 3, H, W): factors (1, 3, 1, 1) that bring
    it to the mean of the paper it is pasted on, with another exposure and cast."""
    gain = light.new_tensor([2 ** (r.gauss(0, STOPS) + r.gauss(0, CAST)) for _ in range(3)]).view(1, 3, 1, 1)
    return gain * paper.mean() / light[inside.expand_as(light)].mean().clamp_min(1e-4)


def laid_over(light: Tensor, mask: Tensor, paper: Tensor, r: Random) -> Tensor:
    """A thing (1, 3, H, W) over a paper by its mask (1, 1, H, W): its edge soft or not, the paper sharp or not."""
    alpha = 0.5 * mask + 0.5 * _box_blur(mask, 3) if r.random() < 0.6 else mask
    if r.random() < 0.3:
        paper = _box_blur(paper, r.choice((3, 5)))
    return light * alpha + paper * (1 - alpha)


def _box_blur(image: Tensor, side: int) -> Tensor:
    """Mean over side x side pixels, edges repeated."""
    return F.avg_pool2d(F.pad(image, (side // 2,) * 4, mode="replicate"), side, 1)
