"""The tables. Times are seconds since 1970 (UTC) by the wall clock of who wrote them: they say when something was, and
nothing is decided by comparing them (see `clock`) but the order of those who wait and, with a guard, the end of a job's
time. Progress goes from 0 to 1.

A job's states: queued → running → done | failed | cancelled; then deleted or expired, which keep the row (so that its
address can say "gone") and nothing else.

A job goes through the lanes of its kind (see `kinds`): it is queued for each and runs in each. When it is done, it may go
on to, or later come back for, a kind that follows its own. Whatever ends there, the job is done: what its own lanes made
stays. error_code and error_message then say why what follows did not come about; facts, under the name of that kind, how
far it came.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, ColumnElement, Double, ForeignKey, Index, UniqueConstraint, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, mapped_column

FINAL = ("done", "failed", "cancelled")
GONE = ("deleted", "expired")
SKETCH = "sketch"
"""The kind of artefact that shows what is under way; it is gone when that has ended."""
FILM_UPLOAD, PART = "film_upload", "part"
"""Kinds of artefacts that nobody is sent: a film as it came, with all that it says of itself, and a piece of what is made
of it, which is gone when that has ended."""
HIDDEN = (FILM_UPLOAD, PART)
UPLOADS = ("photo", FILM_UPLOAD)
"""Kinds of what a job begins with."""


def for_page_only(kind: str) -> bool:
    """Whether a kind of artefact is a copy for looking at: small models and pictures, and what is under way."""
    return kind == SKETCH or kind.endswith(("_view", "_thumb"))


class Base(DeclarativeBase):
    """Of all tables."""

    type_annotation_map = {float: Double}  # noqa: RUF012  (SQLAlchemy's own way)


class Job(Base):
    """One photo, or whatever its kind begins with, on its way to a model. Written by `service` (what people do) and
    `claims` (what workers do) only.

    seq grows with every visible change; attempt with every claim and never goes back, so that (lease_owner, attempt)
    names one try; tries_left is what remains before the job counts as poisoned. checkpoint_key: what the lane before left
    for this one, or how far an earlier try came. started_at: the first claim; claimed_at: the last. origin_id: of the
    first job that was made of the same upload, which may be gone; None for that one itself. photo_facts: what the upload's
    file said of the photo (see `photo_facts`); None of jobs before it was kept. The photo's columns are None of a kind that
    has none.
    """

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    kind: Mapped[str]
    state: Mapped[str]
    lane: Mapped[str]
    stage: Mapped[str | None]
    progress: Mapped[float]
    seq: Mapped[int]
    title: Mapped[str]
    params: Mapped[dict[str, Any]] = mapped_column(JSON)
    photo_name: Mapped[str | None]
    photo_width: Mapped[int | None]
    photo_height: Mapped[int | None]
    focal_35mm: Mapped[float | None]
    photo_facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    idempotency_key: Mapped[str | None]
    request_hash: Mapped[str]
    attempt: Mapped[int]
    tries_left: Mapped[int]
    lease_owner: Mapped[str | None]
    lease_until: Mapped[float | None]
    cancel_requested_at: Mapped[float | None]
    checkpoint_key: Mapped[str | None]
    error_code: Mapped[str | None]
    error_message: Mapped[str | None]
    origin_id: Mapped[str | None]
    facts: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    share_token: Mapped[str | None] = mapped_column(unique=True)
    created_at: Mapped[float]
    queued_at: Mapped[float]
    started_at: Mapped[float | None]
    claimed_at: Mapped[float | None]
    finished_at: Mapped[float | None]
    expires_at: Mapped[float]

    __table_args__ = (
        UniqueConstraint("owner", "idempotency_key", name="uq_jobs_idempotency"),
        Index("ix_jobs_queue", "lane", "state", "queued_at"),
        Index("ix_jobs_owner", "owner", "created_at"),
        Index("ix_jobs_expiry", "expires_at"),
        Index("ix_jobs_origin", "origin_id"),
    )


def last_turn() -> ColumnElement[float]:
    """Of a job's owner: when one of their jobs was last begun, 0 for never. Whoever had no turn for the longest is next, so
    that twenty photos of one person keep nobody out."""
    other = aliased(Job)
    return func.coalesce(select(func.max(other.claimed_at)).where(other.owner == Job.owner).scalar_subquery(), 0.0)


class Artefact(Base):
    """One file of a job, visible from the moment that its row is there. key: where storage has it."""

    __tablename__ = "artefacts"

    job_id: Mapped[str] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    media_type: Mapped[str]
    bytes: Mapped[int]
    key: Mapped[str]
    attempt: Mapped[int]
    position: Mapped[int]


class WorkerRow(Base):
    """A worker process and its last sign of life. stopped: whoever supervises it sees that it stands still."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(primary_key=True)
    crew: Mapped[str]
    pid: Mapped[int]
    warm: Mapped[bool]
    stopped: Mapped[bool]
    heartbeat_at: Mapped[float]


class KeeperRow(Base):
    """The clocks as the housekeeping last saw them; see `housekeeping`. boot: which start of the machine since_boot
    counts from."""

    __tablename__ = "keeper"

    name: Mapped[str] = mapped_column(primary_key=True)
    wall: Mapped[float]
    since_boot: Mapped[float]
    boot: Mapped[str]


class Election(Base):
    """Who holds an office that one process has at a time, None for nobody; term grows whenever it is taken or kept."""

    __tablename__ = "elections"

    office: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str | None]
    term: Mapped[int]
