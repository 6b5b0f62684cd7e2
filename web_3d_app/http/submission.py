"""A request with a photo, or with a job whose photo is stored, becomes a job; the same for the form and the API."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import current_app, request
from marshmallow import ValidationError

from web_3d_app.http.forms import FILM_FIELD, PHOTO_FIELD, no_file_name
from web_3d_app.http.options import SAMPLES, sample_names, schema_of
from web_3d_app.jobs.decoder import FilmFacts, Kept
from web_3d_app.jobs.tables import Job
from web_3d_app.jobs.uploads import Upload, digest_of, film_upload, kept_upload
from web_3d_app.kinds import KINDS, beginning, followers
from web_3d_app.kinds.base import OFF, Kind
from web_3d_app.kinds.film import FILM
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.phrasebook import sentence_of
from web_3d_app.problems import Problem, gone
from web_3d_app.services import services

LONGEST_KEY = 64


def take(owner: str) -> tuple[Job, bool]:
    """Check the request, keep the photo if the kind has one, queue the job and ring; returns it and whether it was there
    already. Raises Problem: 400 no photo, 409, 413, 415, 422, 429, 503, 507."""
    kind = _asked_kind()
    params, key, jobs = checked_params(kind, request.form), idempotency_key(), services().jobs
    job, replayed = (
        _photo_job(owner, params, key, kind) if kind.photo else jobs.create(owner, None, params, key, kind=kind)
    )
    if not replayed:
        services().engine.notify(job.id)
    return job, replayed


def _asked_kind(usual: str = PHOTO.name) -> Kind:
    """The kind that a request names, else (left out or empty) the usual one. Raises Problem 422."""
    name = request.form.get("kind") or usual
    known = [one for one in beginning() if not KINDS[one].film]
    if name not in known:
        raise Problem(422, "invalid", sentence_of("server.no_such_kind"), kind=[f"one of {', '.join(known)}"])
    return KINDS[name]


def _photo_job(owner: str, params: dict[str, Any], key: str | None, kind: Kind) -> tuple[Job, bool]:
    """Nothing is decoded for a visitor for whom there is no room."""
    parts = services()
    source, file_name = _sent()
    digest = digest_of(source)
    if known := parts.jobs.admit(owner, digest, params, key, kind):
        return known, True

    def decode(*task: Any) -> Kept:
        return parts.decoders.decode((owner, request.remote_addr or ""), *task)

    with _folder() as folder:
        upload = kept_upload(source, folder / "photo", file_name, digest, parts.jobs.limits, decode)
        return parts.jobs.create(owner, upload, params, key, kind=kind)


def take_film(owner: str) -> tuple[Job, bool]:
    """The same for a film, which is only looked at here: it is kept as it came. Raises Problem: 400 no film, 409, 413, 415,
    422, 429, 503, 507."""
    parts, kind, key = services(), FILM, idempotency_key()
    source, file_name = _sent_film()
    params, digest = checked_params(kind, request.form), digest_of(source)
    if known := parts.jobs.admit(owner, digest, params, key, kind):
        return known, True

    def look(path: Path) -> FilmFacts:
        return parts.decoders.look((owner, request.remote_addr or ""), path)

    with source.open("rb") as data:
        upload = film_upload(data, source, file_name, digest, parts.settings, look)
        job, replayed = parts.jobs.create(owner, upload, params, key, kind=kind)
    if not replayed:
        parts.engine.notify(job.id)
    return job, replayed


def _sent_film() -> tuple[Path, str]:
    """The file of the request's film, and its name. Raises Problem 400."""
    file = request.files.get(FILM_FIELD)
    if file is None or not file.filename:
        raise Problem(400, "bad_request", sentence_of("server.no_film"))
    file.stream.flush()
    return Path(file.stream.name), file.filename


def take_again(owner: str, job_id: str) -> tuple[Job, bool]:
    """Queue the stored photo of a job once more, with the options that the request changes, and ring; returns the new job
    and whether it was there already. The first one stays, and the photo is copied: each can be deleted alone.

    Raises Problem: 404, 409, 410, 422, 429, 503, 507."""
    jobs, key = services().jobs, idempotency_key()
    first = jobs.get(owner, job_id)
    kind = _asked_kind(first.kind)
    if kind.photo and KINDS[first.kind].film:
        raise Problem(422, "not_possible", sentence_of("server.not_possible"))
    asked_later = {other.option: OFF for other in followers(kind) if other.option}
    params = checked_params(
        kind, request.form, (first.params | asked_later) if kind.name == first.kind else asked_later
    )
    with _stored(first) as upload:
        job, replayed = jobs.create(owner, upload, params, key, first.origin_id or first.id, kind)
    if not replayed:
        services().engine.notify(job.id)
    return job, replayed


@contextmanager
def _stored(job: Job) -> Iterator[Upload | None]:
    """The upload of a job as it was kept, open: many may be copied at a time, so none is held in memory. None of a kind
    without a photo."""
    if job.photo_name is None or job.photo_width is None or job.photo_height is None:
        yield None
        return
    photo = services().jobs.upload(job)
    if photo is None:  # deleted between two looks
        raise gone()
    try:
        data = services().storage.open(photo.key)
    except FileNotFoundError:
        raise gone() from None
    with data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()  # type: ignore[arg-type]  # typeshed's BinaryIO lacks readinto
        data.seek(0)
        yield Upload(data, job.photo_name, job.title, job.photo_width, job.photo_height, job.focal_35mm, digest,
                     facts=job.photo_facts)  # fmt: skip


def checked_params(kind: Kind, form: Any, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options of a kind that a form gives; what it leaves out is as `before`, else the default. Raises Problem 422,
    with a list of sentences per field."""
    try:
        found: dict[str, Any] = schema_of(kind)().load({**(before or {}), **form.to_dict()})
    except ValidationError as error:
        told = error.normalized_messages()
        names = ", ".join(sorted(told))
        raise Problem(422, "invalid", sentence_of("server.out_of_bounds", names=names), **told) from None
    return {name: found[name] for name in sorted(found)}


def idempotency_key() -> str | None:
    """The request's, if it has one. Raises Problem 400."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Problem(400, "bad_request", sentence_of("server.idempotency_key", longest=LONGEST_KEY))
    return key


def _sent() -> tuple[Path, str]:
    """The file of the request's photo, and its name. Raises Problem 400, 422."""
    file, sample = request.files.get(PHOTO_FIELD), request.form.get("sample", "")
    if len(sent := [file for file in request.files.getlist(PHOTO_FIELD) if file.filename]) > 1:
        raise Problem(400, "many_photos", sentence_of("server.many_photos", count=len(sent)))
    if request.form.get(PHOTO_FIELD):
        raise no_file_name()
    if file is not None and file.filename:
        file.stream.flush()
        return Path(file.stream.name), file.filename
    if sample and sample not in sample_names():
        raise Problem(
            422, "invalid", sentence_of("server.no_such_sample"), sample=[f"one of {', '.join(sample_names())}"]
        )
    if sample:
        return SAMPLES / f"{sample}.jpg", f"{sample}.jpg"
    raise Problem(400, "bad_request", sentence_of("server.no_photo"))


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for what is made of the upload, until it is in the store."""
    spool = Path(current_app.config["SPOOL"])
    spool.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=spool) as folder:
        yield Path(folder)
