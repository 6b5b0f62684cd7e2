"""The web process's side of decoding: a few `decoder` processes, shared fairly, none of them waited for endlessly."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from recon import Limits
from recon.messages import Message
from web_3d_app.files import TOP
from web_3d_app.jobs.decoder import CannotDecode, FilmFacts, Kept
from web_3d_app.logs import get_logger
from web_3d_app.phrasebook import sentence_of
from web_3d_app.problems import Problem, busy

REMEMBERED = 1000
"""Visitors of whom it is known when they last had a turn."""
Who = tuple[str, str]
"""(visitor, address)."""
log = get_logger("decoders")


class Decoders:
    """`count` photos are decoded at a time, one of each visitor; each within `seconds`. Of those who wait, whoever had no
    turn for the longest time is next, addresses before visitors, and who waits for more than `patience` seconds is sent
    away for now. One more place is for an address that has none: tokens are free, so one address may hold all others."""

    def __init__(self, count: int, seconds: float, patience: float = 20.0) -> None:
        self._count, self._seconds, self._patience = count, seconds, patience
        self._changed = threading.Condition()
        self._idle: list[subprocess.Popen[str]] = []
        self._busy: set[Who] = set()
        self._waiting: list[tuple[Who, object]] = []
        self._served: dict[str, float] = {}
        self._closed = False

    def start(self) -> None:
        """Have the processes ready before they are needed."""
        with self._changed:
            while len(self._idle) + len(self._busy) < self._count and not self._closed:
                self._idle.append(_started())

    def decode(self, who: Who, source: Path, target: Path, limits: Limits) -> Kept:
        """Make the photo to keep at `target` of a visitor's upload at `source`. Raises CannotDecode, Problem 422 (it took
        too long, or broke the decoder), Problem 503, or OSError."""
        task = {"source": str(source), "target": str(target), "max_bytes": limits.max_bytes,
                "max_pixels": limits.max_pixels}  # fmt: skip
        return Kept(**self._found(who, task))

    def look(self, who: Who, source: Path) -> FilmFacts:
        """What a visitor's film at `source` says of itself. Raises as `decode` does."""
        return FilmFacts(**self._found(who, {"film": str(source)}))

    def _found(self, who: Who, task: dict[str, Any]) -> dict[str, Any]:
        with self._turn(who):
            found = self._ask(task)
        if "errno" in found:
            raise OSError(found["errno"], found["reason"])
        if "problem" in found:
            raise CannotDecode(
                Message.from_json(found["problem"]), found.get("unknown", False), found.get("missing", "")
            )
        return found

    def close(self) -> None:
        """End the processes that wait, and send away who waits; those at work end with their photo."""
        with self._changed:
            self._closed, idle, self._idle = True, self._idle, []
            self._changed.notify_all()
        for process in idle:
            _end(process)

    @contextmanager
    def _turn(self, who: Who) -> Iterator[None]:
        ticket = (who, object())
        end = time.monotonic() + self._patience
        with self._changed:
            self._waiting.append(ticket)
            try:
                while self._next() is not ticket:
                    if self._closed or not self._changed.wait(end - time.monotonic()):
                        raise busy(sentence_of("server.many_uploads"), "uploads_full")
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
            self._busy.add(who)
        try:
            yield
        finally:
            with self._changed:
                self._busy.discard(who)
                self._served.update(dict.fromkeys((f"visitor {who[0]}", f"address {who[1]}"), time.monotonic()))
                while len(self._served) > REMEMBERED:
                    del self._served[min(self._served, key=self._served.__getitem__)]
                self._changed.notify_all()

    def _next(self) -> tuple[Who, object] | None:
        """Whose turn it is, if there is a place."""
        visitors, addresses = {who[0] for who in self._busy}, {who[1] for who in self._busy}
        able = [ticket for ticket in self._waiting if ticket[0][0] not in visitors]
        if len(self._busy) == self._count:
            able = [ticket for ticket in able if ticket[0][1] not in addresses]
        return None if len(self._busy) > self._count else min(able, key=self._last_turn, default=None)

    def _last_turn(self, ticket: tuple[Who, object]) -> tuple[float, float]:
        visitor, address = ticket[0]
        return self._served.get(f"address {address}", 0.0), self._served.get(f"visitor {visitor}", 0.0)

    def _ask(self, task: dict[str, Any]) -> dict[str, Any]:
        with self._changed:
            process = self._idle.pop() if self._idle else None
        if process is not None and process.poll() is not None:  # somebody killed it while it waited
            _end(process)
            process = None
        process = process or _started()
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(self._seconds, stop)
        timer.daemon = True
        timer.start()
        try:
            found = _answer(process, task)
        finally:
            timer.cancel()
        if found is None:
            _end(process)
            log.warning("a decoder ended", status=process.returncode, late=late.is_set())
            if late.is_set():
                told = sentence_of("server.decoded_too_slowly", seconds=self._seconds)
            else:
                told = sentence_of("server.not_decoded")
            raise Problem(422, "bad_photo", told)
        self._keep(process, found.pop("last"))
        return found

    def _keep(self, process: subprocess.Popen[str], last: bool) -> None:
        """For the next photo, or a fresh one in its place."""
        with self._changed:
            kept = not self._closed and len(self._idle) < self._count
            if kept:
                self._idle.append(_started() if last else process)
            if kept and not last:
                return
        _end(process)


def _started() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "web_3d_app.jobs.decoder"], cwd=TOP, text=True, bufsize=1,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip


def _answer(process: subprocess.Popen[str], task: dict[str, Any]) -> dict[str, Any] | None:
    """None if the process ended over it."""
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(json.dumps(task) + "\n")
        process.stdin.flush()
        found: dict[str, Any] = json.loads(process.stdout.readline())
    except (OSError, ValueError):
        return None
    return found


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None and process.stdout is not None
    with suppress(OSError):
        process.stdin.close()
    try:
        process.wait(2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
