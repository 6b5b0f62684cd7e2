"""What one sees through, and moiré: exact where a closed form exists."""

from dataclasses import replace

import pytest
import torch

from training.synthetic import textures
from training.synthetic.materials import Material
from training.synthetic.packing import pack_scenes
from training.synthetic.props import box
from training.synthetic.render import RenderedPhotos, render_scenes
from training.synthetic.scene import Light, LocalFrame, Scene, Sky, Viewpoint

SIDE = 64
NIGHT = Light((0.0, -900.0, 0.0), 1.0, 0.0, (1.0, 1.0, 1.0), 0.0, (1.0, 1.0, 1.0))
SKY = Sky((0.2, 0.4, 0.9), (0.8, 0.8, 0.9), 0.5, (0.5, 0.5, 0.5), 0.0)
LEVEL = Viewpoint((0.0, -1.0, -3.0), 0.0, 0.0, 0.0, 20.0)
DYE = (0.5, 1.0, 0.8)
PANE = Material(0, 1.0, DYE, DYE, 0.0, clear=0.9)
WHITE = (1.0, 1.0, 1.0)
SHINING = Material(0, 1.0, WHITE, WHITE, 0.0, glow=0.7)


def shoot(pane: Material, behind: Material | None, subject: bool = False) -> RenderedPhotos:
    """A pane at z = 0 that fills the picture's middle, and a wall at z = 2."""
    scene = Scene(LEVEL, NIGHT, SKY)
    box(LocalFrame(scene, subject=subject), 0, 0.75, 0, 0.5, 0.5, 0.01, pane)
    if behind is not None:
        box(LocalFrame(scene), 0, -5, 2, 20, 20, 0.01, behind)
    packed = pack_scenes([scene], SIDE, SIDE)
    return render_scenes(packed, textures.make_bank(0), SIDE, SIDE, torch.Generator().manual_seed(0))


def test_light_from_behind_comes_through_less_what_is_mirrored_and_dyed():
    """Seen straight on in the dark: glow times the clear part times 1 - 2 * 0.04, times the dye."""
    middle = shoot(PANE, SHINING).colour[0, :, SIDE // 2, SIDE // 2]
    expected = 0.7 * 0.9 * (1 - 2 * 0.04) * torch.tensor(DYE)
    assert torch.allclose(middle, expected, atol=2e-3)


def test_what_lies_behind_a_pane_before_nothing_is_the_sky():
    through = shoot(PANE, None).colour
    opaque = shoot(replace(PANE, clear=0.0), None).colour
    bare = shoot(replace(PANE, a=WHITE, b=WHITE, clear=1.0), None).colour
    middle = (0, slice(None), SIDE // 2, SIDE // 2)
    corner = (0, slice(None), 0, 0)
    assert (opaque[middle] < 0.01).all() and (through[middle] > 0.1).all()
    assert torch.equal(through[corner], opaque[corner])
    assert torch.allclose(bare[middle], bare[0, :, SIDE // 2, 2] * (1 - 0.08), atol=0.02)


@pytest.mark.parametrize("subject", (False, True))
def test_geometry_is_the_glass_s_own(subject):
    """A glass stands where it stands, whatever one sees through it."""
    clear, opaque = (shoot(replace(PANE, clear=part), SHINING, subject) for part in (0.9, 0.0))
    for name in ("disparity", "normals", "subject", "back"):
        assert torch.equal(getattr(clear, name), getattr(opaque, name)), name


def test_a_grid_as_fine_as_the_pixels_makes_slow_waves():
    """Moiré of a screen seen straight on: colours vary, the mean stays, and nearly all of the wave is slower than six
    pixels, though the grid that makes it repeats at every pixel."""
    screen = replace(SHINING, weave=0.3)
    woven, plain = (shoot(material, None).colour[0] for material in (screen, SHINING))
    shown = (slice(None), slice(14, 50), slice(14, 50))
    ratio = woven[shown] / plain[shown]
    assert ratio.std() > 0.05
    assert abs(float(ratio.mean()) - 1) < 0.05
    assert not torch.allclose(ratio[0], ratio[1], atol=0.05)
    power = torch.fft.rfft2(ratio - ratio.mean((1, 2), keepdim=True)).abs() ** 2
    rows, columns = torch.fft.fftfreq(36).abs()[:, None], torch.fft.rfftfreq(36)[None]
    slow = torch.maximum(rows.expand(36, 19), columns.expand(36, 19)) < 1 / 6
    assert float((power * slow).sum() / power.sum()) > 0.9
