"""What is thrown away: jobs past their time, and files that no row points to because somebody crashed."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import delete, select

from web_3d_app.database import Database
from web_3d_app.jobs import bury
from web_3d_app.storage import Storage
from web_3d_app.tables import FINAL, GONE, SKETCH, Artefact, Job, WorkerRow

TOMBSTONE_SECONDS = 7 * 86400.0
ORPHAN_SECONDS = 3600.0
DEAD_SECONDS = 3600.0
"""Rows of workers without a heartbeat for so long are forgotten."""
Clock = Callable[[], float]


class Housekeeping:
    """The tables and the files, kept in step."""

    def __init__(self, database: Database, storage: Storage, clock: Clock = time.time) -> None:
        self._database, self._storage, self._clock = database, storage, clock
        self._tidied_until = 0.0

    def clean(self) -> int:
        """Everything below, as often as one likes. Returns how many jobs expired. Raises DatabaseBusy or OSError."""
        self.tidy_ended()
        self.sweep()
        return self.expire()

    def tidy(self, job: Job) -> None:
        """Remove files that this try of a job and earlier ones left and no row points to: half-made ones, checkpoints,
        what a later try has replaced; and the picture of a refinement that is over."""
        keys = [
            f"{job.id}/{attempt}/{name}"
            for attempt in self._storage.names(job.id)
            if int(attempt) <= job.attempt
            for name in self._storage.names(f"{job.id}/{attempt}")
        ]
        self._forget_sketch(job)
        with self._database.read() as session:  # after the look at the files: what was added since is kept
            kept = set(session.scalars(select(Artefact.key).where(Artefact.job_id == job.id)))
            kept.add(session.scalar(select(Job.checkpoint_key).where(Job.id == job.id)))
        for key in keys:
            if key not in kept:
                self._storage.delete(key)

    def _forget_sketch(self, job: Job) -> None:
        over = select(Job.id).where(Job.id == job.id, Job.state.in_(FINAL))
        sketches = (Artefact.job_id.in_(over), Artefact.kind == SKETCH)
        with self._database.read() as session:
            if session.scalar(select(Artefact.key).where(*sketches)) is None:
                return
        with self._database.write() as session:
            session.execute(delete(Artefact).where(*sketches))

    def tidy_ended(self) -> None:
        """Tidy the jobs that ended since the last call: their worker may have died, or there was none."""
        since, self._tidied_until = self._tidied_until, self._clock() - 1
        with self._database.read() as session:
            ended = list(session.scalars(select(Job).where(Job.state.in_(FINAL), Job.finished_at >= since)))
        for job in ended:
            self.tidy(job)

    def expire(self) -> int:
        """Delete what is past its time; forget old tombstones and dead workers. Returns how many jobs expired."""
        now = self._clock()
        with self._database.write() as session:
            old = list(session.scalars(select(Job).where(Job.expires_at < now, Job.state.not_in(GONE))))
            for job in old:
                bury(session, job.id, job.owner, "expired", now)
            session.execute(delete(Job).where(Job.state.in_(GONE), Job.expires_at < now - TOMBSTONE_SECONDS))
            session.execute(delete(WorkerRow).where(WorkerRow.heartbeat_at < now - DEAD_SECONDS))
        for job in old:
            self._storage.delete(job.id)
        return len(old)

    def sweep(self) -> int:
        """Remove old folders of jobs that are not in the table, or gone: what a crash left. Young ones may belong to an
        upload that is just being kept. Returns how many."""
        with self._database.read() as session:
            known = set(session.scalars(select(Job.id).where(Job.state.not_in(GONE))))
        old = self._clock() - ORPHAN_SECONDS
        strays = [name for name in self._storage.names() if name not in known]
        orphans = [name for name in strays if (self._storage.changed_at(name) or old) < old]
        for name in orphans:
            self._storage.delete(name)
        return len(orphans)
