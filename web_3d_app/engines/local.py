"""The local engine: a thread in the web process that keeps one worker process per crew alive.

Workers are new interpreters (never forks: a forked CUDA or OpenMP runtime hangs). One that ends by itself is followed by
another, after pauses that grow if that goes on. Of several servers on one data folder one supervises: who holds the lock
file.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from web_3d_app.clock import Awake, is_stopped
from web_3d_app.files import TOP
from web_3d_app.jobs.claims import Claims
from web_3d_app.jobs.database import DatabaseBusy
from web_3d_app.jobs.outcomes import TIMEOUT
from web_3d_app.jobs.tables import Job
from web_3d_app.kinds.base import CREWS
from web_3d_app.logs import get_logger
from web_3d_app.settings import Settings

TICK_SECONDS = 1.0
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""Before a worker is started again: doubled each time, so that a broken installation costs little."""
LONG_LIFE = 60.0
"""After so many seconds a worker counts as sound, and the pauses begin anew."""
STANDSTILL_SECONDS = 10.0
"""Between two looks no more is counted: this process was stopped, or the machine slept, and the workers perhaps too."""
GIVE_BACK_SECONDS = 3.0
"""After the grace a worker has so long to give its job back itself."""
log = get_logger("supervisor")


@dataclass
class _Child:
    name: str
    crew: str
    process: subprocess.Popen[bytes]
    folder: Path
    born: float
    told: float | None = None  # seconds since it was sent SIGTERM
    unwanted: dict[tuple[str, int], float] = field(default_factory=dict)  # seconds since a try was seen to be cancelled

    def count(self, held: Sequence[Job], seconds: float) -> None:
        """So much time has passed."""
        asked = [job for job in held if job.cancel_requested_at is not None]
        self.unwanted = {try_of(job): self.unwanted.get(try_of(job), -seconds) + seconds for job in asked}
        self.told = None if self.told is None else self.told + seconds

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


def try_of(job: Job) -> tuple[str, int]:
    """What names one try of a job."""
    return job.id, job.attempt


@dataclass
class _Restarts:
    """When a crew may have its next worker; times in seconds of one clock."""

    pause: float = 0.0
    earliest: float = 0.0

    def ended(self, now: float, lived: float) -> float:
        """A worker ended by itself; returns the pause until the next."""
        self.pause = FIRST_PAUSE if lived >= LONG_LIFE else min(max(FIRST_PAUSE, 2 * self.pause), LONGEST_PAUSE)
        self.earliest = now + self.pause
        return self.pause

    def due(self, now: float) -> bool:
        """Whether one may start."""
        return now >= self.earliest


class LocalEngine:
    """Supervises the workers of this machine; see `base.Engine`."""

    def __init__(self, settings: Settings, claims: Claims, module: str = "web_3d_app.work.worker") -> None:
        self._settings, self._claims, self._module = settings, claims, module
        self._children: dict[str, _Child] = {}
        self._restarts = {crew: _Restarts() for crew in CREWS}
        self._guard, self._ending, self._stopping = threading.RLock(), threading.Event(), threading.Lock()
        self._owed: list[
            tuple[str, bool]
        ] = []  # workers that ended while the database was locked, and whether blameless
        self._awake = Awake(STANDSTILL_SECONDS)
        self._looked, self._vouched = self._awake(), self._awake()
        self._thread: threading.Thread | None = None
        self._lock: IO[str] | None = None

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
        """Close the workers' stdin, wait for the grace, then kill; their jobs wait in the table for the next start, and no
        try is lost by that. A second call waits for the first."""
        self._ending.set()
        with self._stopping:
            if self._thread is not None:
                self._thread.join(timeout=self._settings.grace_seconds + 5)
            with self._guard:
                children, self._children = list(self._children.values()), {}
            sound = [child for child in children if child.process.poll() is None]
            for child in children:
                child.hang_up()
            deadline = time.monotonic() + self._settings.grace_seconds + GIVE_BACK_SECONDS
            for child in children:
                try:
                    child.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    _kill(child.process, signal.SIGKILL)
                    child.process.wait()
                self._clean_up_after(child, blameless=child in sound)
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
            if row.name.startswith(self._prefix):
                self._claims.abandon(row.name, blameless=_is_worker(row.pid))  # one that lives did nothing wrong
                self._claims.gone(row.name)
        return True

    @property
    def _prefix(self) -> str:
        """How the names of this data folder's workers begin: other servers on the same database have theirs."""
        where = f"{socket.gethostname()}:{self._settings.folder}"
        return f"local-{hashlib.sha256(where.encode()).hexdigest()[:6]}-"

    @property
    def _folder(self) -> Path:
        """Where workers have their temporary files."""
        return self._settings.folder / "work"

    def tick(self) -> None:
        """One look at every worker: start, replace, kill."""
        self._claims.awake()
        now = self._awake()
        passed, self._looked = now - self._looked, now
        self._settle()
        vouch = now - self._vouched > self._settings.lease_seconds / 6
        for crew in CREWS:
            child = self._children.get(crew)
            if child is not None and child.process.poll() is not None:
                self._replace_ended(child)
                child = None
            if child is not None:
                self._stop_overdue(child, passed, vouch)
            elif self._restarts[crew].due(time.monotonic()) and not self._ending.is_set():
                self._spawn(crew)
        self._vouched = now if vouch else self._vouched
        in_use = {child.folder for child in self._children.values()}
        for folder in set(self._folder.glob("*")) - in_use:  # of workers that were killed, or outlived their server
            shutil.rmtree(folder, ignore_errors=True)

    def _spawn(self, crew: str) -> None:
        name = f"{self._prefix}{crew}-{secrets.token_hex(4)}"
        folder = self._folder / name
        folder.mkdir(parents=True)
        environment = os.environ | self._settings.environment() | {"PYTHONPATH": str(TOP), "TMPDIR": str(folder)}
        environment.pop("SECRET_KEY", None)
        process = subprocess.Popen(
            [sys.executable, "-m", self._module, "--name", name, "--crew", crew],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=TOP, env=environment, start_new_session=True,
        )  # fmt: skip
        child = _Child(name, crew, process, folder, time.monotonic())
        with self._guard:
            self._children[crew] = child
        threading.Thread(target=self._relay, args=(child,), daemon=True).start()
        log.info("worker starts", worker=name, pid=process.pid)

    def _relay(self, child: _Child) -> None:
        """A line from one worker wakes all, until it ends."""
        assert child.process.stdout is not None
        with child.process.stdout as lines:
            for _ in lines:
                self.notify("")

    def _replace_ended(self, child: _Child) -> None:
        """A worker ended by itself: its job waits again (or is poisoned), another worker follows."""
        with self._guard:
            self._children.pop(child.crew, None)
        now = time.monotonic()
        pause = self._restarts[child.crew].ended(now, now - child.born)
        log.warning("worker ended", worker=child.name, code=child.process.returncode, pause=pause)
        self._clean_up_after(child)

    def _clean_up_after(self, child: _Child, blameless: bool = False) -> None:
        _kill(child.process, signal.SIGKILL)  # what it may have started
        child.hang_up()
        shutil.rmtree(child.folder, ignore_errors=True)
        self._owed.append((child.name, blameless))
        with suppress(DatabaseBusy):  # then at the next tick
            self._settle()

    def _settle(self) -> None:
        """Give back what ended workers held. Raises DatabaseBusy."""
        while self._owed:
            name, blameless = self._owed[0]
            self._claims.abandon(name, blameless)
            self._claims.gone(name)
            self._owed.pop(0)

    def _stop_overdue(self, child: _Child, passed: float, vouch: bool) -> None:
        """SIGTERM, and after the grace SIGKILL, for a worker that ignores a cancellation, or works on what took too long.
        passed: seconds since the last look; vouch: renew the leases of a worker that lives."""
        held = self._claims.held_by(child.name)
        child.count(held, passed)
        if held and vouch:
            self._claims.vouch(child.name, is_stopped(child.process.pid))
        for job in held:
            ignored = child.unwanted.get(try_of(job), 0.0) > self._settings.grace_seconds
            if ignored or (job.state != "running" and job.error_code == TIMEOUT):
                if child.told is None:
                    child.told = 0.0
                    child.process.terminate()
                elif child.told > self._settings.grace_seconds:
                    _kill(child.process, signal.SIGKILL)

    @property
    def pids(self) -> dict[str, int]:
        """The worker process of each crew."""
        with self._guard:
            return {crew: child.process.pid for crew, child in self._children.items()}


def _is_worker(pid: int) -> bool:
    """Whether such a process runs that is one of our workers; False where that cannot be known."""
    with suppress(OSError):
        return b"--crew" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _kill(process: subprocess.Popen[bytes], order: signal.Signals) -> None:
    """To the whole group of a worker, which leads one of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, order)
