"""What the tests of the command line share."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

GEN = Path(__file__).resolve().parents[1] / "gen.py"
INPUT = {"--rgb": "photo.png", "--depth-in": "depth.npy", "--depth-kind": "metric"}
GIVEN = INPUT | {"--surface": "grid", "--out": "out/model.ply"}
"""A run that works and is quick: nothing is estimated and nothing is solved."""


@dataclass
class Outcome:
    code: int
    out: list[str]
    err: list[str]


def words(changes: dict[str, str | None]) -> list[str]:
    options = GIVEN | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return [word for name, value in options.items() if value is not None for word in (f"{name}={value}",)]


def tree(folder: Path) -> dict[str, bytes | str]:
    """Everything in a folder: contents of files, places of links, kinds of the rest."""

    def content(path: Path) -> bytes | str:
        if path.is_symlink():
            return f"-> {os.readlink(path)}"
        return path.read_bytes() if path.is_file() else "folder" if path.is_dir() else "special"

    return {str(path.relative_to(folder)): content(path) for path in sorted(folder.rglob("*"))}


@contextmanager
def full_disk(limit: int = 300) -> Iterator[None]:
    """No file grows beyond `limit` bytes; Python ignores SIGXFSZ, so that every write fails as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def started(place: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """The command line as a process of its own, as a shell would start it."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    command = [sys.executable, "-W", "error", str(GEN), *arguments]
    return subprocess.Popen(command, cwd=place, stdin=subprocess.DEVNULL, **streams)
