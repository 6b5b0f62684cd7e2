"""`unflat photo`: one photo in, a 3D model out; a folder of photos in, a model of each out."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from recon.cli.arguments import Groups, Parser, add_options, wanted
from recon.cli.console import Progress, Stop, say
from recon.cli.make import KINDS, checked_options, make, tell_notes
from recon.cli.program import COMMAND, PROGRAM
from recon.errors import BadOption
from recon.options import PhotoOptions, RefineOptions

DESCRIPTION = """One photo in, a 3D model out: {program} --rgb photo.jpg --out model.glb

A folder of photos in, a model of each out: {program} --rgb photos --out models"""
EXAMPLES = """examples:
  {program} --rgb photo.jpg --out model.glb
  {program} --rgb photo.jpg --out cloud.ply --kind points
  {program} --rgb photo.jpg --out scene.spz --out scene.ply --kind splats
  {program} --rgb cup.png --out cup.stl --surface solid --size 80 --base
  {program} --rgb cup.png --out cup.glb --refine quick
  {program} --rgb cup.png --out cup.ply --refine quick --refine-to points --kind points
  {program} --rgb room.jpg --out room.ply --depth-in depth.npy --depth-kind metric --focal-px 525
  {program} --rgb photos --out models --preview models/{{name}}.png
  {program} models
"""


def parser() -> argparse.ArgumentParser:
    """All options, grouped as a person looks for them."""
    p = Parser(PROGRAM, description=DESCRIPTION.format(program=COMMAND), epilog=EXAMPLES.format(program=COMMAND),
               allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    p.add_argument("--rgb", type=Path, metavar="PHOTO",
                   help="the photo: JPEG, PNG, WebP, TIFF, AVIF, HEIC, …; or a folder of photos")  # fmt: skip
    p.add_argument("--out", type=Path, action="append", metavar="MODEL",
                   help="the model to write: .ply .obj .glb .stl .vtk, as splats .splat .spz .ply .glb; may be given"
                   " several times; of a folder of photos a folder, or a name with {name} in it")  # fmt: skip
    p.add_argument("--kind", choices=KINDS,
                   help="what MODEL holds (default: splats in a .splat or .spz, else a mesh)")  # fmt: skip
    groups = Groups(p)
    add_options(groups, PhotoOptions, RefineOptions)
    groups["input"].add_argument("--max-mib", type=float, default=64, metavar="N",
                                 help="largest file to read (default: 64)")  # fmt: skip
    groups["input"].add_argument("--max-megapixels", type=float, default=120, metavar="N",
                                 help="largest photo (default: 120)")  # fmt: skip
    groups["refinement"].add_argument("--resume", type=Path, metavar="DIR",
                                      help="keep its state in this folder, and go on from what is there")  # fmt: skip
    more = groups["more results"]
    more.add_argument("--points-out", type=Path, metavar="FILE", help="the point cloud too: .ply .vtk")
    more.add_argument("--depth-out", type=Path, metavar="FILE", help="the depth map: .npy (float32) or .png (16-bit)")
    more.add_argument("--mask-out", type=Path, metavar="FILE",
                      help="the mask that was used: .png, white is kept, as large as the upright photo was read; --mask"
                      " takes it back")  # fmt: skip
    more.add_argument("--preview", type=Path, metavar="FILE", help="a picture of the model: .png")
    more.add_argument("--turntable", type=Path, metavar="FILE", help="the model turning: .mp4 .gif .webp")
    more.add_argument("--frames", type=Path, metavar="DIR",
                      help="a closed model from all sides: render_000.png and so on in this folder")  # fmt: skip
    more.add_argument("--orbit", type=Path, metavar="FILE", help="the same as a film: .mp4 .gif .webp")
    more.add_argument("--parallax", type=Path, metavar="FILE",
                      help="the photo's own view set in motion, a loop: .mp4 .gif .webp")  # fmt: skip
    more.add_argument("--report", type=Path, metavar="FILE", help="what was done, as JSON")
    run = groups["run"]
    run.add_argument("--models", action="store_true", help="list the models and where they are, then stop")
    run.add_argument("--jobs", type=int, metavar="N",
                     help="photos of a folder at a time (default: as many as cores and memory allow)")  # fmt: skip
    run.add_argument("--quiet", action="store_true", help="no progress and no notes on stderr")
    return p


def main(arguments: list[str], progress: Progress, stop: Stop) -> int:
    """Make what one command line asks for; returns the exit code. Raises UnflatError, or KeyboardInterrupt."""
    args = parser().parse_args(arguments)
    progress.quiet = args.quiet
    if args.models:
        from recon.cli import models

        models.main([])
        return 0
    if args.rgb is None or not args.out:
        raise BadOption(
            "run.incomplete", "<rgb> PHOTO and <out> MODEL are both needed; see {command} --help.", command=COMMAND
        )
    if os.path.isdir(args.rgb):
        from recon.cli import folder

        return folder.main(args, progress, stop)
    _check_single(args)
    with _threads(args):
        _one(args, progress, stop)
    return 0


def _threads(args: argparse.Namespace) -> AbstractContextManager[None]:
    """The limit that was asked for; one for a refinement, which is slower with more where other programs run too."""
    threads = getattr(args, "threads", None)
    if threads is None and not wanted(args, RefineOptions):
        return nullcontext()
    from recon import limited

    return limited(1 if threads is None else threads)


def _check_single(args: argparse.Namespace) -> None:
    """What is for a folder of photos only. Raises BadOption."""
    if args.jobs is not None:
        raise BadOption(
            "folder.jobs_alone", "<jobs> is for a folder of photos and <rgb> {path!r} is none; leave it out.",
            path=str(args.rgb),
        )  # fmt: skip


def _one(args: argparse.Namespace, progress: Progress, stop: Stop) -> None:
    asked = checked_options(args)
    made = make(args, asked, progress, stop)
    progress.clear()
    if not args.quiet:
        tell_notes(made, asked.folders)
    say("\n".join(map(str, made.files)), sys.stdout)
