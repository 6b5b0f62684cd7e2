"""Laws of the jobs table: claimed once, fenced, never lost, never done twice."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from web_3d_app.jobs.claims import Cancelled, Claims, Lost
from web_3d_app.jobs.database import Database
from web_3d_app.jobs.housekeeping import Housekeeping
from web_3d_app.jobs.service import Jobs
from web_3d_app.jobs.storage import Storage
from web_3d_app.jobs.tables import Base, Job
from web_3d_app.jobs.uploads import Upload
from web_3d_app.kinds import lanes_of
from web_3d_app.kinds.base import HEAVY, QUICK
from web_3d_app.kinds.refinement import REFINEMENT
from web_3d_app.problems import Problem
from web_3d_app.settings import Settings

VIEW, MESH, FILES = "view", "mesh", "files"
UPLOAD = Upload(b"bytes", "photo.jpg", "cat", 64, 48, None, "digest")


class House:
    """The services on one database, with a clock that is set by hand."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        settings = Settings(data=str(folder), min_free_mib=0)
        self.database, self.storage = Database(settings.database_url), Storage(settings.storage_url)
        self.database.migrate()
        self.jobs = Jobs(self.database, self.storage, settings, lambda: self.now)
        self.claims = Claims(self.database, 60, self.clock, self.clock)
        self.housekeeping = Housekeeping(self.database, self.storage, self.clock, self.clock, self.clock)

    def clock(self) -> float:
        return self.now

    def job(self, key: str | None = None) -> Job:
        return self.jobs.create("me", UPLOAD, {"surface": "grid"}, key)[0]

    def state(self, job: Job) -> str:
        return self.jobs.get("me", job.id).state


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path)
    yield made
    made.database.close()


def together(count: int, what: Callable[[int], object]) -> list[object]:
    """The results of `what`, called from several threads at once."""
    results: list[object] = [None] * count
    ready = threading.Barrier(count)

    def call(i: int) -> None:
        ready.wait()
        results[i] = what(i)

    threads = [threading.Thread(target=call, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def test_many_photos_of_one_person_keep_nobody_out(house: House) -> None:
    """Who had no turn for the longest is next; a position in the queue is what then happens."""

    def job(owner: str) -> Job:
        house.now += 1
        return house.jobs.create(owner, UPLOAD, {"surface": "grid"})[0]

    many = [job("many") for _ in range(5)]
    house.now += 1
    first = house.claims.claim("w", ["view"])
    others = [job("other"), job("third"), job("other")]
    waiting = [*many[1:], *others]
    told = {waits.id: house.jobs.queue_position(waits) for waits in waiting}
    order = []
    for _ in waiting:
        house.now += 1
        order.append(house.claims.claim("w", ["view"]).id)
    assert first.id == many[0].id
    assert order == [others[0].id, others[1].id, many[1].id, others[2].id, *(left.id for left in many[2:])]
    assert [told[which] for which in order] == list(range(7))


def test_the_migrations_make_the_tables(house: House) -> None:
    with house.database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_each_job_is_claimed_once_and_in_order(house: House) -> None:
    ids = []
    for _ in range(12):
        house.now += 1
        ids.append(house.job().id)
    first = house.claims.claim("w", ["view"])
    assert first is not None and first.id == ids[0]
    taken = together(6, lambda i: [house.claims.claim(f"w{i}", ["view"]) for _ in range(4)])
    found = [job.id for jobs in taken for job in jobs if job is not None]
    assert sorted(found) == sorted(ids[1:])
    assert house.claims.claim("late", ["view"]) is None and house.claims.claim("late", ["mesh", "files"]) is None


def test_one_key_at_once_is_one_job(house: House) -> None:
    made = together(5, lambda _: house.job("key"))
    assert len({job.id for job in made}) == 1
    assert house.storage.names() == [made[0].id]


def test_of_many_at_once_as_many_are_taken_as_the_quota_says(house: House) -> None:
    def ask(_: int) -> str:
        try:
            return house.job().state
        except Problem as problem:
            return problem.code

    answers = together(40, ask)
    assert (answers.count("queued"), answers.count("quota")) == (20, 20)
    assert len(house.storage.names()) == len(house.jobs.newest("me", 100)) == 20


def test_of_many_at_once_as_many_are_refined_as_the_quota_says(house: House) -> None:
    jobs = [house.job() for _ in range(8)]
    for _ in jobs:
        claimed = house.claims.claim("w", ["view"])
        house.claims.facts(claimed, {"subject": "alpha"})
        house.claims.finish(claimed)

    def ask(i: int) -> str:
        try:
            return house.jobs.follow("me", jobs[i].id, REFINEMENT, {"preset": "quick"})[0].lane
        except Problem as problem:
            return problem.code

    answers = together(8, ask)
    assert (answers.count("refine"), answers.count("quota")) == (3, 5)


def test_a_lease_that_ran_out_is_given_away_and_the_late_worker_is_fenced(house: House, tmp_path: Path) -> None:
    house.job()
    slow = house.claims.claim("slow", ["view"])
    house.now += 59
    assert house.claims.claim("next", ["view"]) is None
    house.claims.renew(slow)
    house.now += 59
    assert house.claims.claim("next", ["view"]) is None
    house.now += 2
    fresh = house.claims.claim("next", ["view"])
    assert (fresh.id, fresh.attempt) == (slow.id, 2)
    file = tmp_path / "f"
    file.write_bytes(b"late")
    for write in (
        lambda: house.claims.renew(slow),
        lambda: house.claims.progress(slow, "depth", 0.9),
        lambda: house.claims.add(house.storage, slow, [("grid.glb", "grid", "model/gltf-binary", file)]),
        lambda: house.claims.finish(slow),
        lambda: house.claims.fail(slow, "x", "x"),
        lambda: house.claims.release(slow),
    ):
        with pytest.raises(Lost):
            write()
    assert house.storage.names(f"{slow.id}/1") == []
    house.claims.finish(fresh)
    assert house.state(slow) == "done"
    with pytest.raises(Lost):
        house.claims.finish(fresh)


def test_the_same_worker_cannot_finish_its_earlier_try(house: House) -> None:
    house.job()
    early = house.claims.claim("w", ["view"])
    house.now += 61
    assert house.claims.claim("w", ["view"]).attempt == 2
    with pytest.raises(Lost):
        house.claims.finish(early)


def test_three_deaths_are_poison(house: House) -> None:
    job = house.job()
    for _ in range(3):
        assert house.claims.claim("w", ["view"]).id == job.id
        assert house.claims.abandon("w") == 1
    assert house.claims.claim("w", ["view"]) is None
    failed = house.jobs.get("me", job.id)
    assert (failed.state, failed.error_code) == ("failed", "poisoned")
    assert house.jobs.retry("me", job.id).state == "queued"
    assert house.claims.claim("w", ["view"]).attempt == 4


def test_a_dead_machine_is_noticed(house: House) -> None:
    job = house.job()
    for _ in range(3):
        house.claims.claim("w", ["view"])
        house.now += 61
    assert house.claims.claim("w", ["view"]) is None and house.claims.reap() == 1
    assert house.state(job) == "failed"


def test_a_job_goes_through_its_lanes_and_meshes_go_before_files(house: House, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"checkpoint")
    heavy = lanes_of(HEAVY)
    for lane in (MESH, FILES):
        house.now += 1
        house.job()
        job = house.claims.claim("q", lanes_of(QUICK))
        house.claims.hand_over(house.storage, job, lane, tmp_path / "c")
        with pytest.raises(Lost):
            house.claims.finish(job)
    older, newer = house.claims.claim("h", heavy), house.claims.claim("h", heavy)
    assert (older.lane, newer.lane, newer.tries_left, newer.attempt) == (MESH, FILES, 2, 2)
    for first in (older, newer):
        with house.storage.open(first.checkpoint_key) as data:
            assert data.read() == b"checkpoint"
    house.claims.hand_over(house.storage, older, FILES, tmp_path / "c")
    house.job()
    assert house.claims.claim("h", heavy).id == older.id
    house.claims.finish(newer)
    house.housekeeping.tidy(newer)
    assert house.storage.names(f"{newer.id}/1") == [] and house.state(newer) == "done"


def test_a_worker_s_death_leaves_the_lane_and_its_checkpoint(house: House, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"checkpoint")
    job = house.job()
    house.claims.hand_over(house.storage, house.claims.claim("q", ["view"]), MESH, tmp_path / "c")
    for last in (False, False, True):
        died = house.claims.claim("h", lanes_of(HEAVY))
        assert died.lane == MESH
        house.housekeeping.tidy(died)
        with house.storage.open(died.checkpoint_key):
            pass
        house.claims.abandon("h")
        assert house.state(job) == ("failed" if last else "queued")
    house.housekeeping.clean()
    assert house.storage.names(f"{job.id}/1") == []
    assert house.jobs.retry("me", job.id).lane == VIEW


def test_what_waits_between_lanes_is_cancelled_at_once(house: House, tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"checkpoint")
    job = house.job()
    claimed = house.claims.claim("q", ["view"])
    house.claims.hand_over(house.storage, claimed, MESH, tmp_path / "c")
    assert house.jobs.cancel("me", job.id).state == "cancelled"
    house.housekeeping.tidy_ended()
    assert house.storage.names(f"{job.id}/1") == []
    house.jobs.retry("me", job.id)
    claimed = house.claims.claim("q", ["view"])
    house.jobs.cancel("me", job.id)
    house.claims.hand_over(house.storage, claimed, MESH, tmp_path / "c")
    assert house.state(job) == "cancelled"


def test_giving_back_costs_no_try(house: House) -> None:
    job = house.job()
    for _ in range(9):
        house.claims.release(house.claims.claim("w", ["view"]))
    assert house.state(job) == "queued"


def test_cancelling_one_waiting_job_leaves_the_running_one(house: House) -> None:
    running, waiting = house.job(), house.job()
    first = house.claims.claim("w", ["view"])
    other = waiting if first.id == running.id else running
    assert house.jobs.cancel("me", other.id).state == "cancelled"
    house.claims.renew(first)
    assert house.claims.claim("w", ["view"]) is None
    house.claims.finish(first)
    assert house.state(first) == "done"
    with pytest.raises(Problem, match="finished"):
        house.jobs.cancel("me", first.id)


@pytest.mark.parametrize("last", ["finish", "release", "cancelled"])
def test_cancelled_wins_over_every_end(house: House, last: str) -> None:
    house.job()
    job = house.claims.claim("w", ["view"])
    assert house.jobs.cancel("me", job.id).state == "running"
    assert house.jobs.cancel("me", job.id).cancel_requested_at == 1000
    with pytest.raises(Cancelled):
        house.claims.progress(job, "depth", 0.5)
    getattr(house.claims, last)(job)
    assert house.state(job) == "cancelled"
    again = house.jobs.retry("me", job.id)
    assert again.cancel_requested_at is None
    assert house.claims.claim("w", ["view"]).id == job.id


def test_a_cancelled_job_whose_worker_died_is_cancelled(house: House) -> None:
    house.job()
    job = house.claims.claim("w", ["view"])
    house.jobs.cancel("me", job.id)
    house.claims.abandon("w")
    assert house.state(job) == "cancelled"


def test_progress_never_goes_back(house: House) -> None:
    house.job()
    job = house.claims.claim("w", ["view"])
    for progress in (0.5, 0.2):
        house.claims.progress(job, "mesh", progress)
    assert house.jobs.get("me", job.id).progress == 0.5


def test_a_later_try_takes_the_place_of_earlier_files(house: House, tmp_path: Path) -> None:
    house.job()
    file = tmp_path / "f"
    for content in (b"first", b"second"):
        job = house.claims.claim("w", ["view"])
        file.write_bytes(content)
        house.claims.add(house.storage, job, [("grid.glb", "grid", "model/gltf-binary", file)])
        if content == b"first":
            house.claims.abandon("w")
    house.housekeeping.tidy(job)
    photo, grid = house.jobs.artefacts([job])[job.id]
    assert (photo.kind, grid.kind) == ("photo", "grid")
    with house.storage.open(grid.key) as data:
        assert data.read() == b"second"
    assert house.storage.names(f"{job.id}/1") == []


def test_everything_goes_after_its_time(house: House) -> None:
    job = house.job()
    house.now += 24 * 3600 - 1
    assert house.housekeeping.expire() == 0
    house.now += 2
    assert house.housekeeping.expire() == 1
    assert house.storage.names() == []
    with pytest.raises(Problem) as told:
        house.jobs.get("me", job.id)
    assert told.value.status == 410


def test_folders_of_nobody_are_swept(house: House) -> None:
    job = house.job()
    house.storage.put("stray/1/file", BytesIO(b"x"))
    house.now = time.time()
    assert house.housekeeping.sweep() == 0  # it may be an upload that is just being kept
    house.now += 3700
    assert house.housekeeping.sweep() == 1 and house.storage.names() == [job.id]


def test_an_estimate_comes_only_with_experience(house: House) -> None:
    for count in range(6):
        house.job()
        job = house.claims.claim("w", ["view"])
        house.now += 3
        assert house.jobs.seconds_left(job) == (None if count < 5 else 5.0)
        house.claims.facts(job, {"seconds": {"depth": 1, "mesh": 4, "files": 2, "preview": 1}})
        house.now += 5
        house.claims.finish(job)
