"""Rendering by shares of each ray's way through the cube, against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from recon.render.cameras import orbit
from recon.render.crossing import WALL, occupied_cells, render_crossings
from recon.render.fields import Field
from tests.objects import BODY, KNOBS, KnobbedBall

BLACK = torch.zeros(3)


class Fog(Field):
    """The same density and colour everywhere."""

    def logits(self, x: Tensor) -> Tensor:
        """Density 0.8."""
        return x.new_tensor([math.log(0.8), 0.0, 1.0, -1.0]).expand(len(x), 4)


def test_fog_is_as_opaque_aslant_as_along_an_axis() -> None:
    seen = render_crossings(Fog(), orbit(35.0, 25.0, 4.0, 40.0, 16), BLACK)
    hit = seen.opacity > 0
    assert 0.3 < float(hit.float().mean()) < 0.9
    torch.testing.assert_close(seen.opacity[hit], torch.full_like(seen.opacity[hit], 1 - math.exp(-1.6)))
    albedo = torch.tensor([0.0, 1.0, -1.0]).sigmoid()
    torch.testing.assert_close(seen.colour[hit], (1 - math.exp(-1.6)) * albedo.expand(int(hit.sum()), 3))


@pytest.mark.parametrize(("azimuth", "knob"), [(0.0, "front"), (90.0, "right"), (180.0, "back")])
def test_each_side_is_seen_from_its_own_side(azimuth: float, knob: str) -> None:
    centre, _, colour = KNOBS[knob]
    camera = orbit(azimuth, 0.0, 3.0, 40.0, 64)
    seen = render_crossings(KnobbedBall(), camera, torch.ones(3))
    u, v, z = camera.project(torch.tensor([centre]))[0].tolist()
    torch.testing.assert_close(seen.colour[int(v), int(u)], torch.tensor(colour), atol=0.02, rtol=0)
    assert float(seen.depth[int(v), int(u)]) == pytest.approx(z - KNOBS[knob][1], abs=0.03)
    edge = camera.project(torch.tensor([[0.0, BODY + 0.1, 0.0]]))[0]
    assert float(seen.opacity[int(edge[1]), int(edge[0])]) < 0.05


class Wall(Field):
    """Nothing, and from x = 0 on a matter whose density overflows; red."""

    def logits(self, x: Tensor) -> Tensor:
        """Density e^200, which is infinite in float32, or e^-200."""
        return torch.stack(
            [torch.where(x[:, 0] > 0, 200.0, -200.0), *(x.new_full((len(x),), v) for v in (9, -9, -9))], 1
        )


def test_a_density_that_overflows_is_opaque_and_no_nan() -> None:
    assert torch.isinf(Wall().density(torch.tensor([[0.5, 0, 0]]))).all(), "else this proves nothing"
    camera = orbit(90.0, 0.0, 3.0, 40.0, 16)  # looks along -x, through many steps of it one after another
    seen = render_crossings(Wall(), camera, BLACK)
    assert not seen.colour.isnan().any() and not seen.opacity.isnan().any()
    torch.testing.assert_close(seen.opacity[8, 8], torch.tensor(1.0))
    torch.testing.assert_close(seen.colour[8, 8], torch.tensor([9.0, -9, -9]).sigmoid(), atol=1e-3, rtol=0)
    assert float(seen.depth[8, 8]) == pytest.approx(3 - WALL, abs=2 / 128)
    aside = render_crossings(Wall(), orbit(0.0, 0.0, 3.0, 40.0, 16), BLACK)  # half of it behind nothing
    assert aside.opacity[8].tolist() == pytest.approx([0.0] * 8 + [1.0] * 8, abs=1e-6)


def test_where_nothing_is_nothing_is_asked() -> None:
    ball, camera = KnobbedBall(), orbit(35.0, 25.0, 3.0, 40.0, 64)
    whole = render_crossings(ball, camera, BLACK)
    every, ball.asked = ball.asked, 0
    cells = occupied_cells(ball)
    lattice, ball.asked = ball.asked, 0
    quick = render_crossings(ball, camera, BLACK, occupied=cells)
    torch.testing.assert_close(quick.colour, whole.colour, atol=1e-4, rtol=0)
    torch.testing.assert_close(quick.opacity, whole.opacity, atol=1e-4, rtol=0)
    assert lattice == 65**3 and ball.asked < every / 4
