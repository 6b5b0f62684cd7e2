"""Unflat's reconstruction library: one photo in, a 3D model out.

    from recon import reconstruct
    result = reconstruct("photo.jpg")
    result.mesh.to_trimesh().show()

This is the only door: programs import the names below (docs/library.md says what each is), the values that travel in
`recon.types`, the errors in `recon.errors`, what people are told in `recon.messages`, the options' fields in
`recon.options`, and who is told of the progress in `recon.progress`. Importing it loads no torch, no open3d and no
diffusers: each name is fetched when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recon.geometry.closed import is_closed
    from recon.geometry.reduce import shrink_to_fit
    from recon.io.album import is_photo_name, look_at_file, model_names, photos_in
    from recon.io.files import alone_in, check_writable, remove_leftovers
    from recon.io.formats import is_model_name, model_kind
    from recon.io.outputs import missing_folders, output_files
    from recon.io.parallax import ground_of, write_parallax
    from recon.io.read import photo_from_bytes, read_photo
    from recon.io.splat_conversion import ply_of_splat, ply_size
    from recon.io.turntable import write_preview, write_turntable
    from recon.io.views import check_transparency, write_frames, write_orbit
    from recon.io.write import write_cloud, write_depth, write_mask, write_mesh, write_report, write_rows, write_splats
    from recon.io.write_stl import write_print
    from recon.options import PhotoOptions, RefineOptions
    from recon.pipeline import reconstruct, refine
    from recon.progress import Stopwatch
    from recon.protocols import DepthEstimator
    from recon.refinement.progress import Step
    from recon.registry import Where, depth_estimator, listing, models_kept, models_table
    from recon.results import Model, PhotoGeometry, Reconstruction, Result, load_surfaces
    from recon.settings import Limits, OrbitSettings, ViewSettings
    from recon.threads import limited

DOOR = {
    "recon.pipeline": ("reconstruct", "refine"),
    "recon.options": ("PhotoOptions", "RefineOptions"),
    "recon.settings": ("Limits", "OrbitSettings", "ViewSettings"),
    "recon.results": ("Reconstruction", "PhotoGeometry", "Model", "Result", "load_surfaces"),
    "recon.io.read": ("read_photo", "photo_from_bytes"),
    "recon.io.write": (
        "write_mesh",
        "write_cloud",
        "write_depth",
        "write_mask",
        "write_report",
        "write_rows",
        "write_splats",
    ),
    "recon.io.splat_conversion": ("ply_of_splat", "ply_size"),
    "recon.io.write_stl": ("write_print",),
    "recon.io.parallax": ("ground_of", "write_parallax"),
    "recon.io.views": ("check_transparency", "write_frames", "write_orbit"),
    "recon.io.turntable": ("write_preview", "write_turntable"),
    "recon.io.outputs": ("output_files", "missing_folders"),
    "recon.io.files": ("alone_in", "check_writable", "remove_leftovers"),
    "recon.io.album": ("is_photo_name", "look_at_file", "model_names", "photos_in"),
    "recon.io.formats": ("is_model_name", "model_kind"),
    "recon.registry": ("Where", "depth_estimator", "listing", "models_kept", "models_table"),
    "recon.protocols": ("DepthEstimator",),
    "recon.progress": ("Stopwatch",),
    "recon.refinement.progress": ("Step",),
    "recon.threads": ("limited",),
    "recon.geometry.closed": ("is_closed",),
    "recon.geometry.reduce": ("shrink_to_fit",),
}
"""Where each name lives."""
__all__ = [
    "DepthEstimator",
    "Limits",
    "Model",
    "OrbitSettings",
    "PhotoGeometry",
    "PhotoOptions",
    "Reconstruction",
    "RefineOptions",
    "Result",
    "Step",
    "Stopwatch",
    "ViewSettings",
    "Where",
    "alone_in",
    "check_transparency",
    "check_writable",
    "depth_estimator",
    "ground_of",
    "is_closed",
    "is_model_name",
    "is_photo_name",
    "limited",
    "listing",
    "load_surfaces",
    "look_at_file",
    "missing_folders",
    "model_kind",
    "model_names",
    "models_kept",
    "models_table",
    "output_files",
    "photo_from_bytes",
    "photos_in",
    "ply_of_splat",
    "ply_size",
    "read_photo",
    "reconstruct",
    "refine",
    "remove_leftovers",
    "shrink_to_fit",
    "write_cloud",
    "write_depth",
    "write_frames",
    "write_mask",
    "write_mesh",
    "write_orbit",
    "write_parallax",
    "write_preview",
    "write_print",
    "write_report",
    "write_rows",
    "write_splats",
    "write_turntable",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    for module, names in DOOR.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'recon' has no attribute {name!r}")
