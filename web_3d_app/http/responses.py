"""Around every answer: errors in one shape, security headers, caching, times."""

from __future__ import annotations

import re
import time
from typing import Any

from flask import Flask, Response, g, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, MethodNotAllowed, SecurityError

from web_3d_app.http.limits import FILMS, PHOTOS
from web_3d_app.jobs.database import DatabaseBusy
from web_3d_app.jobs.storage import FULL
from web_3d_app.jobs.uploads import film_too_large
from web_3d_app.logs import get_logger
from web_3d_app.phrasebook import sentence_of
from web_3d_app.problems import Problem, busy, disk_full
from web_3d_app.services import services
from web_3d_app.settings import Settings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; "
    "connect-src 'self' blob:; font-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'"
)
"""GLB textures are fetched from blob: addresses (measured), and so is a film's length; nothing needs inline script or
style, eval or a worker."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # no-referrer would break every form over TLS: the CSRF check wants a Referer
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), microphone=(), payment=(), usb=()",
}
HASHED = re.compile(r"/static/vendor/.+[-.][0-9A-Za-z_]{8,}\.\w+$")
WORDS = {400: "bad_request", 404: "not_found", 405: "method", 410: "gone", 413: "too_large", 415: "not_a_photo",
         416: "range", 422: "invalid", 429: "rate", 503: "busy"}  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""Those that metrics tell apart; clients invent others."""
SENTENCES = {404: "server.not_found", 405: "server.method", 429: "server.rate", 500: "server.noted"}
"""By status; others are told as Werkzeug does."""
log = get_logger("web")


def set_up_responses(app: Flask, settings: Settings) -> None:
    """Register all of it."""
    app.register_error_handler(Problem, _told)
    app.register_error_handler(HTTPException, lambda error: _told(_problem_of(error, settings)))
    app.register_error_handler(DatabaseBusy, _database_busy)
    app.register_error_handler(OSError, _os_error)
    app.register_error_handler(Exception, _unexpected)

    @app.before_request
    def begin() -> None:
        g.begin = time.perf_counter()

    @app.after_request
    def headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if settings.https:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        if response.status_code == 200 and HASHED.search(request.path):
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        elif response.mimetype == "text/html" or response.status_code >= 400:
            response.headers["Cache-Control"] = "no-store"
        seconds = time.perf_counter() - g.get("begin", time.perf_counter())
        endpoint = request.endpoint or "none"
        method = request.method if request.method in METHODS else "other"
        services().seconds.labels(endpoint, method, response.status_code).observe(seconds)
        if endpoint not in ("health.healthz", "health.readyz", "health.metrics", "static"):
            log.info("request", method=request.method, path=_without_secrets(request.path), status=response.status_code,
                     ms=round(1000 * seconds, 1))  # fmt: skip
        return response


def _told(problem: Problem) -> ResponseReturnValue:
    """JSON for programs, a page for people."""
    if request.path.startswith("/api/"):
        response = jsonify(problem.body())
    elif problem.code == "host":
        response = Response(problem.message + "\n", mimetype="text/plain")  # a page has addresses, and this host none
    else:
        error = problem.body()["error"]
        title = {404: "Not found", 410: "Gone"}.get(problem.status, "That did not work")
        response = Response(render_template("error.html", title=title, problem=error, **error))
    response.status_code = problem.status
    response.headers.update(problem.headers)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if problem.retry_after is not None:
        response.headers["Retry-After"] = str(problem.retry_after)
    return response


def _problem_of(error: HTTPException, settings: Settings) -> Problem:
    """Flask's, Werkzeug's and the extensions' errors in our shape."""
    status = error.code or 500
    if isinstance(error, CSRFError):
        return Problem(400, "csrf", sentence_of("server.page_too_old"))
    if isinstance(error, SecurityError):
        return Problem(400, "host", sentence_of("server.host"))
    if status == 413:
        return _too_much(settings)
    data: Any = getattr(error, "data", None)
    if status == 422 and data:
        told = {name: texts for place in data["messages"].values() for name, texts in place.items()}
        return Problem(422, "invalid", sentence_of("server.invalid", names=", ".join(sorted(told))), **told)
    text = (sentence_of(SENTENCES[status]) if status in SENTENCES else error.description) or sentence_of(
        "server.unanswered"
    )
    problem = Problem(status, WORDS.get(status, "error"), text, retry_after=60 if status == 429 else None)
    if isinstance(error, MethodNotAllowed):
        problem.headers["Allow"] = ", ".join(sorted(error.valid_methods or ()))
    return problem


def _too_much(settings: Settings) -> Problem:
    """Of a body that is not read: whatever it is."""
    if request.endpoint in FILMS:
        return film_too_large(settings, request.content_length)
    if request.endpoint not in PHOTOS:
        return Problem(413, "too_large", sentence_of("server.body_too_large"))
    came = request.content_length
    if came is None:
        told = sentence_of("server.upload_too_large", most=settings.max_mib)
    else:
        told = sentence_of("server.upload_of_size", size=came / 2**20, most=settings.max_mib)
    return Problem(413, "too_large", told)


def _database_busy(error: DatabaseBusy) -> ResponseReturnValue:
    log.warning("database busy", error=str(error))
    return _told(disk_full() if "full" in str(error) else busy())


def _os_error(error: OSError) -> ResponseReturnValue:
    if error.errno in FULL:
        log.error("disk full")
        return _told(disk_full())
    return _unexpected(error)


def _unexpected(error: Exception) -> ResponseReturnValue:
    log.error("unexpected", path=_without_secrets(request.path), exc_info=error)
    return _told(Problem(500, "internal", sentence_of(SENTENCES[500])))


def _without_secrets(path: str) -> str:
    """Share tokens open what they name, so they are not logged."""
    return re.sub(r"^(/s/|/api/v1/shared/)[^/]+", r"\1…", path)
