"""A mesh fitted through the rasteriser: its shape to the photo's outline and to what guides the run, and the colours of the
radiance field that it came from where a guidance looks at colours."""

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
    smaller_pictures,
)
from recon.refinement.reference import Frame
from recon.refinement.settings import MeshSettings
from recon.refinement.smooth import smoothed
from recon.refinement.stages.radiance_field import RadianceField, RadianceFieldStage
from recon.refinement.stages.tetrahedral_mesh import TetrahedralMesh
from recon.refinement.thin_parts import thickened
from recon.refinement.view_loss import depth_loss
from recon.render.antialias import antialias
from recon.render.cameras import Pinhole
from recon.render.dmtet import LatticeSurface, tetrahedral_lattice
from recon.render.meshloss import normal_loss
from recon.render.raster import Fragments, interpolate, rasterise, scatter, vertex_normals
from recon.render.topology import Edges, edges_of
from recon.render.volume import shade
from recon.types import PointCloud


class MeshStage(Stage):
    """The fit of a mesh. colours: the field whose colours it wears."""

    name = MeshSettings.stage

    def __init__(
        self, model: TetrahedralMesh, colour_field: RadianceField, settings: MeshSettings, context: StageContext
    ) -> None:
        self.model, self.colour_field, self.settings, self.context = model, colour_field, settings, context
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
        """The mesh where the field has left its shape, or as it was left itself."""
        field = before[-1]
        assert isinstance(field, RadianceFieldStage), "a mesh comes from a radiance field"
        if state is not None:
            model = TetrahedralMesh(state["distance"], settings.resolution, state["least"])
            model.load_state_dict(state)
            return cls(model, field.model, settings, context)
        points = tetrahedral_lattice(settings.resolution).to(context.device)
        distance, least = field.distance(points), None
        smooth, reference = smoothed(distance, settings.resolution), context.subject.reference
        if reference is None:
            distance = smooth
        else:
            distance, least = thickened(reference, distance, smooth, points, 2 / settings.resolution)
        return cls(TetrahedralMesh(distance, settings.resolution, least), field.model, settings, context)

    def parameters(self) -> Sequence[nn.Parameter]:
        """The surface's, and those of its colours, which get gradients where a guidance looks at them."""
        return [*self.model.parameters(), *self.colour_field.parameters()]

    def optimiser(self) -> torch.optim.Optimizer:
        """Adam; it leaves alone what has no gradient."""
        shape: dict[str, object] = {"params": list(self.model.parameters()), "lr": self.settings.rate}
        colours = [group | {"eps": 1e-15} for group in self.colour_field.groups(self.settings.colour_rate)]
        return torch.optim.Adam([shape, *colours], betas=(0.9, 0.99))

    def loss(self, step: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """What is wrong with the mesh in the reference view, and what the guidances say."""
        surface = self.model.surface()
        edges = edges_of(surface.faces)
        loss = self.settings.normal * normal_loss(surface.vertices, surface.faces, edges)
        if self.reference is not None:
            loss = self._photo_loss(loss, surface, edges)
        budget, progress = ViewBudget(self.name, self.settings.side // 2), step / max(self.steps, 1)

        def shown(request: ViewRequest, generator: torch.Generator) -> Rendering:
            return self._rendered(surface, edges, request)

        return guided(loss, self.context.guidances, shown, budget, progress, generator)

    def _photo_loss(self, loss: Float[Tensor, ""], surface: LatticeSurface, edges: Edges) -> Float[Tensor, ""]:
        assert self.reference is not None
        if self._depth is None:
            self._depth = self.context.subject.shape.depth(self.reference.camera).flatten()[None]
        request = ViewRequest((self.reference.camera,), wants=frozenset({"opacity", "depth"}))
        seen = self._rendered(surface, edges, request)
        loss = loss + self.settings.mask * (seen.opacity - self.reference.mask.flatten()).square().mean()
        return loss + self.settings.depth * depth_loss(seen, self._depth)

    def render(self, request: ViewRequest, generator: torch.Generator) -> Rendering:
        """Antialiased pictures of the mesh, over white unless another background is asked for."""
        surface = self.model.surface()
        return self._rendered(surface, edges_of(surface.faces), request)

    def _rendered(self, surface: LatticeSurface, edges: Edges, request: ViewRequest) -> Rendering:
        background = request.background
        if background is None:
            background = torch.ones(len(request.cameras), 3, device=surface.vertices.device)
        parts = [self._picture(surface, edges, request, view, background[view]) for view in range(len(background))]
        colour, opacity, depth, normal = zip(*parts, strict=True)
        return Rendering(
            request.cameras, request.pixels, None if colour[0] is None else torch.stack(colour), torch.stack(opacity),
            torch.stack(depth), None if normal[0] is None else torch.stack(normal), background,
        )  # fmt: skip

    def _picture(
        self, surface: LatticeSurface, edges: Edges, request: ViewRequest, view: int, background: Float[Tensor, " 3"]
    ) -> tuple[Tensor | None, Tensor, Tensor, Tensor | None]:
        """Colour, opacity, depth and normal of the pixels that are wanted of one view."""
        camera, chosen = request.cameras[view], request.chosen(view)
        seen = rasterise(surface.vertices, surface.faces, camera.c2w, camera.focal, (camera.height, camera.width))
        normal = None
        if "normal" in request.wants or request.shading != "albedo":
            normal = F.normalize(interpolate(vertex_normals(surface.vertices, surface.faces), seen), dim=1)
        layers = [torch.ones_like(seen.depth)[:, None], seen.depth[:, None], *([] if normal is None else [normal])]
        picture = antialias(scatter(torch.cat(layers, 1), seen), seen, edges).flatten(0, 1)
        colour = None
        if "colour" in request.wants:
            lit = self._lit(surface, seen, normal, request)
            colour = antialias(scatter(lit, seen, background), seen, edges).flatten(0, 1)
        if chosen is not None:
            picture, colour = picture[chosen], None if colour is None else colour[chosen]
        return colour, picture[:, 0], picture[:, 1], None if normal is None else picture[:, 2:]

    def _lit(
        self, surface: LatticeSurface, seen: Fragments, normal: Float[Tensor, "n 3"] | None, request: ViewRequest
    ) -> Float[Tensor, "n 3"]:
        """The colours at the visible pixels: what is painted on the surface does not pull it along."""
        albedo = self.colour_field.albedo(interpolate(surface.vertices, seen).detach())
        light = None if request.light is None else request.light[None]
        return shade(albedo, normal, light, request.shading, request.ambient)

    @torch.no_grad()
    def view(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture in the field's colours, over white."""
        surface = self.model.surface()
        seen = self._rendered(surface, edges_of(surface.faces), ViewRequest((camera,), wants=frozenset({"colour"})))
        assert seen.colour is not None
        return seen.colour.view(camera.height, camera.width, 3)

    def colours(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """The field's."""
        return self.colour_field.colours(points)

    def surface(self, heartbeat: Heartbeat = no_heartbeat) -> Triangles:
        """The mesh, less its floaters."""
        found = self.model.final()
        return without_crumbs(found.vertices, found.faces)

    def cloud(self, frame: Frame) -> PointCloud | None:
        """None: a mesh is no cloud."""
        return None

    def halve(self) -> Message:
        """Half of the pictures' side."""
        self.settings = replace(self.settings, side=max(self.settings.side // 2, 2))
        self._see_reference()
        return smaller_pictures(self.name)

    def state_dict(self) -> State:
        """The surface's; the field's is kept with its own stage."""
        return self.model.state_dict()
