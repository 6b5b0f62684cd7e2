"""Fixtures of many tests. Arrays are read-only: a stage that changes its arguments fails."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from command_line import Outcome, words
from PIL import Image

from recon.cli.main import main

with suppress(ImportError):  # loaded after VTK has drawn, as transformers does, triton ends the process
    import triton  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C means something here and in the processes that tests start, even where a shell runs the tests in the
    background and has it ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture
def run(place: Path, capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Outcome]]:
    """Run the command line in this process, in `place`; options are changed or, with None, left out."""
    (place / "out").mkdir()
    before = {order: signal.getsignal(order) for order in (signal.SIGINT, signal.SIGTERM)}

    def once(*more: str, **changes: str | None) -> Outcome:
        capfd.readouterr()
        code = main([*words(changes), *more])
        out, err = capfd.readouterr()
        return Outcome(code, out.splitlines(), err.splitlines())

    yield once
    for order, handler in before.items():
        signal.signal(order, handler)
