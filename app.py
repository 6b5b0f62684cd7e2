#!/usr/bin/env python3
"""The web server: `python app.py`, or `gunicorn -c gunicorn.conf.py app:app`. Settings: docs/server.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from web_3d_app import create_app
from web_3d_app.__main__ import serve

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """`app`, made when a server asks for it: importing this file starts nothing."""
    if name != "app":
        raise AttributeError(f"module 'app' has no attribute {name!r}")
    globals()["app"] = made = create_app()
    return made


if __name__ == "__main__":
    serve("app:app", "--chdir", str(Path(__file__).resolve().parent))
