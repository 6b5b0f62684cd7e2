"""Who asks: a signed cookie makes a visitor in a browser, a signed token one in a program.

Only a cookie comes along unasked, so only requests by cookie need a CSRF token.
"""

from __future__ import annotations

import secrets
from contextlib import suppress

from flask import Flask, current_app, request, session, url_for
from flask_wtf import CSRFProtect
from itsdangerous import BadSignature, URLSafeSerializer

from web_3d_app.phrasebook import sentence_of
from web_3d_app.problems import Problem

WITHOUT_CSRF = ("api.visitors",)
"""Endpoints that change nothing of anybody's."""
csrf = CSRFProtect()


def protect(app: Flask) -> None:
    """Check the CSRF token of every request that changes something by cookie."""
    csrf.init_app(app)

    @app.before_request
    def check() -> None:
        changes = request.method not in ("GET", "HEAD", "OPTIONS", "TRACE")
        if request.endpoint and changes and not _bearer() and request.endpoint not in WITHOUT_CSRF:
            _demand_cookie()
            csrf.protect()


def visitor() -> str:
    """The id of who asks, made at the first visit to a page. Raises Problem 401 for a token that is not ours, and for a
    program that sends none."""
    known = known_visitor()
    if known is None and _bearer():
        raise Problem(401, "bad_token", sentence_of("server.bad_token", address=url_for("api.visitors")))
    if known is None or not _bearer():
        _demand_cookie()
    if known is None:
        known = session["visitor"] = secrets.token_urlsafe(16)
        session.permanent = True
    return known


def known_visitor() -> str | None:
    """The id of who asks, if they were here before."""
    token = _bearer()
    if not token:
        return str(session["visitor"]) if "visitor" in session else None
    for key in _keys():
        with suppress(BadSignature):
            return str(_signer(key).loads(token))
    return None


def new_token() -> str:
    """A token for a new visitor."""
    return str(_signer(_keys()[0]).dumps(secrets.token_urlsafe(16)))


def _demand_cookie() -> None:
    """Whoever calls the API without a token must have been to a page. Raises Problem 401."""
    if request.blueprint == "api" and current_app.session_interface.get_cookie_name(current_app) not in request.cookies:
        raise Problem(401, "no_token", sentence_of("server.no_token", address=url_for("api.visitors"), token="<token>"))


def _bearer() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _keys() -> list[str]:
    return [current_app.config["SECRET_KEY"], *(current_app.config["SECRET_KEY_FALLBACKS"] or [])]


def _signer(key: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt="visitor")
