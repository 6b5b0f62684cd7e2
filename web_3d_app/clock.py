"""Time for decisions that neither a clock that is set nor a process or a machine that stands still may fool.

The wall clock (`time.time`) says when something was, and goes into the tables; nobody's work is judged by it. How long
something lasts is counted by this process, while it runs: a worker is silent if its lease stays the same for so long.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

Clock = Callable[[], float]


class Awake:
    """Seconds in which this process ran. A gap between two calls that is longer than `longest` counts as `longest`: in it
    the process was stopped, its container paused, or the machine asleep. So it is to be called more often than that."""

    def __init__(self, longest: float, monotonic: Clock = time.monotonic) -> None:
        self._longest, self._monotonic, self._guard = longest, monotonic, threading.Lock()
        self._last, self._sum = monotonic(), 0.0

    def __call__(self) -> float:
        with self._guard:
            now = self._monotonic()
            self._sum, self._last = self._sum + min(now - self._last, self._longest), now
            return self._sum


class Watched:
    """How long values stay as they are, as seen from here by a clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._guard = clock, threading.Lock()
        self._seen: dict[Any, tuple[Any, float]] = {}

    def note(self, key: Any, value: Any) -> None:
        """This value is new."""
        with self._guard:
            self._seen[key] = (value, self._clock())

    def ages(self, values: Mapping[Any, Any], first: Mapping[Any, float] | None = None) -> dict[Any, float]:
        """Seconds since which each value is known, and all others are forgotten. first: how old a value counts that is seen
        for the first time, else 0."""
        with self._guard:
            now, before = self._clock(), self._seen
            self._seen = {}
            for key, value in values.items():
                known, since = before.get(key, (value, now - (first or {}).get(key, 0.0)))
                self._seen[key] = (value, since if known == value else now)
            return {key: now - since for key, (_, since) in self._seen.items()}


def since_boot() -> float:
    """Seconds since the machine started, those of its sleep too where that can be known. Nobody sets this clock."""
    with suppress(AttributeError, OSError):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


def boot_id() -> str:
    """The same until the machine starts anew; empty where that cannot be known."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return ""


def is_stopped(pid: int) -> bool:
    """Whether a process stands still by SIGSTOP; False where that cannot be known."""
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in ("T", "t")
    return False
