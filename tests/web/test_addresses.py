"""A server under a path of its host: every address that it gives begins there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from web.conftest import program, send

from bench.server import Client, Server
from web_3d_app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "/unflat"


@pytest.fixture
def behind(make: Callable[[Settings], Flask], settings: Settings) -> Callable[..., object]:
    """behind(path, prefix): what a browser gets through a proxy that takes the prefix off."""
    client = make(replace(settings, proxies=1, https=True)).test_client()

    def ask(path: str, prefix: str = PREFIX, **more: object) -> object:
        return client.open(path, headers={"X-Forwarded-Prefix": prefix, "X-Forwarded-Proto": "https"}, **more)

    return ask


def addresses(text: str) -> set[str]:
    """Every address on the server in a page or in JSON."""
    return set(re.findall(r"""["'=](?:https?://localhost)?(/[^"'>\s]*)["'\s]""", text.replace("&#34;", '"')))


@pytest.mark.parametrize("prefix", [PREFIX, "/a/b", "/unflat/", "unflat"])
def test_every_address_of_pages_and_answers_begins_with_the_prefix(
    make: Callable[[Settings], Flask], settings: Settings, prefix: str
) -> None:
    client = program(make(replace(settings, proxies=1)))
    client.environ_base["HTTP_X_FORWARDED_PREFIX"] = prefix
    made = send(client)
    job, share = made.json, client.post(made.json["links"]["share"].replace(f"/{prefix.strip('/')}", "", 1)).json
    paths = ["/", "/history", "/nothing", f"/jobs/{job['id']}", "/api/v1/options", f"/api/v1/jobs/{job['id']}",
             "/api/v1/jobs?limit=1", f"/s/{share['url'].rpartition('/')[2]}"]  # fmt: skip
    found = {one for path in paths for one in addresses(client.get(path).text)} | {made.headers["Location"]}
    root = f"/{prefix.strip('/')}/"
    assert len(found) > 20 and {one for one in found if not one.startswith(root)} == set()
    assert share["url"].startswith(f"http://localhost{root}s/")
    assert client.get("/api/v1/openapi.json").json["servers"] == [{"url": root.rstrip("/")}]


def test_the_form_without_script_and_its_cookie_stay_under_the_prefix(behind: Callable[..., object]) -> None:
    page = behind("/", base_url="https://localhost")
    name, _, rest = page.headers["Set-Cookie"].partition("=")
    assert name == "__Secure-unflat" and "; Path=/unflat" in rest and "; Secure" in rest
    assert 'action="/unflat/jobs"' in page.text


def test_without_a_prefix_the_cookie_is_for_the_whole_host(behind: Callable[..., object]) -> None:
    page = behind("/", prefix="", base_url="https://localhost")
    name, _, rest = page.headers["Set-Cookie"].partition("=")
    assert name == "__Host-unflat" and "; Path=/;" in f"{rest};"


@pytest.mark.parametrize("prefix", ["//evil.example", '/a"b', "/a b", "https://evil.example", "/"])
def test_a_prefix_that_is_no_plain_path_is_not_believed(behind: Callable[..., object], prefix: str) -> None:
    assert 'action="/jobs"' in behind("/", prefix=prefix).text


def test_no_prefix_is_believed_where_no_proxy_is_configured(app: Flask) -> None:
    page = app.test_client().get("/", headers={"X-Forwarded-Prefix": PREFIX})
    assert 'action="/jobs"' in page.text


def test_scripts_and_templates_name_no_address_of_their_own() -> None:
    for path in [*(ROOT / "static" / "js").rglob("*.js"), *(ROOT / "templates").glob("*.html")]:
        named = re.findall(r"""["'`](/(?:api|history|jobs|s|samples|static)\b[^"'`]*)""", path.read_text())
        assert named == [], path.name


def test_script_name_of_the_environment(tmp_path: Path) -> None:
    server = Server(tmp_path / "data", UNFLAT_ENGINE="none", SCRIPT_NAME=PREFIX)
    client = Client(server.port, "")
    try:
        assert client.get(f"{PREFIX}/api/v1/openapi.json").json["servers"] == [{"url": PREFIX}]
        assert 'action="/unflat/jobs"' in client.get(f"{PREFIX}/").data.decode()
    finally:
        client.close()
        server.stop()
