"""Rays against sculptures by sphere tracing (Hart 1996): first entry, last exit, normal, and the part that was met.

Rays are `o + t d` in the world; d is not normalised and t is in units of d, as in `intersect`. Letters: B images, N rays,
n rays still on their way. Rays start at the nearest of the parts' boxes, so that most of the empty space costs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

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
class RaySpan:
    """near, far (B, N): first entry and last exit in units of d, inf and -inf where missed; normal (B, N, 3) outward,
    world, length 1; part (B, N) int64: place in `Sculpture.parts`, -1 where missed; point and local_normal (B, N, 3) in
    the sculpture's frame, the point in the world's metres (times scale)."""

    near: Tensor
    far: Tensor
    normal: Tensor
    part: Tensor
    point: Tensor
    local_normal: Tensor


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


def _trace(s: Stack, origin: Tensor, direction: Tensor) -> tuple[Tensor, ...]:
    """For the rays index (B, n) that hit, as far as `there` (B, n) says: near, far (B, n), normal (B, 3, n), part (B, n);
    origin (B, 3), direction (B, 3, N)."""
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
    t = front.masked_fill(~there, 1.0)
    gap, gradient, part = _probe(s, torch.addcmul(start, ray, t[:, None]))
    # One Newton step takes the entry from `CLOSE` to the surface; at grazing angles it is kept short.
    slope = (gradient * ray).sum(1).minimum(-0.2 * ray.square().sum(1).sqrt())
    t = t - gap / slope
    back = torch.maximum(torch.where(back < FAR, back, t), t)
    normal = gradient / gradient.square().sum(1, keepdim=True).clamp_min(1e-20).sqrt()
    return index, there, t, back, normal, s.order.gather(1, part)


def trace_sculptures(packed: PackedSculptures, origin: Tensor, direction: Tensor) -> RaySpan:
    """What world rays o + t d meet first and leave last; origin (B, 3), direction (B, 3, N)."""
    b, _, n = direction.shape
    new = direction.new_full
    near, far, part = new((b, n), FAR), new((b, n), -FAR), new((b, n), -1, dtype=torch.int64)
    normal, point, local_normal = new((b, n, 3), 0.0), new((b, n, 3), 0.0), new((b, n, 3), 0.0)
    for s in packed.stacks:
        images = torch.tensor(s.images, device=direction.device)
        index, there, t, back, n_world, owners = _trace(s, origin[images], direction[images])
        row, column = there.nonzero().unbind(1)
        image, at = images[row], index[row, column]
        near[image, at], far[image, at], part[image, at] = t[row, column], back[row, column], owners[row, column]
        ray = _gather(direction[images], index)
        p = (origin[images] - s.origin)[..., None] + ray * t[:, None]
        back_turn = s.turn.transpose(1, 2)
        normal[image, at] = n_world.transpose(1, 2)[row, column]
        point[image, at] = (back_turn @ p).transpose(1, 2)[row, column]
        local_normal[image, at] = (back_turn @ n_world).transpose(1, 2)[row, column]
    return RaySpan(near, far, normal, part, point, local_normal)
