"""The last part: fewer faces, an atlas, the photo on what it sees, the model's own or spread colours on the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from recon.geometry.decimation import closed_decimation
from recon.refinement.progress import Heartbeat, Reporter, no_heartbeat
from recon.refinement.reference import Frame, Reference
from recon.refinement.settings import TextureSettings
from recon.refinement.solid_prior import shot_of, spread_offsets
from recon.refinement.unseen_colours import colours_through, plain_photo
from recon.render.atlas import blended, padded, texels, unwrap
from recon.render.raster import interpolate, vertex_normals
from recon.types import Mesh

PARTS = 4
"""Fewer faces, their colours, the atlas, the texture."""

Colours = Callable[[Float[Tensor, "n 3"]], Float[Tensor, "n 3"]]
"""In 0..1, at points of a surface."""


@torch.no_grad()
def textured(
    reference: Reference | None,
    frame: Frame,
    colours: Colours,
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    settings: TextureSettings,
    report: Reporter,
    painted: bool = False,
) -> Mesh:
    """The finished mesh in the photo's camera frame; it tells of `PARTS` parts. colours: the model's own, of all that no
    photo shows where there is none, where they were painted, or, in the texture alone, where the settings say so."""
    report.heartbeat()
    vertices, faces = _fewer(vertices.detach(), faces, settings.faces, report.heartbeat)
    report.part_done()
    normals = vertex_normals(vertices, faces)
    shots, spread = [] if reference is None else [shot_of(reference)], None
    if reference is not None and not painted:
        spread = _spread(reference, vertices, faces, settings, report.heartbeat)
        of_vertices = spread.of_vertices(vertices)
    else:
        of_vertices = blended(colours(vertices), vertices, normals, vertices, faces, shots)
    report.part_done()
    atlas = unwrap(vertices, faces, settings.side, report.heartbeat)
    report.part_done()
    covered = texels(atlas)
    points = interpolate(vertices[atlas.source], covered)
    report.heartbeat()
    if spread is None or settings.field:
        values = colours(points)
    else:
        values = spread.at(points, interpolate(spread.offsets[atlas.source], covered))
    report.heartbeat()
    # a face's own normal would have the photo on one face and not on the next
    towards = F.normalize(interpolate(normals[atlas.source], covered), dim=1)
    values = blended(values, points, towards, vertices, faces, shots)
    report.heartbeat()
    picture = (255 * padded(values, covered).clamp(0, 1)).round().byte().cpu().numpy()
    mesh = Mesh(
        frame.from_world(vertices[atlas.source].cpu().numpy()),
        atlas.faces.cpu().numpy().astype(np.int32),
        colors=(255 * of_vertices[atlas.source]).round().byte().cpu().numpy(),
        uv=atlas.uv.cpu().numpy(),
        texture=picture,
        source=atlas.source.cpu().numpy().astype(np.int32),
    )
    report.part_done()
    return mesh


@dataclass(frozen=True)
class _Spread:
    """The photo's colours spread over a mesh: its plain photo, and what each vertex is to add to it."""

    reference: Reference
    plain: Float[Tensor, "s s 3"]
    offsets: Float[Tensor, "v 3"]

    def at(self, points: Float[Tensor, "n 3"], offsets: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Colours at points with the offsets there."""
        return colours_through(self.plain, self.reference, points) + offsets

    def of_vertices(self, vertices: Float[Tensor, "v 3"]) -> Float[Tensor, "v 3"]:
        """Colours of the mesh's vertices, in 0..1."""
        return self.at(vertices, self.offsets).clamp(0, 1)


def _spread(
    reference: Reference, vertices: Tensor, faces: Tensor, settings: TextureSettings, heartbeat: Heartbeat
) -> _Spread:
    plain, weights = plain_photo(reference), (settings.photo_weight, settings.guess_weight)
    return _Spread(reference, plain, spread_offsets(reference, plain, vertices, faces, *weights, heartbeat))


def _fewer(vertices: Tensor, faces: Tensor, count: int, heartbeat: Heartbeat = no_heartbeat) -> tuple[Tensor, Tensor]:
    """At most about `count` faces, by quadric error; a closed mesh stays closed, if need be with more faces."""
    mesh = vertices.cpu().numpy(), faces.cpu().numpy().astype(np.int32)
    found, triangles = closed_decimation(*mesh, count, heartbeat)
    return torch.from_numpy(found).to(vertices.device), torch.from_numpy(triangles.astype(np.int64)).to(faces.device)
