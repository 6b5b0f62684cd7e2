"""Workers and servers that die, people who change their minds: nothing accepted is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from web.pictures import small_photo

from tests.web.pictures import checked_upload
from web_3d_app.engines import local
from web_3d_app.engines.local import LocalEngine
from web_3d_app.http.options import DEFAULTS
from web_3d_app.jobs import keeper
from web_3d_app.jobs.claims import Claims
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.derived import maker_of
from web_3d_app.jobs.service import Jobs
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import FINAL, Job
from web_3d_app.jobs.uploads import Upload
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.phrasebook import from_text
from web_3d_app.settings import Settings

PATIENCE = 120.0
UPLOAD = Upload(b"bytes", "photo.jpg", "cat", 64, 48, None, "digest")


class Server:
    """What a server is without its pages: the services, a keeper and a supervisor of workers, slow ones if nothing else is
    said."""

    def __init__(self, folder: Path, module: str = "tests.web.slow_worker", **changes: Any) -> None:
        usual = Settings(data=str(folder), min_free_mib=0, grace_seconds=1.0, preview_seconds=0.01, film_seconds=0.0)
        self.settings = replace(usual, **changes)
        self.database, self.storage = Database(self.settings.database_url), Storage(self.settings.storage_url)
        self.database.migrate()
        self.jobs = Jobs(self.database, self.storage, self.settings)
        self.engine = LocalEngine(self.settings, Claims(self.database, self.settings.lease_seconds), module)
        self.engine.start()
        self.keeper = keeper.keeper(self.settings, self.database, self.storage)
        self.keeper.start()

    def job(self, title: str = "cat", upload: Upload = UPLOAD, **params: Any) -> Job:
        job, _ = self.jobs.create("me", replace(upload, title=title), params, None)
        self.engine.notify(job.id)
        return job

    def wait(self, job: Job, reached: Callable[[Job], bool]) -> Job:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            now = self.jobs.get("me", job.id)
            if reached(now):
                return now
            time.sleep(0.05)
        raise AssertionError(f"still {now.state} {now.stage} {now.progress}")

    def stop(self) -> None:
        self.keeper.stop()
        self.engine.stop()
        self.database.close()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Server]]:
    monkeypatch.setattr(local, "TICK_SECONDS", 0.1)
    monkeypatch.setattr(keeper, "TICK_SECONDS", 0.1)
    monkeypatch.setattr(local, "FIRST_PAUSE", 0.1)
    monkeypatch.setattr(local, "LONGEST_PAUSE", 0.1)
    servers = []

    def begin(*module: str, **changes: Any) -> Server:
        servers.append(Server(tmp_path, *module, **changes))
        return servers[-1]

    yield begin
    for server in servers:
        server.stop()


def works(job: Job) -> bool:
    return job.state == "running" and job.progress > 0


def test_a_killed_worker_loses_nothing(start: Callable[[], Server]) -> None:
    server = start()
    first, second = server.job(), server.job()
    server.wait(first, works)
    os.kill(server.engine.pids["quick"], signal.SIGKILL)
    done = server.wait(first, lambda job: job.state == "done")
    assert done.attempt == 2
    assert server.wait(second, lambda job: job.state == "done").attempt == 1
    for job in (first, second):
        assert [file.kind for file in server.jobs.artefacts([job])[job.id]] == ["photo", "grid"]


def test_workers_killed_in_every_stage_of_the_real_pipeline_lose_nothing(start: Callable[..., Server]) -> None:
    """By SIGKILL, each once, where the job's title says; `writing`: with a file's bytes on the disk, but not its name."""
    server = start("tests.web.fatal_worker")
    photo = checked_upload(small_photo(0), "photo.jpg", server.jobs.limits)
    places = [*(stage for stage in PHOTO.begins if stage != "film"), "writing"]  # no film is made on this server
    jobs = [server.job(place, photo, **DEFAULTS | {"mask": "none", "surface": "solid"}) for place in places]
    for job in jobs:
        done = server.wait(job, lambda job: job.state in FINAL)
        files = server.jobs.artefacts([job])[job.id]
        assert (done.title, done.state, done.attempt) == (job.title, "done", len(PHOTO.lanes))
        kept = [file.position for file in files if maker_of(file) is None]
        assert done.progress == 1 and kept == sorted(set(kept))
        assert {"photo", "points_view", "grid", "mesh", "mesh_stl", "depth_npy", "report"} <= {
            file.kind for file in files
        }
    server.stop()
    deaths = sorted(path.name for path in Path(server.settings.data).glob("died-*"))
    assert deaths == sorted(f"died-{place}" for place in places)
    keys = {file.key for files in server.jobs.artefacts(jobs).values() for file in files}
    store = Path(server.settings.data, "files")
    assert {path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()} == keys
    assert list(Path(server.settings.data, "work").iterdir()) == []


def test_a_worker_killed_in_the_film_is_followed_by_one_that_makes_it(start: Callable[..., Server]) -> None:
    server = start("tests.web.fatal_worker", film_seconds=PATIENCE)
    photo = checked_upload(small_photo(0), "photo.jpg", server.jobs.limits)
    job = server.job("film", photo, **DEFAULTS | {"mask": "none", "surface": "grid"})
    done = server.wait(job, lambda job: job.state in FINAL)
    # A grid needs no lane of its own for its mesh: view, files, and the film twice.
    assert (done.state, done.attempt, Path(server.settings.data, "died-film").exists()) == ("done", 4, True)
    assert [file.kind for file in server.jobs.artefacts([job])[job.id]].count("film") == 1


def test_a_job_that_ends_its_workers_fails_and_others_go_on(start: Callable[[], Server]) -> None:
    server = start()
    deadly, other = server.job("deadly"), server.job()
    failed = server.wait(deadly, lambda job: job.state == "failed")
    assert (failed.error_code, failed.attempt, from_text(failed.error_message)) == (
        "poisoned",
        3,
        PHOTO.sentences.poisoned,
    )
    assert server.wait(other, lambda job: job.state == "done").attempt == 1


def test_pauses_grow_while_workers_die_young_and_begin_anew_after_a_long_life() -> None:
    restarts, now = local._Restarts(), 100.0
    pauses = []
    for _ in range(10):
        pauses.append(restarts.ended(now, lived=1.0))
        assert not restarts.due(now + pauses[-1] - 0.01) and restarts.due(now + pauses[-1])
        now += 1000
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert restarts.ended(now, lived=local.LONG_LIFE) == 0.5


def test_a_stopped_server_gives_its_job_to_the_next_one(start: Callable[[], Server]) -> None:
    server = start()
    job = server.job()
    server.wait(job, works)
    server.stop()
    assert server.engine.pids == {}
    again = start()
    done = again.wait(job, lambda job: job.state == "done")
    assert (done.attempt, done.tries_left) == (2, server.settings.max_tries - 1)


def test_a_running_job_is_cancelled(start: Callable[[], Server]) -> None:
    server = start()
    job, other = server.job(), server.job()
    server.wait(job, works)
    pid = server.engine.pids["quick"]
    server.jobs.cancel("me", job.id)
    server.engine.kill(job.id)
    server.wait(job, lambda job: job.state == "cancelled")
    server.wait(other, lambda job: job.state == "done")
    assert server.engine.pids["quick"] == pid  # the worker and its models stayed


def test_a_worker_that_does_not_listen_is_killed(start: Callable[[], Server]) -> None:
    server = start()
    job = server.job("stubborn")
    server.wait(job, lambda job: job.state == "running")
    server.jobs.cancel("me", job.id)
    server.wait(job, lambda job: job.state == "cancelled")
    server.wait(server.job(), lambda job: job.state == "done")


def test_a_deleted_job_leaves_no_file(start: Callable[[], Server]) -> None:
    server = start()
    job, other = server.job(), server.job()
    server.wait(job, works)
    server.jobs.delete("me", job.id)
    server.wait(other, lambda job: job.state == "done")
    assert server.storage.names() == [other.id]
