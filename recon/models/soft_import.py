"""Soft imports: a package that is not installed becomes one sentence with the command that installs it."""

from __future__ import annotations

import importlib
from typing import Any

from recon.errors import MissingDependency
from recon.messages import Message, note


def segmenting(model: str) -> Message:
    """What a segmenter's packages are wanted for."""
    return note("purpose.segmenter", "The segmenter {model}", model=model)


def estimating(model: str) -> Message:
    """The same for a depth model's."""
    return note("purpose.depth", "The depth model {model}", model=model)


def need(module: str, package: str, purpose: Message | str) -> Any:
    """Import `module`; MissingDependency names `package` for pip and says what it was wanted for: a thing's name, or words
    for it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependency(
            "package.missing",
            "{purpose} needs the Python package {package}, which cannot be imported ({reason}); install it with: pip"
            " install {package}",
            purpose=purpose, package=package, reason=str(error),
        ) from error  # fmt: skip
