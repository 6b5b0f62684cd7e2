"""The last stage: fewer faces, an atlas, the photo on what it sees, the field's or spread colours on the rest."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from recon.refine.coarse import Coarse
from recon.refine.guidance import shot_of, spread_colours
from recon.refine.points import Points
from recon.refine.settings import TextureSettings
from recon.refine.target import Target
from recon.render.atlas import blended, padded, texels, unwrap
from recon.render.raster import face_normals, interpolate
from recon.types import Mesh


@torch.no_grad()
def textured(
    target: Target,
    coarse: Coarse | Points,
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    settings: TextureSettings,
) -> Mesh:
    """The finished mesh in the photo's camera frame."""
    vertices, faces = _fewer(vertices.detach(), faces, settings.faces)
    colours = spread_colours(target, vertices, faces, settings.hold, settings.fade)
    atlas = unwrap(vertices, faces, settings.side)
    covered = texels(atlas)
    points = interpolate(vertices[atlas.source], covered)
    normals = face_normals(vertices, faces)[covered.face]
    values = coarse.colours(points) if settings.field else interpolate(colours[atlas.source], covered)
    values = blended(values, points, normals, vertices, faces, [shot_of(target)])
    picture = (255 * padded(values, covered).clamp(0, 1)).round().byte().numpy()
    return Mesh(
        target.frame.from_world(vertices[atlas.source].numpy()),
        atlas.faces.numpy().astype(np.int32),
        colors=(255 * colours[atlas.source]).round().byte().numpy(),
        uv=atlas.uv.numpy(),
        texture=picture,
    )


def _fewer(vertices: Tensor, faces: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """At most about `count` faces, by quadric error (Open3D keeps closed meshes closed)."""
    if len(faces) <= count:
        return vertices, faces
    whole = Mesh(vertices.numpy(), faces.numpy().astype(np.int32)).to_open3d()
    small = whole.simplify_quadric_decimation(count)
    found = np.asarray(small.vertices, np.float32), np.asarray(small.triangles, np.int64)
    return torch.from_numpy(found[0].copy()), torch.from_numpy(found[1].copy())
