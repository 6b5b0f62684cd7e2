"""The protocols of models to come are met by the smallest model of each, and by nothing that lacks a part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from recon import protocols
from recon.types import Mesh


class Words:
    """Says what it is told to."""

    name = "words"

    def load(self) -> object:
        """Nothing to load."""
        return self

    def caption(self, rgb: np.ndarray, inside: np.ndarray | None = None) -> str:
        """The same of every photo."""
        return "a thing"


class Pyramid:
    """Sees a tetrahedron in every photo."""

    name = "pyramid"

    def load(self) -> object:
        """Nothing to load."""
        return self

    def reconstruct(self, rgb: np.ndarray, inside: np.ndarray) -> protocols.SeenObject:
        """A tetrahedron."""
        corners = np.float32([[0, -1, 0], [1, 1, 0], [-1, 1, 0], [0, 0, 1]]) / 2
        mesh = Mesh(corners, np.int32([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]]))
        return protocols.SeenObject(mesh, 0.0, 0.0, float(len(rgb)), 40.0, 3.0)


class Grey:
    """Its latents are pictures in miniature, and it believes that every clean one is grey."""

    name, timesteps, pixels_per_latent = "grey", 10, 8
    grey = 0.5

    def load(self) -> object:
        """Nothing to load."""
        return self

    def signal(self) -> Any:
        """A straight line."""
        return torch.linspace(1, 0, self.timesteps)

    def encode(self, pictures: Any, generator: Any) -> Any:
        """The mean of each cell."""
        return torch.nn.functional.avg_pool2d(pictures, self.pixels_per_latent)

    def decode(self, latents: Any) -> Any:
        """Squares."""
        return latents.repeat_interleave(self.pixels_per_latent, 2).repeat_interleave(self.pixels_per_latent, 3)

    def noise(self, latents: Any, timesteps: Any, condition: Any, guidance_scale: float) -> Any:
        """What is not grey, over its share."""
        left = self.signal()[timesteps].view(-1, 1, 1, 1)
        return (latents - left.sqrt() * self.grey) / (1 - left).sqrt()


def distillation(model: protocols.Denoiser, pictures: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """A number whose gradient is DreamFusion's (equation 3), weighted by the noise's variance."""
    latents = model.encode(pictures, generator)
    timesteps = torch.randint(1, model.timesteps, (len(latents),), generator=generator)
    left = model.signal()[timesteps].view(-1, 1, 1, 1)
    noise = torch.randn(latents.shape, generator=generator)
    noisy = (left.sqrt() * latents + (1 - left).sqrt() * noise).detach()
    return ((1 - left) * (model.noise(noisy, timesteps, None, 7.5) - noise) * latents).sum()


KINDS = {protocols.Captioner: Words, protocols.ObjectReconstructor: Pyramid, protocols.Denoiser: Grey}


@pytest.mark.parametrize("protocol", KINDS)
def test_each_protocol_tells_its_model_from_others(protocol: Any) -> None:
    for other, model in KINDS.items():
        assert isinstance(model(), protocol) == (other is protocol)
    parts = [name for name in vars(protocol) if not name.startswith("_")]
    assert len(parts) > 1
    for part in parts:
        lacking = type("Lacking", (), {name: getattr(KINDS[protocol], name, "") for name in parts if name != part})
        assert not isinstance(lacking(), protocol), part


def test_a_denoiser_s_parts_make_score_distillation() -> None:
    """It draws pictures to what the model believes."""
    model, generator = Grey(), torch.Generator().manual_seed(1)
    pictures = torch.rand(2, 3, 16, 24, generator=generator).requires_grad_()
    optimiser = torch.optim.SGD([pictures], lr=16.0)
    for _ in range(100):
        optimiser.zero_grad()
        distillation(model, pictures, generator).backward()
        optimiser.step()
    shown = model.decode(model.encode(pictures, generator))
    assert shown.shape == pictures.shape
    torch.testing.assert_close(shown, torch.full_like(shown, 0.5), atol=1e-3, rtol=0)
