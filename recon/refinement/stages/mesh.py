"""A mesh fitted through the rasteriser: its vertices to the photo's outline and to what guides the run, their colours to
what guides it alone. It begins as the initial shape's surface at full detail, or as that of a radiance field before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from recon.messages import Message
from recon.refinement.closed_surface import without_crumbs
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
    nothing_left,
    smaller_pictures,
)
from recon.refinement.reference import Frame
from recon.refinement.settings import MeshSettings
from recon.refinement.stages.displaced_mesh import DisplacedMesh, prepared
from recon.refinement.stages.radiance_field import RadianceFieldStage
from recon.refinement.view_loss import depth_loss
from recon.render.antialias import antialias
from recon.render.cameras import Pinhole
from recon.render.large_steps import UniformAdam
from recon.render.meshloss import normal_loss
from recon.render.raster import Fragments, interpolate, rasterise, scatter, vertex_normals
from recon.render.volume import shade
from recon.types import PointCloud


class MeshStage(Stage):
    """The fit of a mesh."""

    name = MeshSettings.stage

    def __init__(self, model: DisplacedMesh, settings: MeshSettings, context: StageContext) -> None:
        self.model, self.settings, self.context = model, settings, context
        self.steps = settings.steps
        self._see_reference()

    def _see_reference(self) -> None:
        reference = self.context.subject.reference
        self.reference = None if reference is None else reference.at(self.settings.side)
        self._depth: Float[Tensor, "1 n"] | None = None

    @classmethod
    def begin(
        cls, settings: MeshSettings, context: StageContext, before: Sequence[Stage], state: State | None
    ) -> MeshStage:
        """The mesh of the shape, or of the field before it, or as it was left itself."""
        if state is not None:
            return cls(DisplacedMesh.of_state(state, settings.smoothness), settings, context)
        vertices, faces = _first_surface(settings, context, before)
        reference = context.subject.reference
        eye = None if reference is None else reference.camera.position
        vertices, faces = prepared(vertices, faces, eye, context.heartbeat)
        context.heartbeat()
        colour = _first_colours(context, before, vertices)
        return cls(DisplacedMesh(vertices, faces, colour, settings.smoothness), settings, context)

    def parameters(self) -> Sequence[nn.Parameter]:
        """Its places and its colours, which get gradients where a guidance looks at them."""
        return list(self.model.parameters())

    def optimiser(self) -> torch.optim.Optimizer:
        """Adam with one second moment for all places; it leaves alone what has no gradient."""
        places = {"params": [self.model.latent], "lr": self.settings.rate, "uniform": True}
        return UniformAdam([places, {"params": [self.model.colour], "lr": self.settings.colour_rate, "uniform": False}])

    def loss(self, step: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """What is wrong with the mesh in the reference view, and what the guidances say."""
        vertices, faces = self.model.vertices(), self.model.faces
        loss = self.settings.normal * normal_loss(vertices, faces, self.model.edges)
        if self.reference is not None:
            loss = self._photo_loss(loss, vertices)
        budget, progress = ViewBudget(self.name, self.settings.guide_side), step / max(self.steps, 1)

        def shown(request: ViewRequest, generator: torch.Generator) -> Rendering:
            return self._rendered(vertices, request)

        return guided(loss, self.context.guidances, shown, budget, progress, generator)

    def _photo_loss(self, loss: Float[Tensor, ""], vertices: Float[Tensor, "v 3"]) -> Float[Tensor, ""]:
        assert self.reference is not None
        if self._depth is None:
            self._depth = self.context.subject.shape.depth(self.reference.camera).flatten()[None]
        request = ViewRequest((self.reference.camera,), wants=frozenset({"opacity", "depth"}))
        seen = self._rendered(vertices, request)
        loss = loss + self.settings.mask * (seen.opacity - self.reference.mask.flatten()).square().mean()
        return loss + self.settings.depth * depth_loss(seen, self._depth)

    def render(self, request: ViewRequest, generator: torch.Generator) -> Rendering:
        """Antialiased pictures of the mesh, over white unless another background is asked for."""
        return self._rendered(self.model.vertices(), request)

    def _rendered(self, vertices: Float[Tensor, "v 3"], request: ViewRequest) -> Rendering:
        background = request.background
        if background is None:
            background = torch.ones(len(request.cameras), 3, device=vertices.device)
        parts = [self._picture(vertices, request, view, background[view]) for view in range(len(background))]
        colour, opacity, depth, normal = zip(*parts, strict=True)
        return Rendering(
            request.cameras, request.pixels, None if colour[0] is None else torch.stack(colour), torch.stack(opacity),
            torch.stack(depth), None if normal[0] is None else torch.stack(normal), background,
        )  # fmt: skip

    def _picture(
        self, vertices: Float[Tensor, "v 3"], request: ViewRequest, view: int, background: Float[Tensor, " 3"]
    ) -> tuple[Tensor | None, Tensor, Tensor, Tensor | None]:
        """Colour, opacity, depth and normal of the pixels that are wanted of one view."""
        camera, chosen, edges = request.cameras[view], request.chosen(view), self.model.edges
        seen = rasterise(vertices, self.model.faces, camera.c2w, camera.focal, (camera.height, camera.width))
        normal = None
        if "normal" in request.wants or request.shading != "albedo":
            normal = F.normalize(interpolate(vertex_normals(vertices, self.model.faces), seen), dim=1)
        layers = [torch.ones_like(seen.depth)[:, None], seen.depth[:, None], *([] if normal is None else [normal])]
        picture = antialias(scatter(torch.cat(layers, 1), seen), seen, edges).flatten(0, 1)
        colour = None
        if "colour" in request.wants:
            lit = self._lit(seen, normal, request)
            colour = antialias(scatter(lit, seen, background), seen, edges).flatten(0, 1)
        if chosen is not None:
            picture, colour = picture[chosen], None if colour is None else colour[chosen]
        return colour, picture[:, 0], picture[:, 1], None if normal is None else picture[:, 2:]

    def _lit(self, seen: Fragments, normal: Float[Tensor, "n 3"] | None, request: ViewRequest) -> Float[Tensor, "n 3"]:
        """The colours at the visible pixels: what is painted on the surface does not pull it along."""
        albedo = interpolate(self.model.colour, replace(seen, bary=seen.bary.detach())).clamp(0, 1)
        light = None if request.light is None else request.light[None]
        return shade(albedo, normal, light, request.shading, request.ambient)

    @torch.no_grad()
    def view(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture in the vertices' colours, over white."""
        seen = self._rendered(self.model.vertices(), ViewRequest((camera,), wants=frozenset({"colour"})))
        assert seen.colour is not None
        return seen.colour.view(camera.height, camera.width, 3)

    def colours(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """The vertices', between them."""
        return self.model.colours_at(points)

    def surface(self, heartbeat: Heartbeat = no_heartbeat) -> Triangles:
        """The mesh, less its floaters."""
        return without_crumbs(*self.model.final())

    def cloud(self, frame: Frame) -> PointCloud | None:
        """None: a mesh is no cloud."""
        return None

    def halve(self) -> Message:
        """Half of the pictures' side."""
        side, guide_side = (max(each // 2, 2) for each in (self.settings.side, self.settings.guide_side))
        self.settings = replace(self.settings, side=side, guide_side=guide_side)
        self._see_reference()
        return smaller_pictures(self.name)

    def state_dict(self) -> State:
        """Faces, places and colours."""
        return self.model.state_dict()


def _first_surface(settings: MeshSettings, context: StageContext, before: Sequence[Stage]) -> Triangles:
    """The field's surface on a lattice where one was before; else the shape's own."""
    if before and isinstance(before[-1], RadianceFieldStage):
        found = without_crumbs(*before[-1].model.level_set(settings.resolution, context.heartbeat))
        if not len(found[1]):
            raise nothing_left()
        return found
    return context.subject.shape.triangles()


def _first_colours(
    context: StageContext, before: Sequence[Stage], vertices: Float[Tensor, "v 3"]
) -> Float[Tensor, "v 3"]:
    if before:
        return before[-1].colours(vertices)
    return context.subject.shape.colours_at(vertices, context.heartbeat)
