"""`python -m web_3d_app.work.preview mesh.npz out.png`: draw a mesh in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from recon import write_preview
from recon.types import Camera
from web_3d_app.work.sheets import mesh_from


def main(given: str, out: str) -> None:
    """Read what `work` wrote and draw it."""
    with np.load(given) as data:
        mesh = mesh_from(data)
        width, height, focal = data["camera"].tolist()
        closed = bool(data["closed"])
    assert mesh is not None, "it was just written"
    write_preview(mesh, Camera(int(width), int(height), focal, width / 2, height / 2, "user"), Path(out), closed)


if __name__ == "__main__":
    main(*sys.argv[1:])
