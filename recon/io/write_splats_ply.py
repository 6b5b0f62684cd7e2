"""The PLY of 3D Gaussian Splatting's inventors (Kerbl et al. 2023): float32 properties of one element, in their order, and
nothing else, since readers break on more. Axes are the camera's; scales are logarithms, opacities logits, the quaternion
has its real part first, and normals are there and zero.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float32
from numpy import ndarray

from recon.io.files import write_bytes
from recon.io.splat_values import checked, harmonics, logits
from recon.types import Splats

PROPERTIES = (
    *("x", "y", "z", "nx", "ny", "nz", "f_dc_0", "f_dc_1", "f_dc_2", "opacity"),
    *("scale_0", "scale_1", "scale_2", "rot_0", "rot_1", "rot_2", "rot_3"),
)


def write_splats(splats: Splats, path: Path) -> None:
    """Splats of one colour from everywhere, 68 bytes each. Raises BadInput where a number is not finite."""
    write_bytes(path, ply_header(len(splats.centres)), ply_rows(splats).data)


def ply_header(count: int) -> bytes:
    """What stands before so many splats."""
    lines = "".join(f"property float {name}\n" for name in PROPERTIES)
    return f"ply\nformat binary_little_endian 1.0\nelement vertex {count}\n{lines}end_header\n".encode()


def ply_rows(splats: Splats) -> Float32[ndarray, "n 17"]:
    """The splats' properties, little-endian. Raises BadInput where a number is not finite."""
    good = checked(splats)
    block = np.zeros((len(good.centres), len(PROPERTIES)), "<f4")
    block[:, :3], block[:, 6:9], block[:, 9] = good.centres, harmonics(good.colors), logits(good.opacity)
    block[:, 10:13], block[:, 13:] = np.log(good.scales), good.quaternions
    return block
