"""A regular lattice of pixels: the depth map at the resolution at which geometry is made.

A 12-megapixel depth map needs no 24-million-triangle mesh. A lattice takes every `stride`-th pixel, keeps that pixel's own
depth (nothing is averaged across a depth step) and remembers where it lies, so that back-projection and texture
coordinates stay exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8
from numpy import ndarray

from recon.geometry.camera import back_project
from recon.types import Camera


@dataclass(frozen=True)
class Lattice:
    """z: depth (NaN = none); u, v: the pixel position of each column and row; camera: of the full-size photo;
    stride: full-size pixels from one sample to the next; noise: change of disparity 1/z that means nothing."""

    z: Float32[ndarray, "h w"]
    u: Float32[ndarray, " w"]
    v: Float32[ndarray, " h"]
    camera: Camera
    stride: int
    noise: float = 0.0

    @property
    def footprint(self) -> float:
        """Width of one lattice step at depth 1."""
        return self.stride / self.camera.focal

    def points(self) -> Float32[ndarray, "h w 3"]:
        """Every sample back-projected, NaN where there is no surface."""
        return back_project(self.u[None, :], self.v[:, None], self.z, self.camera)

    def uv(self) -> Float32[ndarray, "h w 2"]:
        """Every sample's place in the photo, in 0..1, v downwards."""
        out = np.empty((*self.z.shape, 2), np.float32)
        out[..., 0] = self.u[None, :] / np.float32(self.camera.width)
        out[..., 1] = self.v[:, None] / np.float32(self.camera.height)
        return out


def stride_for(z: Float32[ndarray, "h w"], limit: int) -> int:
    """The smallest stride that leaves at most about `limit` samples with depth: a small subject is sampled more finely."""
    return max(1, math.ceil(math.sqrt(np.count_nonzero(~np.isnan(z)) / limit)))


def sample_lattice(z: Float32[ndarray, "h w"], camera: Camera, limit: int) -> Lattice:
    """Every stride-th pixel of a depth map, at most about `limit` of them.

    Where the sampled pixel has no depth, another one of its stride×stride block stands in (at its own position only up
    to the block's size, which matters for sparse maps alone).
    """
    height, width = z.shape
    stride = stride_for(z, limit)
    first = stride // 2
    picked = z[first::stride, first::stride]
    if stride > 1:
        picked = _filled_from_block(z, picked, stride)
    u = np.arange(first, width, stride, dtype=np.float32) + np.float32(0.5)
    v = np.arange(first, height, stride, dtype=np.float32) + np.float32(0.5)
    return Lattice(np.ascontiguousarray(picked), u, v, camera, stride)


def _filled_from_block(
    z: Float32[ndarray, "h w"], picked: Float32[ndarray, "a b"], stride: int
) -> Float32[ndarray, "a b"]:
    """`picked`, its gaps filled with the first valid pixel of the same block in reading order."""
    out = picked.copy()
    rows, columns = out.shape
    for i in range(stride):
        for j in range(stride):
            gaps = np.isnan(out)
            if gaps.mean() < 0.02:  # scattered single gaps cost less than the search
                return out
            other = z[i::stride, j::stride][:rows, :columns]
            out[: other.shape[0], : other.shape[1]] = np.where(
                gaps[: other.shape[0], : other.shape[1]], other, out[: other.shape[0], : other.shape[1]]
            )
    return out


def block_means(picture: UInt8[ndarray, "h w *c"], lattice: Lattice) -> UInt8[ndarray, "a b *c"]:
    """The mean of the pixels in each sample's block; at the photo's right and lower border its last pixels go on."""
    stride, (rows, columns) = lattice.stride, lattice.z.shape
    if stride == 1:
        return picture.copy()
    below, right = (max(count * stride - size, 0) for count, size in zip((rows, columns), picture.shape, strict=False))
    whole = cv2.copyMakeBorder(picture[: rows * stride, : columns * stride], 0, below, 0, right, cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA))


def corner_lines(lattice: Lattice) -> tuple[Float32[ndarray, " a"], Float32[ndarray, " b"]]:
    """Pixel positions of the lines between samples; the outermost ones lie on the photo's border."""
    half = np.float32(lattice.stride / 2)
    u = np.append(lattice.u - half, lattice.camera.width).astype(np.float32)
    v = np.append(lattice.v - half, lattice.camera.height).astype(np.float32)
    u[0], v[0] = 0, 0
    return u, v
