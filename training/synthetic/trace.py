"""Rays against sculptures by sphere tracing (Hart 1996): first entry, last exit, normal, and the part that was met.

Rays are `o + t d` in the world; d is not normalised and t is in units of d, as in `intersect`. Letters: B images, N rays,
n rays still on their way. Rays start at the nearest of the parts' boxes, so that most of the empty space costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .implicit_solids import CUT, Sculpture, Stack, combine, distances, field, owner, stack
from .intersect import FAR

STEPS = 32
# On the surface: within this share of the bounding radius; a third of a pixel for an object as wide as a 128-pixel photo.
CLOSE = 1e-3
# A step is the field over its slope along the last step, as the secant method has it, but at most the field over this.
STEEPEST = 0.5
# It goes further than the field, which is safe, by no more than this share of the radius: thinner walls are skipped.
AHEAD = 1e-2
# Every so many steps the finished rays are dropped.
SHIFT = 3


@dataclass(frozen=True)
class PackedSculptures:
    """Stacks of sculptures for a batch of `count` images; images without one are in no stack."""

    stacks: list[Stack]
    count: int


@dataclass(frozen=True)
class SurfacePoints:
    """Where rays meet a surface: normal (B, N, 3) outward, world, length 1; part (B, N) int64: place in `Sculpture.parts`,
    -1 where missed; point and local_normal (B, N, 3) in the sculpture's frame, the point in the world's metres (times
    scale)."""

    normal: Tensor
    part: Tensor
    point: Tensor
    local_normal: Tensor


@dataclass(frozen=True)
class RaySpan(SurfacePoints):
    """The surface at the first entry; near, far (B, N): first entry and last exit in units of d, inf and -inf where missed;
    the surface at the last exit, where it was asked for."""

    near: Tensor
    far: Tensor
    exit: SurfacePoints | None = None


def pack_sculptures(sculptures: list[Sculpture | None], device: torch.device | str = "cpu") -> PackedSculptures:
    """One sculpture or none per image; on a CPU every image is a stack of its own, as padding would cost time there."""
    mine = [(i, s) for i, s in enumerate(sculptures) if s is not None and any(p.op != CUT for p in s.parts)]
    groups = [[pair] for pair in mine] if torch.device(device).type == "cpu" else [mine] if mine else []
    stacks = [stack([s for _, s in group], [i for i, _ in group], device) for group in groups]
    return PackedSculptures(stacks, len(sculptures))


def _slab(s: Stack, origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """From where to where (B, N) rays can be inside any of the solid parts' boxes, bulges included; inf, -inf: never."""
    adds, cuts, _ = s.counts
    start = torch.baddbmm(s.offset, s.matrix, origin)
    along = torch.bmm(s.matrix, direction)
    inverse = torch.where(along.abs() < 1e-9, 1e-9, along).reciprocal_()
    middle = ((s.reach[0] + s.reach[1]) / 2 - start) * inverse
    wide = inverse.abs_().mul_((s.reach[1] - s.reach[0]) / 2)
    x, y, z = (middle - wide).chunk(3, 1)
    near = torch.maximum(torch.maximum(x, y), z).clamp_min_(0)
    x, y, z = middle.add_(wide).chunk(3, 1)
    far = torch.minimum(torch.minimum(x, y), z)
    miss = near > far
    miss[:, adds : adds + cuts] = True
    return near.masked_fill_(miss, FAR).amin(1), far.masked_fill_(miss, -FAR).amax(1)


def _gather(values: Tensor, index: Tensor) -> Tensor:
    """values (B, 3, N) or (B, N) at index (B, n)."""
    if len(values) == 1:
        return values.index_select(-1, index[0])
    return values.gather(-1, index[:, None].expand(-1, 3, -1) if values.dim() == 3 else index)


def _living(alive: Tensor) -> tuple[Tensor, Tensor]:
    """Where alive (B, N) is true: index (B, n) and whether it counts (B, n), as some images have fewer than others."""
    if len(alive) == 1:
        index = alive[0].nonzero().view(1, -1)
        return index, torch.ones_like(index, dtype=torch.bool)
    count = alive.sum(1, keepdim=True)
    index = alive.byte().argsort(stable=True, dim=1, descending=True)[:, : int(count.max())]
    return index, torch.arange(index.shape[1], device=alive.device) < count


def sphere_trace(s: Stack, origin: Tensor, direction: Tensor, start: Tensor, stop: Tensor, sign: int) -> Tensor:
    """t (B, n) of the first surface point from start towards stop (B, n; sign -1: backwards), inf if there is none.

    origin (B, 3, 1) relative to the stack's centre, direction (B, 3, n).
    """
    found = torch.full_like(start, FAR)
    index = torch.arange(start.shape[1], device=start.device).expand_as(start)
    pace, close, ahead = sign / direction.square().sum(1).sqrt(), CLOSE * s.size, AHEAD * s.size
    t, alive = start, torch.isfinite(start) & torch.isfinite(stop)
    before, moved = torch.full_like(t, FAR), torch.ones_like(t)
    for step in range(STEPS):
        if step % SHIFT == 0:
            keep, alive = _living(alive)
            if keep.shape[1] == 0:
                break
            mine = (index, t, stop, pace, direction, before, moved)
            index, t, stop, pace, direction, before, moved = (_gather(v, keep) for v in mine)
        gap = field(s, torch.addcmul(origin, direction, t[:, None]))
        # Rays that are still on their way after many steps graze the surface.
        hit = alive & (gap.abs() < close * max(1.0, step / 9))
        slope = ((before - gap) / moved).clamp_(STEEPEST, 1)
        moved = torch.minimum(gap / slope, gap + ahead)
        before = gap
        t = torch.addcmul(t, moved, pace)
        row, column = hit.nonzero().unbind(1)
        found[row, index[row, column]] = t[row, column]
        alive = alive & ~hit & ((stop - t) * sign > 0)
    return found


def _probe(s: Stack, point: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The field (B, n), its gradient (B, 3, n) by forward differences over half a `CLOSE`, and the owner (B, n)."""
    apart = distances(s, point)
    here, step = combine(s, apart), 0.5 * CLOSE * s.size
    ahead = [field(s, point + step[..., None] * axis[:, None]) for axis in torch.eye(3, device=point.device)]
    return here, torch.stack([(value - here) / step for value in ahead], 1), owner(s, apart)


def _around(s: Stack, origin: Tensor, direction: Tensor) -> Tensor:
    """Whether rays (B, 3, N) from origin (B, 3, 1) meet the bounding ball: bool (B, N)."""
    b = (origin * direction).sum(1)
    a, c = direction.square().sum(1), origin.square().sum(1) - s.size**2
    return (b * b >= a * c) & ((b < 0) | (c < 0))


def _settled(s: Stack, origin: Tensor, ray: Tensor, t: Tensor, sign: int) -> tuple[Tensor, Tensor, Tensor]:
    """t (B, n) of surface points taken from `CLOSE` to the surface by one Newton step, which is kept short at grazing
    angles, their outward normals (B, 3, n) and parts (B, n); sign: -1 where rays enter, 1 where they leave."""
    gap, gradient, part = _probe(s, torch.addcmul(origin, ray, t[:, None]))
    slope = sign * (sign * (gradient * ray).sum(1)).maximum(0.2 * ray.square().sum(1).sqrt())
    normal = gradient / gradient.square().sum(1, keepdim=True).clamp_min(1e-20).sqrt()
    return t - gap / slope, normal, s.order.gather(1, part)


class _Ends(NamedTuple):
    """For the rays (B, n) that hit, by number, as far as `there` (B, n) says: t of the first entry and last exit (B, n),
    their normals (B, 3, n) and parts (B, n); those of the exit only where they were asked for."""

    rays: Tensor
    there: Tensor
    near: Tensor
    far: Tensor
    entry: tuple[Tensor, Tensor]
    exit: tuple[Tensor, Tensor] | None


def _trace(s: Stack, origin: Tensor, direction: Tensor, exits: bool) -> _Ends:
    """The ends of rays from origin (B, 3), direction (B, 3, N)."""
    start = (origin - s.centre)[..., None]
    index, there = _living(_around(s, start, direction))
    ray = _gather(direction, index)
    first, last = (v.masked_fill(~there, FAR) for v in _slab(s, start, ray))
    boxed, there = _living(first < FAR)
    index, ray = _gather(index, boxed), _gather(ray, boxed)
    first, last = (_gather(v, boxed).masked_fill(~there, FAR) for v in (first, last))
    front = sphere_trace(s, start, ray, first, last, 1)
    hits, there = _living(front < FAR)
    index, ray = _gather(index, hits), _gather(ray, hits)
    front, last = _gather(front, hits).masked_fill(~there, FAR), _gather(last, hits)
    back = sphere_trace(s, start, ray, last, front, -1)
    t, *entry = _settled(s, start, ray, front.masked_fill(~there, 1.0), -1)
    back = torch.maximum(torch.where(back < FAR, back, t), t)
    if not exits:
        return _Ends(index, there, t, back, (entry[0], entry[1]), None)
    back, *leaving = _settled(s, start, ray, back, 1)
    return _Ends(index, there, t, torch.maximum(back, t), (entry[0], entry[1]), (leaving[0], leaving[1]))


def _missed(direction: Tensor) -> SurfacePoints:
    """No surface on any of the rays (B, 3, N)."""
    b, _, n = direction.shape
    normal, point, local_normal = direction.new_zeros((3, b, n, 3)).unbind()
    return SurfacePoints(normal, direction.new_full((b, n), -1, dtype=torch.int64), point, local_normal)


def _written(found: SurfacePoints, s: Stack, rays: tuple[Tensor, Tensor], ends: _Ends, leaving: bool) -> None:
    """One end of a stack's rays put down among those of all images, which are changed; rays: all origins (B, 3) and
    directions (B, 3, N)."""
    origin, direction = rays
    images = torch.tensor(s.images, device=direction.device)
    row, column = ends.there.nonzero().unbind(1)
    image, at = images[row], ends.rays[row, column]
    t, kept = (ends.far, ends.exit) if leaving else (ends.near, ends.entry)
    assert kept is not None
    normal, part = kept
    ray = _gather(direction[images], ends.rays)
    p = (origin[images] - s.origin)[..., None] + ray * t[:, None]
    back_turn = s.turn.transpose(1, 2)
    found.part[image, at] = part[row, column]
    found.normal[image, at] = normal.transpose(1, 2)[row, column]
    found.point[image, at] = (back_turn @ p).transpose(1, 2)[row, column]
    found.local_normal[image, at] = (back_turn @ normal).transpose(1, 2)[row, column]


def trace_sculptures(packed: PackedSculptures, origin: Tensor, direction: Tensor, exits: bool = False) -> RaySpan:
    """What world rays o + t d meet first and leave last; origin (B, 3), direction (B, 3, N). exits: with the surface where
    they leave."""
    near, far = torch.full_like(direction[:, 0], FAR), torch.full_like(direction[:, 0], -FAR)
    entry, leaving = _missed(direction), _missed(direction) if exits else None
    for s in packed.stacks:
        images = torch.tensor(s.images, device=direction.device)
        ends = _trace(s, origin[images], direction[images], exits)
        row, column = ends.there.nonzero().unbind(1)
        image, at = images[row], ends.rays[row, column]
        near[image, at], far[image, at] = ends.near[row, column], ends.far[row, column]
        _written(entry, s, (origin, direction), ends, leaving=False)
        if leaving is not None:
            _written(leaving, s, (origin, direction), ends, leaving=True)
    return RaySpan(**vars(entry), near=near, far=far, exit=leaving)
