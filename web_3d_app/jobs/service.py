"""What people do with jobs: make, look, cancel, retry, share, delete. Every method sees one owner's jobs only.

Each change is one short transaction; nobody else's job can be told from one that does not exist (404).
"""

from __future__ import annotations

import io
import json
import secrets
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, and_, case, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from recon import Limits
from web_3d_app.jobs import outcomes
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.derived import with_derived
from web_3d_app.jobs.room import check_disk, check_room
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import FILM_UPLOAD, GONE, HIDDEN, UPLOADS, Artefact, Job, last_turn
from web_3d_app.jobs.uploads import Upload
from web_3d_app.kinds import KINDS, following_lanes, kind_at, lanes, wanted_after
from web_3d_app.kinds.base import Kind
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.phrasebook import book, sentence_of
from web_3d_app.problems import Problem, busy, gone, not_found
from web_3d_app.settings import Settings

HONEST_SAMPLES = 5
"""Finished jobs that are alike, from which an estimate is made."""
Clock = Callable[[], float]


class Jobs:
    """The service behind pages and API."""

    def __init__(self, database: Database, storage: Storage, settings: Settings, clock: Clock = time.time) -> None:
        self._database, self._storage, self._settings, self._clock = database, storage, settings, clock

    @property
    def limits(self) -> Limits:
        """What uploads may be."""
        return Limits.of(self._settings.max_mib, self._settings.max_megapixels)

    def admit(
        self, owner: str, digest: str, params: dict[str, Any], key: str | None = None, kind: Kind = PHOTO
    ) -> Job | None:
        """Before a photo is decoded: the job that the same request made before, or None and there is room for one. Raises
        Problem: 409, 429, 503, 507."""
        with self._database.read() as session:
            if known := _replayed(session, owner, key, _asked(digest, params, kind)):
                return known
            check_disk(self._storage, self._settings)
            check_room(session, self._settings, owner, [kind, *wanted_after(kind, params)])
        return None

    def create(
        self, owner: str, upload: Upload | None, params: dict[str, Any], key: str | None = None,
        origin_id: str | None = None, kind: Kind = PHOTO,
    ) -> tuple[Job, bool]:  # fmt: skip
        """Keep the photo, if the kind has one, and queue a job; returns it and whether it was there already (same
        idempotency key, same request). origin_id: the first job of the same upload. Raises Problem: 409, 429, 503, 507."""
        digest = "" if upload is None else upload.digest
        if known := self.admit(owner, digest, params, key, kind):
            return known, True
        job_id, now, asked = secrets.token_urlsafe(16), self._clock(), _asked(digest, params, kind)
        job = Job(
            id=job_id, owner=owner, kind=kind.name, state="queued", lane=kind.first, stage=None, progress=0.0, seq=1,
            title=kind.name if upload is None else upload.title, params=params, idempotency_key=key, request_hash=asked,
            attempt=0, tries_left=self._settings.max_tries, created_at=now, queued_at=now,
            expires_at=now + 3600 * self._settings.expiry_hours, origin_id=origin_id, **_photo_columns(upload),
        )  # fmt: skip
        try:
            files = [] if upload is None else [self._kept(job_id, upload)]
            known = self._add(job, kind, files)
        except IntegrityError:  # of a database with several writers; on SQLite `_add` itself finds the other one
            known = self.admit(owner, digest, params, key, kind)
            if known is None:
                raise
        except BaseException:
            self._storage.delete(job_id)
            raise
        if known is not None:
            self._storage.delete(job_id)
        return known or job, known is not None

    def _kept(self, job_id: str, upload: Upload) -> Artefact:
        """The photo, stored; its row."""
        key = f"{job_id}/0/{secrets.token_hex(8)}"
        size = self._storage.put(key, io.BytesIO(upload.data) if isinstance(upload.data, bytes) else upload.data)
        media, kind = ("image/png" if upload.name.endswith("png") else "image/jpeg"), "photo"
        if upload.film:
            media, kind = "application/octet-stream", FILM_UPLOAD
        return Artefact(job_id=job_id, name=upload.name, kind=kind, media_type=media, bytes=size, key=key, attempt=0,
                        position=0)  # fmt: skip

    def _add(self, job: Job, kind: Kind, files: Sequence[Artefact]) -> Job | None:
        """Add a job if there is still room, in one transaction, so that of many at once no one is too many; or the one that
        came with the same key just before."""
        with self._database.write() as session:
            if known := _replayed(session, job.owner, job.idempotency_key, job.request_hash):
                return known
            check_room(session, self._settings, job.owner, [kind, *wanted_after(kind, job.params)])
            session.add(job)
            session.flush()
            session.add_all(files)
        return None

    def get(self, owner: str, job_id: str) -> Job:
        """One job. Raises Problem 404, or 410 if it was this owner's and is gone."""
        with self._database.read() as session:
            return _present(session.scalar(select(Job).where(Job.id == job_id, Job.owner == owner)))

    def by_share(self, token: str) -> Job:
        """The job that was shared under a token. Raises Problem 404."""
        with self._database.read() as session:
            job = session.scalar(select(Job).where(Job.share_token == token))
        if job is None or job.state in GONE:
            raise not_found()
        return job

    def newest(self, owner: str, limit: int, before: str | None = None) -> Sequence[Job]:
        """This owner's jobs, newest first."""
        query = select(Job).where(Job.owner == owner, Job.state.not_in(GONE))
        with self._database.read() as session:
            if before is not None:
                last = session.scalar(select(Job).where(Job.id == before, Job.owner == owner))
                if last is None:
                    raise not_found()
                query = query.where(
                    (Job.created_at < last.created_at) | ((Job.created_at == last.created_at) & (Job.id < before))
                )
            return session.scalars(query.order_by(Job.created_at.desc(), Job.id.desc()).limit(limit)).all()

    def several(self, owner: str, ids: Sequence[str]) -> Sequence[Job]:
        """Those of some jobs that are this owner's and not gone, in the order in which they are named."""
        query = select(Job).where(Job.owner == owner, Job.state.not_in(GONE), Job.id.in_(ids))
        with self._database.read() as session:
            found = {job.id: job for job in session.scalars(query)}
        return [found[each] for each in dict.fromkeys(ids) if each in found]

    def family(self, owner: str, job: Job) -> Sequence[Job]:
        """This owner's jobs of the same upload, this one among them, in the order in which they were asked for."""
        first = job.origin_id or job.id
        query = select(Job).where(Job.owner == owner, Job.state.not_in(GONE))
        with self._database.read() as session:
            kin = query.where((Job.id == first) | (Job.origin_id == first)).order_by(Job.created_at, Job.id)
            return session.scalars(kin).all()

    def seqs(self, ids: Iterable[str]) -> dict[str, int]:
        """The number of the newest change of each job that is not gone. Cheap: event streams ask it often."""
        with self._database.read() as session:
            rows = session.execute(select(Job.id, Job.seq).where(Job.id.in_(ids), Job.state.not_in(GONE)))
            return {row.id: row.seq for row in rows}

    def artefacts(self, jobs: Sequence[Job]) -> dict[str, list[Artefact]]:
        """The files of each job that people may have, in the order in which they were made, with those that are made when
        they are asked for."""
        found: dict[str, list[Artefact]] = {job.id: [] for job in jobs}
        mine = (Artefact.job_id.in_(found), Artefact.kind.not_in(HIDDEN))
        with self._database.read() as session:
            rows = session.scalars(select(Artefact).where(*mine).order_by(Artefact.position))
            for row in rows:
                found[row.job_id].append(row)
        return {job: with_derived(files) for job, files in found.items()}

    def upload(self, job: Job) -> Artefact | None:
        """The file that a job began with, as it was kept; None where it is gone or there was none."""
        with self._database.read() as session:
            return session.scalar(select(Artefact).where(Artefact.job_id == job.id, Artefact.kind.in_(UPLOADS)))

    def queue_position(self, job: Job) -> int | None:
        """How many jobs go before this one in its lane, by the turns that claims take; None if it does not wait."""
        if job.state != "queued":
            return None
        waits = select(Job.id, Job.owner, Job.queued_at, last_turn().label("turn"))
        with self._database.read() as session:
            waiting = session.execute(waits.where(Job.lane == job.lane, Job.state == "queued")).all()
        turns = {row.owner: row.turn for row in waiting}
        later, ahead = max(turns.values(), default=0.0) + 1, 0
        left = {row.id: row for row in waiting}
        while job.id in left:
            first = min(left.values(), key=lambda row: (turns[row.owner], row.queued_at, row.id))
            if first.id == job.id:
                return ahead
            del left[first.id]
            ahead += 1
            turns[first.owner] = later + ahead
        return 0  # it was begun between two looks

    def seconds_left(self, job: Job) -> float | None:
        """An estimate for a running job: the median of what the stages to come took for jobs like it. None until there
        are enough of them, and while others wait, because the lanes are then shared. A kind that follows tells its own."""
        if job.state != "running" or job.claimed_at is None:
            return None
        kind = kind_at(job.lane)
        if kind.follows:
            left_of_it: float | None = kind.told(job.facts).get("seconds_left")
            return left_of_it
        waits = select(Job.id).where(Job.state == "queued", Job.lane.not_in(following_lanes())).limit(1)
        told = (Job.params, Job.facts, Job.photo_width, Job.photo_height)
        same = and_(Job.state == "done", Job.kind == job.kind)
        with self._database.read() as session:
            if session.scalar(waits) is not None:
                return None
            ended = session.execute(select(*told).where(same).order_by(Job.finished_at.desc()).limit(50))
            times = [_seconds_from(kind, job.lane, other) for other in ended if _alike(kind, job, other)]
        if len(times) < HONEST_SAMPLES:
            return None
        left = statistics.median(times) - (self._clock() - job.claimed_at)
        return round(left, 1) if left > 0 else None

    def cancel(self, owner: str, job_id: str) -> Job:
        """A waiting job ends at once, a running one as soon as its worker sees the flag; again is no error. Of what
        follows, only that ends. Raises Problem 404, 409 (finished), 410."""
        now = self._clock()
        asked = {"cancel_requested_at": func.coalesce(Job.cancel_requested_at, now), "finished_at": None}
        change = (
            update(Job)
            .where(Job.id == job_id, Job.owner == owner, Job.state.in_(("queued", "running")))
            .values(seq=Job.seq + 1, **outcomes.either(Job.state == "queued", outcomes.cancelled(now), asked))
        )
        job = self._changed(change)
        if job is None:
            job = self.get(owner, job_id)
            if "cancelled" not in (job.state, job.error_code):
                raise Problem(409, "finished", sentence_of("server.finished"))
        return job

    def retry(self, owner: str, job_id: str) -> Job:
        """Queue a failed or cancelled job again, under the same id. Raises Problem 404, 409, 410, 429, 503, 507."""
        kind = KINDS[self.get(owner, job_id).kind]
        check_disk(self._storage, self._settings)
        now = self._clock()
        change = (
            update(Job)
            .where(Job.id == job_id, Job.owner == owner, Job.state.in_(("failed", "cancelled")))
            .values(
                state="queued", lane=kind.first, stage=None, progress=0.0, tries_left=self._settings.max_tries,
                queued_at=now, checkpoint_key=None, cancel_requested_at=None, error_code=None, error_message=None,
                started_at=None, claimed_at=None, finished_at=None, lease_owner=None, lease_until=None,
                expires_at=now + 3600 * self._settings.expiry_hours, seq=Job.seq + 1,
            )
        )  # fmt: skip
        job = self._changed(change, lambda session: check_room(session, self._settings, owner, [kind]))
        if job is None:
            state = self.get(owner, job_id).state
            raise Problem(409, "not_retryable", sentence_of("server.not_retryable", state=state))
        return job

    def follow(
        self, owner: str, job_id: str, kind: Kind, asked: dict[str, Any], key: str | None = None
    ) -> tuple[Job, bool]:
        """Queue a finished job for a kind that follows its own, or one that gets its finishing touch for when that is done;
        asked: what is told of it from the beginning, a `preset` where the kind has an option. Returns the job and whether
        that was asked for already (same idempotency key). Raises Problem 404, 409 (not finished, or under way), 410, 422
        (not possible), 429, 503, 507."""
        job = self.get(owner, job_id)
        known = kind.told(job.facts)
        if key is not None and known.get("key") == key:
            if any(known.get(name) != value for name, value in asked.items()):
                raise mismatch()
            return job, True
        _check_followable(job, kind)
        check_disk(self._storage, self._settings)
        now = self._clock()
        params = job.params | ({kind.option: asked["preset"]} if kind.option else {})
        wish = {"params": params, "seq": Job.seq + 1, "facts": (job.facts or {}) | {kind.name: {**asked, "key": key}},
                "expires_at": now + 3600 * self._settings.expiry_hours}  # fmt: skip
        touched_up = _is_touched_up(job)
        begins = {} if touched_up else {
            "state": "queued", "lane": kind.first, "stage": kind.first, "progress": 0.0, "queued_at": now,
            "tries_left": self._settings.max_tries, "cancel_requested_at": None, "error_code": None,
            "error_message": None, "claimed_at": None, "finished_at": None, "lease_owner": None, "lease_until": None,
        }  # fmt: skip
        states = ("queued", "running") if touched_up else ("done",)
        as_seen = (Job.id == job_id, Job.owner == owner, Job.state.in_(states), Job.lane == job.lane)
        change = update(Job).where(*as_seen, Job.cancel_requested_at.is_(None)).values(**wish, **begins)
        changed = self._changed(change, lambda session: check_room(session, self._settings, owner, [kind]))
        if changed is None:  # somebody was faster
            _check_followable(self.get(owner, job_id), kind)
            raise busy()
        return changed, False

    def share(self, owner: str, job_id: str) -> str:
        """The token of the share link, made when first asked for. Raises Problem 404, 410."""
        change = (
            update(Job)
            .where(Job.id == job_id, Job.owner == owner, Job.state.not_in(GONE))
            .values(share_token=func.coalesce(Job.share_token, secrets.token_urlsafe(24)), seq=Job.seq + 1)
        )
        job = self._changed(change) or self.get(owner, job_id)
        return str(job.share_token)

    def unshare(self, owner: str, job_id: str) -> None:
        """Withdraw the share link. Raises Problem 404, 410."""
        self.get(owner, job_id)
        self._changed(update(Job).where(Job.id == job_id, Job.owner == owner).values(share_token=None, seq=Job.seq + 1))

    def delete(self, owner: str, job_id: str) -> None:
        """Remove the files and everything personal; the row stays so that the address says "gone". Raises Problem 404,
        410."""
        self.get(owner, job_id)
        with self._database.write() as session:
            tombstone(session, job_id, owner, "deleted", self._clock())
        self._storage.delete(job_id)

    def _changed(self, change: Any, check: Callable[[Session], None] | None = None) -> Job | None:
        """The job after a change, if the change found it. check: may raise before, in the same transaction."""
        with self._database.write() as session:
            if check is not None:
                check(session)
            found: Job | None = session.scalar(change.returning(Job), execution_options={"populate_existing": True})
            return found


def _asked(digest: str, params: dict[str, Any], kind: Kind) -> str:
    """What tells one request from another under the same key. Of photos as it was when there was nothing else."""
    of_kind = [] if kind is PHOTO else [kind.name]
    return sha256(json.dumps([digest, params, *of_kind], sort_keys=True).encode()).hexdigest()


def _photo_columns(upload: Upload | None) -> dict[str, Any]:
    if upload is None:
        return {}
    return {"photo_name": upload.name, "photo_width": upload.width, "photo_height": upload.height,
            "focal_35mm": upload.focal_35mm, "photo_facts": upload.facts}  # fmt: skip


def _replayed(session: Session, owner: str, key: str | None, asked: str) -> Job | None:
    if key is None:
        return None
    known = session.scalar(select(Job).where(Job.owner == owner, Job.idempotency_key == key))
    if known is not None and known.request_hash != asked:
        raise mismatch()
    return known if known is None else _present(known)


def tombstone(session: Session, job_id: str, owner: str, state: str, now: float) -> None:
    """Make a tombstone of a job: nothing personal, no files. A worker that still runs it loses its lease's worth."""
    session.execute(
        update(Job)
        .where(Job.id == job_id, Job.owner == owner)
        .values(state=state, title="", params={}, facts=None, share_token=None, error_message=None, focal_35mm=None,
                photo_facts=None, finished_at=func.coalesce(Job.finished_at, now),
                cancel_requested_at=case((Job.state == "running", now), else_=None), seq=Job.seq + 1)
    )  # fmt: skip
    session.execute(Artefact.__table__.delete().where(Artefact.job_id == job_id))  # type: ignore[attr-defined]


def _present(job: Job | None) -> Job:
    if job is None:
        raise not_found()
    if job.state in GONE:
        raise gone()
    return job


def mismatch() -> Problem:
    """Of a key that comes with another request than before."""
    return Problem(409, "idempotency_mismatch", sentence_of("server.idempotency_mismatch"))


def _check_followable(job: Job, kind: Kind) -> None:
    """Raises Problem 409 or 422."""
    if kind.follows != job.kind:
        raise Problem(422, "not_possible", sentence_of("server.not_possible"))
    if kind_at(job.lane) is kind and job.state != "done":
        raise Problem(409, "under_way", kind.message("under_way").text(book()))
    if job.state != "done" and kind.wanted(job.params):
        raise Problem(409, "under_way", kind.message("under_way").text(book()))
    if job.state != "done" and not _is_touched_up(job):
        raise Problem(409, "not_finished", kind.message("not_finished", state=job.state).text(book()))
    if refused := kind.refusal(job.facts or {}):
        raise Problem(422, *refused)


def _is_touched_up(job: Job) -> bool:
    """Whether all that matters is there, and a finishing touch waits or is made."""
    return job.state in ("queued", "running") and lanes()[job.lane].touch and job.cancel_requested_at is None


def _alike(kind: Kind, one: Job, other: Row[Any]) -> bool:
    """Whether two jobs of a kind take about as long."""
    size = _pixels(one) / _pixels(other)
    return 0.5 <= size <= 2 and all(one.params.get(name) == other.params.get(name) for name in kind.alike)


def _pixels(job: Job | Row[Any]) -> int:
    """Of the photo; 1 of a kind that has none."""
    return (job.photo_width or 1) * (job.photo_height or 1)


def _seconds_from(kind: Kind, lane: str, ended: Row[Any]) -> float:
    """What the stages of a lane and of those after it took."""
    seconds, names = (ended.facts or {}).get("seconds", {}), [one.name for one in kind.lanes]
    to_come = kind.lanes[names.index(lane) :]
    return float(sum(seconds.get(stage, 0.0) for one in to_come for stage in one.stages))
