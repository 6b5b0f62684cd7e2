"""The network: what its outputs promise, whatever its weights, and that it takes any size."""

import pytest
import torch
from torch.nn import functional as F

from training.net import GeometryNet, ObjectNet, _bilinear, convex_upsample, coordinates, take_over


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


@pytest.mark.parametrize("size", [(64, 96), (32, 32)])
def test_what_is_said_of_a_thing_alone_keeps_its_promises(size):
    torch.manual_seed(0)
    with torch.no_grad():
        found = ObjectNet((8, 16, 16, 16, 32), 8, 4).eval()(torch.randn(2, 4, *size) * 5)
    assert [x.shape for x in found] == [*((2, c, *size) for c in (3, 1, 1, 3)), (2, 2)]
    assert (found.normals[:, 2] < 0).all() and (found.back >= found.front).all() and (found.fov[:, 1] >= 1).all()
    assert ((found.back_colour >= 0) & (found.back_colour <= 1)).all()


@pytest.mark.parametrize("kind", [GeometryNet, ObjectNet])
def test_the_networks_that_ship_have_at_most_five_million_weights(kind):
    assert sum(p.numel() for p in kind().parameters()) <= 5_000_000


@pytest.mark.parametrize(
    ("given", "taker"), [(GeometryNet, ObjectNet), (ObjectNet, GeometryNet), (ObjectNet, ObjectNet)]
)
def test_what_both_networks_know_is_taken_over_and_the_rest_stays_as_it_is(given, taker):
    """The same maps come out for both, and what is new is as it was."""
    torch.manual_seed(3)
    size = ((8, 16, 16, 16, 32), 8, 4)
    first, second = given(*size).eval(), taker(*size).eval()
    before = {name: value.clone() for name, value in second.state_dict().items()}
    take_over(second, first.state_dict(), given)
    photo = torch.rand(1, 4, 64, 64)
    with torch.no_grad():
        one, other = first(photo), second(photo)
    for name in ("normals", "front", "back", "fov"):
        assert torch.equal(getattr(one, name), getattr(other, name)), name
    rows = slice(None) if given is taker else {ObjectNet: slice(5, 8), GeometryNet: slice(0, 2)}[taker]
    same = torch.equal(second.fine.head.weight[rows], before["fine.head.weight"][rows])
    assert same == (given is not taker)


def test_weights_that_fit_nothing_are_named():
    net = ObjectNet((8, 8, 8, 8, 8), 8, 2)
    with pytest.raises(ValueError, match=r"tail\.weight"):
        take_over(net, {"tail.weight": torch.zeros(1)}, GeometryNet)


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
