"""People and animals as furniture: they are seen, stand on the ground, and are never what the photo is of; how far streets
lie."""

from random import Random

import numpy as np
import pytest
import torch

from training.synthetic import materials as m
from training.synthetic import textures
from training.synthetic.company import NEAREST_INSIDE, NEAREST_OUTSIDE, company
from training.synthetic.indoors import room
from training.synthetic.intersect import ELLIPSOID
from training.synthetic.lights import NO_SKY
from training.synthetic.outdoors import square, street
from training.synthetic.packing import pack_scenes
from training.synthetic.render import pixel_rays, render_scenes, trace_scenes
from training.synthetic.scene import Light, LocalFrame, Scene, Viewpoint
from training.synthetic.shapes import box

HIGH, WIDE = 48, 64
LAMP = Light((0.0, -500.0, -100.0), 5.0, 1.0, (1.0, 1.0, 1.0), 0.4, (1.0, 1.0, 1.0))


def meadow() -> Scene:
    """A plain seen from 1.6 m."""
    scene = Scene(Viewpoint((0.0, -1.6, 0.0), 0.0, 5.0, 0.0, 60.0), LAMP, NO_SKY)
    box(LocalFrame(scene), 0, -1, 0, 500, 1, 500, m.grass(Random(0)))
    return scene


def seen(scene: Scene):
    generator = torch.Generator().manual_seed(0)
    return render_scenes(pack_scenes([scene], HIGH, WIDE), textures.make_bank(0), HIGH, WIDE, generator)


@pytest.mark.parametrize("seed", range(4))
def test_somebody_is_seen_and_is_no_subject(seed):
    alone, visited = meadow(), meadow()
    company(Random(seed), LocalFrame(visited).at(0, 0, 5))
    empty, full = seen(alone), seen(visited)
    there = full.disparity > empty.disparity + 1e-4
    assert 0.005 < there.float().mean() < 0.4
    assert full.subject.max() == 0 == full.back.max()
    # Where nobody is, nothing changes; and somebody stands about where they were put.
    assert torch.equal(full.disparity[~there], empty.disparity[~there])
    assert 3.5 < float(1 / full.disparity[there].median()) < 6.5


def test_who_stands_behind_a_thing_does_not_move_its_back():
    """A ball of radius 0.5 at 3 m, as the subject, with and without somebody right behind it."""
    pictures = []
    for visited in (False, True):
        scene = meadow()
        LocalFrame(scene, subject=True).add(ELLIPSOID, (0, 0, 3), (1, 1, 1), m.crockery(Random(1)))
        if visited:
            company(Random(2), LocalFrame(scene).at(0, 0, 5))
        pictures.append(seen(scene))
    assert pictures[0].subject.sum() > 20
    for name in ("subject", "back"):
        assert torch.equal(getattr(pictures[0], name), getattr(pictures[1], name))


@pytest.mark.parametrize(
    ("layout", "nearest"), [(room, NEAREST_INSIDE), (street, NEAREST_OUTSIDE), (square, NEAREST_OUTSIDE)]
)
def test_places_have_company_now_and_then_and_not_close_by(layout, nearest):
    r = Random(5)
    scenes = [layout(r) for _ in range(60)]
    visited = [s for s in scenes if s.sculpture is not None]
    assert 1 <= len(visited) <= 15
    for scene in visited:
        assert not scene.sculpture.subject
        away = np.array(scene.sculpture.origin) - np.array(scene.camera.position)
        # The origin is not the middle of a figure, which is up to a metre aside.
        assert np.hypot(away[0], away[2]) > nearest - 1


def test_a_street_is_as_far_as_drivers_and_walkers_see_it():
    """Median depths of what a car's or a walker's photo shows are 13 to 25 m in most measured ones."""
    r, medians = Random(7), []
    for _ in range(40):
        packed = pack_scenes([street(r)], 24, 48)
        hit = trace_scenes(packed, pixel_rays(packed, 24, 48), (24, 48))
        medians.append(float(hit.t[hit.seen].median()))
    assert 12 < np.median(medians) < 25
