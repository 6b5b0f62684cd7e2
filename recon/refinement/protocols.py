"""What a refinement is put together of: stages that have a model, guidances that look at it, a shape to begin with.

The loop in `run` knows no more than what stands here. World, cameras and angles are those of `recon.render.cameras`; random
numbers come from a CPU's generator everywhere, so that a seed means the same on every device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor, nn

from recon.errors import UnflatError
from recon.messages import Message, note
from recon.refinement.blob_prior import BlobPrior
from recon.refinement.progress import Heartbeat, no_heartbeat
from recon.refinement.reference import UNMOVED, Frame, Reference
from recon.render.cameras import Pinhole
from recon.render.volume import Shading
from recon.types import PointCloud

Want = Literal["colour", "opacity", "depth", "normal"]
"""What a guidance may ask to see."""
CPU = torch.device("cpu")
State = dict[str, Any]
"""Tensors and plain values by name, as a checkpoint keeps them."""
Triangles = tuple[Float[Tensor, "v 3"], Int64[Tensor, "f 3"]]
"""A mesh: places in the world, and faces wound counter-clockwise seen from outside."""


@dataclass(frozen=True)
class ViewBudget:
    """What a stage can show at a time. stage: its name; side: pixels of a square view's side; pixels: of a view at most,
    None: all of it."""

    stage: str
    side: int
    pixels: int | None = None


@dataclass(frozen=True)
class ViewRequest:
    """From where a guidance wants to see the model, and how.

    cameras: b of one size; pixels: the ones wanted of each, row·width + column, None: all, row by row; wants: what is
    looked at, the rest may come as None; shading: albedo alone, or lit by a white lamp in the unit direction `light` (from
    the object to it) with this share of ambient light; background: of each view, None: the stage's own, which is random in
    a radiance field and white behind a mesh or points.
    """

    cameras: tuple[Pinhole, ...]
    pixels: Int64[Tensor, "b n"] | None = None
    wants: frozenset[Want] = frozenset({"colour", "opacity", "depth"})
    shading: Shading = "albedo"
    background: Float[Tensor, "b 3"] | None = None
    light: Float[Tensor, " 3"] | None = None
    ambient: float = 0.1

    def to(self, device: torch.device | str) -> ViewRequest:
        """The same on another device."""
        pixels, background, light = (
            None if part is None else part.to(device) for part in (self.pixels, self.background, self.light)
        )
        cameras = tuple(camera.to(device) for camera in self.cameras)
        return replace(self, cameras=cameras, pixels=pixels, background=background, light=light)

    def chosen(self, view: int) -> Int64[Tensor, " n"] | None:
        """The pixels that are wanted of one view."""
        return None if self.pixels is None else self.pixels[view]


@dataclass(frozen=True)
class Rendering:
    """What b cameras see of a model, n pixels each, with gradients to it.

    colour: in 0..1, over `background`; opacity: 0..1; depth: along the optical axis, meaningless where nothing is seen;
    normal: in the world's frame, no longer than the opacity. colour and normal may be None where they were not asked for.
    """

    cameras: tuple[Pinhole, ...]
    pixels: Int64[Tensor, "b n"] | None
    colour: Float[Tensor, "b n 3"] | None
    opacity: Float[Tensor, "b n"]
    depth: Float[Tensor, "b n"]
    normal: Float[Tensor, "b n 3"] | None
    background: Float[Tensor, "b 3"]


@runtime_checkable
class Guidance(Protocol):
    """One opinion of how the model should look: it asks for views and answers with a loss whose gradient moves the model.

    progress: how much of the stage is done, 0..1.
    """

    @property
    def paints(self) -> bool:
        """Whether it decides on colours: what the photo does not show then wears the model's own."""
        ...

    def request(self, budget: ViewBudget, progress: float, generator: torch.Generator) -> ViewRequest | None:
        """What it wants to see next, on a CPU; None: nothing of this stage, or not now."""
        ...

    def loss(self, seen: Rendering, progress: float, generator: torch.Generator) -> Float[Tensor, ""]:
        """What is wrong with what it sees, weighted."""
        ...

    def state_dict(self) -> State:
        """What it has learnt, for a checkpoint; empty if it learns nothing."""
        ...

    def load_state_dict(self, state: State) -> None:
        """Go on from what `state_dict` gave."""
        ...


@runtime_checkable
class InitialShape(Protocol):
    """What a run begins with, in the ball of radius 1 around the origin."""

    def to(self, device: torch.device | str) -> InitialShape:
        """The same on another device."""
        ...

    def identity(self) -> Sequence[Shaped[Tensor, "*size"]]:
        """What tells it from another one."""
        ...

    def prior(self, cells: int, heartbeat: Heartbeat = no_heartbeat) -> nn.Module:
        """The logit (n) of the density at points (n, 3); cells: of a lattice that it may be laid on, along an axis."""
        ...

    def empty_prior(self, cells: int) -> nn.Module:
        """The same module before a saved state is read into it."""
        ...

    def triangles(self) -> Triangles:
        """Its surface, closed."""
        ...

    def colours_at(self, vertices: Float[Tensor, "v 3"], heartbeat: Heartbeat = no_heartbeat) -> Float[Tensor, "v 3"]:
        """Colours in 0..1 for the vertices of a mesh that lies about where its surface does."""
        ...

    def depth(self, camera: Pinhole) -> Float[Tensor, "h w"]:
        """Its depth along the optical axis as a camera sees it, 0 where nothing is known of it."""
        ...


@runtime_checkable
class Stage(Protocol):
    """One model that is fitted. name: as it is told to people and kept in checkpoints; steps: of its fit."""

    name: str
    steps: int

    def parameters(self) -> Sequence[nn.Parameter]:
        """All that may be moved."""
        ...

    def optimiser(self) -> torch.optim.Optimizer:
        """A fresh one, with the rates that the stage begins with."""
        ...

    def loss(self, step: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """What is wrong with the model, by the photo and the guidances."""
        ...

    def render(self, request: ViewRequest, generator: torch.Generator) -> Rendering:
        """What a guidance asks to see."""
        ...

    def view(self, camera: Pinhole) -> Float[Tensor, "h w 3"]:
        """A camera's picture over white, without gradients."""
        ...

    def colours(self, points: Float[Tensor, "n 3"]) -> Float[Tensor, "n 3"]:
        """The model's colours at points of its surface, without gradients."""
        ...

    def surface(self, heartbeat: Heartbeat = no_heartbeat) -> Triangles:
        """The model as a closed mesh; no face where nothing is left of it."""
        ...

    def cloud(self, frame: Frame) -> PointCloud | None:
        """The points that the model is made of, in the photo's camera frame; None where it is not made of points."""
        ...

    def halve(self) -> Message:
        """Take half of what a step takes from now on, for a GPU's memory does not suffice; what is told of it."""
        ...

    def state_dict(self) -> State:
        """All that a later run needs to go on."""
        ...


Features = Callable[[Float[Tensor, "b 3 h w"]], Float[Tensor, "b c _ _"]]
"""A network's features of pictures, for a contextual loss."""


@dataclass(frozen=True)
class Subject:
    """What a run is about. shape: what it begins with, a soft ball where nothing is known; reference: the photo, None where
    there is none; frame: from the photo's camera frame to the world; features: a network's, where one is there to compare
    pictures by; device: where all of it lies, and what is made of it."""

    shape: InitialShape = field(default_factory=BlobPrior)
    reference: Reference | None = None
    frame: Frame = UNMOVED
    features: Features | None = None
    device: torch.device = CPU

    def to(self, device: torch.device | str) -> Subject:
        """The same on another device."""
        reference = None if self.reference is None else self.reference.to(device)
        return replace(self, shape=self.shape.to(device), reference=reference, device=torch.device(device))

    def identity(self) -> Sequence[Shaped[Tensor, "*size"]]:
        """What tells it from another one."""
        pictures = [] if self.reference is None else [self.reference.photo, self.reference.mask, self.reference.far]
        return [*pictures, *self.shape.identity()]


@dataclass(frozen=True)
class StageContext:
    """What every stage of a run is made with. seed: decides first weights."""

    subject: Subject
    guidances: Sequence[Guidance]
    seed: int = 0
    heartbeat: Heartbeat = no_heartbeat

    @property
    def device(self) -> torch.device:
        """Where models lie."""
        return self.subject.device


class Diverged(UnflatError):
    """The loss was not a finite number, or nothing is left of the model."""


def nothing_left() -> Diverged:
    """What is raised where a model has no surface any more."""
    return Diverged("refine.nothing_left", "nothing is left of the model; another <seed> or another <mask> may do.")


def smaller_pictures(stage: str) -> Message:
    """What is told where a stage goes on with smaller pictures."""
    return note(
        "refined.smaller_pictures",
        "the GPU's memory did not suffice: the {stage} stage went on with half of its pictures' side",
        stage=stage,
    )


def guided(
    loss: Float[Tensor, ""],
    guidances: Sequence[Guidance],
    render: Callable[[ViewRequest, torch.Generator], Rendering],
    budget: ViewBudget,
    progress: float,
    generator: torch.Generator,
) -> Float[Tensor, ""]:
    """A loss and what the guidances add to it, each shown what it asks for."""
    for guidance in guidances:
        request = guidance.request(budget, progress, generator)
        if request is not None:
            loss = loss + guidance.loss(render(request.to(loss.device), generator), progress, generator)
    return loss
