"""The `.splat` of antimatter15's viewer: 32 bytes a splat and no header. Position and scales as float32, colour and opacity
as bytes, the quaternion as bytes q·128 + 128 with its real part first; axes are the camera's. Large opaque splats come
first, so that a half loaded file shows the whole scene.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recon.io.files import write_bytes
from recon.io.splat_values import checked
from recon.types import Splats

RECORD = np.dtype([("position", "<f4", 3), ("scale", "<f4", 3), ("rgba", "u1", 4), ("rotation", "u1", 4)])


def write_splats(splats: Splats, path: Path) -> None:
    """Splats of one colour from everywhere, 32 bytes each. Raises BadInput where a number is not finite."""
    good = checked(splats)
    weight = good.scales[:, 0] * good.scales[:, 1] * good.opacity
    order = np.argsort(-weight, kind="stable")
    block = np.empty(len(order), RECORD)
    block["position"], block["scale"] = good.centres[order], good.scales[order]
    block["rgba"][:, :3] = good.colors[order]
    block["rgba"][:, 3] = np.rint(good.opacity[order] * 255)
    block["rotation"] = np.clip(np.rint(good.quaternions[order] * 128 + 128), 0, 255)
    write_bytes(path, block.data)
