"""Contact sheets of bench.objects, for a person to look at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bench.shapes import TriangleMesh
from bench.views import ModelView, cast, scene_of, unseen_camera, unseen_poses
from recon.types import Camera

CELL = 160


class Sheets:
    """Rows of pictures, written as one PNG per name; without a folder nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._rows: dict[str, list[np.ndarray]] = {}

    def add(self, sheet: str, *pictures: np.ndarray) -> None:
        """One row of RGB pictures, each fitted into a cell."""
        if self.folder is not None:
            self._rows.setdefault(sheet, []).append(np.concatenate([_cell(p, CELL) for p in pictures], 1))

    def write(self) -> None:
        """Every sheet; narrow rows stand side by side."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        for name, rows in self._rows.items():
            across = max(1, min(4, 1700 // rows[0].shape[1]))
            blank = [np.full_like(rows[0], 255)] * (-len(rows) % across)
            every = [*rows, *blank]
            lines = [np.concatenate(every[i : i + across], 1) for i in range(0, len(every), across)]
            Image.fromarray(np.concatenate(lines)).save(self.folder / f"{name}.png")


def masked(rgb: np.ndarray, found: np.ndarray | None, true: np.ndarray | None) -> np.ndarray:
    """The photo: outside of the found mask dimmed to grey (all of it, if none was found), true outline in green."""
    dim = (0.35 * rgb + 120).astype(np.uint8)
    out = np.ascontiguousarray(dim if found is None else np.where(found[..., None], rgb, dim))
    if true is not None:
        lines, _ = cv2.findContours(true.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(out, lines, -1, (0, 200, 0), 2)
    return out


def shaded(solid: TriangleMesh, camera: Camera, pose: tuple[np.ndarray, np.ndarray] | None = None) -> np.ndarray:
    """A mesh in grey with the lamp at the camera; what is seen from inside is red."""
    out = np.full((camera.height, camera.width, 3), 255, np.uint8)
    if not len(solid.faces):
        return out
    rotation, position = pose or (np.eye(3), np.zeros(3))
    hit = cast(scene_of(solid.vertices, solid.faces), camera, rotation, position)
    seen = np.isfinite(hit["t_hit"].numpy())
    normal = hit["primitive_normals"].numpy()[seen] @ rotation.T
    bright = (60 + 180 * np.abs(normal[:, 2]))[:, None]
    out[seen] = np.where(normal[:, 2:] < 0, bright, bright * (1, 0.3, 0.3)).astype(np.uint8)
    return out


def around(solid: TriangleMesh, true: TriangleMesh, view: ModelView) -> list[np.ndarray]:
    """The solid from the photo's camera, then it and after it the truth: from 45°, 90°, behind and above."""
    poses, camera = unseen_poses(view), unseen_camera(CELL)
    return [shaded(solid, view.camera), *(shaded(s, camera, poses[i]) for s in (solid, true) for i in (0, 1, 3, 7))]


def _cell(picture: np.ndarray, side: int) -> np.ndarray:
    factor = side / max(picture.shape[:2])
    size = max(1, round(picture.shape[1] * factor)), max(1, round(picture.shape[0] * factor))
    out = np.full((side, side + 4, 3), 255, np.uint8)
    out[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    return out
