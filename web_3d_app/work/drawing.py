"""Drawing a mesh in a process of its own, which VTK may end where there is no display: then there is no picture.

`python -m web_3d_app.work.drawing preview|film given.npz out` is such a process.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from recon import Reconstruction, ground_of, write_parallax, write_preview
from recon.types import Camera
from web_3d_app.work.sheets import mesh_arrays, mesh_from

LOOK = 0.1
"""Seconds between two looks at a process."""


@contextmanager
def preview(result: Reconstruction, folder: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that draws a picture of the mesh; killed at the end if it still draws."""
    with _drawn("preview", result, folder, out, closed=result.surface == "solid") as process:
        yield process


@contextmanager
def film(result: Reconstruction, folder: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process that draws the parallax film; killed at the end if it still draws."""
    ground = ground_of(result.photo, result.mask)
    way, cone = result.options.parallax_path, result.options.cone
    with _drawn("film", result, folder, out, ground=ground, way=way, cone=cone) as process:
        yield process


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended; waits a moment for it."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(LOOK)
    return process.poll() is not None


@contextmanager
def _drawn(
    what: str, result: Reconstruction, folder: Path, out: Path, **more: Any
) -> Iterator[subprocess.Popen[bytes]]:
    given = folder / "drawing.npz"
    camera = result.camera
    lens = np.array([camera.width, camera.height, camera.focal, camera.cx, camera.cy])
    np.savez(given, camera=lens, **mesh_arrays(result.mesh), **more)  # type: ignore[arg-type]
    command = [sys.executable, "-m", __name__, what, str(given), str(out)]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as process:
        try:
            yield process
        finally:
            process.kill()


def main(what: str, given: str, out: str) -> None:
    """Read what another process wrote and draw it."""
    with np.load(given) as data:
        mesh = mesh_from(data)
        assert mesh is not None, "it was just written"
        width, height, focal, cx, cy = data["camera"].tolist()
        camera = Camera(int(width), int(height), focal, cx, cy, "user")
        if what == "preview":
            write_preview(mesh, camera, out, bool(data["closed"]))
        else:
            red, green, blue = data["ground"].tolist()
            way, cone = str(data["way"]), float(data["cone"])
            write_parallax(mesh, camera, out, way, cone, (red, green, blue))  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*sys.argv[1:])
