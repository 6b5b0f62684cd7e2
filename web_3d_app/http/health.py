"""/healthz (the process answers), /readyz (it can take work; says why not), /metrics (Prometheus; jobs read at scrape)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select, text

from web_3d_app.jobs.database import DatabaseBusy
from web_3d_app.jobs.tables import Job
from web_3d_app.kinds.base import HEAVY, QUICK
from web_3d_app.problems import not_found
from web_3d_app.services import Services, services

health = Blueprint("health", __name__)
NEEDED = (QUICK, HEAVY)
"""Crews without which no photo becomes a model; what the slow one does can wait for it."""


@health.get("/healthz")
def healthz() -> Response:
    """Whether the process answers."""
    return jsonify({"status": "ok"})


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Whether work can be taken: each part with "ok" or what is wrong."""
    checks = {"database": _database(), "disk": _disk(), **_worker()}
    ready = all(value == "ok" for value in checks.values())
    return jsonify({"status": "ready" if ready else "not ready", "checks": checks}), 200 if ready else 503


@health.get("/metrics")
def metrics() -> Response:
    """For Prometheus; by default for this machine only."""
    who = services().settings.metrics
    if who == "none" or (who == "local" and request.remote_addr not in ("127.0.0.1", "::1")):
        raise not_found()
    return current_app.response_class(generate_latest(services().registry), content_type=CONTENT_TYPE_LATEST)


def _database() -> str:
    try:
        with services().database.write() as session:  # takes the write lock and gives it back
            session.execute(text("UPDATE workers SET pid = pid WHERE name = ''"))
    except DatabaseBusy as error:
        return f"cannot be written: {error}"
    return "ok"


def _disk() -> str:
    free, wanted = services().storage.free_bytes(), services().settings.min_free_mib * 2**20
    return "ok" if free is None or free >= wanted else f"{free / 2**20:.0f} MiB free, {wanted / 2**20:.0f} wanted"


def _worker() -> dict[str, str]:
    try:
        alive = services().claims.workers_alive()
    except DatabaseBusy:
        return {"worker": "unknown", "models": "unknown"}
    silent = [crew for crew in NEEDED if crew not in {row.crew for row in alive}]
    cold = [crew for crew in NEEDED if crew not in {row.crew for row in alive if row.warm}]
    return {
        "worker": f"no sign of life: {', '.join(silent)}" if silent else "ok",
        "models": f"not loaded: {', '.join(cold)}" if cold else "ok",
    }


class JobsCollector(Collector):
    """Gauges from the database and the disk, read when they are asked for."""

    def __init__(self, parts: Services) -> None:
        self._parts = parts

    def collect(self) -> Iterator[Any]:
        """One family after another."""
        jobs = GaugeMetricFamily("unflat_jobs", "Jobs by lane and state", labels=["lane", "state"])
        oldest = GaugeMetricFamily("unflat_oldest_waiting_seconds", "Age of the oldest waiting job", labels=["lane"])
        beat = GaugeMetricFamily("unflat_worker_heartbeat_age_seconds", "Per worker", labels=["worker", "crew"])
        now = time.time()
        with self._parts.database.read() as session:
            for lane, state, count in session.execute(
                select(Job.lane, Job.state, func.count()).group_by(Job.lane, Job.state)
            ):
                jobs.add_metric([lane, state], count)
            waiting = select(Job.lane, func.min(Job.queued_at)).where(Job.state == "queued").group_by(Job.lane)
            for lane, since in session.execute(waiting):
                oldest.add_metric([lane], now - since)
        for row in self._parts.claims.workers():
            beat.add_metric([row.name, row.crew], now - row.heartbeat_at)
        yield from (jobs, oldest, beat)
        free = self._parts.storage.free_bytes()
        if free is not None:
            yield GaugeMetricFamily("unflat_disk_free_bytes", "Free space for files", value=free)

    def describe(self) -> list[Any]:
        """Nothing ahead: registering must not read the database."""
        return []
