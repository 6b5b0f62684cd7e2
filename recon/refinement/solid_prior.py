"""The guidance that needs no weights: what the fast path's solid looks like from everywhere, and how far to believe it.

The solid's shape is the shipped network's. Its colours are the photo's where that sees it at no grazing angle; elsewhere
they spread from there along the surface. A view is trusted the less the farther it is from the photo's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.nn import functional as F

from recon.refinement.progress import Beat, still
from recon.refinement.reference import Target
from recon.refinement.unseen_colours import colours_through, plain_photo
from recon.render.atlas import Shot, sample_photo
from recon.render.cameras import Pinhole
from recon.render.fields import VolumePrior
from recon.render.raster import face_normals, interpolate, rasterise, scatter
from recon.render.topology import edges_of
from recon.threads import count

ROUGH = 24
"""Cells of the lattice that is looked at everywhere."""
EXACT = 2.0
"""Steps of the lattice from the surface within which a distance is looked up exactly."""
PART = 1 << 14
"""Points whose distance is looked up between two signs of life: half a second of one core."""


@dataclass(frozen=True)
class Guide:
    """A solid with a colour at each vertex, in 0..1, in the world of `cameras`."""

    vertices: Float[Tensor, "v 3"]
    faces: Int64[Tensor, "f 3"]
    colours: Float[Tensor, "v 3"]

    @torch.no_grad()
    def view(self, camera: Pinhole) -> tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w"], Float[Tensor, "h w"]]:
        """Colour, mask and depth as a camera sees them, 0 beside the solid."""
        seen = rasterise(self.vertices, self.faces, camera.c2w, camera.focal, (camera.height, camera.width))
        layers = torch.cat([interpolate(self.colours, seen), torch.ones_like(seen.bary[:, :1]), seen.depth[:, None]], 1)
        picture = scatter(layers, seen)
        return picture[..., :3], picture[..., 3], picture[..., 4]


def trust(camera: Pinhole, least: float = 0.3) -> float:
    """1 for the reference view, falling with the cosine of the angle to it to `least` for the opposite one."""
    cosine = float(-F.normalize(camera.position, dim=0)[2])
    return least + (1 - least) * (1 + cosine) / 2


def guide_of(target: Target, hold: float, fade: float, beat: Beat = still) -> Guide:
    """The target's solid, coloured."""
    plain = plain_photo(target)
    offsets = spread_offsets(target, plain, target.vertices, target.faces, hold, fade, beat)
    colours = (colours_through(plain, target, target.vertices) + offsets).clamp(0, 1)
    return Guide(target.vertices, target.faces, colours)


def vertex_normals(vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]) -> Float[Tensor, "v 3"]:
    """Unit means of the normals of the faces around each vertex."""
    normals = face_normals(vertices, faces)
    total = torch.zeros_like(vertices)
    for corner in faces.unbind(1):
        total.index_add_(0, corner, normals)
    return F.normalize(total, dim=1)


def shot_of(target: Target) -> Shot:
    """The target's photo for `atlas`."""
    return Shot(target.photo, target.mask, target.camera.c2w, target.camera.focal)


@torch.no_grad()
def spread_offsets(
    target: Target,
    plain: Float[Tensor, "s s 3"],
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    hold: float,
    fade: float,
    beat: Beat = still,
) -> Float[Tensor, "v 3"]:
    """What a mesh's vertices need to be added to the plain photo's colours: all that the photo differs where it is
    believed; from there it spreads along the surface and fades, so that no seam is seen and nothing is blurred.

    The least of Σ hold·w |d − (photo − plain)|² + fade |d|² over vertices plus Σ |d − d'|² over edges: a screened Poisson
    equation.
    """
    from scipy.sparse import coo_matrix, diags_array
    from scipy.sparse.linalg import splu

    normals = vertex_normals(vertices, faces)
    beat()
    seen, weight = sample_photo(vertices, normals, vertices, faces, shot_of(target))
    beat()
    off = seen - colours_through(plain, target, vertices)
    one, other = edges_of(faces).ends.cpu().numpy().T
    beside = coo_matrix((np.ones(len(one)), (one, other)), (len(vertices),) * 2)
    beside = (beside + beside.T).tocsr()
    held = hold * weight.double().cpu().numpy()
    system = diags_array(np.asarray(beside.sum(1)).ravel() + held + fade) - beside
    found = splu(system.tocsc()).solve(held[:, None] * off.double().cpu().numpy())
    beat()
    return torch.from_numpy(found).float().to(vertices.device)


def signed_distance(
    vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"], points: Float[Tensor, "n 3"], beat: Beat = still
) -> Float[Tensor, " n"]:
    """Distance to a closed mesh, positive inside, by Open3D."""
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene(nthreads=count())
    corners = o3d.core.Tensor(vertices.detach().cpu().numpy())
    scene.add_triangles(corners, o3d.core.Tensor(faces.cpu().numpy().astype(np.uint32)))
    found = []
    for part in points.cpu().split(PART):
        beat()
        away = scene.compute_signed_distance(o3d.core.Tensor(part.numpy()), nthreads=count(), nsamples=1)
        found.append(-torch.from_numpy(away.numpy()))
    return torch.cat(found).to(points.device)


def distance_volume(target: Target, cells: int, beat: Beat = still) -> Float[Tensor, "n n n"]:
    """The solid's signed distance at the vertices of a lattice of cells³ over the cube from -1 to 1, [z, y, x]."""
    points, side = _lattice(ROUGH).to(target.vertices.device), (ROUGH + 1,) * 3
    rough = signed_distance(target.vertices, target.faces, points, beat).view(side)
    points, side = _lattice(cells).to(target.vertices.device), (cells + 1,) * 3
    return distance_at(target, rough, points, beat).view(side)


def _lattice(cells: int) -> Float[Tensor, "n 3"]:
    line = torch.linspace(-1, 1, cells + 1)
    z, y, x = torch.meshgrid(line, line, line, indexing="ij")
    return torch.stack([x, y, z], -1).view(-1, 3)


def distance_at(
    target: Target, volume: Float[Tensor, "n n n"], points: Float[Tensor, "m 3"], beat: Beat = still
) -> Float[Tensor, " m"]:
    """The solid's distance at points: exact near its surface, the volume's elsewhere."""
    rough, parts = VolumePrior(volume), []
    for part in points.split(1 << 17):
        parts.append(rough(part))
        beat()
    distance = torch.cat(parts)
    near = (distance.abs() < EXACT * 2 / (volume.shape[0] - 1)).nonzero().squeeze(1)
    distance[near] = signed_distance(target.vertices, target.faces, points[near], beat)
    return distance
