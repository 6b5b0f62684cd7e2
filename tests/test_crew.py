"""Several processes: each task is done once, a death costs one task, and no more are begun than fit."""

from __future__ import annotations

import os
import time

import pytest
from crew_work import squared
from hypothesis import given
from hypothesis import strategies as st

from recon.cli import crew as crews
from recon.cli.crew import SHARE, Crew, Ended, Need, at_once, cores, free_memory


def done(crew: Crew, tasks: list[int]) -> list[Ended]:
    """Everything that comes of some tasks."""
    found: list[Ended] = []
    left = list(tasks)
    while left or crew.busy:
        while left and crew.can_begin:
            crew.begin(left.pop(0))
        found += crew.ended(5.0)
    return found


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_death_costs_one_task_and_the_processes_end_with_the_crew() -> None:
    tasks = [3, 0, 5, 7]
    with Crew(squared, 2, threads=3) as crew:
        over = done(crew, tasks)
        assert crew.most == 1, "less is done at once after a death"
    answers = {ended.task: ended.answer for ended in over}
    assert len(over) == len(tasks)
    assert {task: answer[0] for task, answer in answers.items() if answer} == {3: 9, 5: 25, 7: 49}
    assert [ended.died for ended in over if ended.task == 0] == [-9]
    assert all(answer[2] == 3 for answer in answers.values() if answer)
    assert not any(is_alive(answer[1]) for answer in answers.values() if answer)


def test_what_is_in_its_work_is_ended_too() -> None:
    with Crew(squared, 1) as crew:
        crew.begin(-1)
        assert crew.ended(1.0) == []
        process = crew._members[0].process
        start = time.monotonic()
    assert process.exitcode is not None and time.monotonic() - start < crews.PATIENCE


@given(st.integers(1, 10**12), st.integers(0, 10**13), st.integers(0, 10**11), st.integers(0, 10**11))
def test_what_is_begun_fits_into_the_memory(need: int, room: int, gpu: int, free: int) -> None:
    fits = at_once(Need(need, gpu, free), room)
    assert fits >= 1
    if fits > 1:
        assert fits * need <= SHARE * room
        assert (fits - 1) * gpu <= SHARE * free
    assert at_once(Need(2 * need, gpu, free), room) <= fits


def test_one_is_begun_until_it_is_known_what_it_takes() -> None:
    assert at_once(Need(0), 10**12) == 1
    assert at_once(Need(10**9), None) > 1000, "where nobody knows the memory, the cores decide"


CGROUP = {
    "/sys/fs/cgroup/cpu.max": ["150000 100000"],
    "/proc/meminfo": ["MemTotal: 9000 kB", "MemAvailable: 5000 kB"],
    "/sys/fs/cgroup/memory.max": ["4096000"],
    "/sys/fs/cgroup/memory.current": ["3072000"],
    "/sys/fs/cgroup/memory.stat": ["anon 1", "inactive_file 1024000"],
}


def test_a_containers_limits_are_kept_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews.os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(crews, "_lines", lambda path: CGROUP[path])
    assert (cores(), free_memory()) == (2, 2048000)
    monkeypatch.setattr(crews, "_lines", lambda path: ["max 100000"] if "cpu" in path else [])
    assert (cores(), free_memory()) == (8, None)
