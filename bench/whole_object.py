"""An object model's field to a surface, coarse to fine against a dense pass, and half the precision against float32.

    python -m bench.whole_object

Full-size TripoSR of random weights: time does not ask what they are. The field is the network's decoder over planes of
random features that are made to have a surface: a ball, and what the decoder does to it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from recon.models.triposr.field import TriplaneField
from recon.models.triposr.network import Decoder, TripoSRNetwork
from recon.models.triposr.plan import TripoSRPlan
from recon.models.triposr.precision import reduced
from recon.render.extraction import extract_surface

T = TypeVar("T")
RESOLUTION = 256
DENSE_SHARE = 16
"""One slab of so many is asked for densely, and its time multiplied."""


class Balled(TriplaneField):
    """A triplane's field with a ball's density: the cost is the triplane's, the surface an object's."""

    def logits(self, x: Tensor) -> Tensor:
        """Density's logit, and colours."""
        found = super().logits(x)
        found[:, 0] = self.level + 40 * (0.6 - x.norm(dim=1)) + 2 * found[:, 0].tanh()
        return found


def main() -> None:
    """Print both tables."""
    torch.manual_seed(0)
    plan = TripoSRPlan()
    field = Balled(torch.randn(3, plan.features, 64, 64), Decoder(3 * plan.features, plan.hidden, plan.layers), -1.0)
    fine, (vertices, faces) = timed(lambda: extract_surface(field.density_logit, field.level, RESOLUTION))
    dense = DENSE_SHARE * timed(lambda: slab(field))[0]
    print(f"surface at {RESOLUTION}³: {len(vertices)} vertices, {len(faces)} faces")
    print(
        f"dense query {dense:.1f} s, coarse to fine with marching cubes {fine:.1f} s, {dense / fine:.1f} times faster"
    )
    network = random_network(plan)
    picture = torch.rand(1, 3, plan.side, plan.side)
    with torch.inference_mode():
        whole, exact = timed(lambda: network(picture))
        half_network = reduced(network, "bfloat16")
        half_network(picture)
        half, found = timed(lambda: half_network(picture))
    off = float((found - exact).norm() / exact.norm())
    print(
        f"forward float32 {whole:.1f} s, bfloat16 {half:.1f} s, {whole / half:.2f} times faster, error {100 * off:.2f} %"
    )


@torch.no_grad()
def slab(field: nn.Module) -> Tensor:
    """A part of the dense lattice's values."""
    line = torch.linspace(-1, 1, RESOLUTION + 1)
    points = torch.cartesian_prod(line[: (RESOLUTION + 1) // DENSE_SHARE + 1], line, line)
    found: Tensor = field.density_logit(points)  # type: ignore[operator]
    return found


def random_network(plan: TripoSRPlan) -> TripoSRNetwork:
    """The network with torch's own beginning weights, and small learnt tokens."""
    network = TripoSRNetwork(plan).requires_grad_(False).eval()
    for name, each in network.named_parameters():
        if name.endswith(("embeddings", "cls_token")):
            nn.init.normal_(each, std=0.1)
    return network


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds, and what came of it."""
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


if __name__ == "__main__":
    main()
