"""What the side of a subject that nobody has photographed may look like: the fast path's far side (stages.far_side), laid
on whatever shape the subject has become.

A picture that is projected onto a face which it meets aslant is stretched, and its details become streaks. So it is taken
there from a copy that is blurred by as much as it is stretched, and what is as wide as it is long is no streak: mip mapping
(Williams 1983, "Pyramidal parametrics"), with the stretch for the footprint.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from recon.refinement.reference import Reference

LEVELS = 6
"""Copies of the picture; each is for twice the stretch of the one before, the last for all beyond 32."""


@dataclass(frozen=True)
class Unseen:
    """A picture for what the reference camera does not see. levels: its copies, the more blurred the later."""

    reference: Reference
    levels: Float[Tensor, "1 3 k s s"]

    @classmethod
    def of(cls, reference: Reference) -> Unseen:
        """Of the far side's picture."""
        picture = reference.far.cpu().numpy()
        blurred = [cv2.GaussianBlur(picture, (0, 0), 2.0**level / 2) for level in range(1, LEVELS)]
        levels = torch.from_numpy(np.stack([picture, *blurred])).to(reference.photo)
        return cls(reference, levels.permute(3, 0, 1, 2)[None].contiguous())

    def at(self, points: Float[Tensor, "n 3"], normals: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Colours at points of a surface whose normals these are, not all of length 1."""
        camera = self.reference.camera
        places = camera.project(points)[:, :2] * (2 / camera.width) - 1
        cosine = F.cosine_similarity(points - camera.position, normals, dim=1).abs()
        level = -cosine.clamp_min(2.0 ** (1 - LEVELS)).log2()
        level = (2 * level + 1) / LEVELS - 1
        where = torch.cat([places, level[:, None]], 1)[None, None, None]
        found = F.grid_sample(self.levels, where, padding_mode="border", align_corners=False)
        return found[0, :, 0, 0].T.contiguous()
