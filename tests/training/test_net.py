"""The network: what its outputs promise, whatever its weights, and that it takes any size."""

import pytest
import torch
from torch.nn import functional as F

from training.net import GeometryNet, _bilinear, convex_upsample, coordinates


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return GeometryNet((8, 16, 16, 16, 32), 8, 4).eval()


@pytest.mark.parametrize("size", [(64, 96), (32, 32), (160, 32)])
def test_outputs_keep_their_promises_at_any_size(net, size):
    with torch.no_grad():
        found = net(torch.randn(2, 4, *size) * 5)
    assert [x.shape for x in found[:-2]] == [(2, c, *size) for c in (1, 1, 3, 1, 1, 1)]
    assert found.fov.shape == found.distance.shape == (2, 2)
    assert (found.distance[:, 1] > 0).all()
    assert (found.disparity >= 0).all()
    assert (found.normals[:, 2] < 0).all()
    assert torch.allclose(found.normals.norm(dim=1), torch.ones(2, *size), atol=1e-5)
    assert (found.back >= found.front).all()
    assert (found.fov[:, 1] >= 1).all()


def test_the_network_that_ships_has_at_most_five_million_weights():
    assert sum(p.numel() for p in GeometryNet().parameters()) <= 5_000_000


def test_coordinates_are_pixel_centres_in_half_longer_sides_from_the_middle():
    x, y = coordinates(torch.zeros(1, 3, 4, 8))[0]
    assert torch.allclose(x[0], (torch.arange(8) + 0.5) / 4 - 1)
    assert torch.allclose(y[:, 0], (torch.arange(4) + 0.5 - 2) / 4)


def test_attention_takes_every_place_to_every_other(net):
    """A change in one corner is felt in the opposite one."""
    torch.nn.init.normal_(net.attention.out.weight, std=0.5)
    x = torch.zeros(1, 32, 4, 4, requires_grad=True)
    net.attention(x)[0, :, 3, 3].sum().backward()
    assert x.grad[0, :, 0, 0].abs().max() > 0


def test_a_fresh_last_step_interpolates_bilinearly():
    maps = torch.rand(2, 3, 5, 7, generator=torch.Generator().manual_seed(0))
    weights = _bilinear().view(1, 4, 9, 1, 1).expand(2, 4, 9, 5, 7)
    smooth = F.interpolate(maps, scale_factor=2.0, mode="bilinear", align_corners=False)
    assert torch.allclose(convex_upsample(maps, weights), smooth, atol=1e-6)


def test_the_last_step_can_draw_an_edge_between_two_half_pixels():
    """Where all weight is on one of the nine, a full pixel has that one's value: nothing is mixed."""
    maps = torch.tensor([[0.0, 0, 1, 1]]).expand(1, 1, 4, 4)
    weights = torch.zeros(1, 4, 9, 4, 4)
    weights[:, :, 4] = 1
    assert convex_upsample(maps, weights).unique().tolist() == [0, 1]
