"""The real server with its real workers, by one command, as people meet it: many at once, and with everything that can
happen to it."""

from __future__ import annotations

import gzip
import os
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from web.pictures import small_photo
from web.test_jobs import together

from bench.server import Client, Server, form, until
from web_3d_app.jobs.transport import is_packed

Start = Callable[..., Server]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Begin servers on one data folder; they are killed in the end."""
    servers = []

    def begin(**variables: str) -> Server:
        usual = {"UNFLAT_PREVIEW_SECONDS": "0", "UNFLAT_FILM_SECONDS": "0", "UNFLAT_GRACE_SECONDS": "2"}
        servers.append(Server(tmp_path / "data", **usual | variables))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


def rows(server: Server, query: str) -> list[Any]:
    database = sqlite3.connect(server.data / "jobs.sqlite")
    found = database.execute(query).fetchall()
    database.close()
    return found


def nothing_is_left_over(server: Server) -> None:
    """Every file in the store belongs to an artefact, every artefact has its file, and no worker left a temporary one. A
    worker tidies just after it has ended a job, hence the patience."""
    until(lambda: rows(server, "SELECT count(*) FROM jobs WHERE lease_owner IS NOT NULL") == [(0,)])
    store, work = server.data / "files", server.data / "work"

    def size(path: Path) -> int:
        return len(gzip.decompress(path.read_bytes())) if is_packed(path.name) else path.stat().st_size

    def look() -> tuple[dict[str, int], list[Path]]:
        files = {path.relative_to(store).as_posix(): size(path) for path in store.rglob("*") if path.is_file()}
        return files, list(work.glob("*/unflat-*"))

    right = (dict(rows(server, "SELECT key, bytes FROM artefacts")), [])
    with suppress(TimeoutError, FileNotFoundError):
        until(lambda: look() == right, 30)
    assert look() == right


def ended(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    """The job in its final state."""
    return until(lambda: (now := client.get(job["links"]["self"]).json)["state"] in ("done", "failed") and now)


def test_twenty_people_at_once_who_click_twice(start: Start) -> None:
    """Nothing is lost, nothing is done twice, nothing is left over."""
    server = start(UNFLAT_LOG="json").wait_until_ready()
    clients = [server.client() for _ in range(20)]
    people = [*clients, *(server.client(client.token) for client in clients)]

    def upload(i: int) -> Any:
        key = {"Idempotency_Key": f"click-{i % 20}"}
        return people[i].upload(small_photo(i % 20), key, surface="grid")

    answers = together(40, upload)
    assert [answer.status for answer in answers] == [202] * 40
    jobs = [answer.json for answer in answers]
    assert [job["id"] for job in jobs[:20]] == [job["id"] for job in jobs[20:]]
    assert len({job["id"] for job in jobs}) == 20
    assert sum(answer.headers["Idempotency-Replayed"] == "true" for answer in answers) == 20
    done = [ended(client, job) for client, job in zip(clients, jobs, strict=False)]
    assert {job["state"] for job in done} == {"done"}
    for client, job in zip(clients, done, strict=True):
        names = [file["name"] for file in job["artefacts"]]
        assert len(names) == len(set(names)) and {"points_view.ply", "grid.glb", "mesh.ply", "report.json"} <= set(
            names
        )
        grid = next(file for file in job["artefacts"] if file["kind"] == "grid")
        assert client.get(grid["url"]).data[:4] == b"glTF"
        assert job["attempt"] == 2  # one claim per lane
    nothing_is_left_over(server)


@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_a_server_that_ends_with_jobs_queued_and_running_goes_on_where_it_was(
    start: Start, how: signal.Signals
) -> None:
    server = start()
    client = server.client()
    jobs = [client.upload(small_photo(i), surface="poisson").json for i in range(4)]
    until(lambda: rows(server, "SELECT id FROM jobs WHERE state = 'running'"))
    workers = until(lambda: len(found := server.workers()) == 3 and found)
    server.stop(how)
    states = {state for (state,) in rows(server, "SELECT state FROM jobs")}
    assert states & {"queued", "running"}
    if how == signal.SIGTERM:  # everything was given back
        assert "running" not in states and server.workers() == {}
    after = start()
    client = after.client(client.token)
    for job in jobs:
        assert ended(client, job)["state"] == "done"
    assert all(job["tries_left"] >= 2 for job in _dicts(after, "tries_left"))
    until(lambda: not any(_alive(pid) for pid in workers.values()))
    nothing_is_left_over(after)


def _dicts(server: Server, *columns: str) -> list[dict[str, Any]]:
    return [dict(zip(columns, row, strict=True)) for row in rows(server, f"SELECT {', '.join(columns)} FROM jobs")]


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.slow  # test_faults does the same to a part of the server, in every stage
def test_a_killed_worker_is_followed_by_another_which_does_its_job(start: Start) -> None:
    server = start().wait_until_ready()
    client, before = server.client(), server.workers()
    job = client.upload(small_photo(0)).json
    killed = {before[crew] for crew in ("quick", "heavy")}
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    assert ended(client, job)["state"] == "done"
    assert not killed & set(server.workers().values())
    nothing_is_left_over(server)


class TestOneServer:
    """Clients that are strange or leave: a server without workers is enough."""

    @pytest.fixture(scope="class")
    def server(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        data = tmp_path_factory.mktemp("one")
        server = Server(data, UNFLAT_ENGINE="none", UNFLAT_MAX_STREAMS="2", UNFLAT_MIN_FREE_MIB="0")
        yield server
        server.stop()

    def test_a_client_that_vanishes_in_the_middle_of_its_upload(self, server: Server) -> None:
        content_type, body = form(small_photo(0) * 100)
        head = f"POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {server.client().token}\r\n"
        head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        before = rows(server, "SELECT count(*) FROM jobs")
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.port)) as line:
                line.sendall(head.encode() + body[: len(body) // 2])
        until(lambda: (server.data / "server.log").read_text().count("path=/api/v1/jobs status=") >= 5)
        log = (server.data / "server.log").read_text()
        assert "Traceback" not in log and " status=500" not in log
        assert rows(server, "SELECT count(*) FROM jobs") == before
        assert server.client().upload(small_photo(0)).status == 202

    def test_a_client_that_vanishes_in_the_middle_of_its_stream(self, server: Server) -> None:
        client = server.client()
        link = client.upload(small_photo(0)).json["links"]["events"]
        for _ in range(3):  # two streams are allowed at a time
            viewers = []
            for _ in range(2):
                viewer = server.client(client.token)
                until(lambda viewer=viewer: _begun(viewer, link), 10)
                viewers.append(viewer)
            assert client.get(link).json["error"]["code"] == "streams_full"
            for viewer in viewers:
                viewer.close()

    @pytest.mark.parametrize(
        ("line", "header", "status"),
        [
            ("GET /" + "a" * 5000 + " HTTP/1.1", "", 414),
            ("GET /?" + "a" * 5000 + " HTTP/1.1", "", 414),
            ("GET / HTTP/1.1", "X-Long: " + "a" * 9000, 431),
            ("GET / HTTP/1.1", "\r\n".join(f"X-{i}: 1" for i in range(200)), 431),
            ("NONSENSE", "", 400),
            ("GET / HTTP/1.1", "Content-Length: many", 400),
            ("POST /api/v1/jobs HTTP/1.1", "Transfer-Encoding: chunked\r\nContent-Length: 5", 400),
            ("GET /healthz HTTP/1.1", "", 200),
        ],
    )
    def test_strange_requests(self, server: Server, line: str, header: str, status: int) -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(f"{line}\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n".encode())
            answer = b""
            while part := connection.recv(4096):
                answer += part
        assert int(answer.split()[1]) == status

    def test_too_much_is_refused_whether_its_length_is_told_or_not(self, server: Server) -> None:
        client = server.client()
        content_type, body = form(b"x" * (34 * 2**20))
        for told in (True, False):
            data = body if told else iter([body])
            headers = {"Authorization": f"Bearer {client.token}", "Content-Type": content_type}
            try:
                client.connection.request("POST", "/api/v1/jobs", data, headers, encode_chunked=not told)
            except (BrokenPipeError, ConnectionResetError):  # it did not listen to the end
                client.close()
                continue
            answer = client.connection.getresponse()
            assert answer.status == 413
            client.close()
        assert client.get("/api/v1/jobs").json["jobs"] == []

    def test_streams_do_not_hold_up_the_end(self, server: Server) -> None:
        client = server.client()
        job = client.upload(small_photo(1)).json
        stream = client.ask("GET", job["links"]["events"])
        assert stream.readline() == b"retry: 2000\n"
        assert server.stop() < 14  # else gunicorn waits 15 s for the stream


def _begun(viewer: Client, link: str) -> bool:
    answer = viewer.ask("GET", link)
    if answer.status == 200:
        return answer.readline() == b"retry: 2000\n"
    answer.read()
    return False
