"""The guidance that needs no weights: how the fast path's solid looks from everywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from recon.refinement.protocols import Rendering, State, ViewBudget, ViewRequest
from recon.refinement.settings import PointCloudSettings, SolidGuidanceSettings
from recon.refinement.solid_prior import VIEWS, SolidPrior, trust
from recon.refinement.view_loss import depth_loss, some_pixels, view_loss
from recon.render.cameras import random_orbits


@dataclass(frozen=True)
class SolidGuidance:
    """The shipped network's solid with the photo's spread colours, believed the less the farther round one goes."""

    prior: SolidPrior
    settings: SolidGuidanceSettings = field(default_factory=SolidGuidanceSettings)

    @property
    def paints(self) -> bool:
        """No: its colours are the photo's own, which the texture spreads more sharply."""
        return False

    def request(self, budget: ViewBudget, progress: float, generator: torch.Generator) -> ViewRequest | None:
        """A random view: colours of some of its pixels, or outline and depth where a stage shows all of them. Points are
        compared with the solid by their own stage."""
        if budget.stage == PointCloudSettings.stage:
            return None
        camera = random_orbits(1, budget.side, VIEWS, generator)[0]
        if budget.pixels is None:
            return ViewRequest((camera,), wants=frozenset({"opacity", "depth"}))
        return ViewRequest((camera,), some_pixels(camera, budget.pixels, generator)[None])

    def loss(self, seen: Rendering, progress: float, generator: torch.Generator) -> Float[Tensor, ""]:
        """Difference from the solid as the same camera sees it."""
        camera, settings = seen.cameras[0], self.settings
        pixels = slice(None) if seen.pixels is None else seen.pixels[0]
        colour, mask, depth = (layer.flatten(0, 1)[pixels][None] for layer in self.prior.view(camera))
        share = trust(camera)
        if seen.pixels is not None:
            return settings.pixels * share * view_loss(seen, colour, mask, depth, settings.view)
        loss = settings.outline * share * (seen.opacity - mask).square().mean()
        return loss + settings.depth * share * depth_loss(seen, depth)

    def state_dict(self) -> State:
        """It learns nothing."""
        return {}

    def load_state_dict(self, state: State) -> None:
        """It has learnt nothing."""
