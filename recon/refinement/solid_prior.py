"""What needs no weights: the fast path's solid, as the shape to begin with and as it looks from everywhere.

The solid's shape is the shipped network's. Its colours are the photo's where that sees it at no grazing angle; elsewhere
they spread from there along the surface. A view is trusted the less the farther it is from the photo's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn
from torch.nn import functional as F

from recon.refinement.progress import Heartbeat, no_heartbeat
from recon.refinement.reference import Reference
from recon.refinement.unseen_colours import Unseen
from recon.render.atlas import Shot, sample_photo
from recon.render.cameras import Orbits, Pinhole
from recon.render.distance import signed_distance
from recon.render.fields import VolumePrior
from recon.render.large_steps import factorised
from recon.render.raster import interpolate, rasterise, scatter, vertex_normals
from recon.render.topology import edges_of

VIEWS = Orbits(elevation=(-30.0, 60.0), fov=(30.0, 30.0))
"""From where it is looked at."""
ROUGH = 24
"""Cells of the lattice that is looked at everywhere."""
EXACT = 2.0
"""Steps of the lattice from the surface within which a distance is looked up exactly."""
SHARPNESS = 50.0
"""The density's logit rises by this per unit of the solid's distance."""
SEEN_AT = math.log(SHARPNESS * math.log(2)) / SHARPNESS
"""Half of the light that comes straight at the prior's surface is stopped this far inside of where its logit is 0."""

Layers = tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w"], Float[Tensor, "h w"]]


class SolidPrior:
    """A solid in the world of `cameras`, coloured by a reference view of it. photo_weight, guess_weight: how firmly the
    colours of its vertices hold to the photo, and to the guessed ones. What takes long is made once, when it is needed."""

    def __init__(
        self,
        vertices: Float[Tensor, "v 3"],
        faces: Int64[Tensor, "f 3"],
        reference: Reference,
        photo_weight: float,
        guess_weight: float,
    ) -> None:
        self.vertices, self.faces, self.reference = vertices, faces, reference
        self.photo_weight, self.guess_weight = photo_weight, guess_weight
        self._colours: Float[Tensor, "v 3"] | None = None
        self._volume: Float[Tensor, "n n n"] | None = None

    def to(self, device: torch.device | str) -> SolidPrior:
        """The same on another device, nothing made yet."""
        weights = self.photo_weight, self.guess_weight
        return SolidPrior(self.vertices.to(device), self.faces.to(device), self.reference.to(device), *weights)

    def identity(self) -> Sequence[Shaped[Tensor, "*size"]]:
        """Vertices and faces."""
        return self.vertices, self.faces

    def prior(self, cells: int, heartbeat: Heartbeat = no_heartbeat) -> nn.Module:
        """The density's logit: a ramp along the distance."""
        made = VolumePrior.of_distance(self.volume(cells, heartbeat) + SEEN_AT, SHARPNESS)
        self.colours(heartbeat)  # before the first step, which should not take longer than the others
        return made

    def empty_prior(self, cells: int) -> nn.Module:
        """Zeros."""
        return VolumePrior(torch.zeros((cells + 1,) * 3, device=self.vertices.device))

    def triangles(self) -> tuple[Float[Tensor, "v 3"], Int64[Tensor, "f 3"]]:
        """The solid itself."""
        return self.vertices, self.faces

    def colours_at(self, vertices: Float[Tensor, "v 3"], heartbeat: Heartbeat = no_heartbeat) -> Float[Tensor, "v 3"]:
        """Those of its nearest vertices."""
        from scipy.spatial import cKDTree

        _, nearest = cKDTree(self.vertices.cpu().numpy()).query(vertices.cpu().numpy())
        return self.colours(heartbeat)[torch.from_numpy(nearest.astype(np.int64)).to(vertices.device)]

    def volume(self, cells: int, heartbeat: Heartbeat = no_heartbeat) -> Float[Tensor, "n n n"]:
        """Signed distance at the vertices of a lattice of cells³ over the cube from -1 to 1, [z, y, x]."""
        if self._volume is None or len(self._volume) != cells + 1:
            points, side = _lattice(ROUGH).to(self.vertices.device), (ROUGH + 1,) * 3
            rough = signed_distance(self.vertices, self.faces, points, heartbeat).view(side)
            points, side = _lattice(cells).to(self.vertices.device), (cells + 1,) * 3
            self._volume = self._distance_at(rough, points, heartbeat).view(side)
        return self._volume

    def _distance_at(
        self, volume: Float[Tensor, "n n n"], points: Float[Tensor, "m 3"], heartbeat: Heartbeat
    ) -> Float[Tensor, " m"]:
        rough, parts = VolumePrior(volume), []
        for part in points.split(1 << 17):
            parts.append(rough(part))
            heartbeat()
        distance = torch.cat(parts)
        near = (distance.abs() < EXACT * 2 / (volume.shape[0] - 1)).nonzero().squeeze(1)
        distance[near] = signed_distance(self.vertices, self.faces, points[near], heartbeat)
        return distance

    def colours(self, heartbeat: Heartbeat = no_heartbeat) -> Float[Tensor, "v 3"]:
        """Of the vertices, in 0..1."""
        if self._colours is None:
            unseen, weights = Unseen.of(self.reference), (self.photo_weight, self.guess_weight)
            offsets = spread_offsets(unseen, self.vertices, self.faces, *weights, heartbeat)
            normals = vertex_normals(self.vertices, self.faces)
            self._colours = (unseen.at(self.vertices, normals) + offsets).clamp(0, 1)
        return self._colours

    @torch.no_grad()
    def view(self, camera: Pinhole) -> Layers:
        """Colour, mask and depth as a camera sees them, 0 beside the solid."""
        seen = rasterise(self.vertices, self.faces, camera.c2w, camera.focal, (camera.height, camera.width))
        layers = [interpolate(self.colours(), seen), torch.ones_like(seen.bary[:, :1]), seen.depth[:, None]]
        picture = scatter(torch.cat(layers, 1), seen)
        return picture[..., :3], picture[..., 3], picture[..., 4]

    @torch.no_grad()
    def depth(self, camera: Pinhole) -> Float[Tensor, "h w"]:
        """Depth alone, which needs no colours."""
        seen = rasterise(self.vertices, self.faces, camera.c2w, camera.focal, (camera.height, camera.width))
        return scatter(seen.depth[:, None], seen)[..., 0]


def trust(camera: Pinhole, least: float = 0.3) -> float:
    """1 for the reference view, falling with the cosine of the angle to it to `least` for the opposite one."""
    cosine = float(-F.normalize(camera.position, dim=0)[2])
    return least + (1 - least) * (1 + cosine) / 2


def shot_of(reference: Reference) -> Shot:
    """The photo for `atlas`."""
    return Shot(reference.photo, reference.mask, reference.camera.c2w, reference.camera.focal)


@torch.no_grad()
def spread_offsets(
    unseen: Unseen,
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    photo_weight: float,
    guess_weight: float,
    heartbeat: Heartbeat = no_heartbeat,
) -> Float[Tensor, "v 3"]:
    """What a mesh's vertices need to be added to the unseen side's colours: all that the photo differs where it is
    believed; from there it spreads along the surface and fades, so that no seam is seen and nothing is blurred.

    The least of Σ photo_weight·w |d − (photo − unseen)|² + guess_weight |d|² over vertices plus Σ |d − d'|² over edges: a
    screened Poisson equation.
    """
    from scipy.sparse import coo_matrix, diags_array

    normals = vertex_normals(vertices, faces)
    heartbeat()
    seen, weight = sample_photo(vertices, normals, vertices, faces, shot_of(unseen.reference))
    heartbeat()
    off = seen - unseen.at(vertices, normals)
    one, other = edges_of(faces).ends.cpu().numpy().T
    beside = coo_matrix((np.ones(len(one)), (one, other)), (len(vertices),) * 2)
    beside = (beside + beside.T).tocsr()
    held = photo_weight * weight.double().cpu().numpy()
    system = diags_array(np.asarray(beside.sum(1)).ravel() + held + guess_weight) - beside
    found = factorised(system.tocsc())(held[:, None] * off.double().cpu().numpy())
    heartbeat()
    return torch.from_numpy(found).float().to(vertices.device)


def _lattice(cells: int) -> Float[Tensor, "n 3"]:
    line = torch.linspace(-1, 1, cells + 1)
    z, y, x = torch.meshgrid(line, line, line, indexing="ij")
    return torch.stack([x, y, z], -1).view(-1, 3)
