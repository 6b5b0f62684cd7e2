"""Server-sent events: the whole job at each change, with its `seq` as the id.

A missed event costs nothing, because the next one holds everything; a client that comes back with Last-Event-ID gets the
newest state if it is newer. Streams are few (each holds a thread) and short (proxies and sleeping phones lose them anyway),
and end as soon as their client has gone. One look at the table serves all of them.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from flask import Response, request, stream_with_context

from web_3d_app.http.job_json import job_json
from web_3d_app.http.limits import take_stream
from web_3d_app.jobs.sequence_poller import LOOK_SECONDS
from web_3d_app.jobs.tables import FINAL, Job
from web_3d_app.polling import wait_readable
from web_3d_app.problems import Problem
from web_3d_app.services import services

PING_SECONDS = 15.0
RETRY_MS = 2000


def send_events(find: Callable[[], Job], shared: bool = False) -> Response:
    """A stream of the job that `find` gives, until it ends, its time is over or the client goes.

    204 (which stops an EventSource) for an ended job of which the client has the last state. Raises Problem 404, 410, 503.
    """
    job = find()
    last = request.headers.get("Last-Event-ID", "")
    seen = int(last) if last.isascii() and last.isdigit() and len(last) < 10 else 0
    if job.state in FINAL and seen >= job.seq:
        return Response(status=204)
    give_back = take_stream()
    response = Response(stream_with_context(_stream(find, job, seen, shared)), mimetype="text/event-stream")
    response.call_on_close(give_back)  # also where the client goes before the first byte
    response.headers["Cache-Control"] = "no-cache"
    response.headers["X-Accel-Buffering"] = "no"
    return response


def _stream(find: Callable[[], Job], job: Job, seen: int, shared: bool) -> Iterator[str]:
    yield f"retry: {RETRY_MS}\n\n"
    end = time.monotonic() + services().settings.stream_seconds
    spoke = time.monotonic()
    ending = services().ending
    with services().poller.on(job.id) as newest:
        while True:
            if job.seq > seen:
                seen, spoke = job.seq, time.monotonic()
                yield f"id: {seen}\nevent: job\ndata: {json.dumps(job_json(job, shared))}\n\n"
            if job.state in FINAL or time.monotonic() > end or ending.is_set():
                return
            if time.monotonic() - spoke > PING_SECONDS:
                spoke = time.monotonic()
                yield ": ping\n\n"
            until = min(end, spoke + PING_SECONDS)
            while newest() == seen and time.monotonic() < until:
                if ending.wait(LOOK_SECONDS) or _client_left():
                    return
            try:
                job = find()
            except Problem:  # deleted, or no longer shared
                return


def _client_left() -> bool:
    """Whether the other end closed the connection; only gunicorn tells the socket."""
    connection = request.environ.get("gunicorn.socket")
    if not isinstance(connection, socket.socket):
        return False
    with suppress(OSError, ValueError):
        return wait_readable(connection, 0) and connection.recv(1, socket.MSG_PEEK) == b""
    return True
