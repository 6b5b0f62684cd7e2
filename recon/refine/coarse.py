"""The coarse stage: a radiance field that begins as the fast path's solid and is fitted to photo and guide."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from recon.refine.guidance import Guide, trust
from recon.refine.settings import CoarseSettings
from recon.refine.target import Target
from recon.render.cameras import Orbits, Pinhole, Rays, random_orbits
from recon.render.fields import HashField, VolumePrior
from recon.render.hashgrid import GridShape, HashGrid
from recon.render.losses import colour_loss, entropy_loss, mask_loss, pearson_loss
from recon.render.march import render, view
from recon.render.occupancy import Occupancy

VIEWS = Orbits(elevation=(-30.0, 60.0), fov=(30.0, 30.0))
"""Of the guide."""


class Coarse(nn.Module):
    """Hash field and occupancy grid of a solid whose signed distance, positive inside, is known on a lattice."""

    def __init__(self, volume: Float[Tensor, "n n n"], settings: CoarseSettings, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        shape = GridShape(levels=settings.levels, base=8, finest=settings.finest, log2_size=16)
        self.grid = HashGrid(shape, generator)
        self.settings = settings
        self.field = HashField(self.grid, settings.hidden, prior=VolumePrior.of_distance(volume), generator=generator)
        self.occupancy = Occupancy(settings.cells, 2 / (1.5 * settings.cells))
        self.occupancy.fill(_densest(self.field, settings.cells))

    def groups(self, rate: float) -> list[dict[str, object]]:
        """Parameters with their learning rates."""
        return [
            {"params": list(self.grid.parameters()), "lr": rate},
            {"params": list(self.field.network.parameters()), "lr": 0.1 * rate},
        ]

    def loss(self, target: Target, guide: Guide, step: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """What is wrong with rays of the reference view and with rays of one random view of the guide."""
        settings = self.settings
        if step % 16 == 15:
            self.occupancy.update(self.field.density, step, generator)
        small, half = target.at(settings.side), settings.rays // 2
        depth = guide.view(small.camera)[2]
        rays, colour, mask, depth = _drawn(small.camera, small.photo, small.mask, depth, half, generator)
        loss = settings.colour * self._off(rays, colour, mask, depth, generator)
        camera = random_orbits(1, settings.guide_side, VIEWS, generator)[0]
        shown, cover, far = guide.view(camera)
        rays, colour, mask, depth = _drawn(camera, shown, cover, far, half, generator)
        return loss + settings.guide * trust(camera) * self._off(rays, colour, mask, depth, generator)

    def _off(self, rays: Rays, colour: Tensor, mask: Tensor, depth: Tensor, generator: torch.Generator) -> Tensor:
        settings = self.settings
        ground = torch.rand(1, 3, generator=generator)
        seen, _ = render(self.field, rays, self.occupancy, ground, generator=generator)
        wanted = colour * mask[:, None] + (1 - mask[:, None]) * ground
        both = ((mask > 0.99) & (depth > 0)).float()
        loss = colour_loss(seen.colour, wanted) + settings.mask * mask_loss(seen.opacity, mask, "l2")
        loss = loss + settings.depth * pearson_loss(seen.distance * rays.forward, depth, both)
        return loss + settings.entropy * entropy_loss(seen.opacity)

    @torch.no_grad()
    def colours(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """The field's colours at points."""
        return torch.cat([self.field(part).albedo for part in points.split(1 << 16)])

    def view(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture over white."""
        return view(self.field, camera, self.occupancy, torch.ones(3)).colour


def _drawn(
    camera: Pinhole, colour: Tensor, mask: Tensor, depth: Tensor, count: int, generator: torch.Generator
) -> tuple[Rays, Tensor, Tensor, Tensor]:
    """`count` random pixels of a view: rays, colour, mask, depth."""
    pick = torch.randint(camera.width * camera.height, (count,), generator=generator)
    return camera.rays(pick), colour.flatten(0, 1)[pick], mask.flatten()[pick], depth.flatten()[pick]


@torch.no_grad()
def _densest(field: HashField, cells: int) -> Float[Tensor, "z y x"]:
    """Density of each cell: the largest at its corners and its middle."""
    line = torch.linspace(-1, 1, 2 * cells + 1)
    slices = []
    for z in line:
        y, x = torch.meshgrid(line, line, indexing="ij")
        slices.append(field.density(torch.stack([x, y, z.expand_as(x)], -1).view(-1, 3)).view(len(line), -1))
    volume = torch.stack(slices)[None, None]
    return torch.nn.functional.max_pool3d(volume, 3, 2)[0, 0]
