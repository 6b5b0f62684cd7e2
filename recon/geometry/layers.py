"""Sheets of samples, one behind another, and the mesh of a sheet that has no cuts."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Int32, UInt8
from numpy import ndarray

from recon.geometry.fill import nearest_filled
from recon.geometry.grid import without_unused_vertices
from recon.geometry.lattice import Lattice
from recon.geometry.normals import lattice_normals


@dataclass(frozen=True)
class Sheet:
    """Samples on a regular lattice. name: photo for what the photo shows, hidden or sky for what lies behind it; points: in
    the camera's frame, NaN where there is none; normals: unit vectors that face the camera, 0 where unknown; valid: the
    samples that are there; alpha: their opacity, less than 1 at the rim of what stands before something; pitch: width of
    one sample at depth 1."""

    name: str
    points: Float32[ndarray, "h w 3"]
    colors: UInt8[ndarray, "h w 3"]
    normals: Float32[ndarray, "h w 3"]
    valid: Bool[ndarray, "h w"]
    alpha: Float32[ndarray, "h w"]
    pitch: float


def uncut_sheet(name: str, lattice: Lattice, colors: UInt8[ndarray, "h w 3"]) -> Sheet:
    """The samples of a lattice without cuts, all opaque."""
    points, valid = lattice.points(), ~np.isnan(lattice.z)
    away_h, away_v = (np.logical_or(~np.delete(valid, 0, axis), ~np.delete(valid, -1, axis)) for axis in (1, 0))
    normals = lattice_normals(points, away_h, away_v, 2)
    return Sheet(name, points, colors, normals, valid, valid.astype(np.float32), lattice.footprint)


def thinned_sheet(lattice: Lattice, every: int) -> Lattice:
    """Every so many samples of an uncut sheet, so that none of it gets lost; its sides have a multiple of
    them and one more."""
    if every == 1:
        return lattice
    there = (~np.isnan(lattice.z)).astype(np.uint8)
    wide = cv2.dilate(there, np.ones((2 * every + 1,) * 2, np.uint8)).astype(bool)
    z = np.where(wide, nearest_filled(lattice.z), np.float32(np.nan))[::every, ::every]
    return Lattice(
        np.ascontiguousarray(z), lattice.u[::every], lattice.v[::every], lattice.camera, every * lattice.stride
    )


def whole_quads(lattice: Lattice) -> Bool[ndarray, "a b"]:
    """Between which four samples a sheet has faces: those that are all there."""
    there = ~np.isnan(lattice.z)
    return there[:-1, :-1] & there[1:, :-1] & there[:-1, 1:] & there[1:, 1:]


def uncut_mesh(
    lattice: Lattice,
) -> tuple[Float32[ndarray, "n 3"], Int32[ndarray, "m 3"], Float32[ndarray, "n 2"]]:
    """Vertices at the samples (camera frame), faces between every four that are there, and each vertex's (column, row).

    Faces wind counter-clockwise seen from the camera, split along the diagonal with the smaller change of depth.
    """
    z = lattice.z
    rows, columns = np.nonzero(whole_quads(lattice))
    number = np.arange(z.size, dtype=np.int32).reshape(z.shape)
    tl, tr, bl, br = (number[rows + i, columns + j] for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)))
    depth = z.ravel()
    falling = np.abs(depth[tl] - depth[br]) <= np.abs(depth[tr] - depth[bl])
    first = np.stack([tl, bl, np.where(falling, br, tr)], axis=1)
    second = np.stack([np.where(falling, tl, bl), br, tr], axis=1)
    faces, used = without_unused_vertices(np.concatenate([first, second]).astype(np.int32), z.size)
    place = np.stack([used % z.shape[1], used // z.shape[1]], axis=1).astype(np.float32)
    return lattice.points().reshape(-1, 3)[used], faces, place
