"""Models that stay warm between jobs: each is loaded once in a worker, and stays while there is memory for it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recon import DepthEstimator, Where, depth_estimator, models_kept


@dataclass
class Models:
    """The depth, subject and object models that were asked for. most: bytes of memory up to which this process keeps them
    when a job has ended; above, they are forgotten, and the next job loads its own."""

    device: str
    most: int = 6000 << 20
    _warm: dict[Any, Any] = field(default_factory=dict)

    @contextmanager
    def warm(self) -> Iterator[None]:
        """Within, whatever is asked for is kept."""
        try:
            with models_kept(self._warm):
                yield
        finally:
            if memory_taken() > self.most:
                self._warm.clear()
                gc.collect()

    def get(self, name: str) -> DepthEstimator:
        """The depth model of a name. Raises BadOption or MissingModel."""
        return depth_estimator(name, Where(self.device, offline=True))


def memory_taken() -> int:
    """Bytes of memory that this process has now; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
