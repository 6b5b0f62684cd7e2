"""From scenes to linear colour and exact geometry, by one ray per pixel.

Letters: B images, S primitives (slots), H x W pixels, N = H W rays. Ray directions have z = 1 in the camera's frame, so
t is the depth along the optical axis and disparity is 1 / t (per metre; 0 for the sky). Colours are linear RGB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from . import textures
from . import trace as solids
from .intersect import BOX, ELLIPSOID, light_is_blocked, nearest_hit
from .packing import CENTRE, COLOUR_A, COLOUR_B, HALF, REST, TURN, PackedScenes


def pixel_rays(packed: PackedScenes, height: int, width: int) -> Tensor:
    """World directions (B, 3, N) through pixel centres, with z = 1 in the camera's frame."""
    device, half = packed.turn.device, max(height, width) / 2
    y, x = torch.meshgrid(
        (torch.arange(height, device=device) + 0.5 - height / 2) / half,
        (torch.arange(width, device=device) + 0.5 - width / 2) / half,
        indexing="ij",
    )
    plane = torch.stack([x, y]).flatten(1) * packed.tangent[:, None, None]
    return packed.turn @ torch.cat([plane, torch.ones_like(plane[:, :1])], 1)


def _normals(row: Tensor, local: Tensor) -> Tensor:
    """Outward normals in the primitive's frame (B, N, 3), not normalised, from points in its frame in half sizes."""
    kind, taper = row[..., REST + 6, None], row[..., REST + 5, None]
    flat = F.one_hot(local.abs().argmax(-1), 3) * local.sign()
    x, y, z = local.split(1, -1)
    side = torch.cat([x, -taper * (1 + taper * y), z], -1)
    cap = torch.cat([torch.zeros_like(x), y.sign(), torch.zeros_like(z)], -1)
    tube = torch.where(y.abs() > 0.9995, cap, side)
    bent = torch.where(kind == ELLIPSOID, local, tube) / row[..., HALF]
    return torch.where(kind == BOX, flat, bent)


def _unit(vectors: Tensor, dim: int = -1) -> Tensor:
    """Vectors of length 1; F.normalize takes ten times as long over an axis of three."""
    return vectors * (vectors * vectors).sum(dim, keepdim=True).clamp_min(1e-20).rsqrt()


@dataclass(frozen=True)
class SurfaceHits:
    """What the rays meet: t, whether anything was hit, where the ray leaves the subject for the last time (B, N); the
    primitive's row (B, N, COLUMNS); point and normal in the world, normal and point in the primitive's frame in metres
    (B, N, 3); and, where asked for, the subject's surface where the rays leave it for the last time, normals outward."""

    t: Tensor
    seen: Tensor
    last: Tensor
    row: Tensor
    point: Tensor
    normal: Tensor
    local_normal: Tensor
    metres: Tensor
    exit: SurfaceHits | None = None


def _on_primitives(packed: PackedScenes, ray: Tensor, t: Tensor, slot: Tensor, last: Tensor, side: int) -> SurfaceHits:
    """Points of rays (B, N, 3) at t on the primitives of these slots (B, N), -1: none; side: -1 where rays enter, 1 where
    they leave."""
    seen = slot >= 0
    images, slots, columns = packed.rows.shape
    first = torch.arange(images, device=slot.device)[:, None] * slots
    row = packed.rows.view(-1, columns)[(slot.clamp_min(0) + first).flatten()].view(*slot.shape, columns)
    point = packed.origin[:, None] + torch.where(seen, t, 1.0)[..., None] * ray
    turn = row[..., TURN].unflatten(-1, (3, 3))
    metres = ((point - row[..., CENTRE])[..., None] * turn).sum(-2)
    local_normal = _normals(row, metres / row[..., HALF].clamp_min(1e-6))
    normal = _unit((turn * local_normal[..., None, :]).sum(-1))
    normal = torch.where(side * (normal * ray).sum(-1, keepdim=True) < 0, -normal, normal)
    return SurfaceHits(t, seen, last, row, point, normal, local_normal, metres)


def trace_scenes(packed: PackedScenes, direction: Tensor, size: tuple[int, int], exits: bool = False) -> SurfaceHits:
    """First hits of a picture's rays (B, 3, N) with their points, normals (towards the camera) and materials; exits: with
    those of the subject's far side."""
    subject = packed.rows[..., REST + 8] > 0
    shape = (packed.kinds, packed.matrix, packed.offset, packed.taper)
    hits = nearest_hit(*shape, packed.origin, direction.unflatten(2, size), packed.windows, subject)
    t, slot, last, last_slot = (x.flatten(1) for x in hits)
    ray = direction.transpose(1, 2)
    found = _on_primitives(packed, ray, t, slot, last, -1)
    if exits:
        found = replace(found, exit=_on_primitives(packed, ray, last, last_slot, last, 1))
    return _with_sculptures(packed, direction, found) if packed.sculptures.stacks else found


def _with_sculptures(packed: PackedScenes, direction: Tensor, found: SurfaceHits) -> SurfaceHits:
    """What the rays meet, sculptures included."""
    solid = solids.trace_sculptures(packed.sculptures, packed.origin, direction, found.exit is not None)
    far = torch.where(packed.parts[:, :1, REST + 8] > 0, solid.far, -math.inf)
    last = torch.maximum(found.last, far)
    leaving = found.exit
    if leaving is not None and solid.exit is not None:
        leaving = _chosen(packed, direction, far > leaving.t, (far, solid.exit), replace(leaving, last=last))
    nearer = solid.near < found.t
    return _chosen(packed, direction, nearer, (solid.near, solid), replace(found, last=last, exit=leaving))


def _chosen(
    packed: PackedScenes,
    direction: Tensor,
    which: Tensor,
    solid: tuple[Tensor, solids.SurfacePoints],
    other: SurfaceHits,
) -> SurfaceHits:
    """The sculptures' points at t (B, N) where `which` (B, N) is true, else the other ones."""
    images, parts = torch.arange(len(which), device=which.device)[:, None], solid[1].part.clamp_min(0)
    each, t = which[..., None], torch.where(which, solid[0], other.t)
    ray = direction.transpose(1, 2)
    return replace(
        other,
        t=t,
        seen=other.seen | which,
        row=torch.where(each, packed.parts[images, parts], other.row),
        point=torch.where(each, packed.origin[:, None] + torch.where(which, t, 1.0)[..., None] * ray, other.point),
        normal=torch.where(each, solid[1].normal, other.normal),
        local_normal=torch.where(each, solid[1].local_normal, other.local_normal),
        metres=torch.where(each, solid[1].point, other.metres),
    )


def _across(hit: SurfaceHits) -> tuple[Tensor, Tensor]:
    """The two coordinates (B, N), in metres, across the main axis of the normal."""
    axis = hit.local_normal.abs().argmax(-1)
    u = torch.where(axis == 0, hit.metres[..., 2], hit.metres[..., 0])
    return u, torch.where(axis == 1, hit.metres[..., 2], hit.metres[..., 1])


def _footprint(hit: SurfaceHits, ray: Tensor, pixel: Tensor) -> Tensor:
    """Length in metres (B, N) that a pixel of this angle (B) covers on the surface, the longer way."""
    cosine = (hit.normal * ray).sum(-1).abs().clamp_min(0.15)
    return hit.t.clamp_max(1e4) * pixel[:, None] / cosine


def _albedo(bank: Tensor, hit: SurfaceHits, ray: Tensor, pixel: Tensor) -> Tensor:
    """Surface colours (B, N, 3): the pattern on the two coordinates across the normal's main axis, mip-mapped."""
    u, v = _across(hit)
    repeat = hit.row[..., REST + 1].clamp_min(1e-3)
    level = torch.log2((_footprint(hit, ray, pixel) * textures.SIZE / repeat).clamp_min(1e-3))
    mix, joint = textures.sample_bank(bank, hit.row[..., REST].long(), u / repeat, v / repeat, level)
    colour = torch.lerp(hit.row[..., COLOUR_A], hit.row[..., COLOUR_B], mix[..., None])
    colour = colour * _moire(hit, u, v, pixel)
    return colour * (1 - hit.row[..., REST + 2] * joint)[..., None]


def _moire(hit: SurfaceHits, u: Tensor, v: Tensor, pixel: Tensor) -> Tensor:
    """Factors (B, N, 3) of a grid of cells about as wide as the camera's pixels, a screen's or a cloth's: what the pixels
    sample of its wave is a slow one, bent by the perspective. The cells are of three colours a third apart, and as wide as
    a pixel seen straight on at the surface's middle distance, but for a few percent that differ from image to image."""
    depth = hit.row[..., REST + 11, None]
    if not bool((depth > 0).any()):
        return torch.ones_like(depth)
    woven = (depth[..., 0] > 0) & hit.seen
    middle = torch.where(woven, hit.t, math.nan).nanmedian(1).values.nan_to_num(1.0)
    number = (hit.row[..., COLOUR_A].sum(-1) * 1e3) % 1
    cell = (middle * pixel)[:, None] * (0.95 + 0.1 * number)
    lean = 0.16 * (number - 0.5)
    thirds = torch.arange(3, device=u.device) / 3
    wave = torch.cos(
        2 * math.pi * ((u * torch.cos(lean) + v * torch.sin(lean)) / cell)[..., None] + 2 * math.pi * thirds
    )
    return 1 + depth * wave * torch.cos(2 * math.pi * (v / cell))[..., None]


def _spread(values: Tensor, step: int, height: int, width: int) -> Tensor:
    """(B, n) traced at every step-th pixel, blurred a little, to (B, N) at full resolution."""
    grid = values.view(-1, 1, -(-height // step), -(-width // step))
    # Two 2x2 means are the kernel 1 2 1, which makes a 2x2 dither flat.
    grid = F.avg_pool2d(F.avg_pool2d(F.pad(grid, (1, 1, 1, 1), mode="replicate"), 2, 1), 2, 1)
    return F.interpolate(grid, size=(height, width), mode="bilinear", align_corners=False).flatten(1)


def _shadows(
    packed: PackedScenes, hit: SurfaceHits, light: Tensor, size: tuple[int, int], generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Share of the lamp and of the surroundings that reach each point (B, N).

    One ray to one of four random places of the lamp at every second pixel, three rays of 0.8 m at every fourth;
    the blur turns them into soft shadows and contact shadows.
    """
    args, (height, width) = (packed.kinds, packed.matrix, packed.offset, packed.taper), size

    def thin(step: int) -> tuple[Tensor, Tensor]:
        normal, point = (
            x.view(-1, height, width, 3)[:, ::step, ::step].flatten(1, 2).transpose(1, 2)
            for x in (hit.normal, hit.point)
        )
        return point + 0.01 * normal, normal

    def noise(like: Tensor) -> Tensor:
        return torch.randn(like.shape, generator=generator, device=like.device)

    point, normal = thin(2)
    rows, columns = torch.arange(-(-height // 2)) % 2, torch.arange(-(-width // 2)) % 2
    dither = (2 * rows[:, None] + columns).flatten().to(point.device)
    lamp = light[:, :3, None] + light[:, 3, None, None] * noise(point[:, :, :4])[:, :, dither]
    lit = 1 - light_is_blocked(*args, point, lamp - point).float()
    point, normal = (torch.cat([x, x, x], 2) for x in thin(4))
    # Each of the three has one direction for the whole image: random ones per pixel look like dirt.
    same = noise(point[:, :, :3]).repeat_interleave(point.shape[2] // 3, 2)
    around = _unit(normal + _unit(same, 1), 1) * 0.8
    clear = 1 - light_is_blocked(*args, point, around).float().unflatten(1, (3, -1)).mean(1)
    return _spread(lit, 2, height, width), _spread(clear, 4, height, width)


def _sky_colour(packed: PackedScenes, bank: Tensor, ray: Tensor) -> Tensor:
    """Colours (B, N, 3) of the sky: horizon to zenith, with clouds from a noise pattern on a high plane."""
    up = -ray[..., 1]
    s = packed.sky[:, None]
    colour = torch.lerp(s[..., 3:6], s[..., 0:3], up.clamp(0, 1).sqrt()[..., None])
    high = up.clamp_min(0.05)
    number = textures.KINDS.index("noise") * textures.PER_KIND + (s[..., 6] * 97).long() % textures.PER_KIND
    scale = 0.15 + 0.3 * s[..., 6]
    mix, _ = textures.sample_bank(
        bank, number.expand_as(up), ray[..., 0] / high * scale, ray[..., 2] / high * scale, torch.ones_like(up)
    )
    cloud = ((mix - 0.75 + 0.5 * s[..., 6]) * 4).clamp(0, 1) * (up * 5).clamp(0, 1)
    return torch.lerp(colour, torch.ones_like(colour) * s[..., 3:6].mean(-1, keepdim=True) * 1.1, cloud[..., None])


class RenderedPhotos(NamedTuple):
    """Linear colour (B, 3, H, W); disparity in 1/m, 0 in the sky (B, 1, H, W); unit normals towards the camera in its
    frame, (0, 0, -1) in the sky (B, 3, H, W); where the subject is seen (B, 1, H, W, 0 or 1) and the depth in metres at
    which each of its rays leaves it for the last time (B, 1, H, W, 0 elsewhere); and, where asked for, the linear colour of
    its surface there, as it is seen from behind (B, 3, H, W, 0 elsewhere)."""

    colour: Tensor
    disparity: Tensor
    normals: Tensor
    subject: Tensor
    back: Tensor
    back_colour: Tensor | None = None


def joined(parts: list[RenderedPhotos]) -> RenderedPhotos:
    """Pictures of one size after each other."""
    maps = (None if values[0] is None else torch.cat(values) for values in zip(*parts, strict=True))
    return RenderedPhotos(*maps)  # type: ignore[arg-type]


def _shaded(
    packed: PackedScenes,
    bank: Tensor,
    hit: SurfaceHits,
    ray: Tensor,
    light: Tensor,
    size: tuple[int, int],
    generator: torch.Generator,
) -> Tensor:
    """Colours (B, N, 3) of the points that rays (B, N, 3, length 1) look at, in the light of lamps (B, 12)."""
    pixel = 2 * packed.tangent / max(size)
    albedo = _albedo(bank, hit, ray, pixel)
    lit, clear = _shadows(packed, hit, light, size, generator)
    light = light[:, None]
    to_lamp = light[..., :3] - hit.point
    distance = (to_lamp * to_lamp).sum(-1, keepdim=True).clamp_min(1e-12).sqrt()
    to_lamp = to_lamp / distance
    # A lamp in a room fades with distance; the sun (500 m and more away) does not.
    fade = torch.where(distance > 500, 1.0, 2 / (1 + (distance / 2) ** 2)) * light[..., 4:5] * lit[..., None]
    diffuse = (hit.normal * to_lamp).sum(-1, keepdim=True).clamp_min(0) * fade
    around = light[..., 8:9] * (0.75 - 0.25 * hit.normal[..., 1:2]) * (0.35 + 0.65 * clear[..., None])
    colour = albedo * (diffuse * light[..., 5:8] + around * light[..., 9:12] + hit.row[..., REST + 4, None])
    mirrored = ray - 2 * (ray * hit.normal).sum(-1, keepdim=True) * hit.normal
    gloss = hit.row[..., REST + 3, None]
    shine = (mirrored * to_lamp).sum(-1, keepdim=True).clamp_min(0).pow(30) * fade
    return colour + gloss * (shine + 0.25 * around * (-mirrored[..., 1:2]).clamp_min(0))


def _looked_at(
    packed: PackedScenes, bank: Tensor, hit: SurfaceHits, ray: Tensor, size: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Colours (B, N, 3) along rays (B, N, 3, length 1): what they meet, in its light and fog, or the sky."""
    colour = _shaded(packed, bank, hit, ray, packed.light, size, generator)
    depth = torch.where(hit.seen, hit.t, 1.0)[..., None]
    fog = 1 - torch.exp(-depth * packed.sky[:, None, 10:11])
    colour = torch.lerp(colour, packed.sky[:, None, 7:10].expand_as(colour), fog)
    return torch.where(hit.seen[..., None], colour, _sky_colour(packed, bank, ray))


def _through_glass(
    packed: PackedScenes, bank: Tensor, direction: Tensor, size: tuple[int, int], generator: torch.Generator
) -> Tensor:
    """Colours (B, N, 3) along the rays where nothing clear is in their way: thin walls bend no ray."""
    packed = packed.without(packed.rows[..., REST + 10] > 0)
    hit = trace_scenes(packed, direction, size)
    return _looked_at(packed, bank, hit, _unit(direction, 1).transpose(1, 2), size, generator)


def _glazed(colour: Tensor, seen_through: Tensor, hit: SurfaceHits, ray: Tensor, clear: Tensor) -> Tensor:
    """Colours (B, N, 3) of a clear surface: what is behind it, dyed the more the longer the way through the wall, less what
    the surface mirrors (Schlick 1994, equation 15, for glass, two faces); where it is not clear, its own."""
    cosine = (hit.normal * ray).sum(-1, keepdim=True).abs().clamp(0.05, 1)
    mirrored = 2 * (0.04 + 0.96 * (1 - cosine) ** 5)
    dye = hit.row[..., COLOUR_A] / hit.row[..., COLOUR_A].amax(-1, keepdim=True).clamp_min(1e-3)
    passed = clear[..., None] * (1 - mirrored).clamp_min(0)
    return torch.lerp(colour, seen_through * dye ** (1 / cosine), passed)


def light_behind(packed: PackedScenes, hit: SurfaceHits) -> Tensor:
    """The lamps (B, 12) mirrored at a plane through the subject's middle: what they are to the photo they are to a picture
    of the far side, so that both are equally bright and, seen from a level, meet along the outline.

    The plane's axis is the camera's with half its pitch: a lamp above stays above, as it would be for a second photo from
    behind, yet what is seen from above has an underside that is not black.
    """
    subject = hit.seen & (hit.row[..., REST + 8] > 0)
    middle = torch.where(subject, (hit.t + hit.last) / 2, math.nan).nanmedian(1).values.nan_to_num(1.0)
    ahead = packed.turn[:, :, 2]
    axis = _unit(ahead + _unit(ahead * ahead.new_tensor([1, 0, 1])))
    centre = packed.origin + middle[:, None] * ahead
    away = ((packed.light[:, :3] - centre) * axis).sum(1)
    return torch.cat([packed.light[:, :3] - 2 * away[:, None] * axis, packed.light[:, 3:]], 1)


def render_scenes(
    packed: PackedScenes,
    bank: Tensor,
    height: int,
    width: int,
    generator: torch.Generator,
    unseen: bool = False,
) -> RenderedPhotos:
    """Photos before development with their exact geometry; height and width even; unseen: with the subject's far side."""
    direction, size = pixel_rays(packed, height, width), (height, width)
    hit = trace_scenes(packed, direction, size, unseen)
    ray = _unit(direction, 1).transpose(1, 2)
    colour = _looked_at(packed, bank, hit, ray, size, generator)
    clear = torch.where(hit.seen, hit.row[..., REST + 10], 0.0)
    if bool((clear > 0).any()):
        seen_through = _through_glass(packed, bank, direction, size, generator)
        colour = _glazed(colour, seen_through, hit, ray, clear)
    subject = (hit.seen & (hit.row[..., REST + 8] > 0)).float()
    normals = torch.where(hit.seen[..., None], hit.normal @ packed.turn, hit.normal.new_tensor([0, 0, -1.0]))

    def image(values: Tensor) -> Tensor:
        return values.transpose(1, 2).unflatten(-1, (height, width))

    behind = None
    if hit.exit is not None:
        behind = _shaded(packed, bank, hit.exit, -ray, light_behind(packed, hit), size, generator)
        behind = image(torch.where(subject[..., None] > 0, behind, 0.0))
    return RenderedPhotos(
        image(colour),
        image(torch.where(hit.seen, 1 / hit.t.clamp_min(1e-3), 0.0)[..., None]),
        image(normals),
        image(subject[..., None]),
        image((torch.maximum(hit.last, hit.t) * subject).nan_to_num(0, 0, 0)[..., None]),
        behind,
    )
