"""A folder of photos in, a model of each out: several at a time, and again only what is missing.

What is done and newer than its photo is left alone, unless it was made with other options. A bad photo, or a process that
dies of one, costs that photo only. A photo that is still being written waits for its end.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recon.cli.arguments import wanted
from recon.cli.bar import Bar
from recon.cli.console import Progress, Stop, say
from recon.cli.crew import Crew, Ended, cores
from recon.cli.make import checked_options, make
from recon.cli.patterns import common_folder, key_of, of_photo, results_of, spread
from recon.cli.phrasebook import COMMAND_LINE
from recon.cli.summary import Row, Summary, earlier_rows, kept_row
from recon.errors import BadOption, UnflatError
from recon.messages import Message, first_line, note
from recon.options import RefineOptions

SETTLED = 2.0
"""Seconds without a change after which a file is taken for whole."""
PATIENCE = 30.0
"""Seconds to wait for a photo that is being written, once all others are done or begun."""
LOOKS = 0.2
"""Seconds from look to look at such photos."""
TRIES = 2
"""How often a photo is begun whose process dies: other photos may have taken the memory."""


@dataclass
class _Photo:
    """A photo of the folder. look: the last one at its file, and since when it has been so; first: when it was waited for
    first; tries: how often it was begun."""

    args: argparse.Namespace
    look: tuple[int, int] | None = None
    since: float = 0.0
    first: float = 0.0
    tries: int = 0
    begun: float = 0.0

    @property
    def name(self) -> str:
        return str(self.args.rgb.name)


def main(args: argparse.Namespace, progress: Progress, stop: Stop) -> int:
    """Make a model of each photo; returns 1 if any failed. Raises UnflatError for what no photo could be made with."""
    from recon import alone_in, model_names, photos_in

    many = spread(args)
    paths = photos_in(args.rgb)
    photos = [_Photo(of_photo(many, path, name)) for path, name in zip(paths, model_names(paths), strict=True)]
    place = common_folder(many)
    _check(args, photos, place)
    place.mkdir(parents=True, exist_ok=True)
    summary = Summary(place, [photo.name for photo in photos], key_of(many))
    start = time.perf_counter()
    with alone_in(place):
        todo = _undone(photos, summary)
        try:
            jobs = _all(todo, summary, args, stop, Bar(len(photos), len(photos) - len(todo), progress))
        finally:
            summary.facts |= {"seconds": round(time.perf_counter() - start, 1)}
            summary.write()
    _tell(summary, jobs)
    return 1 if summary.count("failed") else 0


def _check(args: argparse.Namespace, photos: list[_Photo], place: Path) -> None:
    """What can be known to be wrong before a photo is read. Raises UnflatError."""
    from recon import check_writable, is_photo_name

    if args.jobs is not None and args.jobs < 1:
        raise BadOption("folder.jobs", "<jobs> is {given}; give 1 or more, or leave it out.", given=args.jobs)
    for path in results_of(photos[0].args):
        if is_photo_name(path.name) and path.parent.resolve() == args.rgb.resolve():
            raise BadOption(
                "folder.among_photos",
                "the result {path!r} would lie among the photos and be taken for one; give another folder.",
                path=str(path),
            )  # fmt: skip
    checked_options(photos[0].args)
    check_writable(place / "summary.json")


def _undone(photos: list[_Photo], summary: Summary) -> list[_Photo]:
    """The photos that are to be made; a row is added for those that need not. What killed runs have left is removed."""
    from recon import look_at_file, remove_leftovers

    for folder in {summary.folder, *(path.parent for photo in photos for path in results_of(photo.args))}:
        remove_leftovers(folder)
    before = earlier_rows(summary.folder)
    undone = []
    for photo in photos:
        look, row = look_at_file(photo.args.rgb), before.get(photo.name)
        if look is None or not _stands(photo, look, row, summary.made_with):
            undone.append(photo)
        else:
            summary.rows[photo.name] = kept_row(row, photo.name, look, summary.made_with)
    return undone


def _stands(photo: _Photo, look: tuple[int, int], row: Row | None, made_with: str) -> bool:
    """Whether a photo's results are there, are newer than it, and, where it is known how they came about, were made of this
    very file with these options."""
    from recon import look_at_file

    looks = [look_at_file(path) for path in results_of(photo.args)]
    if any(each is None or each[1] <= look[1] for each in looks):
        return False
    return row is None or (row.state != "failed" and row.made_with == made_with and tuple(row.look) == look)


def _all(todo: list[_Photo], summary: Summary, args: argparse.Namespace, stop: Stop, bar: Bar) -> int:
    """Make all of them; returns how many were made at once, at most."""
    if not todo:
        return 0
    most = min(len(todo), args.jobs or cores())
    threads = getattr(args, "threads", 1 if wanted(args, RefineOptions) else None)
    with Crew(_made, most, threads) as crew, bar:
        for row in _rows(deque(todo), crew, summary.made_with, stop):
            summary.add(row)
            bar.add(row)
        return crew.peak


def _rows(todo: deque[_Photo], crew: Crew, made_with: str, stop: Stop) -> Iterator[Row]:
    """The rows of photos as they are over."""
    while todo or crew.busy:
        stop.check()
        for photo in _ready(todo, crew):
            if photo is None:
                break
            photo.tries, photo.begun = photo.tries + 1, time.perf_counter()
            crew.begin(photo)
        if not crew.busy and (late := _too_late(todo)) is not None:
            todo.remove(late)
            yield _failed(late, made_with, note(
                "folder.being_written", "{path!r} is still being written; run the same command again when it is whole.",
                path=late.name))  # fmt: skip
        for ended in crew.ended(LOOKS if todo else None):
            if ended.died is not None and ended.task.tries < TRIES:
                todo.append(ended.task)
                continue
            yield _row(ended, made_with)


def _ready(todo: deque[_Photo], crew: Crew) -> Iterator[_Photo | None]:
    """Photos that can be begun, as long as the crew can begin one; those that are being written stay behind."""
    for photo in list(todo):
        if not crew.can_begin:
            return
        if _is_whole(photo):
            todo.remove(photo)
            yield photo


def _is_whole(photo: _Photo) -> bool:
    """Whether nobody seems to be writing a photo: it is old, or has not changed for a while. One that is gone is told of
    when it is read."""
    from recon import look_at_file

    look, now = look_at_file(photo.args.rgb), time.monotonic()
    photo.first = photo.first or now
    if look != photo.look:
        photo.look, photo.since = look, now
    age = time.time() - look[1] / 1e9 if look else SETTLED
    return not 0 <= age < SETTLED or now - photo.since >= SETTLED


def _too_late(todo: deque[_Photo]) -> _Photo | None:
    """A photo that has been waited for long enough."""
    return next((photo for photo in todo if photo.first and time.monotonic() - photo.first > PATIENCE), None)


def _row(ended: Ended, made_with: str) -> Row:
    """What became of a photo whose process is done with it."""
    from recon import look_at_file, remove_leftovers

    photo: _Photo = ended.task
    if ended.died is not None:
        for path in results_of(photo.args):
            remove_leftovers(path.parent)
        return _failed(photo, made_with, note(
            "folder.died", "its process ended by itself (code {ended}), as it happens where memory runs out; try it alone"
            " with <jobs> 1, or give a smaller photo.", ended=ended.died))  # fmt: skip
    if isinstance(ended.answer, Message):
        return _failed(photo, made_with, ended.answer)
    if look_at_file(photo.args.rgb) != photo.look:
        return _failed(photo, made_with, note(
            "folder.changed", "{path!r} was written to while it was read; run the same command again.",
            path=photo.name))  # fmt: skip
    seconds = round(time.perf_counter() - photo.begun, 2)
    return Row(photo.name, "done", list(photo.look or ()), made_with, seconds, **ended.answer)


def _failed(photo: _Photo, made_with: str, why: Message) -> Row:
    seconds = round(time.perf_counter() - photo.begun, 2) if photo.begun else 0.0
    return Row(photo.name, "failed", list(photo.look or ()), made_with, seconds, told=[why.text(COMMAND_LINE)],
               code=why.code)  # fmt: skip


def _made(photo: _Photo, threads: int, stop: Stop) -> dict[str, Any] | Message:
    """One photo's models, made in a process of the crew; returns what is to be known of them, or why there are none."""
    from recon import limited

    try:
        with limited(threads):
            made = make(photo.args, checked_options(photo.args), Progress(quiet=True), stop)
    except UnflatError as error:
        stop.check()
        return error.message
    except MemoryError:
        return note("folder.memory", "not enough memory for this photo; give a smaller one.")
    except Exception as error:
        stop.check()
        return note("folder.unexpected", "{kind}: {reason} ({place})", kind=type(error).__name__,
                    reason=first_line(error), place=_place_of(error))  # fmt: skip
    facts = made.result.report(COMMAND_LINE)
    return {
        "facts": {"surface": facts["surface"], "depth_model": facts["depth"]["model"], **facts["counts"]},
        "files": [str(file) for file in made.files],
        "told": [told.text(COMMAND_LINE) for told in made.told()],
    }


def _place_of(error: Exception) -> str:
    """Where an error came from that nobody expected."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}, line {last.lineno}"


def _tell(summary: Summary, jobs: int) -> None:
    say(summary.table(), sys.stdout)
    counts = ", ".join(f"{count} {state}" for state in ("done", "kept", "failed") if (count := summary.count(state)))
    say(f"{counts} in {summary.facts['seconds']:g} s" + (f", {jobs} at a time" if jobs > 1 else ""), sys.stdout)
    say("\n".join(map(str, summary.files)), sys.stdout)
