"""Frames with known depth: real RGB-D ones from a folder, or an analytic room that needs no data.

A folder of frames holds one folder per frame with a photo, a depth picture and meta.json (names, scale, intrinsics).
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

DEFAULT_FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "rgbd"


@dataclass(frozen=True)
class RgbdFrame:
    """rgb: h×w×3; z: depth in metres, NaN = none; focal: pixels; domain: indoor, tabletop, street or analytic."""

    name: str
    rgb: np.ndarray
    z: np.ndarray
    focal: float
    domain: str


def frames_folder() -> Path | None:
    """The folder of RGB-D frames: UNFLAT_RGBD, or the team's own beside the checkout; None if there is none."""
    folder = Path(os.environ.get("UNFLAT_RGBD", DEFAULT_FOLDER))
    return folder if folder.is_dir() else None


def frames() -> Iterator[RgbdFrame]:
    """Every real frame in the order of names, or the analytic room alone."""
    folder = frames_folder()
    if folder is None:
        yield analytic_room()
        return
    for meta_file in sorted(folder.glob("*/meta.json")):
        yield read_frame(meta_file.parent)


def read_frame(folder: Path) -> RgbdFrame:
    """One real frame."""
    meta = json.loads((folder / "meta.json").read_text())
    rgb = np.asarray(Image.open(folder / meta["rgb"]).convert("RGB"))
    raw = np.asarray(Image.open(folder / meta["depth"])).astype(np.float32)
    z = raw / np.float32(meta["depth_scale"])
    z[(raw == 0) | np.isin(raw, meta.get("invalid", []))] = np.nan
    if meta.get("max_depth_m"):
        z[z > meta["max_depth_m"]] = np.nan
    domain = next((d for d in ("tabletop", "street") if d in meta["scene"]), "indoor")
    return RgbdFrame(folder.name, rgb, z, float(meta["fx"]), domain)


def analytic_room(width: int = 640, height: int = 480, focal: float = 525.0, seed: int = 7) -> RgbdFrame:
    """A room with four spheres in it: exact depth, a procedural texture, a little sensor noise (0.1 % of depth)."""
    v, u = np.mgrid[:height, :width].astype(np.float32) + 0.5
    ray = np.stack([(u - width / 2) / focal, (v - height / 2) / focal, np.ones_like(u)], axis=-1)
    with np.errstate(divide="ignore"):
        walls = [np.where(ray[..., a] * s > 0, d / (ray[..., a] * s), np.inf) for a, s, d in
                 ((0, 1, 2.0), (0, -1, 2.2), (1, 1, 1.2), (1, -1, 1.5), (2, 1, 5.0))]  # fmt: skip
    z = np.min(walls, axis=0)
    for centre, radius in (
        ((-0.6, 0.6, 2.5), 0.5),
        ((0.7, 0.8, 3.0), 0.4),
        ((0.1, 0.2, 4.0), 0.7),
        ((1, -0.3, 3.5), 0.3),
    ):
        z = np.minimum(z, _sphere(ray, np.array(centre), radius))
    rng = np.random.default_rng(seed)
    where = ray * z[..., None]
    pattern = 0.5 + 0.25 * np.sin(9 * where[..., [0, 1, 2]]) * np.sin(7 * where[..., [1, 2, 0]] + 1)
    rgb = np.clip(255 * pattern + rng.normal(0, 3, pattern.shape), 0, 255).astype(np.uint8)
    noisy = z * (1 + rng.normal(0, 0.001, z.shape))
    return RgbdFrame("analytic room", rgb, noisy.astype(np.float32), focal, "analytic")


def _sphere(ray: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    a, b = (ray * ray).sum(-1), ray @ centre
    inside = b * b - a * (centre @ centre - radius**2)
    return np.where(inside > 0, (b - np.sqrt(np.maximum(inside, 0))) / a, np.inf)
