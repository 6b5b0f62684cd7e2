"""What a photo shows as samples that break at depth steps: which sides the steps have, and what is missing and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Shaped
from numpy import ndarray

from recon.geometry.lattice import Lattice
from recon.geometry.plate import Steps, depth_steps

DOME = 2.0
"""The sky's distance in parts of the farthest depth (its 98th percentile)."""


@dataclass(frozen=True)
class Front:
    """Samples as the grid mesh has them. inverse: disparity, NaN where there is no surface; cut_h, cut_v: between which
    neighbours it breaks; sky: samples without a surface because it is sky; hole: because a measured map lacks them;
    lattice: without floaters, cleaned: with them."""

    cleaned: Lattice
    lattice: Lattice
    inverse: Float32[ndarray, "h w"]
    cut_h: Bool[ndarray, "h a"]
    cut_v: Bool[ndarray, "b w"]
    sky: Bool[ndarray, "h w"]
    hole: Bool[ndarray, "h w"]

    @cached_property
    def dome_radius(self) -> float:
        """Of the sphere around the camera that is the sky: behind everything, in the photo's corners too."""
        camera = self.lattice.camera
        slant = math.hypot(1, camera.width / camera.focal, camera.height / camera.focal)
        return DOME * slant * float(np.nanpercentile(1 / self.inverse, 98))

    @cached_property
    def with_sky(self) -> Float32[ndarray, "h w"]:
        """Disparity with the sky on its dome."""
        return np.where(self.sky, dome(self.lattice, self.dome_radius), self.inverse)

    def alpha(self) -> Float32[ndarray, "h w"]:
        """Opacity: 1, and between ½ and 1 for the two samples at the rim of what stands before something."""
        _, near = self._steps
        there = ~np.isnan(self.lattice.z)
        rim = cv2.GaussianBlur(near.astype(np.float32), (0, 0), 1)
        distance, far = self.edge
        soft = there & ~far & (distance <= 1)
        return np.where(soft, 1 - np.minimum(rim, 0.5), there).astype(np.float32)

    @cached_property
    def steps(self) -> tuple[Steps, Steps]:
        """The far samples at steps: those that are surface, and those that are sky."""
        found, _ = self._steps
        sky = self.sky[found.row, found.column]
        return found.of(~sky), found.of(sky)

    @cached_property
    def edge(self) -> tuple[Float32[ndarray, "h w"], Bool[ndarray, "h w"]]:
        """Distance in samples from each sample to the nearest one at a step, and whether that is on the far side."""
        found, near = self._steps
        kind = np.zeros(self.inverse.shape, np.uint8)
        kind[near] = 1
        kind[found.row, found.column] = 2
        if self.hole.any():  # a hole's rim is nobody's: its far part is told by depth
            around = cv2.dilate(self.hole.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool) & ~self.hole
            kind[around & (kind == 0)] = 2
        if not kind.any():
            return np.full(kind.shape, np.float32(np.inf)), np.zeros(kind.shape, bool)
        distance, label = cv2.distanceTransformWithLabels(
            (kind == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        far = np.zeros(int(label.max()) + 1, bool)
        far[label[kind > 0]] = kind[kind > 0] == 2
        return distance, far[label]

    @cached_property
    def _steps(self) -> tuple[Steps, Bool[ndarray, "h w"]]:
        cut_h = self.cut_h & ~(self.sky[:, 1:] & self.sky[:, :-1])
        cut_v = self.cut_v & ~(self.sky[1:] & self.sky[:-1])
        return depth_steps(self.with_sky, cut_h, cut_v)


def dome(lattice: Lattice, radius: float) -> Float32[ndarray, "h w"]:
    """Disparity of a sphere around the camera."""
    camera = lattice.camera
    x, y = (lattice.u - camera.cx) / camera.focal, (lattice.v - camera.cy) / camera.focal
    return (np.sqrt(1 + x[None, :] ** 2 + y[:, None] ** 2) / radius).astype(np.float32)


def cell_lattice(lattice: Lattice, shape: tuple[int, ...], top: int, left: int) -> Lattice:
    """The lattice of cells of two by two samples, padded outwards; its depth is not set."""
    step = np.float32(2 * lattice.stride)
    v = lattice.v[0] + np.float32(0.5 * lattice.stride) + step * (np.arange(shape[0], dtype=np.float32) - top)
    u = lattice.u[0] + np.float32(0.5 * lattice.stride) + step * (np.arange(shape[1], dtype=np.float32) - left)
    return Lattice(np.full(shape, np.float32(np.nan)), u, v, lattice.camera, 2 * lattice.stride)


def padded_samples(
    samples: Shaped[ndarray, "h w *c"], shape: tuple[int, ...], top: int, left: int
) -> Shaped[ndarray, "a b *c"]:
    """A map of the lattice's samples inside one of the padded cells' samples, 0 outside."""
    out = np.zeros((2 * shape[0], 2 * shape[1], *samples.shape[2:]), samples.dtype)
    out[2 * top : 2 * top + samples.shape[0], 2 * left : 2 * left + samples.shape[1]] = samples
    return out
