"""The second stage as points: each with a colour and learnt features, splatted at several scales, drawn by a small network.

Make-It-3D, section 3.3 (Tang et al. 2023). The places are those of `cloud`; colours, features and the deferred renderer
are fitted to the photo and to the guide's views. The network adds to the picture of the bare colours and begins by adding
nothing. Pictures are over white.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn import functional as F

from recon.refinement.closed_surface import wrapped
from recon.refinement.guidance.solid import VIEWS
from recon.refinement.reference import Frame, Target
from recon.refinement.settings import PointsSettings
from recon.refinement.solid_prior import Guide, trust
from recon.refinement.stages.multiview_points import Cloud
from recon.render.cameras import Pinhole, random_orbits
from recon.render.contextual import contextual_loss
from recon.render.deferred import DeferredNet
from recon.render.losses import colour_loss
from recon.render.splat import Splats, composite, splat
from recon.types import PointCloud

Features = Callable[[Float[Tensor, "b 3 h w"]], Float[Tensor, "b c _ _"]]
"""A network's features of pictures, for the contextual loss."""

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
    splats: list[Splats]


class Points(nn.Module):
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
        self.kept: tuple[Pinhole, Sight] | None = None

    @classmethod
    def of_state(cls, state: dict[str, Tensor], widths: Sequence[int], disc: float) -> Points:
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

    def loss(
        self,
        target: Target,
        guide: Guide,
        settings: PointsSettings,
        generator: torch.Generator,
        features: Features | None = None,
    ) -> Float[Tensor, ""]:
        """What is wrong in the reference view and in one random view of the guide, and how far colours have drifted.

        features: of the contextual loss, which then compares the guide's view; without them colours do, pixel by pixel."""
        seen, _ = self.pictures(self._kept(target.camera))
        cover = target.mask
        wanted = target.photo * cover[..., None] + 1 - cover[..., None]
        loss = settings.colour * colour_loss(seen, wanted, cover, "l1")
        loss = loss + settings.ground * colour_loss(seen, wanted, 1 - cover, "l1")
        camera = random_orbits(1, settings.guide_side, VIEWS, generator)[0].to(self.points.device)
        shown, cover, _ = guide.view(camera)
        wanted = shown * cover[..., None] + 1 - cover[..., None]
        seen, _ = self.pictures(self.sight(camera))
        loss = loss + settings.ground * colour_loss(seen, wanted, 1 - cover, "l1")
        if features is None:
            off = colour_loss(seen, wanted, cover, "l1")
        else:
            one, other = (picture.permute(2, 0, 1)[None] for picture in (seen, wanted))
            off = contextual_loss(one, other, features, generator=generator)
        return loss + settings.guide * trust(camera) * off + self._drift(settings)

    def _drift(self, settings: PointsSettings) -> Float[Tensor, ""]:
        """Mean squared change of the colours, the photo's weighing more."""
        change = (self.rgb - self.first).square().mean(1)
        weight = torch.where(self.reference, settings.held, settings.anchor)
        return (weight * change).mean()

    def _kept(self, camera: Pinhole) -> Sight:
        """Of the reference view, which does not change from step to step."""
        if self.kept is None or not _same(self.kept[0], camera):
            self.kept = camera, self.sight(camera)
        return self.kept[1]

    def surface(self, cell: float) -> tuple[Float[Tensor, "v 3"], Int64[Tensor, "f 3"]]:
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


def _same(one: Pinhole, other: Pinhole) -> bool:
    """Whether two cameras take the same picture."""
    size = (one.width, one.height, one.focal) == (other.width, other.height, other.focal)
    return size and torch.equal(one.c2w, other.c2w)
