"""The stopwatch: who is told, what is counted."""

from __future__ import annotations

import pytest

from recon import progress
from recon.progress import Stopwatch


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(progress.time, "perf_counter", lambda: now[0])
    return now


def test_stages_are_told_as_they_begin_and_summed_by_name(clock: list[float]) -> None:
    told: list[str] = []
    watch = Stopwatch(told.append)
    for name, seconds in (("read", 1.0), ("mesh", 2.5), ("read", 0.25)):
        with watch.stage(name):
            assert told[-1] == name
            clock[0] += seconds
    assert told == ["read", "mesh", "read"]
    assert list(watch.seconds.items()) == [("read", 1.25), ("mesh", 2.5)]


def test_a_stage_that_fails_is_timed_and_still_fails(clock: list[float]) -> None:
    watch = Stopwatch()
    with pytest.raises(ValueError, match="broken"), watch.stage("mesh"):
        clock[0] += 3
        raise ValueError("broken")
    assert watch.seconds == {"mesh": 3.0}


def test_a_listener_that_stops_the_work_stops_it_before_the_stage() -> None:
    def stop(_: str) -> None:
        raise KeyboardInterrupt

    ran = False
    with pytest.raises(KeyboardInterrupt), Stopwatch(stop).stage("mesh"):
        ran = True
    assert not ran


def test_reports_are_to_the_millisecond(clock: list[float]) -> None:
    watch = Stopwatch()
    with watch.stage("a"):
        clock[0] += 0.12345
    assert watch.rounded() == {"a": 0.123}
    assert watch.seconds == {"a": pytest.approx(0.12345)}
