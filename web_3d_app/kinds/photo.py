"""One photo on its way to a model.

Lanes: view (what is shown at once) → mesh (the surface that was asked for) → files (everything to download) → film (the
parallax film). A crew does meshes before files, and films when there is nothing else to do.
"""

from __future__ import annotations

from recon.options import PhotoOptions
from web_3d_app.kinds.base import BYTES, GLB, HEAVY, JPEG, JSON, MP4, PLY, PNG, QUICK, STL, ZIP, Kind, Lane, Sentences

VIEW = Lane("view", QUICK, {"read": 0.02, "model": 0.04, "subject": 0.08, "depth": 0.2, "grid": 0.3, "points": 0.35})
MESH = Lane("mesh", HEAVY, {"mesh": 0.45})
FILES = Lane("files", HEAVY, {"files": 0.65, "splats": 0.72, "smooth": 0.78, "preview": 0.9}, urgency=1)
FILM = Lane("film", HEAVY, {"film": 0.98}, urgency=2, touch=True)
"""Shares of the seconds that a one-megapixel photo takes on two cores, to the last file but the film."""
PHOTO = Kind(
    name="photo",
    run="web_3d_app.work.photo.run",
    warm_up="web_3d_app.work.photo.warm_up",
    lanes=(VIEW, MESH, FILES, FILM),
    artefacts={
        "points_view.ply": ("points_view", PLY),
        "photo_thumb.jpg": ("photo_thumb", JPEG),
        "instant_view.glb": ("instant_view", GLB),
        "grid_view.glb": ("grid_view", GLB),
        "grid.glb": ("grid", GLB),
        "mask.png": ("mask", PNG),
        "mask_thumb.png": ("mask_thumb", PNG),
        "depth_view.jpg": ("depth_view", JPEG),
        "depth_thumb.jpg": ("depth_thumb", JPEG),
        "stereo_view.jpg": ("stereo_view", JPEG),
        "nearness_view.png": ("nearness_view", PNG),
        "mesh_view.glb": ("mesh_view", GLB),
        "mesh.glb": ("mesh", GLB),
        "mesh.ply": ("mesh_ply", PLY),
        "mesh.stl": ("mesh_stl", STL),
        "mesh_obj.zip": ("mesh_obj", ZIP),
        "smooth_view.glb": ("smooth_view", GLB),
        "smooth.glb": ("smooth", GLB),
        "smooth.ply": ("smooth_ply", PLY),
        "points.ply": ("points", PLY),
        "splats_view.splat": ("splats_view", BYTES),
        "splats.spz": ("splats_spz", BYTES),
        "depth.npy": ("depth_npy", BYTES),
        "depth.png": ("depth_png", PNG),
        "preview.png": ("preview", PNG),
        "preview_thumb.jpg": ("preview_thumb", JPEG),
        "report.json": ("report", JSON),
        "film.mp4": ("film", MP4),
    },
    sentences=Sentences(
        queue_full="Too many photos wait already; try again in a minute.",
        quota="You have {mine} photos in work; wait for one or cancel it.",
        poisoned="The server's worker broke down each time it worked on this photo; try a smaller one or other options.",
        too_long="This photo took too long; try a smaller one or other options.",
    ),
    options=PhotoOptions,
    form="_photo_form.html",
    alike=("surface", "depth_model", "mask", "faces"),
)
