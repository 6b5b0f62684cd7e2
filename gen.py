#!/usr/bin/env python3
"""One photo in, a 3D model out: python gen.py --rgb photo.jpg --out model.glb"""

from __future__ import annotations

import os
import signal

INTERRUPTED = 130
if __name__ == "__main__":
    for _order in (signal.SIGINT, signal.SIGTERM):  # until main listens; imports take their time
        if signal.getsignal(_order) is not signal.SIG_IGN:
            signal.signal(_order, lambda *_: os._exit(INTERRUPTED))

import argparse
import math
import sys
import warnings
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from recon.cli.arguments import Groups, add_options, read_options, wanted
from recon.cli.console import Progress, say
from recon.cli.phrasebook import COMMAND_LINE
from recon.errors import BadOption, UnflatError
from recon.messages import Message, note
from recon.options import PhotoOptions, RefineOptions

if TYPE_CHECKING:
    from recon import Reconstruction, Result
    from recon.types import Mesh

EXAMPLES = """examples:
  python gen.py --rgb photo.jpg --out model.glb
  python gen.py --rgb photo.jpg --out cloud.ply --kind points
  python gen.py --rgb cup.png --out cup.stl --surface solid --size 80 --base
  python gen.py --rgb cup.png --out cup.glb --refine quick
  python gen.py --rgb cup.png --out cup.ply --refine quick --refine-to points --kind points
  python gen.py --rgb room.jpg --out room.ply --depth-in depth.npy --depth-kind metric --focal-px 525
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, like all others."""

    def error(self, message: str) -> NoReturn:
        raise BadOption("run.arguments", "{message}; see python gen.py --help.", message=message)


def parser() -> argparse.ArgumentParser:
    """All options, grouped as a person looks for them."""
    p = _Parser("gen.py", description=__doc__, epilog=EXAMPLES, allow_abbrev=False,
                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    p.add_argument("--rgb", type=Path, metavar="PHOTO", help="the photo: JPEG, PNG, WebP, TIFF, AVIF, HEIC, …")
    p.add_argument("--out", type=Path, action="append", metavar="MODEL",
                   help="the model to write: .ply .obj .glb .stl .vtk; may be given several times")  # fmt: skip
    p.add_argument("--kind", choices=("mesh", "points"), default="mesh", help="what MODEL holds (default: mesh)")
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
    more.add_argument("--preview", type=Path, metavar="FILE", help="a picture of the model: .png")
    more.add_argument("--turntable", type=Path, metavar="FILE", help="the model turning: .mp4 or .gif")
    more.add_argument("--report", type=Path, metavar="FILE", help="what was done, as JSON")
    run = groups["run"]
    run.add_argument("--models", action="store_true", help="list the models and where they are, then stop")
    run.add_argument("--quiet", action="store_true", help="no progress and no notes on stderr")
    return p


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code (0 done, 2 bad input, 3 missing model, 130 interrupted)."""
    progress, stop = Progress(quiet=True), _Stop()
    try:
        for order in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(order) is not signal.SIG_IGN:
                signal.signal(order, stop)
        args = parser().parse_args(arguments)
        progress = Progress(args.quiet)
        if args.models:
            from recon import models_table

            say(models_table(), sys.stdout)
            return 0
        with _threads(args):
            return _run(args, progress, stop)
    except (KeyboardInterrupt, Exception) as error:
        message, exit_code = _explained(error, stop.asked)
        progress.clear()
        say(f"gen.py: {message}", sys.stderr)
        return exit_code


def _threads(args: argparse.Namespace) -> AbstractContextManager[None]:
    """The limit that was asked for; one for a refinement, which is slower with more where other programs run too."""
    threads = getattr(args, "threads", None)
    if threads is None and not wanted(args, RefineOptions):
        return nullcontext()
    from recon import limited

    return limited(1 if threads is None else threads)


class _Stop:
    """Ctrl-C and SIGTERM. Remembered, since libraries that are stopped in a callback or while they load swallow
    KeyboardInterrupt or raise an error of their own."""

    asked = False

    def __call__(self, *_: object) -> NoReturn:
        self.asked = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raise KeyboardInterrupt once more if it was swallowed."""
        if self.asked:
            raise KeyboardInterrupt


def _explained(error: BaseException, stopped: bool) -> tuple[str, int]:
    """One line and the exit code; an error that nobody expected goes on as it came."""
    if stopped or isinstance(error, KeyboardInterrupt):
        return "interrupted; nothing half-written was left", INTERRUPTED
    if isinstance(error, UnflatError):
        return error.message.text(COMMAND_LINE), error.exit_code
    if isinstance(error, MemoryError):
        return "not enough memory for this photo; give a smaller one.", 2
    raise error


def _run(args: argparse.Namespace, progress: Progress, stop: _Stop) -> int:
    if args.rgb is None or not args.out:
        raise BadOption("run.incomplete", "<rgb> PHOTO and <out> MODEL are both needed; see python gen.py --help.")
    asked = read_options(args, PhotoOptions)
    wish = read_options(args, RefineOptions) if wanted(args, RefineOptions) else None
    made_folders = _check_options(args, asked, wish)
    from recon import Limits, Stopwatch, reconstruct

    def begins(stage: str) -> None:
        stop.check()
        progress.stage(stage)

    watch, limits = Stopwatch(begins), Limits.of(args.max_mib, args.max_megapixels)
    result = reconstruct(args.rgb, asked, limits=limits, watch=watch)
    if wish is not None:
        result = _refined(args, result, wish, watch, stop, progress)
    files, notes = _write_results(args, result, watch)
    if args.report:
        files.append(_report(args.report, result, notes, watch, files))
    progress.clear()
    if not args.quiet:
        _tell_notes(result, made_folders, notes)
    say("\n".join(map(str, files)), sys.stdout)
    return 0


def _report(path: Path, result: Result, notes: list[Message], watch: Any, files: list[Path]) -> Path:
    """Write what was done; returns the file."""
    from recon import write_report

    facts = result.report(COMMAND_LINE)
    more = {"warnings": facts["warnings"] + [told.text(COMMAND_LINE) for told in notes], "seconds": watch.rounded(),
            "files": [str(file) for file in files]}  # fmt: skip
    write_report(facts | more, path)
    return path


def _tell_notes(result: Reconstruction, made_folders: list[Path], notes: list[Message]) -> None:
    """What there is to know, on stderr; of the surface only where one was made."""
    made = result.model is not None or "mesh" in vars(result)
    folders = [note("write.folder_made", "made the folder {path!r}", path=str(folder)) for folder in made_folders]
    for told in [*folders, *(result.notes if made else result.geometry.notes), *notes]:
        say(f"note: {told.text(COMMAND_LINE)}", sys.stderr)


def _refined(
    args: argparse.Namespace, found: Reconstruction, wish: RefineOptions, watch: Any, stop: _Stop, progress: Progress
) -> Reconstruction:
    """The reconstruction with its mesh refined, step by step."""
    from recon import refine

    def tell(step: Any) -> None:
        stop.check()
        if progress.live:
            loss = "" if math.isnan(step.loss) else f", loss {step.loss:.4f}"
            progress.stage(f"{step.stage} {step.number}/{step.steps}{loss}")

    return refine(found, wish, folder=args.resume, tell=tell, watch=watch)


def _write_results(args: argparse.Namespace, result: Reconstruction, watch: Any) -> tuple[list[Path], list[Message]]:
    """Make what was asked for and write it, the model first; returns the files, and what is to be known of them."""
    from recon import write_cloud, write_depth

    files: list[Path] = []
    notes: list[Message] = []
    if args.kind == "points" or args.points_out:
        with watch.stage("points"):
            cloud = result.points
        with watch.stage("write"):
            for path in args.out * (args.kind == "points") + [args.points_out] * bool(args.points_out):
                files += write_cloud(cloud, path)
    if args.kind == "mesh" or args.preview or args.turntable:
        with watch.stage("mesh"):
            mesh = result.mesh
        if args.kind == "mesh":
            with watch.stage("write"):
                for path in args.out:
                    files += result.save(path)
            notes += _open_prints(args, mesh)
    if args.depth_out:
        with watch.stage("write"):
            scale = write_depth(result.depth, args.depth_out)
            if scale not in (1, 1000):
                notes.append(
                    note("write.far_depth", "far depth: {name!r} holds {scale:g} units per unit of depth",
                         name=args.depth_out.name, scale=scale)
                )  # fmt: skip
            files.append(args.depth_out)
    for name in ("preview", "turntable"):
        if path := getattr(args, name):
            from recon import write_preview, write_turntable

            with watch.stage(name):
                draw = write_preview if name == "preview" else write_turntable
                draw(result.mesh, result.camera, path, closed=result.surface == "solid")
            files.append(path)
    return files, notes


def _check_options(args: argparse.Namespace, asked: PhotoOptions, wish: RefineOptions | None) -> list[Path]:
    """What can be known to be wrong before the photo is read; returns the folders that will be made."""
    from recon import missing_folders, output_files

    kind = "points" if args.kind == "points" else "mesh"
    more = {"cloud": args.points_out, "depth": args.depth_out, "preview": args.preview, "turntable": args.turntable,
            "report": args.report}  # fmt: skip
    files = output_files([*((kind, path) for path in args.out), *((name, path) for name, path in more.items() if path)])
    _check_refine_options(args, wish)
    _check_print_options(args, asked, wish)
    for name in ("max_mib", "max_megapixels"):
        if not 0 < getattr(args, name) < 1e6:
            raise BadOption("limit.range", "<{option}> is {given:g}; give a number above 0 and below 1e6.",
                            option=name, given=getattr(args, name))  # fmt: skip
    inputs = {"photo": args.rgb, "depth": asked.depth_in, "mask": None if _is_word(asked.mask) else asked.mask}
    return missing_folders(files, {name: Path(path) for name, path in inputs.items() if path})


def _is_word(mask: str | Path) -> bool:
    """Whether a mask is one of those that are no file."""
    return mask in ("auto", "none", "alpha")


def _check_refine_options(args: argparse.Namespace, wish: RefineOptions | None) -> None:
    """What can be known to be wrong with a refinement before the photo is read."""
    if wish is None:
        alone = {"guidance": hasattr(args, "guidance"), "steps": hasattr(args, "steps"), "resume": args.resume is not None,
                 "refine_to": getattr(args, "refine_to", "mesh") != "mesh"}  # fmt: skip
        for name in (name for name, given in alone.items() if given):
            raise BadOption(
                "refine.off", "<{option}> is for a refinement; add <preset> quick or <preset> full.", option=name
            )
        return
    if args.kind == "points" and wish.refine_to == "mesh":
        raise BadOption(
            "refine.kind",
            "<preset> makes a mesh and <kind> is points; leave one of them out or add <refine_to> points.",
        )
    if args.resume is not None:
        from recon import check_writable

        check_writable(args.resume / "refine.pt")


def _check_print_options(args: argparse.Namespace, asked: PhotoOptions, wish: RefineOptions | None) -> None:
    """What can be known to be wrong with a print before the photo is read."""
    printed = asked.base or hasattr(args, "size_mm")
    if printed and not any(path.suffix.lower() == ".stl" for path in args.out):
        raise BadOption("print.format", "<size_mm> and <base> are for printing; give an <out> that ends with .stl.")
    if asked.base and wish is None and asked.surface in ("grid", "poisson"):
        raise BadOption(
            "print.open_surface", "<surface> {surface} is not closed and cannot have a stand; add <surface> solid.",
            surface=asked.surface,
        )  # fmt: skip


def _open_prints(args: argparse.Namespace, mesh: Mesh) -> list[Message]:
    """What is to be known of each STL that cannot be printed."""
    from recon import is_closed

    names = [path.name for path in args.out if path.suffix.lower() == ".stl"]
    if not names or is_closed(mesh.welded().faces):
        return []
    return [
        note("write.open_print", "{name!r} is an open surface; to print it add <surface> solid", name=name)
        for name in names
    ]


def _tell_unraisable(what: Any) -> None:
    if not isinstance(what.exc_value, KeyboardInterrupt):  # _Stop remembers that one
        sys.__unraisablehook__(what)


def _open_standard_streams() -> None:
    """Closed ones lead nowhere: otherwise the next file that is opened, a model, would get what C libraries print."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    _open_standard_streams()
    sys.unraisablehook = _tell_unraisable
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # what libraries think of each other is not for the person at the terminal
    code = main()
    if code == INTERRUPTED:
        os._exit(code)  # libraries that were stopped while they loaded complain when they are unloaded
    sys.exit(code)
