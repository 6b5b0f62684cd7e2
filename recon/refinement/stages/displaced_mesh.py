"""A closed mesh whose vertices move, by smooth steps, and which wears a colour at each of them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from recon.geometry.closed import separate_coincident
from recon.geometry.edge_split import split_long_edges
from recon.refinement.progress import Heartbeat, no_heartbeat
from recon.refinement.protocols import State, Triangles
from recon.render.distance import inner_width
from recon.render.large_steps import Preconditioner, faired
from recon.render.raster import vertex_normals
from recon.render.topology import Edges, edges_of
from recon.threads import count

STRETCHED = 3.0
"""Times the median edge: longer ones are cut. A relief's walls stand along the photo's rays and have one quad where its
front has a dozen."""
FAIRING = 30.0
"""Of the surface before it is fitted: waves of 17 edges lose a quarter of their height, of eight 94 percent."""
THICK, FACING = 8.0, 10.0
"""Where less is faired: edges, of what is thinner, by the fourth power, or a chair's leg would be a wire; and what faces
the photo's camera or away from it, where a network has said more of the shape: there it is waves of nine edges."""


def prepared(
    vertices: Float[Tensor, "v 3"],
    faces: Int64[Tensor, "f 3"],
    eye: Float[Tensor, " 3"] | None = None,
    heartbeat: Heartbeat = no_heartbeat,
) -> tuple[Float[Tensor, "w 3"], Int64[Tensor, "g 3"]]:
    """A closed mesh ready to be moved: stretched triangles cut, steps and bumps of single edges smoothed away. eye: of the
    photo's camera, if there is one."""
    length = _median_edge(vertices, faces)
    mesh = vertices.cpu().numpy().astype(np.float32), faces.cpu().numpy().astype(np.int32)
    cut, triangles = split_long_edges(*mesh, STRETCHED * length)
    heartbeat()
    vertices = torch.from_numpy(cut).to(vertices)
    faces = torch.from_numpy(triangles.astype(np.int64)).to(faces.device)
    width = inner_width(vertices, faces).clamp_min(length)
    heartbeat()
    firm = 1 + (THICK * length / width) ** 4
    if eye is not None:
        firm += FACING * F.cosine_similarity(vertices - eye, vertex_normals(vertices, faces), dim=1) ** 2
    return faired(vertices, faces, firm, FAIRING, heartbeat), faces


def _median_edge(vertices: Float[Tensor, "v 3"], faces: Int64[Tensor, "f 3"]) -> float:
    one, other = vertices[edges_of(faces).ends].unbind(1)
    return float((one - other).norm(dim=1).median())


class DisplacedMesh(nn.Module):
    """latent: (I + λL) times the vertices, which is fitted; colour: of each vertex, in 0..1, also fitted; smoothness: λ."""

    faces: Tensor

    def __init__(
        self,
        vertices: Float[Tensor, "v 3"],
        faces: Int64[Tensor, "f 3"],
        colour: Float[Tensor, "v 3"],
        smoothness: float,
    ) -> None:
        super().__init__()
        self.register_buffer("faces", faces)
        self.preconditioner = Preconditioner(faces, len(vertices), smoothness)
        self.edges: Edges = edges_of(faces)
        self.latent = nn.Parameter(self.preconditioner.latent(vertices))
        self.colour = nn.Parameter(colour.clone())

    @classmethod
    def of_state(cls, state: State, smoothness: float) -> DisplacedMesh:
        """As it was kept."""
        made = cls(torch.zeros_like(state["latent"]), state["faces"], state["colour"], smoothness)
        made.load_state_dict(state)
        return made

    def vertices(self) -> Float[Tensor, "v 3"]:
        """Where they are, with gradients."""
        return self.preconditioner(self.latent)

    @torch.no_grad()
    def final(self) -> Triangles:
        """The mesh, no two vertices in one place."""
        apart = separate_coincident(self.vertices().cpu().numpy(), self.faces.cpu().numpy().astype(np.int32))
        return torch.from_numpy(apart).to(self.latent), self.faces

    @torch.no_grad()
    def colours_at(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Colours in 0..1 where the surface is nearest to points."""
        import open3d as o3d

        scene = o3d.t.geometry.RaycastingScene(nthreads=count())
        corners, faces = self.vertices().cpu().numpy(), self.faces.cpu().numpy()
        scene.add_triangles(o3d.core.Tensor(corners), o3d.core.Tensor(faces.astype(np.uint32)))
        found = scene.compute_closest_points(o3d.core.Tensor(points.cpu().numpy()), nthreads=count())
        one, other = torch.from_numpy(found["primitive_uvs"].numpy()).unbind(1)
        face = torch.from_numpy(found["primitive_ids"].numpy().astype(np.int64)).to(self.faces.device)
        weights = torch.stack([1 - one - other, one, other], 1).to(self.colour)
        return (self.colour[self.faces[face]] * weights[..., None]).sum(1).clamp(0, 1)
