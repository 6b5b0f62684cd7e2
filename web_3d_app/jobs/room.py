"""Whether there is room for one more job: on the disk, in the queue, for this visitor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import Job
from web_3d_app.kinds import KINDS
from web_3d_app.kinds.base import OFF, USUAL, Kind
from web_3d_app.phrasebook import book, sentence_of
from web_3d_app.problems import Problem, busy
from web_3d_app.settings import Settings


def check_disk(storage: Storage, settings: Settings) -> None:
    """Raises Problem 507."""
    free = storage.free_bytes()
    if free is not None and free < settings.min_free_mib * 2**20:
        raise Problem(507, "disk_full", sentence_of("server.disk_nearly_full"))


def check_room(session: Session, settings: Settings, owner: str, kinds: Sequence[Kind]) -> None:
    """Raises Problem: 503 too many waiting, 429 too many of this owner. kinds: those that the job is to be queued for, now
    or later; one that has bounds of its own keeps no other out. Exact where the session is the writing one that then
    adds the job: there is one writer at a time."""
    in_work = (Job.owner == owner, Job.state.in_(("queued", "running")))

    def count(*which: Any) -> int:
        return session.scalar(select(func.count()).select_from(Job).where(*which)) or 0

    for kind in kinds:
        if count(Job.state == "queued", Job.lane.in_(_queue(kind))) >= kind.bounds.waiting(settings):
            raise busy(kind.message("queue_full").text(book()), "queue_full")
    if (mine := count(*in_work)) >= USUAL.each(settings):
        raise _quota(_begun_by(kinds[0]), mine)
    for kind in kinds:
        if kind.bounds is not USUAL and (mine := count(*in_work, _asked_for(kind))) >= kind.bounds.each(settings):
            raise _quota(kind, mine)


def _queue(kind: Kind) -> list[str]:
    """The lanes whose jobs wait under the same bound."""
    same = [other for other in KINDS.values() if other.bounds is kind.bounds]
    return [lane.name for other in same for lane in other.lanes]


def _begun_by(kind: Kind) -> Kind:
    return kind if kind.follows is None else _begun_by(KINDS[kind.follows])


def _asked_for(kind: Kind) -> ColumnElement[bool]:
    """Whether a job is at a kind, or is to come to it."""
    there = Job.lane.in_([lane.name for lane in kind.lanes])
    return or_(there, Job.params[kind.option].as_string() != OFF) if kind.option else there


def _quota(kind: Kind, mine: int) -> Problem:
    told = kind.message("quota", mine=mine).text(book())
    return Problem(429, "quota", told, retry_after=kind.bounds.retry_after)
