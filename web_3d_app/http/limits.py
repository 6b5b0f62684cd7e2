"""How much one visitor may ask for at a time: uploads per minute, bodies under way, event streams."""

from __future__ import annotations

import math
from collections.abc import Callable

from flask import Flask, g, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from web_3d_app.http.identity import known_visitor
from web_3d_app.phrasebook import sentence_of
from web_3d_app.problems import busy
from web_3d_app.services import services
from web_3d_app.settings import Settings

PHOTOS = ("api.create", "pages.create")
"""Endpoints that take a photo; all others take a few words."""
FILMS = ("api.create_film", "pages.create_film")
"""Those that take a film."""
CREATE = (*PHOTOS, *FILMS, "api.again")
"""Endpoints that make a job of a photo."""
FORM_ROOM = 1 << 20
"""Bytes that a request may have besides the photo: the form's other fields and the multipart frame."""
OF_VISITOR, OF_ADDRESS = 0.33, 0.625
"""Shares of the bodies under way: a visitor may send 20 photos at once; tokens are free, so an address has a limit too,
also for event streams."""


def set_up_limits(app: Flask, settings: Settings) -> None:
    """Register those that hold before a request is read."""
    _limit_rate(app, settings)

    @app.before_request
    def begin() -> None:
        if request.endpoint in FILMS:
            request.max_content_length = settings.max_film_bytes + FORM_ROOM
        elif request.endpoint not in PHOTOS:
            request.max_content_length = FORM_ROOM
        if request.content_length or "Transfer-Encoding" in request.headers:
            who = known_visitor() or "nobody"
            most = {
                f"visitor {who}": math.ceil(OF_VISITOR * settings.max_bodies),
                f"address {request.remote_addr}": math.ceil(OF_ADDRESS * settings.max_bodies),
            }
            g.give_back = services().bodies.take(most)
            if g.give_back is None:
                raise busy(sentence_of("server.too_many_uploads"), "uploads_full")

    @app.teardown_request
    def end(_: BaseException | None) -> None:
        if give_back := g.pop("give_back", None):
            give_back()


def take_stream() -> Callable[[], None]:
    """A place for an event stream; returns what gives it back. Raises Problem 503."""
    settings = services().settings
    who = known_visitor() or f"nobody at {request.remote_addr}"
    most = {
        f"visitor {who}": settings.max_streams_each,
        f"address {request.remote_addr}": math.ceil(OF_ADDRESS * settings.max_streams),
    }
    give_back = services().streams.take(most)
    if give_back is None:
        raise busy(sentence_of("server.too_many_streams"), "streams_full")
    return give_back


def _limit_rate(app: Flask, settings: Settings) -> None:
    """Uploads per address. Counted in memory, which is right for one server process."""
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", headers_enabled=True)
    if settings.create_rate != "none":

        @limiter.shared_limit(settings.create_rate, scope="create")
        def count() -> None:
            """Raises 429 when there were too many."""

        @app.before_request
        def before_uploads() -> None:
            if request.endpoint in CREATE:
                count()
