"""Fields: derivatives against differences, normals of known shapes, priors in closed form."""

from __future__ import annotations

import itertools
import math

import pytest
import torch
from torch import Tensor

from recon.render.fields import (
    Blob,
    Field,
    HashField,
    VolumePrior,
    activate,
    mlp,
    normals_by_differences,
)
from recon.render.hashgrid import GridShape, HashGrid
from tests.render.scene import seed

SHAPE = GridShape(levels=4, base=4, finest=16, log2_size=10)


class BallField(Field):
    """Its density's logit is (0.6 - |x|)·sharpness."""

    def logits(self, x: Tensor) -> Tensor:
        return torch.cat((20 * (0.6 - x.norm(dim=1, keepdim=True)), x), 1)


def hash_field(**options: object) -> HashField:
    field = HashField(HashGrid(SHAPE, seed(1)), 16, generator=seed(2), **options)  # type: ignore[arg-type]
    with torch.no_grad():
        field.encoder.table *= 3e3  # type: ignore[union-attr]
    return field


def points(count: int = 40) -> Tensor:
    return 1.2 * torch.rand(count, 3, generator=seed(3)) - 0.6


def test_density_is_positive_and_grows_with_its_logit() -> None:
    x = torch.linspace(-30, 30, 400, dtype=torch.float64)
    y = activate(x)
    assert (y > 0).all() and (y.diff() > 0).all()
    near = x[x.abs() < 10].clone().requires_grad_()
    assert torch.autograd.gradcheck(activate, near)
    assert torch.autograd.gradgradcheck(activate, near)


def test_the_exponential_s_gradient_stays_finite() -> None:
    x = torch.tensor((80.0, -80.0), requires_grad=True)
    activate(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor((math.exp(15), math.exp(-15))))


@pytest.mark.parametrize("field", [hash_field(), hash_field(prior=Blob(5.0, 0.3))])
def test_a_field_has_density_colour_and_unit_normals_along_its_gradient(field: Field) -> None:
    sample, plain = field(points(), normals=True), field(points())
    torch.testing.assert_close(sample.density, plain.density)
    torch.testing.assert_close(sample.albedo, plain.albedo)
    assert plain.normal is None and sample.normal is not None
    assert (sample.albedo > 0).all() and (sample.albedo < 1).all()
    torch.testing.assert_close(sample.normal.norm(dim=1), torch.ones(40))
    torch.testing.assert_close(field.density(points()), plain.density)
    field = field.double()
    exact = field(points().double(), normals=True).normal
    differences = normals_by_differences(field.density_logit, points().double(), 1e-5)
    smooth = (exact * differences).sum(1)
    assert smooth.median() > 1 - 1e-6  # a ReLU's kink may lie between the differences
    field.float()


def test_normals_of_a_ball_point_outwards() -> None:
    with torch.no_grad():
        sample = BallField()(points(), normals=True)
    outwards = torch.nn.functional.normalize(points(), dim=1)
    assert sample.normal is not None and not sample.normal.requires_grad
    torch.testing.assert_close(sample.normal, outwards, atol=1e-5, rtol=0)
    found = normals_by_differences(BallField().density_logit, points().double(), 1e-4)
    torch.testing.assert_close(found, outwards.double(), atol=1e-5, rtol=0)


def test_normals_can_be_learnt_from() -> None:
    field = hash_field()
    normal = field(points(), normals=True).normal
    assert normal is not None
    normal[:, 0].sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in (field.encoder.table, field.network[0].weight))  # type: ignore[union-attr]
    table = field.encoder.table  # type: ignore[union-attr]
    index = int(table.grad.abs().sum(1).argmax())
    step, ends = 1e-3, []
    for sign in (1, -1):  # the second derivative against a difference of first ones
        with torch.no_grad():
            table[index, 0] += sign * step
            shifted = field.double()(points().double(), normals=True).normal
            ends.append(float(shifted[:, 0].sum()))  # type: ignore[index]
            field.float()
            table[index, 0] -= sign * step
    assert float(table.grad[index, 0]) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=0.02)


def test_a_blob_in_closed_form() -> None:
    x = torch.tensor([[0.0, 0.0, 0.0], [0.3, 0.0, 0.0], [0.0, 0.0, -0.6]], requires_grad=True)
    cone = Blob(10.0, 0.3)(x)
    torch.testing.assert_close(cone, torch.tensor((10.0, 0.0, -10.0)), atol=1e-4, rtol=0)
    cone.sum().backward()
    assert x.grad is not None and x.grad.isfinite().all()


def test_a_volume_prior_is_trilinear_and_differentiable_twice() -> None:
    axis = torch.linspace(-1, 1, 6, dtype=torch.float64)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    prior = VolumePrior(1 + 2 * x - 3 * y + 4 * z + 5 * x * y * z)
    at = points(60).double()
    at = torch.cat((at, torch.tensor(list(itertools.product((-1.0, 1.0), repeat=3)), dtype=torch.float64)))
    linear = prior(at) - VolumePrior(5 * x * y * z)(at)
    torch.testing.assert_close(linear, 1 + 2 * at[:, 0] - 3 * at[:, 1] + 4 * at[:, 2])
    torch.testing.assert_close(prior(3 * at), prior((3 * at).clamp(-1, 1)))
    inner = at[:5].clone().requires_grad_()
    assert torch.autograd.gradcheck(prior, inner)
    assert torch.autograd.gradgradcheck(prior, inner)


def test_a_field_begins_as_the_solid_it_is_given() -> None:
    axis = torch.linspace(-1, 1, 33)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    distance = 0.5 - (x**2 + y**2 + z**2).sqrt()
    field = HashField(HashGrid(SHAPE, seed(1)), 16, prior=VolumePrior.of_distance(distance), generator=seed(2))
    sample = field(points(300), normals=True)
    r = points(300).norm(dim=1)
    assert sample.density[r < 0.4].min() > 20 and sample.density[r > 0.6].max() < 0.05
    edge = (r - 0.5).abs() < 0.04
    outwards = torch.nn.functional.normalize(points(300), dim=1)
    assert sample.normal is not None
    assert (sample.normal * outwards).sum(1)[edge].min() > 0.98


def test_networks_come_from_their_seed() -> None:
    a, b = mlp([3, 8, 2], seed(7)), mlp([3, 8, 2], seed(7))
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))
