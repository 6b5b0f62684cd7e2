"""One worker of each crew in this process, with the real pipeline: cancelled in every stage, on a full disk, with a locked
database."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from web.pictures import small_photo

from tests.web.pictures import checked_upload
from web_3d_app.http.options import DEFAULTS
from web_3d_app.jobs import storage as storage_module
from web_3d_app.jobs.database import Database, DatabaseBusy
from web_3d_app.jobs.service import Jobs
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import FINAL, Job
from web_3d_app.kinds.base import CREWS
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.phrasebook import from_text
from web_3d_app.settings import Settings
from web_3d_app.work.worker import KindRunner, Worker

ORDER = list(PHOTO.begins)
FIRST_FILE_OF = {
    "points": "points_view",
    "grid": "grid_view",
    "mesh": "mesh_view",
    "files": "grid",
    "preview": "report",
    "film": "film",
}
"""Stage -> a kind of file that is there only after it."""
LEASE = 60.0


@pytest.fixture(scope="module")
def runner() -> KindRunner:
    """Models that stay warm over all tests."""
    return KindRunner(Settings(preview_seconds=0.01, film_seconds=0.0))


class House:
    """The services, and a worker of each crew that is run by hand."""

    def __init__(self, folder: Path, runner: KindRunner) -> None:
        self.settings = Settings(data=str(folder), min_free_mib=0)
        self.database, self.storage = Database(self.settings.database_url, 0.05), Storage(self.settings.storage_url)
        self.database.migrate()
        self.jobs = Jobs(self.database, self.storage, self.settings)
        self.workers = [Worker(crew, crew, self.database, self.storage, LEASE, runner) for crew in CREWS]

    def job(self) -> Job:
        upload = checked_upload(small_photo(0), "photo.jpg", self.jobs.limits)
        return self.jobs.create("me", upload, DEFAULTS | {"mask": "none", "surface": "solid"}, None)[0]

    def work(self) -> None:
        """Until nobody finds anything to do."""
        while any(worker.once() for worker in self.workers):
            pass

    def at_stage(self, name: str, what: Callable[[], object]) -> None:
        """Do something as a stage begins, before the worker tells it."""
        for worker in self.workers:
            tell = worker.stage

            def stage(begun: str, progress: float, tell: Callable[[str, float], None] = tell) -> None:
                if begun == name:
                    what()
                tell(begun, progress)

            worker.stage = stage  # type: ignore[method-assign]

    def kinds(self, job: Job) -> list[str]:
        return [file.kind for file in self.jobs.artefacts([job])[job.id]]

    def files(self) -> set[str]:
        folder = Path(self.settings.data, "files")
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    def keys(self, *jobs: Job) -> set[str]:
        return {file.key for files in self.jobs.artefacts(jobs).values() for file in files}


@pytest.fixture
def house(tmp_path: Path, runner: KindRunner) -> Iterator[House]:
    made = House(tmp_path / "data", runner)
    yield made
    made.database.close()


@pytest.mark.parametrize("last", ORDER)
def test_a_job_cancelled_in_any_stage_keeps_what_was_made_and_nothing_else(
    tmp_path: Path, runner: KindRunner, last: str
) -> None:
    house = House(tmp_path / "data", KindRunner(Settings(preview_seconds=0.01)) if last == "film" else runner)
    job = house.job()
    house.at_stage(last, lambda: house.jobs.cancel("me", job.id))
    house.work()
    ended = house.jobs.get("me", job.id)
    assert (ended.state, ended.stage, ended.lease_owner, ended.checkpoint_key) == ("cancelled", None, None, None)
    there = {FIRST_FILE_OF[stage] for stage in ORDER[: ORDER.index(last)] if stage in FIRST_FILE_OF}
    later = {FIRST_FILE_OF[stage] for stage in ORDER[ORDER.index(last) :] if stage in FIRST_FILE_OF}
    kinds = set(house.kinds(job))
    assert there <= kinds and not later & kinds
    assert house.files() == house.keys(job)
    house.database.close()


def test_a_cancelled_job_is_done_when_it_is_tried_again(house: House) -> None:
    job = house.job()
    house.at_stage("mesh", lambda: house.jobs.get("me", job.id).attempt == 2 and house.jobs.cancel("me", job.id))
    house.work()
    assert house.jobs.retry("me", job.id).state == "queued"
    house.work()
    assert house.jobs.get("me", job.id).state == "done"
    assert house.files() == house.keys(job)
    assert len(house.kinds(job)) == len(set(house.kinds(job))) > 10


@pytest.mark.parametrize("after", [0, 3, 9])
def test_a_disk_that_fills_fails_the_job_and_says_so(house: House, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    job, room = house.job(), [after]

    def full(file: object) -> None:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage_module.os, "fsync", full)
    house.work()
    failed = house.jobs.get("me", job.id)
    assert (failed.state, failed.error_code) == ("failed", "disk_full")
    assert from_text(failed.error_message) == "The server's disk is full; try again later."
    assert house.files() == house.keys(job)
    monkeypatch.undo()
    house.jobs.retry("me", job.id)
    house.work()
    assert house.jobs.get("me", job.id).state == "done"


def test_a_database_that_stays_locked_costs_neither_the_job_nor_a_try(house: House) -> None:
    job = house.job()
    lock = sqlite3.connect(Path(house.settings.data, "jobs.sqlite"), isolation_level=None)
    house.at_stage(
        "depth", lambda: None if house.jobs.get("me", job.id).attempt > 1 else lock.execute("BEGIN IMMEDIATE")
    )
    with pytest.raises(DatabaseBusy):
        house.work()
    with pytest.raises(DatabaseBusy):
        house.work()
    lock.execute("ROLLBACK")
    lock.close()
    house.work()
    done = house.jobs.get("me", job.id)
    assert (done.state, done.tries_left) == ("done", house.settings.max_tries - 1)
    assert house.files() == house.keys(job)


def test_a_worker_goes_on_after_the_database_was_locked(house: House) -> None:
    job = house.job()
    quick = house.workers[0]
    lock = sqlite3.connect(Path(house.settings.data, "jobs.sqlite"), isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    once, busy = quick.once, []

    def unlocked_after_the_first_time() -> bool:
        try:
            return once()
        except DatabaseBusy as error:
            busy.append(error)
            lock.execute("ROLLBACK")
            raise

    quick.once = unlocked_after_the_first_time  # type: ignore[method-assign]
    house.at_stage("grid", quick.stop)
    quick.run()
    lock.close()
    assert len(busy) == 1 and house.jobs.get("me", job.id).state == "queued"


def test_ended_jobs_are_left_alone(house: House) -> None:
    job = house.job()
    house.jobs.cancel("me", job.id)
    assert [worker.once() for worker in house.workers] == [False] * len(CREWS)
    assert house.jobs.get("me", job.id).state in FINAL and house.kinds(job) == ["photo"]
