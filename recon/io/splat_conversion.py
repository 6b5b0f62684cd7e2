"""A `.splat` file as the PLY of 3D Gaussian Splatting: whoever keeps the small one can hand out the other.

Places and scales stay as they are; opacities and quaternions have the eight bits that they had.
"""

from __future__ import annotations

import numpy as np

from recon.io.write_splats_ply import PROPERTIES, ply_header, ply_rows
from recon.io.write_splats_splat import RECORD
from recon.types import Splats


def ply_of_splat(data: bytes) -> bytes:
    """The PLY of a .splat file's bytes."""
    block = np.frombuffer(data, RECORD)
    colours, opacity = block["rgba"][:, :3], block["rgba"][:, 3].astype(np.float32) / np.float32(255)
    quaternions = (block["rotation"].astype(np.float32) - 128) / np.float32(128)
    splats = Splats(block["position"].copy(), block["scale"].copy(), quaternions, opacity, colours.copy())
    return ply_header(len(block)) + ply_rows(splats).tobytes()


def ply_size(size: int) -> int:
    """Bytes of the PLY that a .splat file of so many bytes becomes."""
    count = size // RECORD.itemsize
    return len(ply_header(count)) + 4 * count * len(PROPERTIES)
