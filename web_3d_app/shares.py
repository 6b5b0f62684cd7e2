"""So many at a time of all, so many of each one who asks."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping


class Shares:
    """Places that are taken and given back; `total` at a time."""

    def __init__(self, total: int) -> None:
        self._total, self._guard = total, threading.Lock()
        self._all = 0
        self._of: Counter[str] = Counter()

    def take(self, most: Mapping[str, int]) -> Callable[[], None] | None:
        """A place for somebody known by several keys, each with the most that it may have at a time. Returns what gives it
        back (once, however often it is called), or None if there is no place."""
        with self._guard:
            if self._all >= self._total or any(self._of[key] >= limit for key, limit in most.items()):
                return None
            self._all += 1
            self._of.update(most.keys())
        return _Once(lambda: self._give_back(list(most)))

    def _give_back(self, keys: list[str]) -> None:
        with self._guard:
            self._all -= 1
            self._of.subtract(keys)
            self._of += Counter()  # forgets who has none


class _Once:
    def __init__(self, what: Callable[[], None]) -> None:
        self._what, self._guard = what, threading.Lock()

    def __call__(self) -> None:
        if self._guard.acquire(blocking=False):
            self._what()
