"""The local engine: a thread in the web process that keeps one worker process per lane alive.

Workers are new interpreters (never forks: a forked CUDA or OpenMP runtime hangs). The quick lane's worker starts with the
server, the slow lane's when it is first needed, so that a long job never delays a short one. Of several servers on one
data folder one supervises: who holds the lock file.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from web_3d_app.claims import Claims
from web_3d_app.database import DatabaseBusy
from web_3d_app.logs import get_logger
from web_3d_app.settings import Settings
from web_3d_app.storage import Storage
from web_3d_app.tables import LANES, QUICK

TICK_SECONDS = 1.0
HOUSEKEEPING_SECONDS = 60.0
SHORTEST_LIFE = 5.0
"""A worker that ends sooner is started again only after as long a pause as this, so that a broken one costs little."""
ROOT = Path(__file__).resolve().parents[1]
log = get_logger("supervisor")


@dataclass
class _Child:
    name: str
    lane: str
    process: subprocess.Popen[bytes]
    born: float
    told: float = 0.0  # when it was sent SIGTERM

    def send(self, line: str) -> None:
        with suppress(OSError, ValueError):  # it is ending; the table knows what remains
            assert self.process.stdin is not None
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()

    def hang_up(self) -> None:
        """Close its stdin, which tells it to end."""
        with suppress(OSError, ValueError):
            assert self.process.stdin is not None
            self.process.stdin.close()


class LocalEngine:
    """Supervises the workers of this machine; see `engine.Engine`."""

    def __init__(self, settings: Settings, claims: Claims, storage: Storage, module: str = "web_3d_app.worker") -> None:
        self._settings, self._claims, self._storage, self._module = settings, claims, storage, module
        self._children: dict[str, _Child] = {}
        self._pause_until = dict.fromkeys(LANES, 0.0)
        self._guard, self._ending = threading.RLock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._lock: IO[str] | None = None
        self._cleaned = 0.0

    def start(self) -> None:
        """Begin to supervise in the background."""
        self._thread = threading.Thread(target=self._run, name="supervisor", daemon=True)
        self._thread.start()

    def notify(self, job_id: str) -> None:
        """Wake the workers."""
        with self._guard:
            for child in self._children.values():
                child.send("notify")

    def kill(self, job_id: str) -> None:
        """The worker sees the flag when its next stage begins; one that does not is killed after the grace by `_run`."""
        self.notify(job_id)

    def stop(self) -> None:
        """Close the workers' stdin, wait for the grace, then kill; their jobs wait in the table for the next start."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout=self._settings.grace_seconds + 5)
        with self._guard:
            children, self._children = list(self._children.values()), {}
        for child in children:
            child.hang_up()
        deadline = time.monotonic() + self._settings.grace_seconds
        for child in children:
            try:
                child.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _kill(child.process, signal.SIGKILL)
                child.process.wait()
            self._buried(child)
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                if self._lock is not None or self._elected():
                    self.tick()
            except (DatabaseBusy, OSError) as error:
                log.warning("supervision delayed", error=str(error))
            self._ending.wait(TICK_SECONDS)

    def _elected(self) -> bool:
        """Take the lock and what an earlier server left behind; False if another server has it."""
        lock = (self._settings.folder / "supervisor.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return False
        self._lock = lock
        for row in self._claims.workers():  # no worker of ours outlives its server's pipe for long
            if row.name.startswith("local-"):
                self._claims.abandon(row.name)
                self._claims.gone(row.name)
        return True

    def tick(self) -> None:
        """One look at everything: start, bury, kill, clean up."""
        for lane in LANES:
            child = self._children.get(lane)
            if child is not None and child.process.poll() is not None:
                self._bury(child)
                child = None
            wanted = lane == QUICK or self._claims.waiting(lane)
            if child is None and wanted and time.monotonic() >= self._pause_until[lane] and not self._ending.is_set():
                self._spawn(lane)
            elif child is not None:
                self._stop_overdue(child)
        if time.monotonic() - self._cleaned > HOUSEKEEPING_SECONDS:
            self._cleaned = time.monotonic()
            self._claims.reap()
            self._claims.sweep(self._storage)
            expired = self._claims.expire(self._storage)
            if expired:
                log.info("jobs expired", count=expired)

    def _spawn(self, lane: str) -> None:
        name = f"local-{lane}-{secrets.token_hex(4)}"
        environment = os.environ | self._settings.environment() | {"PYTHONPATH": str(ROOT)}
        environment.pop("SECRET_KEY", None)
        process = subprocess.Popen(
            [sys.executable, "-m", self._module, "--name", name, "--lane", lane],
            stdin=subprocess.PIPE, cwd=ROOT, env=environment, start_new_session=True,
        )  # fmt: skip
        with self._guard:
            self._children[lane] = _Child(name, lane, process, time.monotonic())
        log.info("worker starts", worker=name, pid=process.pid)

    def _bury(self, child: _Child) -> None:
        """A worker ended by itself: its job waits again (or is poisoned), another worker follows."""
        with self._guard:
            self._children.pop(child.lane, None)
        if time.monotonic() - child.born < SHORTEST_LIFE:
            self._pause_until[child.lane] = time.monotonic() + SHORTEST_LIFE
        log.warning("worker ended", worker=child.name, code=child.process.returncode)
        self._buried(child)

    def _buried(self, child: _Child) -> None:
        _kill(child.process, signal.SIGKILL)  # what it may have started
        child.hang_up()
        with suppress(DatabaseBusy):  # then the lease runs out
            self._claims.abandon(child.name)
            self._claims.gone(child.name)

    def _stop_overdue(self, child: _Child) -> None:
        """SIGTERM, and after the grace SIGKILL, for a worker that does not heed a cancellation or takes too long."""
        now = time.time()
        for job in self._claims.held_by(child.name):
            asked = job.cancel_requested_at
            ignored = asked is not None and now - asked > self._settings.grace_seconds
            endless = job.started_at is not None and now - job.started_at > self._settings.job_seconds
            if endless and job.state == "running":
                self._claims.fail_late(job)
            if ignored or endless:
                if not child.told:
                    child.told = now
                    child.process.terminate()
                elif now - child.told > self._settings.grace_seconds:
                    _kill(child.process, signal.SIGKILL)

    @property
    def pids(self) -> dict[str, int]:
        """The worker process of each lane."""
        with self._guard:
            return {lane: child.process.pid for lane, child in self._children.items()}


def _kill(process: subprocess.Popen[bytes], order: signal.Signals) -> None:
    """To the whole group of a worker, which leads one of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, order)
