"""The coarse stage: a radiance field that begins as the fast path's solid and is fitted to photo and guidance."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from recon.refinement.guidance.solid import Guidance, Seen, some_pixels, unlike
from recon.refinement.progress import Beat, still
from recon.refinement.reference import Target
from recon.refinement.settings import CoarseSettings
from recon.refinement.solid_prior import Guide
from recon.render.cameras import Pinhole
from recon.render.fields import HashField, VolumePrior
from recon.render.hashgrid import GridShape, fastest_encoder
from recon.render.march import render_rays, render_view
from recon.render.occupancy import Occupancy

SHARPNESS = 50.0
"""The density's logit rises by this per unit of the solid's distance."""
SEEN_AT = math.log(SHARPNESS * math.log(2)) / SHARPNESS
"""Half of the light that comes straight at the prior's surface is stopped this far inside of where its logit is 0."""
BAND = 0.006
"""Distance from the solid's surface within which the field may move it."""


class Coarse(nn.Module):
    """Hash field and occupancy grid of a solid whose signed distance, positive inside, is known on a lattice. It lies where
    the lattice does; random numbers are a CPU's everywhere."""

    def __init__(self, volume: Float[Tensor, "n n n"], settings: CoarseSettings, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        shape = GridShape(levels=settings.levels, base=8, finest=settings.finest, log2_size=16)
        self.grid = fastest_encoder(shape, volume.device, generator)
        prior = VolumePrior.of_distance(volume + SEEN_AT, SHARPNESS)
        self.field = HashField(self.grid, settings.hidden, prior=prior, generator=generator)
        self.occupancy = Occupancy(settings.cells, 2 / (1.5 * settings.cells))
        self.to(volume.device)

    def look(self, beat: Beat = still) -> None:
        """Find out where there is matter; needed before the first step."""
        self.occupancy.fill(_densest(self.field, self.occupancy.cells, beat))

    def groups(self, rate: float) -> list[dict[str, object]]:
        """Parameters with their learning rates."""
        return [
            {"params": list(self.grid.parameters()), "lr": rate},
            {"params": list(self.field.network.parameters()), "lr": 0.1 * rate},
        ]

    def loss(
        self,
        target: Target,
        guide: Guide,
        guidances: Sequence[Guidance],
        settings: CoarseSettings,
        step: int,
        generator: torch.Generator,
    ) -> Float[Tensor, ""]:
        """What is wrong with rays of the reference view, and what the guidance says."""
        if step % 16 == 15:
            self.occupancy.update(self.field.density, step, generator)
        small = target.at(settings.side)
        pixels = some_pixels(small.camera, settings.rays // 2, generator).to(small.photo.device)
        colour, mask, depth = (
            layer.flatten(0, 1)[pixels] for layer in (small.photo, small.mask, guide.view(small.camera)[2])
        )
        loss = settings.colour * unlike(self._seen(small.camera, pixels, generator), colour, mask, depth, settings)
        for guidance in guidances:
            camera, chosen = guidance.draw("coarse", generator)
            seen = self._seen(camera.to(pixels.device), None if chosen is None else chosen.to(pixels.device), generator)
            loss = loss + guidance.loss(seen, step, generator)
        return loss

    def _seen(self, camera: Pinhole, pixels: Int64[Tensor, " n"] | None, generator: torch.Generator) -> Seen:
        ground = torch.rand(1, 3, generator=generator).to(camera.c2w.device)
        rays = camera.rays(pixels)
        seen, _ = render_rays(self.field, rays, self.occupancy, ground, generator=generator)
        return Seen("coarse", camera, pixels, seen.colour, seen.opacity, seen.distance * rays.forward, ground)

    @torch.no_grad()
    def moved(self, distance: Float[Tensor, " n"], points: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """The solid's signed distance at points, moved by what the field has learnt of its density near the surface."""
        near = (distance.abs() < 2 * BAND).nonzero().squeeze(1)
        learnt = torch.cat([self.field.logits(part)[:, 0] for part in points[near].split(1 << 16)])
        share = (2 - distance[near].abs() / BAND).clamp(0, 1)
        return distance.index_add(0, near, share * (learnt / SHARPNESS).clamp(-BAND, BAND))

    @torch.no_grad()
    def colours(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """The field's colours at points."""
        return torch.cat([self.field(part).albedo for part in points.split(1 << 16)])

    def view(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture over white."""
        return render_view(self.field, camera, self.occupancy, torch.ones(3, device=camera.c2w.device)).colour


@torch.no_grad()
def _densest(field: HashField, cells: int, beat: Beat) -> Float[Tensor, "z y x"]:
    """Density of each cell: the largest at its corners and its middle."""
    line = torch.linspace(-1, 1, 2 * cells + 1).to(next(field.parameters()).device)
    slices = []
    for z in line:
        y, x = torch.meshgrid(line, line, indexing="ij")
        slices.append(field.density(torch.stack([x, y, z.expand_as(x)], -1).view(-1, 3)).view(len(line), -1))
        beat()
    volume = torch.stack(slices)[None, None]
    return torch.nn.functional.max_pool3d(volume, 3, 2)[0, 0]
