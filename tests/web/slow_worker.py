"""A worker whose work takes ten stages of 0.2 s, and leaves one file. A title of `stubborn` listens to nobody, one of
`deadly` ends its worker, `deep` computes in a library for a minute without coming up."""

from __future__ import annotations

import argparse
import hashlib
import os
import signal
import threading
import time
from pathlib import Path

from web_3d_app.jobs.database import Database
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import Job
from web_3d_app.settings import Settings
from web_3d_app.work import worker


def slowly(own: worker.Worker, job: Job, folder: Path) -> None:
    """The stages, then the file."""
    if job.title == "deadly":
        os._exit(1)
    if job.title == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(60)
    if job.title == "deep":
        own.stage("mesh", 0.5)
        hashlib.pbkdf2_hmac("sha256", b"", b"", 400_000_000)
    for i in range(10):
        own.stage("depth", i / 10)
        time.sleep(0.2)
    (folder / "f").write_bytes(b"model")
    own.claims.add(own.storage, job, [("grid.glb", "grid", "model/gltf-binary", folder / "f")])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--name")
    parser.add_argument("--crew")
    args = parser.parse_args()
    settings = Settings.from_env()
    database = Database(settings.database_url, patient=lambda: not own.ending.is_set())
    storage = Storage(settings.storage_url)
    own = worker.Worker(args.name, args.crew, database, storage, settings.lease_seconds, slowly)
    worker._listen_to_signals(own, settings.grace_seconds)
    threading.Thread(target=worker._listen, args=(own, settings.grace_seconds), daemon=True).start()
    own.run()
