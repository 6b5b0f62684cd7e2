"""`python -m web_3d_app`: the web server of an installed package, as `python app.py` is of a checkout."""

from __future__ import annotations

import argparse
import sys

from web_3d_app.files import beside


def serve(application: str, *more: str) -> None:
    """Serve until Ctrl-C; gunicorn.conf.py prints the address. application: as gunicorn takes it; more: its options."""
    about = "Serve Unflat's pages and API until Ctrl-C. Settings are environment variables (docs/server.md)."
    argparse.ArgumentParser(description=about).parse_args()
    from gunicorn.app.wsgiapp import run

    from web_3d_app.settings import Settings

    try:
        Settings.from_env().with_secret()
    except ValueError as error:
        sys.exit(f"unflat: {error}")
    sys.argv = ["gunicorn", "--config", str(beside("gunicorn.conf.py")), *more, application]
    run()


if __name__ == "__main__":
    serve("web_3d_app:create_app()")
