"""Smoothness of triangle meshes: the uniform Laplacian and the consistency of neighbouring normals."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from recon.render.raster import face_normals
from recon.render.topology import Edges


def laplacian(vertices: Float[Tensor, "v 3"], edges: Edges) -> Float[Tensor, "v 3"]:
    """From each vertex to the mean of its neighbours, 0 for a vertex without any (the umbrella operator, Taubin 1995)."""
    one, other = edges.ends.unbind(1)
    reach = vertices.index_select(0, other) - vertices.index_select(0, one)
    total = torch.zeros_like(vertices).index_add(0, one, reach).index_add(0, other, -reach)
    count = torch.bincount(edges.ends.flatten(), minlength=len(vertices))
    return total / count.clamp_min(1)[:, None].to(total.dtype)


def normal_loss(vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"], edges: Edges) -> Float[Tensor, ""]:
    """Mean over the inner edges of 1 − cosine of the angle between the normals on either side: 0 for a plane and
    for an empty mesh."""
    normals = face_normals(vertices, faces)
    one, other = edges.inner.unbind(1)
    return (1 - (normals.index_select(0, one) * normals.index_select(0, other)).sum(1)).sum() / max(len(one), 1)
