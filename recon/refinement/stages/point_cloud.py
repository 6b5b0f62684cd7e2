"""The fit of textured points: their colours, features and renderer to the photo and to the solid's views (Make-It-3D,
section 3.3), and to what else guides the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from recon.errors import BadOption
from recon.messages import Message
from recon.refinement.progress import Heartbeat, no_heartbeat
from recon.refinement.protocols import (
    Rendering,
    Stage,
    StageContext,
    State,
    Triangles,
    ViewBudget,
    ViewRequest,
    guided,
    smaller_pictures,
)
from recon.refinement.reference import Frame, Reference
from recon.refinement.settings import PointCloudSettings
from recon.refinement.solid_prior import VIEWS, SolidPrior, trust
from recon.refinement.stages.multiview_points import cameras_around, field_viewer, multiview_cloud, solid_viewer
from recon.refinement.stages.radiance_field import RadianceFieldStage
from recon.refinement.stages.textured_points import TexturedPoints
from recon.render.cameras import Pinhole, random_orbits
from recon.render.contextual import contextual_loss
from recon.render.losses import colour_loss
from recon.types import PointCloud


class PointCloudStage(Stage):
    """The fit of a cloud. solid: what its views are compared with."""

    name = PointCloudSettings.stage

    def __init__(
        self,
        model: TexturedPoints,
        reference: Reference,
        solid: SolidPrior,
        settings: PointCloudSettings,
        context: StageContext,
    ) -> None:
        self.model, self.solid, self.settings, self.context = model, solid, settings, context
        self.steps, self._whole = settings.steps, reference
        self._see_reference()

    def _see_reference(self) -> None:
        self.reference = self._whole.at(self.settings.side)
        self._sight = self.model.sight(self.reference.camera)

    @classmethod
    def begin(
        cls, settings: PointCloudSettings, context: StageContext, before: Sequence[Stage], state: State | None
    ) -> PointCloudStage:
        """The points where the solid or the field is, or as they were left. Raises BadOption without a photo."""
        subject, field = context.subject, before[-1]
        reference, solid = subject.reference, subject.shape
        if reference is None or not isinstance(solid, SolidPrior):
            raise BadOption("points.no_photo", "points take their colours from a photo and there is none; make a mesh.")
        assert isinstance(field, RadianceFieldStage), "points come after a radiance field"
        disc = settings.radius * float(reference.camera.position.norm()) / reference.camera.focal
        if state is not None:
            model = TexturedPoints.of_state(state, settings.widths, disc)
        else:
            viewer = field_viewer(field.model) if settings.field else solid_viewer(solid)
            views = cameras_around(settings.elevations, settings.azimuths, settings.novel)
            cameras = [camera.to(context.device) for camera in views]
            cloud = multiview_cloud(reference, viewer, cameras, settings.erosion, context.heartbeat)
            model = TexturedPoints(cloud, settings.features, settings.widths, disc, context.seed)
        return cls(model.to(context.device), reference, solid, settings, context)

    def parameters(self) -> Sequence[nn.Parameter]:
        """Colours, features and the renderer's."""
        return list(self.model.parameters())

    def optimiser(self) -> torch.optim.Optimizer:
        """Adam."""
        return torch.optim.Adam(self.model.parameters(), lr=self.settings.rate, betas=(0.9, 0.99))

    def loss(self, step: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """What is wrong in the reference view and in one random view of the solid, how far colours have drifted, and what
        the guidances say."""
        seen, _ = self.model.pictures(self._sight)
        cover, settings = self.reference.mask, self.settings
        wanted = self.reference.over_white()
        loss = settings.colour * colour_loss(seen, wanted, cover, "l1")
        loss = loss + settings.background * colour_loss(seen, wanted, 1 - cover, "l1")
        loss = self._with_solid(loss, generator)
        loss = loss + self.model.drift(settings.photo_drift, settings.drift)
        budget, progress = ViewBudget(self.name, settings.guide_side), step / max(self.steps, 1)
        return guided(loss, self.context.guidances, self.render, budget, progress, generator)

    def _with_solid(self, loss: Float[Tensor, ""], generator: torch.Generator) -> Float[Tensor, ""]:
        """Plus that of a random view of the solid: by a network's features where there is one, else pixel by pixel."""
        settings, features = self.settings, self.context.subject.features
        camera = random_orbits(1, settings.guide_side, VIEWS, generator)[0].to(self.context.device)
        shown, cover, _ = self.solid.view(camera)
        wanted = shown * cover[..., None] + 1 - cover[..., None]
        seen, _ = self.model.pictures(self.model.sight(camera))
        loss = loss + settings.background * colour_loss(seen, wanted, 1 - cover, "l1")
        if features is None:
            off = colour_loss(seen, wanted, cover, "l1")
        else:
            one, other = (picture.permute(2, 0, 1)[None] for picture in (seen, wanted))
            off = contextual_loss(one, other, features, generator=generator)
        return loss + settings.guide * trust(camera) * off

    def render(self, request: ViewRequest, generator: torch.Generator) -> Rendering:
        """Pictures by the deferred renderer, whole and over white; depth and normals come without gradients."""
        parts = []
        for view, camera in enumerate(request.cameras):
            sight = self.model.sight(camera)
            seen, _ = self.model.pictures(sight)
            picture = torch.cat([seen, self.model.geometry(camera, sight)], 2).flatten(0, 1)
            chosen = request.chosen(view)
            parts.append(picture if chosen is None else picture[chosen])
        whole = torch.stack(parts)
        white = torch.ones(len(parts), 3, device=whole.device)
        return Rendering(
            request.cameras, request.pixels, whole[..., :3], whole[..., 3], whole[..., 4], whole[..., 5:], white
        )

    def view(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture by the deferred renderer."""
        return self.model.view(camera)

    def colours(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Those of the nearest points."""
        return self.model.colours(points)

    def surface(self, heartbeat: Heartbeat = no_heartbeat) -> Triangles:
        """The closed mesh around the points."""
        return self.model.surface(self.settings.cell)

    def cloud(self, frame: Frame) -> PointCloud | None:
        """The points."""
        return self.model.cloud(frame)

    def halve(self) -> Message:
        """Half of the pictures' sides."""
        side, guide_side = (max(each // 2, 2) for each in (self.settings.side, self.settings.guide_side))
        self.settings = replace(self.settings, side=side, guide_side=guide_side)
        self._see_reference()
        return smaller_pictures(self.name)

    def state_dict(self) -> State:
        """The points', with their renderer."""
        return self.model.state_dict()
