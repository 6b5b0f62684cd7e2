"""What tells a refinement how the subject looks from where the photo did not see it: a list of opinions.

Each says from where it wants to see the model, is shown it, and answers with a loss whose gradient moves it. The loop knows
no more than that. A new one is a class with these two methods, a line in `GUIDANCES` and its name in `settings`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from recon.refinement.reference import Target
from recon.refinement.settings import CoarseSettings, FineSettings, Settings
from recon.refinement.solid_prior import Guide, trust
from recon.render.cameras import Orbits, Pinhole, random_orbits
from recon.render.losses import colour_loss, entropy_loss, mask_loss, pearson_loss

Stage = Literal["coarse", "fine"]

VIEWS = Orbits(elevation=(-30.0, 60.0), fov=(30.0, 30.0))
"""Of the built-in guide."""


@dataclass(frozen=True)
class Seen:
    """What a camera sees of the model, with gradients to it: n of its pixels, row·width + column, or all, row by row.

    colour: over `ground`, None where it was not asked for; opacity: 0..1; depth: along the optical axis, meaningless where
    nothing is seen.
    """

    stage: Stage
    camera: Pinhole
    pixels: Int64[Tensor, " n"] | None
    colour: Float[Tensor, "n 3"] | None
    opacity: Float[Tensor, " n"]
    depth: Float[Tensor, " n"]
    ground: Float[Tensor, "1 3"]


@runtime_checkable
class Guidance(Protocol):
    """One opinion. coloured: whether it looks at colours in the fine stage too."""

    coloured: bool

    def draw(self, stage: Stage, generator: torch.Generator) -> tuple[Pinhole, Int64[Tensor, " n"] | None]:
        """From where it wants to look next, and which pixels it wants; None: the whole picture. On a CPU."""
        ...

    def loss(self, seen: Seen, step: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """What is wrong with what it sees, weighted; `step` counts from 0 in each stage."""
        ...


@dataclass(frozen=True)
class Solid:
    """The shipped network's solid with the photo's spread colours, believed the less the farther round one goes."""

    guide: Guide
    coarse: CoarseSettings
    fine: FineSettings
    coloured = False

    def draw(self, stage: Stage, generator: torch.Generator) -> tuple[Pinhole, Int64[Tensor, " n"] | None]:
        """A random view; some of its pixels of the field, all of the mesh."""
        if stage == "fine":
            return random_orbits(1, self.fine.side // 2, VIEWS, generator)[0], None
        camera = random_orbits(1, self.coarse.guide_side, VIEWS, generator)[0]
        return camera, some_pixels(camera, self.coarse.rays // 2, generator)

    def loss(self, seen: Seen, step: int, generator: torch.Generator) -> Float[Tensor, ""]:
        """Difference from the solid as the same camera sees it."""
        pixels = slice(None) if seen.pixels is None else seen.pixels
        colour, mask, depth = (layer.flatten(0, 1)[pixels] for layer in self.guide.view(seen.camera))
        share = trust(seen.camera)
        if seen.stage == "coarse":
            return self.coarse.guide * share * unlike(seen, colour, mask, depth, self.coarse)
        loss = self.fine.guide * share * (seen.opacity - mask).square().mean()
        return loss + self.fine.depth * share * off_depth(seen, mask, depth)


def some_pixels(camera: Pinhole, count: int, generator: torch.Generator) -> Int64[Tensor, " n"]:
    """`count` random pixels of a camera."""
    return torch.randint(camera.width * camera.height, (count,), generator=generator)


def unlike(
    seen: Seen,
    colour: Float[Tensor, "n 3"],
    mask: Float[Tensor, " n"],
    depth: Float[Tensor, " n"],
    settings: CoarseSettings,
) -> Float[Tensor, ""]:
    """How far pixels of the field are from the colour, mask and depth (0: unknown) that they should have."""
    assert seen.colour is not None
    wanted = colour * mask[:, None] + (1 - mask[:, None]) * seen.ground
    both = ((mask > 0.99) & (depth > 0)).float()
    loss = colour_loss(seen.colour, wanted) + settings.mask * mask_loss(seen.opacity, mask, "l2")
    loss = loss + settings.depth * pearson_loss(seen.depth, depth, both)
    return loss + settings.entropy * entropy_loss(seen.opacity)


def off_depth(seen: Seen, there: Float[Tensor, " n"], depth: Float[Tensor, " n"]) -> Float[Tensor, ""]:
    """Mean over a picture of how far a mesh's depth is off where both it and the guide (`there` > 0) fill the pixel."""
    both = (there > 0) & (seen.opacity.detach() == 1)
    off = (seen.depth - depth)[both].abs()
    return off.clamp_max(0.1).sum() / both.numel()


def _solid(target: Target, guide: Guide, settings: Settings) -> Guidance:
    return Solid(guide, settings.coarse, settings.fine)


Builder = Callable[[Target, Guide, Settings], Guidance]

GUIDANCES: dict[str, Builder] = {"builtin": _solid}
"""By the names that `settings` allows."""


def guidances_of(target: Target, guide: Guide, settings: Settings) -> list[Guidance]:
    """The opinions that the settings ask for, in their order."""
    return [GUIDANCES[name](target, guide, settings) for name in settings.guidance]
