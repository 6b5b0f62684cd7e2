"""The `grid` surface: the image-grid mesh of what the photo shows, textured with the photo."""

from __future__ import annotations

import numpy as np

from recon.errors import BadInput
from recon.geometry.discontinuity import snap_flying_pixels
from recon.geometry.fill import nearest_filled
from recon.geometry.grid import grid_mesh
from recon.geometry.lattice import Lattice, sample_lattice
from recon.geometry.points import depth_outliers
from recon.geometry.sparse import densified, is_sparse
from recon.settings import GridSettings
from recon.stages.photo_texture import textured_by_photo
from recon.types import Camera, DepthMap, Mask, Mesh, Photo

RIM = 3.0
"""How far, in samples, an outlier may lie from the side of the step that it is given to."""


def cleaned_lattice(depth: DepthMap, camera: Camera, max_samples: int) -> Lattice:
    """At most `max_samples` samples of a depth map, cleaned.

    Of a sparse map outliers are removed and the others joined. In a dense one flying samples and outliers, which stand at
    depth steps, take the depth of the side that is nearest, so that the surface keeps no hole where they were.
    """
    lattice = sample_lattice(depth.z, camera, max_samples)
    bad = depth_outliers(lattice.z, lattice.footprint)
    z = np.where(bad, np.float32(np.nan), lattice.z)
    z = densified(z) if is_sparse(z) else snap_flying_pixels(np.where(bad, nearest_filled(z, RIM), z))
    return Lattice(z, lattice.u, lattice.v, camera, lattice.stride, depth.noise)


def smallest_piece(depth: DepthMap, lattice: Lattice, share: float = GridSettings.smallest_piece) -> int:
    """Samples of the smallest piece that is no floater: a share of all; the lone samples of a sparse map are none."""
    return 1 if is_sparse(depth.z) else max(4, int(share * lattice.z.size))


def make_grid(
    photo: Photo, mask: Mask, depth: DepthMap, camera: Camera, settings: GridSettings = GridSettings()
) -> Mesh:
    """An open mesh of the visible surface, cut at depth steps. Raises BadInput when no triangle is left."""
    lattice = cleaned_lattice(depth, camera, settings.max_samples)
    return grid_of(lattice, smallest_piece(depth, lattice, settings.smallest_piece), photo, mask)


def grid_of(lattice: Lattice, smallest: int, photo: Photo, mask: Mask) -> Mesh:
    """The mesh of cleaned samples."""
    vertices, faces, pixels = grid_mesh(lattice, smallest)
    if not len(faces):
        raise BadInput("grid.empty", "no connected surface is left; check the depth map.")
    return textured_by_photo(Mesh(vertices, faces), photo, mask, lattice.camera, pixels)
