"""What workers and their supervisor do with jobs: claim, heartbeat, progress, artefacts, hand over, the end.

A claim is one statement. Every later write names (lease_owner, attempt) and finds no row once the job was given to
another, cancelled away or deleted: then `Lost` is raised and the late worker's results are dropped. Delivery is
at-least-once; a job is done once because only one (owner, attempt) can flip it.

A lease has run out when it was not renewed for its length as this process saw it while it ran: no clock that is set and no
sleep of the machine takes a job from its worker. lease_until is what the worker wrote; only its changes count.
"""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, false, func, or_, select, update
from sqlalchemy.orm import Session

from web_3d_app.clock import Awake, Clock, Watched
from web_3d_app.jobs import outcomes
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import PART, UPLOADS, Artefact, Job, WorkerRow, last_turn
from web_3d_app.jobs.transport import store
from web_3d_app.kinds import kind_at, lanes, wanted_after

Made = tuple[str, str, str, Path]
"""A file of a job: name, kind, media type, where it lies."""


class Lost(Exception):
    """The job is no longer this worker's."""


class Cancelled(Exception):
    """The person does not want it any more."""


class Stopped(Exception):
    """This worker is to end; its job is to be given back."""


class Claims:
    """The jobs table as workers see it. clock: the wall's; awake: counts the seconds that this process runs, to be asked at
    least every quarter of a lease."""

    def __init__(
        self, database: Database, lease_seconds: float, clock: Clock = time.time, awake: Clock | None = None
    ) -> None:
        self._database, self.lease_seconds, self._clock = database, lease_seconds, clock
        self.awake = awake or Awake(lease_seconds / 4)
        self._leases, self._beats, self._renewals = Watched(self.awake), Watched(time.monotonic), itertools.count()

    def claim(self, worker: str, served: Sequence[str]) -> Job | None:
        """The next job of the most urgent lane that has one, or None: one that waits, or whose worker has not been heard
        of; of the owner who had no turn for the longest (`tables.last_turn`), the oldest."""
        now = self._clock()
        free = and_(
            Job.lane.in_(served),
            Job.tries_left > 0,
            Job.cancel_requested_at.is_(None),
            or_(Job.state == "queued", self._ran_out()),
        )
        urgency = case({lane: lanes()[lane].urgency for lane in served}, value=Job.lane)
        order = (urgency, last_turn(), Job.queued_at, Job.id)
        next_one = select(Job.id).where(free).order_by(*order).limit(1).with_for_update(skip_locked=True)
        taken = (
            update(Job)
            .where(Job.id == next_one.scalar_subquery(), free)
            .values(state="running", attempt=Job.attempt + 1, tries_left=Job.tries_left - 1, lease_owner=worker,
                    lease_until=self._until(), started_at=func.coalesce(Job.started_at, now), claimed_at=now,
                    seq=Job.seq + 1)
            .returning(Job)
        )  # fmt: skip
        with self._database.write() as session:
            job = session.scalar(taken)
        if job is not None:
            self._leases.note((job.id, job.attempt), job.lease_until)
        return job

    def _until(self) -> float:
        """The end of a lease that is renewed now: never the same twice, even if the wall clock stands still."""
        return self._clock() + self.lease_seconds + 1e-3 * next(self._renewals)

    def _ran_out(self) -> ColumnElement[bool]:
        """Of running jobs: nobody has renewed this lease for its length."""
        held = select(Job.id, Job.attempt, Job.lease_until).where(Job.state == "running")
        with self._database.read() as session:
            leases = {(row.id, row.attempt): row.lease_until for row in session.execute(held)}
        silent = [key for key, age in self._leases.ages(leases).items() if age > self.lease_seconds]
        same = [and_(Job.id == key[0], Job.attempt == key[1], Job.lease_until == leases[key]) for key in silent]
        return and_(Job.state == "running", or_(false(), *same))

    def renew(self, job: Job) -> None:
        """A heartbeat. Raises Lost or Cancelled."""
        until = self._until()
        self.write(job, {"lease_until": until})
        self._leases.note((job.id, job.attempt), until)

    def vouch(self, worker: str, stopped: bool = False) -> None:
        """Who sees that a worker lives renews the leases that it holds, and tells whether it stands still."""
        held = (Job.lease_owner == worker, Job.state == "running")
        with self._database.write() as session:
            session.execute(update(Job).where(*held).values(lease_until=self._until()))
            session.execute(update(WorkerRow).where(WorkerRow.name == worker).values(stopped=stopped))

    def running(self) -> list[tuple[Job, bool]]:
        """The jobs that are worked on, each with whether its worker is known to stand still."""
        both = select(Job, func.coalesce(WorkerRow.stopped, false()))
        query = both.join(WorkerRow, WorkerRow.name == Job.lease_owner, isouter=True)
        with self._database.read() as session:
            rows = session.execute(query.where(Job.state == "running", Job.lane.in_(lanes())))
            return [(job, bool(stopped)) for job, stopped in rows]

    def progress(self, job: Job, stage: str, progress: float, facts: dict[str, Any] | None = None) -> None:
        """Tell the stage, and what is known, if that is news; progress never goes back. Raises Lost or Cancelled."""
        further = case((Job.progress < progress, progress), else_=Job.progress)
        news = {} if facts is None else {"facts": facts}
        self.write(job, {"stage": stage, "progress": further, "seq": Job.seq + 1, **news})

    def facts(self, job: Job, facts: dict[str, Any]) -> None:
        """Tell what is known of the result. Raises Lost or Cancelled."""
        self.write(job, {"facts": facts, "seq": Job.seq + 1})

    def write(self, job: Job, values: dict[str, Any]) -> None:
        """Change the job if it still is this try's. Raises Lost or Cancelled."""
        with self._database.write() as session:
            row = session.execute(_of_this_try(job).values(**values).returning(Job.cancel_requested_at)).first()
        if row is None:
            raise Lost
        if row.cancel_requested_at is not None:
            raise Cancelled

    def hand_over(self, storage: Storage, job: Job, lane: str, checkpoint: Path | None) -> None:
        """This lane's work is done: queue the job for the kind's next, with what that needs. Tries are counted anew from
        here; the wait counts from the upload. Raises Lost, or OSError."""
        key = None if checkpoint is None else _fresh_key(job)
        if key is not None and checkpoint is not None:
            storage.put(key, checkpoint)
        goes_on = outcomes.queued(lane, key)
        try:
            self._end(job, outcomes.either(outcomes.WANTED, goes_on, outcomes.cancelled(self._clock())))
        except Lost:
            if key is not None:
                storage.delete(key)
            raise

    def keep(self, storage: Storage, job: Job, checkpoint: Path) -> None:
        """Store how far this lane's work came, in place of what was stored before; the next try goes on from there.
        Raises Lost, Cancelled, or OSError."""
        self.renew(job)
        with self._database.read() as session:
            before = session.scalar(select(Job.checkpoint_key).where(Job.id == job.id))
        key = _fresh_key(job)
        storage.put(key, checkpoint)
        try:
            self.write(job, {"checkpoint_key": key})
        except (Lost, Cancelled):
            storage.delete(key)
            raise
        if before is not None:
            storage.delete(before)

    def photo_key(self, job: Job) -> str:
        """Where the photo or film lies. Raises Lost if it was deleted."""
        with self._database.read() as session:
            key = session.scalar(select(Artefact.key).where(Artefact.job_id == job.id, Artefact.kind.in_(UPLOADS)))
        if key is None:
            raise Lost
        return key

    def add(self, storage: Storage, job: Job, files: Sequence[Made]) -> None:
        """Store files and make them visible at once, in place of earlier ones of their names. Raises Lost, Cancelled or
        OSError; the files are removed again then."""
        stored: list[Artefact] = []
        try:
            for name, kind, media_type, file in files:
                key, size = store(storage, _fresh_key(job), file)
                stored.append(Artefact(job_id=job.id, name=name, kind=kind, media_type=media_type, bytes=size, key=key,
                                       attempt=job.attempt))  # fmt: skip
            replaced = self._show(job, stored)
        except BaseException:
            for artefact in stored:
                storage.delete(artefact.key)
            raise
        for key in replaced:
            storage.delete(key)

    def parts(self, job: Job) -> dict[str, str]:
        """Pieces of what is being made that earlier tries have left: name -> where it lies."""
        query = select(Artefact.name, Artefact.key).where(Artefact.job_id == job.id, Artefact.kind == PART)
        with self._database.read() as session:
            return {row.name: row.key for row in session.execute(query)}

    def _show(self, job: Job, files: Sequence[Artefact]) -> list[str]:
        """Rows for stored files; returns the keys of those whose place they take. Raises Lost or Cancelled."""
        mine = Artefact.job_id == job.id
        with self._database.write() as session:
            changed = _of_this_try(job).values(seq=Job.seq + 1).returning(Job.cancel_requested_at)
            row = session.execute(changed).first()
            if row is None:
                raise Lost
            if row.cancel_requested_at is not None:
                raise Cancelled
            names = [file.name for file in files]
            replaced = list(session.scalars(select(Artefact.key).where(mine, Artefact.name.in_(names))))
            last = session.scalar(select(func.max(Artefact.position)).where(mine)) or 0
            for position, file in enumerate(files, last + 1):
                file.position = position
                session.merge(file)
        return replaced

    def finish(self, job: Job) -> bool:
        """The last lane's work is done: so is the job, or it is queued for a kind that is to follow, by its options as they
        are at this moment; or cancelled, if that was asked for before. What follows was ready first. Returns whether it
        goes on. Raises Lost."""
        now = self._clock()
        with self._database.write() as session:
            params = session.scalar(select(Job.params).where(Job.id == job.id).with_for_update())
            after = wanted_after(kind_at(job.lane), params or {})
            if after:  # whose progress is its own; what leads to it is all there
                goes_on = outcomes.queued(after[0].first, None) | {"progress": 0.0}
                values = outcomes.either(outcomes.WANTED, goes_on, outcomes.not_followed(now, after[0]))
            else:
                ready = or_(outcomes.WANTED, outcomes.follows())
                values = outcomes.either(ready, outcomes.done(now), outcomes.cancelled(now))
            _let_go(session, job, values)
        return bool(after)

    def fail(self, job: Job, code: str, message: str) -> None:
        """Failed for good, with a word for programs and a sentence for people. Raises Lost."""
        self._end(job, outcomes.failed(self._clock(), code, message))

    def fail_late(self, job: Job) -> None:
        """One try took too long. Its worker finds the job lost; if it ended just now, nothing happens."""
        values = outcomes.failed(self._clock(), outcomes.TIMEOUT, outcomes.said("too_long"))
        with self._database.write() as session:
            session.execute(_of_this_try(job).values(seq=Job.seq + 1, **values))

    def cancelled(self, job: Job) -> None:
        """The worker has stopped as it was asked to. Raises Lost."""
        self._end(job, outcomes.cancelled(self._clock()))

    def release(self, job: Job) -> None:
        """Give it back unharmed, because this worker stops: the try does not count. Raises Lost."""
        back = {"state": "queued", "tries_left": Job.tries_left + 1, "finished_at": None}
        self._end(job, outcomes.either(outcomes.WANTED, back, outcomes.cancelled(self._clock())))

    def forget(self, job: Job) -> None:
        """This worker no longer touches a job that it lost."""
        mine = (Job.id == job.id, Job.lease_owner == job.lease_owner, Job.attempt == job.attempt)
        with self._database.write() as session:
            session.execute(update(Job).where(*mine, Job.state != "running").values(lease_owner=None))

    def _end(self, job: Job, values: dict[str, Any]) -> None:
        with self._database.write() as session:
            _let_go(session, job, values)

    def abandon(self, worker: str, blameless: bool = False) -> int:
        """A worker died: its jobs wait again, or end if they were cancelled or have no try left. Blameless, if it was ended
        for another reason than its jobs: then the tries do not count. Returns how many."""
        return self._requeue(Job.lease_owner == worker, blameless)

    def reap(self) -> int:
        """The same for every job whose lease ran out and that no claim may take any more, or that was cancelled."""
        stuck = or_(Job.tries_left <= 0, Job.cancel_requested_at.is_not(None))
        return self._requeue(and_(self._ran_out(), stuck))

    def _requeue(self, which: Any, blameless: bool = False) -> int:
        now = self._clock()
        again: outcomes.Values = {"state": "queued", "finished_at": None}
        poisoned = outcomes.failed(now, "poisoned", outcomes.said("poisoned"))
        waits_or_not = outcomes.either(Job.tries_left <= 0, poisoned, again)
        if blameless:
            waits_or_not = again | {"tries_left": Job.tries_left + 1}
        values = outcomes.either(outcomes.WANTED, waits_or_not, outcomes.cancelled(now))
        change = (
            update(Job)
            .where(which, Job.state == "running")
            .values(lease_owner=None, lease_until=None, seq=Job.seq + 1, **values)
        )
        let_go = update(Job).where(which, Job.state != "running").values(lease_owner=None)
        with self._database.write() as session:
            count = len(session.execute(change.returning(Job.id)).all())
            session.execute(let_go)
        return count

    def held_by(self, worker: str) -> list[Job]:
        """The jobs that a worker works on: also deleted and timed-out ones, until it lets them go."""
        with self._database.read() as session:
            return list(session.scalars(select(Job).where(Job.lease_owner == worker)))

    def waiting(self, served: Sequence[str]) -> bool:
        """Whether a job waits in one of these lanes."""
        waits = select(Job.id).where(Job.lane.in_(served), Job.state == "queued").limit(1)
        with self._database.read() as session:
            return session.scalar(waits) is not None

    def beat(self, worker: str, crew: str, pid: int, warm: bool) -> None:
        """A worker's sign of life."""
        with self._database.write() as session:
            now = self._clock()
            session.merge(WorkerRow(name=worker, crew=crew, pid=pid, warm=warm, stopped=False, heartbeat_at=now))

    def workers(self) -> list[WorkerRow]:
        """All workers that were heard of lately."""
        with self._database.read() as session:
            return list(session.scalars(select(WorkerRow).order_by(WorkerRow.heartbeat_at.desc())))

    def workers_alive(self) -> list[WorkerRow]:
        """Those that gave a sign within the length of a lease. Whoever is seen for the first time is believed the time of
        its sign; from then on only a new sign counts."""
        rows, now = self.workers(), self._clock()
        signs = {row.name: row.heartbeat_at for row in rows}
        ages = self._beats.ages(signs, {name: abs(now - sign) for name, sign in signs.items()})
        return [row for row in rows if ages[row.name] < self.lease_seconds]

    def gone(self, worker: str) -> None:
        """A worker has ended."""
        with self._database.write() as session:
            session.execute(delete(WorkerRow).where(WorkerRow.name == worker))


def _let_go(session: Session, job: Job, values: dict[str, Any]) -> None:
    """The last word on this try. Raises Lost."""
    let_go = {"lease_owner": None, "lease_until": None, "seq": Job.seq + 1}
    if session.execute(_of_this_try(job).values(**let_go, **values).returning(Job.id)).first() is None:
        raise Lost


def _of_this_try(job: Job) -> Any:
    return update(Job).where(
        Job.id == job.id,
        Job.lease_owner == job.lease_owner,
        Job.attempt == job.attempt,
        Job.state == "running",
    )


def _fresh_key(job: Job) -> str:
    return f"{job.id}/{job.attempt}/{secrets.token_hex(8)}"
