"""A run's state on the disk: one file, replaced as a whole, in a folder that one run at a time may use."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from recon.errors import BadInput, BadOption, Unwritable
from recon.io.files import check_writable, write_bytes
from recon.refinement.protocols import State

CHECKPOINT = "refine.pt"
FORMAT = 5
"""Of the state; another one is not read."""


def save(folder: Path, state: State) -> None:
    """Write a state; the one before stands until the new one is on the disk. Raises Unwritable."""
    buffer = io.BytesIO()  # to a full disk torch would raise what is no OSError
    torch.save(state | {"format": FORMAT}, buffer)
    write_bytes(folder / CHECKPOINT, buffer.getbuffer())


def load(folder: Path, key: str) -> State | None:
    """The state in a folder, on the CPU, None if there is none. Raises BadOption if it is of another
    version or `key` is not its own, BadInput if it cannot be read."""
    path = folder / CHECKPOINT
    if not path.exists():
        return None
    try:
        state: State = torch.load(path, map_location="cpu", weights_only=True)
        known, whose = state["format"] == FORMAT, state["key"]
    except (RuntimeError, ValueError, EOFError, KeyError, TypeError, OSError, pickle.UnpicklingError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is damaged, or something else"
        raise BadInput(
            "state.unreadable",
            "the state {path!r} cannot be read ({reason}); delete it or give <folder> another folder.",
            path=str(path), reason=reason,
        ) from None  # fmt: skip
    if not known:
        raise BadOption(
            "state.of_another_version",
            "{path!r} holds the state of another version of this program; delete it or give <folder> another folder.",
            path=str(path),
        )
    if whose != key:
        raise BadOption(
            "state.of_another_run",
            "{path!r} holds the state of another photo or of other settings; give <folder> another folder.",
            path=str(path),
        )
    return state


@contextmanager
def kept(folder: Path | None) -> Iterator[None]:
    """Keep a folder for this run alone, where the system can; what a killed run left half-written is taken away.

    Raises Unwritable where nothing can be written to it and BadOption where another run uses it.
    """
    if folder is None:
        yield
        return
    check_writable(folder / CHECKPOINT)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _locked(folder)
    except OSError as error:
        raise Unwritable(
            "folder.unwritable", "cannot write to {path!r}: {reason}; give another folder.",
            path=str(folder), reason=error.strerror or str(error),
        ) from None  # fmt: skip
    try:
        if lock is not None:
            for left in folder.glob(f".unflat-*{Path(CHECKPOINT).suffix}"):
                left.unlink(missing_ok=True)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _locked(folder: Path) -> int | None:
    """A lock that goes with the process; None where there is no such thing."""
    try:
        import fcntl
    except ImportError:  # Windows
        return None
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise BadOption(
            "state.in_use",
            "another refinement is at work in {path!r}; wait for it or give <folder> another folder.",
            path=str(folder),
        ) from None
    except OSError:  # a file system without locks
        os.close(lock)
        return None
    return lock
