"""Several jobs at once: asked for together, shown together, downloaded together."""

from __future__ import annotations

import html
import io
import json
import re
import zipfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.web.conftest import picture, send
from web_3d_app.kinds.photo import PHOTO, VIEW
from web_3d_app.services import Services


def model(parts: Services, folder: Path, *names: str) -> None:
    """The next job's worker adds files whose content is their name."""
    job = parts.claims.claim("w", [VIEW.name])
    for name in names:
        (folder / name).write_bytes(name.encode())
        parts.claims.add(parts.storage, job, [(name, *PHOTO.artefacts[name], folder / name)])


def names_in(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.fixture
def three(client: FlaskClient) -> list[str]:
    return [send(client, name=name).json["id"] for name in ("cup.png", "Cup.png", "pot.png")]


def test_jobs_are_told_in_the_order_in_which_they_are_named(
    client: FlaskClient, stranger: FlaskClient, three: list[str]
) -> None:
    theirs = send(stranger).json["id"]
    wanted = [three[2], three[0], theirs, "gone", three[0]]
    answer = client.get(f"/api/v1/jobs?ids={','.join(wanted)}")
    assert [job["id"] for job in answer.json["jobs"]] == [three[2], three[0]] and answer.json["next"] is None
    again = client.get(f"/api/v1/jobs?ids={','.join(wanted)}", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    client.delete(f"/api/v1/jobs/{three[0]}")
    assert [job["id"] for job in client.get(f"/api/v1/jobs?ids={','.join(wanted)}").json["jobs"]] == [three[2]]


@pytest.mark.parametrize("ids", ["", ",", "a b", ",".join(["a"] * 101)])
def test_what_are_no_ids_is_told(client: FlaskClient, ids: str) -> None:
    for path in ("jobs", "zip"):
        answer = client.get(f"/api/v1/{path}?ids={ids}")
        assert (answer.status_code, answer.json["error"]["code"]) == (422, "invalid")
        assert list(answer.json["error"]["fields"]) == ["ids"]


def test_the_zip_has_the_best_model_of_each_that_has_one(
    client: FlaskClient, stranger: FlaskClient, parts: Services, three: list[str], tmp_path: Path
) -> None:
    address = f"/api/v1/zip?ids={','.join(three)}"
    answer = client.get(address)
    assert (answer.status_code, answer.json["error"]["message"][:37]) == (404, "None of these has a model yet; wait u")
    model(parts, tmp_path, "grid.glb", "mesh.glb", "mesh_view.glb")
    model(parts, tmp_path, "grid.glb")
    found = client.get(address)
    assert found.mimetype == "application/zip" and "unflat-models.zip" in found.headers["Content-Disposition"]
    assert names_in(found.data) == {"cup-mesh.glb": b"mesh.glb", "Cup-grid.glb": b"grid.glb"}
    model(parts, tmp_path, "mesh.glb")
    assert stranger.get(address).status_code == 404

    everything = names_in(client.get(f"{address}&files=all").data)
    assert everything.keys() == {"cup/cup-photo.jpg", "cup/cup-grid.glb", "cup/cup-mesh.glb", "Cup (2)/Cup-photo.jpg",
                                 "Cup (2)/Cup-grid.glb", "pot/pot-photo.jpg", "pot/pot-mesh.glb"}  # fmt: skip
    assert everything["cup/cup-photo.jpg"] == everything["pot/pot-photo.jpg"] != b""


def test_two_models_of_one_name_are_both_in_the_zip(client: FlaskClient, parts: Services, tmp_path: Path) -> None:
    ids = [send(client, picture(size=(50 + i, 50)), "a cup.png").json["id"] for i in range(3)]
    for _ in ids:
        model(parts, tmp_path, "mesh.glb")
    found = names_in(client.get(f"/api/v1/zip?ids={','.join(ids)}").data)
    assert sorted(found) == ["a cup-mesh (2).glb", "a cup-mesh (3).glb", "a cup-mesh.glb"]


def test_the_page_has_those_that_are_there_and_of_this_visitor(client: FlaskClient, three: list[str]) -> None:
    shown = client.get(f"/gallery?ids={three[1]},gone,{three[0]}").get_data(as_text=True)
    found = re.search(r'data-jobs="([^"]*)"', shown)
    assert found and [job["id"] for job in json.loads(html.unescape(found[1]))] == [three[1], three[0]]
    nothing = client.get('/gallery?ids="><script>')
    assert nothing.status_code == 200 and b"<script>" not in nothing.data
    assert b"None of these is here any more" in nothing.data
