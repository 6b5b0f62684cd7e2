"""Which file endings each result can be written as."""

from __future__ import annotations

from pathlib import Path

from recon.errors import BadOption

MESH_FORMATS = (".ply", ".obj", ".glb", ".stl", ".vtk")
CLOUD_FORMATS = (".ply", ".vtk")
DEPTH_FORMATS = (".npy", ".png")
PREVIEW_FORMATS = (".png",)
TURNTABLE_FORMATS = (".mp4", ".gif")
REPORT_FORMATS = (".json",)


def checked_format(path: Path, allowed: tuple[str, ...], what: str) -> str:
    """The lower-case ending, if `what` can be written in that format, else BadOption."""
    ending = path.suffix.lower()
    if ending not in allowed:
        came = f"ends with {ending!r}" if ending else "has no ending"
        raise BadOption(f"{what} {str(path)!r} {came}; give a name that ends with {', '.join(allowed)}.")
    return ending
