"""A server under a path, as `/unflat` behind a proxy: every address that it gives, and its cookie, begin there.

The path comes with a request as SCRIPT_NAME: from the environment by gunicorn, or from the X-Forwarded-Prefix of a proxy in
front if one is configured. `url_for` follows it; scripts take it from the page (base.html).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

PREFIX = re.compile(r"(/[\w.~-]+)+")
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def behind_proxies(application: Application, count: int) -> Application:
    """The same behind so many proxies, whose X-Forwarded headers are believed; a prefix only if it is a plain path, with
    or without a slash at its end."""

    def plain(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        given = environ.pop("HTTP_X_FORWARDED_PREFIX", "").split(",")[-count:][0].strip().removesuffix("/")
        given = given if given.startswith("/") else f"/{given}"
        if PREFIX.fullmatch(given):
            environ["HTTP_X_FORWARDED_PREFIX"] = given
        return under(environ, start_response)

    under = ProxyFix(application, x_for=count, x_proto=count, x_host=count, x_prefix=1)
    return plain


class Sessions(SecureCookieSessionInterface):
    """Flask's, with a cookie that is sent only where the application is."""

    def get_cookie_path(self, app: Flask) -> str:
        """The application's root."""
        return request.script_root or "/"

    def get_cookie_name(self, app: Flask) -> str:
        """Over TLS with a prefix that browsers hold it to: __Host- is for whole hosts only."""
        if not app.config["SESSION_COOKIE_SECURE"]:
            return "unflat"
        return "__Secure-unflat" if request.script_root else "__Host-unflat"
