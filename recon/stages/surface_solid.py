"""The `solid` surface: watertight and printable.

A subject's front is its depth; its back is the one that the depth map knows, else the silhouette inflated behind the front,
joined at the rim. Nobody has seen the back: what it wears is guessed (stages.far_side). A scene is a relief: its front is
the depth with the gaps filled, then walls along the viewing rays and a flat base behind the far end.
"""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float32
from numpy import ndarray

from recon.errors import BadInput
from recon.geometry.camera import back_project
from recon.geometry.closed import separate_coincident
from recon.geometry.fill import nearest_filled
from recon.geometry.lattice import Lattice, corner_lines
from recon.geometry.solid import (  # fmt: skip
    back_faces,
    corner_mesh,
    each_sample_doubled,
    front_faces,
    inflate,
    join_front_back,
    rim_distance,
    rim_walls,
    smoothed_rim,
)
from recon.settings import SolidSettings
from recon.stages.all_round_texture import textured_all_round
from recon.stages.photo_texture import textured_by_photo
from recon.stages.surface_grid import cleaned_lattice
from recon.types import Camera, DepthMap, Mask, Mesh, Photo

FAR_PERCENTILE = 98.0
"""Where a scene's far end is for the relief: single far pixels would put the base miles away."""
LEAST_THICKNESS = 0.5
"""In spacings of the mesh: where a back does not lie behind its front, the two still must not touch."""


def make_solid(
    photo: Photo, mask: Mask, depth: DepthMap, camera: Camera, settings: SolidSettings = SolidSettings()
) -> Mesh:
    """A watertight mesh, wound outwards; a subject's texture cuts it open (see Mesh.source). Raises BadInput when no
    surface is left."""
    if mask.inside is None:
        return _relief(photo, mask, _lattice(depth, camera, settings), settings.base)
    return textured_all_round(
        subject_solid(mask, depth, camera, settings), photo, mask, camera, depth.back_colour, mirror=depth.mirror
    )


def subject_solid(mask: Mask, depth: DepthMap, camera: Camera, settings: SolidSettings = SolidSettings()) -> Mesh:
    """The shape of a subject's solid, without colours. Raises BadInput when no surface is left."""
    return _closed_subject(mask, depth, _lattice(depth, camera, settings))


def _lattice(depth: DepthMap, camera: Camera, settings: SolidSettings) -> Lattice:
    lattice = cleaned_lattice(depth, camera, settings.max_samples)
    if np.isnan(lattice.z).all():
        raise BadInput("solid.empty", "no surface is left to make a solid of; check the depth map.")
    return lattice


def _relief(photo: Photo, mask: Mask, lattice: Lattice, base: float) -> Mesh:
    known = lattice.z[~np.isnan(lattice.z)]
    near, far = float(known.min()), float(np.percentile(known, FAR_PERCENTILE))
    z = np.minimum(np.where(np.isnan(lattice.z), far, lattice.z), far).astype(np.float32)
    corners, place, _ = corner_mesh(np.ones(z.shape, bool))
    depth = _corner_means(z, np.ones(z.shape, bool)).ravel()[place]
    floor = np.full_like(depth, far + base * max(far - near, 0.05 * far))
    faces = front_faces(corners)
    count = len(place)
    pixels = _corner_pixels(lattice, z.shape)[place]
    vertices = np.concatenate([_lifted(pixels, depth, lattice.camera), _lifted(pixels, floor, lattice.camera)])
    everything = np.concatenate([faces, back_faces(corners) + count, rim_walls(faces, count)])
    return textured_by_photo(
        Mesh(separate_coincident(vertices, everything), everything),
        photo,
        mask,
        lattice.camera,
        np.concatenate([pixels, pixels]),
    )


def _closed_subject(mask: Mask, depth: DepthMap, lattice: Lattice) -> Mesh:
    assert mask.inside is not None
    columns, rows = lattice.u.astype(np.intp), lattice.v.astype(np.intp)
    inside = _largest_pieces(mask.inside[rows][:, columns])
    twice = each_sample_doubled(inside)
    corners, place, rim = corner_mesh(twice)
    front = _doubled_corners(lattice.z, inside)[place]
    step = np.float32(lattice.stride / 2 / lattice.camera.focal)
    if depth.back is None:
        base, height = inflate(corners, rim, front)
        behind = np.maximum(base * (1 + height * step), front * (1 + 0.5 * height * step))
    else:
        behind = _doubled_corners(depth.back[rows][:, columns], inside)[place]
        front, behind = join_front_back(
            front, behind, rim_distance(twice).ravel()[place], LEAST_THICKNESS * step * front
        )
    interior = np.flatnonzero(~rim)
    back_of = np.arange(len(place), dtype=np.int32)
    back_of[interior] = len(place) + np.arange(len(interior), dtype=np.int32)
    faces = front_faces(corners)
    pixels = smoothed_rim(_corner_pixels(lattice, twice.shape)[place], faces)
    camera = lattice.camera
    vertices = np.concatenate([_lifted(pixels, front, camera), _lifted(pixels[interior], behind[interior], camera)])
    both = np.concatenate([faces, back_faces(back_of[corners])])
    return Mesh(separate_coincident(vertices, both), both)


def _doubled_corners(z: Float32[ndarray, "h w"], inside: Bool[ndarray, "h w"]) -> Float32[ndarray, " n"]:
    """Depth at the corners of the doubled lattice, row by row, from the inside samples alone."""
    filled = nearest_filled(np.where(inside, z, np.float32(np.nan)))
    twice = cv2.resize(filled, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    return _corner_means(twice, each_sample_doubled(inside)).ravel()


def _largest_pieces(inside: Bool[ndarray, "h w"], share: float = 0.02) -> Bool[ndarray, "h w"]:
    """Pieces of at least `share` of the largest one's size."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(inside.astype(np.uint8), connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[0] = 0
    return (area >= share * area.max())[labels]


def _corner_means(z: Float32[ndarray, "h w"], inside: Bool[ndarray, "h w"]) -> Float32[ndarray, "a b"]:
    """Harmonic mean of the (up to four) inside samples around each corner; 1 where there is none."""
    total, count = np.zeros((2, z.shape[0] + 1, z.shape[1] + 1), np.float32)
    disparity = np.where(inside, 1 / z, 0)
    for i in (0, 1):
        for j in (0, 1):
            total[i : i + z.shape[0], j : j + z.shape[1]] += disparity
            count[i : i + z.shape[0], j : j + z.shape[1]] += inside
    return np.where(count > 0, count / np.maximum(total, 1e-30), 1).astype(np.float32)


def _corner_pixels(lattice: Lattice, shape: tuple[int, int]) -> Float32[ndarray, "n 2"]:
    """Pixel position of every corner of the lattice, or of the lattice doubled, row by row."""
    u, v = corner_lines(lattice)
    if shape[0] == 2 * lattice.z.shape[0]:
        u, v = (np.interp(np.arange(2 * len(line) - 1) / 2, np.arange(len(line)), line) for line in (u, v))
    grid = np.meshgrid(u, v)
    return np.stack([axis.ravel() for axis in grid], axis=1).astype(np.float32)


def _lifted(pixels: Float32[ndarray, "n 2"], z: Float32[ndarray, " n"], camera: Camera) -> Float32[ndarray, "n 3"]:
    return back_project(pixels[:, 0], pixels[:, 1], z.astype(np.float32), camera)
