"""Unflat's reconstruction library: one photo in, a 3D model out.

    from recon import reconstruct
    result = reconstruct("photo.jpg")
    result.mesh.to_trimesh().show()

Importing this package loads no torch, no open3d and no diffusers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recon.pipeline import reconstruct

__all__ = ["reconstruct"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name in __all__:
        from recon import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module 'recon' has no attribute {name!r}")
