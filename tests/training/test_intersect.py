"""Rays against primitives: closed forms, and a brute-force twin that marches along the ray."""

import math

import pytest
import torch

from training.synthetic import intersect
from training.synthetic.intersect import BOX, CYLINDER, ELLIPSOID

IDENTITY = torch.eye(3)[None, None]
ZERO = torch.zeros(1, 1, 3)
WHOLE = (slice(None), slice(None))


def first_hit(kind, origin, direction, taper=0.0, matrix=IDENTITY, offset=ZERO):
    """t of the first hit for one primitive and directions (N, 3)."""
    t, slot, last, last_slot = intersect.nearest_hit(
        [kind],
        matrix,
        offset,
        torch.full((1, 1), taper),
        torch.tensor([origin]),
        direction.T[None, :, None],
        [WHOLE],
        torch.tensor([[True]]),
    )
    t, slot, last = t[:, 0], slot[:, 0], last[:, 0]
    assert ((last_slot[:, 0] >= 0) == (last > 0)).all()
    assert ((last[0] > 0) == t[0].isfinite()).all()
    assert (last[0] >= t[0])[t[0].isfinite()].all()
    assert ((slot[0] >= 0) == t[0].isfinite()).all()
    return t[0]


def inside(kind, point, taper):
    """The definition of each solid, for points (..., 3) in its unit frame."""
    x, y, z = point.unbind(-1)
    if kind == BOX:
        return point.abs().amax(-1) <= 1
    if kind == ELLIPSOID:
        return (point * point).sum(-1) <= 1
    return (y.abs() <= 1) & (x * x + z * z <= (1 + taper * y) ** 2)


@pytest.mark.parametrize("kind", [BOX, ELLIPSOID, CYLINDER])
@pytest.mark.parametrize("taper", [0.0, 0.6, -0.6, 0.95])
def test_hits_agree_with_marching(kind, taper):
    generator = torch.Generator().manual_seed(kind)
    origin = [0.3, -0.4, -4.0]
    direction = torch.randn(600, 3, generator=generator) * torch.tensor([0.35, 0.35, 0.0]) + torch.tensor(
        [0.0, 0.0, 1.0]
    )
    steps = torch.linspace(0, 8, 8001)
    points = torch.tensor(origin) + steps[None, :, None] * direction[:, None]
    held = inside(kind, points.double(), taper)
    marched = torch.where(held.any(1), steps[held.long().argmax(1)], torch.inf)
    t = first_hit(kind, origin, direction, taper)
    both = t.isfinite() & marched.isfinite()
    assert both.sum() > 50
    assert torch.allclose(t[both], marched[both], atol=2e-3)
    # The march may step over a corner of less than 1 mm, never the other way round.
    assert (t.isfinite() | marched.isinf()).all()
    assert (t.isfinite() != marched.isfinite()).float().mean() < 0.01


def test_steep_rays_in_a_cone_from_above_and_below():
    for y, d, t in ((-3.0, 1.0, 2.0), (3.0, -1.0, 2.0)):
        assert first_hit(CYLINDER, [0.1, y, 0.0], torch.tensor([[0.0, d, 0.0]]), 0.9)[0] == pytest.approx(t)


def test_sphere_closed_form():
    """A ball of radius 2 at depth 10: straight on at 8; the tangent ray leaves at sqrt(96) along a unit direction."""
    matrix, offset = IDENTITY / 2, torch.tensor([[[0.0, 0.0, -5.0]]])
    angle = math.asin(0.2)
    rays = torch.tensor([[0.0, 0.0, 1.0], [math.sin(angle * 0.9999), 0.0, math.cos(angle * 0.9999)], [0.21, 0.0, 0.97]])
    t = first_hit(ELLIPSOID, [0.0, 0.0, 0.0], rays, matrix=matrix, offset=offset)
    assert t[0] == pytest.approx(8.0)
    assert t[1] == pytest.approx(math.sqrt(96), rel=0.02)
    assert t[2].isinf()


def test_from_inside_a_room_the_far_wall_is_hit():
    t = first_hit(BOX, [0.5, 0.0, 0.0], torch.tensor([[1.0, 0.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 2.0]]))
    assert torch.allclose(t, torch.tensor([0.5, 1.5, 0.5]))


def test_nearest_of_two_and_nothing_behind():
    matrix = IDENTITY.expand(1, 3, 3, 3)
    offset = torch.tensor([[[0.0, 0.0, -9.0], [0.0, 0.0, -5.0], [0.0, 0.0, 4.0]]])
    t, slot, last, last_slot = intersect.nearest_hit(
        [BOX, ELLIPSOID, BOX],
        matrix,
        offset,
        torch.zeros(1, 3),
        torch.zeros(1, 3),
        torch.tensor([[[[0.0]], [[0.0]], [[1.0]]]]),
        [WHOLE] * 3,
        torch.tensor([[True, True, False]]),
    )
    assert slot.item() == 1
    assert t.item() == pytest.approx(4.0)
    # The subject's last exit is that of its farther part, the box around 9.
    assert last.item() == pytest.approx(10.0)
    assert last_slot.item() == 0


def test_a_window_is_all_that_is_looked_at():
    direction = torch.tensor([0.0, 0.0, 1.0]).view(1, 3, 1, 1).expand(1, 3, 4, 6)
    offset = torch.tensor([[[0.0, 0.0, -5.0]]])
    subject, window = torch.tensor([[False]]), (slice(1, 3), slice(2, 5))
    t, slot, last, last_slot = intersect.nearest_hit(
        [BOX], IDENTITY, offset, torch.zeros(1, 1), torch.zeros(1, 3), direction, [window], subject
    )
    expected = torch.full((4, 6), torch.inf)
    expected[window] = 4
    assert torch.equal(t[0], expected)
    assert torch.equal(slot[0] == 0, expected == 4)
    assert (last == 0).all()
    assert (last_slot == -1).all()


def test_shadow_ends_at_the_lamp_and_ignores_the_room_around():
    matrix, offset = (
        torch.stack([torch.eye(3), torch.eye(3) / 50])[None],
        torch.tensor([[[0.0, 3.0, 0.0], [0.0, 0.0, 0.0]]]),
    )
    floor = torch.tensor([[[0.0, 2.5], [0.0, 0.0], [0.0, 0.0]]])

    def shadow(height):
        up = torch.tensor([[[0.0], [-height], [0.0]]]).expand_as(floor)
        return intersect.light_is_blocked([BOX, BOX], matrix, offset, torch.zeros(1, 2), floor, up)[0].tolist()

    assert shadow(10.0) == [True, False]
    assert shadow(1.9) == [False, False]
