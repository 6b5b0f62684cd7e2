"""Photos with a known subject, or with none, for the automatic mask: cut-out objects laid over grounds of three kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bench.frames import read_frame
from recon.io.read import photo_from_array
from recon.protocols import Segmenter
from recon.registry import Where, segmenter, segmenters
from recon.stages.subject import find_subject
from recon.types import Mask

KINDS = ("plain", "gradient", "photo")
SHAPES = ((512, 512), (480, 640), (640, 480))
"""Heights and widths of the pictures."""
Chain = Sequence[Callable[[], Segmenter]]


@dataclass(frozen=True)
class Case:
    """A photo and where its subject is; None: it has none."""

    name: str
    kind: str
    rgb: np.ndarray
    inside: np.ndarray | None


def chain(name: str) -> tuple[str, Chain]:
    """(label, who is asked for the subject). `auto` is the product's own order; an empty name is the built-in network's
    segmenter if there is one, else auto."""
    if name != "auto":
        chosen = segmenter(name or "builtin", Where(offline=True))
        if chosen is not None:
            return chosen.name, [lambda: chosen]
        if name:
            raise SystemExit(f"{name!r} is no segmenter; give auto, builtin, grabcut or another name of --models")
    found = segmenters(Where(offline=True))
    return "auto: " + ", ".join(build().name for build in found), found


def subject_of(rgb: np.ndarray, asked: Chain) -> Mask:
    """What the product's automatic mask says about a picture without alpha."""
    return find_subject(photo_from_array(rgb), "auto", asked)


def iou(found: np.ndarray | None, true: np.ndarray) -> float:
    """Intersection over union; 0 where no subject was found."""
    if found is None:
        return 0.0
    return float((found & true).sum() / max((found | true).sum(), 1))


def cutouts(data: Path) -> list[tuple[str, np.ndarray]]:
    """(name, RGBA cropped to the object) of every object photo with alpha."""
    found = []
    for path in sorted([*data.glob("objects/*.png"), *data.glob("objects/*/image_rgba.png")]):
        picture = Image.open(path)
        if picture.mode != "RGBA":
            continue
        rgba = np.asarray(picture)
        rows, columns = (np.flatnonzero((rgba[..., 3] > 127).any(axis)) for axis in (1, 0))
        name = path.parent.name if path.name == "image_rgba.png" else path.stem
        found.append((name, rgba[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]))
    return found


def subjects(data: Path, per_kind: int = 2, seed: int = 5) -> Iterator[Case]:
    """Every cut-out over every kind of ground, `per_kind` times, then the original photos that come with a mask."""
    scenes = [np.asarray(Image.open(path).convert("RGB")) for path in photo_files(data / "scenes")]
    for i, (name, rgba) in enumerate(cutouts(data)):
        for j, kind in enumerate(KINDS):
            for k in range(per_kind):
                rng = np.random.default_rng((seed, i, j, k))
                rgb, inside = composited(rgba, ground(kind, SHAPES[rng.integers(3)], scenes, rng), rng)
                yield Case(name, kind, rgb, inside)
    for path in sorted(data.glob("objects/*/mask.png")):
        rgb = np.asarray(Image.open(path.parent / "image.png").convert("RGB"))
        yield Case(path.parent.name, "original", rgb, np.asarray(Image.open(path).convert("L")) > 127)


def scenes_without(data: Path) -> Iterator[Case]:
    """Photos of no single subject: the scenes, then the RGB-D frames."""
    for path in photo_files(data / "scenes"):
        yield Case(path.stem, "scenes", np.asarray(Image.open(path).convert("RGB")), None)
    for meta in sorted(data.glob("rgbd/*/meta.json")):
        frame = read_frame(meta.parent)
        yield Case(frame.name, "rgbd", frame.rgb, None)


def photo_files(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of names."""
    return sorted(p for p in folder.glob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png"))


def ground(kind: str, shape: tuple[int, int], scenes: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A ground of a kind: one colour, a gradient between two under sensor noise, or a random cut of a photo."""
    height, width = shape
    first, second = rng.uniform(20, 245, (2, 3))
    if kind == "plain":
        return np.broadcast_to(first.astype(np.uint8), (height, width, 3))
    if kind == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        along = (np.cos(angle) * x + np.sin(angle) * y)[..., None] / (2 * np.sqrt(2)) + 0.5
        noisy = first + along * (second - first) + rng.normal(0, 2, (height, width, 3))
        return noisy.clip(0, 255).astype(np.uint8)
    scene = scenes[rng.integers(len(scenes))]
    scale = rng.uniform(0.6, 1) * min(scene.shape[0] / height, scene.shape[1] / width)
    rows, columns = int(height * scale), int(width * scale)
    top, left = rng.integers(scene.shape[0] - rows + 1), rng.integers(scene.shape[1] - columns + 1)
    cut = scene[top : top + rows, left : left + columns]
    return np.asarray(cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA))


def composited(rgba: np.ndarray, behind: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(picture, where alpha > 127): the object at 35 to 80 % of the picture's sides, anywhere in it."""
    height, width = behind.shape[:2]
    scale = rng.uniform(0.35, 0.8) * min(height / rgba.shape[0], width / rgba.shape[1])
    size = max(8, round(rgba.shape[1] * scale)), max(8, round(rgba.shape[0] * scale))
    alpha = rgba[..., 3:].astype(np.float32)
    small = cv2.resize(np.concatenate([rgba[..., :3] * (alpha / 255), alpha], 2), size, interpolation=cv2.INTER_AREA)
    top, left = rng.integers(height - size[1] + 1), rng.integers(width - size[0] + 1)
    rgb, inside = behind.astype(np.float32), np.zeros((height, width), bool)
    window = rgb[top : top + size[1], left : left + size[0]]
    window *= 1 - small[..., 3:] / 255
    window += small[..., :3]
    inside[top : top + size[1], left : left + size[0]] = small[..., 3] > 127
    return rgb.round().clip(0, 255).astype(np.uint8), inside
