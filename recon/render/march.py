"""Pictures of fields: rays through occupied space, whole views within a memory budget."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from .cameras import Pinhole, Rays
from .fields import Field
from .occupancy import Intervals, Occupancy
from .sampling import uniform
from .volume import (
    Rendered,
    Shading,
    columns_by_ray,
    composite_over,
    mean_distance,
    packed_weights,
    shade,
)

STOP = 1e-3
"""A ray ends when it lets through less than this: no pixel changes by more."""
WAVE = 12
"""Intervals that all rays look at before those that are full are dropped: fewer look at less behind surfaces, more are
fewer calls (on a fitted ball 8 to 16 are fastest, at 48 and at 96 steps across the world)."""
BYTES_PER_INTERVAL = 2048
"""Of a field without gradients, at most (64 hidden numbers, 16 levels); the test suite measures it."""
BYTES_PER_STEP = 48
"""Of the comb that looks for occupied cells."""


class Samples(NamedTuple):
    """The intervals that were looked at, in no order; for losses on what lies along rays."""

    ray: Int64[Tensor, " m"]
    middle: Float[Tensor, " m"]
    weight: Float[Tensor, " m"]
    normal: Float[Tensor, "m 3"] | None


class RenderedView(NamedTuple):
    """A camera's picture. `depth` is z along the optical axis, NaN where less than half of a pixel is covered."""

    colour: Float[Tensor, "h w 3"]
    opacity: Float[Tensor, "h w"]
    depth: Float[Tensor, "h w"]


def render_rays(
    field: Field,
    rays: Rays,
    occupancy: Occupancy,
    background: Float[Tensor, "#n 3"],
    *,
    normals: bool = False,
    shading: Shading = "albedo",
    light: Float[Tensor, " 3"] | None = None,
    ambient: float = 0.1,
    generator: torch.Generator | None = None,
    stop: float = STOP,
    wave: int = WAVE,
) -> tuple[Rendered, Samples]:
    """What rays see of a field in occupied space. With a generator each ray's intervals are shifted at random.

    Rays advance in waves of `wave` intervals; those that let through less than `stop` take no part in the next.
    """
    count, needs_normals = len(rays), normals or shading != "albedo"
    jitter = None if generator is None else uniform(torch.Size((count,)), rays.forward, generator)
    found = occupancy.march(rays, jitter)
    depth = rays.forward.new_zeros(count)
    length = torch.full_like(found.middle, occupancy.step)
    total = rays.forward.new_zeros(count, 8 if needs_normals else 5)
    parts: list[Samples] = []
    rank, longest = _ranks(found.ray, count)
    full = -math.log(stop) if stop > 0 else math.inf
    for first in range(0, longest, wave):
        alive = (depth.detach() < full).index_select(0, found.ray)
        pick = (alive & (rank >= first) & (rank < first + wave)).nonzero().squeeze(1)
        ray, middle = found.ray.index_select(0, pick), found.middle.index_select(0, pick)
        directions = rays.directions.index_select(0, ray)
        points = rays.origins.index_select(0, ray) + middle[:, None] * directions
        density, albedo, normal = field(points, normals=needs_normals)
        weight, depth = packed_weights(density, length[: len(pick)], ray, depth)
        colour = shade(albedo, normal, None if light is None else light[None], shading, ambient)
        seen = [colour, torch.ones_like(middle)[:, None], middle[:, None], *([normal] if normal is not None else [])]
        total = total + columns_by_ray(weight, torch.cat(seen, 1), ray, count)
        parts.append(Samples(ray, middle, weight, normal))
    return _rendered(total, background), _joined(parts, found)


def _ranks(ray: Int64[Tensor, " m"], count: int) -> tuple[Int64[Tensor, " m"], int]:
    """The place of each packed interval on its ray, and how many the fullest of `count` rays has."""
    per_ray = torch.bincount(ray, minlength=count)
    start = per_ray.cumsum(0) - per_ray
    rank = torch.arange(len(ray), device=ray.device) - start.index_select(0, ray)
    return rank, int(per_ray.max()) if count else 0


def _rendered(total: Float[Tensor, "n c"], background: Float[Tensor, "#n 3"]) -> Rendered:
    opacity = total[:, 3]
    colour = composite_over(total[:, :3], opacity, background)
    return Rendered(colour, opacity, mean_distance(total[:, 4], opacity), total[:, 5:] if total.shape[1] > 5 else None)


def _joined(parts: list[Samples], found: Intervals) -> Samples:
    if not parts:
        return Samples(found.ray[:0], found.middle[:0], found.middle[:0], None)
    ray, middle, weight, normal = zip(*parts, strict=True)
    normals = None if normal[0] is None else torch.cat(normal)
    return Samples(torch.cat(ray), torch.cat(middle), torch.cat(weight), normals)


def rays_within(budget: int, occupancy: Occupancy, wave: int = WAVE) -> int:
    """How many rays `render_rays` can take at once without gradients in `budget` bytes; at least 1."""
    longest = math.ceil(2 / occupancy.step) + 1
    return max(1, budget // (longest * BYTES_PER_STEP + min(wave, longest) * BYTES_PER_INTERVAL))


@torch.no_grad()
def render_view(
    field: Field,
    camera: Pinhole,
    occupancy: Occupancy,
    background: Float[Tensor, " 3"],
    *,
    budget: int = 256 << 20,
) -> RenderedView:
    """A camera's whole picture of a field, without gradients, in chunks of rays that fit into `budget` bytes."""
    size, parts = rays_within(budget, occupancy), []
    rays = camera.rays()
    for first in range(0, len(rays), size):
        part, _ = render_rays(field, rays[first : first + size], occupancy, background[None])
        parts.append(part)
    opacity = torch.cat([part.opacity for part in parts])
    distance = torch.cat([part.distance for part in parts])
    depth = torch.where(opacity >= 0.5, distance * rays.forward, torch.nan)
    shape = (camera.height, camera.width)
    colour = torch.cat([part.colour for part in parts]).view(*shape, 3)
    return RenderedView(colour, opacity.view(shape), depth.view(shape))
