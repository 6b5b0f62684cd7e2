"""Jobs as JSON: for the API, event streams and pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import url_for

from web_3d_app.jobs.tables import FINAL, Artefact, Job
from web_3d_app.kinds import KINDS, kind_at
from web_3d_app.kinds.base import Kind
from web_3d_app.phrasebook import from_text, told
from web_3d_app.services import services


def job_json(job: Job, shared: bool = False) -> dict[str, Any]:
    """One job for its owner, or as its share link shows it."""
    return jobs_json([job], shared)[0]


def jobs_json(jobs: Sequence[Job], shared: bool = False) -> list[dict[str, Any]]:
    """Several jobs, their files read at once."""
    files = services().jobs.artefacts(jobs)
    return [_one(job, files[job.id], shared) for job in jobs]


def download_name(job: Job, artefact: Artefact) -> str:
    """What a saved file is called: coffee-mesh.glb."""
    return f"{job.title}-{artefact.name.replace('_obj.zip', '-obj.zip')}"


def version(artefact: Artefact) -> str:
    """Another one for whatever takes its place under its name."""
    return f"{artefact.attempt}.{artefact.position}"


def _one(job: Job, files: list[Artefact], shared: bool) -> dict[str, Any]:
    own, now_at = KINDS[job.kind], kind_at(job.lane)
    later = [other for other in KINDS.values() if other.follows]
    names = {other.name for other in later}
    where = {"token": job.share_token} if shared else {"job_id": job.id}
    kind = "shared" if shared else "job"
    links: dict[str, str | None] = {
        "page": url_for("pages.shared" if shared else "pages.job", **where),
        "self": url_for(f"api.{kind}", **where),
        "events": url_for(f"api.{kind}_events", **where),
        "zip": url_for(f"api.{kind}_zip", **where),
    }
    for name in ("cancel", "retry", "refine", "share", "again", "results", "convert"):
        links[name] = None if shared else url_for(f"api.{name}", **where)
    link = None if shared or not job.share_token else url_for("pages.shared", token=job.share_token, _external=True)
    return {
        "id": job.share_token if shared else job.id,
        "kind": job.kind,
        "title": job.title,
        "state": "running" if job.state == "queued" and job.lane != own.first else job.state,  # it has begun
        "lane": job.lane,
        "stage": job.stage,
        "progress": round(job.progress, 3),
        "seq": job.seq,
        "attempt": job.attempt,
        "queue_position": services().jobs.queue_position(job),
        "eta_s": services().jobs.seconds_left(job),
        "cancel_requested": job.cancel_requested_at is not None,
        "created_at": _iso(job.created_at),
        "started_at": _iso(job.started_at),
        "finished_at": _iso(job.finished_at),
        "expires_at": _iso(job.expires_at),
        "params": job.params,
        "origin": None if shared else job.origin_id,
        "photo": _photo(job),
        "error": None if now_at.follows else _error(job, shared),
        "facts": job.facts and _facts({name: value for name, value in job.facts.items() if name not in names}, shared),
        **{other.name: _follower(job, other, shared) for other in later},
        "artefacts": [_file(job, file, f"api.{kind}_artefact", where) for file in files],
        "links": links,
        "share_url": link,
    }


def _error(job: Job, shared: bool) -> dict[str, Any] | None:
    return {"code": job.error_code, "message": from_text(job.error_message or "", shared)} if job.error_code else None


def _facts(facts: dict[str, Any], shared: bool) -> dict[str, Any]:
    """What is known of the result, in words for people."""
    return facts | ({"warnings": _in_words(facts["warnings"], shared)} if "warnings" in facts else {})


def _in_words(stored: list[Any] | None, shared: bool) -> list[str] | None:
    return stored and [told(message, shared) for message in stored]


def _photo(job: Job) -> dict[str, Any] | None:
    """None of a kind that has none."""
    if job.photo_name is None:
        return None
    return {"width": job.photo_width, "height": job.photo_height, "focal_35mm": job.focal_35mm}


def _follower(job: Job, kind: Kind, shared: bool) -> dict[str, Any] | None:
    """How a kind fares that was asked to follow a job's own; None if it was not."""
    if not kind.begun(job.params, job.facts):
        return None
    known = {**kind.tells, **kind.told(job.facts)}
    return {
        **({"preset": job.params[kind.option]} if kind.option else {}),
        "state": _state_of(job, kind),
        **{name: _in_words(known[name], shared) if name in kind.messages else known[name] for name in kind.tells},
        "error": _error(job, shared) if kind_at(job.lane) is kind else None,
    }


def _state_of(job: Job, kind: Kind) -> str:
    """planned (what it follows is not done), waiting, running, done, failed or cancelled."""
    there = kind_at(job.lane) is kind
    if job.state not in FINAL:
        return "planned" if not there else "waiting" if job.state == "queued" else "running"
    if there and job.error_code is None:
        return "done"
    return "cancelled" if not there or job.error_code == "cancelled" else "failed"


def _file(job: Job, file: Artefact, endpoint: str, where: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": file.name,
        "kind": file.kind,
        "format": file.name.rpartition(".")[2],
        "media_type": file.media_type,
        "bytes": file.bytes,
        "url": url_for(endpoint, **where, name=file.name, v=version(file)),
        "download": download_name(job, file),
    }


def _iso(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
