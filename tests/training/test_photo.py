"""What a camera does to a picture: borders, mixed colours, and that nothing else moves."""

import torch

from training.synthetic.photo import _Dice, _frame, _style, develop, plain_camera

MANY = 400


def dice(count: int = MANY) -> _Dice:
    return _Dice(count, torch.Generator().manual_seed(5), torch.device("cpu"))


def test_a_border_is_plain_and_leaves_the_middle_alone():
    image = torch.full((MANY, 3, 32, 48), 0.5)
    framed = _frame(image, dice())
    changed = (framed != image).any(1)
    assert 0.05 < float(changed.flatten(1).any(1).float().mean()) < 0.15
    assert not changed[:, 4:-4, 4:-4].any()
    for picture, border in zip(framed, changed, strict=True):
        tones = picture[:, border].unique()
        assert len(tones) <= 1 and all(t <= 0.1 or t >= 0.9 for t in tones)


def test_colours_are_mixed_in_some_pictures_and_grey_nearly_always_stays_grey():
    grey = torch.rand(MANY, 1, 4, 4, generator=torch.Generator().manual_seed(1)).expand(-1, 3, -1, -1)
    kept = (_style(dice())(grey) - grey).abs().flatten(1).amax(1) < 1e-4
    assert float(kept.float().mean()) > 0.98  # a mix that nearly cancels a channel darkens it
    colours = torch.rand(MANY, 3, 4, 4, generator=torch.Generator().manual_seed(2))
    moved = (_style(dice())(colours) - colours).abs().flatten(1).amax(1) > 1e-3
    assert 0.06 < float(moved.float().mean()) < 0.2


LIGHT = torch.rand(8, 3, 32, 48, generator=torch.Generator().manual_seed(3)) * torch.logspace(-4, 3, 8).view(
    -1, 1, 1, 1
)


def test_photos_are_finite_and_follow_from_the_seed():
    first, second = (develop(LIGHT, torch.Generator().manual_seed(4)) for _ in range(2))
    assert torch.equal(first, second)
    assert not torch.equal(first, develop(LIGHT, torch.Generator().manual_seed(5)))
    for photo in (first, plain_camera(LIGHT)):
        assert float(photo.min()) >= 0 and float(photo.max()) <= 1 and torch.isfinite(photo).all()


def test_borders_and_styles_can_be_left_out():
    light = LIGHT[3:5].repeat(50, 1, 1, 1)
    whole, bare = (develop(light, torch.Generator().manual_seed(4), w) for w in ((), ("borders",)))
    differs = (whole != bare).flatten(1).any(1)
    assert 0 < int(differs.sum()) < 25
    unstyled = develop(light, torch.Generator().manual_seed(4), ("borders", "styles"))
    assert not torch.equal(bare, unstyled)
