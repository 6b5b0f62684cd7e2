"""Coloured points all round a subject: every pixel of the photo, and what only other views see.

Make-It-3D, section 3.3 (Tang et al. 2023): the reference view's depth gives a point to each of the subject's pixels, with
the photo's colour. Views around the object add points only where the photo does not show the surface already, nor at its
own steps in depth. Theirs are 3 elevations (10° apart) × 11 azimuths; the numbers here are settings.

World and cameras are those of `recon.render.cameras`; colours are sRGB in 0..1; depth is z along the optical axis, NaN
beside the object; normals are unit vectors out of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from recon.geometry.fill import nearest_filled
from recon.refinement.progress import Heartbeat, no_heartbeat
from recon.refinement.reference import Reference
from recon.refinement.solid_prior import SolidPrior
from recon.refinement.stages.radiance_field import RadianceField
from recon.render.antialias import SLACK
from recon.render.cameras import Pinhole, distance_to_fit, orbit
from recon.render.fields import normals_by_differences
from recon.render.march import render_view
from recon.render.raster import interpolate, rasterise, scatter, vertex_normals

FOV = 20.0
"""Degrees; Make-It-3D's views."""
FACING = 0.35
"""Cosine of the angle between a normal and the line to a camera (70°) from which that camera samples the surface well."""
TOLERANCE = 3.0
"""Pixels' widths that two depths of one place may differ by: half a pixel beside it on a surface at `FACING`, both ways."""
REACH = 6.0
"""Pixels beyond the surface's outline to which its depth is carried for pixels of the subject."""
SPACING = 0.02
"""Step of the field's normals: two samples of the solid that it began as."""


@dataclass(frozen=True)
class View:
    """What a camera sees of a surface."""

    colour: Float[Tensor, "h w 3"]
    depth: Float[Tensor, "h w"]
    normal: Float[Tensor, "h w 3"]


Viewer = Callable[[Pinhole], View]


@dataclass(frozen=True)
class Cloud:
    """Coloured, oriented points in an order drawn by chance, so that the first of them are a thinner cloud. reference:
    which are pixels of the photo."""

    points: Float[Tensor, "n 3"]
    normals: Float[Tensor, "n 3"]
    colours: Float[Tensor, "n 3"]
    reference: Bool[Tensor, " n"]


@dataclass(frozen=True)
class _Known:
    """A view whose points are in the cloud, and the pixels where it counts."""

    camera: Pinhole
    depth: Float[Tensor, "h w"]
    counts: Bool[Tensor, "h w"]


def solid_viewer(solid: SolidPrior) -> Viewer:
    """Views of the solid: exact depth, the smooth normals of its vertices."""
    normals = vertex_normals(solid.vertices, solid.faces)

    @torch.no_grad()
    def seen_by(camera: Pinhole) -> View:
        seen = rasterise(solid.vertices, solid.faces, camera.c2w, camera.focal, (camera.height, camera.width))
        colour, normal = interpolate(solid.colours(), seen), F.normalize(interpolate(normals, seen), dim=1)
        depth = scatter(seen.depth[:, None], seen, torch.nan)[..., 0]
        return View(scatter(colour, seen), depth, scatter(normal, seen))

    return seen_by


def field_viewer(model: RadianceField) -> Viewer:
    """Views of a field: mean depth where half a pixel is covered, the density's direction as normal."""

    @torch.no_grad()
    def seen_by(camera: Pinhole) -> View:
        seen = render_view(model.field, camera, model.occupancy, torch.ones(3, device=camera.c2w.device))
        normal, there = torch.zeros_like(seen.colour), ~seen.depth.isnan()
        places = _lifted(camera, seen.depth)[there]
        parts = [normals_by_differences(model.field.density_logit, part, SPACING) for part in places.split(1 << 14)]
        normal[there] = torch.cat(parts)
        return View(seen.colour, seen.depth, normal)

    return seen_by


def cameras_around(elevations: Sequence[float], azimuths: int, side: int) -> list[Pinhole]:
    """Square views of `side` pixels at so many azimuths, evenly all round, the ones nearest the reference view first."""
    angles = [(360 * i / azimuths, elevation) for elevation in elevations for i in range(azimuths)]
    views = [orbit(azimuth, elevation, distance_to_fit(FOV), FOV, side) for azimuth, elevation in angles]
    return sorted(views, key=lambda view: float(view.position[2]))  # the reference camera looks along z


@torch.no_grad()
def multiview_cloud(
    reference: Reference,
    viewer: Viewer,
    cameras: Sequence[Pinhole],
    erosion: int,
    heartbeat: Heartbeat = no_heartbeat,
) -> Cloud:
    """The photo's pixels, then what each camera sees that is not in the cloud yet. erosion: pixels of the subject's rim
    where other views may add points too, for the photo shows it at a grazing angle."""
    first = _in_the_photo(reference, viewer(reference.camera))
    there = ~first.depth.isnan()
    parts = [_taken(reference.camera, first, there)]
    known = [_Known(reference.camera, first.depth, _eroded(there, erosion))]
    for camera in cameras:
        heartbeat()
        seen = viewer(camera)
        good = ~seen.depth.isnan() & ~_steps(seen.depth, camera)
        points, normals, colours = _taken(camera, seen, good)
        new = _faces(camera, points, normals)
        for view in known:
            new &= ~_covers(view, points, normals)
        parts.append((points[new], normals[new], colours[new]))
        known.append(_Known(camera, seen.depth, good))
    points, normals, colours = (torch.cat(values) for values in zip(*parts, strict=True))
    order = torch.randperm(len(points), generator=torch.Generator().manual_seed(0)).to(points.device)
    return Cloud(points[order], normals[order], colours[order], order < len(parts[0][0]))


def _in_the_photo(reference: Reference, seen: View) -> View:
    """The surface at every pixel of the subject, in the photo's colours; a little beyond its outline like at it."""
    layers = torch.cat([seen.depth[..., None], seen.normal], 2)
    layers[seen.depth.isnan()] = torch.nan
    filled = np.stack([nearest_filled(layer, REACH) for layer in layers.permute(2, 0, 1).cpu().numpy()], -1)
    layers = torch.from_numpy(filled).to(seen.depth)
    layers[reference.mask <= 0.5] = torch.nan
    return View(reference.photo, layers[..., 0], layers[..., 1:])


def _taken(camera: Pinhole, seen: View, where: Bool[Tensor, "h w"]) -> tuple[Tensor, Tensor, Tensor]:
    """Points, normals and colours of some of a view's pixels."""
    return _lifted(camera, seen.depth)[where], seen.normal[where], seen.colour[where]


def _lifted(camera: Pinhole, depth: Float[Tensor, "h w"]) -> Float[Tensor, "h w 3"]:
    """The points at the pixels' centres."""
    rays = camera.rays()
    along = (depth.flatten() / rays.forward)[:, None]
    return (rays.origins + along * rays.directions).view(*depth.shape, 3)


def _faces(camera: Pinhole, points: Float[Tensor, "n 3"], normals: Float[Tensor, "n 3"]) -> Bool[Tensor, " n"]:
    """Whether a surface faces a camera well."""
    return F.cosine_similarity(camera.position - points, normals, dim=1) > FACING


def _covers(view: _Known, points: Float[Tensor, "n 3"], normals: Float[Tensor, "n 3"]) -> Bool[Tensor, " n"]:
    """Whether a view shows the surface at points: it faces the camera and lies where the view's depth says (z-buffer)."""
    camera = view.camera
    u, v, z = camera.project(points).unbind(1)
    column, row = u.floor().long(), v.floor().long()
    inside = (z > 0) & (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    place = torch.where(inside, row * camera.width + column, 0)
    near = (view.depth.flatten()[place] - z).abs() < TOLERANCE * z / camera.focal  # false for NaN
    return inside & near & view.counts.flatten()[place] & _faces(camera, points, normals)


def _steps(depth: Float[Tensor, "h w"], camera: Pinhole) -> Bool[Tensor, "h w"]:
    """Pixels beside a step in depth or the object's outline."""
    far = depth.nan_to_num(1e3)[None, None]
    high, low = F.max_pool2d(far, 3, 1, 1), -F.max_pool2d(-far, 3, 1, 1)
    return (high - low > 2 * SLACK / camera.focal * low)[0, 0]


def _eroded(inside: Bool[Tensor, "h w"], by: int) -> Bool[Tensor, "h w"]:
    """Less its rim of `by` pixels, and less what lies that near to the picture's edge."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * by + 1, 2 * by + 1))
    small = cv2.erode(inside.cpu().numpy().astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return torch.from_numpy(small > 0).to(inside.device)
