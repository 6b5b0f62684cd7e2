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

from recon.cli.console import Progress, say
from recon.cli.phrasebook import COMMAND_LINE
from recon.errors import BadOption, UnflatError

if TYPE_CHECKING:
    from recon.results import Reconstruction
    from recon.types import Mesh

EXAMPLES = """examples:
  python gen.py --rgb photo.jpg --out model.glb
  python gen.py --rgb photo.jpg --out cloud.ply --kind points
  python gen.py --rgb cup.png --out cup.stl --surface solid --size 80 --base
  python gen.py --rgb cup.png --out cup.glb --refine quick
  python gen.py --rgb cup.png --out cup.ply --refine quick --second points --kind points
  python gen.py --rgb room.jpg --out room.ply --depth-in depth.npy --depth-kind metric --focal-px 525
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one sentence, like all others."""

    def error(self, message: str) -> NoReturn:
        raise BadOption(f"{message}; see python gen.py --help.")


def _pair(text: str) -> tuple[float, float]:
    """Two numbers with a comma between them."""
    try:
        first, second = map(float, text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no pair of numbers; give two with a comma, U,V") from None
    return first, second


def parser() -> argparse.ArgumentParser:
    """All options, grouped as a person looks for them."""
    p = _Parser("gen.py", description=__doc__, epilog=EXAMPLES, allow_abbrev=False,
                formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    p.add_argument("--rgb", type=Path, metavar="PHOTO", help="the photo: JPEG, PNG, WebP, TIFF, AVIF, HEIC, …")
    p.add_argument("--out", type=Path, action="append", metavar="MODEL",
                   help="the model to write: .ply .obj .glb .stl .vtk; may be given several times")  # fmt: skip
    p.add_argument("--kind", choices=("mesh", "points"), default="mesh", help="what MODEL holds (default: mesh)")
    p.add_argument("--surface", choices=("auto", "grid", "poisson", "solid"), default="auto",
                   help="grid: what the photo shows, sharp; poisson: smooth; solid: closed, with a back; "
                        "auto (default): solid for one thing, grid for a scene")  # fmt: skip
    _add_input_options(p.add_argument_group("input"))
    _add_shape_options(p.add_argument_group("shape"))
    _add_refine_options(p.add_argument_group("refinement of a subject's closed mesh, in minutes"))
    printing = p.add_argument_group("printing (.stl)")
    printing.add_argument("--size", type=float, metavar="MM", help="longest side in millimetres (default: 100)")
    printing.add_argument("--base", action="store_true", help="put a flat stand under a closed model")
    more = p.add_argument_group("more results")
    more.add_argument("--points-out", type=Path, metavar="FILE", help="the point cloud too: .ply .vtk")
    more.add_argument("--depth-out", type=Path, metavar="FILE", help="the depth map: .npy (float32) or .png (16-bit)")
    more.add_argument("--preview", type=Path, metavar="FILE", help="a picture of the model: .png")
    more.add_argument("--turntable", type=Path, metavar="FILE", help="the model turning: .mp4 or .gif")
    more.add_argument("--report", type=Path, metavar="FILE", help="what was done, as JSON")
    run = p.add_argument_group("run")
    run.add_argument("--models", action="store_true", help="list the models and where they are, then stop")
    run.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    run.add_argument("--threads", type=int, metavar="N", help="processor threads (default: 1 with --refine, else all)")
    run.add_argument("--offline", action="store_true", help="never ask the network")
    run.add_argument("--quiet", action="store_true", help="no progress and no notes on stderr")
    return p


def _add_input_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--depth-model", default="auto", metavar="NAME", help="a name from --models, or a local folder")
    group.add_argument(
        "--depth-in", type=Path, metavar="FILE", help="use this depth map (.npy .npz .exr .png …) instead"
    )
    group.add_argument(
        "--depth-kind", choices=("metric", "scale", "disparity"), help="what --depth-in (or an unknown model) holds"
    )
    group.add_argument("--depth-scale", type=float, metavar="N",
                       help="units of a metric --depth-in per metre (default: whole numbers 1000, floats 1)")  # fmt: skip
    group.add_argument("--mask", default="auto", metavar="auto|none|alpha|NAME|FILE",
                       help="what to cut out (default: auto); NAME: builtin, grabcut or one of --models")  # fmt: skip
    group.add_argument(
        "--fov",
        type=float,
        metavar="DEG",
        help="horizontal field of view of the photo (else EXIF, the network if sure, 60)",
    )
    group.add_argument("--focal-px", type=float, metavar="F", help="focal length in pixels of the photo")
    group.add_argument(
        "--focal-mm", type=float, metavar="F35", help="focal length as a 35 mm equivalent in millimetres"
    )
    group.add_argument(
        "--centre", type=_pair, metavar="U,V", help="principal point in pixels of the photo (else its middle)"
    )
    group.add_argument("--near", type=float, metavar="Z", help="distance of the nearest point (for disparity)")
    group.add_argument("--far", type=float, metavar="Z", help="distance of the farthest point (for disparity)")
    group.add_argument("--max-mib", type=float, default=64, metavar="N", help="largest file to read (default: 64)")
    group.add_argument("--max-megapixels", type=float, default=120, metavar="N", help="largest photo (default: 120)")


def _add_shape_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--poisson-depth", type=int, default=8, metavar="N", help="octree depth, 4 to 12 (default: 8)")
    group.add_argument("--faces", type=int, metavar="N", help="at most about this many triangles")
    group.add_argument("--voxel", type=float, metavar="SIZE", help="thin the point cloud to one point per voxel")


def _add_refine_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--refine", choices=("off", "quick", "full"), default="off", help="how far (default: off)")
    group.add_argument("--second", choices=("mesh", "points"), default="mesh",
                       help="after its coarse stage: a mesh, or points and a mesh around them (default: mesh)")  # fmt: skip
    group.add_argument("--steps", type=int, metavar="N", help="of each of its stages at most")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of its random numbers (default: 0)")
    group.add_argument("--guidance", default=None, metavar="NAMES",
                       help="what knows the unseen, with commas: builtin, or none (default: builtin)")  # fmt: skip
    group.add_argument("--resume", type=Path, metavar="DIR",
                       help="keep its state in this folder, and go on from what is there")  # fmt: skip


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
            from recon.registry import models_table

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
    if args.threads is None and args.refine == "off":
        return nullcontext()
    from recon.threads import limited

    return limited(1 if args.threads is None else args.threads)


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
    made_folders = _check_options(args)
    from recon.pipeline import MESH_NOTES, reconstruct
    from recon.progress import Stopwatch
    from recon.settings import MIB, Limits

    def begins(stage: str) -> None:
        stop.check()
        progress.stage(stage)

    watch = Stopwatch(begins)
    result = reconstruct(
        args.rgb, surface=args.surface, depth_model=args.depth_model, depth_in=args.depth_in, depth_kind=args.depth_kind,
        depth_scale=args.depth_scale, mask=args.mask, fov=args.fov, focal_px=args.focal_px, focal_mm=args.focal_mm,
        centre=args.centre, near=args.near, far=args.far,
        faces=args.faces, poisson_depth=args.poisson_depth, voxel=args.voxel, device=args.device, offline=args.offline,
        base=args.base, **({} if args.size is None else {"size_mm": args.size}),
        limits=Limits(int(args.max_mib * MIB), int(args.max_megapixels * 1e6)), watch=watch,
    )  # fmt: skip
    if args.refine != "off":
        result = _refined(args, result, watch, stop, progress)
    files = _write_results(args, result, watch)
    if args.report:
        from recon.io.write import write_report

        write_report(result.report() | {"seconds": watch.rounded(), "files": [str(f) for f in files]}, args.report)
        files.append(args.report)
    progress.clear()
    notes = [f"made the folder {str(folder)!r}" for folder in made_folders]
    notes += [note for note in result.warnings if "mesh" in vars(result) or note not in MESH_NOTES]
    for note in [] if args.quiet else notes:
        say(f"note: {note}", sys.stderr)
    say("\n".join(map(str, files)), sys.stdout)
    return 0


def _refined(
    args: argparse.Namespace, found: Reconstruction, watch: Any, stop: _Stop, progress: Progress
) -> Reconstruction:
    """The reconstruction with its mesh refined, step by step."""
    from recon.pipeline import refine

    def tell(step: Any) -> None:
        stop.check()
        if progress.live:
            loss = "" if math.isnan(step.loss) else f", loss {step.loss:.4f}"
            progress.stage(f"{step.stage} {step.number}/{step.steps}{loss}")

    return refine(
        found,
        args.refine,
        steps=args.steps,
        seed=args.seed,
        guidance=args.guidance or "builtin",
        second=args.second,
        folder=args.resume,
        device=args.device,
        threads=1 if args.threads is None else args.threads,
        tell=tell,
        watch=watch,
    )


def _write_results(args: argparse.Namespace, result: Reconstruction, watch: Any) -> list[Path]:
    """Make what was asked for and write it, the model first; returns the files."""
    from recon.io import write

    files: list[Path] = []
    if args.kind == "points" or args.points_out:
        with watch.stage("points"):
            cloud = result.points
        with watch.stage("write"):
            for path in args.out * (args.kind == "points") + [args.points_out] * bool(args.points_out):
                files += write.write_cloud(cloud, path)
    if args.kind == "mesh" or args.preview or args.turntable:
        with watch.stage("mesh"):
            mesh = result.mesh
        if args.kind == "mesh":
            with watch.stage("write"):
                for path in args.out:
                    files += result.save(path)
            _tell_open_prints(args, mesh, result)
    if args.depth_out:
        with watch.stage("write"):
            scale = write.write_depth(result.depth, args.depth_out)
            if scale not in (1, 1000):
                result.warnings.append(f"far depth: {args.depth_out.name!r} holds {scale:g} units per unit of depth")
            files.append(args.depth_out)
    for name in ("preview", "turntable"):
        if path := getattr(args, name):
            from recon.io import turntable

            with watch.stage(name):
                draw = turntable.write_preview if name == "preview" else turntable.write_turntable
                draw(result.mesh, result.camera, path, closed=result.surface == "solid")
            files.append(path)
    return files


def _check_options(args: argparse.Namespace) -> list[Path]:
    """What can be known to be wrong before the photo is read; returns the folders that will be made."""
    from recon.io import formats

    if args.rgb is None or not args.out:
        raise BadOption("--rgb PHOTO and --out MODEL are both needed; see python gen.py --help.")
    model_formats = formats.CLOUD_FORMATS if args.kind == "points" else formats.MESH_FORMATS
    results = [
        *((path, model_formats, "the model") for path in args.out),
        (args.points_out, formats.CLOUD_FORMATS, "the point cloud"),
        (args.depth_out, formats.DEPTH_FORMATS, "the depth map"),
        (args.preview, formats.PREVIEW_FORMATS, "the preview"),
        (args.turntable, formats.TURNTABLE_FORMATS, "the turntable"),
        (args.report, formats.REPORT_FORMATS, "the report"),
    ]
    wanted = []
    for path, allowed, what in results:
        if path is not None:
            formats.checked_format(path, allowed, what)
            wanted += [(file, what) for file in formats.files_of(path)]
    _check_refine_options(args)
    _check_print_options(args)
    for name, value in (("--max-mib", args.max_mib), ("--max-megapixels", args.max_megapixels)):
        if not 0 < value < 1e6:
            raise BadOption(f"{name} is {value:g}; give a number above 0 and below 1e6.")
    return _check_places(args, wanted)


def _check_refine_options(args: argparse.Namespace) -> None:
    """What can be known to be wrong with a refinement before the photo is read."""
    if args.refine == "off":
        if not (args.guidance is None and args.steps is None and args.resume is None):
            raise BadOption(
                "--guidance, --steps and --resume are for a refinement; add --refine quick or --refine full."
            )
        if args.second == "points":
            raise BadOption("--second points is for a refinement; add --refine quick or --refine full.")
        return
    if args.kind == "points" and args.second == "mesh":
        raise BadOption("--refine makes a mesh and --kind is points; leave one of them out or add --second points.")
    from recon.io.files import check_writable
    from recon.refinement.settings import preset

    preset(args.refine, args.steps, args.faces, args.guidance or "builtin", args.second)
    if args.resume is not None:
        check_writable(args.resume / "refine.pt")


def _check_print_options(args: argparse.Namespace) -> None:
    """What can be known to be wrong with a print before the photo is read."""
    from recon.settings import checked_size

    if args.size is not None:
        checked_size(args.size)
    if (args.base or args.size is not None) and not any(path.suffix.lower() == ".stl" for path in args.out):
        raise BadOption("--size and --base are for printing; give an --out that ends with .stl.")
    if args.base and args.refine == "off" and args.surface in ("grid", "poisson"):
        raise BadOption(f"--surface {args.surface} is not closed and cannot have a stand; add --surface solid.")


def _tell_open_prints(args: argparse.Namespace, mesh: Mesh, result: Reconstruction) -> None:
    """A note where an STL cannot be printed."""
    from recon.geometry.closed import is_closed

    for path in args.out:
        if path.suffix.lower() == ".stl" and not is_closed(mesh.welded().faces):
            result.warnings.append(f"{path.name!r} is an open surface; to print it add --surface solid")


def _check_places(args: argparse.Namespace, wanted: list[tuple[Path, str]]) -> list[Path]:
    """Every file to be written can be, and is neither an input nor another result; returns the folders to be made."""
    from recon.io.files import check_writable, same_place

    mask = None if args.mask in ("auto", "none", "alpha") else Path(args.mask)
    inputs = ((args.rgb, "the photo"), (args.depth_in, "the given depth map"), (mask, "the mask"))
    taken = {same_place(path): what for path, what in inputs if path}
    missing = []
    for path, what in wanted:
        place = same_place(path)
        if place in taken:
            raise BadOption(f"{what} {str(path)!r} would overwrite {taken[place]}; give another name.")
        taken[place] = what
        if check_writable(path) and path.parent not in missing:
            missing.append(path.parent)
    return missing


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
