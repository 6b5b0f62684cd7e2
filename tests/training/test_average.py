"""The mean of runs' weights."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch

from training.average import main, mean_weights


def test_the_mean_is_halfway_and_counters_stay() -> None:
    a, b = (torch.full((2, 3), value) for value in (1.0, 4.0))
    found = mean_weights([{"ema": {"w": a, "n": torch.tensor(5)}}, {"ema": {"w": b, "n": torch.tensor(9)}}])
    assert torch.equal(found["w"], torch.full((2, 3), 2.5).half()) and int(found["n"]) == 5


def test_other_networks_are_refused() -> None:
    with pytest.raises(ValueError, match="different networks"):
        mean_weights([{"ema": {"w": torch.zeros(2)}}, {"ema": {"w": torch.zeros(3)}}])


def test_the_command_writes_what_another_run_begins_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("a", 0.0), ("b", 1.0)):
        torch.save({"ema": {"w": torch.full((1,), value)}, "step": 7}, tmp_path / f"{name}.pt")
    out = tmp_path / "c.pt"
    monkeypatch.setattr(sys, "argv", ["average", str(tmp_path / "a.pt"), str(tmp_path / "b.pt"), "--out", str(out)])
    main()
    assert torch.load(out, weights_only=True) == {"ema": {"w": torch.tensor([0.5], dtype=torch.float16)}}
