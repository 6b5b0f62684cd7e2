"""Cut-outs on backdrops, and the focus of the lens: what happens to rendered pictures before they are developed."""

from __future__ import annotations

import math
from random import Random

import torch
from torch import Tensor
from torch.nn import functional as F

from .render import RenderedPhotos
from .scene import Backdrop, Scene

# A backdrop lies this much farther than the subject's farthest point, a pasted scene at least.
BEHIND = 1.25
FLAT = 2.5
# Linear light of what a meter takes for normal.
MIDDLE_GREY = 0.18


def _gradient(backdrop: Backdrop, like: Tensor) -> Tensor:
    """Colours (3, H, W) running from a to b along the backdrop's angle, for a picture of the same shape."""
    height, width = like.shape[-2:]
    y = torch.linspace(-1, 1, height, device=like.device)[:, None]
    x = torch.linspace(-1, 1, width, device=like.device)[None]
    along = ((x * math.cos(backdrop.angle) + y * math.sin(backdrop.angle)) / 2 + 0.5).clamp(0, 1)
    return torch.lerp(*(like.new_tensor(c)[:, None, None] for c in (backdrop.a, backdrop.b)), along)  # type: ignore[call-overload]


def pasted(scenes: list[Scene], pictures: RenderedPhotos, r: Random) -> RenderedPhotos:
    """Cut-outs with their backdrops put in: a gradient on a far plane, or another picture of the batch, mirrored or not,
    moved back so that it lies behind the subject."""
    donors = [i for i, s in enumerate(scenes) if s.backdrop is None and not any(p.subject for p in s.primitives)]
    colour, disparity, normals = (pictures.colour.clone(), pictures.disparity.clone(), pictures.normals.clone())
    behind = None if pictures.back_colour is None else pictures.back_colour.clone()
    for i, scene in enumerate(scenes):
        backdrop = scene.backdrop
        if backdrop is None:
            continue
        hit = pictures.disparity[i] > 0
        nearest_back = float(pictures.disparity[i][hit].min()) if hit.any() else 1.0
        if backdrop.scene and donors:
            donor = r.choice(donors)
            paper, far, turned = (x[donor] for x in (pictures.colour, pictures.disparity, pictures.normals))
            if r.random() < 0.5:
                paper, far = paper.flip(-1), far.flip(-1)
                turned = turned.flip(-1) * turned.new_tensor([-1, 1, 1])[:, None, None]
            far = far * min(1.0, nearest_back / BEHIND / max(float(far.max()), 1e-6))
        else:
            paper = _gradient(backdrop, colour[i])
            if backdrop.metered and hit.any():
                paper = paper * (float(colour[i][:, hit[0]].mean()) / MIDDLE_GREY)
            far = torch.full_like(disparity[i], nearest_back / FLAT)
            turned = torch.zeros_like(normals[i])
            turned[2] = -1
        # The thing was photographed by another camera, in other light.
        stops = r.gauss(0, 0.7)
        gain = colour.new_tensor([2 ** (stops + r.gauss(0, 0.15)) for _ in range(3)])[:, None, None]
        colour[i] = torch.where(hit, colour[i] * gain, paper)
        if behind is not None:
            behind[i] *= gain
        disparity[i] = torch.where(hit, disparity[i], far)
        normals[i] = torch.where(hit, normals[i], turned)
    return pictures._replace(colour=colour, disparity=disparity, normals=normals, back_colour=behind)


def focused(pictures: RenderedPhotos, generator: torch.Generator, share: float = 0.25) -> RenderedPhotos:
    """A share of the pictures taken with an open aperture: blur grows with the distance in disparity from the plane in
    focus (the circle of confusion is linear in disparity)."""
    count = len(pictures.colour)
    draw = torch.rand(4, count, generator=generator, device=pictures.colour.device)
    height, width = pictures.disparity.shape[-2:]
    row = ((0.3 + 0.5 * draw[0]) * height).long()
    column = ((0.3 + 0.4 * draw[1]) * width).long()
    disparity = pictures.disparity
    focus = disparity[torch.arange(count), 0, row, column].view(-1, 1, 1, 1)
    spread = disparity.flatten(1).amax(1).view(-1, 1, 1, 1).clamp_min(1e-6)
    strength = torch.where(draw[2] < share, 1 + 3 * draw[3], 0.0).view(-1, 1, 1, 1)
    circle = (disparity - focus).abs() / spread * strength
    soft = F.avg_pool2d(F.pad(pictures.colour, (1, 1, 1, 1), mode="replicate"), 3, 1)
    softer = F.avg_pool2d(F.pad(soft, (2, 2, 2, 2), mode="replicate"), 5, 1)
    image = torch.lerp(pictures.colour, soft, circle.clamp(0, 1))
    return pictures._replace(colour=torch.lerp(image, softer, (circle - 1).clamp(0, 1)))
