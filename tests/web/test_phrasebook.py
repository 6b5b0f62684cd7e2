"""What is stored as data is phrased where it is shown, and what older versions stored stays readable."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from web.conftest import program, send

from recon.errors import BadInput
from recon.messages import note
from recon.types import Photo
from web_3d_app import phrasebook
from web_3d_app.jobs.photo_facts import facts_of, with_facts
from web_3d_app.jobs.tables import Job
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.phrasebook import AGAIN, BOOKS, SHARED_BOOKS, as_text, from_text, told
from web_3d_app.services import Services
from web_3d_app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SHOWN = "the photo shows one thing, so the model is closed all round; another surface can be chosen with " + AGAIN


def set_row(parts: Services, job: str, **values: Any) -> None:
    with parts.database.write() as session:
        session.execute(update(Job).where(Job.id == job).values(**values))


def test_the_button_that_sentences_speak_of_is_on_the_page() -> None:
    assert f"}}}}{AGAIN.strip('“”')}</button>" in (ROOT / "templates/_again.html").read_text()
    assert sum(AGAIN in sentence for sentence in phrasebook.SENTENCES.values()) >= 4


def test_notes_and_errors_are_phrased_when_they_are_asked_for(client: FlaskClient, parts: Services) -> None:
    job = send(client).json
    chosen = note("surface.auto_solid", "closed all round (solid); choose another with <surface>")
    failed = BadInput("poisson.empty", "nothing is left; use <surface> grid.").message
    set_row(
        parts, job["id"], facts={"warnings": [chosen.to_json()]}, error_code="bad_input", error_message=as_text(failed)
    )
    answer = client.get(job["links"]["self"]).json
    assert answer["facts"]["warnings"] == [SHOWN]
    assert answer["error"] == {
        "code": "bad_input",
        "message": "no surface is left after trimming; check the depth map or choose the surface Sharp.",
    }


def test_who_may_only_look_is_not_sent_to_a_button(client: FlaskClient, stranger: FlaskClient, parts: Services) -> None:
    job = send(client, refine="quick").json
    token = client.post(job["links"]["share"]).json["url"].rpartition("/")[2]
    notes = [
        note("surface.auto_solid", "closed all round (solid); choose another with <surface>"),
        note(
            "camera.guessed", "{reason}: {found}; set <fov>", reason="no focal length in the photo", found="60° it is"
        ),
    ]
    facts = {"warnings": [each.to_json() for each in notes], "refinement": {"notes": [notes[0].to_json()]}}
    failed = BadInput("refine.diverged", "it came to nothing.").message
    set_row(parts, job["id"], facts=facts, state="done", lane="refine", error_code="bad_input",
            error_message=as_text(failed))  # fmt: skip
    own, shared = client.get(job["links"]["self"]).json, stranger.get(f"/api/v1/shared/{token}").json
    assert all(said.endswith(AGAIN) for said in own["facts"]["warnings"] + own["refinement"]["notes"])
    closed = "the photo shows one thing, so the model is closed all round"
    assert shared["facts"]["warnings"] == [closed, "no focal length in the photo: 60° it is"]
    assert shared["refinement"]["notes"] == [closed]
    assert shared["refinement"]["error"]["message"] == "The better model did not come together."
    page = stranger.get(f"/s/{token}").text
    assert closed in page and AGAIN.strip("“”") not in page


def test_a_book_may_say_otherwise_what_a_kind_tells(
    make: Callable[..., Flask], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was stored before it did, too."""
    app = make(replace(settings, max_queued_each=1))
    client, claims = program(app), app.extensions["unflat"].claims
    job = send(client).json
    assert send(client).json["error"]["message"] == "You have 1 photos in work; wait for one or cancel it."
    claims.fail_late(claims.claim("w", ["view"]))
    assert client.get(job["links"]["self"]).json["error"]["message"] == PHOTO.sentences.too_long
    said = {"kind.photo.too_long": "Zu lang.", "kind.photo.quota": "Schon {mine} Fotos."}
    monkeypatch.setitem(BOOKS, "en", replace(BOOKS["en"], sentences={**BOOKS["en"].sentences, **said}))
    assert client.get(job["links"]["self"]).json["error"]["message"] == "Zu lang."
    send(client)
    assert send(client).json["error"]["message"] == "Schon 1 Fotos."


def test_sentences_of_an_older_version_stay_as_they_are(client: FlaskClient, parts: Services) -> None:
    job = send(client, refine="quick").json
    facts = {
        "warnings": ["set it under Options"],
        "refinement": {"notes": ["a {note}"], "kept_first": ["its <outline>"]},
    }
    set_row(parts, job["id"], facts=facts, error_code="bad_input", error_message="It broke.")
    answer = client.get(job["links"]["self"]).json
    assert answer["facts"]["warnings"] == ["set it under Options"]
    assert (answer["refinement"]["notes"], answer["refinement"]["kept_first"]) == (["a {note}"], ["its <outline>"])
    assert answer["error"]["message"] == "It broke."


def test_a_note_whose_sentence_has_other_slots_by_now_is_told_in_its_own_words() -> None:
    old = note("camera.guessed", "no field of view; set <fov>").to_json()
    assert told(old) == "no field of view; set fov"


def test_what_was_said_of_a_photo_is_read_again_old_sentences_too() -> None:
    bare = Photo(np.zeros((16, 40, 3), np.uint8))
    old = with_facts(bare, {"full_size": None, "doubt": "it was cut", "panorama": "", "notes": ["read at 3×2"]})
    assert (str(old.doubt), old.panorama, [str(each) for each in old.notes]) == ("it was cut", None, ["read at 3×2"])
    new = replace(old, panorama=note("panorama.long", "its sides are as {ratio:.1f} to 1", ratio=2.5))
    again = with_facts(bare, json.loads(json.dumps(facts_of(new))))
    assert (again.doubt, again.panorama, again.notes) == (new.doubt, new.panorama, new.notes)


@pytest.mark.parametrize("language", BOOKS)
def test_a_book_says_everything_that_its_page_says_otherwise(language: str) -> None:
    assert BOOKS[language].sentences.keys() == SHARED_BOOKS[language].sentences.keys() == BOOKS["en"].sentences.keys()
    assert not [s for s in SHARED_BOOKS[language].sentences.values() if AGAIN in s]
    assert not [s for s in BOOKS[language].sentences.values() if re.search(r"--\w", s)]
    assert from_text(as_text(note("a.b", "<fov> {n:g}", n=1.5))) == "the field of view 1.5"


def test_what_the_server_refuses_is_said_in_words_of_the_book() -> None:
    """No sentence stands where a refusal is raised: all are in the book, where a second language finds them."""
    places = {"Problem": 2, "busy": 0, "too_long": 0, "ValidationError": 0}
    for path in sorted((ROOT / "web_3d_app").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in places):
                continue
            told = node.args[places[node.func.id] :][:1]
            assert not [part for part in told if isinstance(part, ast.Constant | ast.JoinedStr)], (
                path.name,
                node.lineno,
            )
