"""The keeper: in office in one process at a time, with every engine and on every storage; nothing outlives its time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update
from web.conftest import program, send
from web.test_jobs import together

from bench.server import ROOT, until
from web_3d_app.engines.base import NoEngine
from web_3d_app.engines.local import LocalEngine
from web_3d_app.jobs import keeper
from web_3d_app.jobs.claims import Claims, Lost
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.housekeeping import ORPHAN_SECONDS, Housekeeping
from web_3d_app.jobs.keeper import CLEAN_SECONDS, Keeper, Office
from web_3d_app.jobs.service import Jobs
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import Election, Job
from web_3d_app.jobs.uploads import Upload
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.kinds.refinement import REFINEMENT
from web_3d_app.phrasebook import from_text
from web_3d_app.services import Services
from web_3d_app.settings import Settings

LEASE = 60.0
UPLOAD = Upload(b"bytes", "photo.jpg", "cat", 64, 48, None, "digest")


class House:
    """The services and keepers of several processes, with a clock that is set by hand: it is all of theirs."""

    def __init__(self, folder: Path, storage: str = "") -> None:
        self.now = 1000.0
        self.settings = Settings(data=str(folder), min_free_mib=0, storage=storage, job_seconds=400, refine_seconds=800)
        self.database, self.storage = Database(self.settings.database_url), Storage(self.settings.storage_url)
        self.database.migrate()
        self.jobs = Jobs(self.database, self.storage, self.settings, self.clock)
        self.claims = Claims(self.database, LEASE, self.clock, self.clock)

    def clock(self) -> float:
        return self.now

    def keeper(self) -> Keeper:
        """Another process's."""
        claims = Claims(self.database, LEASE, self.clock, self.clock)
        housekeeping = Housekeeping(self.database, self.storage, self.clock, self.clock, self.clock)
        return Keeper(self.settings, self.database, housekeeping, claims, self.clock, self.clock)

    def job(self) -> Job:
        return self.jobs.create("me", UPLOAD, {"surface": "grid"}, None)[0]

    def run(self, keeper: Keeper, seconds: float, worker: Job | None = None, step: float = 5.0) -> None:
        """An ordinary while; the worker gives its signs."""
        end = self.now + seconds
        while self.now < end:
            self.now += step
            if worker is not None:
                self.claims.renew(worker)
            keeper.tick()

    def holder(self) -> str | None:
        with self.database.read() as session:
            return session.scalar(select(Election.holder))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.database.close()


def office(house: House) -> Office:
    return Office(house.database, LEASE, house.clock, house.clock)


def test_of_many_one_is_in_office_and_another_follows_when_it_is_silent(house: House) -> None:
    first, second = office(house), office(house)
    assert first.held() and not second.held()
    for _ in range(20):  # it is renewed whoever looks on
        house.now += LEASE / 2
        assert first.held() and not second.held()
    house.now += LEASE  # the first one hangs
    assert not second.held()
    house.now += 1
    assert second.held() and not first.held()
    second.give_up()
    assert first.held()


def test_one_that_was_asleep_finds_that_it_is_no_longer_in_office(house: House) -> None:
    awake = [0.0]
    sleeper, other = Office(house.database, LEASE, lambda: awake[0], house.clock), office(house)
    assert sleeper.held() and not other.held()
    house.now += LEASE + 1  # by its own count no time has passed
    assert other.held() and not sleeper.held()


def test_the_office_is_given_once(house: House) -> None:
    offices = [office(house) for _ in range(8)]
    assert sum(map(bool, together(8, lambda i: offices[i].held()))) == 1


def test_a_job_expires_and_its_files_go(house: House) -> None:
    keeper, job = house.keeper(), house.job()
    house.run(keeper, 23.9 * 3600, step=60)
    assert house.jobs.get("me", job.id).state == "queued"
    house.run(keeper, 0.2 * 3600, step=60)
    assert house.storage.names() == [] and house.jobs.newest("me", 9) == []


def test_a_lost_lease_is_reaped(house: House) -> None:
    """Of a job that no other worker may try again."""
    keeper, job = house.keeper(), house.job()
    with house.database.write() as session:
        session.execute(update(Job).values(tries_left=1))
    house.claims.claim("w", ["view"])
    house.run(keeper, LEASE)
    assert house.jobs.get("me", job.id).state == "running"
    house.run(keeper, 2 * max(LEASE, CLEAN_SECONDS))
    assert house.jobs.get("me", job.id).error_code == "poisoned"


def test_an_endless_try_fails_and_its_worker_finds_it_lost(house: House) -> None:
    kept, job = house.keeper(), house.job()
    claimed = house.claims.claim("w", ["view"])
    house.run(kept, 395, claimed)
    assert house.jobs.get("me", job.id).state == "running"
    with pytest.raises(Lost):
        house.run(kept, 30, claimed)
    ended = house.jobs.get("me", job.id)
    assert (ended.state, ended.error_code) == ("failed", "timeout")
    assert from_text(ended.error_message) == PHOTO.sentences.too_long
    house.jobs.retry("me", job.id)
    house.run(kept, 395, house.claims.claim("w", ["view"]))  # each try is counted anew
    assert house.jobs.get("me", job.id).state == "running"


def test_each_kind_has_its_own_time(house: House) -> None:
    kept, job = house.keeper(), house.job()
    house.claims.finish(house.claims.claim("w", ["view"]))
    house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
    claimed = house.claims.claim("w", ["refine"])
    house.run(kept, 795, claimed)
    assert house.jobs.get("me", job.id).state == "running"
    with pytest.raises(Lost):
        house.run(kept, 30, claimed)
    ended = house.jobs.get("me", job.id)
    assert (ended.state, ended.error_code) == ("done", "timeout")
    assert from_text(ended.error_message) == REFINEMENT.sentences.too_long


def test_the_time_of_a_worker_that_stands_still_is_not_counted(house: House) -> None:
    kept, job = house.keeper(), house.job()
    house.claims.beat("w", "quick", 1, True)
    claimed = house.claims.claim("w", ["view"])
    house.run(kept, 360, claimed)
    for _ in range(60):
        house.now += 10
        house.claims.vouch("w", stopped=True)
        kept.tick()
    house.claims.beat("w", "quick", 1, True)
    house.run(kept, 35, claimed)
    assert house.jobs.get("me", job.id).state == "running"
    with pytest.raises(Lost):
        house.run(kept, 30, claimed)


def test_a_keeper_that_comes_back_moves_no_job_by_a_clock_that_another_one_followed(house: House) -> None:
    first, second, job = house.keeper(), house.keeper(), house.job()
    house.run(first, 30)
    first._office.give_up()
    house.run(second, 30)
    wall = house.jobs.get("me", job.id).expires_at
    second._housekeeping._clock = lambda: house.now + 3600.0  # set while the second one looks
    second.tick()
    assert house.jobs.get("me", job.id).expires_at == wall + 3600.0
    second._office.give_up()
    first._housekeeping._clock = second._housekeeping._clock
    house.run(first, 30)
    assert house.jobs.get("me", job.id).expires_at == wall + 3600.0


@pytest.mark.parametrize("url", ["", "memory://store"])
def test_what_nobody_points_to_is_swept_from_every_storage(tmp_path: Path, url: str) -> None:
    house = House(tmp_path, url)
    kept, job = house.keeper(), house.job()
    house.storage.put("stray/1/file", BytesIO(b"x"))
    house.run(kept, ORPHAN_SECONDS - 60, step=30)
    assert house.storage.names() == sorted([job.id, "stray"])  # it may be an upload that is just being kept
    house.run(kept, 180, step=30)
    assert house.storage.names() == [job.id]
    with house.storage.open(house.jobs.artefacts([job])[job.id][0].key) as data:
        assert data.read() == b"bytes"
    house.database.close()


class TestServersWithoutWorkers:
    """`UNFLAT_ENGINE=none`: the applications as they are."""

    @pytest.fixture
    def settings(self, settings: Settings, request: pytest.FixtureRequest) -> Settings:
        return replace(
            settings, engine="none", lease_seconds=0.3, max_tries=1, job_seconds=getattr(request, "param", 60)
        )

    @pytest.fixture
    def app(self, make: Callable[[Settings], Flask], settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Flask:
        monkeypatch.setattr(keeper, "TICK_SECONDS", 0.02)
        monkeypatch.setattr(keeper, "CLEAN_SECONDS", 0.05)
        return make(settings)

    def test_a_job_expires(self, client: FlaskClient, parts: Services) -> None:
        job = send(client).json
        with parts.database.write() as session:
            session.execute(update(Job).values(expires_at=time.time() - 1))
        until(lambda: client.get(job["links"]["self"]).status_code == 410, 20)
        until(lambda: parts.storage.names() == [], 20)

    def test_a_lost_lease_is_reaped(self, client: FlaskClient, parts: Services) -> None:
        job = send(client).json
        assert parts.claims.claim("w", ["view"]).id == job["id"]
        until(lambda: client.get(job["links"]["self"]).json["state"] == "failed", 20)
        assert client.get(job["links"]["self"]).json["error"]["code"] == "poisoned"

    @pytest.mark.parametrize("settings", [0.6], indirect=True)
    def test_an_endless_job_fails(self, client: FlaskClient, parts: Services) -> None:
        job = send(client).json
        claimed = parts.claims.claim("w", ["view"])

        def lost() -> bool:
            try:
                parts.claims.renew(claimed)
            except Lost:
                return True
            return False

        until(lost, 20)
        assert client.get(job["links"]["self"]).json["error"]["code"] == "timeout"


def test_a_server_takes_back_what_its_own_folder_s_workers_left_and_nobody_else_s(house: House, tmp_path: Path) -> None:
    engine = LocalEngine(house.settings, house.claims)
    other = LocalEngine(replace(house.settings, data=str(tmp_path / "other")), house.claims)
    jobs = {}
    for each in (engine, other):
        jobs[each] = house.job().id
        house.claims.beat(f"{each._prefix}quick", "quick", 2**22 + 1, True)  # no such process is here
        assert house.claims.claim(f"{each._prefix}quick", ["view"]).id == jobs[each]
    assert engine._elected()
    assert house.jobs.get("me", jobs[engine]).state == "queued" and house.jobs.get("me", jobs[other]).state == "running"
    assert [row.name for row in house.claims.workers()] == [f"{other._prefix}quick"]
    engine.stop()


def test_an_engine_of_none_is_what_the_setting_says(tmp_path: Path) -> None:
    from web_3d_app import create_app

    app = create_app(Settings(data=str(tmp_path), engine="none", min_free_mib=0))
    parts: Services = app.extensions["unflat"]
    assert isinstance(parts.engine, NoEngine) and program(app).get("/api/v1/jobs").status_code == 200
    until(lambda: House.holder(parts) is not None, 20)  # type: ignore[arg-type]
    parts.keeper.stop()
    assert House.holder(parts) is None  # type: ignore[arg-type]
    parts.database.close()
    parts.decoders.close()


def test_the_command_keeps_until_it_is_told_to_end(house: House) -> None:
    environment = house.settings.environment() | {"PYTHONPATH": str(ROOT), "PATH": ""}
    command = [sys.executable, "-m", "web_3d_app.jobs.keeper"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:
        until(lambda: house.holder() is not None, 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert house.holder() is None


OLD_JOBS = {  # id: state, lane
    "waits": ("queued", "view"),
    "between": ("queued", "mesh"),
    "runs": ("running", "files"),
    "refines": ("running", "refine"),
    "done": ("done", "files"),
}


def test_jobs_of_an_older_database_are_of_photos(tmp_path: Path) -> None:
    """Made by the migrations as they were before there were kinds, with jobs in every state."""
    from alembic import command
    from alembic.config import Config

    from web_3d_app.jobs.database import MIGRATIONS

    database = Database(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.execution_options(writes=True).begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        for name, (state, lane) in OLD_JOBS.items():
            connection.execute(text(
                "INSERT INTO jobs (id, owner, state, lane, progress, seq, title, params, photo_name, photo_width,"
                " photo_height, request_hash, attempt, tries_left, lease_owner, lease_until, facts, created_at, queued_at,"
                " claimed_at, expires_at) VALUES (:id, 'me', :state, :lane, 0.5, 7, 'cat', '{\"refine\": \"quick\"}',"
                " 'photo.jpg', 64, 48, 'hash', 1, 2, :worker, 5.0, '{\"subject\": \"alpha\"}', 1.0, 1.0, 1.0, 9e9)"
            ), {"id": name, "state": state, "lane": lane, "worker": "old" if state == "running" else None})  # fmt: skip
            connection.execute(text(
                "INSERT INTO artefacts VALUES (:id, 'photo.jpg', 'photo', 'image/jpeg', 5, :key, 0, 0)"
            ), {"id": name, "key": f"{name}/0/x"})  # fmt: skip
        connection.execute(text("INSERT INTO workers VALUES ('old', 'heavy', 1, 1, 5.0)"))
    database.migrate()
    house = House.__new__(House)
    house.now, house.database = 10.0, database
    claims = Claims(database, LEASE, house.clock, house.clock)
    with database.read() as session:
        for job in session.scalars(select(Job)):
            assert (job.kind, job.photo_name, job.photo_width, job.photo_height) == ("photo", "photo.jpg", 64, 48)
            assert (job.state, job.lane, job.seq) == (*OLD_JOBS[job.id], 7)
        assert session.scalar(text("SELECT count(*) FROM artefacts")) == len(OLD_JOBS)
    assert claims.photo_key(claims.claim("w", ["view"])) == "waits/0/x"
    assert claims.claim("w", ["mesh", "files"]).id == "between"
    assert claims.abandon("old") == 2  # whose server is gone
    assert {claims.claim("w", ["files"]).id, claims.claim("w", ["refine"]).id} == {"runs", "refines"}
    database.close()
