"""A triplane as a field of `recon.render`: three planes of features and a decoder.

Axes: the world is that of `recon.render.cameras` (x right, y down, z away from the photo's camera), its cube from −1 to 1
being TripoSR's from −radius to radius, whose axes point towards the viewer, to the right and up.
"""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from recon.render.fields import Field

DENSITY_LEVEL = 25.0
"""Where TripoSR sees the surface, in its own density's unit."""
PER_CROSSING = math.log(2)
"""TripoSR's density is per crossing of the cube, whatever its length (its renderer's steps are parts of a ray's way): here
per unit of length, of which a crossing along an axis has two."""
CHUNK = 65_536
"""Points that are looked up at once without gradients."""


class TriplaneField(Field):
    """Density and colour of a triplane. level: the density's logit on the surface; chunk: points looked up at once."""

    planes: Tensor
    chunk = CHUNK
    level = math.log(DENSITY_LEVEL) - PER_CROSSING

    def __init__(self, planes: Float[Tensor, "3 c p p"], decoder: nn.Module, density_bias: float) -> None:
        super().__init__()
        self.register_buffer("planes", planes)
        self.decoder = decoder
        self.density_bias = density_bias

    @property
    def device(self) -> torch.device:
        """Where its tensors lie."""
        return self.planes.device

    def logits(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, "n 4"]:
        """The density's logit and three colour logits."""
        if torch.is_grad_enabled() or len(x) <= self.chunk:
            return self._decoded(x)
        return torch.cat([self._decoded(part) for part in x.split(self.chunk)])

    def _decoded(self, x: Tensor) -> Tensor:
        raw = self.decoder(self._features(x))
        shift = self.density_bias - PER_CROSSING
        return raw + raw.new_tensor([shift, 0, 0, 0])

    def _features(self, x: Tensor) -> Tensor:
        """Bilinear features of the three planes, 0 beyond their edges, side by side."""
        towards, right, up = -x[:, 2], x[:, 0], -x[:, 1]
        pairs = ((towards, right), (towards, up), (right, up))
        places = torch.stack([torch.stack(pair, 1) for pair in pairs])[:, None]
        found = F.grid_sample(self.planes, places, mode="bilinear", align_corners=False)
        return found[:, :, 0].permute(2, 0, 1).flatten(1)
