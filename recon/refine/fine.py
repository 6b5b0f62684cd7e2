"""The fine stage: a signed distance on a lattice of tetrahedra, fitted through the rasteriser.

The surface is never anything but the zero of a function, so that it stays closed and does not cut itself.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from recon.refine.coarse import VIEWS, Coarse
from recon.refine.guidance import Guide, trust
from recon.refine.settings import FineSettings
from recon.refine.target import Target
from recon.render.antialias import antialias
from recon.render.cameras import Pinhole, random_orbits
from recon.render.dmtet import Surface, lattice, march
from recon.render.meshloss import laplacian_loss, normal_loss
from recon.render.raster import interpolate, paint, rasterise
from recon.render.topology import edges_of


class Fine(nn.Module):
    """A mesh as the zero of a signed distance, positive inside."""

    def __init__(self, distance: Float[Tensor, " n"], resolution: int) -> None:
        super().__init__()
        self.resolution = resolution
        self.distance = nn.Parameter(distance.clone())
        self.register_buffer("positions", lattice(resolution), persistent=False)

    def surface(self) -> Surface:
        """The mesh."""
        return march(self.distance, self.positions, self.resolution)  # type: ignore[arg-type]

    @torch.no_grad()
    def view(self, camera: Pinhole, coarse: Coarse) -> Float[Tensor, "h w 3"]:
        """A camera's picture in the field's colours, over white."""
        surface = self.surface()
        edges = edges_of(surface.faces)
        seen = rasterise(surface.vertices, surface.faces, camera.c2w, camera.focal, (camera.height, camera.width))
        return antialias(paint(coarse.colours(interpolate(surface.vertices, seen)), seen, 1.0), seen, edges)

    def loss(
        self, target: Target, guide: Guide, settings: FineSettings, generator: torch.Generator
    ) -> Float[Tensor, ""]:
        """What is wrong with the mesh in the reference view and in one random view of the guide."""
        surface = self.surface()
        edges = edges_of(surface.faces)
        cameras = [target.camera, random_orbits(1, settings.side // 2, VIEWS, generator)[0]]
        wanted = [target.mask, None]
        loss = settings.laplacian * laplacian_loss(surface.vertices, edges) * self.resolution
        loss = loss + settings.normal * normal_loss(surface.vertices, surface.faces, edges)
        for camera, mask in zip(cameras, wanted, strict=True):
            _, shown, depth = guide.view(camera)
            seen = rasterise(surface.vertices, surface.faces, camera.c2w, camera.focal, (camera.height, camera.width))
            layers = torch.stack([torch.ones_like(seen.depth), seen.depth], 1)
            picture = antialias(paint(layers, seen), seen, edges)
            weight = settings.mask if mask is not None else settings.guide * trust(camera)
            loss = loss + weight * (picture[..., 0] - (shown if mask is None else mask)).square().mean()
            both = (shown > 0) & (picture[..., 0].detach() == 1)
            off = (picture[..., 1] - depth)[both].abs()
            share = 1.0 if mask is not None else trust(camera)
            loss = loss + settings.depth * share * off.clamp_max(0.1).sum() / both.numel()
        return loss
