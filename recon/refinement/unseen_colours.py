"""What the side of a subject that nobody has photographed may look like: its photo, mirrored and with fewer details.

A car or a horse that is seen from its side looks like that from the other one. What is seen from the front is mostly its
own mirror image, and has another back: the colours of the near side in the same places, and seldom its eyes. A median takes
details away and leaves the edges of what is larger; a Gaussian would leave fog.
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from recon.refinement.reference import Reference
from recon.stages.far_side import without_details


def plain_photo(reference: Reference) -> Float[Tensor, "s s 3"]:
    """The photo with fewer details, its subject's colours also beyond its rim; in 0..1."""
    inside = (reference.mask > 0.5).cpu().numpy()
    picture = (255 * reference.photo).round().byte().cpu().numpy()
    return torch.from_numpy(without_details(picture, inside).astype(np.float32) / 255).to(reference.photo)


def colours_through(
    picture: Float[Tensor, "s s 3"], reference: Reference, points: Float[Tensor, "n 3"]
) -> Float[Tensor, "n 3"]:
    """A picture's colours at points where the reference's camera would see them if nothing were before them."""
    places = reference.camera.project(points)[:, :2] * (2 / reference.camera.width) - 1
    layers = picture.permute(2, 0, 1)[None]
    return F.grid_sample(layers, places[None, None], padding_mode="border", align_corners=False)[0, :, 0].T.contiguous()
