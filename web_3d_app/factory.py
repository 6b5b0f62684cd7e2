"""`create_app`: everything is built here and passed in."""

from __future__ import annotations

import atexit
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_smorest import Api

from recon import __version__
from web_3d_app.engines.base import Engine, NoEngine
from web_3d_app.engines.local import LocalEngine
from web_3d_app.files import beside
from web_3d_app.http.addresses import Sessions, behind_proxies
from web_3d_app.http.api import api
from web_3d_app.http.forms import Request, tidy_spool
from web_3d_app.http.health import JobsCollector, health
from web_3d_app.http.identity import protect
from web_3d_app.http.limits import FORM_ROOM, set_up_limits
from web_3d_app.http.options import look_for_models
from web_3d_app.http.pages import pages
from web_3d_app.http.responses import set_up_responses
from web_3d_app.http.schemas import (
    AgainSchema,
    ConvertSchema,
    CreateSchema,
    ErrorSchema,
    FilmUploadSchema,
    StereoSchema,
    UploadSchema,
)
from web_3d_app.http.statics import set_up_statics
from web_3d_app.jobs.claims import Claims
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.decoders import Decoders
from web_3d_app.jobs.keeper import keeper
from web_3d_app.jobs.sequence_poller import SequencePoller
from web_3d_app.jobs.service import Jobs
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.uploads import readable_sentence
from web_3d_app.logs import set_up_logs
from web_3d_app.services import Services
from web_3d_app.settings import LOCAL_HOSTS, Settings
from web_3d_app.shares import Shares

DAY = 86400


def create_app(
    settings: Settings | None = None, engine: Engine | None = None, decoders: Decoders | None = None
) -> Flask:
    """The application, its tables up to date and its engine running.

    settings: default from the environment; engine, decoders: instead of those that the settings name. Raises ValueError
    for settings that cannot be used.
    """
    settings = (settings or Settings.from_env()).checked().with_secret()
    set_up_logs(settings)
    app = Flask("unflat", static_folder=None, template_folder=str(beside("templates")))
    app.request_class = Request
    app.config.from_mapping(_config(settings))
    app.json.sort_keys = False  # type: ignore[attr-defined]
    if settings.proxies:
        app.wsgi_app = behind_proxies(app.wsgi_app, settings.proxies)  # type: ignore[method-assign,assignment]
    app.session_interface = Sessions()
    tidy_spool(Path(app.config["SPOOL"]))
    parts = _services(settings, engine, decoders)
    app.extensions["unflat"] = parts
    parts.registry.register(JobsCollector(parts))
    set_up_responses(app, settings)
    set_up_limits(app, settings)
    protect(app)
    _register(app)
    look_for_models()  # now, not at the first visit
    parts.engine.start()
    parts.keeper.start()
    atexit.register(parts.engine.stop)
    atexit.register(parts.keeper.stop)
    atexit.register(parts.decoders.close)
    return app


def _config(settings: Settings) -> dict[str, Any]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SECRET_KEY_FALLBACKS": list(settings.secret_key_fallbacks),
        "TRUSTED_HOSTS": sorted({*settings.trusted_hosts, *LOCAL_HOSTS}),
        "MAX_CONTENT_LENGTH": settings.max_bytes + FORM_ROOM,
        "MAX_FORM_MEMORY_SIZE": 64 * 1024,  # of one text field, see forms
        "MAX_FORM_PARTS": 50,
        "SPOOL": str(settings.folder / "spool"),
        "SESSION_COOKIE_SECURE": settings.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=90),
        "PREFERRED_URL_SCHEME": "https" if settings.https else "http",
        "WTF_CSRF_CHECK_DEFAULT": False,  # identity.protect checks, and lets tokens pass
        "WTF_CSRF_TIME_LIMIT": DAY,
        "API_TITLE": "Unflat",
        "API_VERSION": "v1",
        "OPENAPI_VERSION": "3.0.3",
        "OPENAPI_URL_PREFIX": "/api/v1",
        "API_SPEC_OPTIONS": {"security": [{"token": []}]},
        "RATELIMIT_HEADERS_ENABLED": True,
    }


def _services(settings: Settings, engine: Engine | None, decoders: Decoders | None) -> Services:
    database, storage = Database(settings.database_url), Storage(settings.storage_url)
    database.migrate()
    claims = Claims(database, settings.lease_seconds)
    if engine is None:
        engine = LocalEngine(settings, claims) if settings.engine == "local" else NoEngine()
    jobs = Jobs(database, storage, settings)
    decoders = decoders or Decoders(settings.decoders, settings.decode_seconds)
    streams = Shares(settings.max_streams)
    return Services(
        settings,
        database,
        storage,
        jobs,
        claims,
        engine,
        keeper(settings, database, storage),
        SequencePoller(jobs.seqs),
        streams,
        Shares(settings.max_bodies),
        decoders,
    )


class _Api(Api):
    """The OpenAPI document around our blueprint; errors are ours (see responses)."""

    ERROR_SCHEMA = ErrorSchema

    def _openapi_json(self) -> Response:
        """With the address that whoever asks has for the server."""
        return jsonify(self.spec.to_dict() | {"servers": [{"url": request.script_root or "/"}]})

    def _register_error_handlers(self) -> None:
        pass


def _register(app: Flask) -> None:
    set_up_statics(app, beside("static"))
    app.register_blueprint(pages)
    app.register_blueprint(health)
    whole = _Api(app)
    whole.spec.components.schema("Create", schema=CreateSchema)
    whole.spec.components.schema("Upload", schema=UploadSchema)
    whole.spec.components.schema("FilmUpload", schema=FilmUploadSchema)
    whole.spec.components.schema("Again", schema=AgainSchema)
    whole.spec.components.schema("Stereo", schema=StereoSchema)
    whole.spec.components.schema("Convert", schema=ConvertSchema)
    told = "from POST /api/v1/visitors; browsers send a cookie and a CSRF token instead"
    whole.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer", "description": told})
    whole.register_blueprint(api)

    @app.context_processor
    def everywhere() -> dict[str, Any]:
        settings: Settings = app.extensions["unflat"].settings
        limits = {"max_mib": settings.max_mib, "max_megapixels": settings.max_megapixels, "kinds": readable_sentence(),
                  "film_mib": settings.max_film_mib, "film_minutes": settings.max_film_minutes}  # fmt: skip
        return {"version": __version__, "expiry_hours": settings.expiry_hours, "limits": limits, "problem": None}
