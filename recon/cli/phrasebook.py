"""How the command line says what the library tells: options are flags."""

from __future__ import annotations

from recon.messages import Phrasebook
from recon.options import PhotoOptions, RefineOptions, options_of
from recon.stereo_options import StereoOptions

FLAGS = {each.name: each.flag_name for each in options_of(PhotoOptions, RefineOptions, StereoOptions)} | {
    "folder": "resume"
}
"""What options are called in their flags, where the command line has them."""
SENTENCES = {
    "depth.builtin": "depth by the small built-in network; see --models for larger ones",
    "surface.no_object_model": "the closed model is the built-in solid; see --models for one that knows all sides",
}
"""What is said otherwise than by the library, by codes."""


def flag_of(name: str) -> str:
    """An option's flag: --focal-px of focal_px, --size of size_mm."""
    return f"--{FLAGS.get(name, name).replace('_', '-')}"


COMMAND_LINE = Phrasebook(flag_of, SENTENCES)
