"""Pictures of a field by equally many samples on each ray's way through the cube from −1 to 1.

This is how feed-forward reconstructors render (LRM, TripoSR): a step's opacity comes from its share of the ray's whole way,
not from its length, so that a crossing of the cube is as opaque aslant as along an axis. `march` renders by lengths.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from .cameras import Pinhole, Rays
from .fields import Field
from .march import RenderedView
from .volume import composite_over

SAMPLES = 128
WALL = 1 - 1e-3
"""Half the cube's side for rays: at its very walls a field may end."""
SHORTEST = 0.01
"""Ways through the cube that are shorter show nothing, in TripoSR's renderer in its own unit."""
CROSSING = 2.0
"""The length of a crossing along an axis, by which a density per unit of length is one per crossing."""
CHUNK = 2**20
"""Samples that are looked at once."""
WAVE = 16
"""Steps of a ray between two looks at whether it goes on."""
CLEAR = 2e-5
"""A ray that lets through less than this ends: no pixel changes by more."""
CELLS = 64
FAINT = 1e-4
"""Opacity of one step, of 128, from which a cell is looked into: all that is left out together shows 1 % at most."""


@torch.no_grad()
def render_crossings(
    field: Field,
    camera: Pinhole,
    background: Float[Tensor, " 3"],
    samples: int = SAMPLES,
    shortest: float = SHORTEST,
    occupied: Bool[Tensor, "k k k"] | None = None,
) -> RenderedView:
    """A camera's whole picture of a field, without gradients. shortest: in the world's unit; occupied: of the cube's k³
    cells, [x, y, z], those outside of which nothing is looked for."""
    rays = camera.rays()
    size = max(1, CHUNK // samples)
    parts = [
        _crossed(field, rays[first : first + size], samples, shortest, occupied) for first in range(0, len(rays), size)
    ]
    colour, opacity, depth = (torch.cat(each).to(background.device) for each in zip(*parts, strict=True))
    shape = (camera.height, camera.width)
    depth = torch.where(opacity >= 0.5, depth / opacity.clamp_min(1e-6), torch.nan)
    return RenderedView(
        composite_over(colour, opacity, background[None]).view(*shape, 3), opacity.view(shape), depth.view(shape)
    )


@torch.no_grad()
def occupied_cells(
    field: Field, device: torch.device | str = "cpu", cells: int = CELLS, samples: int = SAMPLES
) -> Bool[Tensor, "k k k"]:
    """The cube's cells, [x, y, z], in which a step may be seen, by the density at all corners of each and of its
    neighbours."""
    line = torch.linspace(-WALL, WALL, cells + 1, device=device)
    points = torch.cartesian_prod(line, line, line)
    density = torch.cat([field.density(part) for part in points.split(CHUNK)])
    seen = (CROSSING / samples * density > FAINT).float().view(1, 1, *[cells + 1] * 3)
    return F.max_pool3d(F.max_pool3d(seen, 2, 1), 3, 1, 1)[0, 0].bool()


def _crossed(
    field: Field, rays: Rays, samples: int, shortest: float, occupied: Bool[Tensor, "k k k"] | None
) -> tuple[Tensor, Tensor, Tensor]:
    """(colour that is not divided by opacity, opacity, opacity times depth) of rays, from near to far, a few steps at a
    time: a ray that lets nothing through takes no part in what follows, nor does one beside what is occupied."""
    near, far = _way(rays)
    first_seen, last_seen = (near, far) if occupied is None else _way(rays, *_box(occupied))
    hit = ((far - near > shortest) & (first_seen < last_seen)).nonzero().squeeze(1)
    found = rays.origins.new_zeros(len(rays), 5)
    if not len(hit):
        return found[:, :3], found[:, 3], found[:, 4]
    share = (torch.arange(samples, device=near.device) + 0.5) / samples
    middle = near[hit, None] * (1 - share) + far[hit, None] * share
    first_seen, last_seen, passed = first_seen[hit], last_seen[hit], torch.ones_like(near[hit])
    for first in range(0, samples, WAVE):
        wave = middle[:, first : first + WAVE]
        there = (passed > CLEAR) & (wave[:, -1] >= first_seen) & (wave[:, 0] <= last_seen)
        index = there.nonzero().squeeze(1)
        ray, along = hit[index], wave[index]
        points = rays.origins[ray, None] + along[..., None] * rays.directions[ray, None]
        density, albedo = _looked_up(field, points, occupied)
        optical = CROSSING / samples * density
        before = torch.cat([torch.zeros_like(optical[:, :1]), optical[:, :-1].cumsum(1)], 1)  # no difference: ∞ − ∞
        weight = -torch.expm1(-optical) * (-before).exp() * passed[index, None]
        found[ray, :3] += (weight[..., None] * albedo).sum(1)
        found[ray, 3] += weight.sum(1)
        found[ray, 4] += (weight * along).sum(1) * rays.forward[ray]
        passed[index] *= (-optical.sum(1)).exp()
    return found[:, :3], found[:, 3], found[:, 4]


def _looked_up(
    field: Field, points: Float[Tensor, "n s 3"], occupied: Bool[Tensor, "k k k"] | None
) -> tuple[Float[Tensor, "n s"], Float[Tensor, "n s 3"]]:
    """(density, albedo) at points, 0 outside of the occupied cells."""
    flat = points.flatten(0, 1)
    if occupied is None:
        density, albedo, _ = field(flat)
    else:
        cells = len(occupied)
        index = ((flat + 1) * (cells / 2)).long().clamp_(0, cells - 1)
        some = occupied[index[:, 0], index[:, 1], index[:, 2]].nonzero().squeeze(1)
        density, albedo = flat.new_zeros(len(flat)), torch.zeros_like(flat)
        if len(some):
            density[some], albedo[some], _ = field(flat[some])
    return density.view(points.shape[:2]), albedo.view(points.shape)


def _box(occupied: Bool[Tensor, "k k k"]) -> tuple[Float[Tensor, " 3"], Float[Tensor, " 3"]]:
    """The lowest and the highest corner of the box around the occupied cells; of one that nobody meets without any."""
    cells, found = len(occupied), occupied.nonzero()
    if not len(found):
        return torch.full((3,), 2.0, device=occupied.device), torch.full((3,), -2.0, device=occupied.device)
    ends = (found.amin(0), found.amax(0) + 1)
    low, high = (end * (2 / cells) - 1 for end in ends)
    return low, high


def _way(
    rays: Rays, low: Float[Tensor, " 3"] | float = -WALL, high: Float[Tensor, " 3"] | float = WALL
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """Where rays enter a box and leave it; they leave before they enter where they miss it (slabs: Kay and Kajiya
    1986)."""
    along = torch.where(rays.directions.abs() < 1e-6, torch.full_like(rays.directions, 1e-6), rays.directions)
    ends = torch.stack([(high - rays.origins) / along, (low - rays.origins) / along])
    return ends.amin(0).amax(1).clamp_min(0), ends.amax(0).amin(1)
