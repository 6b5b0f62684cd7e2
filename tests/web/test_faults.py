"""Workers and servers that die, people who change their minds: nothing accepted is lost, nothing is done twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from web_3d_app import supervisor
from web_3d_app.claims import POISONED, Claims
from web_3d_app.database import Database
from web_3d_app.housekeeping import Housekeeping
from web_3d_app.jobs import Jobs
from web_3d_app.settings import Settings
from web_3d_app.storage import Storage
from web_3d_app.supervisor import LocalEngine
from web_3d_app.tables import Job
from web_3d_app.uploads import Upload

PATIENCE = 40.0
UPLOAD = Upload(b"bytes", "photo.jpg", "cat", 64, 48, None, "digest")


class Server:
    """What a server is without its pages: the services and a supervisor of slow workers."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(data=str(folder), min_free_mib=0, grace_seconds=1.0)
        self.database, self.storage = Database(self.settings.database_url), Storage(self.settings.storage_url)
        self.database.migrate()
        self.jobs = Jobs(self.database, self.storage, self.settings)
        claims = Claims(self.database, self.settings.lease_seconds)
        self.engine = LocalEngine(
            self.settings, claims, Housekeeping(self.database, self.storage), "tests.web.slow_worker"
        )
        self.engine.start()

    def job(self, title: str = "cat") -> Job:
        job, _ = self.jobs.create("me", replace(UPLOAD, title=title), {}, None)
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
        self.engine.stop()
        self.database.close()


@pytest.fixture
def start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Server]]:
    monkeypatch.setattr(supervisor, "TICK_SECONDS", 0.1)
    monkeypatch.setattr(supervisor, "FIRST_PAUSE", 0.1)
    servers = []

    def begin() -> Server:
        servers.append(Server(tmp_path))
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


def test_a_job_that_ends_its_workers_fails_and_others_go_on(start: Callable[[], Server]) -> None:
    server = start()
    deadly, other = server.job("deadly"), server.job()
    failed = server.wait(deadly, lambda job: job.state == "failed")
    assert (failed.error_code, failed.attempt, failed.error_message) == ("poisoned", 3, POISONED)
    assert server.wait(other, lambda job: job.state == "done").attempt == 1


def test_pauses_grow_while_workers_die_young_and_begin_anew_after_a_long_life() -> None:
    restarts, now = supervisor._Restarts(), 100.0
    pauses = []
    for _ in range(10):
        pauses.append(restarts.ended(now, lived=1.0))
        assert not restarts.due(now + pauses[-1] - 0.01) and restarts.due(now + pauses[-1])
        now += 1000
    assert pauses == [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert restarts.ended(now, lived=supervisor.LONG_LIFE) == 0.5


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
