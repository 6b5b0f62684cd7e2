"""One look at the jobs table for everybody who watches a job."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

LOOK_SECONDS = 0.1


class SequencePoller:
    """The newest `seq` of every job that somebody watches, read at most every LOOK_SECONDS, whoever asks."""

    def __init__(self, seqs: Callable[[Iterable[str]], dict[str, int]]) -> None:
        self._seqs, self._guard = seqs, threading.Lock()
        self._watched: Counter[str] = Counter()
        self._known: dict[str, int] = {}
        self._looked = 0.0

    @contextmanager
    def on(self, job_id: str) -> Iterator[Callable[[], int | None]]:
        """A function that says the job's newest `seq`, None if it is gone; as fresh as LOOK_SECONDS."""
        with self._guard:
            self._watched[job_id] += 1
            self._looked = 0.0
        try:
            yield lambda: self._newest().get(job_id)
        finally:
            with self._guard:
                self._watched[job_id] -= 1
                self._watched += Counter()  # forgets what nobody watches

    def _newest(self) -> dict[str, int]:
        with self._guard:
            if time.monotonic() - self._looked >= LOOK_SECONDS:
                self._known = self._seqs(list(self._watched))
                self._looked = time.monotonic()
            return self._known
