"""Niantic's SPZ, version 3: a gzip file with a header of 16 bytes, then all positions, opacities, colours, scales and
rotations one after another, 20 bytes a splat. Axes are glTF's.

Positions have 24 bits, of which the header says how many are fractional. Rotations are the three smaller parts of the
quaternion (x, y, z, w in this order), 9 bits and a sign each, and which part is left out. What is finer than anybody sees
is rounded away and splats of one size stand together, large ones first: gzip then leaves half (docs/decisions.md).
"""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

import numpy as np
from jaxtyping import Float32, UInt8, UInt32
from numpy import ndarray

from recon.errors import BadInput
from recon.io.files import write_bytes
from recon.io.splat_values import checked, harmonics, in_gltfs_axes
from recon.types import Splats

MAGIC, VERSION = 0x5053474E, 3
POSITION_BITS = 23
"""And a sign."""
FINENESS = 1.5
"""Steps of a position to the median splat's smaller radius, at least, and less than twice as many."""
ROTATION_BITS = 5
"""Of the 9: a disc is turned by 2.6° at most, and 0.8° as a rule."""
COLOR_SCALE = 0.15
LEVEL = 4
"""Of gzip: higher ones take twice as long for one part in a hundred less."""


def write_splats(splats: Splats, path: Path) -> None:
    """Splats of one colour from everywhere, about 8 bytes each. Raises BadInput where a number is not finite, or a place
    too far away for any number of fractional bits."""
    good = _sorted_by_size(in_gltfs_axes(checked(splats)))
    bits = fractional_bits(good)
    header = struct.pack("<IIIBBBB", MAGIC, VERSION, len(good.centres), 0, bits, 0, 0)
    fixed = np.rint(good.centres.astype(np.float64) * 2.0**bits).astype("<i4")
    positions = np.ascontiguousarray(fixed[..., None].view(np.uint8)[..., :3])
    colors = _bytes((harmonics(good.colors) * np.float32(COLOR_SCALE) + np.float32(0.5)) * 255)
    scales = _bytes(_log_steps(good.scales))
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, 31)  # 31: a gzip file, without a date
    parts = (positions, _bytes(good.opacity * 255), colors, scales, smallest_three(good.quaternions))
    chunks = [packer.compress(part) for part in (header, *(part.tobytes() for part in parts))]
    write_bytes(path, *chunks, packer.flush())


def fractional_bits(splats: Splats) -> int:
    """So many that a position's step is small beside a splat, if the farthest one still fits."""
    extent = float(np.abs(splats.centres).max(initial=1e-30))
    room = math.floor(math.log2((2**POSITION_BITS - 1) / extent))
    if room < 0:
        raise BadInput("splats.far", "a splat lies {far:g} units away, which SPZ cannot hold; write another format.",
                       far=extent)  # fmt: skip
    typical = float(np.median(splats.scales[:, :2].min(axis=1))) if len(splats.scales) else 1.0
    return min(room, max(0, math.ceil(math.log2(FINENESS / typical))))


def smallest_three(quaternions: Float32[ndarray, "n 4"]) -> UInt32[ndarray, " n"]:
    """Unit quaternions, w x y z, in 32 bits each."""
    q = np.roll(quaternions, -1, axis=1)
    largest = np.abs(q).argmax(axis=1)
    q = q * np.where(np.take_along_axis(q, largest[:, None], axis=1) < 0, -1, 1)
    step = 2 ** (9 - ROTATION_BITS)
    sizes = np.minimum(np.rint(np.abs(q) * np.float32(2**0.5 * 511 / step)) * step, 511).astype(np.uint32)
    packed = largest.astype(np.uint32)
    for part in range(4):
        coded = packed << np.uint32(10) | (q[:, part] < 0).astype(np.uint32) << np.uint32(9) | sizes[:, part]
        packed = np.where(largest == part, packed, coded)
    return packed.astype("<u4")


def _sorted_by_size(splats: Splats) -> Splats:
    order = np.argsort(-np.rint(_log_steps(splats.scales[:, 1])), kind="stable")
    return Splats(**{name: values[order] for name, values in vars(splats).items()})


def _log_steps(scales: Float32[ndarray, "*shape"]) -> Float32[ndarray, "*shape"]:
    return (np.log(scales) + 10) * 16


def _bytes(values: Float32[ndarray, "*shape"]) -> UInt8[ndarray, "*shape"]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
