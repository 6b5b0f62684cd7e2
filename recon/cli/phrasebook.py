"""How the command line says what the library tells: options are flags."""

from __future__ import annotations

from recon.messages import Phrasebook

FLAGS = {"size_mm": "--size", "preset": "--refine", "folder": "--resume"}
"""Those that are not called like their options."""


def flag(option: str) -> str:
    """An option as it is typed."""
    return FLAGS.get(option, f"--{option.replace('_', '-')}")


SENTENCES = {
    "depth.builtin": "depth by the small built-in network; see --models for larger ones",
}
"""What is said otherwise than by the library, by codes."""

COMMAND_LINE = Phrasebook(flag, SENTENCES)
