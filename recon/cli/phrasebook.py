"""How the command line says things: options are flags."""

from __future__ import annotations

from recon.messages import Phrasebook
from recon.options import PhotoOptions, RefineOptions, options_of


def flag_of(name: str) -> str:
    """An option's flag: --focal-px of focal_px, --size of size_mm."""
    known = {each.name: each.flag_name for each in options_of(PhotoOptions, RefineOptions)}
    return f"--{known.get(name, name).replace('_', '-')}"


COMMAND_LINE = Phrasebook(flag_of)
