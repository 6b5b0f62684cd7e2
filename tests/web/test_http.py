"""Codes, headers, who may see what."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from web.conftest import picture, program, send

from web_3d_app.http.responses import POLICY
from web_3d_app.http.schemas import JobSchema
from web_3d_app.jobs.database import Database
from web_3d_app.services import Services
from web_3d_app.settings import Settings


def code(answer: object) -> tuple[int, str]:
    return answer.status_code, answer.json["error"]["code"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/jobs/unknown", 404),
        ("GET", "/api/v1/shared/unknown", 404),
        ("DELETE", "/api/v1/jobs/unknown", 404),
        ("POST", "/api/v1/jobs/unknown/cancel", 404),
        ("PUT", "/api/v1/jobs", 405),
        ("POST", "/api/v1/options", 405),
        ("GET", "/api/v1/jobs?limit=0", 422),
        ("GET", "/static/../app.py", 404),
        ("GET", "/static/%2e%2e%2fapp.py", 404),
        ("GET", "/static/..%5capp.py", 404),
        ("GET", "/samples/..%2f..%2fapp.jpg", 404),
        ("GET", "/nothing%00", 404),
        ("GET", "/s/unknown", 404),
    ],
)
def test_codes(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    if path.startswith("/api"):
        assert answer.json["error"]["status"] == status and answer.json["error"]["message"].endswith(".")


@pytest.mark.parametrize(
    "fields",
    [{"surface": "sphere"}, {"fov": "4"}, {"fov": "nan"}, {"faces": "10"}, {"faces": "x"}, {"depth_model": "/etc"},
     {"mask": "../a.png"}, {"refine": "much"}],
)  # fmt: skip
def test_options_out_of_bounds_are_named(client: FlaskClient, fields: dict[str, str]) -> None:
    answer = send(client, **fields)
    assert code(answer) == (422, "invalid") and list(answer.json["error"]["fields"]) == list(fields)


def test_no_photo_and_no_sample(client: FlaskClient) -> None:
    assert code(client.post("/api/v1/jobs", data={})) == (400, "bad_request")
    assert code(client.post("/api/v1/jobs", data={"sample": "../app"})) == (422, "invalid")
    assert client.post("/api/v1/jobs", data={"sample": "coffee"}).json["title"] == "coffee"


def test_a_cookie_needs_its_csrf_token(app: Flask) -> None:
    browser = app.test_client()
    token = re.search(r'csrf-token" content="([^"]+)', browser.get("/").text).group(1)
    assert code(send(browser)) == (400, "csrf")
    assert code(send(browser, headers={"X-CSRFToken": "wrong"})) == (400, "csrf")
    made = send(browser, headers={"X-CSRFToken": token})
    assert made.status_code == 202
    page = browser.get(made.json["links"]["page"])
    assert page.status_code == 200 and "photo" in page.text
    assert code(browser.delete(made.json["links"]["self"])) == (400, "csrf")
    form = {"csrf_token": token, "sample": "coffee"}
    assert browser.post("/jobs", data=form).status_code == 303
    bad = browser.post("/jobs", data=form | {"fov": "999"})
    assert bad.status_code == 422 and "fov" in bad.text
    assert "chelsea" not in browser.get("/history").text and "coffee" in browser.get("/history").text


def test_a_forged_token_is_told(app: Flask) -> None:
    client = app.test_client()
    assert code(client.get("/api/v1/jobs", headers={"Authorization": "Bearer forged.token"})) == (401, "bad_token")


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer"}, {"Authorization": "Basic eDp5"}])
def test_a_program_without_a_token_is_told_where_to_get_one(
    app: Flask, client: FlaskClient, sent: dict[str, str]
) -> None:
    job = send(client).json
    nobody = app.test_client(use_cookies=False)
    for method, path in (
        ("GET", "/api/v1/jobs"),
        ("POST", "/api/v1/jobs"),
        ("GET", job["links"]["self"]),
        ("DELETE", job["links"]["self"]),
        ("GET", job["artefacts"][0]["url"]),
        ("GET", job["links"]["events"]),
    ):
        answer = nobody.open(path, method=method, headers=sent)
        assert code(answer) == (401, "no_token") and answer.headers["WWW-Authenticate"] == "Bearer"
        assert "POST /api/v1/visitors" in answer.json["error"]["message"]
    assert nobody.get("/api/v1/options").status_code == nobody.get("/api/v1/openapi.json").status_code == 200


def test_a_browser_that_came_by_a_share_link_may_send_a_photo(app: Flask, client: FlaskClient) -> None:
    link = client.post(send(client).json["links"]["share"]).json["url"]
    browser = app.test_client()
    token = re.search(r'csrf-token" content="([^"]+)', browser.get(link).text).group(1)
    assert send(browser, headers={"X-CSRFToken": token}).status_code == 202


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/jobs", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("POST", "/api/v1/options", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/api/v1/visitors", {"OPTIONS", "POST"}),
        ("DELETE", "/history", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/jobs", {"OPTIONS", "POST"}),
    ],
)
def test_a_method_that_is_not_there_is_told_which_are(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == 405 and set(answer.headers["Allow"].split(", ")) == allowed


def test_the_document_says_what_needs_a_token(app: Flask, client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert document["security"] == [{"token": []}]
    nobody = app.test_client(use_cookies=False)
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            if method == "parameters":
                continue
            address = re.sub(r"{\w+}", "x", path)
            answer = nobody.open(address, method=method.upper(), query_string={"ids": "x" * 22}, buffered=True)
            refused = answer.status_code == 401
            assert refused == (told.get("security") != []) == ("401" in told["responses"]), (method, path)


def test_others_find_nothing(client: FlaskClient, stranger: FlaskClient) -> None:
    job = send(client).json
    for path in (*(job["links"][name] for name in ("self", "page", "events", "zip")), job["artefacts"][0]["url"]):
        assert client.get(path).status_code == 200 and stranger.get(path).status_code == 404
    for name in ("cancel", "retry", "refine", "share"):
        assert stranger.post(job["links"][name]).status_code == 404
    assert (
        stranger.delete(job["links"]["self"]).status_code == stranger.delete(job["links"]["share"]).status_code == 404
    )
    assert stranger.get("/api/v1/jobs").json["jobs"] == []
    assert stranger.get(f"/api/v1/jobs?before={job['id']}").status_code == 404
    assert client.get(job["links"]["self"]).json["state"] == "queued"


def test_the_share_link_shows_and_is_withdrawn(client: FlaskClient, stranger: FlaskClient) -> None:
    job = send(client).json
    url = client.post(job["links"]["share"]).json["url"]
    assert client.post(job["links"]["share"]).json["url"] == url == client.get(job["links"]["self"]).json["share_url"]
    token = url.rpartition("/")[2]
    seen = stranger.get(f"/api/v1/shared/{token}").json
    assert job["id"] not in str(seen) and seen["links"]["cancel"] is None
    assert stranger.get(seen["artefacts"][0]["url"]).status_code == stranger.get(f"/s/{token}").status_code == 200
    assert client.delete(job["links"]["share"]).status_code == 204
    assert stranger.get(f"/api/v1/shared/{token}").status_code == 404


def test_deleted_is_gone(client: FlaskClient, parts: Services) -> None:
    job = send(client).json
    assert client.delete(job["links"]["self"]).status_code == 204
    assert code(client.get(job["links"]["self"])) == code(client.delete(job["links"]["self"])) == (410, "gone")
    assert parts.storage.names() == [] and parts.engine.killed == [job["id"]]


def test_ranges_and_names(client: FlaskClient) -> None:
    file = send(client, name="My cat.png").json["artefacts"][0]
    whole = client.get(file["url"])
    assert whole.headers["Content-Disposition"] == f'attachment; filename="{file["download"]}"'
    part = client.get(file["url"], headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, whole.data[10:20])
    assert code(client.get(file["url"], headers={"Range": f"bytes={len(whole.data)}-"})) == (416, "range")
    assert client.get(file["url"], headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304


def test_polling_costs_nothing_while_nothing_changes(client: FlaskClient) -> None:
    link = send(client).json["links"]["self"]
    tag = client.get(link).headers["ETag"]
    assert client.get(link, headers={"If-None-Match": tag}).status_code == 304
    client.post(f"{link}/cancel")
    assert client.get(link, headers={"If-None-Match": tag}).status_code == 200


def test_repeated_keys(client: FlaskClient, stranger: FlaskClient, parts: Services) -> None:
    key = {"Idempotency-Key": "abc"}
    first, again = send(client, headers=key), send(client, headers=key)
    assert first.json["id"] == again.json["id"] and again.headers["Idempotency-Replayed"] == "true"
    assert parts.engine.rung == [first.json["id"]]
    assert code(send(client, picture(size=(99, 99)), headers=key)) == (409, "idempotency_mismatch")
    assert code(send(client, headers={"Idempotency-Key": "x" * 65})) == (400, "bad_request")
    assert send(stranger, headers=key).json["id"] != first.json["id"]


def test_a_better_model_is_asked_for_once(client: FlaskClient, stranger: FlaskClient, parts: Services) -> None:
    job = send(client).json
    link = job["links"]["refine"]
    assert code(client.post(link)) == (409, "not_finished") and job["refinement"] is None
    claimed = parts.claims.claim("w", ["view"])
    parts.claims.facts(claimed, {"subject": "alpha"})
    parts.claims.finish(claimed)
    assert code(client.post(link, data={"preset": "off"})) == (422, "invalid")
    key = {"Idempotency-Key": "once"}
    first, again = (client.post(link, data={"preset": "full"}, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code, again.headers["Idempotency-Replayed"]) == (202, 202, "true")
    assert first.json["seq"] == again.json["seq"] and parts.engine.rung == [job["id"]] * 2
    asked = first.json
    assert (asked["state"], asked["lane"], asked["facts"]) == ("running", "refine", {"subject": "alpha"})
    assert (asked["refinement"]["state"], asked["refinement"]["preset"]) == ("waiting", "full")
    assert JobSchema().validate(asked | {"params": {}}) == {}
    assert code(client.post(link)) == (409, "under_way")
    assert 'unflat_jobs{lane="refine",state="queued"} 1.0' in client.get("/metrics").text
    stopped = client.post(job["links"]["cancel"]).json
    assert (stopped["state"], stopped["error"], stopped["cancel_requested"]) == ("done", None, False)
    assert (stopped["refinement"]["state"], stopped["refinement"]["error"]["code"]) == ("cancelled", "cancelled")
    token = client.post(job["links"]["share"]).json["url"].rpartition("/")[2]
    seen = stranger.get(f"/api/v1/shared/{token}").json
    assert seen["links"]["refine"] is None and seen["refinement"]["state"] == "cancelled"


def test_limits(make: Callable[[Settings], Flask], settings: Settings) -> None:
    def last(**changes: object) -> object:
        client = program(make(replace(settings, **changes)))
        assert send(client).status_code == 202
        return send(client)

    assert code(last(max_queued=1)) == (503, "queue_full")
    assert code(last(max_queued_each=1)) == (429, "quota")
    limited = last(create_rate="1/minute")
    assert code(limited) == (429, "rate") and int(limited.headers["Retry-After"]) > 0
    client = program(make(replace(settings, min_free_mib=10**9)))
    assert code(send(client)) == (507, "disk_full") and client.get("/readyz").status_code == 503


def test_events(client: FlaskClient) -> None:
    job = send(client).json
    link = job["links"]["events"]

    def text(last: int) -> str:
        return client.get(link, headers={"Last-Event-ID": str(last)}, buffered=True).text

    assert f"id: {job['seq']}\nevent: job\ndata: {{" in client.get(link, buffered=True).text
    assert "event: job" not in text(job["seq"])
    seq = client.post(job["links"]["cancel"]).json["seq"]
    assert '"cancelled"' in text(1)
    assert client.get(link, headers={"Last-Event-ID": str(seq)}).status_code == 204


def test_streams_are_few_and_given_back(client: FlaskClient) -> None:
    link = send(client).json["links"]["events"]
    open_ones = [client.get(link) for _ in range(2)]
    assert code(client.get(link)) == (503, "streams_full")
    for stream in reversed(open_ones):  # the clients vanish
        stream.close()
    assert client.get(link, buffered=True).status_code == 200


def test_a_locked_database_is_told(client: FlaskClient, parts: Services, settings: Settings) -> None:
    lock = sqlite3.connect(Path(settings.data) / "jobs.sqlite", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    quick = Database(settings.database_url, busy_seconds=0.05)
    parts.jobs._database = quick
    answer = send(client)
    assert code(answer) == (503, "busy") and answer.headers["Retry-After"]
    assert parts.storage.names() == []
    lock.execute("ROLLBACK")
    lock.close()
    assert send(client).status_code == 202
    quick.close()


def test_a_full_disk_under_the_database_is_told(make: Callable[[Settings], Flask], settings: Settings) -> None:
    app = make(replace(settings, max_queued_each=1000, max_queued=1000))
    client, parts = program(app), app.extensions["unflat"]

    def as_large_as_it_is(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count = 1").close()  # SQLite takes the present size instead

    event.listen(parts.database.engine, "checkout", as_large_as_it_is)
    for _ in range(200):
        answer = send(client)
        if answer.status_code != 202:
            break
    assert code(answer) == (507, "disk_full")
    assert set(parts.storage.names()) == {job["id"] for job in client.get("/api/v1/jobs?limit=100").json["jobs"]}


def test_headers_and_hosts(app: Flask, client: FlaskClient) -> None:
    for path in ("/", "/nothing", "/api/v1/options", "/healthz"):
        headers = app.test_client().get(path).headers
        assert headers["Content-Security-Policy"] == POLICY and headers["X-Content-Type-Options"] == "nosniff"
    cookie = app.test_client().get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    assert client.get("/", headers={"Host": "evil.example"}).status_code == 400
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/readyz").json["checks"]["worker"] == "no sign of life: quick, heavy"


def test_metrics_for_this_machine_only(client: FlaskClient) -> None:
    send(client)
    assert 'unflat_jobs{lane="view",state="queued"} 1.0' in client.get("/metrics").text
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "10.0.0.1"}).status_code == 404


def test_the_openapi_document_says_what_answers_are(app: Flask, client: FlaskClient) -> None:
    document = client.get("/api/v1/openapi.json").json
    told = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    assert {re.sub(r"{(\w+)}", r"<\1>", path) for path in document["paths"]} == told
    job = send(client).json
    assert set(job) == set(JobSchema().fields) == set(document["components"]["schemas"]["Job"]["properties"])
    assert JobSchema().validate(job | {"params": {}}) == {}
