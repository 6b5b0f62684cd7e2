"""gunicorn's threaded worker with less patience: no thread waits for a client that has not sent its headers, a body that
hardly comes is cut, and a client that does not take its answer is let go.

gunicorn itself reads in its threads, for as long as a client likes; 64 clients that send one byte and no more would be all
that it serves. And its main loop waits for 2 seconds for each client that does not hang up when its connection ends.
"""

from __future__ import annotations

import errno
import resource
import selectors
import socket
import struct
import time
from collections import Counter, deque
from functools import partial
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

from web_3d_app.polling import wait_readable
from web_3d_app.settings import Settings

HEAD_SECONDS = 5.0
"""For all headers of a request; until then the main loop holds the connection."""
LONGEST_HEAD = 1 << 16
SEND_SECONDS = 30
"""Without a byte taken, before an answer is given up."""
DRAIN_SECONDS = 0.2
"""For a thread to see the rest of a body that nobody read; longer ones are left to the main loop."""
LINGER_SECONDS = 10.0
"""For a client to read the answer to what it still sends: hung up on, it would not see it."""
MOST_OF_ONE_ADDRESS, MOST = 512, 2000
"""Connections; the first where no proxy stands in front."""
MOST_FILES = 8192
PULL = 1 << 16


class PatientSocket(socket.socket):
    """A client's connection. A read raises TimeoutError where a request is slower than `lowest_rate` (bytes per second)
    after its first seconds."""

    def __init__(
        self, plain: socket.socket, lowest_rate: float, seconds: float, open_ones: Counter[str], who: str
    ) -> None:
        super().__init__(plain.family, plain.type, plain.proto, plain.detach())
        self.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        self._rate, self._seconds, self._open_ones, self._who = lowest_rate, seconds, open_ones, who
        self._counted = True
        open_ones[who] += 1
        self.begin(b"")

    def begin(self, early: bytes) -> None:
        """The next request; `early`: what has come of it already."""
        self.head, self._received, self._since = bytearray(early), 0, 0.0

    def pull(self) -> bool:
        """Take what is there, without waiting; False if the client left."""
        try:
            data = super().recv(PULL)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.head += data
        return bool(data)

    def discard(self) -> bool:
        """The same, for nobody."""
        there = self.pull()
        self.head.clear()
        return there

    def has_head(self) -> bool:
        """Whether all headers are there."""
        return b"\r\n\r\n" in self.head or b"\n\n" in self.head

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        """As of any socket, but within the time that the request has."""
        if flags:
            return super().recv(size, flags)
        if self.head:
            data = bytes(self.head[:size])
            del self.head[:size]
            self._received += len(data)
            return data
        now = time.monotonic()
        self._since = self._since or now
        left = self._since + self._seconds + self._received / self._rate - now
        patience = self.gettimeout()  # while gunicorn drains
        wait = left if patience is None else min(left, patience)
        if not wait_readable(self, max(wait, 0.0)):
            raise TimeoutError(errno.ETIMEDOUT, "the request comes too slowly")
        data = super().recv(size)
        self._received += len(data)
        return data

    def close(self) -> None:
        """Hang up."""
        if self._counted:
            self._counted = False
            self._open_ones[self._who] -= 1
            self._open_ones += Counter()
        super().close()


class PatientWorker(ThreadWorker):
    """The worker class of gunicorn.conf.py."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.worker_connections = MOST
        _allow_files()
        self._settings = Settings.from_env()
        self._open_ones: Counter[str] = Counter()
        self._leaving: deque[Any] = deque()

    def enqueue_req(self, conn: Any) -> None:
        """A connection on which a request may begin: to a thread as soon as its headers are there."""
        if not isinstance(conn.sock, PatientSocket):
            who = str(conn.client[0]) if isinstance(conn.client, tuple) else "local"
            conn.sock = PatientSocket(
                conn.sock, 1024 * self._settings.min_rate, self._settings.slow_seconds, self._open_ones, who
            )
            if not self._settings.proxies and self._open_ones[who] > MOST_OF_ONE_ADDRESS:
                self._hang_up(conn)
                return
        conn.sock.begin(conn.parser.unreader.take_buffered() if conn.parser is not None else b"")
        if conn.sock.has_head():
            self._serve(conn)
            return
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def on_pending_socket_readable(self, conn: Any, client: PatientSocket) -> None:
        """More of a request's headers, or the client's end."""
        there = client.pull()
        if there and not client.has_head() and len(client.head) < LONGEST_HEAD:
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        if there and client.has_head():
            self._serve(conn)
        else:
            self._hang_up(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """After an answer: the next request, or the end."""
        if fs.cancelled() or fs.exception() is not None or fs.result():
            super().finish_request(conn, fs)
            return
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client was faster
            self._hang_up(conn)
            return
        conn.timeout = time.monotonic() + LINGER_SECONDS
        self._leaving.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._see_off, conn))

    def _see_off(self, conn: Any, client: PatientSocket) -> None:
        """More of what is for nobody, or the client's end."""
        if not client.discard():
            self._leaving.remove(conn)
            self._gone(conn)

    def murder_pending(self) -> None:
        """Hang up on those who took too long to begin, or to leave."""
        super().murder_pending()
        while self._leaving and (not self.alive or self._leaving[0].timeout < time.monotonic()):
            self._gone(self._leaving.popleft())

    def _gone(self, conn: Any) -> None:
        self.poller.unregister(conn.sock)
        self._hang_up(conn)

    def _serve(self, conn: Any) -> None:
        conn.data_ready = True
        super().enqueue_req(conn)

    def _hang_up(self, conn: Any) -> None:
        self.nr_conns -= 1
        conn.close()

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        return bool(keepalive and conn.parser.finish_body(deadline=time.monotonic() + DRAIN_SECONDS))


def _allow_files() -> None:
    """As many open files as the system lets us have: without one left, gunicorn's main loop would end."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
