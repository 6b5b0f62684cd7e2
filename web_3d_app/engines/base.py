"""The doorbell between the jobs table and whoever does the work. The table is the truth; an engine may lose every call and
only seconds are lost; what has to happen in time is the keeper's (see `jobs.keeper`). RQ on Redis would be another class
with these methods."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Engine(Protocol):
    """What jobs need of an engine."""

    def notify(self, job_id: str) -> None:
        """A job waits."""
        ...

    def kill(self, job_id: str) -> None:
        """A running job is not wanted any more; its flag in the table says so."""
        ...

    def start(self) -> None:
        """Begin, once per process."""
        ...

    def stop(self) -> None:
        """End gracefully, within the grace."""
        ...


class NoEngine:
    """Nobody works: for tests, and for servers whose workers are started elsewhere."""

    def notify(self, job_id: str) -> None:
        """Nothing: such workers look at the table themselves."""

    def kill(self, job_id: str) -> None:
        """Nothing: the flag is seen at the next stage."""

    def start(self) -> None:
        """Nothing."""

    def stop(self) -> None:
        """Nothing."""
