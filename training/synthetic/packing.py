"""Scenes as tensors: what a renderer needs to know of each primitive, and where in the picture it can appear.

Letters: B images, S primitives (slots).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from . import trace as solids
from .implicit_solids import stand_ins
from .intersect import BOX, Window
from .scene import IDENTITY, Number, Primitive, Scene, Viewpoint, rotation

# Columns of a primitive's row in `Packed.rows`.
CENTRE, HALF, TURN, COLOUR_A, COLOUR_B, REST = slice(0, 3), slice(3, 6), slice(6, 15), slice(15, 18), slice(18, 21), 21
COLUMNS = 33


@dataclass(frozen=True)
class PackedScenes:
    """Scenes as tensors: slot kinds (S) and the window of the picture that each can appear in (empty for what only casts
    shadows), primitives' rows (B, S, COLUMNS), maps to unit shapes, cameras, lights, skies; sculptures and their parts'
    rows (B, P, COLUMNS)."""

    kinds: list[int]
    windows: list[Window]
    rows: Tensor
    matrix: Tensor
    offset: Tensor
    taper: Tensor
    origin: Tensor
    turn: Tensor
    tangent: Tensor
    light: Tensor
    sky: Tensor
    sculptures: solids.PackedSculptures
    parts: Tensor

    def without(self, which: Tensor) -> PackedScenes:
        """The same scenes with the slots where `which` (B, S) is true hit by no ray."""
        return replace(
            self,
            matrix=torch.where(which[..., None, None], 0.0, self.matrix),
            offset=torch.where(which[..., None], 2.0, self.offset),
        )


def _row(p: Primitive, unseen: bool = False) -> tuple[Number, ...]:
    mat = p.material
    look, lens = (mat.pattern, mat.repeat, mat.joints, mat.gloss, mat.glow), (mat.clear, mat.weave)
    rest = (*look, p.taper, p.kind, p.encloses, p.subject, unseen, *lens)
    return (*p.centre, *p.half, *p.turn[0], *p.turn[1], *p.turn[2], *mat.a, *mat.b, *rest)


def _rows(scene: Scene) -> np.ndarray:
    """A row per primitive (S, COLUMNS): centre, half, turn, colours a and b, pattern, repeat, joints, gloss, glow, taper,
    kind, encloses, subject, unseen (a stand-in that casts a sculpture's shadow), clear, weave."""
    table = [_row(p) for p in scene.primitives]
    if scene.sculpture is not None:
        table += [_row(p, unseen=True) for p in stand_ins(scene.sculpture)]
    return np.array(table, np.float64).reshape(-1, COLUMNS)


def _part_rows(scenes: list[Scene]) -> np.ndarray:
    """Rows (B, P, COLUMNS) of the sculptures' parts: their materials, and whether they are parts of the subject."""
    pieces = [(i, s.sculpture) for i, s in enumerate(scenes) if s.sculpture is not None]
    rows = np.zeros((len(scenes), max([1, *(len(piece.parts) for _, piece in pieces)]), COLUMNS))
    for i, piece in pieces:
        for k, part in enumerate(piece.parts):
            rows[i, k] = _row(Primitive(BOX, (0, 0, 0), (1, 1, 1), IDENTITY, part.material, subject=piece.subject))
    return rows


def _visible(rows: np.ndarray, camera: Viewpoint, aspect: float, long_side: int) -> np.ndarray:
    """Without the primitives that hold the camera, are out of view, or are smaller than half a pixel: bool (S,)."""
    position = np.array(camera.position)
    to_camera = np.array(rotation(camera.yaw, camera.pitch, camera.roll)).T
    turn = rows[:, TURN].reshape(-1, 3, 3)
    radius = np.linalg.norm(rows[:, HALF], axis=1) * (1 + np.abs(rows[:, REST + 5]))
    local = np.einsum("sji,sj->si", turn, position - rows[:, CENTRE])
    margin = rows[:, HALF] * (1 + np.abs(rows[:, REST + 5]))[:, None] + 0.15
    holds = (np.abs(local) < margin).all(1)
    x, y, z = ((rows[:, CENTRE] - position) @ to_camera.T).T
    tx = math.tan(math.radians(camera.fov / 2)) * min(1.0, aspect)
    ty = math.tan(math.radians(camera.fov / 2)) * min(1.0, 1 / aspect)
    outside = (z < -radius) | (np.abs(x) - tx * z > radius * math.hypot(1, tx))
    outside |= np.abs(y) - ty * z > radius * math.hypot(1, ty)
    tiny = radius * long_side < 0.5 * np.maximum(z, 0)
    return np.where(rows[:, REST + 7] > 0, True, ~(holds | outside | tiny))


def _bounds(rows: np.ndarray, camera: Viewpoint, height: int, width: int) -> np.ndarray:
    """Pixels (S, 4) that each primitive can appear in: first row, last row + 1, first column, last column + 1; from the
    corners of its box where they all lie ahead, else the whole picture."""
    signs = np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    wide = rows[:, HALF] * (1 + np.abs(rows[:, REST + 5]))[:, None]
    turn = rows[:, TURN].reshape(-1, 3, 3)
    corners = rows[:, None, CENTRE] + np.einsum("sij,scj->sci", turn, signs * wide[:, None])
    look = np.array(rotation(camera.yaw, camera.pitch, camera.roll))
    x, y, z = np.moveaxis((corners - np.array(camera.position)) @ look, -1, 0)
    focal = max(height, width) / 2 / math.tan(math.radians(camera.fov / 2))
    ahead = (z > 0.05).all(1)
    u, v = (c / np.maximum(z, 0.05) * focal + side / 2 for c, side in ((x, width), (y, height)))
    box = np.stack([v.min(1), v.max(1), u.min(1), u.max(1)], 1)
    box = np.where(ahead[:, None], box, [0, height, 0, width])
    low = np.floor(box).clip(0, [height, height, width, width])
    high = np.ceil(box).clip(0, [height, height, width, width])
    return np.stack([low[:, 0], high[:, 1], low[:, 2], high[:, 3]], 1).astype(int)


def pack_scenes(scenes: list[Scene], height: int, width: int, device: torch.device | str = "cpu") -> PackedScenes:
    """Scenes to tensors; slots are sorted by kind, seen ones first, and padded with primitives that no ray hits."""
    tables = [_rows(s) for s in scenes]
    tables = [t[_visible(t, s.camera, width / height, max(height, width))] for t, s in zip(tables, scenes, strict=True)]
    orders = [2 * t[:, REST + 6] + t[:, REST + 9] for t in tables]
    counts = [max(int((order == group).sum()) for order in orders) for group in range(6)]
    kinds = [group // 2 for group in range(6) for _ in range(counts[group])]
    rows = np.zeros((len(scenes), len(kinds), COLUMNS))
    matrix, offset = np.zeros((*rows.shape[:2], 3, 3)), np.full((*rows.shape[:2], 3), 2.0)
    windows = np.tile([height, 0, width, 0], (len(kinds), 1))
    for i, (table, order) in enumerate(zip(tables, orders, strict=True)):
        for group in range(6):
            part = table[order == group]
            slots = slice(sum(counts[:group]), sum(counts[:group]) + len(part))
            rows[i, slots] = part
            matrix[i, slots] = part[:, TURN].reshape(-1, 3, 3).transpose(0, 2, 1) / part[:, HALF, None]
            offset[i, slots] = -np.einsum("sij,sj->si", matrix[i, slots], part[:, CENTRE])
            if group % 2 == 0:
                bounds = _bounds(part, scenes[i].camera, height, width)
                for column, widest in enumerate((np.minimum, np.maximum, np.minimum, np.maximum)):
                    windows[slots, column] = widest(windows[slots, column], bounds[:, column])
    cameras, lights, skies = [s.camera for s in scenes], [s.light for s in scenes], [s.sky for s in scenes]
    light = [(*v.position, v.size, v.strength, *v.colour, v.ambient, *v.ambient_colour) for v in lights]
    sky = [(*v.zenith, *v.horizon, v.cloud, *v.fog_colour, v.fog) for v in skies]

    def tensor(values: object) -> Tensor:
        return torch.from_numpy(np.array(values, np.float32)).to(device)

    return PackedScenes(
        kinds,
        [
            (slice(top, max(top, bottom)), slice(left, max(left, right)))
            for top, bottom, left, right in windows.tolist()
        ],
        tensor(rows),
        tensor(matrix),
        tensor(offset),
        tensor(rows[..., REST + 5]),
        tensor([c.position for c in cameras]),
        tensor([rotation(c.yaw, c.pitch, c.roll) for c in cameras]),
        tensor([math.tan(math.radians(c.fov / 2)) for c in cameras]),
        tensor(light),
        tensor(sky),
        solids.pack_sculptures([s.sculpture for s in scenes], device),
        tensor(_part_rows(scenes)),
    )
