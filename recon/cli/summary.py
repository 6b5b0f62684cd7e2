"""What became of each photo of a folder: as a table, a CSV file and a JSON file, which the next run begins with."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

State = Literal["done", "kept", "failed"]
JSON, CSV = "summary.json", "summary.csv"
SELDOM = 20.0
"""A summary is written again after so many times what writing it took."""


@dataclass(frozen=True)
class Row:
    """What became of one photo. kept: an earlier run made it; made_with: see `patterns.key_of`; look: the photo's size
    and time; facts: of the model; told: notes or why it failed; code: of that."""

    photo: str
    state: State
    look: list[int]
    made_with: str
    seconds: float = 0.0
    facts: dict[str, Any] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    code: str = ""

    def about(self) -> str:
        """In a few words."""
        if self.state == "failed":
            return " ".join(self.told)
        size = f"{self.facts['faces']:,} triangles" if "faces" in self.facts else ""
        return ", ".join(filter(None, [self.facts.get("surface", ""), self.facts.get("depth_model", ""), size]))


class Summary:
    """The rows of all photos, in their order, and the two files that hold them."""

    def __init__(self, folder: Path, photos: Iterable[str], made_with: str) -> None:
        self.folder, self.made_with = folder, made_with
        self.rows: dict[str, Row | None] = dict.fromkeys(photos)
        self.facts: dict[str, Any] = {}
        self._written, self._took = 0.0, 0.0

    @property
    def files(self) -> list[Path]:
        """Where it is kept."""
        return [self.folder / JSON, self.folder / CSV]

    def count(self, state: State) -> int:
        """Photos of a state."""
        return sum(row is not None and row.state == state for row in self.rows.values())

    def add(self, row: Row) -> None:
        """One more photo is over; the files are written when the last time is long ago enough."""
        self.rows[row.photo] = row
        if time.monotonic() - self._written > SELDOM * self._took:
            self.write()

    def write(self) -> None:
        """Write both files."""
        from recon import write_report, write_rows

        start = time.monotonic()
        self.folder.mkdir(parents=True, exist_ok=True)
        rows = [row for row in self.rows.values() if row is not None]
        counts = {state: self.count(state) for state in ("done", "kept", "failed")}
        write_report(counts | self.facts | {"photos": [asdict(row) for row in rows]}, self.folder / JSON)
        write_rows([_flat(row) for row in rows], self.folder / CSV)
        self._written = time.monotonic()
        self._took = self._written - start

    def table(self) -> str:
        """For a terminal."""
        rows = [(row.photo, row.state, f"{row.seconds:.1f}" if row.seconds else "", row.about())
                for row in self.rows.values() if row is not None]  # fmt: skip
        lines = [("photo", "", "seconds", ""), *rows]
        widths = [max(len(line[i]) for line in lines) for i in range(3)]
        return "\n".join(
            f"{photo:<{widths[0]}}  {state:<{widths[1]}}  {seconds:>{widths[2]}}  {about}".rstrip()
            for photo, state, seconds, about in lines
        )


def earlier_rows(folder: Path) -> dict[str, Row]:
    """The rows of the run before, by their photos; none where there was none, or where its file cannot be understood."""
    found: dict[str, Row] = {}
    with suppress(OSError, ValueError, TypeError, KeyError):
        for data in json.loads((folder / JSON).read_text())["photos"]:
            row = Row(**data)
            found[row.photo] = row
    return found


def kept_row(row: Row | None, photo: str, look: tuple[int, int], made_with: str) -> Row:
    """The row of a photo whose results stand, from the run's that made them, if it is known."""
    return Row(photo, "kept", list(look), made_with) if row is None else replace(row, state="kept", look=list(look))


def _flat(row: Row) -> dict[str, Any]:
    """Its line of the CSV."""
    known = {name: row.facts.get(name, "") for name in ("surface", "depth_model", "vertices", "faces")}
    return {"photo": row.photo, "state": row.state, "seconds": row.seconds, **known,
            "files": " ".join(row.files), "code": row.code, "told": "; ".join(row.told)}  # fmt: skip
