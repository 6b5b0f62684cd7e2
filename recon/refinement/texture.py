"""The last stage: fewer faces, an atlas, the photo on what it sees, the field's or spread colours on the rest."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from recon.geometry.decimation import closed_decimation
from recon.refinement.progress import Beat, Parts, still
from recon.refinement.reference import Target
from recon.refinement.settings import TextureSettings
from recon.refinement.solid_prior import shot_of, spread_offsets, vertex_normals
from recon.refinement.stages.point_cloud import Points
from recon.refinement.stages.radiance_field import Coarse
from recon.refinement.unseen_colours import colours_through, plain_photo
from recon.render.atlas import blended, padded, texels, unwrap
from recon.render.raster import interpolate
from recon.types import Mesh

PARTS = 4
"""Fewer faces, their colours, the atlas, the texture."""


@torch.no_grad()
def textured(
    target: Target,
    coarse: Coarse | Points,
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    settings: TextureSettings,
    parts: Parts,
) -> Mesh:
    """The finished mesh in the photo's camera frame; it tells of `PARTS` parts."""
    parts.beat()
    vertices, faces = _fewer(vertices.detach(), faces, settings.faces, parts.beat)
    parts.done()
    plain = plain_photo(target)
    offsets = spread_offsets(target, plain, vertices, faces, settings.hold, settings.fade, parts.beat)
    colours = (colours_through(plain, target, vertices) + offsets).clamp(0, 1)
    parts.done()
    atlas = unwrap(vertices, faces, settings.side, parts.beat)
    parts.done()
    covered = texels(atlas)
    points = interpolate(vertices[atlas.source], covered)
    parts.beat()
    # a face's own normal would have the photo on one face and not on the next
    normals = F.normalize(interpolate(vertex_normals(vertices, faces)[atlas.source], covered), dim=1)
    if settings.field:
        values = coarse.colours(points)
    else:
        values = colours_through(plain, target, points) + interpolate(offsets[atlas.source], covered)
    parts.beat()
    values = blended(values, points, normals, vertices, faces, [shot_of(target)])
    parts.beat()
    picture = (255 * padded(values, covered).clamp(0, 1)).round().byte().cpu().numpy()
    mesh = Mesh(
        target.frame.from_world(vertices[atlas.source].cpu().numpy()),
        atlas.faces.cpu().numpy().astype(np.int32),
        colors=(255 * colours[atlas.source]).round().byte().cpu().numpy(),
        uv=atlas.uv.cpu().numpy(),
        texture=picture,
        source=atlas.source.cpu().numpy().astype(np.int32),
    )
    parts.done()
    return mesh


def _fewer(vertices: Tensor, faces: Tensor, count: int, beat: Beat = still) -> tuple[Tensor, Tensor]:
    """At most about `count` faces, by quadric error; a closed mesh stays closed, if need be with more faces."""
    mesh = vertices.cpu().numpy(), faces.cpu().numpy().astype(np.int32)
    found, triangles = closed_decimation(*mesh, count, beat)
    return torch.from_numpy(found).to(vertices.device), torch.from_numpy(triangles.astype(np.int64)).to(faces.device)
