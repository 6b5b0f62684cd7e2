"""Static files: gzipped where that helps, valid for as long as they may be; what is personal is never compressed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from web.conftest import send

from web_3d_app.files import TOP as ROOT
from web_3d_app.http.statics import ENDINGS, set_up_statics

GZIP = {"Accept-Encoding": "gzip, deflate, br"}
TEXTS = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "static").rglob("*") if path.suffix in ENDINGS)


def test_both_forms_are_the_file(client: FlaskClient) -> None:
    assert len(TEXTS) > 10
    for path in TEXTS:
        check_both_forms(client, path)


def check_both_forms(client: FlaskClient, path: str) -> None:
    whole, zipped = client.get(path), client.get(path, headers=GZIP)
    content = (ROOT / path).read_bytes()
    assert (whole.data, whole.headers.get("Content-Encoding")) == (content, None)
    assert (gzip.decompress(zipped.data), zipped.headers["Content-Encoding"]) == (content, "gzip")
    assert whole.mimetype == zipped.mimetype and int(zipped.headers["Content-Length"]) == len(zipped.data)
    assert whole.headers["Vary"] == zipped.headers["Vary"] == "Accept-Encoding"
    tags = {whole.headers["ETag"], zipped.headers["ETag"]}
    assert len(tags) == 2  # a cache must not take one for the other
    hashed = path.endswith(".js") and "/vendor/" in path
    for answer, headers in ((whole, {}), (zipped, GZIP)):
        cache = answer.headers["Cache-Control"]
        assert cache == ("public, max-age=31536000, immutable" if hashed else "no-cache")
        again = client.get(path, headers={"If-None-Match": answer.headers["ETag"]} | headers)
        assert (again.status_code, again.data, again.headers["Vary"]) == (304, b"", "Accept-Encoding")
        assert again.headers["ETag"] == answer.headers["ETag"]


def test_a_client_may_refuse(client: FlaskClient) -> None:
    assert "Content-Encoding" not in client.get(TEXTS[0], headers={"Accept-Encoding": "gzip;q=0, br"}).headers


def test_a_changed_file_is_compressed_anew(tmp_path: Path) -> None:
    app = Flask("small", static_folder=None)
    set_up_statics(app, tmp_path)
    client, tags = app.test_client(), set()
    for content in (b"a{}", b"body{}"):
        (tmp_path / "a.css").write_bytes(content)
        answer = client.get("/static/a.css", headers=GZIP)
        assert gzip.decompress(answer.data) == content
        tags.add(answer.headers["ETag"])
    assert len(tags) == 2


def test_what_is_personal_is_not_compressed(client: FlaskClient) -> None:
    links = send(client).json["links"]
    for path in ("/", links["page"], links["self"], "/history"):
        assert "Content-Encoding" not in client.get(path, headers=GZIP).headers


def test_the_pages_weigh_less_than_250_kb(client: FlaskClient) -> None:
    """A job's page with all that it and its scripts load, as it comes over the line."""
    page = client.get(send(client).json["links"]["page"])
    weight, todo, seen = len(page.data), re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text), set[str]()
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path, headers=GZIP)
        assert answer.status_code == 200, path
        weight += len(answer.data)
        if path.endswith(".js") and "/vendor/" not in path:
            text = gzip.decompress(answer.data).decode()
            folder = Path(path).parent
            for name in re.findall(r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""", text):
                todo.append("/" + (ROOT / str(folder / name)[1:]).resolve().relative_to(ROOT).as_posix())
    assert any("/vendor/three-" in path for path in seen) and len(seen) > 10
    assert weight < 250_000
