"""What one photo's command line asks for, made and written: the same alone and among many."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recon.cli.arguments import read_options, wanted
from recon.cli.console import Progress, Stop, say
from recon.cli.patterns import FIRST_FRAME
from recon.cli.phrasebook import COMMAND_LINE
from recon.errors import BadOption
from recon.messages import Message, note
from recon.options import MASK_WORDS, PhotoOptions, RefineOptions

if TYPE_CHECKING:
    from recon import OrbitSettings, Reconstruction, Result
    from recon.types import Mesh

KINDS = ("mesh", "points", "splats")
"""What a model's file may hold."""


@dataclass(frozen=True)
class Asked:
    """What the options of a command line say of one photo; wish: of its refinement, None: there is none. folders: those
    that will be made."""

    photo: PhotoOptions
    wish: RefineOptions | None
    folders: list[Path]


@dataclass(frozen=True)
class Made:
    """What was made of a photo: the files that were written, and what is to be known of these."""

    result: Reconstruction
    files: list[Path]
    notes: list[Message]

    def told(self) -> list[Message]:
        """All that there is to know; of the surface only where one was made."""
        surface = self.result.model is not None or bool({"mesh", "splats"} & vars(self.result).keys())
        return [*(self.result.notes if surface else self.result.geometry.notes), *self.notes]


def checked_options(args: argparse.Namespace) -> Asked:
    """The options, and what can be known to be wrong before the photo is read. Raises BadOption, Unwritable."""
    asked = read_options(args, PhotoOptions)
    wish = read_options(args, RefineOptions) if wanted(args, RefineOptions) else None
    return Asked(asked, wish, _check_options(args, asked, wish))


def make(args: argparse.Namespace, asked: Asked, progress: Progress, stop: Stop) -> Made:
    """Reconstruct the photo and write all that is asked for. Raises UnflatError, or KeyboardInterrupt."""
    from recon import Limits, Stopwatch, reconstruct

    def begins(stage: str) -> None:
        stop.check()
        progress.stage(stage)

    watch, limits = Stopwatch(begins), Limits.of(args.max_mib, args.max_megapixels)
    result = reconstruct(args.rgb, asked.photo, limits=limits, watch=watch)
    if asked.wish is not None:
        result = _refined(args, result, asked.wish, watch, stop, progress)
    files, notes = _write_results(args, result, watch)
    if args.report:
        files.append(_report(args.report, result, notes, watch, files))
    return Made(result, files, notes)


def tell_notes(made: Made, folders: list[Path]) -> None:
    """What there is to know, on stderr."""
    new = [note("write.folder_made", "made the folder {path!r}", path=str(folder)) for folder in folders]
    for told in [*new, *made.told()]:
        say(f"note: {told.text(COMMAND_LINE)}", sys.stderr)


def _report(path: Path, result: Result, notes: list[Message], watch: Any, files: list[Path]) -> Path:
    """Write what was done; returns the file."""
    from recon import write_report

    facts = result.report(COMMAND_LINE)
    more = {"warnings": facts["warnings"] + [told.text(COMMAND_LINE) for told in notes], "seconds": watch.rounded(),
            "files": [str(file) for file in files]}  # fmt: skip
    write_report(facts | more, path)
    return path


def _refined(
    args: argparse.Namespace, found: Reconstruction, wish: RefineOptions, watch: Any, stop: Stop, progress: Progress
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
    from recon import model_kind, write_cloud, write_splats

    files: list[Path] = []
    notes: list[Message] = []
    outputs: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for path in args.out:
        outputs[args.kind or model_kind(path)].append(path)
    clouds = outputs["points"] + [args.points_out] * bool(args.points_out)
    if clouds:
        with watch.stage("points"):
            cloud = result.points
        with watch.stage("write"):
            for path in clouds:
                files += write_cloud(cloud, path)
    if outputs["splats"]:
        with watch.stage("splats"):
            splats = result.splats
        with watch.stage("write"):
            for path in outputs["splats"]:
                files += write_splats(splats, path)
    if (args.frames or args.orbit) and result.surface != "solid":
        raise _open_views(result.surface)
    if outputs["mesh"] or any(getattr(args, name) for name in PICTURES):
        with watch.stage("mesh"):
            mesh = result.mesh
        with watch.stage("write"):
            for path in outputs["mesh"]:
                files += result.save(path)
        notes += _open_prints(outputs["mesh"], mesh)
    for path, write in ((args.depth_out, _write_depth), (args.mask_out, _write_mask)):
        if path:
            with watch.stage("write"):
                notes += write(result, path)
            files.append(path)
    for name, draw in PICTURES.items():
        if path := getattr(args, name):
            with watch.stage(name):
                files += draw(result, path)
    return files, notes


def _draw_preview(result: Reconstruction, path: Path) -> list[Path]:
    from recon import write_preview

    write_preview(result.mesh, result.camera, path, closed=result.surface == "solid")
    return [path]


def _draw_turntable(result: Reconstruction, path: Path) -> list[Path]:
    from recon import write_turntable

    write_turntable(result.mesh, result.camera, path, closed=result.surface == "solid")
    return [path]


def _draw_parallax(result: Reconstruction, path: Path) -> list[Path]:
    from recon import ground_of, write_parallax

    ground = ground_of(result.photo, result.mask)
    write_parallax(result.mesh, result.camera, path, result.options.parallax_path, result.options.cone, ground)
    return [path]


def _draw_orbit(result: Reconstruction, path: Path) -> list[Path]:
    from recon import write_orbit

    write_orbit(result.draw_views, path, _views_of(result.options))
    return [path]


def _draw_frames(result: Reconstruction, path: Path) -> list[Path]:
    from recon import write_frames

    return write_frames(result.draw_views, path, _views_of(result.options))


def _views_of(asked: PhotoOptions) -> OrbitSettings:
    from recon import OrbitSettings

    return OrbitSettings(asked.views, float(asked.elevation), asked.distance, asked.transparent)


PICTURES: dict[str, Callable[[Reconstruction, Path], list[Path]]] = {
    "preview": _draw_preview,
    "turntable": _draw_turntable,
    "parallax": _draw_parallax,
    "orbit": _draw_orbit,
    "frames": _draw_frames,
}
"""What is drawn of a model, by the option that names its file or folder; returns the files."""


def _write_depth(result: Reconstruction, path: Path) -> list[Message]:
    """Write the depth map; returns what is to be known of it."""
    from recon import write_depth

    scale = write_depth(result.depth, path)
    if scale in (1, 1000):
        return []
    return [
        note(
            "write.far_depth", "far depth: {name!r} holds {scale:g} units per unit of depth",
            name=path.name, scale=scale,
        )
    ]  # fmt: skip


def _write_mask(result: Reconstruction, path: Path) -> list[Message]:
    """Write the subject's mask; returns what is to be known of it."""
    from recon import write_mask

    write_mask(result.mask, result.photo.size, path)
    if result.mask.inside is not None:
        return []
    return [
        note(
            "write.whole_mask",
            "{name!r} is white everywhere, for no single subject was cut out; give <mask> none to take the whole photo"
            " again",
            name=path.name,
        )
    ]


def _check_options(args: argparse.Namespace, asked: PhotoOptions, wish: RefineOptions | None) -> list[Path]:
    """What can be known to be wrong before the photo is read; returns the folders that will be made."""
    from recon import missing_folders, model_kind, output_files

    more = {"cloud": args.points_out, "depth": args.depth_out, "mask": args.mask_out, "preview": args.preview,
            "turntable": args.turntable, "parallax": args.parallax, "orbit": args.orbit,
            "frames": args.frames and args.frames / FIRST_FRAME, "report": args.report}  # fmt: skip
    models = [(args.kind or model_kind(path), path) for path in args.out]
    files = output_files([*models, *((name, path) for name, path in more.items() if path)])
    if args.parallax is None and hasattr(args, "parallax_path"):
        raise BadOption("film.off", "<parallax_path> is for a film; give its name with <parallax>, as FILE.mp4.")
    _check_views_options(args, asked, wish)
    _check_refine_options(args, wish)
    _check_print_options(args, asked, wish)
    for name in ("max_mib", "max_megapixels"):
        if not 0 < getattr(args, name) < 1e6:
            raise BadOption("limit.range", "<{option}> is {given:g}; give a number above 0 and below 1e6.",
                            option=name, given=getattr(args, name))  # fmt: skip
    inputs = {"photo": args.rgb, "depth": asked.depth_in, "mask": None if asked.mask in MASK_WORDS else asked.mask}
    return missing_folders(files, {name: Path(path) for name, path in inputs.items() if path})


def _check_views_options(args: argparse.Namespace, asked: PhotoOptions, wish: RefineOptions | None) -> None:
    """What can be known to be wrong with novel views before the photo is read."""
    from recon import check_transparency

    if not (args.frames or args.orbit):
        for name in ("views", "elevation", "distance", "transparent"):
            if hasattr(args, name):
                raise BadOption("views.off", "<{option}> is for novel views; add <frames> or <orbit>.", option=name)
        return
    if args.orbit:
        check_transparency(args.orbit, asked.transparent)
    if wish is None and asked.surface in ("grid", "poisson", "layered"):
        raise _open_views(asked.surface)


def _open_views(surface: str) -> BadOption:
    return BadOption(
        "views.open_surface",
        "<frames> and <orbit> go all the way round and <surface> {surface} is open; add <surface> solid, or give"
        " <turntable> or <parallax>.",
        surface=surface,
    )


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


def _open_prints(files: list[Path], mesh: Mesh) -> list[Message]:
    """What is to be known of each STL that cannot be printed."""
    from recon import is_closed

    names = [path.name for path in files if path.suffix.lower() == ".stl"]
    if not names or is_closed(mesh.welded().faces):
        return []
    return [
        note("write.open_print", "{name!r} is an open surface; to print it add <surface> solid", name=name)
        for name in names
    ]
