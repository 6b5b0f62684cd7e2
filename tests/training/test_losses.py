"""Losses: zero at the truth, blind to scale and shift, the closed-form fit against numpy's."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from training.losses import (
    UPRIGHT,
    align,
    back_colour_loss,
    delta1_absrel,
    disparity_loss,
    distance_loss,
    edge_loss,
    fov_loss,
    gradient_loss,
    loss_parts,
    mask_cross_entropy,
    normalised,
    normals_loss,
    relief_loss,
    subject_loss,
)
from training.net import Geometry, Shape
from training.synthetic import World


def maps(seed, count=2):
    return torch.rand(count, 2, 1, 24, 40, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).unbind(1)


def test_zero_at_the_truth():
    _, truth = maps(0)
    assert disparity_loss(normalised(truth), truth) == pytest.approx(0, abs=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 100), st.floats(-50, 50), st.integers(0, 99))
def test_invariant_under_scale_and_shift_of_the_prediction(scale, shift, seed):
    prediction, truth = maps(seed)
    plain = disparity_loss(prediction, truth, anchor=0.0)
    moved = disparity_loss(scale * prediction + shift, truth, anchor=0.0)
    assert moved.item() == pytest.approx(plain.item(), rel=1e-3)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.001, 1000), st.integers(0, 99))
def test_invariant_under_the_unit_of_the_truth(unit, seed):
    prediction, truth = maps(seed)
    assert disparity_loss(prediction, unit * truth).item() == pytest.approx(
        disparity_loss(prediction, truth).item(), rel=1e-3
    )


def test_align_is_the_least_squares_fit():
    prediction, truth = maps(1)
    for p, t, fitted in zip(prediction, truth, align(prediction, truth), strict=True):
        x = p.flatten().numpy()
        scale, shift = np.linalg.lstsq(np.stack([x, np.ones_like(x)], 1), t.flatten().numpy(), rcond=None)[0]
        expected = scale * x + shift if scale > 0 else np.full_like(x, t.mean())
        assert np.allclose(fitted.flatten().numpy(), expected)


def test_a_map_turned_inside_out_is_worth_no_more_than_a_constant():
    truth = torch.rand(500, generator=torch.Generator().manual_seed(2)) + 0.2
    assert delta1_absrel(-truth, truth) == pytest.approx(delta1_absrel(torch.ones(500), truth))


def test_an_upside_down_prediction_is_turned_by_the_anchor_alone():
    """Fitted by the scale 0 it is worth as much as a constant, with no gradient; scale-only L1 knows which way is near."""
    truth = normalised(torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0)) + 0.2)
    for anchor in (0.0, UPRIGHT):
        prediction = (3 - truth).requires_grad_()
        disparity_loss(prediction, truth, anchor).backward()
        towards = -(prediction.grad * (truth - truth.mean())).sum()
        assert towards == 0 if anchor == 0 else towards > 0


def test_an_upside_down_start_is_learnt_upright_with_the_anchor_and_never_without():
    truth = normalised(torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(1)) + 0.2)
    slopes = []
    for anchor in (0.0, UPRIGHT):
        weight = torch.tensor([-1.0, 3.0], requires_grad=True)
        optimiser = torch.optim.Adam([weight], lr=0.05)
        for _ in range(150):
            optimiser.zero_grad()
            disparity_loss(weight[0] * truth + weight[1], truth, anchor, gradients=0.5).backward()
            optimiser.step()
        slopes.append(float(weight[0].detach()))
    assert slopes[0] == -1 and slopes[1] > 0.5


def test_edge_loss_is_zero_at_the_truth_one_without_edges_and_more_for_a_smear():
    truth = torch.ones(1, 1, 64, 64)
    truth[..., 32:] = 2
    smear = F.avg_pool2d(F.pad(truth, (4, 4, 4, 4), mode="replicate"), 9, 1)
    assert edge_loss(3 * truth + 1, truth) == pytest.approx(0, abs=1e-5)
    constant = float(edge_loss(torch.ones_like(truth), truth))
    assert 0.9 < constant < 1
    sharper = F.avg_pool2d(F.pad(truth, (1, 1, 1, 1), mode="replicate"), 3, 1)
    assert 0.3 < float(edge_loss(sharper, truth)) < float(edge_loss(smear, truth)) < 1.6


def test_edge_loss_sees_no_edge_in_a_slope():
    slope = (torch.arange(64.0) / 64 + 1).expand(1, 1, 64, 64)
    assert edge_loss(-slope, slope) == 0


def test_the_distance_is_learnt_where_it_is_known_and_its_doubt_is_the_mean_error():
    prediction = torch.tensor([[0.0, 0.5]] * 4, requires_grad=True)
    distance = torch.tensor([math.exp(0.5), math.exp(-0.5), math.nan, math.nan])
    distance_loss(prediction, distance).backward()
    assert (prediction.grad[2:] == 0).all()
    assert prediction.grad[:2, 1] == pytest.approx(np.zeros(2), abs=1e-6)
    assert distance_loss(prediction, torch.full((4,), math.nan)) == 0


def test_a_constant_prediction_has_a_finite_gradient():
    prediction = torch.ones(1, 1, 16, 16, requires_grad=True)
    disparity_loss(prediction, torch.rand(1, 1, 16, 16)).backward()
    assert prediction.grad.isfinite().all()
    assert disparity_loss(prediction, torch.zeros(1, 1, 16, 16)).isfinite()


def test_gradient_loss_of_a_ramp():
    """A ramp of slope s per pixel differs by s 2^k at level k along one axis: s (1 + 2 + 4 + 8)."""
    ramp = 0.25 * torch.arange(32.0).expand(1, 1, 32, 32)
    assert gradient_loss(ramp) == pytest.approx(0.25 * 15)


def test_mask_loss_of_even_odds_is_log_two():
    assert mask_cross_entropy(torch.zeros(1, 1, 4, 4), torch.ones(1, 1, 4, 4)) == pytest.approx(np.log(2))


def test_normals_loss_is_one_minus_the_cosine_where_there_is_a_surface():
    truth = torch.tensor([0.0, 0, -1]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    tilted = torch.tensor([0.6, 0, -0.8]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    surface = torch.ones(1, 1, 4, 4)
    assert normals_loss(truth, truth, surface) == 0
    assert normals_loss(tilted, truth, surface) == pytest.approx(0.2)
    surface[..., 2:] = 0
    wrong = torch.where(surface > 0, truth, -truth)
    assert normals_loss(wrong, truth, surface) == 0
    assert normals_loss(wrong, truth, torch.zeros(1, 1, 4, 4)) == 0


def test_relief_loss_ignores_one_shift_of_both_sides_and_everything_outside():
    labels = World(1, without=("room", "street", "square", "nature", "tabletop", "disorder")).batch(0, 2, 64, 64).labels
    noise = torch.randn(labels.front.shape, generator=torch.Generator().manual_seed(0)) * (1 - labels.subject)
    front, back = labels.front + 0.3 + noise, labels.back + 0.3 - noise
    assert relief_loss(front, back, labels) == pytest.approx(0, abs=1e-4)
    assert relief_loss(front, back + 0.02, labels) == pytest.approx(2, rel=1e-3)


def test_subject_loss_wants_overlap_where_there_is_a_subject_and_nothing_elsewhere():
    truth = torch.zeros(2, 1, 16, 16)
    truth[0, :, 4:12, 4:12] = 1
    right, doubt = 40 * (truth - 0.5), torch.full_like(truth, -2.0)
    assert subject_loss(right, truth) < 1e-6
    dice = subject_loss(doubt, truth) - mask_cross_entropy(doubt, truth)
    p = float(torch.tensor(-2.0).sigmoid())
    assert dice == pytest.approx(0.25 * (1 - 2 * p * 64 / (256 * p + 64)))
    assert subject_loss(doubt[1:], truth[1:]) == mask_cross_entropy(doubt[1:], truth[1:])


def test_relief_loss_counts_what_melts_into_each_other():
    labels = World(1, without=("room", "street", "square", "nature", "tabletop", "disorder")).batch(0, 2, 64, 64).labels
    stripes = 0.02 * (torch.arange(64) % 2 - 0.5).expand_as(labels.front)
    error = relief_loss(labels.front + stripes, labels.back + stripes, labels, 0.0)
    assert error == pytest.approx(2, rel=0.05)  # half a stripe on each side, front and back
    steps = relief_loss(labels.front + stripes, labels.back + stripes, labels) - error
    assert 3 < float(steps) < 4  # nearly every pixel has a neighbour to its right, 2 % nearer or farther


def test_back_colour_loss_is_the_mean_error_inside_and_fog_costs_more_than_a_shift():
    """Fog of the right mean misses as much as a shift of the same size, and every edge besides."""
    inside = torch.zeros(2, 1, 32, 32)
    inside[0, :, 4:28, 4:28] = 1  # nothing in the second picture
    truth = 0.5 + 0.1 * (-1.0) ** (torch.arange(32) // 4).expand(2, 3, 32, 32)
    noise = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * (1 - inside)
    assert back_colour_loss(truth + noise, truth, inside) == 0
    shifted, fog = truth + 0.1, torch.full_like(truth, 0.5)
    assert back_colour_loss(shifted, truth, inside) == pytest.approx(0.1, rel=1e-4)
    assert back_colour_loss(fog, truth, inside, 0.0) == pytest.approx(0.1, rel=1e-4)
    assert back_colour_loss(fog, truth, inside) > 0.15


def test_the_best_spread_of_the_field_of_view_is_the_mean_error():
    fov = torch.tensor([40.0, 50, 60, 70])
    spread = torch.tensor([10.0] * 4, requires_grad=True)
    fov_loss(torch.stack([torch.full((4,), 55.0), spread], 1), fov).backward()
    assert spread.grad == pytest.approx(np.zeros(4), abs=0.06)
    assert spread.grad.sum() == pytest.approx(0, abs=1e-6)  # the errors are 15, 5, 5, 15


def test_all_losses_are_finite_and_have_finite_gradients_on_a_picture_of_nothing():
    """A scene of one colour at one distance, without sky, subject or edges."""
    batch = World(1).batch(0, 2, 32, 32)
    nothing = {name: torch.zeros_like(values) for name, values in batch.labels.maps().items()}
    nothing["disparity"] += 0.5
    nothing["normals"][:, 2] = -1
    labels = type(batch.labels)(**nothing)
    shapes = (1, 1, 3, 1, 1, 1)
    maps = [torch.full((2, c, 32, 32), 0.5, requires_grad=True) for c in shapes]
    fov, distance = (torch.full((2, 2), value, requires_grad=True) for value in (50.0, 0.5))
    parts = loss_parts(Geometry(*maps, fov, distance), labels)
    assert all(part.isfinite() for part in parts.values())
    torch.stack(list(parts.values())).sum().backward()
    assert all(x.grad.isfinite().all() for x in (*maps, fov, distance))


def test_the_network_of_objects_pays_for_what_it_says_and_nothing_at_the_truth():
    labels = World(1).expose(0, 2, 64, 64, "alone").developed(torch.Generator().manual_seed(0)).labels
    fov = torch.stack([labels.fov, torch.ones(2)], 1)
    right = Shape(labels.normals, labels.front, labels.back, labels.back_colour, fov)
    parts = loss_parts(right, labels)
    assert parts.keys() == {"normals", "relief", "fov", "back_colour"}
    assert all(float(part) == pytest.approx(0, abs=1e-4) for part in parts.values())
    away = {"normals": -labels.normals, "back": labels.back + 0.1, "back_colour": 1 - labels.back_colour}
    for name, wrong in away.items():
        worse = loss_parts(right._replace(**{name: wrong}), labels)
        assert {part for part in parts if worse[part] > parts[part] + 0.01} == {"relief" if name == "back" else name}


def test_scores_of_an_affine_copy_are_perfect_and_of_a_constant_are_not():
    truth = torch.rand(500, generator=torch.Generator().manual_seed(2)) + 0.2
    assert delta1_absrel(3 * truth + 7, truth) == pytest.approx((1.0, 0.0), abs=1e-5)
    constant = delta1_absrel(torch.ones(500), truth)
    expected = (torch.maximum(truth / truth.mean(), truth.mean() / truth) < 1.25).float().mean()
    assert constant[0] == pytest.approx(expected.item(), abs=1e-3)
