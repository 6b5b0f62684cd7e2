"""The mirror plane of a solid that one view shows (Thrun and Wegbreit 2005, "Shape from Symmetry").

As there, a plane is scored by what the mirror images of the visible points meet: a visible point of the same colour speaks
for it; empty space, in front of what is seen or beside the outline, against it; what is hidden says little, here by how far
the guessed back is. All planes of a lattice are tried, then the best ones moved by a compass search. Directions and steps
come in pairs that a mirrored picture swaps, so that a mirrored photo has the mirrored plane.
"""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32
from numpy import ndarray

from recon.geometry.view_solid import ViewSolid

DIRECTIONS, OFFSETS = 12, 9
"""Rings of normals on half a sphere, and planes along each normal, over REACH of the solid's extent either way."""
REACH = 0.2
FLAT = 0.85
"""Cosine between a plane's normal and the middle ray from which on the photo shows no pair of mirrored points: what lies
before such a plane is seen, and what lies behind it is a guess."""
TOLERANCE = 0.05
"""Distance at which a mirrored point misses, over the solid's size."""
UNSEEN, HIDDEN = 0.25, 0.5
"""What a hidden mirror image costs over one in empty space: where the back is guessed to be, and elsewhere."""
COLOUR, COLOURS_APART = 0.5, 30.0
"""How much a wrong colour counts over a miss, and the difference in CIELAB (ΔE) that is as wrong as can be."""
STARTS, FINALISTS = 10, 3
STEPS = (0.12, 0.06, 0.03)
FINE_STEPS = (0.02, 0.01, 0.005, 0.0025)
"""Of the searches: radians and, for offsets, halves of the size."""
AS_GOOD = 0.03
"""Misfit by which another plane must beat the one straight ahead: depth that leans a little turns a plane a little."""
BATCH = 400
"""Planes at a time: what they need fits a processor's cache better."""


class Plane(NamedTuple):
    """normal·p = offset, the normal a unit vector; misfit: mean cost of the mirrored points, 0 (perfect) to 1."""

    normal: tuple[float, float, float]
    offset: float
    misfit: float


def reflected(points: Float32[ndarray, "*n 3"], plane: Plane) -> Float32[ndarray, "*n 3"]:
    """The mirror images of points."""
    normal = np.array(plane.normal, np.float32)
    return points - 2 * (points @ normal - np.float32(plane.offset))[..., None] * normal


def mirror_plane(solid: ViewSolid) -> Plane:
    """The plane about which the solid is most nearly its own mirror image; the misfit says how nearly."""
    thin = np.zeros_like(solid.inside)
    thin[1::3, 1::3] = True
    few, every = solid.inside & thin, solid.inside
    planes = _candidates(solid)
    cost = _misfits(solid, planes, few)
    starts = _apart(planes, cost, solid.size, STARTS)
    for step in STEPS:
        starts, cost = _compass(solid, starts, few, step)
    best = starts[np.argsort(cost, kind="stable")[:FINALISTS]]
    for step in FINE_STEPS:
        best, cost = _compass(solid, best, every, step)
    straight = _straight_ahead(solid)
    alike = float(_misfits(solid, straight[None], every)[0])
    found, misfit = (
        (straight, alike) if alike <= cost.min() + AS_GOOD else (best[int(cost.argmin())], float(cost.min()))
    )
    x, y, z = map(float, found[:3])
    return Plane((x, y, z), float(found[3]), misfit)


def _straight_ahead(solid: ViewSolid) -> Float[ndarray, " 4"]:
    """The upright plane through the camera and the middle of the outline: a photo that is its own mirror image, left and
    right, has this one exactly."""
    column = np.nonzero(solid.inside)[1].mean() + 0.5
    normal = np.array([solid.camera.focal, 0.0, solid.camera.cx - column])
    return np.append(normal / np.linalg.norm(normal), 0.0)


def _directions() -> Float[ndarray, "n 3"]:
    """Unit vectors spread over the half sphere z >= 0, in pairs that mirror each other in x."""
    found = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)]
    for ring in range(DIRECTIONS):
        z = (ring + 0.5) / DIRECTIONS
        count = max(1, round(DIRECTIONS * math.sqrt(1 - z * z)))
        for step in range(-count, count):
            angle = math.pi / 2 + (step + 0.5) * math.pi / count
            found.append((math.sqrt(1 - z * z) * math.cos(angle), math.sqrt(1 - z * z) * math.sin(angle), z))
    return np.array(found)


def _candidates(solid: ViewSolid) -> Float[ndarray, "n 4"]:
    """Planes around the middle of the solid in every direction that the photo can tell of."""
    points = np.concatenate([solid.seen[solid.inside], solid.behind()[solid.inside]])
    normals = _directions()
    normals = normals[~_flat(normals, _middle(solid))]
    along = points @ normals.T
    low, high = along.min(axis=0), along.max(axis=0)
    offsets = (low + high) / 2 + np.linspace(-REACH, REACH, OFFSETS)[:, None] * (high - low)
    return np.concatenate([np.column_stack([normals, line]) for line in offsets])


def _middle(solid: ViewSolid) -> Float32[ndarray, " 3"]:
    return solid.seen[solid.inside].mean(axis=0)


def _flat(normals: Float[ndarray, "*n 3"], middle: Float32[ndarray, " 3"]) -> Bool[ndarray, "*n"]:
    """Which planes the photo sees so flat on that it shows one side of them only."""
    return np.abs(normals @ (middle / np.linalg.norm(middle))) >= FLAT


def _misfits(solid: ViewSolid, planes: Float[ndarray, "n 4"], which: ndarray) -> Float[ndarray, " n"]:
    """Mean cost of the mirror images of chosen visible points, of each plane."""
    points, lab = solid.seen[which], solid.lab[which]
    found = [_misfit(solid, planes[i : i + BATCH], points, lab) for i in range(0, len(planes), BATCH)]
    return np.concatenate(found)


def _misfit(
    solid: ViewSolid, planes: Float[ndarray, "n 4"], points: Float32[ndarray, "m 3"], lab: Float32[ndarray, "m 3"]
) -> Float[ndarray, " n"]:
    normal, offset = planes[:, :3].astype(np.float32), planes[:, 3].astype(np.float32)
    beyond = normal @ points.T - offset[:, None]
    met = solid.look(points - 2 * beyond[..., None] * normal[:, None], colour=True)
    outside, before = np.maximum(-met.inside, 0), np.maximum(met.front - met.z, 0)
    unit = TOLERANCE * solid.size
    visible, guessed = (np.minimum(np.abs(met.z - each) / unit, 1) for each in (met.front, met.back))
    hidden = np.minimum(visible, UNSEEN + (HIDDEN - UNSEEN) * guessed)
    empty = np.minimum(np.where(outside > 0, outside, before) / unit, 1)
    cost = np.where(outside + before > 0, empty, hidden)
    pairs = (outside == 0) & (visible < 1)
    apart = np.minimum(np.linalg.norm(lab - met.lab, axis=2) / COLOURS_APART, 1)
    return (cost + COLOUR * np.where(pairs, apart, 0) * (1 - cost)).mean(axis=1)


def _apart(planes: Float[ndarray, "n 4"], cost: Float[ndarray, " n"], size: float, most: int) -> Float[ndarray, "k 4"]:
    """The best planes, none of them close to a better one."""
    chosen: list[ndarray] = []
    for plane in planes[np.argsort(cost, kind="stable")]:
        near = [abs(plane[:3] @ other[:3]) > 0.97 and abs(plane[3] - np.sign(plane[:3] @ other[:3]) * other[3]) < 0.1 * size
                for other in chosen]  # fmt: skip
        if not any(near):
            chosen.append(plane)
        if len(chosen) == most:
            break
    return np.array(chosen)


def _compass(
    solid: ViewSolid, planes: Float[ndarray, "k 4"], which: ndarray, step: float
) -> tuple[Float[ndarray, "k 4"], Float[ndarray, " k"]]:
    """Each plane or the best of its 26 neighbours: tilted both ways about the solid's middle, and shifted; twice."""
    middle = _middle(solid)
    cost = np.empty(len(planes))
    for _ in range(2):
        around = np.stack([_neighbours(plane, middle, step, solid.size) for plane in planes])
        costs = _misfits(solid, around.reshape(-1, 4), which).reshape(len(planes), -1)
        costs[_flat(around[..., :3], middle)] = 1
        best = costs.argmin(axis=1)
        planes, cost = around[np.arange(len(planes)), best], costs[np.arange(len(planes)), best]
    return planes, cost


def _neighbours(plane: Float[ndarray, " 4"], middle: ndarray, step: float, size: float) -> Float[ndarray, "27 4"]:
    """The plane itself, then its neighbours. Tilts are about the axis next to the camera's vertical, and across it."""
    normal = plane[:3]
    upright = np.array([0.0, 1.0, 0.0]) if abs(normal[1]) < 0.9 else np.array([0.0, 0.0, 1.0])
    first = upright - (upright @ normal) * normal
    first /= np.linalg.norm(first)
    second = np.cross(normal, first)
    moves = sorted(itertools.product((0, -1, 1), repeat=3), key=lambda move: sum(map(abs, move)))
    out = []
    for a, b, shift in moves:
        turned = normal + step * (a * first + b * second)
        turned /= np.linalg.norm(turned)
        offset = turned @ middle + (plane[3] - normal @ middle) + shift * step * size / 2
        out.append((*turned, offset))
    return np.array(out)
