"""Sculptures: sphere tracing against closed forms and against dense sampling, cuts, and builders."""

import math
from dataclasses import replace
from random import Random

import pytest
import torch

from training.synthetic.implicit_solids import (
    ADD,
    CUT,
    PUT,
    ROUNDED_CYLINDER,
    SUPERQUADRIC,
    TORUS,
    Part,
    Sculpture,
    field,
    stack,
    stand_ins,
)
from training.synthetic.intersect import BOX, CYLINDER, ELLIPSOID
from training.synthetic.scene import IDENTITY, Material, rotation
from training.synthetic.sculptures import FAMILIES, sculpture
from training.synthetic.trace import pack_sculptures, trace_sculptures

GREY = Material(0, 1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 0.0)
EYE = torch.tensor([[0.0, 0.0, -2.0]])


def part(kind=SUPERQUADRIC, centre=(0.0, 0.0, 0.0), half=(0.5, 0.5, 0.5), turn=IDENTITY, op=ADD, **more):
    return Part(kind, centre, half, turn, GREY, op, **more)


def fan(size, tangent=0.36):
    """Directions (1, 3, size^2) with z = 1."""
    axis = ((torch.arange(size) + 0.5) / size * 2 - 1) * tangent
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    return torch.stack([x.flatten(), y.flatten(), torch.ones(size * size)])[None]


def shot(sculpture, directions, eye=EYE):
    return trace_sculptures(pack_sculptures([sculpture]), eye, directions)


def test_a_ball_is_met_where_the_sphere_equation_says():
    """|o + t d| = r for entry and exit, the normal is the unit vector from the centre; the rest misses with inf."""
    d = fan(64)
    b, c = (EYE[..., None] * d).sum(1) / d.square().sum(1), (4 - 0.25) / d.square().sum(1)
    inside = b * b > c
    clear = (b * b / c - 1).abs() > 2e-3  # not within a hair of the outline
    solid = shot(Sculpture((part(),)), d)
    assert ((solid.part >= 0) == inside)[clear].all()
    assert (solid.near[solid.part < 0] == math.inf).all()
    assert (solid.far[solid.part < 0] == -math.inf).all()
    root = (b * b - c).clamp_min(0).sqrt()
    seen = inside & clear & (root > 0.05)
    assert torch.allclose(solid.near[seen], (-b - root)[seen], atol=5e-4)
    assert torch.allclose(solid.far[seen], (-b + root)[seen], atol=1e-2)
    point = EYE[:, None] + solid.near[..., None] * d.transpose(1, 2)
    assert torch.allclose(solid.normal[seen], point[seen] / 0.5, atol=2e-2)


def test_a_turned_moved_and_scaled_block_is_met_at_its_faces():
    """Placing a sculpture is p -> origin + scale turn p: rays at a block turned by 30 degrees meet its front plane."""
    turn, scale = rotation(30), 1.5
    placed = Sculpture((part(half=(0.4, 0.3, 0.2), rounding=0.01),), 0.0, (0.1, -0.2, 1.0), turn, scale)
    solid = shot(placed, fan(48, 0.05))
    normal = torch.tensor(turn) @ torch.tensor([0.0, 0.0, -1.0])
    plane = (torch.tensor([0.1, -0.2, 1.0]) + scale * 0.2 * normal - EYE[0]) @ normal
    expected = plane / (normal @ fan(48, 0.05)[0])
    assert (solid.part == 0).all()
    assert torch.allclose(solid.near[0], expected, atol=1e-3)
    assert torch.allclose(solid.far[0] - solid.near[0], 2 * 0.2 * scale / (-normal @ fan(48, 0.05)[0]), atol=1e-2)
    assert torch.allclose(solid.normal[0], normal.expand(48 * 48, 3), atol=5e-3)
    assert (solid.point[0, :, 2] + 0.2 * scale).abs().max() < 2e-3


def test_a_torus_has_a_hole_and_two_walls():
    """Ring radius 0.4, tube 0.1, axis y, seen from the side and from above."""
    ring = Sculpture((part(TORUS, half=(0.5, 0.1, 0.5), rounding=0.1),))
    straight = torch.tensor([[[0.0], [0.0], [1.0]]])
    solid = shot(ring, straight)
    assert solid.near.item() == pytest.approx(1.5, abs=2e-3)
    assert solid.far.item() == pytest.approx(2.5, abs=2e-3)
    above, down = torch.tensor([[0.0, -2.0, 0.0]]), torch.tensor([[[0.0, 0.2, 0.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]])
    solid = shot(ring, down, above)
    assert solid.near[0, 0] == math.inf and solid.near[0, 2] == math.inf
    x = 0.2 * solid.near[0, 1]
    assert (x - 0.4) ** 2 + (solid.near[0, 1] - 2) ** 2 == pytest.approx(0.01, abs=2e-4)


def test_a_cut_removes_and_the_bared_wall_belongs_to_it():
    """A ball with its front half cut off begins at its middle plane; a part that is put stays whole."""
    cut = part(centre=(0.0, 0.0, -1.0), half=(2.0, 2.0, 1.0), rounding=0.001, op=CUT)
    straight = torch.tensor([[[0.05], [0.0], [1.0]]])
    solid = shot(Sculpture((part(), cut)), straight)
    assert solid.near.item() == pytest.approx(2.0, abs=2e-3)
    assert solid.part.item() == 1
    solid = shot(Sculpture((part(), cut, part(half=(0.2, 0.2, 0.2), op=PUT))), straight)
    assert solid.near.item() < 1.85
    assert solid.part.item() == 2


def test_the_last_exit_is_that_of_the_hindmost_part():
    two = Sculpture((part(centre=(0, 0, -0.6), half=(0.2,) * 3), part(centre=(0, 0, 0.8), half=(0.1,) * 3)))
    solid = shot(two, torch.tensor([[[0.0], [0.0], [1.0]]]))
    assert solid.near.item() == pytest.approx(1.2, abs=2e-3)
    assert solid.far.item() == pytest.approx(2.9, abs=2e-3)


def test_a_thin_ring_beside_a_ball_has_no_gaps():
    """Steps are stretched where the field falls slowly, yet not over a handle: every ray well inside it meets it."""
    ring = part(TORUS, (0.45, 0.0, 0.0), (0.3, 0.025, 0.3), ((1, 0, 0), (0, 0, -1), (0, 1, 0)), rounding=0.025)
    made, d = Sculpture((part(half=(0.4, 0.5, 0.4)), ring)), fan(128)
    at = 2 * d[0, :2]
    inside = (torch.hypot(at[0] - 0.45, at[1]) - 0.275).abs() < 0.02
    assert inside.sum() > 300
    assert (shot(made, d).part[0][inside] >= 0).all()


def random_part(r, op):
    half = tuple(r.uniform(0.08, 0.35) for _ in range(3))
    centre, turn = tuple(r.uniform(-0.35, 0.35) for _ in range(3)), rotation(r.uniform(0, 360), r.uniform(-90, 90))
    more = {"exponents": r.choice(((2, 2), (4, 4), (2, 8))), "rounding": r.choice((0, 0.05))}
    kind = r.choice((SUPERQUADRIC, TORUS, ROUNDED_CYLINDER))
    return part(kind, centre, half, turn, op, taper=r.choice((0, 0.4)), bend=r.choice((0, 0.3)), **more)


@pytest.mark.parametrize("seed", range(3))
def test_the_field_never_exceeds_the_way_to_the_surface(seed):
    """1-Lipschitz: |g(x) - g(y)| <= |x - y| for random points and all kinds of parts; that is what makes steps safe."""
    r, generator = Random(seed), torch.Generator().manual_seed(seed)
    s = stack([Sculpture(tuple(random_part(r, op) for op in (ADD, ADD, ADD, CUT, PUT)), 0.1)], [0])
    x = torch.rand(1, 3, 4000, generator=generator) * 2 - 1
    for step in (1e-2, 0.1, 0.5):
        y = x + step * torch.nn.functional.normalize(torch.randn(x.shape, generator=generator), dim=1)
        assert ((field(s, x) - field(s, y)).abs() <= step * 1.001 + 1e-5).all()


@pytest.mark.parametrize("seed", range(3))
def test_tracing_agrees_with_dense_sampling(seed):
    """The twin looks at the field every 2 mm; rays that graze the surface may differ."""
    r, d = Random(10 + seed), fan(32)
    made = Sculpture(tuple(random_part(r, op) for op in (ADD, ADD, ADD, CUT, PUT)), 0.08)
    s = stack([made], [0])
    t = torch.arange(1.0, 3.0, 0.002)
    points = (EYE - s.centre)[0, :, None, None] + d[0, :, None] * t[:, None]
    inside = (field(s, points.flatten(1)[None]) < 0).view(len(t), -1)
    hit = inside.any(0)
    first, last = t[inside.byte().argmax(0)], t[len(t) - 1 - inside.flip(0).byte().argmax(0)]
    solid = shot(made, d)
    both = hit & (solid.part[0] >= 0)
    assert (hit != (solid.part[0] >= 0)).sum() <= 0.05 * hit.sum()
    assert ((solid.near[0] - first)[both].abs() < 0.01).float().mean() > 0.95
    assert ((solid.far[0] - last)[both].abs() < 0.01).float().mean() > 0.9


@pytest.mark.parametrize("family", [f for f, _ in FAMILIES], ids=lambda f: f.__name__)
def test_every_family_stands_on_the_ground_and_can_be_seen(family):
    """1 m large, lowest point on y = 0, entry before exit, unit normals towards the eye, and its parts are named."""
    for seed in range(3):
        made = family(Random(seed))
        assert made == family(Random(seed))
        low, high = made.box()
        assert max(b - a for a, b in zip(low, high, strict=True)) == pytest.approx(1.0, abs=1e-6)
        assert high[1] == pytest.approx(0.0, abs=1e-6)
        solid = shot(made, fan(32), torch.tensor([[0.0, -0.5, -2.2]]))
        seen = solid.part >= 0
        assert 20 < seen.sum() < 32 * 32
        assert (solid.part[seen] < len(made.parts)).all()
        assert (solid.near[seen] <= solid.far[seen]).all()
        assert torch.allclose(solid.normal[seen].norm(dim=-1), torch.ones(int(seen.sum())), atol=1e-4)
        facing = (solid.normal * fan(32).transpose(1, 2)).sum(-1)[seen]
        assert (facing < 0.05).float().mean() > 0.97


def test_a_batch_gives_each_image_its_own_sculpture():
    """Images without one miss everywhere; padding parts and rays for a joint stack (as on a GPU) changes nothing."""
    first, second = sculpture(Random(1)), replace(sculpture(Random(2)), origin=(0.1, 0.3, 0.2), turn=rotation(40))
    d, eye = fan(24).expand(3, -1, -1), EYE.expand(3, -1)
    packed = pack_sculptures([first, None, second])
    apart = trace_sculptures(packed, eye, d)
    assert (apart.part[1] == -1).all()
    assert torch.equal(apart.near[0], shot(first, fan(24)).near[0])
    joint = trace_sculptures(replace(packed, stacks=[stack([first, second], [0, 2])]), eye, d)
    same = (joint.part == apart.part).float().mean()
    assert same > 0.995
    seen = (joint.part >= 0) & (apart.part >= 0)
    assert (joint.near - apart.near)[seen].abs().median() < 1e-4


def test_stand_ins_are_the_primitives_that_the_parts_look_like():
    round_box = part(half=(0.3, 0.2, 0.1), rounding=0.02)
    tube, ring = part(ROUNDED_CYLINDER, half=(0.2, 0.4, 0.2)), part(TORUS, half=(0.5, 0.05, 0.5), rounding=0.05)
    made = Sculpture((part(), round_box, tube, ring, part(op=CUT)), 0.0, (1.0, 2.0, 3.0), IDENTITY, 2.0)
    found = stand_ins(made)
    assert [p.kind for p in found] == [ELLIPSOID, BOX, CYLINDER] + [ELLIPSOID] * 6
    assert found[1].half == (0.6, 0.4, 0.2)
    assert found[1].centre == (1.0, 2.0, 3.0)
    assert all(math.dist(p.centre, (1.0, 2.0, 3.0)) == pytest.approx(0.9) for p in found[3:])
