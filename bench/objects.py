"""One object in one photo: is it found, what are its front, its closed solid and the field of view worth?

    python -m bench.objects [--data DIR] [--tables mask,empty,meshes,fov] [--views N] [--true-fov] [--mask NAME]
                            [--pictures DIR]

mask: cut-out objects laid over plain grounds, gradients and photos, and photos with a drawn mask; IoU of the automatic
mask, 0 where it finds none. empty: photos of no single object; the share taken as a scene. meshes: textured meshes from
random views, rendered with alpha and over light grey; scores and alignments (`fit`) are said in bench.shapes. fov: degrees
along the longer side. Some scenes (a truck, a basketball) have a subject by some people's lights: 1 is no target for
empty. The folder: objects/, scenes/, rgbd/, meshes/*.glb, as the team's own; a table without data is left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench import contact, shapes
from bench.frames import DEFAULT_FOLDER, read_frame
from bench.masks import KINDS, Case, chain, iou, scenes_without, subject_of, subjects
from bench.views import UNSEEN, ModelView, read_model, seen_from
from recon.pipeline import reconstruct
from recon.registry import depth_estimator
from recon.results import Reconstruction
from recon.stages.camera import DEFAULT_FOV

TARGETS = "targets: mask 0.85; empty 0.80; front F 0.85; solid F 0.55 and 0.10 above both floors; IoU 0.75; fov 8°"
GREY = 230
TABLES = ("mask", "empty", "meshes", "fov")
VARIANTS = ("alpha", "grey")
COLUMNS = ("front F", "solid F", "extr F", "mirr F", "IoU", "extr", "mirr")


@dataclass(frozen=True)
class Options:
    """The command line. views: per mesh; true_fov: told to the product; mask: the segmenter's name."""

    data: Path
    tables: tuple[str, ...]
    views: int
    true_fov: bool
    mask: str
    sheets: contact.Sheets


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER.parent)
    parser.add_argument("--tables", default=",".join(TABLES), help="which, with commas")
    parser.add_argument("--views", type=int, default=3, help="of each mesh")
    parser.add_argument("--true-fov", action="store_true", help="tell the product each mesh view's field of view")
    parser.add_argument("--mask", default="", help="auto or a segmenter's name; default: builtin if there is one")
    parser.add_argument("--pictures", type=Path, help="write contact sheets into this folder")
    args = parser.parse_args()
    tables = tuple(args.tables.split(","))
    if unknown := {*tables} - {*TABLES}:
        parser.error(f"--tables names {', '.join(sorted(unknown))}; give some of {', '.join(TABLES)}, with commas")
    sheets = contact.Sheets(args.pictures)
    options = Options(args.data, tables, args.views, args.true_fov, args.mask, sheets)
    print(TARGETS)
    views = list(rendered_views(options)) if {"meshes", "fov"} & {*options.tables} else []
    if "mask" in options.tables:
        mask_table(options)
    if "empty" in options.tables:
        empty_table(options)
    if "meshes" in options.tables and views:
        mesh_table(options, views)
    if "fov" in options.tables:
        fov_table(options, views)
    sheets.write()


def rendered_views(options: Options) -> Iterator[ModelView]:
    """The seeded random views of every mesh."""
    for i, path in enumerate(sorted((options.data / "meshes").glob("*.gl[bt]*"))):
        model = read_model(path)
        for j in range(options.views):
            yield seen_from(model, np.random.default_rng((11, i, j)))


def mask_table(options: Options) -> None:
    """Mean IoU per object and kind of ground."""
    label, asked = chain(options.mask)
    rows: dict[str, dict[str, list[float]]] = {}
    for case in subjects(options.data):
        found = subject_of(case.rgb, asked).inside
        assert case.inside is not None
        rows.setdefault(case.name, {}).setdefault(case.kind, []).append(iou(found, case.inside))
        options.sheets.add(f"mask_{case.kind}", case.rgb, contact.masked(case.rgb, found, case.inside))
    if not rows:
        return
    kinds = (*KINDS, "original")
    print(f"\nmask ({label}): IoU\n{'object':>20} " + " ".join(f"{kind:>9}" for kind in kinds))
    for name, row in rows.items():
        print(f"{name:>20} " + " ".join(_cell(row.get(kind, [])) for kind in kinds))
    pooled = {kind: [v for row in rows.values() for v in row.get(kind, [])] for kind in kinds}
    print(f"{'mean':>20} " + " ".join(_cell(pooled[kind]) for kind in kinds))
    every = [v for values in pooled.values() for v in values]
    print(f"{'found at all':>20} " + " ".join(_cell([float(v > 0) for v in pooled[kind]]) for kind in kinds))
    print(f"{'overall':>20} {np.mean(every):9.3f}   ({len(every)} photos)", flush=True)


def empty_table(options: Options) -> None:
    """Which photos without a subject are taken as scenes."""
    label, asked = chain(options.mask)
    answers: list[tuple[Case, float]] = []
    for case in scenes_without(options.data):
        found = subject_of(case.rgb, asked).inside
        answers.append((case, 0.0 if found is None else float(found.mean())))
        options.sheets.add("empty", case.rgb, contact.masked(case.rgb, found, None))
    if not answers:
        return
    print(f"\nempty ({label}): share of photos taken as a scene")
    for kind in ("scenes", "rgbd"):
        print(f"{kind:>20} {_cell([float(not area) for case, area in answers if case.kind == kind])}")
    print(f"{'overall':>20} {_cell([float(not area) for _, area in answers])}   ({len(answers)} photos)")
    wrong = [f"{case.name} ({100 * area:.0f} %)" for case, area in answers if area]
    print(f"{'a subject seen in':>20} {', '.join(wrong) or 'none'}", flush=True)


def mesh_table(options: Options, views: list[ModelView]) -> None:
    """Scores per view, variant and alignment, their means, and the harness's own row."""
    head = f"{'view':>18} {'photo':>6} {'fov':>4} {'said':>4} {'mask':>5} {'tight':>5} {'fit':>5}"
    print(f"\nmeshes: F at 5 % of the sphere's diameter; silhouette IoU from {UNSEEN} unseen views")
    print(head + " ".join(f"{name:>8}" for name in COLUMNS))
    rows: dict[tuple[str, str], list[np.ndarray]] = {}
    oracles, tight = [], []
    for view in views:
        true = shapes.truth_of(view)
        oracles.append(shapes.oracle(true))
        for variant in VARIANTS:
            picture = view.rgba if variant == "alpha" else on_grey(view.rgba)
            found = reconstruct(picture, surface="solid", depth_model="builtin", offline=True,
                                fov=view.fov if options.true_fov else None)  # fmt: skip
            tight.append(bool(found.mesh.welded().to_trimesh().is_watertight))
            overlap = iou(found.mask.inside, view.rgba[..., 3] > 127)
            facts = f"{view.fov:4.0f} {found.camera.fov_x:4.0f} {overlap:5.2f} {'yes' if tight[-1] else 'NO':>5}"
            for kind, row in view_scores(options, found, true, picture).items():
                rows.setdefault((variant, kind), []).append(row)
                print(f"{view.name:>18} {variant:>6} {facts} {kind:>5}{_scores(row)}", flush=True)
    for (variant, kind), every in rows.items():
        print(f"{'mean':>18} {variant:>6} {'':21} {kind:>5}{_scores(np.mean(every, axis=0))}")
    print(f"{'watertight':>18} {sum(tight)} of {len(tight)}")
    print("oracle (true depth, true camera)\n" + " " * 18 + " ".join(f"{name:>8}" for name in shapes.ORACLE_COLUMNS))
    print(f"{'mean':>18}{_scores(np.mean(oracles, axis=0))}", flush=True)


def view_scores(
    options: Options, found: Reconstruction, true: shapes.Truth, picture: np.ndarray
) -> dict[str, np.ndarray]:
    """COLUMNS for each alignment; the view goes onto the contact sheet."""
    solid, view = shapes.TriangleMesh(found.mesh.vertices, found.mesh.faces), true.view
    scored = {
        kind: shapes.scores(found.depth.z, found.camera, solid, true, kind) for kind in shapes.ALIGNMENTS
    }  # fmt: skip
    if options.sheets.folder is not None:
        variant, shown = (VARIANTS[0], on_grey(picture)) if picture.shape[2] == 4 else (VARIANTS[1], picture)
        cut = contact.masked(shown, found.mask.inside, view.rgba[..., 3] > 127)
        whole = shapes.TriangleMesh(view.vertices, view.model.faces)
        options.sheets.add(f"meshes_{variant}", shown, cut, *contact.around(scored["shape"][1], whole, view))
    return {kind: row for kind, (row, _) in scored.items()}


def fov_table(options: Options, views: list[ModelView]) -> None:
    """Absolute error of the built-in network's field of view along the longer side, against always saying 60°."""
    estimator = depth_estimator("builtin")
    cases = [("rendered", view.fov, on_grey(view.rgba)) for view in views]
    for meta in sorted((options.data / "rgbd").glob("*/meta.json")):
        frame = read_frame(meta.parent)
        cases.append((frame.domain, longer_fov_of(frame.focal, max(frame.rgb.shape[:2])), frame.rgb))
    if not cases:
        return
    print(
        f"\nfov: median absolute error in degrees along the longer side\n{'photos':>20} {'n':>4} {'model':>7} {'60°':>7}"
    )
    errors = []
    for kind, true, rgb in cases:
        said = estimator.estimate(rgb).fov_x
        model = np.nan if said is None else abs(longer_fov(said, rgb.shape[1], rgb.shape[0]) - true)
        errors.append((kind == "rendered", model, abs(DEFAULT_FOV - true)))
    rendered, models, defaults = (np.array(column) for column in zip(*errors, strict=True))
    for label, chosen in (("rendered", rendered), ("real", ~rendered), ("all", rendered | True)):
        if chosen.any():
            opinions = models[chosen & ~np.isnan(models)]
            figure = f"{np.median(opinions):7.1f}" if len(opinions) else f"{'none':>7}"
            print(f"{label:>20} {chosen.sum():4} {figure} {np.median(defaults[chosen]):7.1f}", flush=True)


def on_grey(rgba: np.ndarray) -> np.ndarray:
    """RGBA over light grey."""
    alpha = rgba[..., 3:] / 255.0
    return (rgba[..., :3] * alpha + GREY * (1 - alpha)).round().astype(np.uint8)


def longer_fov(fov_x: float, width: int, height: int) -> float:
    """The field of view along the longer side from the horizontal one, both in degrees."""
    return float(np.degrees(2 * np.arctan(np.tan(np.radians(fov_x) / 2) * max(1.0, height / width))))


def longer_fov_of(focal: float, side: int) -> float:
    """The same from a focal length in pixels and the longer side."""
    return float(np.degrees(2 * np.arctan(side / (2 * focal))))


def _scores(values: np.ndarray) -> str:
    return " ".join(f"{value:8.3f}" for value in values)


def _cell(values: list[float]) -> str:
    return f"{np.mean(values):9.3f}" if values else f"{'':9}"


if __name__ == "__main__":
    main()
