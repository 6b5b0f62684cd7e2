"""Who is told how far the work is, and how long each stage took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

Listener = Callable[[str], None]


@dataclass
class Stopwatch:
    """Seconds per stage, in the order in which the stages began; tells `listener` each stage's name as it begins."""

    listener: Listener | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time one stage. A stage that raises is timed too."""
        if self.listener:
            self.listener(name)
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start

    def rounded(self) -> dict[str, float]:
        """Seconds per stage to the millisecond, for reports."""
        return {name: round(seconds, 3) for name, seconds in self.seconds.items()}
