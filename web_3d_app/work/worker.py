"""`python -m web_3d_app.work.worker --name NAME --crew CREW`: do jobs of a crew's lanes, one at a time, until told to stop.

A line on stdin means: look for work; one on stdout: there is work for another crew. The end of stdin, or SIGTERM, means:
give the job back and end, within the grace. A locked database is waited for. Models stay warm between jobs.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name

from recon.errors import MissingModel, UnflatError, Unwritable
from recon.messages import Message
from web_3d_app.jobs.claims import Cancelled, Claims, Lost, Stopped
from web_3d_app.jobs.database import Database, DatabaseBusy
from web_3d_app.jobs.housekeeping import Housekeeping
from web_3d_app.jobs.storage import FULL, Storage
from web_3d_app.jobs.tables import Job
from web_3d_app.kinds import KINDS, kind_at, lanes_of
from web_3d_app.kinds.base import CREWS, HEAVY, QUICK, SLOW
from web_3d_app.logs import get_logger, set_up_logs
from web_3d_app.phrasebook import as_text, message
from web_3d_app.settings import Settings
from web_3d_app.work.context import Context, JobContext, Next
from web_3d_app.work.models import Models

NICENESS = {QUICK: 0, HEAVY: 10, SLOW: 19}
"""The views and the web process come first on a machine with few cores, what takes minutes last."""
RESCAN_SECONDS = 5.0
"""How often the table is looked at without a notice: a lost doorbell costs this much."""
log = get_logger("worker")


class Worker:
    """One worker process. `run_lane` does one lane's work on a job; it is passed in so that tests may put another in its
    place."""

    def __init__(
        self, name: str, crew: str, database: Database, storage: Storage, lease: float, run_lane: LaneRunner
    ) -> None:
        self.name, self.crew, self.storage, self.run_lane = name, crew, storage, run_lane
        self.claims, self.housekeeping = Claims(database, lease), Housekeeping(database, storage)
        self.bell, self.ending, self.warm = threading.Event(), threading.Event(), False
        self.job: Job | None = None
        self._owed: Job | None = None  # one that could not be given back yet

    def run(self) -> None:
        """Until `stop`."""
        threading.Thread(target=self._beat, daemon=True).start()
        while not self.ending.is_set():
            self.bell.clear()
            try:
                if not self.once():
                    self.bell.wait(RESCAN_SECONDS)
            except DatabaseBusy as error:
                log.warning("database busy", error=str(error))
                self.ending.wait(1.0)
        with suppress(DatabaseBusy):
            self._settle()
            self.claims.gone(self.name)

    def stop(self) -> None:
        """End after the current stage."""
        self.ending.set()
        self.bell.set()

    def once(self) -> bool:
        """Claim a job and do one lane's work; False if there was none. Raises DatabaseBusy."""
        self._settle()
        job = self.claims.claim(self.name, lanes_of(self.crew))
        if job is None:
            return False
        self.job = job
        log.info("job begins", job=job.id, lane=job.lane, attempt=job.attempt)
        try:
            with tempfile.TemporaryDirectory(prefix="unflat-") as folder:
                self._do(job, Path(folder))
        except Lost:
            log.info("job lost", job=job.id, attempt=job.attempt)
            self.claims.forget(job)
        except DatabaseBusy:  # which is not the job's fault
            self._owed = job
            raise
        finally:
            self.job = None
        return True

    def _settle(self) -> None:
        """Give back what the database was too busy for. Raises DatabaseBusy."""
        if self._owed is not None:
            with suppress(Lost):
                self.claims.release(self._owed)
            self._owed = None

    def give_back(self) -> None:
        """This process ends before its stage does: the job waits again, and its try does not count."""
        for job in (self.job, self._owed):
            with suppress(Lost, DatabaseBusy):
                if job is not None:
                    self.claims.release(job)

    def _do(self, job: Job, folder: Path) -> None:
        try:
            after = self.run_lane(self, job, folder)
            if after is not None:
                self.claims.hand_over(self.storage, job, *after)
            if after is not None or self.claims.finish(job):
                with suppress(OSError):  # the supervisor is gone; so are we soon
                    print("notify", flush=True)
                return
            log.info("job done", job=job.id)
        except Stopped:
            self.claims.release(job)
            log.info("job given back", job=job.id)
            return
        except Cancelled:
            self.claims.cancelled(job)
            log.info("job cancelled", job=job.id)
        except (Lost, DatabaseBusy):
            raise
        except Exception as error:
            code, told = explained(error)
            log.warning("job failed", job=job.id, code=code, exc_info=code == "internal")
            self.claims.fail(job, code, as_text(told))
        self.housekeeping.tidy(job)

    def stage(self, name: str, progress: float) -> None:
        """A stage begins. Raises Stopped, Lost or Cancelled."""
        self.check_stop()
        assert self.job is not None
        self.claims.progress(self.job, name, progress)

    def check_stop(self) -> None:
        """Raises Stopped if this worker is to end."""
        if self.ending.is_set():
            raise Stopped

    def _beat(self) -> None:
        """Renew the lease and show a sign of life while the main thread computes."""
        while True:
            self.claims.awake()
            job = self.job
            with suppress(DatabaseBusy, Lost, Cancelled):
                self.claims.beat(self.name, self.crew, os.getpid(), self.warm)
                if job is not None:
                    self.claims.renew(job)
            if self.ending.wait(self.claims.lease_seconds / 6):
                return


LaneRunner = Callable[[Worker, Job, Path], Next | None]
"""Does one lane's work in a folder; returns the next lane of the kind and the checkpoint for it, None after the last."""


def explained(error: Exception) -> tuple[str, Message]:
    """(word, what is told) of a job that failed."""
    if isinstance(error, Unwritable) or (isinstance(error, OSError) and error.errno in FULL):
        return "disk_full", message("server.disk_full")
    if isinstance(error, MissingModel):
        return "missing_model", error.message
    if isinstance(error, UnflatError):
        return "bad_input", error.message
    if isinstance(error, MemoryError):
        return "memory", message("server.memory")
    return "internal", message("server.internal")


class KindRunner:
    """The real work of a lane, that of its kind; models stay warm."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._models = settings, Models(settings.device, settings.warm_mib << 20)

    def __call__(self, worker: Worker, job: Job, folder: Path) -> Next | None:
        """See `LaneRunner`. Raises what the work raises."""
        run: Callable[[Context], Next | None] = resolve_name(kind_at(job.lane).run)
        with self._models.warm():
            return run(JobContext(worker, job, folder, self._models, self._settings))

    def warm_up(self, crew: str, folder: Path) -> None:
        """Load what every job of a crew needs."""
        for kind in KINDS.values():
            lane = next((lane for lane in kind.lanes if lane.crew == crew), None)
            if kind.warm_up and lane is not None:
                with self._models.warm():
                    resolve_name(kind.warm_up)(crew, Context(lane.name, {}, folder, self._models, self._settings))


def _listen(worker: Worker, grace: float) -> None:
    """Obey the supervisor; its end is ours, and if it died, nobody else would end a worker that computes on."""
    for _ in sys.stdin:
        worker.bell.set()
    _end(worker, grace)


def _end(worker: Worker, grace: float) -> None:
    """Stop after the stage, or after the grace in the midst of it."""
    worker.stop()
    time.sleep(grace)
    worker.give_back()
    os._exit(1)


def _listen_to_signals(worker: Worker, grace: float) -> None:
    """End by SIGTERM; not by SIGINT, which Ctrl-C sends to the whole group: the supervisor decides. Python's own handlers
    wait while the main thread computes in a library; the byte that tells of a signal comes at once."""
    bell, ringer = socket.socketpair()
    ringer.setblocking(False)
    signal.set_wakeup_fd(ringer.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait() -> None:
        with bell, ringer:
            while signal.SIGTERM not in bell.recv(64):
                pass
            _end(worker, grace)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    """Start: warm the models, then work."""
    parser = argparse.ArgumentParser("web_3d_app.work.worker", description=__doc__)
    parser.add_argument("--name", default=f"worker-{os.getpid()}")
    parser.add_argument("--crew", choices=CREWS, required=True)
    parser.add_argument("--alone", action="store_true", help="without a supervisor: do not listen to stdin")
    args = parser.parse_args()
    settings = Settings.from_env()
    set_up_logs(settings)
    os.nice(NICENESS[args.crew])
    runner = KindRunner(settings)
    database = Database(settings.database_url, patient=lambda: not worker.ending.is_set())
    storage = Storage(settings.storage_url)
    worker = Worker(args.name, args.crew, database, storage, settings.lease_seconds, runner)
    _listen_to_signals(worker, settings.grace_seconds)
    if not args.alone:
        threading.Thread(target=_listen, args=(worker, settings.grace_seconds), daemon=True).start()
    try:
        with tempfile.TemporaryDirectory(prefix="unflat-") as folder:
            runner.warm_up(args.crew, Path(folder))
        worker.warm = True
    except Exception:  # each job will say so, and may name another model
        log.exception("models are not ready")
    log.info("worker ready", worker=args.name, crew=args.crew)
    worker.run()


if __name__ == "__main__":
    main()
