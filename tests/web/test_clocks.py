"""Clocks that are set, machines that sleep, processes that stand still, databases that are locked: no job fails, no try is
lost, nothing is deleted before its time."""

from __future__ import annotations

import math
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from web.pictures import small_photo
from web.test_faults import Server, start, works  # noqa: F401  (start is a fixture)
from web.test_server import ended, rows
from web.test_server import start as start_real  # noqa: F401

from bench.server import ROOT, until
from web_3d_app.clock import Awake, Watched, is_stopped
from web_3d_app.engines import local
from web_3d_app.jobs import keeper
from web_3d_app.jobs.claims import Claims
from web_3d_app.jobs.database import Database, DatabaseBusy
from web_3d_app.jobs.housekeeping import GAP_SECONDS, SETTLED_SECONDS, Housekeeping
from web_3d_app.jobs.service import Jobs
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import FINAL, Job
from web_3d_app.jobs.uploads import Upload
from web_3d_app.settings import Settings

HOUR = 3600.0
FAKE = """import os, time
real = time.time
def fake():
    with open(os.environ["TEST_CLOCK"]) as file:
        return real() + float(file.read())
time.time = fake
"""
LEASE = 60.0
UPLOAD = Upload(b"bytes", "photo.jpg", "cat", 64, 48, None, "digest")


class House:
    """The services, with every clock set by hand."""

    def __init__(self, folder: Path) -> None:
        self.wall, self.boot, self.awake, self.spool = 1e9, 500.0, 0.0, folder / "spool"
        settings = Settings(data=str(folder), min_free_mib=0)
        self.database, self.storage = Database(settings.database_url), Storage(settings.storage_url)
        self.database.migrate()
        self.jobs = Jobs(self.database, self.storage, settings, lambda: self.wall)
        self.restart()

    def restart(self) -> None:
        """Another process on the same tables."""
        self.claims = Claims(self.database, LEASE, lambda: self.wall, lambda: self.awake)
        self.housekeeping = Housekeeping(
            self.database, self.storage, lambda: self.wall, lambda: self.boot, lambda: self.awake, self.spool
        )

    def job(self) -> Job:
        return self.jobs.create("me", UPLOAD, {"surface": "grid"}, None)[0]

    def left(self, job: Job) -> float:
        """Seconds until the job's time is over."""
        return self.jobs.get("me", job.id).expires_at - self.wall

    def run(self, seconds: float, step: float = 280.0) -> int:
        """An ordinary while, with housekeeping; returns how many jobs expired."""
        steps = math.ceil(seconds / step)
        expired, step = 0, seconds / steps
        for _ in range(steps):
            self.wall, self.boot, self.awake = self.wall + step, self.boot + step, self.awake + step
            self.housekeeping.tidy_spool()
            expired += self.housekeeping.clean()
        return expired

    def set_clock(self, by: float) -> None:
        """The wall clock says something else all at once."""
        self.wall += by

    def sleep(self, seconds: float) -> None:
        """The machine sleeps, or this process is stopped: the world goes on."""
        self.wall, self.boot = self.wall + seconds, self.boot + seconds


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.database.close()


def test_a_gap_counts_as_the_longest_pause() -> None:
    now = [100.0]
    awake = Awake(15.0, lambda: now[0])
    for step, total in ((10, 10), (15, 25), (90_000, 40), (0, 40), (1, 41)):
        now[0] += step
        assert awake() == total


def test_a_value_is_as_old_as_it_was_seen_not_to_change() -> None:
    now = [0.0]
    watched = Watched(lambda: now[0])
    assert watched.ages({"a": 1}, {"a": 7.0}) == {"a": 7.0}
    now[0] = 5
    assert watched.ages({"a": 1, "b": 1}) == {"a": 12.0, "b": 0.0}
    assert watched.ages({"a": 2, "b": 1}, {"a": 7.0}) == {"a": 0.0, "b": 0.0}
    now[0] = 6
    watched.note("b", 2)
    assert watched.ages({"b": 2}) == {"b": 0.0} and watched.ages({"a": 2}) == {"a": 0.0}


@pytest.mark.parametrize("by", [25 * HOUR, -25 * HOUR, 2 * LEASE])
def test_a_clock_that_is_set_takes_no_job_from_its_worker(house: House, by: float) -> None:
    house.job()
    mine = house.claims.claim("w", ["view"])
    watcher = Claims(house.database, LEASE, lambda: house.wall, lambda: house.awake)
    assert watcher.claim("other", ["view"]) is None
    house.set_clock(by)
    for _ in range(20):  # ordinary heartbeats go on
        house.awake += LEASE / 2  # though the wall clock stands still
        house.claims.renew(mine)
        assert watcher.claim("other", ["view"]) is None and watcher.reap() == 0
    house.claims.finish(mine)
    assert house.jobs.get("me", mine.id).attempt == 1


def test_a_worker_that_is_silent_loses_its_job_whatever_the_clock_says(house: House) -> None:
    house.job()
    house.claims.claim("w", ["view"])
    house.restart()
    house.set_clock(-25 * HOUR)
    assert house.claims.claim("other", ["view"]) is None  # seen for the first time
    house.awake += LEASE + 1
    assert house.claims.claim("other", ["view"]).attempt == 2


def test_a_sleep_of_everybody_takes_no_job_from_its_worker(house: House) -> None:
    house.job()
    mine = house.claims.claim("w", ["view"])
    house.sleep(25 * HOUR)
    assert house.claims.claim("other", ["view"]) is None
    house.claims.finish(mine)


def test_a_lease_that_a_parent_vouches_for_does_not_run_out(house: House) -> None:
    house.job()
    mine = house.claims.claim("w", ["view"])
    watcher = Claims(house.database, LEASE, lambda: house.wall, lambda: house.awake)
    for _ in range(5):
        assert watcher.claim("other", ["view"]) is None
        house.wall, house.awake = house.wall + LEASE, house.awake + LEASE
        house.claims.vouch("w")
    house.claims.finish(mine)


@pytest.mark.parametrize("by", [25 * HOUR, 24 * 365 * HOUR, -25 * HOUR])
def test_a_clock_that_is_set_leaves_each_job_the_time_it_had(house: House, by: float) -> None:
    before = house.job()
    assert house.run(HOUR) == 0
    house.set_clock(by)
    assert house.run(5) == 0
    assert house.left(before) == pytest.approx(23 * HOUR, abs=10)
    after = house.job()
    assert house.run(10 * HOUR) == 0
    house.set_clock(-by)  # and is put right again
    assert house.run(5) == 0
    assert house.left(before) == pytest.approx(13 * HOUR, abs=300)
    assert house.left(after) == pytest.approx(14 * HOUR, abs=300)
    assert house.run(13.2 * HOUR) == 1 and house.run(1.2 * HOUR) == 1


def test_a_clock_that_is_set_while_the_server_is_off_is_noticed_when_it_comes_back(house: House) -> None:
    job = house.job()
    house.run(HOUR)
    house.restart()
    house.set_clock(25 * HOUR)
    assert house.run(10 * HOUR) == 0
    assert house.left(job) == pytest.approx(13 * HOUR, abs=300)


@pytest.mark.parametrize("off", [False, True])
def test_who_slept_for_a_day_finds_what_was_there_for_an_hour(house: House, off: bool) -> None:
    house.job()
    house.run(HOUR)
    house.sleep(25 * HOUR)
    if off:
        house.restart()
    assert house.run(SETTLED_SECONDS - 10) == 0
    assert house.run(300) == 1


def test_what_a_crash_left_of_an_upload_goes_and_what_is_under_way_stays(house: House) -> None:
    house.spool.mkdir()
    (house.spool / "upload-1").write_bytes(b"half a photo")
    (house.spool / "folder").mkdir()
    house.run(600)
    house.wall += 25 * 3600
    house.run(2400)
    assert len(list(house.spool.iterdir())) == 2
    house.run(1200)
    assert list(house.spool.iterdir()) == []


def test_naps_shorter_than_a_gap_put_nothing_off(house: House) -> None:
    house.job()
    expired = 0
    for _ in range(25 * 3600 // 290):
        house.sleep(GAP_SECONDS - 10 - 150)
        expired += house.run(150)
    assert expired == 1


def test_a_job_that_comes_while_the_clock_is_set_keeps_its_time(house: House) -> None:
    for by in (25 * HOUR, -25 * HOUR):
        house.run(60)
        house.set_clock(by)
        new = house.job()  # before anybody noticed
        house.run(60)
        assert house.left(new) == pytest.approx(24 * HOUR - 60, abs=1)


def test_who_waits_keeps_the_place_when_the_clock_goes_back(house: House) -> None:
    first = house.job()
    house.run(60)
    house.set_clock(-HOUR)
    house.run(20)
    second = house.job()
    assert [house.claims.claim("w", ["view"]).id for _ in range(2)] == [first.id, second.id]


def test_workers_are_alive_while_they_give_signs_whatever_the_clock_says(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: house.awake)
    house.restart()
    house.claims.beat("w", "quick", 1, True)
    for by in (25 * HOUR, -50 * HOUR):
        assert [row.name for row in house.claims.workers_alive()] == ["w"]
        house.set_clock(by)
    house.awake += LEASE + 1
    assert house.claims.workers_alive() == []
    house.claims.beat("w", "quick", 1, True)
    assert len(house.claims.workers_alive()) == 1


def test_a_stopped_worker_loses_neither_job_nor_try(start: Callable[..., Server]) -> None:  # noqa: F811
    """Its lease, the time that a lane may take and the only try would each be over."""
    server = start(lease_seconds=0.5, job_seconds=3.0, max_tries=1)
    job = server.job()
    server.wait(job, works)
    pid = server.engine.pids["quick"]
    os.kill(pid, signal.SIGSTOP)
    until(lambda: is_stopped(pid), 5)
    standstill(server, 4.0)
    assert server.jobs.get("me", job.id).state == "running"
    os.kill(pid, signal.SIGCONT)
    done = server.wait(job, lambda job: job.state in FINAL)
    assert (done.state, done.attempt, server.engine.pids["quick"]) == ("done", 1, pid)


def standstill(server: Server, seconds: float) -> None:
    """So long the supervisor looks on, and takes back what it would."""
    end = time.monotonic() + seconds
    until(lambda: server.engine._claims.reap() != 0 or time.monotonic() > end, seconds + 5)


def test_a_day_s_jump_in_a_running_server_is_not_noticed_by_anybody(
    start: Callable[..., Server],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keeper, "CLEAN_SECONDS", 0.1)
    by = [0.0]

    def wall() -> float:
        return real() + by[0]

    real = time.time
    server = start(lease_seconds=2.0)
    engine, kept = server.engine, server.keeper
    for part in (engine._claims, kept._claims, kept._housekeeping, server.jobs):
        monkeypatch.setattr(part, "_clock", wall)
    finished = server.wait(server.job(), lambda job: job.state == "done")
    pid, job = server.engine.pids["quick"], server.job()
    server.wait(job, works)
    waiting = server.job()
    for jump in (25 * HOUR, 0.0, -25 * HOUR):
        by[0] = jump
        looks = kept._limits._looked
        until(lambda looks=looks: kept._limits._looked > looks + 0.5, 20)
    for one in (finished, job, waiting):
        done = server.wait(one, lambda job: job.state == "done")
        assert (done.attempt, server.storage.names(f"{one.id}/0")) == (1, server.storage.names(f"{one.id}/0"))
        assert done.expires_at - wall() == pytest.approx(24 * HOUR, abs=60)
    assert server.engine.pids["quick"] == pid


def test_a_patient_one_waits_for_a_locked_database(tmp_path: Path) -> None:
    file = tmp_path / "a.sqlite"
    left = [3]

    def patient() -> bool:
        left[0] -= 1
        if left[0] == 0:
            lock.execute("ROLLBACK")
        return True

    with (
        closing(Database(f"sqlite:///{file}", 0.05, patient)) as database,
        closing(sqlite3.connect(file, isolation_level=None)) as lock,
    ):
        database.migrate()
        lock.execute("BEGIN IMMEDIATE")
        with database.write() as session:
            session.execute(text("UPDATE jobs SET seq = 1"))
        assert left == [0]
        lock.execute("BEGIN IMMEDIATE")
        left[0], database._patient = 3, lambda: False
        with pytest.raises(DatabaseBusy), database.write():
            pass


@pytest.mark.slow
def test_a_locked_database_costs_its_own_time_and_nothing_else(start: Callable[..., Server]) -> None:  # noqa: F811
    seconds = 13.0
    server = start(max_tries=1)
    server.wait(server.job(), lambda job: job.state == "done")
    begun = time.monotonic()
    job = server.job()
    server.wait(job, works)
    with closing(sqlite3.connect(Path(server.settings.data, "jobs.sqlite"), isolation_level=None)) as lock:
        lock.execute("BEGIN IMMEDIATE")
        end = time.monotonic() + seconds
        until(lambda: time.monotonic() > end, seconds + 5)
        lock.execute("ROLLBACK")
    done = server.wait(job, lambda job: job.state in FINAL)
    assert (done.state, done.attempt) == ("done", 1)
    taken = time.monotonic() - begun
    print(f"{taken:.1f} s")
    assert taken < 2 + seconds + 4


@pytest.mark.parametrize("title", ["stubborn", pytest.param("deep", marks=pytest.mark.slow)])
def test_a_stop_that_outlasts_its_grace_costs_no_try(start: Callable[..., Server], title: str) -> None:  # noqa: F811
    server = start(max_tries=1)
    job = server.job(title)
    server.wait(job, lambda job: job.state == "running" and (title != "deep" or job.stage == "mesh"))
    begun = time.monotonic()
    server.engine.stop()
    assert time.monotonic() - begun < 1 + local.GIVE_BACK_SECONDS + 2
    left = server.jobs.get("me", job.id)
    assert (left.state, left.tries_left, left.lease_owner) == ("queued", 1, None)


def test_a_worker_that_is_told_to_end_in_a_long_computation_gives_its_job_back(
    start: Callable[..., Server],  # noqa: F811
) -> None:
    server = start(max_tries=1)
    job = server.job("deep")
    server.wait(job, lambda job: job.stage == "mesh")
    os.kill(server.engine.pids["quick"], signal.SIGTERM)
    begun = time.monotonic()
    left = server.wait(job, lambda job: job.state != "running" or job.attempt > 1)
    assert time.monotonic() - begun < 1 + 5 and left.state in ("queued", "running")  # not poisoned: the next one has it


@pytest.mark.slow
def test_a_real_server_that_stands_still_loses_nothing(start_real: Callable[..., Any]) -> None:  # noqa: F811
    """The web process and everything that it started, as a laptop that sleeps."""
    server = start_real(UNFLAT_LEASE_SECONDS="2", UNFLAT_JOB_SECONDS="30", UNFLAT_MAX_TRIES="1").wait_until_ready()
    client = server.client()
    jobs = [client.upload(small_photo(i), surface="poisson").json for i in range(3)]
    until(lambda: rows(server, "SELECT id FROM jobs WHERE state = 'running'"))
    pids = server.workers()
    everybody = [*pids.values(), *children(server.process.pid), server.process.pid]
    for pid in everybody:
        os.kill(pid, signal.SIGSTOP)
    end = time.monotonic() + 5
    until(lambda: time.monotonic() > end)
    for pid in everybody:
        os.kill(pid, signal.SIGCONT)
    assert [ended(client, job)["state"] for job in jobs] == ["done"] * 3
    assert server.workers() == pids
    assert {tries for (tries,) in rows(server, "SELECT tries_left FROM jobs")} == {0}  # the one that is in use


@pytest.mark.slow
def test_a_real_server_whose_clock_is_set_deletes_nothing(
    start_real: Callable[..., Any],  # noqa: F811
    tmp_path: Path,
) -> None:
    """A day and an hour ahead while a job runs, back while the server is off, and then a day behind. The workers keep the
    right time, as workers on another machine would."""
    clock, site = tmp_path / "clock", tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(FAKE)
    fake = {"TEST_CLOCK": str(clock), "PYTHONPATH": f"{site}{os.pathsep}{ROOT}", "UNFLAT_MAX_TRIES": "1",
            "UNFLAT_LEASE_SECONDS": "6"}  # fmt: skip

    def set_clock(hours: float) -> None:
        aside = clock.with_suffix(".new")
        aside.write_text(str(3600 * hours))
        aside.replace(clock)

    set_clock(0)
    server = start_real(**fake).wait_until_ready()
    client = server.client()
    first = ended(client, client.upload(small_photo(0)).json)
    second = client.upload(small_photo(1), surface="poisson").json
    until(lambda: rows(server, "SELECT id FROM jobs WHERE state = 'running'"))
    set_clock(25)
    day = int(first["expires_at"][8:10])
    until(lambda: int(client.get(first["links"]["self"]).json["expires_at"][8:10]) != day, 20)  # it was noticed
    assert ended(client, second)["state"] == "done"
    server.stop()
    set_clock(0)
    server = start_real(**fake).wait_until_ready()
    client = server.client(client.token)
    until(lambda: int(client.get(first["links"]["self"]).json["expires_at"][8:10]) == day, 20)
    third = client.upload(small_photo(2)).json
    set_clock(-25)
    assert ended(client, third)["state"] == "done"
    for job in (first, second, third):
        assert client.get(job["links"]["self"]).status == client.get(job["artefacts"][0]["url"]).status == 200
    assert {tries for (tries,) in rows(server, "SELECT tries_left FROM jobs")} == {0}


def children(pid: int) -> list[int]:
    """Of a process, at this moment."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
