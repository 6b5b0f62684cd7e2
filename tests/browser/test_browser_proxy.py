"""The whole way of a photo behind a real nginx, under a path of its host, as docs/server.md has it."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bench.server import until
from tests.browser.browser import ROOT, Visit, context_of, running_server

PREFIX = "/unflat"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/sbin")
AROUND = """
{user}
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port};
        {location}
    }}
}}
"""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """Of the application behind nginx with the documented configuration."""
    if NGINX is None:
        pytest.skip("no nginx: apt-get install nginx-light")
    block = re.search(r"```nginx\n(.*?)```", (ROOT / "docs" / "server.md").read_text(), re.DOTALL)
    assert block is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with running_server(tmp_path, UNFLAT_PROXIES="1") as inner:
        location = block[1].replace("http://127.0.0.1:8000", inner)
        user = "user root;" if os.geteuid() == 0 else ""
        (tmp_path / "nginx.conf").write_text(AROUND.format(folder=tmp_path, port=port, location=location, user=user))
        log = (tmp_path / "error.log").open("w")
        nginx = subprocess.Popen([NGINX, "-p", tmp_path, "-c", tmp_path / "nginx.conf"], stderr=log)
        try:
            outer = f"http://127.0.0.1:{port}{PREFIX}"
            until(lambda: answers(f"{outer}/healthz"), 10)
            yield outer
        finally:
            nginx.terminate()
            nginx.wait(10)
            log.close()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def test_a_photo_s_way_behind_a_proxy_under_a_path(chromium: Any, address: str) -> None:
    asked: list[tuple[str, str]] = []
    context = context_of(chromium)
    context.on("request", lambda request: asked.append((request.resource_type, request.url)))
    seen = Visit(context.new_page(), address).upload().until_model().until_ready()
    page = seen.page
    assert page.url.startswith(f"{address}/jobs/")
    assert [cookie["path"] for cookie in context.cookies()] == [PREFIX]
    with page.expect_download() as download:
        page.click("#download-main")
    assert download.value.path().read_bytes()[:4] == b"glTF"
    page.click("#share")
    page.wait_for_selector("#share-box[open]")
    link = page.input_value("#share-url")
    page.keyboard.press("Escape")
    assert link.startswith(f"{address}/s/")

    other = context_of(chromium)
    other.on("request", lambda request: asked.append((request.resource_type, request.url)))
    guest = Visit(other.new_page(), link).open("").until_model()
    other.close()

    page.click("#delete")
    page.click("#delete-yes")
    page.wait_for_url(f"{address}/history")
    page.click(".brand")
    page.wait_for_load_state("networkidle")
    context.close()
    assert seen.complaints == guest.complaints == []
    paths = {(kind, urlsplit(url).path) for kind, url in asked if url.startswith("http")}
    assert {path for _, path in paths if not path.startswith(f"{PREFIX}/")} == set()
    assert {"document", "script", "stylesheet", "image", "eventsource", "xhr", "fetch"} <= {kind for kind, _ in paths}
