"""Stereo pairs: a photo or a film as both eyes see it, and 3D photos in any layout.

    from recon import stereo
    pair = stereo.stereo_pair("photo.jpg", strength=2, screen="subject")
    pair.save("photo.mpo")
    print(*pair.told(), sep="\\n")

docs/stereo.md says what each name is. Disparity is x_left − x_right everywhere, in pixels of one eye's picture unless
something else is said, and positive in front of the screen. Importing this loads nothing: each name is fetched when it is
first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recon.io.video import frame_at, is_film, open_film
    from recon.stereo.anaglyph import anaglyph
    from recon.stereo.comfort import Comfort, comfort_of
    from recon.stereo.convert import stereo_pair
    from recon.stereo.film import StereoFilm, film_files, film_layout, parts_folder, stereo_film
    from recon.stereo.layouts import packed
    from recon.stereo.pair import StereoPair
    from recon.stereo.preview import StereoPreview, preview_of_depth, stereo_preview
    from recon.stereo.read import input_of, read_pair
    from recon.stereo.warp import pair_of
    from recon.stereo.write import name_note, pair_files
    from recon.stereo_options import StereoOptions

DOOR = {
    "recon.stereo.convert": ("stereo_pair",),
    "recon.stereo.film": ("stereo_film", "StereoFilm", "film_files", "film_layout", "parts_folder"),
    "recon.io.video": ("is_film", "open_film", "frame_at"),
    "recon.stereo.preview": ("StereoPreview", "stereo_preview", "preview_of_depth"),
    "recon.stereo.pair": ("StereoPair",),
    "recon.stereo.read": ("read_pair", "input_of"),
    "recon.stereo.comfort": ("Comfort", "comfort_of"),
    "recon.stereo.warp": ("pair_of",),
    "recon.stereo.layouts": ("packed",),
    "recon.stereo.anaglyph": ("anaglyph",),
    "recon.stereo.write": ("pair_files", "name_note"),
    "recon.stereo_options": ("StereoOptions",),
}
"""Where each name lives."""
__all__ = [
    "Comfort",
    "StereoFilm",
    "StereoOptions",
    "StereoPair",
    "StereoPreview",
    "anaglyph",
    "comfort_of",
    "film_files",
    "film_layout",
    "frame_at",
    "input_of",
    "is_film",
    "name_note",
    "open_film",
    "packed",
    "pair_files",
    "pair_of",
    "parts_folder",
    "preview_of_depth",
    "read_pair",
    "stereo_film",
    "stereo_pair",
    "stereo_preview",
]


def __getattr__(name: str) -> Any:
    for module, names in DOOR.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'recon.stereo' has no attribute {name!r}")
