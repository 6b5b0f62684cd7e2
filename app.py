#!/usr/bin/env python3
"""The web server: `python app.py`, or `gunicorn -c gunicorn.conf.py app:app`. Settings: docs/server.md."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from web_3d_app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> Any:
    """`app`, made when a server asks for it: importing this file starts nothing."""
    if name != "app":
        raise AttributeError(f"module 'app' has no attribute {name!r}")
    globals()["app"] = made = create_app()
    return made


def main() -> None:
    """Serve until Ctrl-C; gunicorn.conf.py prints the address."""
    from gunicorn.app.wsgiapp import run

    from web_3d_app.settings import Settings

    try:
        Settings.from_env().with_secret()
    except ValueError as error:
        sys.exit(f"app.py: {error}")
    here = Path(__file__).resolve().parent
    sys.argv = ["gunicorn", "--config", str(here / "gunicorn.conf.py"), "--chdir", str(here), "app:app"]
    run()


if __name__ == "__main__":
    main()
