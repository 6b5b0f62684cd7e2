"""How far a folder of photos is, on stderr: a bar with the time left in a terminal, one line per photo elsewhere."""

from __future__ import annotations

import sys
from typing import Any

from recon.cli.console import Progress, say
from recon.cli.summary import Row


class Bar:
    """Counts photos as they are over; failures are told as they come. all: how many there are; before: done earlier."""

    def __init__(self, all: int, before: int, progress: Progress) -> None:
        self._all, self._done, self._progress = all, before, progress
        self._bar: Any = None

    def __enter__(self) -> Bar:
        if self._progress.live and not self._progress.quiet:
            from tqdm import tqdm

            self._bar = tqdm(total=self._all, initial=self._done, unit="photo", dynamic_ncols=True, leave=False)
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def add(self, row: Row) -> None:
        """One more is over."""
        self._done += 1
        if self._progress.quiet:
            return
        line = f"{self._done}/{self._all} {row.photo}: " + (
            " ".join(row.told) if row.state == "failed" else f"{row.seconds:.1f} s"
        )
        if self._bar is None:
            say(line, sys.stderr)
            return
        if row.state == "failed":
            self._bar.write(line, file=sys.stderr)
        self._bar.update()
