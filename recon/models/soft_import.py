"""Soft imports: a package that is not installed becomes one sentence with the command that installs it."""

from __future__ import annotations

import importlib
from typing import Any

from recon.errors import MissingDependency


def need(module: str, package: str, purpose: str) -> Any:
    """Import `module`; MissingDependency names `package` for pip and says what it was wanted for."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingDependency(
            f"{purpose} needs the Python package {package}, which cannot be imported ({error}); "
            f"install it with: pip install {package}"
        ) from error
