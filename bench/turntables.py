"""A contact sheet of turntables: a row for each photo, its model seen from six sides and from above.

    python -m bench.turntables [PHOTOS…] [--world N] --out SHEET.jpg [--refine quick] [--columns N] [--cell PIXELS]

PHOTOS: files, or folders whose pictures are taken in the order of their names; what shows no single thing is left out.
--world: after them so many things of the synthetic world that no network was trained on, cut out. Each row: the photo, then
the `solid` from where the camera stood (0°), turned by 60°, 120°, 180°, 240° and 300°, and from above; with --refine a
second row of what the refinement gives, whether it is judged better or not. --columns: rows side by side. The sheet in
docs/objects.md: `python -m bench.turntables samples --world 22 --columns 2 --cell 112
--out docs/objects.jpg`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from bench.refinement import textured_picture
from bench.views import camera_rotation, turned, unseen_camera
from recon.errors import BadInput, UnflatError
from recon.pipeline import reconstruct, refine
from recon.results import Reconstruction
from recon.types import Mesh

TURNS = (0.0, 60.0, 120.0, 180.0, 240.0, 300.0)
ENDINGS = (".png", ".jpg", ".jpeg", ".webp")
BATCH, WORLD, WORLD_SIDE = 16, 99, 256
"""Things of a batch, the held-back world, and the side of its pictures in pixels."""
GAP, PAPER = 4, 255
UP = np.array([0.0, -1.0, 0.0])


def main() -> None:
    """Write the sheet; say what each row shows."""
    parser = argparse.ArgumentParser(prog="python -m bench.turntables", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", type=Path, nargs="*", help="files or folders")
    parser.add_argument("--world", type=int, default=0, help="so many things of the synthetic world")
    parser.add_argument("--out", type=Path, help="the sheet, .jpg or .png")
    parser.add_argument("--refine", choices=("quick", "full"), help="a second row of each, refined")
    parser.add_argument("--columns", type=int, default=1, help="rows side by side")
    parser.add_argument("--cell", type=int, default=144, help="side of a picture in pixels")
    args = parser.parse_args()
    if args.out is None:
        print("no --out: no sheet is made")
        return
    rows = []
    for name, photo in [*((path.name, str(path)) for path in pictures_of(args.photos)), *things(args.world)]:
        try:
            rows.append(rows_of(photo, args.cell, args.refine))
            print(f"{name:>32} row {len(rows)}", flush=True)
        except UnflatError as error:
            print(f"{name:>32} left out: {error}", flush=True)
    save(sheet_of(rows, args.columns), args.out)


def things(count: int) -> Iterator[tuple[str, np.ndarray]]:
    """Name and RGBA of things that are held back from training."""
    from itertools import islice

    from training.object_scores import held_back_things

    batches = -(-count // BATCH) + 1  # a thing may be too small to count
    for i, (photo, truth) in enumerate(islice(held_back_things(WORLD, "cpu", batches, WORLD_SIDE), count)):
        picture = np.concatenate([photo[0].numpy(), truth.subject[0].numpy()]).transpose(1, 2, 0)
        yield f"thing {i + 1}", (255 * picture.clip(0, 1)).round().astype(np.uint8)


def pictures_of(places: list[Path]) -> list[Path]:
    """The files, and the pictures in the folders, by name."""
    found: list[Path] = []
    for place in places:
        inside = sorted(place.iterdir()) if place.is_dir() else [place]
        found += [each for each in inside if each.suffix.lower() in ENDINGS]
    return found


def rows_of(photo_of: Any, cell: int, preset: str | None) -> np.ndarray:
    """The photo and its turntable; below it that of the refined model, if asked for. Raises BadInput where the photo shows
    no single thing."""
    found = reconstruct(photo_of, surface="solid", depth_model="builtin", offline=True)
    if found.mask.inside is None:
        raise BadInput("bench.no_thing", "it shows no single thing.")
    photo = fitted(shown(found), cell)
    rows = [np.concatenate([photo, *turntable(found.mesh, cell)], axis=1)]
    if preset is not None:
        better = refine(found, preset, judged=False)
        rows.append(np.concatenate([np.full_like(photo, PAPER), *turntable(better.mesh, cell)], axis=1))
    return np.concatenate(rows)


def shown(found: Reconstruction) -> np.ndarray:
    """The photo around its subject; over white where it is transparent."""
    photo = found.photo
    rgb = photo.rgb if photo.alpha is None else np.where(photo.alpha[..., None] > 127, photo.rgb, np.uint8(PAPER))
    return np.asarray(rgb)


def turntable(mesh: Mesh, cell: int) -> list[np.ndarray]:
    """The textured mesh from TURNS about the photo's vertical, and from above, all of one size."""
    vertices = mesh.vertices.astype(np.float64)
    centre = (vertices.min(0) + vertices.max(0)) / 2
    reach = 4 * float(np.linalg.norm(vertices - centre, axis=1).max())  # as unseen_camera has it: its sine is 1/4
    toward = -centre / np.linalg.norm(centre)
    toward -= (toward @ UP) * UP
    toward /= np.linalg.norm(toward)
    eyes = [(centre + reach * turned(UP, turn) @ toward, UP) for turn in TURNS]
    eyes.append((centre + reach * UP, -toward))
    camera = unseen_camera(cell)
    whole = mesh if mesh.texture is not None else replace(mesh, texture=np.full((2, 2, 3), 200, np.uint8))
    return [
        fitted(textured_picture(whole, camera, camera_rotation(eye, centre, up), eye).round().astype(np.uint8), cell)
        for eye, up in eyes
    ]


def fitted(picture: np.ndarray, cell: int) -> np.ndarray:
    """A picture in the middle of a square cell with a gap around it."""
    factor = cell / max(picture.shape[:2])
    size = max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor))
    out = np.full((cell + GAP, cell + GAP, 3), PAPER, np.uint8)
    top, left = (cell - size[1]) // 2, (cell - size[0]) // 2
    out[top : top + size[1], left : left + size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return out


def sheet_of(rows: list[np.ndarray], columns: int) -> np.ndarray:
    """All rows, some side by side; a missing one is blank."""
    if not rows:
        return np.full((GAP, GAP, 3), PAPER, np.uint8)
    every = [*rows, *[np.full_like(rows[0], PAPER)] * (-len(rows) % columns)]
    height = max(len(row) for row in every)
    every = [np.pad(row, ((0, height - len(row)), (0, 3 * GAP), (0, 0)), constant_values=PAPER) for row in every]
    lines = [np.concatenate(every[i : i + columns], axis=1) for i in range(0, len(every), columns)]
    return np.concatenate(lines)


def save(sheet: np.ndarray, path: Path) -> None:
    """As the path's ending says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(path, quality=85)


if __name__ == "__main__":
    main()
