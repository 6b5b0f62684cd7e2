"""TripoSR at its full size against figures of the authors' own code: `python -m tests.models.full_size` (a minute of a
processor, 4 GB), which is too long for the suite.

Recipe of the figures: as in `test_triposr`, with the tensors of `toy_triposr.noise` at the published measures, those of the
decoder 1.6 times as large: so raw densities spread by 9 and reach 45, and nothing
overflows. Differences then, in parts of the largest: codes 9e-8, densities 7e-5, colours 1e-6, pixels 7e-5.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from torch import Tensor

from recon.models.triposr.field import TriplaneField
from recon.models.triposr.network import TripoSRNetwork
from recon.models.triposr.plan import TripoSRPlan
from recon.render.cameras import orbit
from recon.render.crossing import render_crossings
from tests.models.test_triposr import CLOSE, POINTS, checked_picture
from tests.models.toy_triposr import noise

FIGURES = Path(__file__).with_name("triposr_full_size.json")
GAIN = 1.6


@torch.no_grad()
def made() -> dict[str, Tensor]:
    """Scene codes, densities per crossing of the cube, colours and pixels, some of each."""
    plan = TripoSRPlan()
    with torch.device("meta"):
        network = TripoSRNetwork(plan)
    network.load_state_dict(noise(plan, GAIN), assign=True)
    planes = network.eval()(checked_picture(plan.side))
    field = TriplaneField(planes, network.decoder, plan.density_bias)
    seen = field(POINTS)
    view = render_crossings(field, orbit(90.0, 20.0, 1.9 / 0.87, 40.0, 24), torch.ones(3), plan.samples, 0.01 / 0.87)
    return {
        "codes": planes[:, ::13, 5::29, 7::31][:, :3],
        "densities": 2 * seen.density,
        "colours": seen.albedo,
        "pixels": view.colour[4::7, 4::7],
    }


def main() -> None:
    """Print how far each is from the figures, and fail above 1e-4 of the largest."""
    wanted = json.loads(FIGURES.read_text())
    for name, found in made().items():
        figures = torch.tensor(wanted[name])
        off = float((found.flatten() - figures).abs().max() / figures.abs().max())
        print(f"{name}: {off:.1e} of the largest")
        assert off < CLOSE, name


if __name__ == "__main__":
    main()
