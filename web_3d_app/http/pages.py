"""The pages. All they show is in the job JSON, so the same template serves the first sight and every later change."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, redirect, render_template, request, send_from_directory, url_for
from flask.typing import ResponseReturnValue

from web_3d_app.http.identity import visitor
from web_3d_app.http.job_json import job_json, jobs_json
from web_3d_app.http.options import SAMPLES, accepted_photos, described, form_fields, sample_names, samples
from web_3d_app.http.submission import take, take_film
from web_3d_app.jobs.tables import Job
from web_3d_app.kinds import KINDS
from web_3d_app.kinds.film import CONVERSION
from web_3d_app.kinds.stereo import STEREO
from web_3d_app.problems import Problem, not_found
from web_3d_app.services import services

pages = Blueprint("pages", __name__)
RECENT, PAGE = 6, 24
MOST_TOGETHER = 100


@pages.get("/")
def index() -> ResponseReturnValue:
    """The page that takes a photo."""
    return _index(visitor())


@pages.post("/jobs")
def create() -> ResponseReturnValue:
    """The form without script."""
    return _created(take)


@pages.post("/films")
def create_film() -> ResponseReturnValue:
    """The form of films without script."""
    return _created(take_film)


@pages.get("/jobs/<job_id>")
def job(job_id: str) -> str:
    """One job, from its first second to its result."""
    owner = visitor()
    found = services().jobs.get(owner, job_id)
    kin = jobs_json([one for one in services().jobs.family(owner, found) if one.kind == found.kind])
    results = [{"job": one, "words": described(one)} for one in kin] if len(kin) > 1 else []
    kind = KINDS[found.kind]
    return render_template(kind.page, job=job_json(found), shared=False, results=results, fields=form_fields(kind),
                           pair=form_fields(STEREO), conversion=form_fields(CONVERSION))  # fmt: skip


@pages.get("/jobs/<job_id>/options")
def again(job_id: str) -> str:
    """The options of another model of the same photo, as a part of its page."""
    found = services().jobs.get(visitor(), job_id)
    return render_template("_again_form.html", job=job_json(found), fields=form_fields(KINDS[found.kind]))


@pages.get("/s/<token>")
def shared(token: str) -> str:
    """A job as its share link shows it."""
    found = services().jobs.by_share(token)
    return render_template(KINDS[found.kind].page, job=job_json(found, shared=True), shared=True)


@pages.get("/history")
def history() -> str:
    """One's own jobs."""
    found = list(services().jobs.newest(visitor(), PAGE + 1, request.args.get("before")))
    shown = found[:PAGE]
    more = url_for("pages.history", before=shown[-1].id) if len(found) > PAGE else None
    return render_template("history.html", jobs=jobs_json(shown), next=more)


@pages.get("/gallery")
def gallery() -> str:
    """Several jobs together: those of `ids`, with commas between them."""
    ids = request.args.get("ids", "").split(",")[:MOST_TOGETHER]
    jobs = jobs_json(services().jobs.several(visitor(), ids))
    return render_template("gallery.html", jobs=jobs, ids=",".join(ids))


@pages.get("/samples/<name>.jpg")
def sample(name: str) -> Response:
    """A sample photo."""
    if name not in sample_names():
        raise not_found()
    return send_from_directory(SAMPLES, f"{name}.jpg", max_age=86400)


def _created(take_it: Callable[[str], tuple[Job, bool]]) -> ResponseReturnValue:
    """To the page of the new job, or what is wrong above the form."""
    owner = visitor()
    try:
        job, _ = take_it(owner)
    except Problem as problem:
        return _index(owner, problem)
    return redirect(url_for("pages.job", job_id=job.id), 303)


def _index(owner: str, problem: Problem | None = None) -> ResponseReturnValue:
    page = render_template(
        "index.html",
        photos=accepted_photos(services().settings),
        forms=[(kind.form, form_fields(kind)) for kind in KINDS.values() if kind.form],
        samples=samples(),
        recent=jobs_json(services().jobs.newest(owner, RECENT)),
        problem=problem.body()["error"] if problem else None,
    )
    return (page, problem.status) if problem else page
