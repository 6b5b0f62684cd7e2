"""The contextual loss against a twin by loops, and what it must and must not notice."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recon.render.contextual import contextual_loss, similarity

LAW = settings(max_examples=25, deadline=None, derandomize=True)


def bags(seed: int, n: int, m: int, channels: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    shape = {"generator": rng, "dtype": torch.float64}
    return torch.rand(n, channels, **shape), torch.rand(m, channels, **shape)


def twin(x: np.ndarray, y: np.ndarray, bandwidth: float) -> float:
    """The paper's equations one number at a time."""
    mean = y.mean(0)
    distance = np.zeros((len(x), len(y)))
    for i, a in enumerate(x - mean):
        for j, b in enumerate(y - mean):
            distance[i, j] = 1 - a @ b / (np.linalg.norm(a) * np.linalg.norm(b))
    best = np.zeros(len(y))
    for i in range(len(x)):
        weights = [np.exp((1 - d / (distance[i].min() + 1e-5)) / bandwidth) for d in distance[i]]
        for j, w in enumerate(weights):
            best[j] = max(best[j], w / sum(weights))
    return best.mean()


@LAW
@given(st.integers(0, 999), st.integers(1, 9), st.integers(2, 9), st.integers(2, 6), st.sampled_from([0.1, 0.5, 2.0]))
def test_it_is_what_the_paper_says(seed: int, n: int, m: int, channels: int, bandwidth: float) -> None:
    x, y = bags(seed, n, m, channels)
    assert similarity(x, y, bandwidth).item() == pytest.approx(twin(x.numpy(), y.numpy(), bandwidth), abs=1e-9)


@LAW
@given(st.integers(0, 999))
def test_it_does_not_see_the_order(seed: int) -> None:
    x, y = bags(seed, 20, 30, 5)
    rng = torch.Generator().manual_seed(seed)
    shuffled = x[torch.randperm(20, generator=rng)], y[torch.randperm(30, generator=rng)]
    assert similarity(*shuffled).item() == pytest.approx(similarity(x, y).item(), abs=1e-12)


def test_a_picture_is_most_like_itself() -> None:
    """−log(1 + 1e-5), whatever the places of its pixels."""
    _, y = bags(3, 1, 64, 6)
    picture = y.T.reshape(1, 6, 8, 8)
    assert contextual_loss(picture, picture).item() == pytest.approx(-1e-5, abs=1e-7)
    assert contextual_loss(picture.flip(2, 3), picture).item() == pytest.approx(-1e-5, abs=1e-7)
    other = torch.rand(1, 6, 7, 9, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert contextual_loss(other, picture) > 0.1


def test_features_are_asked_for_and_batches_averaged() -> None:
    x, y = torch.rand(2, 3, 6, 6), torch.rand(2, 3, 5, 7)
    asked = contextual_loss(x, y, features=lambda picture: picture[:, :2] ** 2)
    single = [contextual_loss(x[i : i + 1, :2] ** 2, y[i : i + 1, :2] ** 2) for i in range(2)]
    torch.testing.assert_close(asked, torch.stack(single).mean())


def test_of_many_places_some_are_drawn() -> None:
    x = torch.rand(1, 4, 40, 40, generator=torch.Generator().manual_seed(1))
    draws = [contextual_loss(x, x.flip(3), limit=200, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


def test_gradients_even_where_a_distance_is_zero() -> None:
    x, y = bags(5, 6, 7, 4)
    assert torch.autograd.gradcheck(lambda a: similarity(a, y), (x.requires_grad_(),))
    same = y.clone().requires_grad_()
    similarity(same, y).backward()
    assert same.grad.isfinite().all()
    flat = torch.zeros(1, 3, 4, 4, requires_grad=True)
    contextual_loss(flat, flat.detach()).backward()
    assert flat.grad.isfinite().all()
