"""How jobs end: values for a job's row.

In the lanes of a kind that follows another, every end keeps what was made before: the job is done, and its error says why
that did not come about.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func

from web_3d_app.jobs.tables import Job
from web_3d_app.kinds import KINDS, following_lanes
from web_3d_app.kinds.base import Kind
from web_3d_app.phrasebook import as_text

TIMEOUT = "timeout"
"""The error's word of a try that took too long."""
WANTED = Job.cancel_requested_at.is_(None)
LET_GO: dict[str, Any] = {"stage": None, "checkpoint_key": None}
Values = dict[str, Any]


def follows() -> ColumnElement[bool]:
    """Whether a job is in a lane of a kind that follows another."""
    return Job.lane.in_(following_lanes())


def said(what: str) -> ColumnElement[str]:
    """What people are told of the kind that a job is at; what: one of `Sentences`."""
    told = {lane.name: as_text(kind.message(what)) for kind in KINDS.values() for lane in kind.lanes}
    return case(told, value=Job.lane, else_="")


def queued(lane: str, checkpoint_key: str | None) -> Values:
    """For another lane, with what that needs."""
    return {"state": "queued", "lane": lane, "stage": lane, "tries_left": Job.tries_left + 1, "finished_at": None,
            "checkpoint_key": checkpoint_key}  # fmt: skip


def done(now: float) -> Values:
    """With everything that was asked for."""
    return {**LET_GO, "state": "done", "progress": 1.0, "error_code": None, "error_message": None,
            "cancel_requested_at": None, "finished_at": now}  # fmt: skip


def cancelled(now: float) -> Values:
    """As the person asked."""
    return {**LET_GO, "state": case((follows(), "done"), else_="cancelled"),
            "progress": case((follows(), 1.0), else_=Job.progress),
            "error_code": case((follows(), "cancelled"), else_=None),
            "error_message": case((follows(), said("stopped")), else_=None),
            "cancel_requested_at": case((follows(), None), else_=func.coalesce(Job.cancel_requested_at, now)),
            "finished_at": now}  # fmt: skip


def not_followed(now: float, follower: Kind) -> Values:
    """Done, and cancelled just before a kind was to follow."""
    told = as_text(follower.message("stopped"))
    return {**done(now), "lane": follower.first, "error_code": "cancelled", "error_message": told}


def failed(now: float, code: str, message: str | ColumnElement[str]) -> Values:
    """For good, with a word for programs and a sentence for people."""
    return {**LET_GO, "state": case((follows(), "done"), else_="failed"),
            "progress": case((follows(), 1.0), else_=Job.progress),
            "error_code": code, "error_message": message,
            "cancel_requested_at": case((follows(), None), else_=Job.cancel_requested_at), "finished_at": now}  # fmt: skip


def either(which: ColumnElement[bool], one: Values, other: Values) -> Values:
    """The values of `one` where that holds, else those of `other`; a column that one of them leaves out stays as it is."""
    pairs = {name: (one.get(name, getattr(Job, name)), other.get(name, getattr(Job, name))) for name in one | other}
    return {name: a if a is b else case((which, a), else_=b) for name, (a, b) in pairs.items()}
