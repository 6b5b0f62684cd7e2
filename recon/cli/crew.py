"""Several processes that do one kind of work: as many at a time as cores and memory allow, which is measured.

Each process keeps its models from one task to the next. The first task is done alone; what it took of the memory says how
many can be done at once, and whatever takes more later lets fewer begin. A process that dies costs its own task only.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from recon.cli.console import Stop

SPAWN = multiprocessing.get_context("spawn")
SHARE = 0.8
"""Of the free memory that is taken: photos differ."""
PATIENCE = 10.0
"""Seconds for a process to end by itself when it is told to."""
Work = Callable[[Any, int, Stop], Any]
"""What a process does: given a task and a number of threads, an answer that can be sent."""


@dataclass(frozen=True)
class Need:
    """Bytes that a process has taken at most: of memory, and of a GPU's with what is free there besides."""

    memory: int
    gpu: int = 0
    gpu_free: int = 0


@dataclass
class _Member:
    process: Any
    line: Connection
    task: Any = None


@dataclass(frozen=True)
class Ended:
    """A task that is over: its answer, or, where its process died, by which signal or exit code."""

    task: Any
    answer: Any = None
    died: int | None = None


class Crew:
    """Processes that each do one task at a time. most: of them; threads: of each, None: its share of the cores."""

    def __init__(self, work: Work, most: int, threads: int | None = None) -> None:
        self._work, self.most = work, max(1, most)
        self._threads = threads or max(1, cores() // self.most)
        self._room, self._need = free_memory(), Need(0)
        self._members: list[_Member] = []
        self.peak = 0
        """So many tasks were done at once, at most."""

    def __enter__(self) -> Crew:
        for _ in range(self.most):  # all load their libraries while the first one works
            self._members.append(self._new())
        return self

    def __exit__(self, *error: object) -> None:
        for member in self._members:
            member.process.terminate()
        until = time.monotonic() + PATIENCE
        for member in self._members:
            member.process.join(max(0.0, until - time.monotonic()))
            if member.process.exitcode is None:
                member.process.kill()
                member.process.join()
            member.line.close()

    @property
    def busy(self) -> int:
        """Tasks that are being done."""
        return sum(member.task is not None for member in self._members)

    @property
    def can_begin(self) -> bool:
        """Whether one more task may begin."""
        return self.busy < min(self.most, at_once(self._need, self._room))

    def begin(self, task: Any) -> None:
        """Let a free process do a task."""
        member = next(member for member in self._members if member.task is None)
        with contextlib.suppress(OSError):  # it has died, which `ended` will see
            member.line.send((task, self._threads))
        member.task = task
        self.peak = max(self.peak, self.busy)

    def ended(self, seconds: float | None = None) -> list[Ended]:
        """The tasks that are over, once there are some or so many seconds have passed."""
        if not self.busy:
            time.sleep(seconds or 0)
            return []
        ready = wait([member.line for member in self._members if member.task is not None], seconds)
        return [self._heard(member) for member in list(self._members) if member.line in ready]

    def _heard(self, member: _Member) -> Ended:
        task, member.task = member.task, None
        try:
            answer, need = member.line.recv()
        except (EOFError, OSError):
            return Ended(task, died=self._replaced(member))
        self._need = Need(max(self._need.memory, need.memory), max(self._need.gpu, need.gpu), need.gpu_free)
        return Ended(task, answer)

    def _replaced(self, member: _Member) -> int:
        """Another process in the place of one that died, or none: memory may have run out. Returns how it died."""
        member.process.join(PATIENCE)
        member.line.close()
        self._members.remove(member)
        self.most = max(1, self.most - 1)
        if not self._members:
            self._members.append(self._new())
        code = member.process.exitcode
        return 0 if code is None else int(code)

    def _new(self) -> _Member:
        ours, theirs = SPAWN.Pipe()
        process = SPAWN.Process(target=_serve, args=(theirs, self._work), daemon=True)
        with _no_interrupts():
            process.start()
        theirs.close()
        return _Member(process, ours)


def at_once(need: Need, room: int | None) -> int:
    """How many tasks fit into `room` bytes, None: nobody knows; one, as long as what a task needs is not known."""
    if not need.memory:
        return 1
    fits = [sys.maxsize]
    if room is not None:
        fits.append(int(SHARE * room / need.memory))
    if need.gpu:
        fits.append(1 + int(SHARE * need.gpu_free / need.gpu))
    return max(1, min(fits))


def _serve(line: Connection, work: Work) -> None:
    """A process of the crew, until nobody asks any more."""
    stop = Stop()
    signal.signal(signal.SIGTERM, stop)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):  # what libraries print is not for the person at the terminal
        os.dup2(nowhere, stream)
    from recon import models_kept, reconstruct  # noqa: F401  # the libraries, before the first photo

    try:
        with contextlib.suppress(EOFError, OSError), models_kept():
            while True:
                task, threads = line.recv()
                line.send((work(task, threads, stop), _taken()))
    except KeyboardInterrupt:
        os._exit(128 + signal.SIGTERM)


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """A process that is started within hears no Ctrl-C: who started it ends it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _taken() -> Need:
    """What this process has taken at most."""
    try:
        import resource
    except ImportError:  # Windows
        return Need(1)
    unit = 1 if sys.platform == "darwin" else 1024
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return Need(memory)
    return Need(memory, torch.cuda.max_memory_reserved(), torch.cuda.mem_get_info()[0])


def cores() -> int:
    """Processor cores that this process may use."""
    here = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _words("/sys/fs/cgroup/cpu.max")
    if len(quota) == 2 and quota[0].isdigit():
        here = min(here, max(1, round(int(quota[0]) / int(quota[1]))))
    return here


def free_memory() -> int | None:
    """Bytes that may still be taken without swapping, None where nobody says."""
    found = [int(line.split()[1]) * 1024 for line in _lines("/proc/meminfo") if line.startswith("MemAvailable:")]
    most, used = _words("/sys/fs/cgroup/memory.max"), _words("/sys/fs/cgroup/memory.current")
    if most and most[0].isdigit() and used:
        idle = sum(int(line.split()[1]) for line in _lines("/sys/fs/cgroup/memory.stat")
                   if line.startswith("inactive_file "))  # fmt: skip
        found.append(int(most[0]) - int(used[0]) + idle)
    return min(found, default=None)


def _words(path: str) -> list[str]:
    return " ".join(_lines(path)).split()


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
