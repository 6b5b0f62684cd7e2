"""The deferred renderer: sizes, gradients everywhere, and enough capacity to learn one small picture."""

from __future__ import annotations

import pytest
import torch

from recon.render.deferred import DeferredNet
from recon.render.splat import composite, splat
from tests.render.shapes import camera


def scene(channels: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    points = torch.nn.functional.normalize(torch.randn(1500, 3, generator=rng), dim=1) * 0.8
    return points, torch.randn(1500, channels, generator=rng) * 0.3


def pyramid(points, features, c2w, focal: float, size: tuple[int, int], scales: int = 3) -> list[torch.Tensor]:
    """Pictures of features and opacity at full, half, quarter … size, with discs of the same number of pixels."""
    sizes = [(size[0] >> scale, size[1] >> scale) for scale in range(scales)]
    splats = [splat(points, c2w, focal / 2**scale, small, 2.0) for scale, small in enumerate(sizes)]
    return [composite(each, features).permute(2, 0, 1)[None] for each in splats]


@pytest.mark.parametrize(("size", "scales"), [((32, 32), 3), ((33, 46), 3), ((20, 24), 1), ((64, 16), 4)])
def test_a_picture_of_the_first_scale_s_size_and_colours(size: tuple[int, int], scales: int) -> None:
    points, features = scene()
    net = DeferredNet(9, scales)
    picture = net(pyramid(points, features, camera(), 40.0, size, scales))
    assert picture.shape == (1, 3, *size)
    assert ((picture > 0) & (picture < 1)).all()


def test_every_weight_every_scale_and_every_feature_has_a_gradient() -> None:
    torch.manual_seed(1)
    points, features = scene()
    features.requires_grad_()
    levels = pyramid(points, features, camera(), 40.0, (32, 32))
    for level in levels:
        level.retain_grad()
    net = DeferredNet(9)
    net(levels).square().sum().backward()
    assert all(weight.grad.abs().sum() > 0 for weight in net.parameters())
    assert all(level.grad.abs().sum() > 0 for level in levels)
    assert (features.grad.abs().sum(1) > 0).float().mean() > 0.3  # the front half is seen


def test_it_learns_one_small_picture() -> None:
    torch.manual_seed(0)
    points, features = scene()
    features.requires_grad_()
    row, column = torch.meshgrid(torch.arange(24.0), torch.arange(24.0), indexing="ij")
    wanted = 0.5 + 0.4 * torch.stack([torch.sin(row / 3), torch.cos(column / 4), torch.sin((row + column) / 5)])[None]
    net = DeferredNet(9, widths=(16, 24, 32))
    descent = torch.optim.Adam([*net.parameters(), features], lr=5e-3)
    for _ in range(120):
        loss = (net(pyramid(points, features, camera(), 30.0, (24, 24))) - wanted).square().mean()
        descent.zero_grad()
        loss.backward()
        descent.step()
    assert -10 * loss.log10() > 25  # dB


def test_more_scales_than_levels_are_refused() -> None:
    with pytest.raises(ValueError, match="5 scales of splats need as many levels, 4 widths came"):
        DeferredNet(9, scales=5)
