"""The real server (`python app.py`) on a free port, and a plain HTTP client: for measurements and for tests."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120.0
"""Seconds after which something that should happen counts as missing."""


class Server:
    """A running server. variables: settings, e.g. `UNFLAT_MAX_STREAMS="2"`. Its log is `server.log` in the data folder."""

    def __init__(self, data: Path, **variables: str) -> None:
        data.mkdir(parents=True, exist_ok=True)
        ours = {"UNFLAT_DATA": str(data), "UNFLAT_PORT": "0", "UNFLAT_CREATE_RATE": "none", "PYTHONPATH": str(ROOT)}
        with (data / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py"], cwd=ROOT, env=os.environ | ours | variables, stdout=subprocess.PIPE,
                stderr=log, start_new_session=True,
            )  # fmt: skip
        assert self.process.stdout is not None
        said = self.process.stdout.readline().decode()
        self._clients: list[Client] = []
        self.data, self.port = data, int(said.rpartition(":")[2].partition("/")[0] or 0)
        if not self.port:
            raise RuntimeError(f"the server did not start: {(data / 'server.log').read_text()[-2000:]}")

    def client(self, token: str = "") -> Client:
        """A new connection for the visitor of a token, or for a new one; closed when the server is stopped."""
        client = Client(self.port, token)
        self._clients.append(client)
        client.token = token or client.post("/api/v1/visitors").json["token"]
        return client

    def wait_until_ready(self) -> Server:
        """Until the workers are warm."""
        client = self.client()
        until(lambda: client.get("/readyz").status == 200)
        return self

    def workers(self) -> dict[str, int]:
        """The worker process of each crew."""
        import sqlite3

        database = sqlite3.connect(self.data / "jobs.sqlite")
        rows = database.execute("SELECT crew, pid FROM workers ORDER BY heartbeat_at").fetchall()
        database.close()
        return dict(rows)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> float:
        """End it as a service manager does, or with SIGKILL as a crash does; returns the seconds that this took."""
        begin = time.monotonic()
        if self.process.poll() is None:
            if how == signal.SIGKILL:
                os.killpg(self.process.pid, how)  # gunicorn's two processes; workers have groups of their own
            else:
                self.process.send_signal(how)
            self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()
        for client in self._clients:
            client.close()
        return time.monotonic() - begin


class Answer:
    """What came back, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status, self.headers, self.data = response.status, response.headers, response.read()

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class Client:
    """One connection that is kept alive, and a visitor's token."""

    def __init__(self, port: int, token: str) -> None:
        self.connection, self.token = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE), token

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> http.client.HTTPResponse:
        """Send a request; the answer is still to be read."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        try:
            self.connection.request(method, path, body, given)
            return self.connection.getresponse()
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):  # kept alive for too long
            self.connection.close()
            self.connection.request(method, path, body, given)
            return self.connection.getresponse()

    def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return Answer(self.ask("GET", path, None, **headers))

    def post(self, path: str, body: bytes | None = None, **headers: str) -> Answer:
        """POST."""
        return Answer(self.ask("POST", path, body or b"", **headers))

    def upload(self, photo: bytes, headers: dict[str, str] | None = None, **fields: str) -> Answer:
        """Make a job of a photo."""
        content_type, body = form(photo, **fields)
        return self.post("/api/v1/jobs", body, Content_Type=content_type, **headers or {})

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        """The jobs of an event stream, until it ends."""
        stream = self.ask("GET", path)
        for line in stream:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])

    def close(self) -> None:
        """Hang up."""
        self.connection.close()


def form(photo: bytes, **fields: str) -> tuple[str, bytes]:
    """(content type, body) of a form with a photo."""
    boundary = secrets.token_hex(16)
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]  # fmt: skip
    parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="photo"; filename="photo.jpg"\r\n\r\n'.encode())
    return f"multipart/form-data; boundary={boundary}", b"".join([*parts, photo, f"\r\n--{boundary}--\r\n".encode()])


def until(reached: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """What `reached` gives as soon as it is true. Raises TimeoutError."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        found = reached()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"nothing for {patience:.0f} s")
