"""Refined models against the fast path's solid, on textured meshes from random views.

    python -m bench.refinement [--data DIR] [--meshes A,B] [--views N] [--preset quick] [--steps N] [--pictures DIR]

Both models come from the same cut-out photo and wear the same alignment (`shape` of bench.shapes). `ref` is PSNR of the
input view at 256 pixels, against the photo; `held` of bench.views' unseen views at 128 pixels under the lamp of the photo,
`turn` of the same views under a lamp that turns with the camera; all over white. `F` and `IoU` are bench.shapes'. The
refined model is scored whether the verdict takes it or keeps the first; what that says stands at the end of the row.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from bench import shapes
from bench.frames import DEFAULT_FOLDER
from bench.score import bilinear, psnr
from bench.verdict import outcome
from bench.views import ModelView, cast, read_model, render_model, scene_of, seen_from, unseen_camera, unseen_poses
from recon.pipeline import reconstruct, refine
from recon.results import Reconstruction
from recon.types import Camera, Mesh

COLUMNS = ("ref", "held", "turn", "F", "IoU")
REFERENCE, HELD = 256, 128
OVER = 2
LAMP = np.array([0.3, -0.7, -0.65])


def main() -> None:
    """Print a row per view and model, and the means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER.parent)
    parser.add_argument("--meshes", default="", help="names, with commas; default: all")
    parser.add_argument("--views", type=int, default=2, help="of each mesh")
    parser.add_argument("--preset", default="quick", help="off, quick or full")
    parser.add_argument("--steps", type=int, help="of each stage at most")
    parser.add_argument("--pictures", type=Path, help="write pictures of both into this folder")
    args = parser.parse_args()
    print(f"{'view':>20} {'model':>7} {'s':>5} {'tight':>5} " + " ".join(f"{name:>7}" for name in COLUMNS))
    rows: dict[str, list[np.ndarray]] = {}
    for i, path in enumerate(sorted((args.data / "meshes").glob("*.gl[bt]*"))):
        if args.meshes and path.stem not in args.meshes.split(","):
            continue
        model = read_model(path)
        for j in range(args.views):
            view = seen_from(model, np.random.default_rng((11, i, j)))
            for kind, row in compared(view, args, f"{path.stem}_{j}").items():
                rows.setdefault(kind, []).append(row)
    for kind, every in rows.items():
        print(f"{'mean':>20} {kind:>7} {'':11} {_figures(np.mean(every, axis=0))}")


def compared(view: ModelView, args: argparse.Namespace, name: str) -> dict[str, np.ndarray]:
    """COLUMNS of the solid and of the refined model of one view."""
    true = shapes.truth_of(view)
    found = reconstruct(view.rgba, surface="solid", depth_model="builtin", offline=True)
    models, seconds, said = {"solid": found}, {"solid": 0.0}, None
    if args.preset != "off":
        start = time.perf_counter()
        models["refined"] = refined = refine(found, args.preset, steps=args.steps, judged=False)
        said = refined.refinement.verdict if refined.refinement else None
        seconds["refined"] = time.perf_counter() - start
    out, sheets = {}, [true_pictures(view, False)]
    for kind, result in models.items():
        mesh = result.mesh
        row, pictures = scored(mesh, result, view, true)
        sheets.append(pictures)
        tight = "yes" if is_tight(mesh) else "NO"
        why = "" if kind == "solid" or said is None else outcome(said)
        print(f"{name:>20} {kind:>7} {seconds[kind]:5.0f} {tight:>5} {_figures(row)} {why}", flush=True)
        out[kind] = row
    if args.pictures:
        args.pictures.mkdir(parents=True, exist_ok=True)
        sheet = np.concatenate([np.concatenate(list(row), 1) for row in sheets], 0)
        Image.fromarray(sheet.round().astype(np.uint8)).save(args.pictures / f"{name}.png")
    return out


def scored(mesh: Mesh, found: Reconstruction, view: ModelView, true: shapes.Truth) -> tuple[np.ndarray, np.ndarray]:
    """COLUMNS, and the pictures of the unseen views."""
    row, solid = shapes.scores(
        found.depth.z, found.camera, shapes.TriangleMesh(mesh.vertices, mesh.faces), true, "shape"
    )
    fitted = mesh.with_(vertices=solid.vertices.astype(np.float32))
    pictures = np.stack([textured_picture(fitted, unseen_camera(HELD), *pose) for pose in unseen_poses(view)])
    held, turned = (psnr(pictures, true_pictures(view, turns)) for turns in (False, True))
    small = resized_view(found.camera, REFERENCE)
    seen = textured_picture(mesh, small, np.eye(3), np.zeros(3))
    whole = Image.fromarray(over_white(view.rgba).round().astype(np.uint8))
    photo = np.asarray(whole.resize((small.width, small.height), Image.Resampling.BOX))
    return np.array([psnr(seen, photo), held, turned, row[1], row[4]]), pictures


def is_tight(mesh: Mesh) -> bool:
    """Watertight once the copies of vertices along the seams of its texture are one again."""
    import trimesh

    return bool(trimesh.Trimesh(mesh.vertices, mesh.faces, process=True).is_watertight)


def over_white(rgba: np.ndarray) -> np.ndarray:
    """Colours over white, 0..255."""
    alpha = rgba[..., 3:] / 255.0
    return rgba[..., :3] * alpha + 255 * (1 - alpha)


def true_pictures(view: ModelView, turns: bool) -> np.ndarray:
    """The unseen views of the true model over white; `turns`: under a lamp that turns with the camera."""
    camera, pictures = unseen_camera(HELD), []
    for rotation, position in unseen_poses(view):
        local = (view.vertices - position) @ rotation.T
        normals = view.model.normals @ view_rotation(view).T @ rotation.T
        light = LAMP / np.linalg.norm(LAMP) if turns else rotation @ view.light
        pictures.append(over_white(render_model(view.model, local, normals, camera, light)))
    return np.stack(pictures)


def view_rotation(view: ModelView) -> np.ndarray:
    """From the model's frame to the camera's: the rotation that took its vertices there (Kabsch)."""
    model, seen = view.model.vertices - view.model.vertices.mean(0), view.vertices - view.vertices.mean(0)
    u, _, v = np.linalg.svd(seen.T @ model)
    return u @ np.diag([1, 1, np.linalg.det(u @ v)]) @ v


def textured_picture(mesh: Mesh, camera: Camera, rotation: np.ndarray, position: np.ndarray) -> np.ndarray:
    """A textured mesh over white, OVER² rays per pixel."""
    assert mesh.uv is not None
    assert mesh.texture is not None
    fine = resized_view(camera, OVER * camera.width)
    hit = cast(scene_of(mesh.vertices, mesh.faces), fine, rotation, position)
    seen = np.isfinite(hit["t_hit"].numpy())
    corners = mesh.faces[hit["primitive_ids"].numpy()[seen].astype(np.intp)]
    b = hit["primitive_uvs"].numpy()[seen]
    weights = np.stack([1 - b.sum(1), b[:, 0], b[:, 1]], 1)[..., None]
    place = (mesh.uv[corners] * weights).sum(1)
    height, width = mesh.texture.shape[:2]
    x, y = place[:, 0] * width - 0.5, place[:, 1] * height - 0.5
    out = np.full((fine.height, fine.width, 3), 255.0)
    out[seen] = np.stack([bilinear(mesh.texture[..., channel], x, y) for channel in range(3)], 1)
    return out.reshape(camera.height, OVER, camera.width, OVER, 3).mean((1, 3))


def resized_view(camera: Camera, width: int) -> Camera:
    """The same view on another number of pixels."""
    scale = width / camera.width
    return replace(camera, width=width, height=round(camera.height * scale), focal=camera.focal * scale,
                   cx=camera.cx * scale, cy=camera.cy * scale)  # fmt: skip


def _figures(values: np.ndarray) -> str:
    return " ".join(f"{value:7.3f}" for value in values)


if __name__ == "__main__":
    main()
