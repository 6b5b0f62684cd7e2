"""The files beside the code that the server needs: in a checkout at its top, in an installed package within it."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
TOP = PACKAGE.parent
"""Where `web_3d_app` and `recon` lie, for processes that import them."""


def beside(name: str) -> Path:
    """A folder or file: `templates`, `static`, `samples`, `gunicorn.conf.py`."""
    within = PACKAGE / name
    return within if within.exists() else TOP / name
