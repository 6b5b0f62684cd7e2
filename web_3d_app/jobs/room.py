"""Whether there is room for one more job: on the disk, in the queue, for this visitor."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import REFINE, Job
from web_3d_app.problems import Problem, busy
from web_3d_app.settings import Settings


def check_disk(storage: Storage, settings: Settings) -> None:
    """Raises Problem 507."""
    free = storage.free_bytes()
    if free is not None and free < settings.min_free_mib * 2**20:
        raise Problem(507, "disk_full", "The server's disk is nearly full; try again later.")


def check_room(session: Session, settings: Settings, owner: str, photo: bool = True, refinement: bool = False) -> None:
    """Raises Problem: 503 too many waiting, 429 too many of this owner. Refinements that wait keep no photo out. Exact
    where the session is the writing one that then adds the job: there is one writer at a time."""
    in_work = (Job.owner == owner, Job.state.in_(("queued", "running")))
    to_refine = or_(Job.lane == REFINE, Job.params["refine"].as_string().in_(("quick", "full")))

    def count(*which: Any) -> int:
        return session.scalar(select(func.count()).select_from(Job).where(*which)) or 0

    if photo and count(Job.state == "queued", Job.lane != REFINE) >= settings.max_queued:
        raise busy("Too many photos wait already; try again in a minute.", "queue_full")
    if refinement and count(Job.state == "queued", Job.lane == REFINE) >= settings.max_refinements:
        raise busy("Too many models wait to be made better; try again later.", "queue_full")
    if (mine := count(*in_work)) >= settings.max_queued_each:
        raise Problem(429, "quota", f"You have {mine} photos in work; wait for one or cancel it.", retry_after=10)
    if refinement and (mine := count(*in_work, to_refine)) >= settings.max_refinements_each:
        told = f"You have {mine} models being made better; wait for one or stop it."
        raise Problem(429, "quota", told, retry_after=60)
