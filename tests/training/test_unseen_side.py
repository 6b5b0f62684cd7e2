"""The far side of a subject: where rays leave it, what colour is seen there, and how it is developed."""

from dataclasses import replace
from random import Random

import pytest
import torch

from training.sample_pool import _joined, _packed
from training.synthetic import Exposure, World, textures
from training.synthetic.implicit_solids import SUPERQUADRIC, Part, Sculpture
from training.synthetic.labels import Labels, label
from training.synthetic.materials import Material
from training.synthetic.overlay import _overlaid
from training.synthetic.packing import pack_scenes
from training.synthetic.props import ball, box
from training.synthetic.render import pixel_rays, render_scenes, trace_scenes
from training.synthetic.scene import IDENTITY, Light, LocalFrame, Scene, Sky, Viewpoint

SIDE = 48
PAINT = (0.6, 0.3, 0.1)
MATT = Material(0, 1.0, PAINT, PAINT, 0.0)
OTHER = Material(0, 1.0, (0.1, 0.2, 0.7), (0.1, 0.2, 0.7), 0.0)
AMBIENT = 0.5
NIGHT = Light((0.0, -900.0, 0.0), 1.0, 0.0, (1.0, 1.0, 1.0), AMBIENT, (1.0, 1.0, 1.0))
SKY = Sky((0.2, 0.4, 0.9), (0.8, 0.8, 0.9), 0.5, (0.5, 0.5, 0.5), 0.0)
LEVEL = Viewpoint((0.0, -0.5, -3.0), 0.0, 0.0, 0.0, 40.0)


def round_scene(sculpted: bool, light: Light = NIGHT, camera: Viewpoint = LEVEL) -> Scene:
    """A ball of diameter 1 around (0, -0.5, 0), as a primitive or as a sculpture."""
    scene = Scene(camera, light, SKY)
    if sculpted:
        scene.sculpture = Sculpture((Part(SUPERQUADRIC, (0.0, -0.5, 0.0), (0.5, 0.5, 0.5), IDENTITY, MATT),))
    else:
        ball(LocalFrame(scene, subject=True), 0, 0, 0, 1, 1, 1, MATT)
    return scene


def shoot(scene: Scene, unseen: bool = True):
    generator = torch.Generator().manual_seed(0)
    return render_scenes(pack_scenes([scene], SIDE, SIDE), textures.make_bank(0), SIDE, SIDE, generator, unseen)


@pytest.mark.parametrize("sculpted", (False, True))
def test_a_ball_s_far_side_is_its_paint_in_the_light_from_around(sculpted):
    """Exit point and outward normal from the sphere equation; ambient light of a normal n (y down): 0.75 - 0.25 n_y."""
    scene = round_scene(sculpted)
    pictures, rays = shoot(scene), pixel_rays(pack_scenes([scene], SIDE, SIDE), SIDE, SIDE)[0]
    eye = torch.tensor([0.0, 0.0, -3.0])[:, None]
    a, b, c = (rays * rays).sum(0), (eye * rays).sum(0), 9 - 0.25
    clear = b * b - a * c > 0.02
    far = (-b + (b * b - a * c).clamp_min(0).sqrt()) / a
    normal = (eye + far * rays) / 0.5
    expected = torch.tensor(PAINT)[:, None] * AMBIENT * (0.75 - 0.25 * normal[1])
    assert torch.allclose(pictures.back.flatten()[clear], far[clear], atol=2e-3)
    assert torch.allclose(pictures.back_colour[0].flatten(1)[:, clear], expected[:, clear], atol=3e-3)
    assert not (pictures.back_colour[0] * (1 - pictures.subject[0])).any()


@pytest.mark.parametrize("sculpted", (False, True))
def test_what_is_symmetric_to_the_picture_plane_looks_the_same_from_behind(sculpted):
    """A ball through a very long lens in the sun: the lamp behind mirrors the one in front."""
    sun = Light((-500.0, -600.0, -700.0), 0.0, 1.0, (1.0, 0.9, 0.8), 0.3, (1.0, 1.0, 1.0))
    camera = replace(LEVEL, position=(0.0, -0.5, -60.0), fov=1.5)
    pictures = shoot(round_scene(sculpted, sun, camera))
    inside = torch.nn.functional.avg_pool2d(pictures.subject, 5, 1, 2) > 0.999  # shadows are blurred over the outline
    difference = ((pictures.colour - pictures.back_colour).abs() * inside).amax()
    assert pictures.colour[inside.expand_as(pictures.colour)].std() > 0.05
    assert difference < 0.02


def test_the_far_side_is_that_of_the_outermost_solid():
    """A thin box behind a ball, both subjects, and a wall behind them that is none: the exit is the box's."""
    scene = round_scene(sculpted=True)
    box(LocalFrame(scene, subject=True), 0, -1, 1, 4, 4, 0.02, OTHER)
    box(LocalFrame(scene), 0, -5, 3, 20, 20, 0.1, MATT)
    pictures = shoot(scene)
    assert torch.allclose(pictures.back[0, 0, SIDE // 2, SIDE // 2], torch.tensor(4.01), atol=1e-3)
    colour = pictures.back_colour[0, :, SIDE // 2, SIDE // 2]
    assert torch.allclose(colour / colour[2], torch.tensor((0.1, 0.2, 0.7)) / 0.7, atol=1e-3)


def test_the_far_side_costs_nothing_where_nobody_asks_for_it():
    scene = round_scene(sculpted=True)
    packed = pack_scenes([scene], SIDE, SIDE)
    assert trace_scenes(packed, pixel_rays(packed, SIDE, SIDE), (SIDE, SIDE)).exit is None
    with_it, without = shoot(scene), shoot(scene, unseen=False)
    assert without.back_colour is None
    assert torch.equal(with_it.colour, without.colour)
    assert World(3).expose(0, 2, 32, 32, "both").labels.back_colour is None


def alone(count: int = 4) -> Exposure:
    return World(3).expose(0, count, SIDE, SIDE, "alone")


def test_things_alone_tell_their_far_side():
    labels = alone().labels
    assert labels.back_colour.shape == (4, 3, SIDE, SIDE)
    inside = labels.subject.expand_as(labels.back_colour) > 0
    assert (labels.back_colour[inside] > 0).float().mean() > 0.99
    assert not labels.back_colour[~inside].any()


def test_the_far_side_is_developed_as_its_photo_is():
    """Where photo and far side are the same light, they differ by noise and sharpening alone."""
    exposure = alone(8)
    same = replace(exposure, labels=replace(exposure.labels, back_colour=exposure.linear * exposure.labels.subject))
    batch = same.developed(torch.Generator().manual_seed(2), without=("borders",))
    inside = torch.nn.functional.avg_pool2d(batch.labels.subject, 5, 1, 2) > 0.999
    for photo, behind, where in zip(batch.rgb, batch.labels.back_colour, inside, strict=True):
        if where.sum() > 20:
            assert ((photo - behind).mean(0)[where[0]].mean()).abs() < 0.06
    assert batch.labels.back_colour.min() >= 0 and batch.labels.back_colour.max() <= 1
    assert not (batch.labels.back_colour * (1 - batch.labels.subject)).any()
    plain = same.developed(torch.Generator().manual_seed(2), without=("looks",))
    assert torch.allclose(plain.rgb * plain.labels.subject, plain.labels.back_colour, atol=1e-6)


def test_the_photo_does_not_hang_on_whether_the_far_side_is_told():
    exposure = alone()
    bare = replace(exposure, labels=replace(exposure.labels, back_colour=None))
    told, untold = (e.developed(torch.Generator().manual_seed(2), without=("night",)).rgb for e in (exposure, bare))
    assert torch.equal(told, untold)


def test_the_far_side_is_mirrored_packed_and_picked_with_the_rest():
    exposure = alone()
    labels, every = exposure.labels, torch.ones(4, dtype=torch.bool)
    assert torch.equal(labels.mirrored(every).back_colour, labels.back_colour.flip(-1))
    assert torch.equal(labels.mirrored(every).mirrored(every).back_colour, labels.back_colour)
    assert torch.equal(labels[[2]].back_colour, labels.back_colour[2:3])
    unpacked = _joined([_packed(exposure), _packed(exposure)], "cpu").labels
    assert torch.allclose(unpacked.back_colour[4:], labels.back_colour, rtol=1e-3, atol=1e-3)
    assert torch.allclose(unpacked.distance[:4], labels.distance, rtol=1e-3)


def test_a_pasted_thing_s_far_side_has_its_new_exposure():
    thing, scene = alone(1), World(3).expose(0, 1, SIDE, SIDE, "scenes")
    scene_labels = replace(scene.labels, back_colour=torch.zeros(1, 3, SIDE, SIDE))
    both = Exposure(
        torch.cat([thing.linear, scene.linear]),
        Labels(**{n: torch.cat([v, scene_labels.maps()[n]]) for n, v in thing.labels.maps().items()}),
    )
    pasted = _overlaid(both, 0, 1, Random(2))
    inside = (torch.nn.functional.avg_pool2d(thing.labels.subject, 5, 1, 2) > 0.999)[0, 0]
    gain = (pasted.linear / thing.linear)[0][:, inside].median(1).values
    assert not torch.allclose(gain, torch.ones(3), rtol=0.05)
    assert torch.allclose(pasted.labels.back_colour[0], thing.labels.back_colour[0] * gain[:, None, None], rtol=1e-3)


def test_a_subject_too_small_to_see_has_no_far_side():
    scene = round_scene(sculpted=False, camera=replace(LEVEL, position=(0.0, -0.5, -25.0)))
    assert not label(shoot(scene), [scene.camera]).back_colour.any()
