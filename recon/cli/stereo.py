"""`unflat stereo`: a photo in, both eyes' pictures out; or a 3D photo from one layout to another."""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from recon.cli.arguments import Groups, Parser, add_options, read_options
from recon.cli.console import Progress, Stop, say
from recon.cli.phrasebook import COMMAND_LINE
from recon.cli.program import COMMAND, PROGRAM
from recon.errors import BadOption, Unwritable
from recon.messages import note
from recon.stereo_options import StereoOptions

if TYPE_CHECKING:
    from recon.stereo import StereoFilm, StereoPair

DESCRIPTION = """A photo or a film in, what both eyes see of it out: {program} stereo --rgb photo.jpg --out photo.mpo"""
EXAMPLES = """examples:
  {program} stereo --rgb photo.jpg --out photo.mpo
  {program} stereo --rgb photo.jpg --out photo_3d.jpg --layout cross --strength 3 --screen near
  {program} stereo --rgb photo.jpg --out photo.png --layout anaglyph
  {program} stereo --rgb room.jpg --depth-in room.npy --depth-kind metric --fov 66 --baseline 63 --out room_sbs.png
  {program} stereo --rgb film.mp4 --out film_LRF_Full_SBS.mp4
  {program} stereo --rgb DSCF0001.MPO --out pair_LRF_Full_SBS.jpg --out pair.png --layout anaglyph
"""
EVERY = 30.0
"""Seconds between two lines of progress where no terminal shows them."""


def parser() -> argparse.ArgumentParser:
    """All options, grouped as a person looks for them."""
    p = Parser(f"{PROGRAM} stereo", description=DESCRIPTION.format(program=COMMAND),
               epilog=EXAMPLES.format(program=COMMAND), allow_abbrev=False,
               formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    p.add_argument(
        "--rgb", type=Path, metavar="PHOTO", help="the photo, a film, or a 3D photo: MPO, JPS, both eyes in one picture"
    )
    p.add_argument("--out", type=Path, action="append", metavar="FILE",
                   help="the pair to write: .png .jpg, .mpo .jps, .gif .webp (a wiggle), of a film .mp4"
                   " .mov .mkv; may be given several times")  # fmt: skip
    groups = Groups(p)
    add_options(groups, StereoOptions)
    groups["input"].add_argument("--max-mib", type=float, default=64, metavar="N",
                                 help="largest file to read (default: 64)")  # fmt: skip
    groups["input"].add_argument("--max-megapixels", type=float, default=120, metavar="N",
                                 help="largest photo (default: 120)")  # fmt: skip
    groups["more results"].add_argument("--report", type=Path, metavar="FILE", help="what was done, as JSON")
    run = groups["run"]
    run.add_argument("--resume", action="store_true",
                     help="of a film: go on from the parts that a stopped run has left beside FILE")  # fmt: skip
    run.add_argument("--threads", type=int, metavar="N", help="processor threads (default: all)")
    run.add_argument("--quiet", action="store_true", help="no progress and no notes on stderr")
    return p


def main(arguments: list[str], progress: Progress, stop: Stop) -> int:
    """Make what one command line asks for; returns the exit code. Raises UnflatError, or KeyboardInterrupt."""
    args = parser().parse_args(arguments)
    progress.quiet = args.quiet
    with _threads(args):
        _run(args, progress, stop)
    return 0


def _threads(args: argparse.Namespace) -> AbstractContextManager[None]:
    if args.threads is None:
        return nullcontext()
    from recon import limited

    return limited(args.threads)


def _run(args: argparse.Namespace, progress: Progress, stop: Stop) -> None:
    if args.rgb is None or not args.out:
        raise BadOption(
            "stereo.incomplete", "<rgb> PHOTO and <out> FILE are both needed; see {command} stereo --help.",
            command=COMMAND,
        )  # fmt: skip
    asked = read_options(args, StereoOptions)
    made_folders = _check(args, asked)
    from recon.stereo import is_film

    if is_film(args.rgb):
        _run_film(args, asked, made_folders, progress, stop)
        return
    from recon import Limits, Stopwatch
    from recon.stereo import stereo_pair

    def begins(stage: str) -> None:
        stop.check()
        progress.stage(stage)

    watch = Stopwatch(begins)
    pair = stereo_pair(args.rgb, asked, limits=Limits.of(args.max_mib, args.max_megapixels), watch=watch)
    files: list[Path] = []
    with watch.stage("write"):
        for path in args.out:
            files += pair.save(path, asked.layout)
    if args.report:
        from recon import write_report

        write_report(pair.report(COMMAND_LINE) | {"seconds": watch.rounded(), "files": [str(file) for file in files]},
                     args.report)  # fmt: skip
        files.append(args.report)
    progress.clear()
    if not args.quiet:
        _tell(args, asked, pair, made_folders)
    say("\n".join(map(str, files)), sys.stdout)


def _run_film(
    args: argparse.Namespace, asked: StereoOptions, made_folders: list[Path], progress: Progress, stop: Stop
) -> None:
    from recon.stereo import parts_folder, stereo_film

    clock = _Clock(progress)

    def tell(done: int, all: int | None) -> None:
        stop.check()
        clock.tell(done, all)

    out = args.out[0]
    try:
        film = stereo_film(args.rgb, out, asked, resume=args.resume, tell=tell)
    except (KeyboardInterrupt, Unwritable):
        if not args.quiet and parts_folder(out).is_dir():
            progress.clear()
            kept = note("film.kept", "what was made is kept in {folder!r}; <resume> goes on from there",
                        folder=str(parts_folder(out)))  # fmt: skip
            say(f"note: {kept.text(COMMAND_LINE)}", sys.stderr)
        raise
    files = list(film.files)
    if args.report:
        from recon import write_report

        write_report(film.report(COMMAND_LINE) | {"files": list(map(str, files))}, args.report)
        files.append(args.report)
    progress.clear()
    if not args.quiet:
        _tell(args, asked, film, made_folders)
    say("\n".join(map(str, files)), sys.stdout)


class _Clock:
    """Tells how far a film is and how long it will take: in a terminal always, elsewhere every half a minute."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._start, self._first, self._told = progress, time.monotonic(), -1, 0.0

    def tell(self, done: int, all: int | None) -> None:
        """So many frames of about so many are done."""
        self._first = done if self._first < 0 else self._first
        now = time.monotonic()
        if now - self._told < (0.5 if self._progress.live else EVERY):
            return
        self._told = now
        rate = (done - self._first) / max(now - self._start, 1e-9)
        left = "" if all is None or not rate else f", {_duration(max(all - done, 0) / rate)} left"
        self._progress.stage(f"frame {done}" + ("" if all is None else f"/{max(all, done)}") + left)


def _duration(seconds: float) -> str:
    minutes = seconds / 60
    return f"{seconds:.0f} s" if minutes < 1 else f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.1f} h"


def _tell(
    args: argparse.Namespace, asked: StereoOptions, made: StereoPair | StereoFilm, made_folders: list[Path]
) -> None:
    """What there is to know, on stderr."""
    from recon.stereo import name_note

    folders = [note("write.folder_made", "made the folder {path!r}", path=str(folder)) for folder in made_folders]
    names = [told for path in args.out for told in name_note(path, asked.layout)]
    for told in [*folders, *made.told(), *names]:
        say(f"note: {told.text(COMMAND_LINE)}", sys.stderr)


def _check(args: argparse.Namespace, asked: StereoOptions) -> list[Path]:
    """What can be known to be wrong before the photo is read; returns the folders that will be made."""
    from recon import missing_folders, output_files
    from recon.stereo import film_files, is_film, pair_files

    for name in ("max_mib", "max_megapixels"):
        if not 0 < getattr(args, name) < 1e6:
            raise BadOption("limit.range", "<{option}> is {given:g}; give a number above 0 and below 1e6.",
                            option=name, given=getattr(args, name))  # fmt: skip
    pair = note("thing.pair", "the stereo pair")
    if is_film(args.rgb):
        if len(args.out) > 1:
            raise BadOption("stereo.one_film", "of a film one <out> is written in a run; leave the others out.")
        files = [(file, pair) for file in film_files(args.out[0], asked.layout)]
    else:
        files = [(file, pair) for path in args.out for file in pair_files(path, asked.layout)]
    files += output_files([("report", args.report)] if args.report else [])
    inputs = {"photo": args.rgb, "depth": asked.depth_in}
    return missing_folders(files, {name: Path(path) for name, path in inputs.items() if path})
