"""Contact sheets of turntables: seven views each, turned the right way, in rows of one size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from bench.turntables import GAP, PAPER, TURNS, pictures_of, sheet_of, turntable
from recon.types import Mesh

CELL = 48


def sided() -> Mesh:
    """A cube four lengths away: its front red, its right side green, its back blue, its left side yellow, its top white."""
    colours = {(0, 0, -1): (255, 0, 0), (1, 0, 0): (0, 255, 0), (0, 0, 1): (0, 0, 255), (-1, 0, 0): (255, 255, 0),
               (0, -1, 0): (180, 180, 180), (0, 1, 0): (0, 0, 0)}  # fmt: skip
    box = trimesh.creation.box()
    vertices, faces, uv = box.vertices[box.faces].reshape(-1, 3), np.arange(36).reshape(-1, 3), np.zeros((36, 2))
    texture = np.repeat(np.array(list(colours.values()), np.uint8)[None], 6, axis=0)
    for i, normal in enumerate(box.face_normals.round().astype(int)):
        uv[3 * i : 3 * i + 3] = [(list(colours).index(tuple(normal.tolist())) + 0.5) / 6, 0.5]
    place = (vertices + np.array([0, 0, 4])).astype(np.float32)
    return Mesh(place, faces.astype(np.int32), uv=uv.astype(np.float32), texture=texture)


def test_it_is_seen_from_every_side_in_turn_and_from_above() -> None:
    pictures = turntable(sided(), CELL)
    assert len(pictures) == len(TURNS) + 1
    middle = [tuple(each[CELL // 2, CELL // 2].tolist()) for each in pictures]
    assert middle[0] == (255, 0, 0)
    assert middle[3] == (0, 0, 255)
    assert middle[6] == (180, 180, 180)
    assert {middle[1], middle[2]} == {(0, 255, 0)} or {middle[1], middle[2]} == {(255, 255, 0)}
    assert {middle[4], middle[5]} == {(0, 255, 0), (255, 255, 0)} - {middle[1]}
    assert all(tuple(each[0, 0].tolist()) == (PAPER,) * 3 for each in pictures)


def test_rows_of_different_heights_fill_a_sheet() -> None:
    rows = [np.zeros((height, 30, 3), np.uint8) for height in (10, 20, 10)]
    assert sheet_of(rows, 2).shape == (40, 2 * (30 + 3 * GAP), 3)
    assert sheet_of([], 2).shape == (GAP, GAP, 3)


def test_pictures_come_by_name_and_nothing_else_does(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert [each.name for each in pictures_of([tmp_path, tmp_path / "b.png"])] == ["a.JPG", "b.png", "b.png"]
