"""Things alone: hollow ones are hollow, all of them are whole in their window and bright; no units matter."""

import math
from dataclasses import replace
from random import Random

import numpy as np
import pytest
import torch

from training.synthetic import World, alone, intersect, textures
from training.synthetic.hollowware import hollowed, lathed
from training.synthetic.implicit_solids import Part
from training.synthetic.kit import Kit, extent, outline, placed
from training.synthetic.lights import NO_SKY
from training.synthetic.objects import OBJECTS
from training.synthetic.packing import pack_scenes
from training.synthetic.render import pixel_rays, render_scenes
from training.synthetic.scene import IDENTITY, Light, LocalFrame, Material, Scene, Viewpoint, rotation
from training.synthetic.shapes import box

GREY = Material(0, 1.0, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 0.0)
LIGHT = Light((-3.0, -4.0, -3.0), 0.1, 1.5, (1.0, 1.0, 1.0), 0.5, (1.0, 1.0, 1.0))
FAMILIES = [family for family, _ in OBJECTS]


def cylinder(scene: Scene, size: int, radius: float, low: float, high: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Entry and exit depth (size, size) of a picture's rays through an upright cylinder about x = z = 0."""
    rays = pixel_rays(pack_scenes([scene], size, size), size, size)
    half = torch.tensor([radius, (high - low) / 2, radius]).view(1, 3, 1)
    eye = torch.tensor(scene.camera.position).view(1, 3, 1) + torch.tensor([0, (high + low) / 2, 0]).view(1, 3, 1)
    near, far = intersect.cylinder_interval(eye / half, rays / half, torch.zeros(1, 1))
    return near.view(size, size), far.view(size, size)


def test_one_looks_into_a_mug_and_its_back_is_its_outer_wall():
    """Radius 0.4, height 1, wall 0.05: inside the opening the front is where the ray leaves the hollow, and everywhere the
    back is where it leaves the whole cylinder."""
    size, wall, kit = 96, 0.05, Kit()
    lathed(kit.solid, [(0.0, 0.4), (1.0, 0.4)], GREY)
    hollowed(kit.solid, [(0.0, 0.4), (1.0, 0.4)], wall, GREY)
    scene = Scene(Viewpoint((0, 0, 0), 0.0, 40.0, 0.0, 40.0), LIGHT, NO_SKY)
    placed(kit, LocalFrame(scene, subject=True), IDENTITY)
    scene.camera = alone.framed(scene.camera, outline(scene), 0.75)
    picture = render_scenes(pack_scenes([scene], size, size), textures.make_bank(0), size, size, torch.Generator())
    near, far = cylinder(scene, size, 0.4, 0.0, 1.0)
    into, bottom = cylinder(scene, size, 0.4 - wall, wall, 1.0)
    seen, front = picture.subject[0, 0] > 0, 1 / picture.disparity[0, 0].clamp_min(1e-6)
    assert (seen == (near < far)).float().mean() > 0.99
    opening = (into < bottom) & ((into - near).abs() < 1e-3)
    assert opening.sum() > 200
    assert ((front - bottom).abs() < 0.01)[opening].float().mean() > 0.97
    assert ((front - near).abs() < 0.01)[seen & ~opening].float().mean() > 0.97
    assert ((picture.back[0, 0] - far).abs() < 0.01)[seen].float().mean() > 0.97
    # The wall that one sees inside is no nearer than it is thick to the back.
    assert (picture.back[0, 0] - front)[opening].quantile(0.05) > wall * 0.9


@pytest.mark.parametrize("fov", (15.0, 70.0))
def test_a_thing_fills_its_window_as_the_product_cuts_it(fov):
    points = np.random.default_rng(0).normal(size=(200, 3)) * (0.5, 0.2, 0.3)
    camera = alone.framed(Viewpoint((0, 0, 0), 0.0, 25.0, 4.0, fov), points, 0.75)
    local = (points - np.array(camera.position)) @ np.array(rotation(0.0, 25.0, 4.0))
    flat = local[:, :2] / local[:, 2:] / math.tan(math.radians(fov / 2))
    low, high = flat.min(0), flat.max(0)
    assert local[:, 2].min() > 0
    assert (high - low).max() / 2 == pytest.approx(0.75, abs=1e-3)
    assert low + high == pytest.approx([0, 0], abs=1e-3)


def test_nothing_hangs_on_the_units_that_a_thing_is_built_in():
    first, scenes = Kit(), []
    box(first.frame, 0.3, 0.2, 0.1, 0.4, 0.6, 0.2, GREY)
    first.solid.limb((0, 0.1, 0), (0.4, 0.9, 0.2), 0.1, GREY)

    def larger(values):
        return tuple(7 * v for v in values)

    second = Kit()
    second.primitives.extend(replace(p, centre=larger(p.centre), half=larger(p.half)) for p in first.primitives)
    second.solid.parts += [
        replace(p, centre=larger(p.centre), half=larger(p.half), rounding=7 * p.rounding) for p in first.solid.parts
    ]
    for kit, blend in ((first, 0.01), (second, 0.07)):
        kit.blend = blend
        scene = Scene(Viewpoint((0, 0, 0), 0.0, 10.0, 0.0, 40.0), LIGHT, NO_SKY)
        placed(kit, LocalFrame(scene, subject=True), rotation(30))
        scenes.append(scene)
    points = [outline(scene) for scene in scenes]
    assert np.allclose(points[0], points[1], atol=1e-9)
    low, high = (np.array(v) for v in extent(first))
    assert points[0][:, 1].max() == pytest.approx(0, abs=2e-3)  # it stands on the floor
    assert points[0][:, 1].min() == pytest.approx(-1 if (high - low).argmax() == 1 else points[0][:, 1].min(), abs=0.01)


def test_an_outline_holds_its_part():
    """Points of a tapered, bent part's hull against its support function along the axes."""
    part = Part(0, (0.1, -0.2, 0.3), (0.3, 0.5, 0.2), rotation(20, 30, 40), GREY, rounding=0.1, taper=0.2)
    scene = Scene(Viewpoint((0, 0, 0), 0.0, 0.0, 0.0, 40.0), LIGHT, NO_SKY)
    kit = Kit()
    kit.solid.parts.append(part)
    placed(kit, LocalFrame(scene, subject=True), IDENTITY)
    span = np.ptp(outline(scene), axis=0)
    bound = np.subtract(*reversed(extent(kit))) * scene.sculpture.scale
    assert (span <= bound + 1e-9).all()
    assert (span > 0.8 * bound).all()


def test_blades_and_bars_go_from_point_to_point():
    for axis in ((0.3, 0.4, -0.5), (0.0, 1.0, 0.0), (0.0, -1.0, 0.0), (1.0, 0.0, 0.0)):
        kit = Kit(frame=LocalFrame(Scene(Viewpoint((0, 0, 0), 0, 0, 0, 40), LIGHT, NO_SKY)))
        kit.bar((0, 0, 0), axis, 0.1, 0.02, GREY)
        (bar,) = kit.primitives
        turn, along = np.array(bar.turn), np.array(axis) * (1, -1, 1)
        assert np.allclose(turn @ turn.T, np.eye(3)) and np.linalg.det(turn) == pytest.approx(1)
        assert np.allclose(turn[:, 1], along / np.linalg.norm(along))
        assert turn[1, 0] == pytest.approx(0)  # its width is level
        assert np.allclose(bar.centre, along / 2)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
def test_every_family_is_whole_in_its_window_bright_and_thick(family, monkeypatch):
    monkeypatch.setattr(alone, "family", lambda r: family)
    size, world = 64, World(8)
    batch = world.expose(1, 2, size, size, "alone").developed(torch.Generator().manual_seed(1))
    labels = batch.labels
    rim = torch.ones(size, size)
    rim[1:-1, 1:-1] = 0
    assert not (labels.subject * rim).any()
    for i in range(2):
        inside = labels.subject[i, 0] > 0
        assert inside.float().mean() > 0.02
        spans = [np.ptp(np.flatnonzero(inside.any(axis).numpy())) + 1 for axis in (0, 1)]
        assert 0.3 < max(spans) / size < 0.85  # a stick seen along its length fills less
        assert batch.rgb[i].mean(0)[inside].mean() > 0.12
        assert labels.back_colour[i].mean(0)[inside].mean() > 0.03
        assert (labels.back - labels.front)[i, 0][inside].min() > -1e-5
        assert (labels.back - labels.front)[i, 0][inside].median() > 0.002


def test_the_same_number_gives_the_same_things():
    first, again = (World(4).expose(7, 6, 32, 32, "alone") for _ in range(2))
    assert torch.equal(first.linear, again.linear)
    for name, values in first.labels.maps().items():
        assert torch.equal(values, again.labels.maps()[name])
    assert not torch.equal(first.linear, World(4).expose(8, 6, 32, 32, "alone").linear)


def test_families_draw_the_same_thing_from_the_same_source():
    for family in FAMILIES:
        kits = [Kit(), Kit()]
        for kit in kits:
            family(Random(5), kit)
        assert kits[0].primitives == kits[1].primitives and kits[0].solid.parts == kits[1].solid.parts


def test_cameras_and_lights_are_a_photographer_s():
    random = Random(0)
    cameras = [alone.camera_around(random) for _ in range(500)]
    assert all(-15 <= c.pitch <= 60 and 15 <= c.fov <= 70 for c in cameras)
    assert np.ptp([c.pitch for c in cameras]) > 60 and np.ptp([c.fov for c in cameras]) > 45
    before = [light.position[2] < 0 for light in (alone.photographed(random) for _ in range(500))]
    assert 0.7 < np.mean(before) < 0.95
