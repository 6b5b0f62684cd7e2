"""The real server under visitors who want too much: nobody else waits for them, and it stays small."""

from __future__ import annotations

import gzip
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from web.pictures import pixels_in_few_bytes, small_photo
from web.test_forms import SAMPLE, multipart
from web.test_jobs import together

from bench.photo import phone_photo
from bench.server import Client, Server, form, until
from web_3d_app.jobs.claims import Claims
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.storage import Storage
from web_3d_app.kinds.photo import VIEW
from web_3d_app.settings import Settings

PROMPT = 3.0
"""Seconds within which an upload is answered, whatever another visitor does."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without workers: this is about the web process."""
    few = {"UNFLAT_MAX_STREAMS": "12", "UNFLAT_MAX_STREAMS_EACH": "4", "UNFLAT_SLOW_SECONDS": "3"}
    server = Server(tmp_path_factory.mktemp("crowd"), UNFLAT_ENGINE="none", UNFLAT_MIN_FREE_MIB="0", **few)
    server.client().upload(small_photo(0))  # the decoders are warm
    yield server
    server.stop()


def megabytes(pid: int) -> float:
    """Of memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def web_process(server: Server) -> int:
    return int(Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()[0])


def head(token: str, length: int, boundary: str = "b") -> bytes:
    return (
        f"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: multipart/form-data; boundary={boundary}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def answer_of(line: socket.socket) -> tuple[int, dict]:
    response = http.client.HTTPResponse(line)
    response.begin()
    return response.status, json.loads(response.read())


def assert_served(server: Server, count: int = 3) -> None:
    """Somebody else uploads photos."""
    for i in range(count):
        begin = time.monotonic()
        answer = server.client().upload(small_photo(i))
        assert answer.status == 202
        assert time.monotonic() - begin < PROMPT


@pytest.mark.parametrize(
    ("size", "made"), [(2e5, (85, 6, 1.2e6)), (2e6, (75, 12, 12e6)), (12e6, (98, 52, 12e6)), (31e6, (100, 127, 17e6))]
)
def test_photos_of_every_size_by_a_socket(server: Server, size: float, made: tuple[int, int, float]) -> None:
    """Real JPEGs, in pieces that fit nothing."""
    photo = phone_photo(SAMPLE, *made)
    assert 0.75 * size < len(photo) < 1.25 * size, len(photo)
    boundary = "-" * 27 + f"{size:.0f}"
    body = multipart(photo, boundary, "Ferien am Meer.jpg", {"surface": "grid"}, size < 3e6)
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(head(server.client().token, len(body), boundary))
        for start in range(0, len(body), 65_521):
            line.sendall(body[start : start + 65_521])
        status, told = answer_of(line)
    assert (status, told.get("title")) == (202, "Ferien am Meer"), told


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_a_phones_photo_by_curl(server: Server, tmp_path: Path) -> None:
    file = tmp_path / "Zoë in Kyōto 海.jpg"
    file.write_bytes(phone_photo(SAMPLE))
    assert 3e6 < file.stat().st_size < 6e6
    token, address = server.client().token, f"http://127.0.0.1:{server.port}/api/v1/jobs"
    asked = [
        "curl",
        "-s",
        "-H",
        f"Authorization: Bearer {token}",
        "-F",
        f"photo=@{file}",
        "-F",
        "surface=grid",
        address,
    ]
    told = json.loads(subprocess.run(asked, capture_output=True, check=True, timeout=60).stdout)
    assert told["title"] == "Zoë in Kyōto 海" and told["photo"]["width"] * told["photo"]["height"] > 11.9e6


def test_the_quota_is_exact_however_many_come_at_once(server: Server) -> None:
    token = server.client().token
    sent = [small_photo(i) for i in range(60)]

    def upload(i: int) -> int:
        client = server.client(token)
        while (status := client.upload(sent[i]).status) == 503:
            time.sleep(0.05)
        return status

    answers = together(60, upload)
    assert (answers.count(202), answers.count(429)) == (20, 40)


def test_slow_uploads_are_cut_and_hold_nobody_up(server: Server) -> None:
    """Connections that say nothing, that begin a request, and that begin an upload; many more than there are threads."""
    token = server.client().token
    body = form(phone_photo(SAMPLE))[1]
    lines = []
    try:
        for i in range(180):
            line = socket.create_connection(("127.0.0.1", server.port))
            lines.append(line)
            line.sendall([b"", b"POST /api/v1/jobs HT", head(token, len(body)) + body[:1000]][i % 3])
        begin = time.monotonic()
        assert_served(server)
        slow = lines[2]
        slow.settimeout(30)
        status, told = answer_of(slow)
        assert (status, told["error"]["code"]) == (408, "too_slow")
        assert 2 < time.monotonic() - begin < 15
    finally:
        for line in lines:
            line.close()
    until(lambda: server.client().get("/healthz").status == 200)


def test_an_upload_that_is_slow_but_comes_is_taken(server: Server) -> None:
    """150 kB in 4 s: longer than the first seconds, and faster than the lowest rate."""
    photo = small_photo(3) + bytes(150_000)
    body = multipart(photo, "b", "a.jpg", {}, True)
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(head(server.client().token, len(body)))
        for start in range(0, len(body), len(body) // 8):
            line.sendall(body[start : start + len(body) // 8])
            time.sleep(0.45)
        assert answer_of(line)[0] == 202


def opens(viewer: Client, link: str) -> bool:
    """Whether a stream of events began; where it did not, the connection can be used again."""
    answer = viewer.ask("GET", link)
    return answer.status == 200 or not answer.read()


def test_one_visitor_cannot_take_all_streams(server: Server) -> None:
    greedy, other = server.client(), server.client()
    links = [one.upload(small_photo(0)).json["links"]["events"] for one in (greedy, other)]
    viewers = [server.client(greedy.token) for _ in range(9)]
    statuses = [viewer.ask("GET", links[0]).status for viewer in viewers]
    assert sorted(statuses) == [200] * 4 + [503] * 5
    stream = other.ask("GET", links[1])
    assert stream.status == 200 and stream.readline() == b"retry: 2000\n"
    for viewer in (*viewers, other):
        viewer.close()


def test_one_address_cannot_take_all_streams_with_many_tokens(server: Server) -> None:
    links = []
    for _ in range(4):
        client = server.client()
        link = client.upload(small_photo(0)).json["links"]["events"]
        links += [(server.client(client.token), link) for _ in range(3)]
    for viewer, link in links[:8]:
        until(lambda viewer=viewer, link=link: opens(viewer, link))  # clients of the test before leave their places
    refused = [viewer.ask("GET", link).status for viewer, link in links[8:]]
    assert refused == [503] * 4  # the rest is for other addresses
    for viewer, _ in links:
        viewer.close()


def test_a_file_is_whole_whether_its_client_takes_gzip_or_not(server: Server, tmp_path: Path) -> None:
    """gunicorn sends files by their number, which of a gzipped one is not what was asked for."""
    client, settings = server.client(), Settings(data=str(server.data))
    job = client.upload(small_photo(0)).json
    database, storage, data = Database(settings.database_url), Storage(settings.storage_url), b"ply of words " * 99_999
    (tmp_path / "mesh.ply").write_bytes(data)
    claims = Claims(database, 60)
    while (claimed := claims.claim("w", [VIEW.name])) is not None and claimed.id != job["id"]:
        claims.finish(claimed)
    claims.add(storage, claimed, [("mesh.ply", "mesh", "model/ply", tmp_path / "mesh.ply")])
    url = client.get(job["links"]["self"]).json["artefacts"][-1]["url"]
    assert client.get(url).data == data
    assert gzip.decompress(client.get(url, Accept_Encoding="gzip").data) == data
    part = client.get(url, Range="bytes=999990-1000009")
    assert (part.status, part.data) == (206, data[999990:1000010])
    database.close()


@pytest.mark.parametrize("body", [b"zz\r\nno size", b"-5\r\nhello\r\n", b"3\r\nlonger than told\r\n"])
def test_a_body_in_chunks_that_are_none_is_no_form(server: Server, body: bytes) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(head(server.client().token, 0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + body)
        status, told = answer_of(line)
    assert (status, told["error"]["code"]) == (400, "bad_form")


def test_invented_methods_and_paths_do_not_grow_the_metrics(server: Server) -> None:
    client = server.client()
    for method in ("GET", "BREW"):
        _asked(server, method, "/nothing")
    before = len(client.get("/metrics").data)
    for i in range(300):
        _asked(server, f"BREW{i}", f"/nothing/{i}")
    assert len(client.get("/metrics").data) < before + 3000


def _asked(server: Server, method: str, path: str) -> int:
    client = Client(server.port, "")
    status = client.ask(method, path).status
    client.close()
    return status


def test_forwarded_headers_are_not_believed_without_a_proxy(server: Server) -> None:
    client = server.client()
    job = client.upload(small_photo(0)).json
    forged = {
        "X_Forwarded_Proto": "https",
        "X_Forwarded_Host": "evil.example",
        "X_Forwarded_Ssl": "on",
        "Forwarded": "proto=https",
    }
    url = client.post(job["links"]["share"], None, **forged).json["url"]
    assert url.startswith(f"http://127.0.0.1:{server.port}/s/")


def test_large_pictures_in_few_bytes_hold_nobody_up(server: Server) -> None:
    """Thirty at once by one visitor: others are answered, the server stays small, and who is refused hears when to come
    again. (The last test: what waits here ends with the server.)"""
    picture = pixels_in_few_bytes(8160, 6120)
    assert len(picture) < 150_000
    web, before = web_process(server), megabytes(web_process(server))
    bully = server.client()
    refused: list[tuple[int, str | None]] = []

    def flood() -> None:
        client = server.client(bully.token)
        with suppress(OSError, http.client.HTTPException):
            answer = client.upload(picture, surface="grid")
            if answer.status != 202:
                refused.append((answer.status, answer.headers["Retry-After"]))

    for _ in range(30):
        threading.Thread(target=flood, daemon=True).start()
    until(lambda: bully.get("/api/v1/jobs").json["jobs"])  # one of them was decoded meanwhile
    for _ in range(4):
        assert_served(server, 1)
        assert megabytes(web) - before < 100
    assert set(refused) == {(503, "5")}
    begin = time.monotonic()
    server.stop()
    assert time.monotonic() - begin < 14
