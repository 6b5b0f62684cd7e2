"""Radiance fields: points of the world to density and colour.

The field lives in the ball of radius 1 around the origin. Density is per unit of distance; albedo is in 0..1, in
the colour space of the pictures it is fitted to. What the network gives is the density's logit and, before a sigmoid, the
albedo; a prior's logit is added to the former, so that a shapeless network begins as a blob or as a known solid.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from .hashgrid import PointEncoder, cell_corners, interpolate_features

Prior = Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]]

EXP_LIMIT = 15.0
"""Beyond it the exponential's gradient stays as it is there (torch-ngp): one bad step must not give infinity."""


class FieldSample(NamedTuple):
    """A field at points; normals are unit vectors out of the matter, 0 where the density is constant."""

    density: Float[Tensor, " n"]
    albedo: Float[Tensor, "n 3"]
    normal: Float[Tensor, "n 3"] | None = None


class _TruncatedExp(torch.autograd.Function):
    """exp whose gradient is that of exp of the input clamped to ± EXP_LIMIT."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.exp()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        return grads[0] * x.clamp(-EXP_LIMIT, EXP_LIMIT).exp()


def activate(logit: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """Density of a logit: the truncated exponential of Instant-NGP."""
    return _TruncatedExp.apply(logit)


class Field(nn.Module):
    """From logits to density, albedo and normals. A subclass gives `logits`."""

    def __init__(self, prior: Prior | None = None) -> None:
        super().__init__()
        self.prior = prior

    def logits(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, "n 4"]:
        """Density's logit, without the prior, and three colour logits."""
        raise NotImplementedError

    def density_logit(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Density's logit with the prior."""
        return self._with_prior(x, self.logits(x)[:, 0])

    def density(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """Density alone."""
        return activate(self.density_logit(x))

    def forward(self, x: Float[Tensor, "n 3"], normals: bool = False) -> FieldSample:
        """The field at points.

        Normals are -gradient of the density's logit: the density's direction, without its overflow. They can be
        differentiated again when gradients are on.
        """
        if not normals:
            return self._sample(x, self.logits(x))
        training = torch.is_grad_enabled()
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            logits = self.logits(x)
            logit = self._with_prior(x, logits[:, 0])
            (gradient,) = torch.autograd.grad(logit.sum(), x, create_graph=training)
        sample = self._sample(x.detach(), logits if training else logits.detach())
        return sample._replace(normal=-F.normalize(gradient, dim=1))

    def _sample(self, x: Tensor, logits: Tensor) -> FieldSample:
        return FieldSample(activate(self._with_prior(x, logits[:, 0])), logits[:, 1:].sigmoid())

    def _with_prior(self, x: Tensor, logit: Tensor) -> Tensor:
        return logit if self.prior is None else logit + self.prior(x)


class HashField(Field):
    """A hash grid and a small network."""

    def __init__(
        self,
        encoder: PointEncoder,
        hidden: int = 64,
        layers: int = 1,
        prior: Prior | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__(prior)
        self.encoder = encoder
        self.network = mlp([encoder.shape.width, *[hidden] * layers, 4], generator)

    def logits(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, "n 4"]:
        """Density's logit, without the prior, and three colour logits."""
        return self.network(self.encoder((x + 1) / 2))


def mlp(widths: list[int], generator: torch.Generator | None = None) -> nn.Sequential:
    """Linear layers with ReLU between them, drawn as torch's defaults are but from `generator`."""
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        linear = nn.utils.skip_init(nn.Linear, inputs, outputs)
        nn.init.uniform_(linear.weight, -(inputs**-0.5), inputs**-0.5, generator=generator)
        nn.init.uniform_(linear.bias, -(inputs**-0.5), inputs**-0.5, generator=generator)
        layers += [linear, nn.ReLU(inplace=True)]
    return nn.Sequential(*layers[:-1])


class Blob(nn.Module):
    """A soft ball: strength·(1 - |x|/spread), as threestudio has it."""

    def __init__(self, strength: float, spread: float) -> None:
        super().__init__()
        self.strength, self.spread = strength, spread

    def forward(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """The prior's logit at points."""
        return self.strength * (1 - ((x**2).sum(1) + 1e-12).sqrt() / self.spread)  # finite gradient at the tip


class VolumePrior(nn.Module):
    """A logit given at the n³ vertices of a lattice over the cube from -1 to 1, [z, y, x], trilinear between them."""

    values: Tensor

    def __init__(self, values: Float[Tensor, "n n n"]) -> None:
        super().__init__()
        self.register_buffer("values", values.clone())

    @staticmethod
    def of_distance(distance: Float[Tensor, "n n n"], sharpness: float = 50.0, limit: float = 4.0) -> VolumePrior:
        """The prior of a solid whose signed distance, positive inside, is known: density exp(± limit) in and out of it, and
        between them a ramp of width 2·limit/sharpness."""
        return VolumePrior((sharpness * distance).clamp(-limit, limit))

    def forward(self, x: Float[Tensor, "n 3"]) -> Float[Tensor, " n"]:
        """The prior's logit at points; beyond the cube that of its faces."""
        n = self.values.shape[0]
        place = (x.clamp(-1, 1).T + 1) * ((n - 1) / 2) - 0.5  # in a hash grid's level of scale 1
        return interpolate_features(self.values.view(-1, 1), *cell_corners(place, 1.0, n, n**3)).squeeze(1)


def normals_by_differences(
    density_logit: Callable[[Float[Tensor, "n 3"]], Float[Tensor, " n"]], x: Float[Tensor, "n 3"], step: float
) -> Float[Tensor, "n 3"]:
    """Unit normals by central differences of `step`: six more queries and no second derivative. A wide step smooths."""
    shifts = torch.cat((torch.eye(3), -torch.eye(3))).to(x) * step
    ahead, behind = density_logit((x + shifts[:, None]).flatten(0, 1)).view(6, -1).chunk(2)
    return F.normalize((behind - ahead).T, dim=1)
