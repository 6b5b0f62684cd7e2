"""A perfect network's affine disparity through our geometry: how far are the points off?

    python -m bench.affine

The true disparity, shifted and scaled at random, is given with the true focal length; printed is the median over pixels of
|point − true point| / |true point| after one global scale, with the default depth range and with the true near and far.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from bench.frames import RgbdFrame, frames
from recon.geometry.camera import back_project, centred_camera
from recon.pipeline import reconstruct


def main() -> None:
    """Print one row per frame and the means."""
    print(f"{'frame':>20} {'far/near':>8} {'default':>8} {'given':>8}   (median relative point error, %)")
    rows = []
    rng = np.random.default_rng(3)
    for frame in frames():
        near, far = float(np.nanmin(frame.z)), float(np.nanmax(frame.z))
        x = (rng.uniform(0.5, 20) / frame.z + rng.uniform(0.1, 5)).astype(np.float32)
        rows.append((100 * _error(frame, x), 100 * _error(frame, x, near, far)))
        print(f"{frame.name:>20} {far / near:8.1f} {rows[-1][0]:8.2f} {rows[-1][1]:8.2f}", flush=True)
    default, given = np.mean(rows, axis=0)
    print(f"{'mean':>20} {'':8} {default:8.2f} {given:8.2f}")


def _error(frame: RgbdFrame, disparity: np.ndarray, near: float | None = None, far: float | None = None) -> float:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "x.npy", disparity)
        Image.fromarray(frame.rgb).save(folder / "rgb.png")
        found = reconstruct(folder / "rgb.png", depth_in=folder / "x.npy", depth_kind="disparity",
                            focal_px=frame.focal, near=near, far=far)  # fmt: skip
    height, width = frame.z.shape
    v, u = np.mgrid[:height, :width].astype(np.float32) + np.float32(0.5)
    camera = centred_camera(width, height, frame.focal, "user")
    known = ~np.isnan(frame.z) & ~np.isnan(found.depth.z)
    true, ours = (back_project(u, v, z, camera)[known].astype(np.float64) for z in (frame.z, found.depth.z))
    size = np.linalg.norm(true, axis=1)
    scale = np.median(size / np.linalg.norm(ours, axis=1))
    return float(np.median(np.linalg.norm(scale * ours - true, axis=1) / size))


if __name__ == "__main__":
    main()
