"""A worker with the real pipeline that kills itself, once for each job, in the stage that is the job's title."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from pathlib import Path
from typing import Any

from web_3d_app.jobs import storage
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.tables import Job
from web_3d_app.settings import Settings
from web_3d_app.work import worker


def main() -> None:
    """As the real one, but for the deaths."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--name")
    parser.add_argument("--crew")
    args = parser.parse_args()
    settings = Settings.from_env()

    def die_at(place: str) -> None:
        job: Job | None = own.job
        mark = Path(settings.data, f"died-{place}")
        if job is not None and job.title == place and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    def stage(name: str, progress: float) -> None:
        tell(name, progress)
        die_at(name)

    def fsync(file: Any) -> None:
        sync(file)
        die_at("writing")

    database, files = Database(settings.database_url), storage.Storage(settings.storage_url)
    own = worker.Worker(args.name, args.crew, database, files, settings.lease_seconds, worker.KindRunner(settings))
    tell, own.stage = own.stage, stage  # type: ignore[method-assign]
    sync, storage.os.fsync = os.fsync, fsync  # type: ignore[attr-defined]
    threading.Thread(target=worker._listen, args=(own, settings.grace_seconds), daemon=True).start()
    own.run()


if __name__ == "__main__":
    main()
