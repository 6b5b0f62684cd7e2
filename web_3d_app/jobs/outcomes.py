"""How jobs end: values for a job's row.

In the refine lane every end keeps what the other lanes made: the job is done, and its error says why there is no better
mesh.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, case, func

from web_3d_app.jobs.tables import REFINE, Job

STOPPED = "It was stopped."
POISONED = "The server's worker broke down each time it worked on this photo; try a smaller one or other options."
TOO_LONG = "This photo took too long; try a smaller one or other options."
REFINE_POISONED = "The server broke down each time it tried this."
REFINE_TOO_LONG = "This took too long on this server; try it quickly."
REFINING = Job.lane == REFINE
WANTED = Job.cancel_requested_at.is_(None)
LET_GO: dict[str, Any] = {"stage": None, "checkpoint_key": None}
Values = dict[str, Any]


def done(now: float) -> Values:
    """With everything that was asked for."""
    return {**LET_GO, "state": "done", "progress": 1.0, "error_code": None, "error_message": None,
            "cancel_requested_at": None, "finished_at": now}  # fmt: skip


def cancelled(now: float, refining: ColumnElement[bool] = REFINING) -> Values:
    """As the person asked."""
    return {**LET_GO, "state": case((refining, "done"), else_="cancelled"),
            "progress": case((refining, 1.0), else_=Job.progress),
            "error_code": case((refining, "cancelled"), else_=None),
            "error_message": case((refining, STOPPED), else_=None),
            "cancel_requested_at": case((refining, None), else_=func.coalesce(Job.cancel_requested_at, now)),
            "finished_at": now}  # fmt: skip


def failed(now: float, code: str, message: str, refining_message: str | None = None) -> Values:
    """For good, with a word for programs and a sentence for people."""
    told = message if refining_message is None else case((REFINING, refining_message), else_=message)
    return {**LET_GO, "state": case((REFINING, "done"), else_="failed"),
            "progress": case((REFINING, 1.0), else_=Job.progress),
            "error_code": code, "error_message": told,
            "cancel_requested_at": case((REFINING, None), else_=Job.cancel_requested_at), "finished_at": now}  # fmt: skip


def either(which: ColumnElement[bool], one: Values, other: Values) -> Values:
    """The values of `one` where that holds, else those of `other`; a column that one of them leaves out stays as it is."""
    pairs = {name: (one.get(name, getattr(Job, name)), other.get(name, getattr(Job, name))) for name in one | other}
    return {name: a if a is b else case((which, a), else_=b) for name, (a, b) in pairs.items()}
