"""What a run without a photo begins with: a soft ball of matter that has no surface yet.

Magic3D's (Lin et al. 2023), whose density's logit falls in a straight line from the middle, where every camera looks: what
guides the run has something to carve, and beyond the ball there is no fog to be cleared away first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

from recon.refinement.progress import Heartbeat, no_heartbeat
from recon.render.cameras import Pinhole
from recon.render.dmtet import apart_from_lattice, marching_tetrahedra, tetrahedral_lattice
from recon.render.fields import Blob

CELLS = 32
"""Of the lattice that the ball is marched on, along an axis."""
Triangles = tuple[Float[Tensor, "v 3"], Int64[Tensor, "f 3"]]


@dataclass(frozen=True)
class BlobPrior:
    """strength: the density's logit in the middle; spread: where it has fallen to 0, in radii."""

    strength: float = 10.0
    spread: float = 0.5

    def to(self, device: torch.device | str) -> BlobPrior:
        """A ball is the same everywhere."""
        return self

    def identity(self) -> Sequence[Shaped[Tensor, "*size"]]:
        """Its two numbers."""
        return (torch.tensor([self.strength, self.spread]),)

    def prior(self, cells: int, heartbeat: Heartbeat = no_heartbeat) -> nn.Module:
        """The cone."""
        return Blob(self.strength, self.spread)

    def empty_prior(self, cells: int) -> nn.Module:
        """The same: it has nothing that is saved."""
        return Blob(self.strength, self.spread)

    def triangles(self) -> Triangles:
        """The ball where the logit is 0."""
        places = tetrahedral_lattice(CELLS)
        distance = apart_from_lattice(self.spread - places.norm(dim=1), CELLS)
        found = marching_tetrahedra(distance, places, CELLS)
        return found.vertices, found.faces

    def colours_at(self, vertices: Float[Tensor, "v 3"], heartbeat: Heartbeat = no_heartbeat) -> Float[Tensor, "v 3"]:
        """Grey."""
        return torch.full_like(vertices, 0.5)

    def depth(self, camera: Pinhole) -> Float[Tensor, "h w"]:
        """Nothing is known of it."""
        return torch.zeros(camera.height, camera.width, device=camera.c2w.device)
