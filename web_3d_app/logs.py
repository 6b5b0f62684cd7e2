"""Structured logs on stderr: one JSON object per line, or plain text in development."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog

from web_3d_app.settings import Settings


def set_up_logs(settings: Settings) -> None:
    """Ours and the libraries' through one formatter."""
    as_json = (settings.log or ("json" if settings.env == "production" else "text")) == "json"
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: Any = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    last = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=last, foreign_pre_chain=shared))
    ours = logging.getLogger("unflat")
    ours.handlers, ours.propagate = [handler], False
    ours.setLevel(logging.INFO)


def get_logger(name: str) -> Any:
    """A logger whose calls take an event and named values."""
    return structlog.stdlib.get_logger(f"unflat.{name}")
