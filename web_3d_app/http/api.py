"""The JSON API under /api/v1. Views are thin: who asks, what is asked, which service answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Response, jsonify, request, url_for
from flask_smorest import Blueprint

from web_3d_app.http import schemas
from web_3d_app.http.downloads import send_artefact, send_zip, send_zip_of_several
from web_3d_app.http.events import send_events
from web_3d_app.http.identity import new_token, visitor
from web_3d_app.http.job_json import job_json, jobs_json
from web_3d_app.http.options import options as all_options
from web_3d_app.http.submission import checked_params, idempotency_key, take, take_again, take_film
from web_3d_app.jobs.tables import Job
from web_3d_app.kinds.film import CONVERSION
from web_3d_app.kinds.refinement import REFINEMENT
from web_3d_app.services import services

View = TypeVar("View", bound=Callable[..., Any])
api = Blueprint("api", __name__, url_prefix="/api/v1", description="One photo in, a 3D model out.")
EVENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "the job's seq"},
        "event": {"type": "string", "enum": ["job"]},
        "data": {"type": "string", "description": "a Job as JSON"},
    },
}
PUBLIC: dict[str, Any] = {"security": []}
"""Needs no token."""
for_visitors = api.alt_response(401, schema=schemas.ErrorSchema, description="no token, or one that is not known")
KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "maxLength": 64, "pattern": "^[!-~]([ -~]*[!-~])?$"},
}
BINARY = {"type": "string", "format": "binary"}
USED_KEY = "the key was used for another request"
MAKING = {429: "too many requests or jobs", 503: "too many jobs wait", 507: "the disk is full"}
SENDING = {409: USED_KEY, 413: "too many bytes", 422: "an option out of bounds, or a damaged photo"}
"""Why work, and what is sent for it, is refused, by the status."""


def refused_with(whys: Mapping[int, str]) -> Callable[[View], View]:
    """The document's word for each status with which a view may refuse."""

    def told(view: View) -> View:
        for status, why in sorted(whys.items(), reverse=True):
            view = api.alt_response(status, schema=schemas.ErrorSchema, description=why)(view)
        return view

    return told


@api.route("/visitors", methods=["POST"])
@api.doc(**PUBLIC)
@api.response(201, schemas.TokenSchema)
def visitors() -> dict[str, str]:
    """A token for a program, to be sent as `Authorization: Bearer <token>`; its jobs are seen with it only."""
    return {"token": new_token()}


@api.route("/options", methods=["GET"])
@api.doc(**PUBLIC)
@api.response(200)
def options() -> Response:
    """What can be chosen: options, bounds, depth models, samples."""
    return _answer(all_options(services().settings))


@api.route("/jobs", methods=["POST"])
@for_visitors
@api.doc(
    requestBody={
        "content": {
            "multipart/form-data": {
                "schema": {"allOf": [{"$ref": "#/components/schemas/Create"}, {"$ref": "#/components/schemas/Upload"}]}
            }
        }
    },
    parameters=[KEY],
)
@api.response(202, schemas.JobSchema)
@refused_with(MAKING | SENDING | {400: "no photo came, or a key that is none", 415: "no photo"})
def create() -> Response:
    """Send a photo, or name a sample, with options; `kind=stereo` makes both eyes' pictures of it instead of a model."""
    return _created(*take(visitor()))


@api.route("/films", methods=["POST"])
@for_visitors
@api.doc(
    requestBody={"content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/FilmUpload"}}}},
    parameters=[KEY],
)
@api.response(202, schemas.JobSchema)
@refused_with(
    MAKING | SENDING | {400: "no film came, or a key that is none", 415: "no film", 422: "too long, or a damaged film"}
)
def create_film() -> Response:
    """Send a film: a job that looks at some of its frames and can then be converted (`links.convert`)."""
    return _created(*take_film(visitor()))


@api.route("/jobs", methods=["GET"])
@for_visitors
@api.arguments(schemas.PageQuerySchema, location="query")
@api.response(200, schemas.JobsSchema)
def jobs(query: dict[str, Any]) -> Response:
    """One's own jobs, newest first, or those that are named."""
    if query["ids"]:
        return _answer({"jobs": jobs_json(services().jobs.several(visitor(), query["ids"].split(","))), "next": None})
    found = list(services().jobs.newest(visitor(), query["limit"] + 1, query["before"]))
    page = found[: query["limit"]]
    more = url_for("api.jobs", limit=query["limit"], before=page[-1].id) if len(found) > len(page) else None
    return _answer({"jobs": jobs_json(page), "next": more})


@api.route("/jobs/<job_id>", methods=["GET"])
@for_visitors
@api.response(200, schemas.JobSchema)
@api.alt_response(304, description="unchanged")
@api.alt_response(404, schema=schemas.ErrorSchema, description="unknown, or someone else's")
@api.alt_response(410, schema=schemas.ErrorSchema, description="deleted or expired")
def job(job_id: str) -> Response:
    """Where a job stands."""
    return _answer(job_json(services().jobs.get(visitor(), job_id)))


@api.route("/jobs/<job_id>", methods=["DELETE"])
@for_visitors
@api.response(204)
def delete(job_id: str) -> None:
    """Remove a job with all its files."""
    services().jobs.delete(visitor(), job_id)
    services().engine.kill(job_id)


@api.route("/jobs/<job_id>/cancel", methods=["POST"])
@for_visitors
@api.response(200, schemas.JobSchema)
@api.alt_response(409, schema=schemas.ErrorSchema, description="it has finished")
def cancel(job_id: str) -> Response:
    """Stop a job; again is no error. While a better mesh is made, only that stops, and the job is done without it."""
    found = services().jobs.cancel(visitor(), job_id)
    services().engine.kill(job_id)
    return jsonify(job_json(found))


@api.route("/jobs/<job_id>/retry", methods=["POST"])
@for_visitors
@api.response(202, schemas.JobSchema)
@api.alt_response(409, schema=schemas.ErrorSchema, description="it neither failed nor was cancelled")
def retry(job_id: str) -> tuple[Response, int]:
    """Try a failed or cancelled job again."""
    found = services().jobs.retry(visitor(), job_id)
    services().engine.notify(job_id)
    return jsonify(job_json(found)), 202


@api.route("/jobs/<job_id>/again", methods=["POST"])
@for_visitors
@api.doc(
    requestBody={"content": {"application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/Again"}}}},
    parameters=[KEY],
)
@api.response(202, schemas.JobSchema)
@refused_with(MAKING | {409: USED_KEY, 422: "an option out of its bounds"})
def again(job_id: str) -> Response:
    """Make another model of a job's stored photo, with the options that change; what is left out stays as it was there,
    but for `refine`, which is off unless it is asked for. `kind=stereo` makes both eyes' pictures. The job itself stays;
    the new one counts like an upload."""
    return _created(*take_again(visitor(), job_id))


@api.route("/jobs/<job_id>/results", methods=["GET"])
@for_visitors
@api.response(200, schemas.ResultsSchema)
@api.alt_response(404, schema=schemas.ErrorSchema, description="unknown, or someone else's")
def results(job_id: str) -> Response:
    """All jobs of one upload, this one among them, the first one first."""
    owner = visitor()
    return _answer({"jobs": jobs_json(services().jobs.family(owner, services().jobs.get(owner, job_id)))})


@api.route("/jobs/<job_id>/refinement", methods=["POST"])
@for_visitors
@api.doc(parameters=[KEY])
@api.arguments(schemas.RefineSchema, location="form")
@api.response(202, schemas.JobSchema)
@refused_with(
    MAKING | {409: "it has not finished, or this is under way already", 422: "the photo has no single subject"}
)
def refine(form: dict[str, Any], job_id: str) -> Response:
    """Make a better mesh of a finished job's subject, in minutes; the job goes on, and its files stay."""
    found, replayed = services().jobs.follow(
        visitor(), job_id, REFINEMENT, {"preset": form["preset"]}, idempotency_key()
    )
    if not replayed:
        services().engine.notify(job_id)
    return _accepted(found, replayed)


@api.route("/jobs/<job_id>/conversion", methods=["POST"])
@for_visitors
@api.doc(
    requestBody={
        "content": {"application/x-www-form-urlencoded": {"schema": {"$ref": "#/components/schemas/Convert"}}}
    },
    parameters=[KEY],
)
@api.response(202, schemas.JobSchema)
@refused_with(
    MAKING
    | {409: "it was not looked at yet, or this is under way already", 422: "an option out of its bounds, or no film"}
)
def convert(job_id: str) -> Response:
    """Make both eyes' views of all of a film; the job goes on, and what was made before stays."""
    asked = checked_params(CONVERSION, request.form)
    found, replayed = services().jobs.follow(visitor(), job_id, CONVERSION, asked, idempotency_key())
    if not replayed:
        services().engine.notify(job_id)
    return _accepted(found, replayed)


@api.route("/jobs/<job_id>/share", methods=["POST"])
@for_visitors
@api.response(201, schemas.ShareSchema)
def share(job_id: str) -> dict[str, str]:
    """A link that shows this job to whoever has it; the same one when asked again."""
    token = services().jobs.share(visitor(), job_id)
    return {"url": url_for("pages.shared", token=token, _external=True)}


@api.route("/jobs/<job_id>/share", methods=["DELETE"])
@for_visitors
@api.response(204)
def unshare(job_id: str) -> None:
    """Withdraw the link."""
    services().jobs.unshare(visitor(), job_id)


@api.route("/jobs/<job_id>/events", methods=["GET"])
@for_visitors
@api.response(200, EVENT, content_type="text/event-stream")
@api.alt_response(503, schema=schemas.ErrorSchema, description="too many streams; poll instead")
def job_events(job_id: str) -> Response:
    """Server-sent events: the job at each change."""
    owner = visitor()
    return send_events(lambda: services().jobs.get(owner, job_id))


@api.route("/jobs/<job_id>/artefacts/<name>", methods=["GET"])
@for_visitors
@api.response(200, BINARY, content_type="*/*")
@api.alt_response(206, description="a range of it")
def job_artefact(job_id: str, name: str) -> Response:
    """One file."""
    return send_artefact(services().jobs.get(visitor(), job_id), name)


@api.route("/jobs/<job_id>/zip", methods=["GET"])
@for_visitors
@api.response(200, BINARY, content_type="application/zip")
def job_zip(job_id: str) -> Response:
    """All files so far."""
    return send_zip(services().jobs.get(visitor(), job_id))


@api.route("/zip", methods=["GET"])
@for_visitors
@api.arguments(schemas.ZipQuerySchema, location="query")
@api.response(200, BINARY, content_type="application/zip")
@api.alt_response(404, schema=schemas.ErrorSchema, description="none of them has a model yet")
def several_zip(query: dict[str, Any]) -> Response:
    """The best model (GLB) so far of each of several jobs, or all files, in a folder for each."""
    jobs = services().jobs.several(visitor(), query["ids"].split(","))
    return send_zip_of_several(jobs, query["files"] == "all")


@api.route("/shared/<token>", methods=["GET"])
@api.doc(**PUBLIC)
@api.response(200, schemas.JobSchema)
def shared(token: str) -> Response:
    """A shared job, to look at only."""
    return _answer(job_json(services().jobs.by_share(token), shared=True))


@api.route("/shared/<token>/events", methods=["GET"])
@api.doc(**PUBLIC)
@api.response(200, EVENT, content_type="text/event-stream")
def shared_events(token: str) -> Response:
    """Its events."""
    return send_events(lambda: services().jobs.by_share(token), shared=True)


@api.route("/shared/<token>/artefacts/<name>", methods=["GET"])
@api.doc(**PUBLIC)
@api.response(200, BINARY, content_type="*/*")
def shared_artefact(token: str, name: str) -> Response:
    """One of its files."""
    return send_artefact(services().jobs.by_share(token), name)


@api.route("/shared/<token>/zip", methods=["GET"])
@api.doc(**PUBLIC)
@api.response(200, BINARY, content_type="application/zip")
def shared_zip(token: str) -> Response:
    """All of its files."""
    return send_zip(services().jobs.by_share(token))


def _accepted(job: Job, replayed: bool) -> Response:
    """202, and whether the same was asked for before."""
    response = jsonify(job_json(job))
    response.status_code = 202
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _created(job: Job, replayed: bool) -> Response:
    """The same of a job that has its own address."""
    response = _accepted(job, replayed)
    response.headers["Location"] = url_for("api.job", job_id=job.id)
    return response


def _answer(body: dict[str, Any]) -> Response:
    """JSON with an ETag, or 304."""
    response = jsonify(body)
    response.add_etag()
    response.headers["Cache-Control"] = "private, no-cache"
    response.make_conditional(request.environ)
    return response
