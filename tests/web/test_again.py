"""Another model of a stored photo, beside the first."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient
from web.conftest import picture, program, send

from web_3d_app.http.options import DEFAULTS, described, options
from web_3d_app.jobs.tables import Job
from web_3d_app.services import Services
from web_3d_app.settings import Settings


def photo_of(client: FlaskClient, job: dict) -> bytes:
    return client.get(next(file["url"] for file in job["artefacts"] if file["kind"] == "photo")).data


def ended(parts: Services, job: dict, state: str) -> None:
    with parts.database.write() as session:
        session.get(Job, job["id"]).state = state


@pytest.fixture
def first(client: FlaskClient) -> dict:
    return send(client, picture("JPEG"), "Grün.jpg", surface="solid", fov="40").json


@pytest.mark.parametrize("state", ["queued", "done", "failed", "cancelled"])
def test_it_changes_what_is_asked_for_and_nothing_else(
    client: FlaskClient, parts: Services, first: dict, state: str
) -> None:
    ended(parts, first, state)
    before = client.get(first["links"]["self"]).json
    answer = client.post(first["links"]["again"], data={"surface": "grid", "mask": "none"})
    second = answer.json
    assert answer.status_code == 202 and answer.headers["Location"] == second["links"]["self"] != first["links"]["self"]
    assert second["params"] == first["params"] | {"surface": "grid", "mask": "none"}
    assert (second["title"], second["photo"], second["state"]) == (first["title"], first["photo"], "queued")
    assert photo_of(client, second) == photo_of(client, first)
    assert client.get(first["links"]["self"]).json == before
    assert parts.engine.rung[-1] == second["id"]


def test_an_empty_option_is_the_default_again_and_a_refinement_is_asked_for_anew(client: FlaskClient) -> None:
    first = send(client, fov="40", refine="quick", faces="5000").json
    second = client.post(first["links"]["again"], data={"fov": ""}).json
    assert second["params"] == DEFAULTS | {"faces": 5000}


def test_models_that_differ_are_told_apart(client: FlaskClient) -> None:
    first = send(client).json
    others = (
        {"mask": "none"},
        {"fov": "40"},
        {"faces": "5000"},
        {"size_mm": "80"},
        {"base": "true"},
        {"surface": "grid"},
    )
    kin = [first, *(client.post(first["links"]["again"], data=more).json for more in others)]
    assert len({described(job) for job in kin}) == len(kin)


def test_all_models_of_one_photo_know_each_other(client: FlaskClient, first: dict) -> None:
    second = client.post(first["links"]["again"], data={"surface": "grid"}).json
    third = client.post(second["links"]["again"], data={"surface": "poisson"}).json
    send(client)  # another photo
    assert first["origin"] is None and second["origin"] == third["origin"] == first["id"]
    ids = [job["id"] for job in (first, second, third)]
    for job in (first, second, third):
        assert [one["id"] for one in client.get(job["links"]["results"]).json["jobs"]] == ids
        page = client.get(job["links"]["page"]).text
        others = [other["links"]["page"] for other in (first, second, third) if other["id"] != job["id"]]
        assert all(f'class="result" href="{link}"' in page for link in others)
        assert "3 models of this photo" in page and "Solid (printable), 40°" in page


@pytest.mark.parametrize("gone", [0, 1])
def test_each_can_be_deleted_alone(client: FlaskClient, parts: Services, first: dict, gone: int) -> None:
    pair = [first, client.post(first["links"]["again"], data={"surface": "grid"}).json]
    photo = photo_of(client, first)
    lost, kept = pair[gone], pair[1 - gone]
    assert client.delete(lost["links"]["self"]).status_code == 204
    assert photo_of(client, kept) == photo
    assert [one["id"] for one in client.get(kept["links"]["results"]).json["jobs"]] == [kept["id"]]
    assert client.post(lost["links"]["again"]).status_code == client.get(lost["links"]["results"]).status_code == 410
    more = client.post(kept["links"]["again"], data={"mask": "none"}).json
    assert more["origin"] == first["id"] and photo_of(client, more) == photo
    assert parts.storage.names(lost["id"]) == []


def test_nobody_else_s(client: FlaskClient, stranger: FlaskClient, first: dict) -> None:
    assert (
        stranger.post(first["links"]["again"]).status_code == stranger.get(first["links"]["results"]).status_code == 404
    )
    token = client.post(first["links"]["share"]).json["url"].rpartition("/")[2]
    shared = stranger.get(f"/api/v1/shared/{token}").json
    client.post(first["links"]["again"], data={"surface": "grid"})
    assert shared["links"]["again"] is shared["links"]["results"] is shared["origin"] is None
    assert "of this photo" not in stranger.get(f"/s/{token}").text


def test_it_counts_like_an_upload(make: Callable[..., Flask], settings: Settings) -> None:
    mine = program(make(replace(settings, max_queued_each=2)))
    first = send(mine).json
    assert mine.post(first["links"]["again"], data={"mask": "none"}).status_code == 202
    answer = mine.post(first["links"]["again"], data={"mask": "builtin"})
    assert (answer.status_code, answer.json["error"]["code"]) == (429, "quota")
    often = program(make(replace(settings, create_rate="2/minute", data=settings.data + "2")))
    first = send(often).json
    codes = [often.post(first["links"]["again"], data={"fov": fov}).status_code for fov in ("50", "60")]
    assert codes == [202, 429]


def test_many_at_once_do_not_hold_the_photo_in_memory(
    client: FlaskClient, parts: Services, first: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A photo as it is kept may have hundreds of megabytes."""
    opened, reads = parts.storage.open, []

    def open_noting(key: str) -> io.BytesIO:
        with opened(key) as file:
            noting = io.BytesIO(file.read())
        real = noting.read
        noting.read = lambda size=-1: (reads.append(size), real(size))[1]  # type: ignore[method-assign]
        return noting

    monkeypatch.setattr(parts.storage, "open", open_noting)
    assert client.post(first["links"]["again"], data={"surface": "grid"}).status_code == 202
    assert reads and all(0 < size <= 1 << 20 for size in reads)


def test_the_same_key_is_the_same_model(client: FlaskClient, first: dict) -> None:
    key = {"Idempotency-Key": "k"}
    one = client.post(first["links"]["again"], data={"mask": "none"}, headers=key)
    two = client.post(first["links"]["again"], data={"mask": "none"}, headers=key)
    assert one.json["id"] == two.json["id"] and two.headers["Idempotency-Replayed"] == "true"
    other = client.post(first["links"]["again"], data={"mask": "builtin"}, headers=key)
    assert (other.status_code, other.json["error"]["code"]) == (409, "idempotency_mismatch")


def test_options_out_of_bounds_are_named_and_no_model_is_made(client: FlaskClient, first: dict) -> None:
    answer = client.post(first["links"]["again"], data={"fov": "4"})
    assert answer.status_code == 422 and list(answer.json["error"]["fields"]) == ["fov"]
    assert len(client.get(first["links"]["results"]).json["jobs"]) == 1


@pytest.mark.parametrize("word", ["0", "1", "yes", "on", "True"])
def test_yes_and_no_are_true_and_false_as_the_document_says(client: FlaskClient, first: dict, word: str) -> None:
    """Also where they were chosen before, and not by any other word."""
    stands = client.post(first["links"]["again"], data={"base": "true"}).json
    assert client.post(stands["links"]["again"], data={"surface": "grid"}).json["params"]["base"] is True
    assert client.post(stands["links"]["again"], data={"base": "false"}).json["params"]["base"] is False
    refused = client.post(stands["links"]["again"], data={"base": word})
    assert (refused.status_code, list(refused.json["error"]["fields"])) == (422, ["base"])


def test_the_box_begins_with_what_was_chosen(client: FlaskClient, first: dict) -> None:
    page = client.get(first["links"]["page"]).text
    box = client.get(unescape(re.findall(r'id="again-box"[^>]* data-form="([^"]+)"', page)[0])).text
    assert re.search(r'value="solid" checked', box) and re.search(r'id="fov"[^>]*value="40"', box)
    assert re.search(r'value="off"[^>]* selected', box)


def test_every_option_says_what_it_changes_and_what_each_choice_does(app: Flask, settings: Settings) -> None:
    with app.test_request_context():  # samples have addresses
        offered = options(settings)
    for name in DEFAULTS:
        assert offered[name]["changes"]
        assert all(choice["about"] for choice in offered[name].get("choices", []))
    values = {name: [choice["value"] for choice in offered[name]["choices"]] for name in ("surface", "mask", "refine")}
    assert all(offered[name]["default"] in values[name] for name in values)
    assert offered["surface"]["default"] == "auto"
