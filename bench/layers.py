"""Scenes without holes: what a turn uncovers, held-out views, outlines, and what it costs beside `grid`.

    python -m bench.layers [--only uncovered|frames|stereo|outlines|edges|seconds] [--sheet FILE.png [--photos NAME …]]

A sheet without cuts covers all that may be seen; what of it a mesh leaves open is uncovered, in parts of the frame. The
photos are the samples and, beside the checkout, the shared scenes; where frames, pair or objects are not there their
table is left out. --sheet: pictures at −20°, 0°, 20° and from above, grid over layered, of all photos or of some.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from PIL import Image

from bench.frames import DEFAULT_FOLDER, frames
from bench.score import psnr, rendered
from recon.geometry.camera import back_project, centred_camera, scaled_camera
from recon.geometry.plate import carried_in
from recon.geometry.plate_colour import nearest_colours
from recon.geometry.sharpen import sharpened
from recon.pipeline import reconstruct
from recon.results import Reconstruction
from recon.settings import LayeredSettings
from recon.stages.sharpen import sharpen_edges
from recon.stages.surface_grid import make_grid
from recon.stages.surface_layered import make_layers
from recon.types import Camera, DepthMap, Mask, Mesh, Photo
from training.evaluate import boundary_f1

SHARED, ROOT = DEFAULT_FOLDER.parent, Path(__file__).resolve().parents[1]
VIEWS = ((-20.0, 0.0), (20.0, 0.0), (0.0, 20.0))
VIEW_SIDE = 480
WHOLE = Mask(None, "none")
MOTORCYCLE = {"focal": 994.978, "cx": 311.193, "cy": 254.877, "doffs": 31.086, "baseline": 0.193001}
"""Middlebury 2014's calibration at the size that scikit-image carries."""


def main() -> None:
    """Print the tables."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--only", choices=TABLES)
    options.add_argument("--sheet", type=Path)
    options.add_argument("--photos", nargs="*", help="of the sheet, by their names without ending")
    args = options.parse_args()
    for name, table in TABLES.items():
        if args.only == name or (args.only is None and not args.sheet):
            table()
    if args.sheet:
        turned_views(args.sheet, [each for each in photos() if not args.photos or each.stem in args.photos])


def photos() -> list[Path]:
    """The sample photos and the shared scenes."""
    return sorted((ROOT / "samples").glob("*.jpg")) + sorted((SHARED / "scenes").glob("*.*g"))


def scenes_of(photo: Path | np.ndarray) -> tuple[Reconstruction, Reconstruction]:
    """A photo as a scene by the built-in network, its depth as it is and sharpened."""
    off = reconstruct(photo, depth_model="builtin", mask="none", offline=True, sharpen="off")
    depth = sharpen_edges(off.depth, off.photo, "auto")
    return off, Reconstruction(replace(off.geometry, depth=depth), off.options)


def about_pivot(points: np.ndarray, pivot: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """Points as a camera sees them that is turned about the pivot."""
    a, b = math.radians(yaw), math.radians(pitch)
    about_y = np.array([[math.cos(a), 0, math.sin(a)], [0, 1, 0], [-math.sin(a), 0, math.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, math.cos(b), -math.sin(b)], [0, math.sin(b), math.cos(b)]])
    return ((points - pivot) @ (about_y @ about_x).T + pivot).astype(np.float32)


def view_of(mesh: Mesh, camera: Camera, move: Callable[[np.ndarray], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """(colours, depth; inf where nothing is) of all sheets from a camera before which they are moved."""
    colours = np.full((camera.height, camera.width, 3), 255, np.float32)
    depth = np.full((camera.height, camera.width), np.inf)
    for sheet in mesh.sheets():
        assert sheet.uv is not None and sheet.texture is not None
        rgb, seen, z = rendered(move(sheet.vertices), sheet.faces, sheet.uv, sheet.texture, camera)
        front = seen & (z < depth)
        colours[front], depth[front] = rgb[front], z[front]
    return colours, depth


def stretched(z: np.ndarray, camera: Camera, rgb: np.ndarray) -> Mesh:
    """The sheet without cuts, every third pixel of it."""
    rows, columns = np.arange(0, z.shape[0], 3), np.arange(0, z.shape[1], 3)
    small = z[np.ix_(rows, columns)]
    points = back_project(columns[None].astype(np.float32) + 0.5, rows[:, None].astype(np.float32) + 0.5, small, camera)
    there, number = ~np.isnan(small), np.arange(small.size, dtype=np.int32).reshape(small.shape)
    whole = there[:-1, :-1] & there[1:, :-1] & there[:-1, 1:] & there[1:, 1:]
    tl, tr, bl, br = (each[whole] for each in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    faces = np.concatenate([np.stack([tl, bl, br], 1), np.stack([tl, br, tr], 1)])
    v, u = np.meshgrid(rows / z.shape[0], columns / z.shape[1], indexing="ij")
    uv = np.stack([u.ravel(), v.ravel()], 1).astype(np.float32)
    return Mesh(np.nan_to_num(points.reshape(-1, 3)), faces, uv=uv, texture=rgb)


def uncovered(mesh: Mesh, sheet: Mesh, camera: Camera, degrees: float) -> float:
    """The worse of both sides: share of the frame that the uncut sheet covers and the mesh does not."""
    small = scaled_camera(camera, VIEW_SIDE, round(VIEW_SIDE * camera.height / camera.width))
    pivot = np.array([0, 0, float(np.median(mesh.vertices[:, 2]))])
    worst = 0.0
    for yaw in (-degrees, degrees):
        full, ours = (
            np.isfinite(view_of(each, small, partial(about_pivot, pivot=pivot, yaw=yaw, pitch=0.0))[1])
            for each in (sheet, mesh)
        )
        worst = max(worst, float((full & ~ours).mean()))
    return worst


def uncovered_table() -> None:
    """By the built-in network's depth at ±20°."""
    print("uncovered at ±20°, % of the frame, built-in depth")
    print(f"{'photo':>20} {'grid':>7} {'sharp':>7} {'layered':>8}")
    rows = []
    for path in photos():
        blurred, sharp = scenes_of(path)
        sheet = stretched(sharp.depth.z, sharp.camera, sharp.photo.rgb)
        meshes = [each.with_options(surface="grid").mesh for each in (blurred, sharp)] + [sharp.mesh]
        rows.append([100 * uncovered(mesh, sheet, sharp.camera, 20) for mesh in meshes])
        print(f"{path.stem:>20} {rows[-1][0]:7.2f} {rows[-1][1]:7.2f} {rows[-1][2]:8.3f}", flush=True)
    print(f"{'worst':>20} " + " ".join(f"{value:7.3f}" for value in np.max(rows, axis=0)))


def frames_table() -> None:
    """With measured depth at 30°."""
    print("uncovered at ±30°, % of the frame, measured depth")
    for frame in frames():
        height, width = frame.z.shape
        camera = centred_camera(width, height, frame.focal, "user")
        depth, photo = DepthMap(frame.z.astype(np.float32), True), Photo(np.ascontiguousarray(frame.rgb))
        sheet = stretched(depth.z, camera, photo.rgb)
        grid = make_grid(photo, WHOLE, depth, camera)
        layered = make_layers(photo, WHOLE, depth, camera).mesh()
        shares = [100 * uncovered(mesh, sheet, camera, 30) for mesh in (grid, layered)]
        print(f"{frame.name:>20} {shares[0]:7.2f} {shares[1]:8.3f}", flush=True)


def stereo_table() -> None:
    """The held-out right view of the motorcycle pair."""
    folder = SHARED / "stereo" / "motorcycle"
    if not folder.is_dir():
        return
    meta = json.loads((folder / "meta.json").read_text())
    left, right = (np.asarray(Image.open(folder / meta[side]).convert("RGB")) for side in ("left", "right"))
    disparity = np.load(folder / meta["disparity_left"])["arr_0"]
    known = MOTORCYCLE
    z = known["focal"] * known["baseline"] / (disparity + known["doffs"])
    z[~np.isfinite(disparity)] = np.nan
    camera = Camera(left.shape[1], left.shape[0], known["focal"], known["cx"], known["cy"], "user")
    other = replace(camera, cx=camera.cx + known["doffs"])
    inverse = (1 / z).astype(np.float32)  # what the pair's matching lacks lies in the shadow of what is near
    depth = DepthMap((1 / carried_in(inverse, np.isnan(inverse))).astype(np.float32), True)
    photo = Photo(np.ascontiguousarray(left))
    meshes = {"stretched": stretched(depth.z, camera, photo.rgb), "grid": make_grid(photo, WHOLE, depth, camera),
              "layered": make_layers(photo, WHOLE, depth, camera, LayeredSettings(15.0)).mesh()}  # fmt: skip
    views = {
        name: view_of(mesh, other, lambda points: points - [known["baseline"], 0, 0]) for name, mesh in meshes.items()
    }
    stereo_rows(views, right)


def stereo_rows(views: dict[str, tuple[np.ndarray, np.ndarray]], right: np.ndarray) -> None:
    """PSNR of each mesh's view in what grid shows, in what it leaves open, beside that, and in all."""
    frame = np.isfinite(views["stretched"][1]) | np.isfinite(views["layered"][1])
    open_ = frame & ~np.isfinite(views["grid"][1])
    near = cv2.dilate(open_.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    masks = {"both": frame & ~near, "uncovered": open_, "rim": frame & near & ~open_, "all": frame}
    gain = [
        np.median(right[masks["both"]][:, c] / np.maximum(views["grid"][0][masks["both"]][:, c], 1)) for c in range(3)
    ]
    print(f"motorcycle, held-out right view, dB; {100 * open_.mean():.1f} % of the frame is uncovered")
    print(f"{'':>12} " + " ".join(f"{name:>10}" for name in masks))
    for name, (colours, _) in views.items():
        seen = np.clip(colours * gain, 0, 255)
        print(f"{name:>12} " + " ".join(f"{psnr(seen[mask], right[mask]):10.2f}" for mask in masks.values()))


class Composite(NamedTuple):
    """rgb: the picture; alpha, shape, ground: what it is made of, shape's colours carried on outwards."""

    rgb: np.ndarray
    alpha: np.ndarray
    shape: np.ndarray
    ground: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """Where the object is."""
        return self.alpha > 0.5


def composites(count: int = 12) -> Iterator[Composite]:
    """Objects with their own alpha before photos."""
    objects = sorted((SHARED / "objects").glob("*.png"))[:4]
    grounds = sorted((ROOT / "samples").glob("*.jpg"))[:3]
    for number in range(count if objects else 0):
        rgba = Image.open(objects[number % 4]).convert("RGBA").resize((520, 520))
        ground = np.asarray(Image.open(grounds[number // 4]).convert("RGB").resize((800, 600)), np.float32)
        shape, alpha = np.zeros((600, 800, 3), np.float32), np.zeros((600, 800, 1), np.float32)
        shape[40:560, 140:660] = np.asarray(rgba)[..., :3]
        alpha[40:560, 140:660, 0] = np.asarray(rgba)[..., 3] / 255
        rgb = np.rint(alpha * shape + (1 - alpha) * ground).astype(np.uint8)
        carried, _ = nearest_colours(shape, alpha[..., 0] > 0.99, alpha[..., 0] <= 0.99, 1e4)
        yield Composite(rgb, alpha[..., 0], carried.astype(np.float32), ground)


def outlines_table() -> None:
    """Masks displaced by a smooth random field of σ 3 px, grown by 2 and blurred, as networks do."""
    rows, halos = [], []
    for number, made in enumerate(composites()):
        inverse = displaced(made.inside, np.random.default_rng(number))
        sharp = sharpened(inverse, made.rgb, 0.08)
        rows.append([*_outline(inverse > 0.625, made.inside), *_outline(sharp > 0.625, made.inside)])
        halos.append([*_halo(made, made.rgb, inverse), *_halo(made, *layered_front(made.rgb, sharp))])
    if rows:
        print("displaced outlines, mean of 12: IoU within 12 px and error in px, as given and sharpened")
        print(" ".join(f"{value:8.3f}" for value in np.mean(rows, axis=0)))
        print("halo within 3 px, grey levels: near samples from the object, far ones from the ground; grid, layered")
        print(" ".join(f"{value:8.2f}" for value in np.mean(halos, axis=0)))


def displaced(inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Disparity of an object before a wall, its outline where a network might see it."""
    v, u = np.mgrid[: inside.shape[0], : inside.shape[1]].astype(np.float32)
    du, dv = (_field(rng, inside.shape, 3.0) for _ in range(2))
    moved = cv2.remap(inside.astype(np.float32), u + du, v + dv, cv2.INTER_LINEAR)
    given = cv2.GaussianBlur(cv2.dilate(moved, np.ones((5, 5), np.uint8)), (0, 0), 2)
    return (0.25 + 0.75 * given).astype(np.float32)


def layered_front(rgb: np.ndarray, inverse: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours and disparity of the layered surface's first sheet, NaN where it has no sample."""
    camera = centred_camera(rgb.shape[1], rgb.shape[0], float(rgb.shape[1]), "user")
    layers = make_layers(Photo(rgb), WHOLE, DepthMap(1 / inverse, False, noise=1e-3), camera)
    return layers.sheets()[0].colors, layers.front.inverse


def _halo(made: Composite, colours: np.ndarray, inverse: np.ndarray) -> tuple[float, float]:
    """Mean difference of near samples from the object's colour, and of far ones from the ground's, at its outline."""
    band = _from_outline(made.inside) <= 3
    sides = ((band & (inverse > 0.625), made.shape), (band & (inverse <= 0.625), made.ground))
    near, far = (float(np.abs(colours[side].astype(np.float32) - true[side]).mean()) for side, true in sides)
    return near, far


def _field(rng: np.random.Generator, shape: tuple[int, ...], spread: float) -> np.ndarray:
    smooth = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), 12)
    return smooth * np.float32(spread / smooth.std())


def _outline(found: np.ndarray, true: np.ndarray) -> tuple[float, float]:
    """IoU in a band of 12 px around the true outline, and the found outline's mean distance from it."""

    away = _from_outline(true)
    band = away <= 12
    overlap = float((found & true & band).sum() / (((found | true) & band).sum()))
    return overlap, float(away[(_from_outline(found) == 0) & band].mean())


def _from_outline(mask: np.ndarray) -> np.ndarray:
    """Distance to the nearest pixel of a mask at its border."""
    inner = cv2.erode(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    return cv2.distanceTransform((~(mask & ~inner)).astype(np.uint8), cv2.DIST_L2, 5)


def edges_table() -> None:
    """Boundary F1 of the full-size depth where the truth is sharp: rendered frames and the stereo pair."""
    print(
        "boundary F1 of built-in depth at the photo's size: as it was and sharpened, contours within 0, 1 and 2 pixels"
    )
    for name, rgb, z in sharp_truth():
        scores = []
        for found in scenes_of(np.ascontiguousarray(rgb)):
            inverse, true = 1 / found.depth.z, np.nan_to_num(1 / z).astype(np.float32)
            known = (true > 0) & ~np.isnan(inverse)
            line = np.polyfit(inverse[known], true[known], 1)
            fitted = np.nan_to_num(np.polyval(line, inverse)).astype(np.float32)
            scores.append([boundary_f1(fitted, true, within) for within in (0, 1, 2)])
        pairs = "".join(f"   {before:.3f} {after:.3f}" for before, after in zip(*scores, strict=True))
        print(f"{name:>20}{pairs}", flush=True)


def sharp_truth() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, photo and depth of frames whose depth is exact to the pixel."""
    for frame in frames():
        if frame.name.startswith(("iclsyn", "analytic")):
            yield frame.name, frame.rgb, frame.z
    folder = SHARED / "stereo" / "motorcycle"
    if folder.is_dir():
        disparity = np.load(folder / "disparity_left.npz")["arr_0"]
        z = np.where(np.isfinite(disparity), 1 / (disparity + np.float32(MOTORCYCLE["doffs"])), np.nan)
        yield "motorcycle", np.asarray(Image.open(folder / "left.png").convert("RGB")), z


def seconds_table() -> None:
    """One photo of one megapixel: grid, and what sharpening and the sheets behind it take more: processor time, the best of
    three."""
    rgb = np.asarray(Image.open(ROOT / "samples" / "coffee.jpg").convert("RGB").resize((1156, 867)))
    off, auto = scenes_of(rgb)
    inverse = (1 / off.depth.z).astype(np.float32)
    runs: dict[str, Callable[[], object]] = {
        "grid": lambda: off.with_options(surface="grid").mesh,
        "sharpen": lambda: sharpened(inverse, rgb, 0.08, off.depth.noise),
        "layered": lambda: auto.with_options(surface="layered").mesh,
    }
    best = {name: min(_seconds(run) for _ in range(3)) for name, run in runs.items()}
    more = best["sharpen"] + best["layered"] - best["grid"]
    print(
        "processor seconds at 1 MP: "
        + ", ".join(f"{name} {value:.2f}" for name, value in best.items())
        + f"; more {more:.2f}"
    )


def _seconds(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def turned_views(path: Path, chosen: list[Path]) -> None:
    """For each photo of some, grid without sharpening over layered: from −20°, 0°, 20° and above."""
    columns = []
    for photo in chosen:
        lines = []
        blurred, sharp = scenes_of(photo)
        camera = sharp.camera
        for mesh in (blurred.with_options(surface="grid").mesh, sharp.mesh):
            small = scaled_camera(camera, 320, round(320 * camera.height / camera.width))
            pivot = np.array([0, 0, float(np.median(mesh.vertices[:, 2]))])
            every = [VIEWS[0], (0.0, 0.0), *VIEWS[1:]]
            shots = [view_of(mesh, small, partial(about_pivot, pivot=pivot, yaw=at[0], pitch=at[1]))[0] for at in every]
            lines.append(np.concatenate(shots, 1))
        columns.append(np.concatenate([*lines, np.full((6, lines[0].shape[1], 3), 255)]))
    Image.fromarray(np.concatenate(columns).clip(0, 255).astype(np.uint8)).save(path)


TABLES: dict[str, Callable[[], None]] = {
    "uncovered": uncovered_table,
    "frames": frames_table,
    "stereo": stereo_table,
    "outlines": outlines_table,
    "edges": edges_table,
    "seconds": seconds_table,
}

if __name__ == "__main__":
    main()
