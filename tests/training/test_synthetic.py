"""The synthetic world: exact disparity, cameras that look where they say, the same seed the same world."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from training.synthetic import LAYOUTS, World, textures
from training.synthetic.compose import focused, pasted
from training.synthetic.labels import label
from training.synthetic.materials import Material
from training.synthetic.packing import pack_scenes
from training.synthetic.props import ball, box
from training.synthetic.render import RenderedPhotos, pixel_rays, render_scenes, trace_scenes
from training.synthetic.scene import Backdrop, Light, LocalFrame, Scene, Sky, Viewpoint, apply, rotation

LIGHT = Light((0.0, -900.0, 0.0), 1.0, 1.0, (1.0, 1.0, 1.0), 0.5, (1.0, 1.0, 1.0))
SKY = Sky((0.2, 0.4, 0.9), (0.8, 0.8, 0.9), 0.5, (0.5, 0.5, 0.5), 1e-3)
GREY = Material(0, 1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 0.0)


@pytest.fixture(scope="module")
def bank():
    return textures.make_bank(0)


def shoot(scene, height, width, bank):
    generator = torch.Generator().manual_seed(0)
    pictures = render_scenes(pack_scenes([scene], height, width), bank, height, width, generator)
    assert pictures.colour.isfinite().all()
    assert (pictures.colour >= 0).all()
    return pictures.disparity[0, 0]


def test_disparity_of_the_ground_is_linear_in_the_row(bank):
    """Ground at height h below a level camera: 1/z = (row - centre) / (f h), and nothing above the horizon."""
    height, width, fov, up = 96, 128, 60.0, 1.5
    scene = Scene(Viewpoint((0.0, -up, 0.0), 0.0, 0.0, 0.0, fov), LIGHT, SKY)
    box(LocalFrame(scene), 0, -1, 0, 1e5, 1, 1e5, GREY)
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
        scene = Scene(Viewpoint((0.0, -1.0, 0.0), 25.0, pitch, roll, fov), LIGHT, SKY)
        box(LocalFrame(scene), 0, -1, 0, 1e6, 1, 1e6, GREY)
        seen = shoot(scene, size, size, bank) > 0
        horizon = size - seen.sum(0)
        x = torch.arange(size) + 0.5 - size / 2
        lift = focal * math.tan(math.radians(pitch)) / math.cos(math.radians(roll))
        expected = size / 2 - lift - x * math.tan(math.radians(roll))
        assert (horizon - expected).abs().max() < 1.5


def test_a_ball_stands_where_it_was_put(bank):
    """A ball of diameter 1 whose centre lies 0.5 up and 5 m ahead: nearest at 4.5 m, in the middle of the picture."""
    scene = Scene(Viewpoint((0.0, -0.5, 0.0), 0.0, 0.0, 0.0, 50.0), LIGHT, SKY)
    ball(LocalFrame(scene).at(0, 0, 5), 0, 0, 0, 1, 1, 1, GREY)
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
    scene = Scene(Viewpoint((0.0, 0.0, 0.0), 40.0, 15.0, 5.0, 70.0), LIGHT, SKY)
    box(LocalFrame(scene), 0, -1, 0, 9, 1, 9, GREY)
    packed = pack_scenes([scene], 32, 64)
    camera = packed.turn.transpose(1, 2) @ pixel_rays(packed, 32, 64)
    assert torch.allclose(camera[0, 2], torch.ones(32 * 64), atol=1e-5)
    assert camera[0, 0].max() == pytest.approx(math.tan(math.radians(35)) * 63 / 64, rel=1e-4)


def test_lookup_at_texel_centres_returns_the_bank(bank):
    generator = torch.Generator().manual_seed(3)
    for level, size in ((0, 128), (3, 16), (7, 1)):
        x, y = torch.randint(size, (2, 200), generator=generator)
        pattern = torch.randint(len(bank), (200,), generator=generator)
        start = sum(4 ** (7 - i) for i in range(level))
        mix, joint = textures.sample_bank(
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
    packed = pack_scenes([LAYOUTS[number](random) for _ in range(4)], 48, 64)
    pictures = render_scenes(packed, bank, 48, 64, torch.Generator().manual_seed(0))
    assert all(values.isfinite().all() for values in pictures if values is not None)
    assert (pictures.disparity >= 0).all()
    assert (pictures.disparity > 0).float().mean() > 0.1
    assert torch.allclose(pictures.normals.norm(dim=1), torch.ones(4, 48, 64), atol=1e-4)
    assert (pictures.back * pictures.disparity >= pictures.subject * 0.999).all()


def test_a_batch_follows_from_seed_and_index():
    first, again, other = World(5).batch(3, 5, 32, 48), World(5).batch(3, 5, 32, 48), World(5).batch(4, 5, 32, 48)
    assert first.rgb.shape == (5, 3, 32, 48)
    assert torch.equal(first.rgb, again.rgb)
    for name, values in first.labels.maps().items():
        assert len(values) == 5
        assert torch.equal(values, getattr(again.labels, name))
    assert not torch.equal(first.rgb, other.rgb)
    assert first.rgb.min() >= 0
    assert first.rgb.max() <= 1
    assert torch.equal(first.labels.sky, (first.labels.disparity == 0).float())


def test_the_distance_is_the_median_depth_in_metres_of_all_but_the_sky(bank):
    """A wall 4 m away fills the lower half of the picture, in a scene whose unit is half a metre."""
    scene = Scene(Viewpoint((0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 60.0), LIGHT, SKY)
    box(LocalFrame(scene), 0, -20, 4.5, 50, 20, 1, GREY)
    pictures = render_scenes(pack_scenes([scene], 32, 48), bank, 32, 48, torch.Generator().manual_seed(0))
    assert 0.3 < float((pictures.disparity == 0).float().mean()) < 0.7
    assert label(pictures, [scene.camera]).distance.tolist() == pytest.approx([4.0], rel=1e-4)
    assert label(pictures, [scene.camera], [0.5]).distance.tolist() == pytest.approx([2.0], rel=1e-4)
    empty = pictures._replace(disparity=torch.zeros_like(pictures.disparity))
    assert label(empty, [scene.camera]).distance.isnan().all()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_scenes_are_in_metres_and_things_that_stand_nowhere_are_of_any_size(layout):
    from random import Random

    units = [layout(Random(seed)).unit for seed in range(30)]
    if layout.__name__ in ("single", "cutout", "pasted", "alone", "disorder"):
        assert min(units) < 0.1 and max(units) > 1
    else:
        assert set(units) == {1}


def subject_ball(fov, distance, backdrop=None):
    """A subject's ball of diameter 1 straight ahead of a level camera."""
    scene = Scene(Viewpoint((0.0, -0.5, 0.0), 0.0, 0.0, 0.0, fov), LIGHT, SKY, backdrop=backdrop)
    ball(LocalFrame(scene, subject=True).at(0, 0, distance), 0, 0, 0, 1, 1, 1, GREY)
    return scene


def test_labels_of_a_ball(bank):
    """Mask, normals and both depths of a ball on the axis, from the closed form of each ray."""
    fov, distance, size = 40.0, 3.0, 96
    scene = subject_ball(fov, distance)
    pictures = render_scenes(pack_scenes([scene], size, size), bank, size, size, torch.Generator().manual_seed(0))
    labels = label(pictures, [scene.camera])
    x, y = ((pixel_rays(pack_scenes([scene], size, size), size, size)[0, i]).view(size, size) for i in (0, 1))
    a, b, c = x * x + y * y + 1, distance, distance**2 - 0.25
    root = (b * b - a * c).clamp_min(0).sqrt()
    inside = b * b > a * c
    assert torch.equal(labels.subject[0, 0] > 0.5, inside)
    near, far = (b - root) / a, (b + root) / a
    assert torch.allclose(1 / labels.disparity[0, 0][inside], near[inside], rtol=1e-4)
    assert torch.allclose(pictures.back[0, 0][inside], far[inside], rtol=1e-3)
    expected = (torch.stack([x, y, torch.ones_like(x)]) * near - torch.tensor([0, 0, distance]).view(3, 1, 1)) / 0.5
    # Only at the very rim does a ball seen from nearby turn away from the axis.
    level = inside & (expected[2] < -0.02)
    assert torch.allclose(labels.normals[0][:, level], expected[:, level], atol=2e-3)
    focal = 0.5 / math.tan(math.radians(fov / 2))
    z0 = near[inside].median()
    assert torch.allclose(labels.front[0, 0][inside], ((near / z0 - 1) * focal)[inside], atol=1e-4)
    assert torch.allclose(labels.back[0, 0][inside], ((far / z0 - 1) * focal)[inside], atol=2e-3)


def test_windows_hide_nothing(bank):
    """Every layout traced with and without the primitives' windows."""
    from random import Random

    for number, layout in enumerate(LAYOUTS):
        random = Random(number)
        packed = pack_scenes([layout(random) for _ in range(3)], 48, 64)
        # What only casts shadows has an empty window and is never seen.
        everywhere = (slice(None), slice(None))
        whole = replace(packed, windows=[w if w[0].stop == w[0].start else everywhere for w in packed.windows])
        direction = pixel_rays(packed, 48, 64)
        here, there = (trace_scenes(p, direction, (48, 64)).t for p in (packed, whole))
        # A ray that grazes an edge may fall to either side of it.
        assert torch.isclose(here, there, rtol=1e-4).float().mean() > 0.9995


def test_relief_hardly_depends_on_the_focal_length(bank):
    """The same ball filling the same part of the picture through a long and a wide lens."""
    thickness = []
    for fov in (20.0, 50.0):
        distance = 0.5 / math.sin(math.atan(0.5 * math.tan(math.radians(fov / 2))))
        scene = subject_ball(fov, distance)
        pictures = render_scenes(pack_scenes([scene], 64, 64), bank, 64, 64, torch.Generator().manual_seed(0))
        labels = label(pictures, [scene.camera])
        thickness.append((labels.back - labels.front).amax())
    assert thickness[0] == pytest.approx(0.5, rel=0.08)
    assert thickness[1] == pytest.approx(thickness[0].item(), rel=0.2)


def test_a_mirrored_label_is_the_label_of_the_mirrored_picture():
    labels = World(3).expose(0, 2, 32, 48).labels
    back = labels.mirrored(torch.tensor([True, True])).mirrored(torch.tensor([True, True]))
    once = labels.mirrored(torch.tensor([True, False]))
    for name, values in labels.maps().items():
        assert torch.equal(values, getattr(back, name))
        assert torch.equal(values[1], getattr(once, name)[1])
    assert torch.equal(once.normals[0, 0], -labels.normals[0, 0].flip(-1))


def test_a_cut_out_lies_before_its_backdrop(bank):
    from random import Random

    plain = subject_ball(40.0, 3.0, Backdrop((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 0.0))
    other = subject_ball(40.0, 3.0, Backdrop((1.0, 1.0, 1.0), (0.0, 0.0, 0.0), 0.0, scene=True))
    room = LAYOUTS[0](Random(0))
    scenes = [plain, other, room]
    pictures = render_scenes(pack_scenes(scenes, 64, 64), bank, 64, 64, torch.Generator().manual_seed(0))
    result = pasted(scenes, pictures, Random(0))
    for i in (0, 1):
        inside = pictures.subject[i] > 0
        assert torch.equal(result.disparity[i][inside], pictures.disparity[i][inside])
        assert result.disparity[i][~inside].max() < result.disparity[i][inside].min()
        assert torch.equal(result.subject[i], pictures.subject[i])
    assert result.colour[0, :, 0, 0] == pytest.approx(1.0)
    assert result.colour[0, :, 0, -1] == pytest.approx(0.0)
    assert result.colour[1, :, 0].std() > 0
    assert torch.equal(result.colour[2], pictures.colour[2])


def test_what_is_in_focus_stays_sharp(bank):
    """Every picture refocused: blurred pictures keep their mean, and some pixels of each hardly change."""
    exposure = World(3).expose(1, 4, 64, 64)
    maps = exposure.labels.disparity
    rendered = RenderedPhotos(exposure.linear, maps, exposure.labels.normals, maps * 0, maps * 0)
    result = focused(rendered, torch.Generator().manual_seed(0), share=1.0)
    change = (result.colour - exposure.linear).abs()
    assert (change.amax((1, 2, 3)) > 0.005).all()
    assert torch.allclose(result.colour.mean((2, 3)), exposure.linear.mean((2, 3)), atol=0.05)
    assert torch.equal(focused(rendered, torch.Generator().manual_seed(0), share=0.0).colour, exposure.linear)


def test_a_staged_thing_is_in_sight():
    """Nearly always: now and then a wall stands before it."""
    from random import Random

    from training.synthetic.layouts import staged

    random = Random(0)
    packed = pack_scenes([staged(random) for _ in range(12)], 48, 64)
    pictures = render_scenes(packed, textures.make_bank(0), 48, 64, torch.Generator().manual_seed(0))
    assert (pictures.subject.mean((1, 2, 3)) > 0.01).float().mean() >= 0.7


def test_a_thing_alone_is_whole_and_in_the_middle():
    labels = World(3).expose(0, 12, 64, 64, "alone").labels
    inside = labels.subject[:, 0].numpy() > 0
    rim = np.ones((64, 64), bool)
    rim[1:-1, 1:-1] = False
    assert (inside & rim).any((1, 2)).mean() <= 1 / 12  # a loose part may stick out of the box around it
    for one in inside:
        rows, columns = np.flatnonzero(one.any(1)), np.flatnonzero(one.any(0))
        assert 0.25 < max(np.ptp(rows), np.ptp(columns)) / 64 < 1
        assert abs(rows[[0, -1]].mean() - 31.5) < 14
        assert abs(columns[[0, -1]].mean() - 31.5) < 14
