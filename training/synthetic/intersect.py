"""Rays against boxes, ellipsoids and tapered cylinders, in closed form.

Every primitive is a unit shape (the cube [-1, 1]^3, the unit ball, the cylinder of radius 1 around y with y in [-1, 1])
under an affine map `local = M @ world + offset`. Rays are `o + t d`; t is not normalised: it is whatever unit d has.
Letters: B images, N rays (or H x W, a picture's), S slots (primitives of one kind per image). Rays that miss get t = inf.
"""

from __future__ import annotations

import torch
from torch import Tensor

BOX, ELLIPSOID, CYLINDER = 0, 1, 2
# Rows and columns of a picture.
Window = tuple[slice, slice]
FAR = float("inf")


def box_interval(origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Entry and exit t (B, N) of rays (B, 3, 1 or N) through the cube; slab method (Kay and Kajiya 1986)."""
    inverse = 1 / torch.where(direction.abs() < 1e-9, torch.full_like(direction, 1e-9), direction)
    centre = origin * -inverse
    half = inverse.abs()
    return (centre - half).amax(1), (centre + half).amin(1)


def ellipsoid_interval(origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Entry and exit t (B, N) through the unit ball: |o + t d|^2 = 1."""
    a = (direction * direction).sum(1)
    b = (origin * direction).sum(1)
    c = (origin * origin).sum(1) - 1
    discriminant = b * b - a * c
    root = discriminant.clamp_min(0).sqrt()
    miss = discriminant < 0
    near = ((-b - root) / a).masked_fill(miss, FAR)
    return near, ((-b + root) / a).masked_fill(miss, -FAR)


def cylinder_interval(origin: Tensor, direction: Tensor, taper: Tensor) -> tuple[Tensor, Tensor]:
    """Entry and exit t (B, N) through the solid x^2 + z^2 <= (1 + taper y)^2, |y| <= 1; taper (B, 1) in (-1, 1).

    A frustum is convex, so its t-interval is the side's interval cut by the slab between the caps.
    """
    ox, oy, oz = origin.unbind(1)
    dx, dy, dz = direction.unbind(1)
    dy = torch.where(dy.abs() < 1e-9, torch.full_like(dy, 1e-9), dy)
    radius, slope = 1 + taper * oy, taper * dy
    a = dx * dx + dz * dz - slope * slope
    b = ox * dx + oz * dz - radius * slope
    c = ox * ox + oz * oz - radius * radius
    a = torch.where(a.abs() < 1e-9, torch.full_like(a, 1e-9), a)
    discriminant = b * b - a * c
    root = discriminant.clamp_min(0).sqrt()
    first, second = (-b - root) / a, (-b + root) / a
    low, high = torch.minimum(first, second), torch.maximum(first, second)
    cap = (-oy / dy, 1 / dy.abs())
    enter, leave = cap[0] - cap[1], cap[0] + cap[1]
    # a < 0: the ray is steeper than the side, so inside the double cone is t <= low or t >= high; only one of the two
    # halves lies on our nappe, and it is the one on the wide side of the apex.
    steep = a < 0
    wide_ahead = slope > 0
    side_in = torch.where(steep, torch.where(wide_ahead, high, torch.full_like(low, -FAR)), low)
    side_out = torch.where(steep, torch.where(wide_ahead, torch.full_like(low, FAR), low), high)
    miss = (discriminant < 0) & ~steep
    near = torch.maximum(side_in, enter).masked_fill(miss, FAR)
    return near, torch.minimum(side_out, leave).masked_fill(miss, -FAR)


def primitive_interval(kind: int, origin: Tensor, direction: Tensor, taper: Tensor) -> tuple[Tensor, Tensor]:
    """Entry and exit t (B, N) for one primitive per image, rays (B, 3, N); a miss has entry > exit."""
    if kind == BOX:
        return box_interval(origin, direction)
    if kind == ELLIPSOID:
        return ellipsoid_interval(origin, direction)
    return cylinder_interval(origin, direction, taper)


def nearest_hit(
    kinds: list[int],
    matrix: Tensor,
    offset: Tensor,
    taper: Tensor,
    origin: Tensor,
    direction: Tensor,
    windows: list[Window],
    subject: Tensor,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """First hits in front of the origin: t (B, H, W) float32 and slot (B, H, W) int64, inf and -1 where nothing is hit;
    and where the ray leaves the subject for the last time (B, H, W), and which slot, 0 and -1 where it does not meet it.

    kinds: the kind of each slot (S); matrix (B, S, 3, 3), offset (B, S, 3), taper (B, S); origin (B, 3); direction
    (B, 3, H, W); windows: the part of the picture that each slot can appear in; subject (B, S) bool. From inside a
    primitive (a room) the far wall is hit.
    """
    best = torch.full_like(direction[:, 0], FAR)
    slot = torch.full_like(best, -1, dtype=torch.int64)
    last, last_slot = torch.zeros_like(best), slot.clone()
    start = torch.einsum("bsij,bj->bsi", matrix, origin) + offset
    counts = subject.any(0).tolist()
    for k, kind in enumerate(kinds):
        rows, columns = windows[k]
        some = direction[:, :, rows, columns]
        local = (matrix[:, k] @ some.flatten(2)).unflatten(2, some.shape[2:])
        near, far = primitive_interval(kind, start[:, k, :, None, None], local, taper[:, k, None, None])
        t = torch.where(near > 0, near, far)
        met = (near <= far) & (far > 0)
        best_here, slot_here = best[:, rows, columns], slot[:, rows, columns]
        closer = met & (t < best_here)
        best_here.copy_(torch.where(closer, t, best_here))
        slot_here.masked_fill_(closer, k)
        if counts[k]:
            last_here, last_slot_here = last[:, rows, columns], last_slot[:, rows, columns]
            later = met & subject[:, k, None, None] & (far > last_here)
            last_here.copy_(torch.where(later, far, last_here))
            last_slot_here.masked_fill_(later, k)
    return best, slot, last, last_slot


def light_is_blocked(
    kinds: list[int], matrix: Tensor, offset: Tensor, taper: Tensor, origin: Tensor, direction: Tensor
) -> Tensor:
    """Whether something lies between the points and the light: bool (B, N).

    origin and direction (B, 3, N), the light at t = 1. A primitive that contains the point (a room) casts no shadow.
    """
    shadow = torch.zeros_like(direction[:, 0], dtype=torch.bool)
    for k, kind in enumerate(kinds):
        local = matrix[:, k] @ origin + offset[:, k, :, None]
        near, far = primitive_interval(kind, local, matrix[:, k] @ direction, taper[:, k, None])
        shadow = shadow | ((near <= far) & (near > 0) & (near < 1))
    return shadow
