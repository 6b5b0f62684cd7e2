"""What the side of a subject that nobody has photographed may look like: its photo, mirrored and with fewer details.

A car or a horse that is seen from its side looks like that from the other one. What is seen from the front is mostly its
own mirror image, and has another back: the colours of the near side in the same places, and seldom its eyes. A median takes
details away and leaves the edges of what is larger; a Gaussian would leave fog.
"""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from recon.refinement.reference import Reference

SIDEWAYS, FRONTAL = (0.02, 0.02), (0.4, 0.06)
"""Width and height of the median's window over the root of the subject's area, for things seen from the side and from the
front: a burger keeps its layers and a bear loses its eyes. What is up to half as large goes."""
LOPSIDED, SYMMETRIC = 0.75, 0.9
"""Overlap of a silhouette with its mirror image: up to this from the side, from that on from the front."""


def plain_photo(reference: Reference) -> Float[Tensor, "s s 3"]:
    """The photo with fewer details, its subject's colours also beyond its rim; in 0..1."""
    inside = (reference.mask > 0.5).cpu().numpy()
    picture = (255 * reference.photo).round().byte().cpu().numpy()
    width, height = _window(inside) * np.sqrt(max(inside.sum(), 1))
    plain = _median(picture, width, height)
    return torch.from_numpy(plain.astype(np.float32) / 255).to(reference.photo)


def colours_through(
    picture: Float[Tensor, "s s 3"], reference: Reference, points: Float[Tensor, "n 3"]
) -> Float[Tensor, "n 3"]:
    """A picture's colours at points where the reference's camera would see them if nothing were before them."""
    places = reference.camera.project(points)[:, :2] * (2 / reference.camera.width) - 1
    layers = picture.permute(2, 0, 1)[None]
    return F.grid_sample(layers, places[None, None], padding_mode="border", align_corners=False)[0, :, 0].T.contiguous()


def _median(picture: UInt8[ndarray, "s s 3"], width: float, height: float) -> UInt8[ndarray, "s s 3"]:
    """The median of each channel in a window of so many pixels: the picture is narrowed until it is a square one."""
    side = int(height) // 2 * 2 + 1
    if side < 3:
        return picture
    size = picture.shape[1], picture.shape[0]
    narrow = cv2.resize(picture, (max(1, round(size[0] * height / width)), size[1]), interpolation=cv2.INTER_AREA)
    wide = cv2.resize(cv2.medianBlur(narrow, side), size, interpolation=cv2.INTER_LINEAR)
    return cv2.GaussianBlur(wide, (0, 0), max(side / 12, 0.5))  # its own jags


def _window(inside: Bool[ndarray, "s s"]) -> Float64[ndarray, " 2"]:
    """The window for a silhouette: the larger, the more it is its own mirror image about the middle of its box."""
    columns = np.flatnonzero(inside.any(0))
    if not len(columns):
        return np.array(FRONTAL)
    box = inside[:, columns[0] : columns[-1] + 1]
    overlap = (box & box[:, ::-1]).sum() / (box | box[:, ::-1]).sum()
    share = np.clip((overlap - LOPSIDED) / (SYMMETRIC - LOPSIDED), 0, 1)
    return (1 - share) * np.array(SIDEWAYS) + share * np.array(FRONTAL)
