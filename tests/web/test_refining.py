"""The refine lane with the real refinement at a few steps: what it makes, and that whatever happens in it, the first model
stays."""

from __future__ import annotations

import errno
import gzip
import io
import math
import os
import signal
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image
from web.pictures import small_object, small_photo
from web.test_faults import Server, start  # noqa: F401  (a fixture)
from web.test_worker import LEASE, House

from tests.web.pictures import checked_upload
from web_3d_app.http.options import DEFAULTS
from web_3d_app.jobs.claims import Claims
from web_3d_app.jobs.tables import Job
from web_3d_app.jobs.transport import is_packed
from web_3d_app.kinds import KINDS
from web_3d_app.kinds.photo import PHOTO
from web_3d_app.kinds.refinement import REFINEMENT
from web_3d_app.phrasebook import from_text, sentence_of
from web_3d_app.phrasebook import told as in_words
from web_3d_app.problems import Problem
from web_3d_app.settings import Settings
from web_3d_app.work.refinement import BEGINS, POINTS, RefinementProgress
from web_3d_app.work.worker import KindRunner

REFINED = {"refined", "refined_ply", "refined_stl", "refined_obj"}
REFINE = REFINEMENT.first
ALPHA = DEFAULTS | {"mask": "alpha", "surface": "grid"}
STEPS = 3


@pytest.fixture(scope="module")
def runner() -> KindRunner:
    return KindRunner(Settings(preview_seconds=0.0, film_seconds=0.0, refine_steps=STEPS))


@pytest.fixture
def house(tmp_path: Path, runner: KindRunner) -> Iterator[House]:
    made = House(tmp_path / "data", runner)
    yield made
    made.database.close()


def made(house: House, photo: bytes | None = None, **params: Any) -> Job:
    """A job that was asked for; not yet worked on."""
    upload = checked_upload(photo or small_object(), "ball.png", house.jobs.limits)
    return house.jobs.create("me", upload, ALPHA | params, None)[0]


def finished(house: House) -> Job:
    """A job that is done, without a refinement."""
    job = made(house)
    house.work()
    return house.jobs.get("me", job.id)


NO_SUBJECT = sentence_of("refine.no_subject")


def told_of(job: Job) -> str:
    """Its error's sentence."""
    assert job.error_message is not None
    return from_text(job.error_message)


def only_the_first_model(house: House, job: Job, code: str) -> Job:
    """The job is done, has all of its first files, none of the refinement's, and says why."""
    now = house.jobs.get("me", job.id)
    assert (now.state, now.lane, now.error_code, now.progress) == ("done", REFINE, code, 1.0)
    assert (now.stage, now.checkpoint_key, now.lease_owner, now.cancel_requested_at) == (None,) * 4
    kinds = set(house.kinds(job))
    assert {"photo", "grid", "mesh_ply", "report"} <= kinds and not (REFINED | {"sketch"}) & kinds
    assert house.files() == house.keys(job)
    return now


def test_a_refinement_asked_for_with_the_photo_makes_a_better_mesh(house: House) -> None:
    job = made(house, refine="quick")
    told: list[tuple[str, float]] = []
    for worker in house.workers:
        progress = worker.claims.progress

        def remember(job: Job, stage: str, share: float, *facts: Any, tell: Any = progress) -> None:
            told.append((stage, share))
            tell(job, stage, share, *facts)

        worker.claims.progress = remember  # type: ignore[method-assign]
    house.work()
    done = house.jobs.get("me", job.id)
    assert (done.state, done.lane, done.error_code, done.attempt) == ("done", REFINE, None, 3)
    assert house.files() == house.keys(job)
    files = {file.kind: file for file in house.jobs.artefacts([job])[job.id]}
    assert files.keys() >= REFINED | {"grid", "mesh_ply"} and "sketch" not in files

    def opened(kind: str, format: str) -> trimesh.Trimesh:
        with house.storage.open(files[kind].key) as data:
            whole = gzip.decompress(data.read()) if is_packed(files[kind].key) else data.read()
        return trimesh.load(io.BytesIO(whole), file_type=format, force="mesh")

    mesh = opened("refined_stl", "stl")
    assert mesh.is_watertight and len(mesh.faces) == done.facts["refinement"]["faces"]
    assert opened("refined", "glb").visual.material.baseColorTexture is not None
    with house.storage.open(files["refined_obj"].key) as data, zipfile.ZipFile(data) as archive:
        assert "refined.obj" in archive.namelist() and archive.testzip() is None
    shares = [share for stage, share in told if stage in BEGINS]
    assert shares == sorted(shares) and {stage for stage, _ in told} >= set(BEGINS)
    losses = done.facts["refinement"]["losses"]
    assert losses.keys() >= {"fine"} and [step for step, _ in losses["fine"]] == [1, 2, 3]
    assert all("--" not in in_words(note) for note in done.facts["refinement"]["notes"])


@pytest.mark.slow
def test_a_refinement_shows_a_picture_on_its_way_and_keeps_one_only(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web_3d_app.work.refinement.SKETCH_SECONDS", 0.0)
    monkeypatch.setattr("web_3d_app.work.refinement.SKETCH_SHARE", math.inf)
    monkeypatch.setattr("web_3d_app.work.refinement.TELL_SECONDS", 0.0)
    job = finished(house)
    house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
    seen: list[tuple[str, int]] = []

    def look() -> None:
        (sketch,) = (file for file in house.jobs.artefacts([job])[job.id] if file.kind == "sketch")
        seen.append((sketch.key, sketch.position))
        with house.storage.open(sketch.key) as data:
            picture = np.asarray(Image.open(data))
        assert picture.shape[2] == 3 and picture.std() > 5
        assert house.files() - house.keys(job) <= {house.jobs.get("me", job.id).checkpoint_key}
        if len(seen) == 2:
            house.jobs.cancel("me", job.id)

    for worker in house.workers:
        tell = worker.claims.progress

        def progress(job: Job, stage: str, *facts: Any, tell: Any = tell) -> None:
            if any(file.kind == "sketch" for file in house.jobs.artefacts([job])[job.id]):
                look()
            tell(job, stage, *facts)

        worker.claims.progress = progress  # type: ignore[method-assign]
    house.work()
    assert len({key for key, _ in seen}) == len({position for _, position in seen}) == 2
    assert only_the_first_model(house, job, "cancelled").facts["refinement"]["losses"].keys() >= {"fine"}


def test_cancelling_a_refinement_keeps_the_first_model(house: House) -> None:
    job = finished(house)
    assert house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})[0].state == "queued"
    house.at_stage("looks", lambda: house.jobs.cancel("me", job.id))
    house.work()
    only_the_first_model(house, job, "cancelled")
    assert house.jobs.cancel("me", job.id).state == "done"  # again is no error


def test_a_waiting_refinement_is_cancelled_at_once_and_can_be_asked_for_again(house: House) -> None:
    job = finished(house)
    for preset in ("quick", "full"):
        asked, replayed = house.jobs.follow("me", job.id, REFINEMENT, {"preset": preset})
        assert (asked.state, asked.lane, asked.params["refine"], replayed) == ("queued", REFINE, preset, False)
        assert house.jobs.cancel("me", job.id).state == "done"
        only_the_first_model(house, job, "cancelled")


def test_a_job_cancelled_on_its_way_to_the_refinement_is_done_without_it(house: House) -> None:
    job = made(house, refine="quick")
    heavy = house.workers[1]
    finish = heavy.claims.finish
    heavy.claims.finish = lambda ended: (house.jobs.cancel("me", job.id), finish(ended))[1]  # type: ignore[method-assign]
    house.work()
    heavy.housekeeping.tidy(job := house.jobs.get("me", job.id))
    only_the_first_model(house, job, "cancelled")


def test_a_full_disk_ends_the_refinement_only(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    job = finished(house)
    house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    house.at_stage("fine", lambda: monkeypatch.setattr(house.storage, "put", full))
    house.work()
    assert told_of(only_the_first_model(house, job, "disk_full")) == "The server's disk is full; try again later."


def test_a_scene_has_nothing_to_refine_and_says_so(house: House) -> None:
    job = made(house, small_photo(0), mask="none", refine="quick")
    house.work()
    assert told_of(only_the_first_model(house, job, "bad_input")) == NO_SUBJECT
    with pytest.raises(Problem) as refused:
        house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
    assert (refused.value.status, refused.value.code, refused.value.message) == (422, "no_subject", NO_SUBJECT)


def test_a_job_deleted_while_it_is_refined_leaves_nothing(house: House) -> None:
    job = finished(house)
    house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
    house.at_stage("fine", lambda: house.jobs.delete("me", job.id))
    house.work()
    assert house.files() == set() and house.storage.names() == []


def test_a_stopped_worker_gives_the_refinement_back_with_how_far_it_came(house: House) -> None:
    job = finished(house)
    house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
    slow = house.workers[2]
    tell, begun = slow.stage, []

    def stage(name: str, share: float) -> None:
        begun.append(name)
        tell(name, share)
        if name == "texture":
            slow.stop()

    slow.stage = stage  # type: ignore[method-assign]
    slow.once()
    waiting = house.jobs.get("me", job.id)
    assert (waiting.state, waiting.lane, waiting.tries_left) == ("queued", REFINE, house.settings.max_tries)
    assert waiting.checkpoint_key in house.files() and begun == ["looks", "target", "fine", "texture"]
    fine = waiting.facts["refinement"]["losses"]["fine"]
    slow.ending.clear()

    def until_texture(name: str, share: float) -> None:  # how it ends from there is another test's
        begun.append(name)
        if name == "texture":
            house.jobs.cancel("me", job.id)
        tell(name, share)

    slow.stage = until_texture  # type: ignore[method-assign]
    assert slow.once()
    assert begun[4:] == ["looks", "target", "texture"]
    assert only_the_first_model(house, job, "cancelled").facts["refinement"]["losses"]["fine"] == fine


@pytest.mark.parametrize("earlier", [False, True], ids=["damaged", "of the format before this one"])
def test_a_state_that_cannot_be_used_any_more_is_made_anew(earlier: bool, house: House, tmp_path: Path) -> None:
    job = finished(house)
    house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
    slow = house.workers[2]
    (tmp_path / "state").write_bytes(b"no state at all")
    if earlier:
        random = torch.Generator().get_state()
        torch.save({"format": 3, "key": "", "stage": "fine", "done": 7, "random": random, "coarse": {}, "fine": None,
                    "adam": {}, "losses": {"coarse": 0.1}, "halved": []}, tmp_path / "state")  # fmt: skip
    claimed = slow.claims.claim("gone", [REFINE])
    slow.claims.keep(house.storage, claimed, tmp_path / "state")
    slow.claims.release(claimed)
    house.at_stage("fine", lambda: house.jobs.cancel("me", job.id))  # so far it came: that is enough
    house.work()
    only_the_first_model(house, job, "cancelled")


def test_a_worker_killed_in_a_refinement_is_followed_by_one_that_goes_on_from_the_checkpoint(
    start: Callable[..., Server],  # noqa: F811
) -> None:
    server = start(
        "web_3d_app.work.worker", refine_steps=STEPS, preview_seconds=0.0, film_seconds=0.0, grace_seconds=10.0
    )
    photo = checked_upload(small_object(), "ball.png", server.jobs.limits)
    job = server.job("ball", photo, **ALPHA | {"refine": "quick"})
    server.wait(job, lambda job: job.checkpoint_key is not None and job.lane == REFINE)
    os.kill(server.engine.pids["slow"], signal.SIGKILL)
    server.wait(job, lambda job: job.attempt == len(PHOTO.lanes))  # a grid goes through two lanes; then two tries
    stages: set[str | None] = set()
    done = server.wait(job, lambda job: stages.add(job.stage) or job.state == "done")  # type: ignore[func-returns-value]
    assert done.error_code is None and "fine" not in stages and "texture" in stages
    assert {file.kind for file in server.jobs.artefacts([job])[job.id]} >= REFINED
    server.stop()
    keys = {file.key for file in server.jobs.artefacts([job])[job.id]}
    store = Path(server.settings.data, "files")
    assert {path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()} == keys


@pytest.mark.parametrize("state", ["queued", "running"])
def test_it_may_be_asked_for_while_the_film_is_made_and_comes_after_that(house: House, state: str) -> None:
    """The film goes on; its end sees what was asked for in the meantime, and nothing is asked for twice."""
    job, claims = made(house), house.workers[0].claims
    claimed = claims.claim("w", ["view"])
    claims.facts(claimed, {"subject": "alpha"})
    claims.hand_over(house.storage, claimed, "film", None)
    film = claims.claim("w", ["film"]) if state == "running" else None
    asked, replayed = house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"}, "key")
    assert (asked.state, asked.lane, asked.params["refine"], replayed) == (state, "film", "quick", False)
    assert house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"}, "key")[1]
    with pytest.raises(Problem, match="already"):
        house.jobs.follow("me", job.id, REFINEMENT, {"preset": "full"})
    film = film or claims.claim("w", ["film"])
    assert claims.finish(film)
    now = house.jobs.get("me", job.id)
    assert (now.state, now.lane, now.progress, now.lease_owner) == ("queued", REFINE, 0.0, None)


def test_a_job_stopped_in_its_film_is_not_asked_for_more(house: House) -> None:
    job, claims = made(house), house.workers[0].claims
    claims.hand_over(house.storage, claims.claim("w", ["view"]), "film", None)
    claims.claim("w", ["film"])
    house.jobs.cancel("me", job.id)
    with pytest.raises(Problem, match="Only a finished model"):
        house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})


class TestTheTable:
    """Without doing the work."""

    @pytest.fixture
    def job(self, house: House) -> Job:
        """A finished job, its subject cut out."""
        job = made(house)
        claimed = house.workers[0].claims.claim("w", ["view"])
        house.workers[0].claims.facts(claimed, {"subject": "alpha"})
        house.workers[0].claims.finish(claimed)
        return job

    def test_it_is_under_way_once(self, house: House, job: Job) -> None:
        first, replayed = house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"}, "key")
        again, repeated = house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"}, "key")
        assert (first.seq, replayed, repeated) == (again.seq, False, True)
        for preset, key, code in (("full", "key", "idempotency_mismatch"), ("quick", "other", "under_way"),
                                  ("quick", None, "under_way")):  # fmt: skip
            with pytest.raises(Problem) as told:
                house.jobs.follow("me", job.id, REFINEMENT, {"preset": preset}, key)
            assert (told.value.status, told.value.code) == (409, code)

    def test_a_job_that_has_not_finished_cannot_be_refined(self, house: House) -> None:
        job = made(house)
        with pytest.raises(Problem, match="finished model") as told:
            house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
        assert told.value.status == 409
        with pytest.raises(Problem) as told:
            house.jobs.follow("stranger", job.id, REFINEMENT, {"preset": "quick"})
        assert told.value.status == 404

    def test_nobody_s_view_mesh_or_files_wait_for_it(self, house: House, job: Job) -> None:
        house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
        newer = made(house)
        claims = house.workers[0].claims
        assert claims.claim("s", slow_lanes := ("refine",)).id == job.id
        assert claims.claim("h", ("mesh", "files")) is None and claims.claim("s", slow_lanes) is None
        assert claims.claim("q", ("view",)).id == newer.id
        assert house.jobs.queue_position(newer) is not None
        assert house.jobs.seconds_left(newer) is None

    def test_it_has_limits_of_its_own(self, house: House, job: Job) -> None:
        house.jobs._settings = replace(house.settings, max_queued=1, max_refinements=1, max_refinements_each=1)
        house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
        with pytest.raises(Problem) as told:
            made(house, refine="quick")
        assert (told.value.status, told.value.code) == (503, "queue_full")
        house.jobs._settings = replace(house.settings, max_queued=1, max_refinements=9, max_refinements_each=1)
        with pytest.raises(Problem) as told:
            made(house, refine="quick")
        assert (told.value.status, told.value.code) == (429, "quota")
        made(house)  # a waiting refinement keeps no photo out

    def test_three_deaths_end_it_and_its_time_is_its_own(self, house: House, job: Job) -> None:
        house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
        claims = Claims(house.database, LEASE)
        for _ in range(3):
            assert claims.claim("w", [REFINE]).id == job.id
            assert claims.abandon("w") == 1
        ended = house.jobs.get("me", job.id)
        assert (ended.state, ended.error_code) == ("done", "poisoned")
        assert told_of(ended) == REFINEMENT.sentences.poisoned
        house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
        claims.fail_late(claims.claim("w", [REFINE]))
        ended = house.jobs.get("me", job.id)
        assert (ended.state, ended.error_code) == ("done", "timeout")
        assert told_of(ended) == REFINEMENT.sentences.too_long

    def test_a_finished_refinement_was_ready_before_it_was_cancelled(self, house: House, job: Job) -> None:
        house.jobs.follow("me", job.id, REFINEMENT, {"preset": "quick"})
        claims = Claims(house.database, LEASE)
        claimed = claims.claim("w", [REFINE])
        house.jobs.cancel("me", job.id)
        claims.finish(claimed)
        ended = house.jobs.get("me", job.id)
        assert (ended.state, ended.error_code, ended.cancel_requested_at) == ("done", None, None)


def test_a_curve_has_few_points_and_goes_on_after_a_crash() -> None:
    progress = RefinementProgress({"preset": "quick"})
    progress.begin("fine")
    for number in range(1, 1001):
        progress.take(number, 1000, 1 / number if number != 500 else math.nan)
    points = progress.now()["losses"]["fine"]
    assert len(points) == POINTS and points[-1][0] == 1000
    assert points[0] == [10, pytest.approx(sum(1 / n for n in range(1, 11)) / 10, rel=1e-3)]
    assert progress.now()["seconds_left"] is not None
    again = RefinementProgress(progress.now())
    again.begin("fine")
    again.take(700, 1000, 5.0)
    steps = [step for step, _ in again.now()["losses"]["fine"]]
    assert steps == sorted(set(steps)) and steps[-1] == 700
    assert again.now()["seconds"] >= progress.told.get("seconds", 0)


def test_stages_begin_one_after_another() -> None:
    for kind in KINDS.values():
        assert list(kind.begins.values()) == sorted(kind.begins.values())
