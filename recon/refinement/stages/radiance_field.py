"""A radiance field that begins as a known shape and is fitted to the photo and to what guides the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from recon.messages import Message, note
from recon.refinement.closed_surface import without_crumbs
from recon.refinement.progress import Heartbeat, no_heartbeat
from recon.refinement.protocols import Rendering, Stage, StageContext, State, Triangles, ViewBudget, ViewRequest, guided
from recon.refinement.reference import Frame
from recon.refinement.settings import RadianceFieldSettings
from recon.refinement.solid_prior import SHARPNESS
from recon.refinement.view_loss import some_pixels, view_loss
from recon.render.cameras import Pinhole, Rays
from recon.render.dmtet import apart_from_lattice, marching_tetrahedra, tetrahedral_lattice
from recon.render.fields import HashField
from recon.render.hashgrid import GridShape, fastest_encoder
from recon.render.losses import opacity_loss, orientation_loss
from recon.render.march import Samples, render_rays, render_view
from recon.render.occupancy import Occupancy
from recon.types import PointCloud

LEVEL = SHARPNESS * 0.6931
"""Density at the surface of a field that began without one: half of the light that comes straight at a solid's ramp of
density is stopped there."""
EVERY = 16
"""Steps between two looks at where there is matter (Instant-NGP, appendix C)."""


class RadianceField(nn.Module):
    """Hash field and occupancy grid. prior: the logit of the density that it begins with, which lies where the field is to
    lie; the other arguments are those of `RadianceFieldSettings`."""

    def __init__(
        self,
        prior: nn.Module,
        device: torch.device | str,
        seed: int = 0,
        *,
        levels: int = 8,
        finest: int = 256,
        hidden: int = 32,
        cells: int = 64,
    ) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        shape = GridShape(levels=levels, base=8, finest=finest, log2_size=16)
        self.grid = fastest_encoder(shape, torch.device(device), generator)
        self.field = HashField(self.grid, hidden, prior=prior, generator=generator)
        self.occupancy = Occupancy(cells, 2 / (1.5 * cells))
        self.to(device)

    @torch.no_grad()
    def initialise_occupancy(self, heartbeat: Heartbeat = no_heartbeat) -> None:
        """Find out where there is matter; needed before the first step. A cell has the largest density of its corners and
        its middle."""
        line = torch.linspace(-1, 1, 2 * self.occupancy.cells + 1).to(next(self.parameters()).device)
        slices = []
        for z in line:
            y, x = torch.meshgrid(line, line, indexing="ij")
            slices.append(self.field.density(torch.stack([x, y, z.expand_as(x)], -1).view(-1, 3)).view(len(line), -1))
            heartbeat()
        volume = torch.stack(slices)[None, None]
        self.occupancy.fill(torch.nn.functional.max_pool3d(volume, 3, 2)[0, 0])

    def groups(self, rate: float) -> list[dict[str, object]]:
        """Parameters with their learning rates."""
        return [
            {"params": list(self.grid.parameters()), "lr": rate},
            {"params": list(self.field.network.parameters()), "lr": 0.1 * rate},
        ]

    def albedo(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """Colours in 0..1 at points, with gradients."""
        return torch.cat([self.field(part).albedo for part in points.split(1 << 16)])

    @torch.no_grad()
    def colours(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """The same without."""
        return self.albedo(points)

    def view(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture over white."""
        return render_view(self.field, camera, self.occupancy, torch.ones(3, device=camera.c2w.device)).colour

    @torch.no_grad()
    def level_set(self, resolution: int, heartbeat: Heartbeat = no_heartbeat) -> Triangles:
        """The closed surface where the density is `LEVEL`, on a lattice of resolution³ cubes."""
        positions, parts = tetrahedral_lattice(resolution).to(next(self.parameters()).device), []
        level = torch.tensor(LEVEL, device=positions.device).log()
        for part in positions.split(1 << 16):
            parts.append((self.field.density_logit(part) - level) / SHARPNESS)
            heartbeat()
        found = marching_tetrahedra(apart_from_lattice(torch.cat(parts), resolution), positions, resolution)
        return found.vertices, found.faces


class RadianceFieldStage(Stage):
    """The fit of a field."""

    name = RadianceFieldSettings.stage

    def __init__(self, model: RadianceField, settings: RadianceFieldSettings, context: StageContext) -> None:
        self.model, self.settings, self.context = model, settings, context
        self.steps = settings.steps
        reference = context.subject.reference
        self.reference = None if reference is None else reference.at(settings.side)
        self._depth: Float[Tensor, " n"] | None = None

    @classmethod
    def begin(
        cls, settings: RadianceFieldSettings, context: StageContext, before: Sequence[Stage], state: State | None
    ) -> RadianceFieldStage:
        """The field as it begins, or as it was left; what a saved state replaces is not made."""
        shape, beat = context.subject.shape, context.heartbeat
        prior = shape.prior(settings.volume, beat) if state is None else shape.empty_prior(settings.volume)
        model = RadianceField(prior, context.device, context.seed, levels=settings.levels, finest=settings.finest,
                              hidden=settings.hidden, cells=settings.cells)  # fmt: skip
        if state is None:
            model.initialise_occupancy(beat)
        else:
            model.load_state_dict(state)
        beat()
        return cls(model, settings, context)

    def parameters(self) -> Sequence[nn.Parameter]:
        """The grid's and the network's."""
        return list(self.model.parameters())

    def optimiser(self) -> torch.optim.Optimizer:
        """Adam, as Instant-NGP has it."""
        return torch.optim.Adam(self.model.groups(self.settings.rate), betas=(0.9, 0.99), eps=1e-15)

    def loss(self, step: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """What is wrong with rays of the reference view, and what the guidances say."""
        if step % EVERY == EVERY - 1:
            self.model.occupancy.update(self.model.field.density, step, generator)
        loss = self._photo_loss(generator)
        own: list[Tensor] = []

        def shown(request: ViewRequest, generator: torch.Generator) -> Rendering:
            seen, more = self._rendered(request, generator)
            own.append(more)
            return seen

        budget = ViewBudget(self.name, self.settings.guide_side, self.settings.rays // 2)
        progress = step / max(self.steps, 1)
        loss = guided(loss, self.context.guidances, shown, budget, progress, generator)
        return loss + torch.stack(own).sum() if own else loss

    def _photo_loss(self, generator: torch.Generator) -> Float[Tensor, ""]:
        if self.reference is None:
            return torch.zeros((), device=self.context.device)
        if self._depth is None:
            self._depth = self.context.subject.shape.depth(self.reference.camera).flatten()
        camera = self.reference.camera
        pixels = some_pixels(camera, self.settings.rays // 2, generator).to(self.context.device)
        colour, mask = (layer.flatten(0, 1)[pixels] for layer in (self.reference.photo, self.reference.mask))
        seen = self.render(ViewRequest((camera,), pixels[None]), generator)
        wanted = colour[None], mask[None], self._depth[pixels][None]
        return self.settings.photo * view_loss(seen, *wanted, self.settings.view)

    def render(self, request: ViewRequest, generator: torch.Generator) -> Rendering:
        """What rays see of the field, over a random background unless one is asked for."""
        return self._rendered(request, generator)[0]

    def _rendered(self, request: ViewRequest, generator: torch.Generator) -> tuple[Rendering, Float[Tensor, ""]]:
        """The same, and what the settings' own weights say of it."""
        normals = self.settings.orientation > 0 or "normal" in request.wants
        parts, backgrounds, own = [], [], torch.zeros((), device=self.context.device)
        for index, camera in enumerate(request.cameras):
            if request.background is None:
                background = torch.rand(1, 3, generator=generator).to(self.context.device)
            else:
                background = request.background[index : index + 1]
            rays = camera.rays(request.chosen(index))
            seen, samples = render_rays(
                self.model.field, rays, self.model.occupancy, background, normals=normals, shading=request.shading,
                light=request.light, ambient=request.ambient, generator=generator,
            )  # fmt: skip
            parts.append(seen._replace(distance=seen.distance * rays.forward))
            backgrounds.append(background[0])
            own = own + self._own_loss(seen.opacity, samples, rays)
        colour, opacity, depth, normal = zip(*parts, strict=True)
        rendering = Rendering(
            request.cameras, request.pixels, torch.stack(colour), torch.stack(opacity), torch.stack(depth),
            None if normal[0] is None else torch.stack(normal), torch.stack(backgrounds),
        )  # fmt: skip
        return rendering, own / len(request.cameras)

    def _own_loss(self, opacity: Float[Tensor, " n"], samples: Samples, rays: Rays) -> Float[Tensor, ""] | float:
        loss: Tensor | float = 0.0
        if self.settings.opacity:
            loss = loss + self.settings.opacity * opacity_loss(opacity)
        if self.settings.orientation and samples.normal is not None:
            away = orientation_loss(samples.weight, samples.normal, rays.directions[samples.ray], len(rays))
            loss = loss + self.settings.orientation * away
        return loss

    def view(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture over white."""
        return self.model.view(camera)

    def colours(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """The field's."""
        return self.model.colours(points)

    def surface(self, heartbeat: Heartbeat = no_heartbeat) -> Triangles:
        """The level set, less its floaters."""
        return without_crumbs(*self.model.level_set(self.settings.cells, heartbeat))

    def cloud(self, frame: Frame) -> PointCloud | None:
        """None: a field is no cloud."""
        return None

    def halve(self) -> Message:
        """Half of the rays at a time."""
        self.settings = replace(self.settings, rays=max(self.settings.rays // 2, 2))
        return note(
            "refined.fewer_rays",
            "the GPU's memory did not suffice: the {stage} stage went on with half of rays at a time",
            stage=self.name,
        )

    def state_dict(self) -> State:
        """The field's."""
        return self.model.state_dict()
