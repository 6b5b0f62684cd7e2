"""xatlas in a process of its own: it takes seconds in one call that nothing could interrupt, and may be killed instead.

    python -m recon.render.unwrapping < mesh.npz > atlas.npz

The process imports no torch, only numpy and xatlas, so that it is there at once.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, UInt32
from numpy import ndarray

ROOT = Path(__file__).resolve().parents[2]
POLL = 0.25
"""Seconds between two signs of life."""


def unwrap_in_process(
    vertices: Float32[ndarray, "v 3"],
    faces: UInt32[ndarray, "f 3"],
    resolution: int,
    beat: Callable[[], None] = lambda: None,
) -> tuple[UInt32[ndarray, " a"], UInt32[ndarray, "f 3"], Float32[ndarray, "a 2"], tuple[int, int]]:
    """A mesh cut open by xatlas: source vertex of each of its own, faces over these, uv in 0..1, (height, width).

    `beat` is called while one waits; if it raises, the process is killed. Raises RuntimeError where xatlas ends badly.
    """
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-P", "-m", "recon.render.unwrapping"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with tempfile.TemporaryFile() as question:  # `communicate` does not go on writing to a pipe after a timeout
        np.savez(question, vertices=vertices, faces=faces, resolution=resolution)
        question.seek(0)
        with subprocess.Popen(command, env=os.environ | {"PYTHONPATH": path}, stdin=question, **pipes) as child:
            try:
                out, err = _answer(child, beat)
            finally:
                child.kill()
    if child.returncode != 0:
        last = (err.decode(errors="replace").strip().splitlines() or ["no word"])[-1]
        raise RuntimeError(f"xatlas ended with code {child.returncode}: {last}")
    found = np.load(io.BytesIO(out))
    height, width = found["size"].tolist()
    return found["source"], found["faces"], found["uv"], (height, width)


def _answer(child: subprocess.Popen[bytes], beat: Callable[[], None]) -> tuple[bytes, bytes]:
    """What the process says, and what it complains of."""
    while True:
        beat()
        with suppress(subprocess.TimeoutExpired):
            return child.communicate(timeout=POLL)


def main() -> None:
    """What the process does."""
    import xatlas

    mesh = np.load(io.BytesIO(sys.stdin.buffer.read()))
    atlas = xatlas.Atlas()
    atlas.add_mesh(mesh["vertices"], mesh["faces"])
    pack = xatlas.PackOptions()
    pack.resolution, pack.padding, pack.bilinear = int(mesh["resolution"]), 4, True
    atlas.generate(xatlas.ChartOptions(), pack)
    source, faces, uv = atlas[0]
    answer = io.BytesIO()
    np.savez(answer, source=source, faces=faces, uv=uv, size=[atlas.height, atlas.width])
    sys.stdout.buffer.write(answer.getbuffer())


if __name__ == "__main__":
    main()
