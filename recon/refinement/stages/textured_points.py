"""Points, each with a colour and learnt features, splatted at several scales and drawn by a small network.

Make-It-3D, section 3.3 (Tang et al. 2023). The places are those of `multiview_points` and stay. The network adds to the
picture of the bare colours and begins by adding nothing. Pictures are over white.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from recon.refinement.closed_surface import wrapped
from recon.refinement.protocols import State, Triangles
from recon.refinement.reference import Frame
from recon.refinement.stages.multiview_points import Cloud
from recon.render.cameras import Pinhole
from recon.render.deferred import DeferredNet
from recon.render.splat import PixelSplats, composite, splat
from recon.types import PointCloud

SCALES = 3
"""Full, half and quarter size."""
SMALLEST = 0.75
"""Radius of a disc in pixels: no smaller one always has a pixel's centre in it (0.71)."""
COARSER = 2.0
"""Radius of the discs of half and quarter size over that at full size."""
NEAREST = 4
"""Points that a colour between points is the mean of."""
CLOSE = 1e-3
"""A distance below which a point's colour is the place's."""


@dataclass(frozen=True)
class Sight:
    """Which points a camera sees, scale by scale: `chosen` of all points, and `splats` of these."""

    chosen: list[Int64[Tensor, " _"]]
    splats: list[PixelSplats]


class TexturedPoints(nn.Module):
    """A cloud with its renderer. disc: the points' radius in the world; seed: decides the network's first weights."""

    points: Tensor
    normals: Tensor
    first: Tensor
    reference: Tensor

    def __init__(self, cloud: Cloud, features: int, widths: Sequence[int], disc: float, seed: int = 0) -> None:
        super().__init__()
        self.disc = disc
        self.register_buffer("points", cloud.points)
        self.register_buffer("normals", cloud.normals)
        self.register_buffer("first", cloud.colours)
        self.register_buffer("reference", cloud.reference)
        self.rgb = nn.Parameter(cloud.colours.clone())
        self.features = nn.Parameter(cloud.colours.new_zeros(len(cloud.points), features))
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.net = DeferredNet(features + 4, SCALES, widths)
            nn.init.normal_(self.features, 0, 0.1)
            for weights in self.net.last.parameters():
                nn.init.zeros_(weights)

    @classmethod
    def of_state(cls, state: State, widths: Sequence[int], disc: float) -> TexturedPoints:
        """The one whose state it is."""
        cloud = Cloud(*(state[name] for name in ("points", "normals", "first", "reference")))
        made = cls(cloud, state["features"].shape[1], widths, disc)
        made.load_state_dict(state)
        return made

    @torch.no_grad()
    def sight(self, camera: Pinhole) -> Sight:
        """What a camera sees. Points on sides that face away are not drawn; each scale has a quarter of the points of the
        one before, as it has of the pixels, in larger discs, so that it has no holes."""
        radius = max(self.disc * camera.focal / float(camera.position.norm()), SMALLEST)
        towards = ((camera.position - self.points) * self.normals).sum(1) > 0
        chosen, splats = [], []
        for scale in range(SCALES):
            some = towards[: -(-len(towards) >> 2 * scale)].nonzero().squeeze(1)
            size = camera.height >> scale, camera.width >> scale
            larger = COARSER * radius if scale else radius
            splats.append(splat(self.points[some], camera.c2w, camera.focal / 2**scale, size, larger))
            chosen.append(some)
        return Sight(chosen, splats)

    def pictures(self, sight: Sight) -> tuple[Float[Tensor, "h w 3"], Float[Tensor, "h w 3"]]:
        """The picture, and that of the bare colours."""
        values = torch.cat([self.rgb, self.features], 1)
        layers = [
            composite(s, values.index_select(0, some)) for s, some in zip(sight.splats, sight.chosen, strict=True)
        ]
        bare = layers[0][..., :3] + 1 - layers[0][..., -1:]
        more = self.net([layer.permute(2, 0, 1)[None] for layer in layers])[0].permute(1, 2, 0)
        return (bare + 2 * more - 1).clamp(0, 1), bare.clamp(0, 1)

    @torch.no_grad()
    def view(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture by the deferred renderer."""
        return self.pictures(self.sight(camera))[0]

    @torch.no_grad()
    def bare(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture of the bare colours, for comparison."""
        return self.pictures(self.sight(camera))[1]

    def drift(self, photo: float, others: float) -> Float[Tensor, ""]:
        """Mean squared change of the colours, weighted: the photo's, and the others."""
        change = (self.rgb - self.first).square().mean(1)
        return (torch.where(self.reference, photo, others) * change).mean()

    @torch.no_grad()
    def geometry(self, camera: Pinhole, sight: Sight) -> Float[Tensor, "h w 5"]:
        """Opacity, depth and normal as a camera sees them; sight: its own. The places of points are not fitted."""
        depth = (self.points - camera.position) @ camera.c2w[:, 2]
        layers = composite(sight.splats[0], torch.cat([depth[:, None], self.normals], 1)[sight.chosen[0]])
        opacity = layers[..., -1:]
        return torch.cat([opacity, layers[..., :1] / opacity.clamp_min(1e-6), layers[..., 1:4]], 2)

    def surface(self, cell: float) -> Triangles:
        """The closed mesh around the points; cell: the solver's finest, in the world's unit."""
        return wrapped(self.points, self.normals, cell)

    def cloud(self, frame: Frame) -> PointCloud:
        """The points in the photo's camera frame, their normals outwards."""
        normals = self.normals.cpu().numpy() @ frame.rotation
        colours = (255 * self.rgb.detach().cpu().clamp(0, 1)).round().byte().numpy()
        return PointCloud(frame.from_world(self.points.cpu().numpy()), colours, normals)

    @torch.no_grad()
    def colours(self, places: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Colours between the points: the mean of the nearest ones, weighted by their inverse distances."""
        from scipy.spatial import cKDTree

        distance, index = cKDTree(self.points.cpu().numpy()).query(places.cpu().numpy(), NEAREST)
        weight = F.normalize(1 / (torch.from_numpy(distance).to(places) + CLOSE), p=1, dim=1)
        near = self.rgb[torch.from_numpy(index).to(self.rgb.device)].to(places)
        return (near * weight[..., None]).sum(1).clamp(0, 1)
