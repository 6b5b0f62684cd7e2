"""What is thrown away: jobs past their time, and files that no row points to because somebody crashed.

A job's time is over by the wall clock, which lies in the table and so survives a restart. Two things are noticed first.
Where the wall clock was set, which the clock that counts from the machine's start tells, every job keeps the time that it
had left. And where nobody looked for a while, because the machine slept, the process was stopped or the server was off,
nothing expires for another hour: whoever comes back finds what was there.
"""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, or_, select, update

from web_3d_app.clock import Awake, Clock, Watched, boot_id, since_boot
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.service import tombstone
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import FINAL, GONE, PART, SKETCH, Artefact, Job, KeeperRow, WorkerRow

TOMBSTONE_SECONDS = 7 * 86400.0
ORPHAN_SECONDS = 3600.0
DEAD_SECONDS = 3600.0
"""Rows of workers without a heartbeat for so long are forgotten."""
SET_SECONDS = 120.0
"""Less is no clock that was set, but one that was trimmed, or a late look."""
GAP_SECONDS = 300.0
"""Nobody looked for so long: the machine slept, or the server was off."""
SETTLED_SECONDS = 3600.0
"""After such a gap nothing expires for so long."""
LOOK_SECONDS = 10.0
"""`Housekeeping.look` is to be called more often than that."""
SAVE_SECONDS = 60.0


@dataclass(frozen=True)
class _Reading:
    """Both clocks at a moment. boot: which start of the machine since_boot counts from."""

    wall: float
    since_boot: float
    boot: str


class Housekeeping:
    """The tables and the files, kept in step. clock: the wall's; boot_clock: nobody sets it, and it goes on while the
    machine sleeps; awake: counts while this process runs; spool: where uploads lie while they come."""

    def __init__(
        self,
        database: Database,
        storage: Storage,
        clock: Clock = time.time,
        boot_clock: Clock = since_boot,
        awake: Clock | None = None,
        spool: Path | None = None,
    ) -> None:
        self._database, self._storage, self._clock = database, storage, clock
        self._boot_clock, self._boot, self._awake = boot_clock, boot_id(), awake or Awake(LOOK_SECONDS)
        self._strays, self._beats, self._sent = Watched(self._awake), Watched(self._awake), Watched(self._awake)
        self._spool = spool
        self._tidied_until, self._saved_at, self._settled_at = 0.0, 0.0, 0.0
        self._last: _Reading | None = None

    def clean(self) -> int:
        """Everything below but for the spool, as often as one likes. Returns how many jobs expired. Raises DatabaseBusy or
        OSError."""
        self.look()
        self.tidy_ended()
        self.sweep()
        self.forget_workers()
        return self.expire() if self._awake() >= self._settled_at else 0

    def resume(self) -> None:
        """Another process may have looked since the last time."""
        self._last = None

    def look(self) -> float:
        """Compare the clocks with what they said at the last look, also before a restart; returns by how many seconds the
        wall clock was set. Raises DatabaseBusy, and nothing has happened then."""
        now, last = _Reading(self._clock(), self._boot_clock(), self._boot), self._last or self._stored()
        by, gap = (0.0, 0.0) if last is None else _between(last, now)
        if last is not None and abs(by) > SET_SECONDS:
            self._follow(last, now, by)
        else:
            by = 0.0
        if gap > GAP_SECONDS:
            self._settled_at = self._awake() + SETTLED_SECONDS
        if self._last is None or now.since_boot - self._saved_at > SAVE_SECONDS:
            with self._database.write() as session:
                session.merge(KeeperRow(name="housekeeping", **vars(now)))
            self._saved_at = now.since_boot
        self._last = now
        return by

    def _stored(self) -> _Reading | None:
        with self._database.read() as session:
            row = session.get(KeeperRow, "housekeeping")
            return None if row is None else _Reading(row.wall, row.since_boot, row.boot)

    def _follow(self, last: _Reading, now: _Reading, by: float) -> None:
        """The wall clock was set: what a job has left, and its place among those who wait, stay as they were. A job that
        came since the last look has its times by the new clock."""
        passed = now.since_boot - last.since_boot
        if by > 0:
            earlier = Job.queued_at <= last.wall + passed + by / 2
        else:
            earlier = or_(Job.queued_at > now.wall + SET_SECONDS / 2, Job.queued_at < now.wall - passed - LOOK_SECONDS)
        moved = {"expires_at": Job.expires_at + by, "queued_at": Job.queued_at + by}
        with self._database.write() as session:
            session.execute(update(Job).where(earlier).values(**moved))
            session.merge(KeeperRow(name="housekeeping", **vars(now)))
        self._saved_at = now.since_boot

    def tidy(self, job: Job) -> None:
        """Remove files that this try of a job and earlier ones left and no row points to: half-made ones, checkpoints,
        what a later try has replaced; and pictures and pieces of what was under way and is over."""
        keys = [
            f"{job.id}/{attempt}/{name}"
            for attempt in self._storage.names(job.id)
            if int(attempt) <= job.attempt
            for name in self._storage.names(f"{job.id}/{attempt}")
        ]
        self._forget_passing(job)
        with self._database.read() as session:  # after the look at the files: what was added since is kept
            kept = set(session.scalars(select(Artefact.key).where(Artefact.job_id == job.id)))
            kept.add(session.scalar(select(Job.checkpoint_key).where(Job.id == job.id)))
        for key in keys:
            if key not in kept:
                self._storage.delete(key)

    def _forget_passing(self, job: Job) -> None:
        over = select(Job.id).where(Job.id == job.id, Job.state.in_(FINAL))
        passing = (Artefact.job_id.in_(over), Artefact.kind.in_((SKETCH, PART)))
        with self._database.read() as session:
            if session.scalar(select(Artefact.key).where(*passing)) is None:
                return
        with self._database.write() as session:
            session.execute(delete(Artefact).where(*passing))

    def tidy_ended(self) -> None:
        """Tidy the jobs that ended since the last call: their worker may have died, or there was none."""
        now = self._clock()
        since, self._tidied_until = self._tidied_until, now - 1
        if since > now:  # the clock was set back
            since = 0.0
        with self._database.read() as session:
            ended = list(session.scalars(select(Job).where(Job.state.in_(FINAL), Job.finished_at >= since)))
        for job in ended:
            self.tidy(job)

    def expire(self) -> int:
        """Delete what is past its time by the wall clock; forget old tombstones. Returns how many jobs expired."""
        now = self._clock()
        with self._database.write() as session:
            old = list(session.scalars(select(Job).where(Job.expires_at < now, Job.state.not_in(GONE))))
            for job in old:
                tombstone(session, job.id, job.owner, "expired", now)
            session.execute(delete(Job).where(Job.state.in_(GONE), Job.expires_at < now - TOMBSTONE_SECONDS))
        for job in old:
            self._storage.delete(job.id)
        return len(old)

    def tidy_spool(self) -> None:
        """Remove what lies in the spool for longer than any upload takes: a crash left it."""
        names = [] if self._spool is None else [path.name for path in self._spool.glob("*")]
        for name, age in self._sent.ages(dict.fromkeys(names, True)).items():
            if age > ORPHAN_SECONDS and self._spool is not None:
                remove(self._spool / name)

    def forget_workers(self) -> None:
        """Rows of workers that gave no sign for long, as seen from here."""
        with self._database.read() as session:
            signs = {row.name: row.heartbeat_at for row in session.scalars(select(WorkerRow))}
        dead = [name for name, age in self._beats.ages(signs).items() if age > DEAD_SECONDS]
        if dead:
            with self._database.write() as session:
                session.execute(delete(WorkerRow).where(WorkerRow.name.in_(dead)))

    def sweep(self) -> int:
        """Remove folders of jobs that are not in the table, or gone: what a crash left. One that was not seen for long yet
        may belong to an upload that is just being kept. Returns how many."""
        strays = self._storage.names()
        with self._database.read() as session:  # after the look at the files
            known = set(session.scalars(select(Job.id).where(Job.state.not_in(GONE))))
        ages = self._strays.ages({name: True for name in strays if name not in known})
        orphans = [name for name, age in ages.items() if age > ORPHAN_SECONDS]
        for name in orphans:
            self._storage.delete(name)
        return len(orphans)


def remove(path: Path) -> None:
    """Of a file or a folder; nothing there is no error."""
    with suppress(OSError):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _between(last: _Reading, now: _Reading) -> tuple[float, float]:
    """(by how many seconds the wall clock was set, how many passed) between two looks. After the machine started anew only
    a clock that went back can be told from the time that it was off."""
    if last.boot != now.boot or now.since_boot < last.since_boot:
        passed = now.wall - last.wall
        return (passed, 0.0) if passed < 0 else (0.0, passed)
    passed = now.since_boot - last.since_boot
    return now.wall - last.wall - passed, passed
