"""The synthetic world: exact disparity, cameras that look where they say, the same seed the same world."""

import math

import pytest
import torch

from recon.builtin.world import LAYOUTS, World, textures
from recon.builtin.world.materials import Material
from recon.builtin.world.props import ball, box
from recon.builtin.world.render import pack, rays, render
from recon.builtin.world.scene import Camera, Frame, Light, Scene, Sky, apply, rotation

LIGHT = Light((0.0, -900.0, 0.0), 1.0, 1.0, (1.0, 1.0, 1.0), 0.5, (1.0, 1.0, 1.0))
SKY = Sky((0.2, 0.4, 0.9), (0.8, 0.8, 0.9), 0.5, (0.5, 0.5, 0.5), 1e-3)
GREY = Material(0, 1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 0.0)


@pytest.fixture(scope="module")
def bank():
    return textures.make_bank(0)


def shoot(scene, height, width, bank):
    generator = torch.Generator().manual_seed(0)
    linear, disparity = render(pack([scene], height, width), bank, height, width, generator)
    assert linear.isfinite().all()
    assert (linear >= 0).all()
    return disparity[0, 0]


def test_disparity_of_the_ground_is_linear_in_the_row(bank):
    """Ground at height h below a level camera: 1/z = (row - centre) / (f h), and nothing above the horizon."""
    height, width, fov, up = 96, 128, 60.0, 1.5
    scene = Scene(Camera((0.0, -up, 0.0), 0.0, 0.0, 0.0, fov), LIGHT, SKY)
    box(Frame(scene), 0, -1, 0, 1e5, 1, 1e5, GREY)
    focal = width / 2 / math.tan(math.radians(fov / 2))
    row = torch.arange(height) + 0.5 - height / 2
    expected = (row.clamp_min(0) / (focal * up))[:, None].expand(height, width)
    disparity = shoot(scene, height, width, bank)
    assert torch.allclose(disparity, expected, rtol=2e-3, atol=2e-5)
    assert (disparity[row < 0] == 0).all()


def test_pitch_moves_the_horizon_and_roll_turns_it(bank):
    """Looking down by p puts the horizon f tan(p) above the centre; rolling clockwise raises its left end."""
    size, fov, pitch = 128, 60.0, 10.0
    focal = size / 2 / math.tan(math.radians(fov / 2))
    for roll in (0.0, 8.0):
        scene = Scene(Camera((0.0, -1.0, 0.0), 25.0, pitch, roll, fov), LIGHT, SKY)
        box(Frame(scene), 0, -1, 0, 1e6, 1, 1e6, GREY)
        seen = shoot(scene, size, size, bank) > 0
        horizon = size - seen.sum(0)
        x = torch.arange(size) + 0.5 - size / 2
        lift = focal * math.tan(math.radians(pitch)) / math.cos(math.radians(roll))
        expected = size / 2 - lift - x * math.tan(math.radians(roll))
        assert (horizon - expected).abs().max() < 1.5


def test_a_ball_stands_where_it_was_put(bank):
    """A ball of diameter 1 whose centre lies 0.5 up and 5 m ahead: nearest at 4.5 m, in the middle of the picture."""
    scene = Scene(Camera((0.0, -0.5, 0.0), 0.0, 0.0, 0.0, 50.0), LIGHT, SKY)
    ball(Frame(scene).at(0, 0, 5), 0, 0, 0, 1, 1, 1, GREY)
    disparity = shoot(scene, 64, 64, bank)
    assert disparity.max() == pytest.approx(1 / 4.5, rel=1e-3)
    focal = 32 / math.tan(math.radians(25))
    radius = focal * 0.5 / math.sqrt(25 - 0.25)
    assert (disparity > 0).sum() == pytest.approx(math.pi * radius**2, rel=0.03)


def test_rotation_is_a_rotation_and_turns_as_it_says():
    turn = torch.tensor(rotation(33.0, -20.0, 71.0), dtype=torch.float64)
    assert torch.allclose(turn @ turn.T, torch.eye(3, dtype=torch.float64))
    assert torch.linalg.det(turn) == pytest.approx(1.0)
    assert apply(rotation(yaw=90.0), (0.0, 0.0, 1.0)) == pytest.approx((1.0, 0.0, 0.0))
    assert apply(rotation(pitch=90.0), (0.0, 0.0, 1.0)) == pytest.approx((0.0, 1.0, 0.0))
    assert apply(rotation(roll=90.0), (1.0, 0.0, 0.0)) == pytest.approx((0.0, 1.0, 0.0))


def test_rays_have_unit_depth_in_the_camera_frame():
    scene = Scene(Camera((0.0, 0.0, 0.0), 40.0, 15.0, 5.0, 70.0), LIGHT, SKY)
    box(Frame(scene), 0, -1, 0, 9, 1, 9, GREY)
    packed = pack([scene], 32, 64)
    camera = packed.turn.transpose(1, 2) @ rays(packed, 32, 64)
    assert torch.allclose(camera[0, 2], torch.ones(32 * 64), atol=1e-5)
    assert camera[0, 0].max() == pytest.approx(math.tan(math.radians(35)) * 63 / 64, rel=1e-4)


def test_lookup_at_texel_centres_returns_the_bank(bank):
    generator = torch.Generator().manual_seed(3)
    for level, size in ((0, 128), (3, 16), (7, 1)):
        x, y = torch.randint(size, (2, 200), generator=generator)
        pattern = torch.randint(len(bank), (200,), generator=generator)
        start = sum(4 ** (7 - i) for i in range(level))
        mix, joint = textures.lookup(
            bank, pattern, (x + 0.5) / size - 3, (y + 0.5) / size + 2, torch.full((200,), level)
        )
        assert torch.allclose(torch.stack([mix, joint], -1), bank[pattern, start + y * size + x], atol=1e-4)


def test_every_mip_level_keeps_the_mean(bank):
    first, last = bank[:, : 128 * 128].mean(1), bank[:, -1]
    assert torch.allclose(first, last, atol=1e-4)


@pytest.mark.parametrize("number", range(len(LAYOUTS)))
def test_layouts_give_finite_pictures(number, bank):
    from random import Random

    random = Random(number)
    packed = pack([LAYOUTS[number][0](random) for _ in range(4)], 48, 64)
    linear, disparity = render(packed, bank, 48, 64, torch.Generator().manual_seed(0))
    assert linear.isfinite().all()
    assert disparity.isfinite().all()
    assert (disparity >= 0).all()
    assert (disparity > 0).float().mean() > 0.3


def test_a_batch_follows_from_seed_and_index():
    first, again, other = World(5).batch(3, 5, 32, 48), World(5).batch(3, 5, 32, 48), World(5).batch(4, 5, 32, 48)
    assert first.rgb.shape == (5, 3, 32, 48)
    assert first.disparity.shape == first.sky.shape == (5, 1, 32, 48)
    assert torch.equal(first.rgb, again.rgb)
    assert torch.equal(first.disparity, again.disparity)
    assert not torch.equal(first.rgb, other.rgb)
    assert first.rgb.min() >= 0
    assert first.rgb.max() <= 1
    assert torch.equal(first.sky, (first.disparity == 0).float())
