"""What views need, built once per application and kept in `app.extensions["unflat"]`."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from flask import current_app
from prometheus_client import CollectorRegistry, Histogram

from web_3d_app.engines.base import Engine
from web_3d_app.jobs.claims import Claims
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.decoders import Decoders
from web_3d_app.jobs.keeper import Keeper
from web_3d_app.jobs.sequence_poller import SequencePoller
from web_3d_app.jobs.service import Jobs
from web_3d_app.jobs.storage import Storage
from web_3d_app.settings import Settings
from web_3d_app.shares import Shares


@dataclass
class Services:
    """The parts behind the views. streams: the event streams that are open; bodies: the requests with a body that are under
    way; ending: the server is to stop."""

    settings: Settings
    database: Database
    storage: Storage
    jobs: Jobs
    claims: Claims
    engine: Engine
    keeper: Keeper
    poller: SequencePoller
    streams: Shares
    bodies: Shares
    decoders: Decoders
    ending: threading.Event = field(default_factory=threading.Event)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    seconds: Histogram = field(init=False)

    def __post_init__(self) -> None:
        self.seconds = Histogram(
            "unflat_request_seconds", "Seconds per request", ["endpoint", "method", "status"], registry=self.registry
        )


def services() -> Services:
    """Those of the current application."""
    found: Services = current_app.extensions["unflat"]
    return found
