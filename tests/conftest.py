"""Fixtures of many tests. Arrays are read-only: a stage that changes its arguments fails."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def rgb() -> np.ndarray:
    """A 48×64 picture of which no flip or turn looks like another: red grows rightwards, green downwards."""
    rows, columns = np.mgrid[:48, :64]
    out = np.stack([4 * columns, 5 * rows, 40 + 0 * rows], axis=2).astype(np.uint8)
    out[:12, :16] = (250, 250, 10)
    out.flags.writeable = False
    return out


@pytest.fixture(scope="session")
def z() -> np.ndarray:
    """Metric depth of the same size: a gentle wave, 1.8 to 2.2 m, without holes."""
    rows, columns = np.mgrid[:48, :64]
    out = (2 + 0.2 * np.sin(columns / 11) * np.cos(rows / 9)).astype(np.float32)
    out.flags.writeable = False
    return out


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rgb: np.ndarray, z: np.ndarray) -> Path:
    """An empty folder but for photo.png and its depth.npy, which is the current one."""
    Image.fromarray(rgb).save(tmp_path / "photo.png")
    np.save(tmp_path / "depth.npy", z)
    monkeypatch.chdir(tmp_path)
    return tmp_path
