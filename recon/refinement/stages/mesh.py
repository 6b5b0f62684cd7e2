"""The fine stage: a signed distance on a lattice of tetrahedra, fitted through the rasteriser.

The surface is never anything but the zero of a function, so that it stays closed and does not cut itself. What is fitted is
an offset on a coarser grid: Adam moves everything that it is given about as far, and where that were the lattice's own
vertices, each would go its own way and the surface would become terraces of a cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from recon.refinement.guidance.solid import Guidance, Seen, off_depth
from recon.refinement.reference import Target
from recon.refinement.settings import FineSettings
from recon.refinement.solid_prior import Guide
from recon.refinement.stages.radiance_field import Coarse
from recon.render.antialias import antialias
from recon.render.cameras import Pinhole
from recon.render.dmtet import LatticeSurface, marching_tetrahedra, on_border, tetrahedral_lattice
from recon.render.meshloss import normal_loss
from recon.render.raster import interpolate, rasterise, scatter
from recon.render.topology import Edges, edges_of

COARSER = 2
"""Cells of the lattice along an axis in one of the offset's grid."""


class Fine(nn.Module):
    """A mesh as the zero of a signed distance, positive inside: `distance`, as it began, and `offset` [z, y, x] laid over
    it, which is fitted; least: what their sum may not fall below, no bound if None."""

    distance: Tensor
    least: Tensor
    positions: Tensor

    def __init__(
        self, distance: Float[Tensor, " n"], resolution: int, least: Float[Tensor, " n"] | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("distance", distance.clone())
        self.register_buffer("least", torch.full_like(distance, -torch.inf) if least is None else least)
        self.resolution = resolution
        nodes = (resolution // COARSER + 1,) * 3
        self.offset = nn.Parameter(torch.zeros(nodes, device=distance.device))
        self.register_buffer("positions", tetrahedral_lattice(resolution).to(distance.device), persistent=False)

    def total(self) -> Float[Tensor, " n"]:
        """The signed distance as it is now, at the lattice's vertices."""
        places = self.positions[None, None, None]
        moved = F.grid_sample(self.offset[None, None], places, padding_mode="border", align_corners=True)
        return torch.maximum(self.distance + moved.flatten(), self.least)

    def surface(self) -> LatticeSurface:
        """The mesh."""
        return marching_tetrahedra(self.total(), self.positions, self.resolution)

    @torch.no_grad()
    def final(self, apart: float = 1e-3) -> LatticeSurface:
        """The mesh with no two vertices in one place: the surface keeps `apart` of a cube's edge from the lattice's own
        vertices, where it would shrink faces to points."""
        least = apart * 2 / self.resolution
        distance = self.total()
        inside = (distance > 0) & ~on_border(self.resolution).to(distance.device)
        distance = torch.where(inside, distance.clamp_min(least), distance.clamp_max(-least))
        return marching_tetrahedra(distance, self.positions, self.resolution)

    @torch.no_grad()
    def view(self, camera: Pinhole, coarse: Coarse) -> Float[Tensor, "h w 3"]:
        """A camera's picture in the field's colours, over white."""
        surface = self.surface()
        edges = edges_of(surface.faces)
        seen = rasterise(surface.vertices, surface.faces, camera.c2w, camera.focal, (camera.height, camera.width))
        return antialias(scatter(coarse.colours(interpolate(surface.vertices, seen)), seen, 1.0), seen, edges)

    def loss(
        self,
        target: Target,
        guide: Guide,
        guidances: Sequence[Guidance],
        coarse: Coarse,
        settings: FineSettings,
        step: int,
        generator: torch.Generator,
    ) -> Float[Tensor, ""]:
        """What is wrong with the mesh in the reference view, and what the guidance says."""
        surface = self.surface()
        edges = edges_of(surface.faces)
        loss = settings.normal * normal_loss(surface.vertices, surface.faces, edges)
        seen = _seen(surface, edges, target.camera, None)
        _, shown, depth = (layer.flatten(0, 1) for layer in guide.view(target.camera))
        loss = loss + settings.mask * (seen.opacity - target.mask.flatten()).square().mean()
        loss = loss + settings.depth * off_depth(seen, shown, depth)
        for guidance in guidances:
            camera, pixels = guidance.draw("fine", generator)
            assert pixels is None, "a mesh is shown whole"
            camera = camera.to(target.photo.device)
            seen = _seen(surface, edges, camera, coarse if guidance.coloured else None)
            loss = loss + guidance.loss(seen, step, generator)
        return loss


def _seen(surface: LatticeSurface, edges: Edges, camera: Pinhole, colours: Coarse | None) -> Seen:
    """A camera's antialiased picture of the mesh, over white where it has colours."""
    seen = rasterise(surface.vertices, surface.faces, camera.c2w, camera.focal, (camera.height, camera.width))
    layers = torch.stack([torch.ones_like(seen.depth), seen.depth], 1)
    picture = antialias(scatter(layers, seen), seen, edges).flatten(0, 1)
    colour = None
    if colours is not None:
        shown = scatter(colours.colours(interpolate(surface.vertices, seen)), seen, 1.0)
        colour = antialias(shown, seen, edges).flatten(0, 1)
    ground = torch.ones(1, 3, device=camera.c2w.device)
    return Seen("fine", camera, None, colour, picture[:, 0], picture[:, 1], ground)
