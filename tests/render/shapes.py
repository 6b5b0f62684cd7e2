"""Closed meshes with known area and volume, cameras that look at them, and topology counted the slow way."""

from __future__ import annotations

from collections import Counter

import numpy as np
import torch
import trimesh
from torch import Tensor

Triangles = tuple[Tensor, Tensor]


def _tensors(mesh: trimesh.Trimesh, dtype: torch.dtype) -> Triangles:
    return torch.tensor(np.asarray(mesh.vertices), dtype=dtype), torch.tensor(np.asarray(mesh.faces), dtype=torch.int64)


def ball(level: int = 3, radius: float = 0.8, dtype: torch.dtype = torch.float32) -> Triangles:
    """A sphere of 20·4^level faces."""
    return _tensors(trimesh.creation.icosphere(subdivisions=level, radius=radius), dtype)


def crate(side: float = 1.0, dtype: torch.dtype = torch.float32) -> Triangles:
    """A cube of 12 faces."""
    return _tensors(trimesh.creation.box(extents=(side,) * 3), dtype)


def ring(dtype: torch.dtype = torch.float32) -> Triangles:
    """A torus, which hides parts of itself and has a hole."""
    return _tensors(trimesh.creation.torus(0.6, 0.22, major_sections=48, minor_sections=24), dtype)


def turned(x: float, y: float, dtype: torch.dtype = torch.float32) -> Tensor:
    """A rotation by x and y radians about the axes of these names."""
    about_x = [[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]]
    about_y = [[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]]
    return torch.tensor(np.array(about_x) @ np.array(about_y), dtype=dtype)


def camera(distance: float = 2.5, x: float = 0.0, y: float = 0.0, dtype: torch.dtype = torch.float32) -> Tensor:
    """c2w of a camera turned about the origin, which stays in the middle of its picture."""
    rotation = turned(x, y, dtype)
    return torch.cat([rotation, rotation @ torch.tensor([[0.0], [0.0], [-distance]], dtype=dtype)], 1)


def signed_volume(vertices: Tensor, faces: Tensor) -> float:
    """By the divergence theorem; positive where faces wind counter-clockwise seen from outside."""
    a, b, c = vertices[faces].double().unbind(1)
    return float((a * torch.linalg.cross(b, c)).sum() / 6)


def euler_characteristic(faces: Tensor) -> int:
    """V − E + F over the vertices that faces use."""
    corners = faces.tolist()
    edges = {frozenset(pair) for a, b, c in corners for pair in ((a, b), (b, c), (c, a))}
    return len({v for face in corners for v in face}) - len(edges) + len(corners)


def is_closed(faces: Tensor) -> bool:
    """Every directed edge is there once, and so is its opposite."""
    directed = Counter(pair for a, b, c in faces.tolist() for pair in ((a, b), (b, c), (c, a)))
    return all(count == 1 and directed[end, start] == 1 for (start, end), count in directed.items())
