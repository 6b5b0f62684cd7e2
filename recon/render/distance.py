"""Signed distance to a closed mesh, positive inside, and how wide it is, by Open3D's ray casting scene."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from recon.render.raster import vertex_normals
from recon.threads import count

PART = 1 << 14
"""Points whose distance is looked up between two signs of life: half a second of one core."""


def signed_distance(
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    points: Float[Tensor, "n 3"],
    heartbeat: Callable[[], None] = lambda: None,
) -> Float[Tensor, " n"]:
    """Distance of points to a closed mesh, positive inside. `heartbeat` is called before each part of the points."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene(nthreads=count())
    corners = o3d.core.Tensor(vertices.detach().cpu().numpy())
    scene.add_triangles(corners, o3d.core.Tensor(faces.cpu().numpy().astype(np.uint32)))
    found = []
    for part in points.cpu().split(PART):
        heartbeat()
        away = scene.compute_signed_distance(o3d.core.Tensor(part.numpy()), nthreads=count(), nsamples=1)
        found.append(-torch.from_numpy(away.numpy()))
    return torch.cat(found).to(points.device)


def inner_width(vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]) -> Float[Tensor, " v"]:
    """How far it is from each vertex of a closed mesh, against its normal, to the other side."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene(nthreads=count())
    corners = vertices.detach().cpu().float()
    scene.add_triangles(o3d.core.Tensor(corners.numpy()), o3d.core.Tensor(faces.cpu().numpy().astype(np.uint32)))
    inwards = -vertex_normals(corners, faces.cpu())
    start = corners + 1e-4 * float((corners.amax(0) - corners.amin(0)).max()) * inwards  # off its own faces
    rays = torch.cat([start, inwards], 1).numpy()
    found = torch.from_numpy(scene.cast_rays(o3d.core.Tensor(rays), nthreads=count())["t_hit"].numpy())
    return found.to(vertices)
