"""`unflat stereo`: a photo in, both eyes' pictures out; or a 3D photo from one layout to another."""

from __future__ import annotations

import argparse
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from recon.cli.arguments import Groups, Parser, add_options, read_options
from recon.cli.console import Progress, Stop, say
from recon.cli.phrasebook import COMMAND_LINE
from recon.cli.program import COMMAND, PROGRAM
from recon.errors import BadOption
from recon.messages import note
from recon.stereo_options import StereoOptions

if TYPE_CHECKING:
    from recon.stereo import StereoPair

DESCRIPTION = """A photo in, what both eyes see of it out: {program} stereo --rgb photo.jpg --out photo.mpo"""
EXAMPLES = """examples:
  {program} stereo --rgb photo.jpg --out photo.mpo
  {program} stereo --rgb photo.jpg --out photo_3d.jpg --layout cross --strength 3 --screen near
  {program} stereo --rgb photo.jpg --out photo.png --layout anaglyph
  {program} stereo --rgb room.jpg --depth-in room.npy --depth-kind metric --fov 66 --baseline 63 --out room_sbs.png
  {program} stereo --rgb DSCF0001.MPO --out pair_LRF_Full_SBS.jpg --out pair.png --layout anaglyph
"""


def parser() -> argparse.ArgumentParser:
    """All options, grouped as a person looks for them."""
    p = Parser(f"{PROGRAM} stereo", description=DESCRIPTION.format(program=COMMAND),
               epilog=EXAMPLES.format(program=COMMAND), allow_abbrev=False,
               formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    p.add_argument(
        "--rgb", type=Path, metavar="PHOTO", help="the photo, or a 3D photo: MPO, JPS, both eyes in one picture"
    )
    p.add_argument("--out", type=Path, action="append", metavar="FILE",
                   help="the pair to write: .png .jpg, .mpo .jps, .gif .webp (a wiggle); may be given several"
                   " times")  # fmt: skip
    groups = Groups(p)
    add_options(groups, StereoOptions)
    groups["input"].add_argument("--max-mib", type=float, default=64, metavar="N",
                                 help="largest file to read (default: 64)")  # fmt: skip
    groups["input"].add_argument("--max-megapixels", type=float, default=120, metavar="N",
                                 help="largest photo (default: 120)")  # fmt: skip
    groups["more results"].add_argument("--report", type=Path, metavar="FILE", help="what was done, as JSON")
    run = groups["run"]
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


def _tell(args: argparse.Namespace, asked: StereoOptions, pair: StereoPair, made_folders: list[Path]) -> None:
    """What there is to know, on stderr."""
    from recon.stereo import name_note

    folders = [note("write.folder_made", "made the folder {path!r}", path=str(folder)) for folder in made_folders]
    names = [told for path in args.out for told in name_note(path, asked.layout)]
    for told in [*folders, *pair.told(), *names]:
        say(f"note: {told.text(COMMAND_LINE)}", sys.stderr)


def _check(args: argparse.Namespace, asked: StereoOptions) -> list[Path]:
    """What can be known to be wrong before the photo is read; returns the folders that will be made."""
    from recon import missing_folders, output_files
    from recon.stereo import pair_files

    for name in ("max_mib", "max_megapixels"):
        if not 0 < getattr(args, name) < 1e6:
            raise BadOption("limit.range", "<{option}> is {given:g}; give a number above 0 and below 1e6.",
                            option=name, given=getattr(args, name))  # fmt: skip
    pair = note("thing.pair", "the stereo pair")
    files = [(file, pair) for path in args.out for file in pair_files(path, asked.layout)]
    files += output_files([("report", args.report)] if args.report else [])
    inputs = {"photo": args.rgb, "depth": asked.depth_in}
    return missing_folders(files, {name: Path(path) for name, path in inputs.items() if path})
