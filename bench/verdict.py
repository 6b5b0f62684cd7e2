"""The refinement's verdict on photos of objects: its numbers, and what a person needs to check them by eye.

    python -m bench.verdict [--data DIR] [--names A,B] [--preset quick] [--steps N] [--pictures DIR]

Every object photo of the folder (objects/*.png and objects/*/image_rgba.png) goes through `--surface solid` and a
refinement with one thread. Two rows each: the numbers of recon.refinement.verdict for the first model and for the refined
one, then whether that is taken. `cpu` is processor seconds. --pictures writes a sheet of each: the photo and the first
model above, the refined one below, from `VIEWS`, in their colours and, on the right, in grey with the lamp at the eye.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bench.frames import DEFAULT_FOLDER
from recon.pipeline import reconstruct, refine
from recon.refinement.looked_at import Looked, orbit_rays
from recon.refinement.verdict import Look, Verdict
from recon.results import Reconstruction
from recon.types import Mesh, Photo

VIEWS = ((0.0, 10.0), (60.0, 10.0), (180.0, 10.0), (300.0, 10.0), (0.0, 70.0))
"""(azimuth, elevation) in degrees."""
CELL, OVER = 220, 2
FORMATS = {"overlap": ".3f", "outline": ".4f", "missed": ".3f", "teeth": ".2f", "colour": ".3f", "bumps": ".1f",
           "foreign": ".3f", "detail": ".4f", "crossed": ".4f",
           "closed": "", "parts": ""}  # fmt: skip
"""Of a Look's numbers that are printed."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DEFAULT_FOLDER.parent)
    parser.add_argument("--names", default="", help="with commas; default: all")
    parser.add_argument("--preset", default="quick", help="quick or full")
    parser.add_argument("--steps", type=int, help="of each stage at most")
    parser.add_argument("--pictures", type=Path, help="write a sheet of each into this folder")
    args = parser.parse_args()
    print(f"{'photo':>18} {'model':>7} {'cpu':>4} " + " ".join(f"{name:>7}" for name in FORMATS))
    taken = 0
    photos = object_photos(args.data, args.names)
    for name, path in photos.items():
        start = time.process_time()
        found = reconstruct(path, surface="solid", depth_model="builtin", offline=True)
        done = refine(found, args.preset, steps=args.steps, judged=False)
        assert done.refinement is not None
        said = done.refinement.verdict
        seconds = time.process_time() - start
        for kind, look, rest in (("solid", said.first, ""), ("refined", said.refined, outcome(said))):
            figures = " ".join(f"{_figure(look, field):>7}" for field in FORMATS)
            print(f"{name:>18} {kind:>7} {seconds if rest else 0:4.0f} {figures}  {rest}", flush=True)
        taken += said.better
        if args.pictures:
            write_sheet(found, done, args.pictures / f"{name}.png")
    print(f"{taken} of {len(photos)} taken")


def object_photos(data: Path, names: str = "") -> dict[str, Path]:
    """The folder's photos of objects by name; only those in a list with commas, if it is not empty."""
    every = sorted([*data.glob("objects/*.png"), *data.glob("objects/*/image_rgba.png")])
    named = {path.parent.name if path.name == "image_rgba.png" else path.stem: path for path in every}
    return {name: path for name, path in named.items() if not names or name in names.split(",")}


def outcome(said: Verdict) -> str:
    """In words."""
    return "taken" if said.better else "kept: " + "; ".join(map(str, said.reasons))


def write_sheet(found: Reconstruction, refined: Reconstruction, path: Path) -> None:
    """See the module."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [
        np.concatenate([_fitted(left), *views(mesh)], 1)
        for left, mesh in ((found.photo.rgb, found.mesh), (_blank(found.photo), refined.mesh))
    ]
    Image.fromarray(np.concatenate(rows)).save(path)


def views(mesh: Mesh, angles: Sequence[tuple[float, float]] = VIEWS) -> list[np.ndarray]:
    """Pictures of a mesh over white, CELL² bytes each: in its colours, then in grey."""
    looked, coloured, grey = Looked.at(mesh), [], []
    centre = (mesh.vertices.min(0) + mesh.vertices.max(0)) / 2
    radius = float(np.linalg.norm(mesh.vertices - centre, axis=1).max())
    for azimuth, elevation in angles:
        eye, rays = orbit_rays(centre, radius, azimuth, elevation, CELL * OVER)
        seen = looked.along(eye, rays)
        towards = -(seen.normal * rays).sum(-1) / np.linalg.norm(rays, axis=-1)
        coloured.append(np.where(seen.hit[..., None], seen.colour, 1))
        grey.append(np.where(seen.hit, 0.2 + 0.7 * np.abs(towards), 1)[..., None].repeat(3, 2))
    return [_bytes(picture) for picture in (*coloured, *grey)]


def _bytes(picture: np.ndarray) -> np.ndarray:
    small = cv2.resize(picture.astype(np.float32), (CELL, CELL), interpolation=cv2.INTER_AREA)
    return (255 * small.clip(0, 1)).round().astype(np.uint8)


def _fitted(rgb: np.ndarray) -> np.ndarray:
    factor = CELL / max(rgb.shape[:2])
    size = round(rgb.shape[1] * factor), round(rgb.shape[0] * factor)
    out = np.full((CELL, CELL, 3), 255, np.uint8)
    out[: size[1], : size[0]] = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return out


def _blank(photo: Photo) -> np.ndarray:
    return np.full_like(photo.rgb, 255)


def _figure(look: Look, name: str) -> str:
    return format(getattr(look, name), FORMATS[name])


if __name__ == "__main__":
    main()
