"""A kind of job that is added is a file: no table, no worker and no other template knows of it."""

from __future__ import annotations

import io
import re

import pytest
import trimesh
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader
from sqlalchemy import select
from web.conftest import send
from web.toy_kind import STAIRS

from web_3d_app.http.options import described
from web_3d_app.jobs.tables import Job
from web_3d_app.kinds import KINDS, lanes, lanes_of
from web_3d_app.kinds.base import CREWS, HEAVY
from web_3d_app.services import Services
from web_3d_app.work.worker import KindRunner, Worker

FORM = """<form id="stairs" method="post" action="{{ url_for('pages.create') }}">
<input type="hidden" name="csrf_token" value="{{ csrf_token() }}"><input type="hidden" name="kind" value="stairs">
{% include "_options.html" %}<button>Build</button></form>"""


@pytest.fixture
def app(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An application that has the kind of the toy, and its page."""
    monkeypatch.setitem(KINDS, STAIRS.name, STAIRS)
    own = DictLoader({"stairs.html": "stairs of {{ job.params.steps }} steps", "_stairs_form.html": FORM})
    monkeypatch.setattr(app.jinja_env, "loader", ChoiceLoader([own, app.jinja_env.loader]))
    return app


@pytest.fixture
def workers(parts: Services) -> list[Worker]:
    """One of each crew, as the real ones are."""
    runner = KindRunner(parts.settings)
    return [Worker(crew, crew, parts.database, parts.storage, 60.0, runner) for crew in CREWS]


def ask(client: FlaskClient, **fields: object) -> object:
    return client.post("/api/v1/jobs", data={"kind": "stairs", **fields})


def test_it_is_made_from_its_request_to_its_files(client: FlaskClient, workers: list[Worker]) -> None:
    made = ask(client, steps="7")
    assert made.status_code == 202
    job = made.json
    assert (job["kind"], job["lane"], job["photo"], job["refinement"]) == ("stairs", "plan", None, None)
    assert job["params"] == {"steps": 7, "closed": False} and job["artefacts"] == []
    assert client.get(job["links"]["page"]).text == "stairs of 7 steps"
    seen = []
    while any(worker.once() for worker in workers):
        seen.append(client.get(job["links"]["self"]).json)
    assert [(now["state"], now["lane"]) for now in seen] == [("running", "build"), ("done", "build")]
    done = seen[-1]
    assert (done["progress"], done["error"], done["facts"]["faces"]) == (1, None, 7)
    assert list(done["facts"]["seconds"]) == ["plan", "tread", "riser"]
    files = {file["name"]: file for file in done["artefacts"]}
    assert {name: file["kind"] for name, file in files.items()} == {"plan.json": "plan", "stairs.glb": "mesh"}
    assert client.get(files["plan.json"]["url"]).json == {"steps": 7}
    glb = io.BytesIO(client.get(files["stairs.glb"]["url"]).data)
    assert trimesh.load(glb, file_type="glb", force="mesh").faces.shape == (7, 3)
    assert client.get(done["links"]["zip"]).status_code == 200
    assert any(one["id"] == job["id"] for one in client.get("/api/v1/jobs").json["jobs"])


def test_its_form_is_made_of_its_options(client: FlaskClient) -> None:
    page = client.get("/").text
    form = page[page.index('<form id="stairs"') :].partition("</form>")[0]
    names = re.findall(r'<(?:input|select)[^>]* name="(\w+)"', form)
    assert names == ["csrf_token", "kind", "steps", "closed"]
    steps = re.search(r'<input type="number" id="steps"[^>]*>', form)
    assert steps and 'step="1" min="1" max="99" placeholder="4"' in steps[0]
    assert re.findall(r'<option value="(\w+)" [^>]*?( selected)?>(\w+)<', form) == [
        ("false", " selected", "No"),
        ("true", "", "Yes"),
    ]
    assert 'name="surface"' not in form and 'name="surface"' in page
    shown = client.post("/jobs", data={"kind": "stairs", "steps": "5", "closed": "true"})
    assert client.get(shown.location).text == "stairs of 5 steps"


def test_a_job_among_others_is_told_by_its_own_options(client: FlaskClient) -> None:
    assert described(ask(client, steps="7", closed="true").json) == "Steps: 7, Closed: yes"
    assert described(ask(client).json) == "By the defaults"


def test_what_can_be_done_with_a_job_can_be_done_with_it(
    client: FlaskClient, parts: Services, workers: list[Worker]
) -> None:
    job = ask(client, steps="3").json
    assert client.post(job["links"]["refine"]).json["error"]["code"] == "not_possible"
    assert client.post(job["links"]["cancel"]).json["state"] == "cancelled"
    assert client.post(job["links"]["retry"]).json["lane"] == "plan"
    again = client.post(job["links"]["again"], data={"closed": "true"}).json
    assert (again["kind"], again["params"], again["origin"]) == ("stairs", {"steps": 3, "closed": True}, job["id"])
    while any(worker.once() for worker in workers):
        pass
    assert {one["state"] for one in client.get(job["links"]["results"]).json["jobs"]} == {"done"}
    for each in (job, again):
        assert client.delete(each["links"]["self"]).status_code == 204
    assert parts.storage.names() == []


def test_its_requests_are_checked_by_its_own_options(client: FlaskClient) -> None:
    for fields, wrong in (({"steps": "0"}, "steps"), ({"steps": "many"}, "steps"), ({"kind": "castle"}, "kind"),
                          ({"kind": "refinement"}, "kind")):  # fmt: skip
        answer = ask(client, **fields)
        assert (answer.status_code, list(answer.json["error"]["fields"])) == (422, [wrong])
    sample = client.post("/api/v1/jobs", data={"sample": "coffee", "kind": ""})
    assert sample.json["kind"] == "photo"  # an empty field is the default
    key = {"Idempotency-Key": "once"}
    data = {"kind": "stairs", "steps": "2"}
    first, second = (client.post("/api/v1/jobs", data=data, headers=key) for _ in range(2))
    assert first.json["id"] == second.json["id"] and second.headers["Idempotency-Replayed"] == "true"
    assert client.post("/api/v1/jobs", data=data | {"steps": "3"}, headers=key).status_code == 409


def test_kinds_share_the_workers_by_turns(client: FlaskClient, stranger: FlaskClient, parts: Services) -> None:
    ask(client)
    ask(client)
    send(stranger)
    turns = [parts.claims.claim("w", lanes_of("quick")).kind for _ in range(3)]
    assert turns == ["stairs", "photo", "stairs"]
    assert set(lanes_of(HEAVY)) == {"mesh", "build", "stereo", "frames", "files", "film"} and lanes_of(HEAVY)[-2:] == [
        "files",
        "film",
    ]
    with parts.database.read() as session:
        assert sorted(session.scalars(select(Job.kind))) == ["photo", "stairs", "stairs"]


def test_no_two_kinds_have_a_lane_in_common(app: Flask) -> None:
    assert len(lanes()) == sum(len(kind.lanes) for kind in KINDS.values())
