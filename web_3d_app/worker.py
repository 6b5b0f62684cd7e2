"""`python -m web_3d_app.worker --name NAME --lane LANE`: take jobs of one lane, one at a time, until told to stop.

The supervisor writes lines to stdin: `notify` (look for work), `cancel ID` (look at your job's flag). The end of stdin, or
SIGTERM, means: give the job back and end. Models stay warm between jobs.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from recon.errors import BadInput, MissingModel, UnflatError, Unwritable
from web_3d_app.claims import Cancelled, Claims, Lost
from web_3d_app.database import Database, DatabaseBusy
from web_3d_app.logs import get_logger, set_up_logs
from web_3d_app.settings import Settings
from web_3d_app.storage import FULL, Storage
from web_3d_app.tables import LANES, Job

RESCAN_SECONDS = 5.0
"""How often the table is looked at without a notice: a lost doorbell costs this much."""
log = get_logger("worker")


class Stopped(Exception):
    """This worker is to end; its job is to be given back."""


class Worker:
    """One worker process. `make` does one job's work; it is passed in so that tests may put another in its place."""

    def __init__(self, name: str, lane: str, claims: Claims, storage: Storage, make: Make) -> None:
        self.name, self.lane, self.claims, self.storage, self.make = name, lane, claims, storage, make
        self.bell, self.ending, self.warm = threading.Event(), threading.Event(), False
        self.job: Job | None = None

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
            self.claims.gone(self.name)

    def stop(self) -> None:
        """End after the current stage."""
        self.ending.set()
        self.bell.set()

    def once(self) -> bool:
        """Claim and do one job; False if there was none. Raises DatabaseBusy."""
        job = self.claims.claim(self.name, self.lane)
        if job is None:
            return False
        self.job = job
        log.info("job begins", job=job.id, attempt=job.attempt)
        try:
            with tempfile.TemporaryDirectory(prefix="unflat-") as folder:
                self._do(job, Path(folder))
        except Lost:
            log.info("job lost", job=job.id, attempt=job.attempt)
            self.claims.forget(job)
        finally:
            self.job = None
        return True

    def _do(self, job: Job, folder: Path) -> None:
        try:
            self.make(self, job, folder)
            self.claims.finish(job)
            log.info("job done", job=job.id)
        except Stopped:
            self.claims.release(job)
            log.info("job given back", job=job.id)
        except Cancelled:
            self.claims.cancelled(job)
            log.info("job cancelled", job=job.id)
        except (Lost, DatabaseBusy):
            raise
        except Exception as error:
            code, message = explained(error)
            log.warning("job failed", job=job.id, code=code, exc_info=code == "internal")
            self.claims.fail(job, code, message)
        self.claims.tidy(self.storage, job)

    def stage(self, name: str, progress: float) -> None:
        """A stage begins. Raises Stopped, Lost or Cancelled."""
        if self.ending.is_set():
            raise Stopped
        assert self.job is not None
        self.claims.progress(self.job, name, progress)

    def _beat(self) -> None:
        """Renew the lease and show a sign of life while the main thread computes."""
        while True:
            job = self.job
            with suppress(DatabaseBusy, Lost, Cancelled):
                self.claims.beat(self.name, self.lane, os.getpid(), self.warm)
                if job is not None:
                    self.claims.renew(job)
            if self.ending.wait(self.claims.lease_seconds / 6):
                return


Make = Callable[[Worker, Job, Path], None]


def explained(error: Exception) -> tuple[str, str]:
    """(word, sentence) for a job that failed."""
    from web_3d_app.work import for_pages

    if isinstance(error, Unwritable) or (isinstance(error, OSError) and error.errno in FULL):
        return "disk_full", "The server's disk is full; try again later."
    if isinstance(error, MissingModel):
        return "missing_model", for_pages(str(error))
    if isinstance(error, BadInput | UnflatError):
        return "bad_input", for_pages(str(error))
    if isinstance(error, MemoryError):
        return "memory", "The server has not enough memory for this photo; try a smaller one."
    return "internal", "Something went wrong on the server; it was noted. Try again, or another photo."


class ModelMaker:
    """The real work of a job, with models that stay warm."""

    def __init__(self, device: str) -> None:
        from web_3d_app.work import Models

        self.models = Models(device)

    def __call__(self, worker: Worker, job: Job, folder: Path) -> None:
        """Make everything. Raises what `Work.run` raises."""
        from web_3d_app.work import Work

        storage, claims = worker.storage, worker.claims
        photo = folder / job.photo_name
        with storage.open(claims.photo_key(job)) as data:
            photo.write_bytes(data.read())
        Work(
            photo, job.focal_35mm, job.params, folder, self.models,
            stage=worker.stage,
            facts=lambda facts: claims.facts(job, facts),
            add=lambda name, kind, media, file: claims.add(storage, job, name, kind, media, file),
        ).run()  # fmt: skip


def _listen(worker: Worker) -> None:
    """Obey the supervisor; its end is ours."""
    for _ in sys.stdin:
        worker.bell.set()
    worker.stop()


def main() -> None:
    """Start: warm the models, then work."""
    parser = argparse.ArgumentParser("web_3d_app.worker", description=__doc__)
    parser.add_argument("--name", default=f"worker-{os.getpid()}")
    parser.add_argument("--lane", choices=LANES, default=LANES[0])
    parser.add_argument("--alone", action="store_true", help="without a supervisor: do not listen to stdin")
    args = parser.parse_args()
    settings = Settings.from_env()
    set_up_logs(settings)
    claims = Claims(Database(settings.database_url), settings.lease_seconds)
    maker = ModelMaker(settings.device)
    worker = Worker(args.name, args.lane, claims, Storage(settings.storage_url), maker)
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor decides
    if not args.alone:
        threading.Thread(target=_listen, args=(worker,), daemon=True).start()
    try:
        maker.models.warm_up()
        worker.warm = True
    except Exception:  # each job will say so, and may name another model
        log.exception("models are not ready")
    log.info("worker ready", worker=args.name, lane=args.lane)
    worker.run()
    sys.stdout.flush()


if __name__ == "__main__":
    main()
