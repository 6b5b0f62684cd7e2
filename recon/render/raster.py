"""Triangle meshes made into pictures, differentiably: who is seen, where on its face, with which values.

Three steps, as in Laine et al. 2020, "Modular primitives for high-performance differentiable rendering": visibility without
gradient (`visibility`), perspective-correct barycentric coordinates of the visible pixels only, with gradients to the
vertices, and antialiased silhouettes, which give the gradient that the first two cannot (`antialias`).

    seen = rasterise(vertices, faces, c2w, focal, (256, 256))
    picture = antialias(scatter(interpolate(colours, seen), seen), seen, edges_of(faces))

A camera is `c2w`, rotation and position side by side (3×4, from the camera's frame to the world's), `focal` in pixels and
`size` (height, width).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from recon.render.visibility import Visibility, fastest_visibility


@dataclass(frozen=True)
class Fragments:
    """The pixels that show a mesh, n of them in reading order.

    vertices: in the camera's frame; faces: the mesh's; focal, size: of the camera; pixel: row·width + column; face: the
    face seen there; bary: where on it, three weights whose sum is 1; depth: along the optical axis. vertices, bary and
    depth carry gradients.
    """

    vertices: Float[Tensor, "v 3"]
    faces: Int64[Tensor, "f 3"]
    focal: float
    size: tuple[int, int]
    pixel: Int64[Tensor, " n"]
    face: Int64[Tensor, " n"]
    bary: Float[Tensor, "n 3"]
    depth: Float[Tensor, " n"]


def to_camera(points: Float[Tensor, "n 3"], c2w: Float[Tensor, "3 4"]) -> Float[Tensor, "n 3"]:
    """World points in the camera's frame."""
    return (points - c2w[:, 3]) @ c2w[:, :3]


def pixel_directions(
    pixel: Int64[Tensor, " n"], focal: float, size: tuple[int, int]
) -> tuple[Float[Tensor, " n"], Float[Tensor, " n"]]:
    """x and y of the directions with z = 1 through the centres of pixels."""
    height, width = size
    column, row = pixel % width, pixel // width
    return (column + (0.5 - width / 2)) / focal, (row + (0.5 - height / 2)) / focal


def rasterise(
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    c2w: Float[Tensor, "3 4"],
    focal: float,
    size: tuple[int, int],
    visibility: Visibility | None = None,
) -> Fragments:
    """What a camera sees of a mesh, by the fastest visibility here unless one is given."""
    local = to_camera(vertices, c2w)
    seen = (visibility or fastest_visibility(vertices.device))(local, faces, focal, size).flatten()
    pixel = (seen >= 0).nonzero().squeeze(1)
    face = seen.index_select(0, pixel)
    bary, depth = _intersect(local, faces, face, pixel_directions(pixel, focal, size))
    return Fragments(local, faces, focal, size, pixel, face, bary, depth)


def _intersect(
    vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"], face: Int64[Tensor, " n"], ray: tuple[Tensor, Tensor]
) -> tuple[Float[Tensor, "n 3"], Float[Tensor, " n"]]:
    """Barycentric coordinates and depth where rays from the origin meet the planes of their faces (Möller and Trumbore
    1997, section 2, with origin 0 and direction (x, y, 1)). Componentwise: short rows are slow to gather."""
    axes = vertices.unbind(1)
    corners = [corner.index_select(0, face) for corner in faces.unbind(1)]
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = ([axis.index_select(0, corner) for axis in axes] for corner in corners)
    x, y = ray[0].to(ax.dtype), ray[1].to(ax.dtype)
    bx, by, bz = bx - ax, by - ay, bz - az
    cx, cy, cz = cx - ax, cy - ay, cz - az
    px, py, pz = y * cz - cy, cx - x * cz, x * cy - y * cx  # direction × c
    qx, qy, qz = az * by - ay * bz, ax * bz - az * bx, ay * bx - ax * by  # −a × b
    inverse = 1 / (bx * px + by * py + bz * pz)
    second = -(ax * px + ay * py + az * pz) * inverse
    third = (x * qx + y * qy + qz) * inverse
    return torch.stack([1 - second - third, second, third], 1), (cx * qx + cy * qy + cz * qz) * inverse


def interpolate(values: Float[Tensor, "v c"], seen: Fragments) -> Float[Tensor, "n c"]:
    """Values of vertices (colours, texture coordinates, positions) at the visible pixels, perspective-correct."""
    corners = seen.faces.index_select(0, seen.face).flatten()
    return (values.index_select(0, corners).unflatten(0, (-1, 3)) * seen.bary[:, :, None]).sum(1)


def scatter(
    values: Float[Tensor, "n c"], seen: Fragments, background: float | Float[Tensor, " c"] = 0.0
) -> Float[Tensor, "h w c"]:
    """The picture (h, w, c) of the visible pixels' values."""
    height, width = seen.size
    blank = values.new_empty(height * width, values.shape[1])
    blank[:] = background
    return blank.index_copy(0, seen.pixel, values).view(height, width, -1)


def depth_map(seen: Fragments) -> Float[Tensor, "h w"]:
    """Depth per pixel, infinite where there is nothing."""
    return scatter(seen.depth[:, None], seen, float("inf"))[..., 0]


def face_normals(vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]) -> Float[Tensor, "f 3"]:
    """Unit normals, outwards where faces wind counter-clockwise seen from outside; 0 for a face without area."""
    a, b, c = vertices.index_select(0, faces.flatten()).unflatten(0, (-1, 3)).unbind(1)
    return torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=1, eps=1e-20)


def vertex_normals(vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]) -> Float[Tensor, "v 3"]:
    """Unit means of the normals of the faces around each vertex."""
    normals = face_normals(vertices, faces)
    total = torch.zeros_like(vertices)
    for corner in faces.unbind(1):
        total = total.index_add(0, corner, normals)
    return torch.nn.functional.normalize(total, dim=1)
