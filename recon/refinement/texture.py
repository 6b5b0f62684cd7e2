"""The last part: fewer faces and the texture, two sheets side by side. What the photo shows wears the photo itself, pixel
for pixel; the rest is laid out flat and painted, in the photo's colours along its border."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64, UInt8
from numpy import ndarray
from torch import Tensor
from torch.nn import functional as F

from recon.geometry.decimation import closed_decimation
from recon.refinement.progress import Heartbeat, Reporter, no_heartbeat
from recon.refinement.reference import Frame, PhotoBox, Reference
from recon.refinement.settings import TextureSettings
from recon.refinement.solid_prior import shot_of, spread_offsets
from recon.refinement.unseen_colours import Unseen
from recon.render.atlas import Shot, blended, padded, sample_photo, texels, unwrap
from recon.render.raster import interpolate, vertex_normals
from recon.types import Mesh

PARTS = 4
"""Fewer faces, their colours, the atlas, the texture."""
BELIEVED = 0.99
"""A photo's weight at all three corners of a face that wears the photo itself."""

Colours = Callable[[Float[Tensor, "n 3"]], Float[Tensor, "n 3"]]
"""In 0..1, at points of a surface."""


@dataclass(frozen=True)
class _Laid:
    """Faces laid out in a picture. faces: over the rows of `source`, which are vertices of the mesh; places: of these in
    the picture, in its pixels."""

    picture: UInt8[ndarray, "h w 3"]
    source: Int64[Tensor, " a"]
    faces: Int64[Tensor, "f 3"]
    places: Float32[ndarray, "a 2"]


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
    shots = [] if reference is None else [shot_of(reference)]
    paint = _Paint(colours, vertices, faces, vertex_normals(vertices, faces), shots)
    if reference is not None and not painted:
        paint = paint.with_spread(reference, settings, report.heartbeat)
    of_vertices = paint.of_vertices()
    report.part_done()
    shown = torch.zeros(len(faces), dtype=torch.bool, device=faces.device)
    sheets = []
    if reference is not None:
        shown = _shown(paint, shots[0])
        sheets.append(_on_sheet(reference.sheet, vertices, faces[shown]))
    if not shown.all():
        sheets.append(_painted(paint, faces[~shown], settings, report))
    mesh = _joined(sheets, frame, vertices, of_vertices)
    report.part_done()
    return mesh


@dataclass(frozen=True)
class _Paint:
    """What a mesh wears: the model's colours, or the unseen side's with `offsets` of the vertices; the photos over it."""

    colours: Colours
    vertices: Float[Tensor, "v 3"]
    faces: Int64[Tensor, "f 3"]
    normals: Float[Tensor, "v 3"]
    shots: list[Shot]
    unseen: Unseen | None = None
    offsets: Float[Tensor, "v 3"] | None = None

    def with_spread(self, reference: Reference, settings: TextureSettings, heartbeat: Heartbeat) -> _Paint:
        """The same with the photo's colours spread over the unseen side's."""
        unseen, weights = Unseen.of(reference), (settings.photo_weight, settings.guess_weight)
        heartbeat()
        offsets = spread_offsets(unseen, self.vertices, self.faces, *weights, heartbeat)
        return _Paint(self.colours, self.vertices, self.faces, self.normals, self.shots, unseen, offsets)

    def of_vertices(self) -> Float[Tensor, "v 3"]:
        """Colours of the vertices, in 0..1."""
        if self.unseen is not None and self.offsets is not None:
            return (self.unseen.at(self.vertices, self.normals) + self.offsets).clamp(0, 1)
        own = self.colours(self.vertices)
        return blended(own, self.vertices, self.normals, self.vertices, self.faces, self.shots).clamp(0, 1)

    def at(
        self, points: Float[Tensor, "n 3"], normals: Float[Tensor, "n 3"], offsets: Float[Tensor, "n 3"] | None
    ) -> Float[Tensor, "n 3"]:
        """Colours of points on the mesh; offsets: there, None: the model's own colours."""
        if self.unseen is not None and offsets is not None:
            values = self.unseen.at(points, normals) + offsets
        else:
            values = self.colours(points)
        return blended(values, points, normals, self.vertices, self.faces, self.shots).clamp(0, 1)


def _shown(paint: _Paint, shot: Shot) -> Bool[Tensor, " f"]:
    """The faces that the photo shows well."""
    _, weight = sample_photo(paint.vertices, paint.normals, paint.vertices, paint.faces, shot)
    return (weight[paint.faces] > BELIEVED).all(1)


def _on_sheet(sheet: PhotoBox, vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]) -> _Laid:
    """Faces where the photo's camera sees them."""
    source, own = torch.unique(faces, return_inverse=True)
    return _Laid(sheet.picture, source, own.view(-1, 3), sheet.places(vertices[source].cpu().numpy()))


def _painted(paint: _Paint, faces: Int64[Tensor, "f 3"], settings: TextureSettings, report: Reporter) -> _Laid:
    """Faces cut open, laid out flat and painted."""
    source, own = torch.unique(faces, return_inverse=True)
    atlas = unwrap(paint.vertices[source], own.view(-1, 3), settings.side, report.heartbeat)
    report.part_done()
    whose, covered = source[atlas.source], texels(atlas)
    points = interpolate(paint.vertices[whose], covered)
    report.heartbeat()
    # a face's own normal would have the photo on one face and not on the next
    towards = F.normalize(interpolate(paint.normals[whose], covered), dim=1)
    spread = paint.offsets is not None and not settings.field
    offsets = interpolate(paint.offsets[whose], covered) if spread and paint.offsets is not None else None
    values = paint.at(points, towards, offsets)
    report.heartbeat()
    picture = (255 * padded(values, covered)).round().byte().cpu().numpy()
    places = atlas.uv.cpu().numpy() * np.array(atlas.size[::-1], np.float32)
    return _Laid(picture, whose, atlas.faces, places)


def _joined(sheets: list[_Laid], frame: Frame, vertices: Float[Tensor, "v 3"], colours: Float[Tensor, "v 3"]) -> Mesh:
    """One mesh with one texture of all sheets, from left to right."""
    height, width = max(len(each.picture) for each in sheets), sum(each.picture.shape[1] for each in sheets)
    texture = np.zeros((height, width, 3), np.uint8)
    left, count, places, triangles = 0, 0, [], []
    for each in sheets:
        down, across = each.picture.shape[:2]
        texture[:down, left : left + across] = each.picture
        places.append(each.places + np.array([left, 0], np.float32))
        triangles.append(each.faces + count)
        left, count = left + across, count + len(each.source)
    source = torch.cat([each.source for each in sheets])
    uv = np.concatenate(places) / np.array([width, height], np.float32)
    return Mesh(
        frame.from_world(vertices[source].cpu().numpy()),
        torch.cat(triangles).cpu().numpy().astype(np.int32),
        colors=(255 * colours[source]).round().byte().cpu().numpy(),
        uv=uv.clip(0, 1).astype(np.float32),
        texture=texture,
        source=source.cpu().numpy().astype(np.int32),
    )


def _fewer(vertices: Tensor, faces: Tensor, count: int, heartbeat: Heartbeat = no_heartbeat) -> tuple[Tensor, Tensor]:
    """At most about `count` faces, by quadric error; a closed mesh stays closed, if need be with more faces."""
    mesh = vertices.cpu().numpy(), faces.cpu().numpy().astype(np.int32)
    found, triangles = closed_decimation(*mesh, count, heartbeat)
    return torch.from_numpy(found).to(vertices.device), torch.from_numpy(triangles.astype(np.int64)).to(faces.device)
